"""The report as a message: the five sentences, a link where the site is served, and the HTML file with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from narratives.courier import ChannelUnusable, Courier, require_apprise
from narratives.delivery import checked_channels
from narratives.settings import Settings
from reports.content import WeeklyReport
from reports.page import LANGUAGES
from reports.words import word

# A headline comes from outside: it must not call out to everybody in a chat, nor be read as markup.
_HARMLESS = str.maketrans({"@": "＠", "<": "‹", ">": "›"})


@dataclass(frozen=True)
class Sent:
    """What became of the message on one channel: `error` is "" where the channel took it; `with_file` whether the
    HTML went along."""

    channel: str
    error: str
    with_file: bool


def compose_message(report: WeeklyReport, lang: str, site_url: str = "", with_file: bool = True) -> tuple[str, str]:
    """Title and text of the message.

    Parameters
    ----------
    site_url
        Where the site is served; empty gives no link.
    """
    langs = LANGUAGES[lang]
    subject = " / ".join(dict.fromkeys(getattr(report.subject, x) for x in langs))
    title = f"{subject}: {' / '.join(getattr(word('title'), x) for x in langs)} {report.label}"
    parts = ["\n".join(f"{i}. {getattr(s.text, x)}" for i, s in enumerate(report.summary, 1)) for x in langs]
    if site_url:
        parts.append(f"{site_url.rstrip('/')}/{report.label}.html")
    elif with_file:
        parts.append(" / ".join(getattr(word("attached"), x) for x in langs))
    return title.translate(_HARMLESS), "\n\n".join(parts).translate(_HARMLESS)


def send_report(
    report: WeeklyReport,
    html: Path,
    settings: Settings,
    lang: str,
    environment: Mapping[str, str] | None = None,
) -> list[Sent]:
    """Send the report to the channels of `report.channels` (else `alerts.channels`), one after the other.

    Addresses are secrets: they are read from the environment variables that the settings name, go to a child process
    (`narratives.courier`), and appear in no message, log or result.

    Parameters
    ----------
    html
        The written page; it goes along where the channel takes files.

    Raises
    ------
    ValueError
        No channel is set, or the name of one is none.
    AlertsExtraMissing
        apprise is not installed.
    """
    setting = "report.channels" if settings.report.channels or not settings.alerts.channels else "alerts.channels"
    channels = checked_channels(settings.report.channels or settings.alerts.channels, setting)
    environment = os.environ if environment is None else environment
    require_apprise()
    done = []
    for channel in channels:
        address = environment.get(channel, "").strip()
        if not address:
            done.append(Sent(channel, "this environment variable is not set; it should hold an apprise URL", False))
            continue
        try:
            with Courier(channel, address, settings.alerts.send_timeout_seconds) as courier:
                title, body = compose_message(report, lang, settings.report.site_url, courier.takes_files)
                error = courier.send(title, body, "info", str(html.absolute()))
                done.append(Sent(channel, error, courier.takes_files and not error))
        except ChannelUnusable as error:
            done.append(Sent(channel, str(error).removeprefix(f"{channel}: "), False))
    return done
