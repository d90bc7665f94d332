"""The report as Markdown, for a mail or a wiki: every text of an article is escaped, links are http or
https."""

from __future__ import annotations

import re
from typing import Any

from reports.content import WeeklyReport
from reports.methods import LIMITS, methods
from reports.page import LANGUAGES, TEMPLATES, interval
from reports.records import Estimate, Words
from reports.sentences import alert_record_text, mean_text, percent, points, rule_number, signed
from reports.words import word

_SPECIAL = re.compile(r"([\\`*_{}\[\]!|~$]|^[#+\-](?=\s|$)|^\d+(?=[.)]\s))")


def render_markdown(report: WeeklyReport, lang: str = "both") -> str:
    """The report without its charts (GitHub's Markdown).

    Raises
    ------
    ValueError
        `lang` is not both, zh or en.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    if lang not in LANGUAGES:
        raise ValueError(f"lang needs to be both, zh or en, got {lang!r}")
    langs = LANGUAGES[lang]

    def both(words: Words, gap: str = " / ") -> str:
        texts = list(dict.fromkeys(getattr(words, x) for x in langs))
        return gap.join(escape_markdown(x) for x in texts)

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(
        both=both,
        t=lambda key, **v: both(word(key, **v)),
        e=escape_markdown,
        url=escape_address,
        signed=signed,
        percent=percent,
        mean_text=mean_text,
        points=points,
        rule_number=rule_number,
        alert_record=alert_record_text,
        estimate=_estimate(both),
    )
    names: dict[str, Any] = {r.id: r for r in (*report.rows, *report.quiet)}
    text = env.get_template("report.md.j2").render(
        report=report, names=names, methods=methods(report.settings), limits=LIMITS
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _estimate(both: Any) -> Any:
    def text(e: Estimate, measured: bool = True) -> str:
        if not measured:
            return str(both(word("not_measured")))
        if e.mean is None:
            return f"{both(word('too_few'))} n={e.n}"
        return f"{signed(e.mean)} {interval(e)} n={e.n}".replace("[", "\\[").replace("]", "\\]")

    return text


def escape_markdown(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no HTML, one line.

    >>> escape_markdown("<b>*x*</b> [a](b) | c")
    '&lt;b&gt;\\\\*x\\\\*&lt;/b&gt; \\\\[a\\\\](b) \\\\| c'
    """
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def escape_address(url: str) -> str:
    """An address that stays inside the angle-bracket form of a Markdown link.

    >>> escape_address("https://a.example/(x)?y=<z>")
    'https://a.example/(x)?y=%3Cz%3E'
    """
    return url.replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C").replace("|", "%7C")
