"""A static site of all weeks: an index, a page a week, and a page a narrative whose address never changes.

The chart library is one file beside the pages (`assets/report.js`) instead of .9 MB in each. Everything
works from a folder on disk and asks nothing of another server.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.content import LifeEvent, NarrativeRow, WeeklyReport
from reports.frames import Desk, HeldDesk, week_label
from reports.page import LANGUAGES, environment, page_script, page_style, render_html
from reports.weekly import build_weekly
from reports.writing import write_text

SCRIPT = "assets/report.js"


def site(desk: Desk, folder: Path | None = None, lang: str = "both") -> list[Path]:
    """Write the site of a desk and return its pages, the index first.

    `index.html`, `2025-W46.html` a week, `n/N0001.html` a narrative (kept for merged and ended ones too), and
    `assets/report.js`. Pages of an earlier run are overwritten; nothing else in the folder is touched.

    Parameters
    ----------
    folder
        Default: `reports/site` in the desk's folder.

    Raises
    ------
    ValueError
        No week has been processed, or `lang` is not both, zh or en.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang needs to be both, zh or en, got {lang!r}")
    place = folder or desk.folder / "reports" / "site"
    held = HeldDesk(desk)
    labels = [week_label(w) for w in held.weeks()]
    pages: dict[str, str] = {}
    told: dict[str, list[tuple[str, NarrativeRow]]] = {}
    weeks: list[WeeklyReport] = []
    for i, week in enumerate(held.weeks()):
        report = build_weekly(held, week)
        links = {
            "index": "index.html",
            "previous": f"{labels[i - 1]}.html" if i else "",
            "next": f"{labels[i + 1]}.html" if i + 1 < len(labels) else "",
        }
        pages[f"{report.label}.html"] = render_html(report, lang, links=links, script_address=SCRIPT)
        for row in report.rows:
            told.setdefault(row.id, []).append((report.label, row))
        weeks.append(report)
    if not weeks:
        raise ValueError("the desk has processed no week yet: run `narratives update` first")
    last = weeks[-1]
    everyone = sorted((*last.rows, *last.quiet), key=lambda r: r.id)
    pages |= _narrative_pages(last, everyone, told, lang)
    index = environment(lang).get_template("index.html.j2")
    pages["index.html"] = index.render(
        **_common(lang), title=last.subject, weeks=weeks[::-1], narratives=everyone, base=""
    )
    order = ["index.html", *sorted(p for p in pages if p != "index.html")]
    written = [write_text(place / name, pages[name]) for name in order]
    write_text(place / SCRIPT, page_script())
    return written


def _narrative_pages(
    last: WeeklyReport,
    everyone: Sequence[NarrativeRow],
    told: dict[str, list[tuple[str, NarrativeRow]]],
    lang: str,
) -> dict[str, str]:
    template = environment(lang).get_template("narrative_page.html.j2")
    lives: dict[str, list[LifeEvent]] = {}
    for event in last.lineage:
        for who in {event.narrative, event.other} - {""}:
            lives.setdefault(who, []).append(event)
    into = {e.narrative: e.other for e in last.lineage if e.kind == "merged"}
    names = {r.id: r for r in everyone}
    return {
        f"n/{row.id}.html": template.render(
            **_common(lang),
            title=row.name,
            row=row,
            weeks=told.get(row.id, [])[::-1],
            life=lives.get(row.id, []),
            into=names.get(into.get(row.id, "")),
            last=last.label,
            base="../",
        )
        for row in everyone
    }


def _common(lang: str) -> dict[str, Any]:
    return {"lang": lang, "html_lang": "en" if lang == "en" else "zh-Hans", "style": page_style()}
