"""The page in real headless Chromium: nothing is fetched, nothing hostile runs, everything is drawn and works."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import reports

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("CHROMIUM") or next(
    (p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None
)


@dataclass
class Opened:
    """A page after its charts are drawn, and what it said and asked for meanwhile."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install one or name it in CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def html(desk_maker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    return reports.write_weekly(desk_maker(folder), compare="2025-W40")[0]


def _open(browser: Any, path: Path, *, width: int = 1280, dark: bool = False, scripts: bool = True) -> Opened:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",  # or a page that still glides is pointed at beside what was meant
    )
    opened = Opened(context.new_page())
    opened.page.on("console", lambda m: opened.said.append(f"{m.type}: {m.text}"))
    opened.page.on("pageerror", lambda e: opened.said.append(f"error: {e}"))
    opened.page.on("request", lambda r: opened.asked.append(r.url))
    opened.page.goto(path.as_uri())
    if scripts:
        opened.page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=60_000)
    return opened


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (768, False), (375, False)])
def test_every_chart_is_drawn_silently_and_without_a_request(browser: Any, html: Path, width: int, dark: bool) -> None:
    opened = _open(browser, html, width=width, dark=dark)
    drawn = opened.page.eval_on_selector_all("[data-chart]", "all => all.map(e => e.dataset.drawn)")
    assert len(drawn) == 3 + 3 * 7 and set(drawn) == {"yes"}
    assert opened.page.eval_on_selector_all("[data-chart] svg .mark-rect path", "all => all.length") > 50
    assert opened.said == [] and opened.asked == [html.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"


def test_nothing_hostile_runs_and_it_is_shown_as_text(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    assert page.evaluate("window.hacked") is None and page.evaluate("window.vegaEmbed") is None
    assert "<script>window.hacked=1</script>稀土出口" in page.inner_text("#new")
    assert page.title().startswith("2025-W46 · rare earths and magnets")
    assert page.evaluate("document.querySelectorAll('body img, body b script, body i').length") == 0


def test_a_hostile_title_is_text_in_the_tooltip_of_the_map_too(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    dots = page.locator("[data-chart=map] .mark-symbol.role-mark path")
    assert dots.count() == 40
    page.evaluate("document.querySelector('[data-chart=map]').scrollIntoView()")
    texts = []
    for i in range(dots.count()):
        dots.nth(i).hover(force=True)
        page.wait_for_timeout(30)
        texts.append(page.evaluate("(document.querySelector('#vg-tooltip-element') || {}).innerText || ''"))
    assert any("<script>" in t for t in texts), "the hostile title was hovered"
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('#vg-tooltip-element img, #vg-tooltip-element script').length") == 0


@pytest.mark.parametrize(("motion", "behavior"), [("reduce", "auto"), ("no-preference", "smooth")])
def test_the_page_glides_only_where_motion_is_welcome(browser: Any, html: Path, motion: Any, behavior: str) -> None:
    page = _open(browser, html).page
    page.emulate_media(reduced_motion=motion)
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == behavior


def test_a_click_on_a_dot_opens_its_article_and_never_a_script(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    page.context.route("https://**", lambda route: route.fulfill(body="an article", content_type="text/plain"))
    dots = page.locator("[data-chart=map] .mark-symbol.role-mark path")
    opened: list[str] = []
    page.context.on("request", lambda r: opened.append(r.url))
    for i in range(dots.count()):
        dots.nth(i).click(force=True)
    page.wait_for_timeout(500)
    assert len(opened) > 10, "some lie under others, three of forty have a hostile address"
    assert {url.split("?")[0][:21] for url in opened} == {"https://news.example/"}
    assert page.evaluate("window.hacked") is None


def test_every_inner_link_leads_somewhere(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    lost = page.eval_on_selector_all(
        "a[href^='#']:not([data-chart] a)",
        "all => all.map(a => a.hash.slice(1)).filter(h => !document.getElementById(h))",
    )
    assert lost == []


def test_the_reader_chooses_one_language(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    page.get_by_role("button", name="English").click()
    assert "五句话看本周" not in page.inner_text("#summary") and "The week in five" in page.inner_text("#summary")
    page.get_by_role("button", name="中文").click()
    assert "五句话看本周" in page.inner_text("#summary") and "The week in five" not in page.inner_text("#summary")


def test_a_heading_sorts_the_table_by_keyboard(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    heading = page.locator("table.narratives th button").nth(1)
    heading.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    counts = page.eval_on_selector_all("table.narratives tbody tr td:nth-child(2)", "all => all.map(e => +e.dataset.v)")
    assert counts == sorted(counts)
    assert page.locator("table.narratives th[aria-sort=ascending]").count() == 1


def test_without_scripts_the_figures_are_there(browser: Any, html: Path) -> None:
    page = _open(browser, html, scripts=False).page
    assert "every figure is in the tables too" in page.inner_text("noscript, main")
    assert page.locator("details.figures table tbody tr").count() == 7 * 12


def test_it_prints_to_a_document_with_its_charts(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})  # the width of A4 between its margins
    wide = page.eval_on_selector_all(
        "[data-chart] svg", "all => all.filter(s => s.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert wide == 0, "a chart that was drawn for the window fits on the sheet"
    assert page.evaluate("document.querySelector('table.narratives').getBoundingClientRect().right") <= 691
    page.emulate_media(media=None)
    document = page.pdf(format="A4")
    assert document.startswith(b"%PDF") and 50_000 < len(document) < 5_000_000


def test_names_roles_and_headings_serve_a_screen_reader(browser: Any, html: Path) -> None:
    page = _open(browser, html).page
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], section, [role=group], [role=img]')].filter(e =>
            !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim()
              || e.closest('[data-chart]'))).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels)), "no level of headings is skipped"
    described = page.eval_on_selector_all(
        "[data-chart]", "all => all.map(e => (e.querySelector('[aria-label]') || e).getAttribute('aria-label'))"
    )
    assert len(described) == 24 and all(described)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_no_rule_of_accessibility_is_broken(browser: Any, html: Path, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = _open(browser, html, width=width, dark=dark).page
    page.add_style_tag(content="article.narrative{content-visibility:visible!important}")
    found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    said = [f"{v['id']} ({len(v['nodes'])}): {v['nodes'][0]['html'][:160]}" for v in found.response["violations"]]
    assert said == []


def test_the_sites_pages_break_no_rule_of_accessibility(browser: Any, desk_maker: Any, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    pages = reports.site(desk_maker(tmp_path, n_weeks=2))
    page = browser.new_page()
    for path in (pages[0], pages[0].parent / "n" / "N0001.html"):
        page.goto(path.as_uri())
        assert [v["id"] for v in axe.Axe().run(page).response["violations"]] == [], path.name


def test_the_sites_pages_work_from_a_folder(browser: Any, desk_maker: Any, tmp_path: Path) -> None:
    pages = reports.site(desk_maker(tmp_path, n_weeks=3))
    opened = _open(browser, tmp_path / "reports" / "site" / "2025-W37.html")
    assert opened.said == []
    assert set(opened.asked) == {
        p.as_uri() for p in (pages[0].parent / "2025-W37.html", pages[0].parent / "assets/report.js")
    }
    assert set(opened.page.eval_on_selector_all("[data-chart]", "all => all.map(e => e.dataset.drawn)")) == {"yes"}
    for page in pages:
        for href in opened.page.evaluate("[...document.querySelectorAll('a[href$=html]')].map(a => a.href)"):
            assert Path(href.removeprefix("file://")).exists()
        opened.page.goto(page.as_uri())


@pytest.mark.slow
def test_500_narratives_and_50000_articles_are_drawn_within_three_seconds(browser: Any, big_desk: Any) -> None:
    path = reports.write_weekly(big_desk)[0]
    assert path.stat().st_size < 3_000_000
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    session = page.context.new_cdp_session(page)
    # Processor time of the page's own thread: what else the machine does is not measured.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(path.as_uri(), wait_until="load")
    page.wait_for_selector("[data-chart=overview][data-drawn=yes]", state="attached")
    spent = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
    assert spent < 3.0, f"{spent:.2f} s until the first charts stand"
