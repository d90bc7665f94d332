"""The static site: an index, a page a week, a permanent page a narrative."""

from __future__ import annotations

import re
from typing import Any

import pytest

import reports


def test_every_week_and_every_narrative_has_its_page_and_links_lead_to_files(desk_maker: Any, tmp_path: Any) -> None:
    desk = desk_maker(tmp_path, n_weeks=9)
    pages = reports.site(desk)
    root = tmp_path / "reports" / "site"
    assert pages[0] == root / "index.html"
    weeks = [p.name for p in pages if p.name.startswith("2025-")]
    assert weeks == [f"2025-W{n}.html" for n in range(35, 44)]
    assert {p.name for p in pages if p.parent.name == "n"} >= {"N0001.html", "N0004.html", "N0009.html"}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "unsafe-eval" not in text and "http-equiv" in text
        for href in re.findall(r'href="([^"#]+\.html)', text):
            assert (page.parent / href).exists(), (page, href)
    assert (root / "assets" / "report.js").stat().st_size > 500_000
    assert max(p.stat().st_size for p in pages) < 500_000, "the library is not in every page"


def test_a_merged_narratives_page_stays_and_leads_to_its_heir(desk_maker: Any, tmp_path: Any) -> None:
    reports.site(desk_maker(tmp_path, n_weeks=9), lang="en")
    text = (tmp_path / "reports" / "site" / "n" / "N0009.html").read_text(encoding="utf-8")
    assert 'href="N0001.html"' in text and "merged into" in text


def test_the_site_asks_the_desk_once_for_each_frame(desk_maker: Any, tmp_path: Any) -> None:
    desk = desk_maker(tmp_path, n_weeks=4)
    reports.site(desk)
    assert len(desk.calls) == len(set(desk.calls)), "evidence of a narrative is fetched once, not once a week"


def test_an_empty_desk_and_an_unknown_language_are_refused(desk: Any) -> None:
    with pytest.raises(ValueError, match="got 'fr'"):
        reports.site(desk, lang="fr")
    desk.frames["timeline"] = desk.frames["timeline"].iloc[:0]
    with pytest.raises(ValueError, match="narratives update"):
        reports.site(desk)
