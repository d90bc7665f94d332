"""The weekly report as files: HTML, Markdown and JSON, replaced whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from reports.content import WeeklyReport
from reports.frames import Desk
from reports.weekly import build_weekly

if TYPE_CHECKING:
    from narratives.llm import Llm


def write_weekly(
    desk: Desk,
    week: date | str | None = None,
    lang: str = "both",
    compare: date | str | None = None,
    llm: Llm | None = None,
) -> list[Path]:
    """Write `reports/2025-W46.html`, `.md` and `.json` into the desk's folder; returns their paths in this
    order.

    Files are replaced whole, never half written. With `lang` of `zh` or `en` the page and the Markdown speak
    one language (articles keep theirs); the JSON always has both. With `llm`, names and summaries are drafted by it
    (`reports.drafts`) and marked as drafted.
    """
    report = build_weekly(desk, week, compare)
    if llm is not None:
        from reports.drafts import add_drafts

        report = add_drafts(report, desk, llm)
    return write_report(report, desk.folder / "reports", lang)


def write_report(report: WeeklyReport, folder: Path, lang: str = "both") -> list[Path]:
    """Write a built report as HTML, Markdown and JSON; returns their paths in this order."""
    from reports.export import render_json
    from reports.markdown import render_markdown
    from reports.page import render_html

    contents = {
        ".html": render_html(report, lang),
        ".md": render_markdown(report, lang),
        ".json": render_json(report),
    }
    return [write_text(folder / f"{report.label}{suffix}", text) for suffix, text in contents.items()]


def write_text(path: Path, text: str) -> Path:
    """Replace a file whole, making its folder; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
    return path
