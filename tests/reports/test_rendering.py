"""HTML, Markdown and JSON of one report: complete, safe, the same bytes every time."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import reports
from reports.content import WeeklyReport
from reports.export import SCHEMA_ID
from reports.page import escape_json, page_script
from reports.records import Words
from reports.words import WORDS


@pytest.fixture(scope="module")
def report(desk_maker: Any, tmp_path_factory: pytest.TempPathFactory) -> WeeklyReport:
    return reports.build_weekly(desk_maker(tmp_path_factory.mktemp("desk")))


@pytest.fixture(scope="module")
def html(report: WeeklyReport) -> str:
    return reports.render_html(report)


class _Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found.get("href", "")))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_every_part_is_on_the_page(report: WeeklyReport, html: str) -> None:
    page = _Page(html)
    sections = "summary new changes table map narratives unassigned quiet lineage quality methods limits"
    for section in sections.split(" "):
        assert section in page.ids, section
    for s in report.sections:
        assert s.row.anchor in page.ids
    charts = {str(a["data-chart"]) for _, a in page.tags if "data-chart" in a}
    assert {"overview", "map", "lineage", "volume:N0001", "share:N0001", "scores:N0001"} <= charts


def test_every_inner_link_has_its_place_and_ids_are_unique(report: WeeklyReport, html: str) -> None:
    page = _Page(html)
    assert len(page.ids) == len(set(page.ids))
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)


def test_links_are_http_only(report: WeeklyReport, html: str) -> None:
    for text in (html, reports.render_markdown(report)):
        links = _Page(text).links + re.findall(r"\]\(<([^>]*)>\)", text)
        assert all(re.match(r"#|https?://", link) for link in links)
    cites = [str(a["cite"]) for _, a in _Page(html).tags if "cite" in a]
    assert cites and all(c.startswith("https://") for c in cites)


def test_hostile_texts_are_shown_and_never_become_markup(report: WeeklyReport, html: str) -> None:
    body = html[: html.index('<script type="application/json"')]
    assert "<script" not in body and "<img" not in body and "onerror=&#34;" in body
    page = _Page(html)
    assert [t for t, _ in page.tags].count("script") == 2
    assert "</title><script>window.hacked=1</script>" in page.words
    markdown = reports.render_markdown(report)
    assert "<script" not in markdown and "<img" not in markdown and "<b>" not in markdown
    assert r"\[link\](javascript:window.hacked=1)" in markdown, "no link without its brackets"


def test_the_page_asks_nothing_of_the_network(report: WeeklyReport, html: str) -> None:
    page = _Page(html)
    policy = next(str(a["content"]) for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy and "script-src 'sha256-" in policy
    assert not [a for t, a in page.tags if t in ("link", "iframe", "object", "embed", "img", "base")]
    assert not [a for _, a in page.tags if "src" in a or "srcset" in a]
    assert "@import" not in html.split("</style>")[0] and "url(" not in html.split("</style>")[0]


def test_the_published_schema_is_the_reports_own_and_holds_it(report: WeeklyReport) -> None:
    file = Path(reports.__file__).parent / "schema" / f"{SCHEMA_ID.removeprefix('narratives-')}.json"
    published = json.loads(file.read_text(encoding="utf-8"))
    assert published == reports.weekly_schema(), "write it anew: narratives report --schema"
    jsonschema.validate(json.loads(reports.render_json(report)), published)


def test_the_page_is_small_enough_to_mail(html: str) -> None:
    assert len(html.encode()) < 3_000_000


def test_same_desk_same_bytes(desk: Any, desk_maker: Any, tmp_path: Path) -> None:
    again = desk_maker(tmp_path / "again")
    again.frames = {
        k: v.sample(frac=1, random_state=3) if k in ("articles", "narratives", "timeline") else v
        for k, v in again.frames.items()
    }
    one, two = reports.build_weekly(desk), reports.build_weekly(again)
    assert one == dataclasses.replace(two, map=one.map), "the order of rows in a frame does not matter"
    for render in (reports.render_html, reports.render_markdown, reports.render_json):
        assert render(one) == render(reports.build_weekly(desk))


@pytest.mark.parametrize(
    ("lang", "has", "lacks"),
    [("zh", "五句话看本周", "The week in five"), ("en", "The week in five", "五句话看本周")],
)
def test_one_language_is_said_alone(report: WeeklyReport, lang: str, has: str, lacks: str) -> None:
    for render in (reports.render_html, reports.render_markdown):
        text = render(report, lang)
        assert has in text and lacks not in text
    assert "公告暂停一年之后" in reports.render_html(report, lang), "quotes stay in their language"


def test_an_unknown_language_is_refused(report: WeeklyReport) -> None:
    for render in (reports.render_html, reports.render_markdown):
        with pytest.raises(ValueError, match="got 'fr'"):
            render(report, "fr")


def test_every_word_is_there_in_both_languages() -> None:
    for key, words in WORDS.items():
        assert words.zh.strip() and words.en.strip(), key
        assert re.findall(r"\{(\w+)\}", words.zh) == re.findall(r"\{(\w+)\}", words.en) or key == "feed_more", key
        assert re.search(r"[\u4e00-\u9fff]", words.zh), key


def test_texts_carry_their_language(report: WeeklyReport, html: str) -> None:
    assert re.search(r'<blockquote lang="zh-Han[st]"', html) and '<blockquote lang="en"' in html
    assert html.count('class="ui" lang="zh-Hans"') > 100


def test_too_few_and_not_measured_are_said(report: WeeklyReport) -> None:
    html = reports.render_html(report, "en")
    assert "too few</span> (n=2)" in html and "not measured" in html


def test_the_json_follows_its_published_schema(report: WeeklyReport) -> None:
    schema = reports.weekly_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    body = json.loads(reports.render_json(report))
    jsonschema.Draft202012Validator(schema).validate(body)
    body["rows"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(body)


def test_markdown_lists_keep_one_item_a_line(report: WeeklyReport) -> None:
    markdown = reports.render_markdown(report)
    assert not [line for line in markdown.splitlines() if line.startswith("- ") and " — " in line and ")- " in line]
    table = [line for line in markdown.splitlines() if line.startswith("| ")]
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert len(columns) == 1 and len(table) == len(report.rows) + 1


def test_files_are_written_beside_the_desk(desk: Any) -> None:
    paths = reports.write_weekly(desk, "2025-W46", lang="en")
    assert [p.name for p in paths] == ["2025-W46.html", "2025-W46.md", "2025-W46.json"]
    assert all(p.parent == desk.folder / "reports" for p in paths)
    assert not list((desk.folder / "reports").glob("*.part"))
    before = [p.read_bytes() for p in paths]
    assert [p.read_bytes() for p in reports.write_weekly(desk, "2025-W46", lang="en")] == before


def test_the_script_cannot_be_ended_from_inside() -> None:
    script = page_script()
    assert "</script" not in script.lower() and "<!--" not in script
    assert "/</g" in script, "a regular expression of the bundle that a blanket escape would break"
    assert "<" not in escape_json(json.dumps({"a": "</script><!--"}))


def test_a_text_equal_in_both_languages_is_said_once(report: WeeklyReport) -> None:
    row = dataclasses.replace(report.rows[0], name=Words("Equal Ltd", "Equal Ltd"))
    html = reports.render_html(dataclasses.replace(report, rows=(row, *report.rows[1:])), "both")
    assert "<span>Equal Ltd</span>" in html and "Equal Ltd Equal Ltd" not in html
