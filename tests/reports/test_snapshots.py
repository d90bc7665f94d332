"""What the parts of a report look like, held as snapshots: `pytest --snapshot-update` after a wanted change."""

from __future__ import annotations

import re
from typing import Any

import pytest

import reports
from reports.content import WeeklyReport
from reports.mail import compose_message
from reports.methods import LIMITS, methods
from reports.sentences import alert_record_text

pytest.importorskip("syrupy", reason="syrupy is not installed")


@pytest.fixture(scope="module")
def report(desk_maker: Any, tmp_path_factory: pytest.TempPathFactory) -> WeeklyReport:
    return reports.build_weekly(desk_maker(tmp_path_factory.mktemp("desk")), compare="2025-W40")


def part(html: str, start: str, end: str) -> str:
    """From one tag to the next of another kind, a tag a line."""
    found = html[html.index(start) :]
    found = found[: found.index(end) + len(end)]
    return re.sub(r">\s*<", ">\n<", found)


def test_the_five_sentences(report: WeeklyReport, snapshot: Any) -> None:
    assert [f"{s.text.zh}\n{s.text.en}" for s in report.summary] == snapshot


def test_an_alerts_card(report: WeeklyReport, snapshot: Any) -> None:
    html = reports.render_html(report)
    assert part(html, '<article class="card', "</article>") == snapshot
    assert alert_record_text(report.intake.alerts) == snapshot


def test_a_row_of_the_table(report: WeeklyReport, snapshot: Any) -> None:
    table = part(reports.render_html(report), '<table class="narratives">', "</table>")
    assert table[table.index("<tbody>") : table.index("</tr>", table.index("<tbody>"))] == snapshot


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_changed_in_a_narrative(report: WeeklyReport, lang: str, snapshot: Any) -> None:
    assert part(reports.render_html(report, lang), '<table class="shifts">', "</table>") == snapshot


def test_a_quote_in_its_context(report: WeeklyReport, snapshot: Any) -> None:
    assert part(reports.render_html(report), '<figure class="quote', "</figure>") == snapshot


def test_a_section_in_markdown(report: WeeklyReport, snapshot: Any) -> None:
    markdown = reports.render_markdown(report)
    assert markdown[markdown.index("### 中国稀土杠杆") :].split("\n### ")[0] == snapshot


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_message(report: WeeklyReport, lang: str, snapshot: Any) -> None:
    assert compose_message(report, lang) == snapshot


def test_methods_and_limits(report: WeeklyReport, snapshot: Any) -> None:
    assert [f"{w.zh}\n{w.en}" for w in (*methods(report.settings), *LIMITS)] == snapshot
