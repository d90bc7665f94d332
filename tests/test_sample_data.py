"""The sample subject in data/ is what its README says."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[1] / "data"
ARTICLE_KEYS = ["id", "title", "text", "source", "url", "published_at", "lang"]
FILES = {"zh": "articles-zh.jsonl", "en": "articles-en.jsonl"}
N_WEEKS = 12
TWELVE_WEEKS = [date(2025, 8, 25) + timedelta(weeks=i) for i in range(N_WEEKS)]


def iso_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def read_lines(language: str) -> list[dict[str, Any]]:
    lines = (DATA / FILES[language]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def articles() -> dict[str, dict[str, Any]]:
    """By id, each with its file's language, its ISO week and its labels."""
    with (DATA / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels = {row["id"]: row for row in csv.DictReader(file)}
    rows = {}
    for language in FILES:
        for article in read_lines(language):
            assert article["id"] in labels, f"{article['id']} has no labels"
            instant = datetime.fromisoformat(article["published_at"])
            week = iso_week(instant.date())
            row = article | labels.pop(article["id"]) | {"file": language, "instant": instant, "week": week}
            rows[row["id"]] = row
    assert not labels, f"labels without an article: {sorted(labels)}"
    return rows


@pytest.fixture(scope="module")
def readme() -> str:
    return (DATA / "README.md").read_text(encoding="utf-8")


def table(text: str, first_heading: str) -> list[dict[str, str]]:
    """The rows of the first table in the text whose first column has this heading, each by column."""
    rows: list[dict[str, str]] = []
    header: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            if rows:
                return rows
            header = []
        elif not header:
            header = cells
        elif header[0] == first_heading and not set(line) <= set("|-"):
            rows.append(dict(zip(header, cells, strict=True)))
    return rows


@pytest.mark.parametrize("language", FILES)
def test_files_hold_one_complete_article_a_line_in_time_order(language: str) -> None:
    articles = read_lines(language)
    for article in articles:
        assert list(article) == ARTICLE_KEYS
        assert all(isinstance(value, str) and value.strip() for value in article.values()), article["id"]
        assert article["url"] == f"https://example.org/{article['id']}"
        assert article["published_at"].endswith("+08:00")
        assert article["lang"] in ({"en"} if language == "en" else {"zh", "zh-Hant"})
    instants = [article["published_at"] for article in articles]
    assert instants == sorted(instants)


def test_ids_are_numbered_in_time_order_over_both_files(articles: dict[str, dict[str, Any]]) -> None:
    in_time = sorted(articles.values(), key=lambda row: (row["instant"], row["id"]))
    assert [row["id"] for row in in_time] == [f"re-{i:04d}" for i in range(1, len(articles) + 1)]


def test_labels_use_the_known_words(articles: dict[str, dict[str, Any]], readme: str) -> None:
    narratives = {row["narrative"] for row in table(readme, "narrative")}
    assert len(narratives) == 8
    for row in articles.values():
        assert row["tone"] in {"negative", "neutral", "positive"}
        if row["narrative"]:
            assert row["narrative"] in narratives
            assert row["stance"] in {"supports", "opposes", "reports"}
        else:
            assert row["stance"] == ""


def test_every_week_has_articles_in_both_languages(articles: dict[str, dict[str, Any]]) -> None:
    counts = Counter((row["week"], row["file"]) for row in articles.values())
    assert {week for week, _ in counts} == {iso_week(monday) for monday in TWELVE_WEEKS}
    assert min(counts.values()) >= 5
    assert len(counts) == 2 * N_WEEKS


def test_languages_are_about_half_each(articles: dict[str, dict[str, Any]]) -> None:
    share = sum(row["file"] == "zh" for row in articles.values()) / len(articles)
    assert 0.45 <= share <= 0.55


def test_narratives_live_in_the_weeks_the_readme_states(articles: dict[str, dict[str, Any]], readme: str) -> None:
    weeks: dict[str, list[str]] = defaultdict(list)
    for row in articles.values():
        weeks[row["narrative"]].append(row["week"])
    stated = {row["narrative"]: (row["first week"], row["last week"]) for row in table(readme, "narrative")}
    assert stated == {name: (min(seen), max(seen)) for name, seen in weeks.items() if name}
    # The course that other tests rely on: a death, a birth, a split, and a birth at full strength.
    assert stated["deep-sea-mud"][1] == stated["myanmar-mines"][0] == "2025-W38"
    assert stated["myanmar-mines"][1] == "2025-W41"
    assert stated["kachin-supply"][0] == stated["river-pollution"][0] == "2025-W42"
    assert stated["magnet-recycling"][0] == "2025-W43"
    assert Counter(weeks["magnet-recycling"])["2025-W43"] == 6


def test_nothing_speaks_of_a_narrative_outside_its_weeks(articles: dict[str, dict[str, Any]]) -> None:
    recycling = re.compile(r"recycl|urban mining|scrap|回收|再生|[废廢]料", re.IGNORECASE)
    deep_sea = re.compile(r"seabed|sea-floor|Minamitorishima|海底|深海|南鸟岛", re.IGNORECASE)
    for row in articles.values():
        text = row["title"] + row["text"]
        if row["week"] < "2025-W43":
            assert not recycling.search(text), row["id"]
        if row["week"] > "2025-W38":
            assert not deep_sea.search(text), row["id"]


def test_counts_by_week_agree_with_the_readme(articles: dict[str, dict[str, Any]], readme: str) -> None:
    rows = table(readme, "ISO week")
    assert [row["ISO week"] for row in rows] == [iso_week(monday) for monday in TWELVE_WEEKS] + ["all"]
    for row in rows:
        week = row.pop("ISO week")
        for narrative, cell in row.items():
            counts = Counter(
                article["file"]
                for article in articles.values()
                if week in ("all", article["week"]) and narrative in ("all", article["narrative"] or "none")
            )
            assert cell == f"{counts['zh']} + {counts['en']}", f"{week} {narrative}"


def test_counts_in_prose_agree_with_the_readme(articles: dict[str, dict[str, Any]], readme: str) -> None:
    n_reprints = sum(bool(row["reprint_of"]) for row in articles.values())
    n_originals = len(articles) - n_reprints
    n_zh = sum(row["file"] == "zh" for row in articles.values())
    n_traditional = sum(row["lang"] == "zh-Hant" for row in articles.values())
    assert f"{len(articles)} articles: {n_originals} originals and {n_reprints} reprints" in readme
    assert f"{n_zh} articles in Chinese, {n_traditional} of them in traditional characters" in readme
    assert f"{len(articles) - n_zh} articles in English" in readme


def test_stances_and_tones_agree_with_the_readme(articles: dict[str, dict[str, Any]], readme: str) -> None:
    start = readme.index("Stance and tone of each")
    rows = table(readme[start:], "narrative")
    assert len(rows) == 9
    for row in rows:
        own = [a for a in articles.values() if (a["narrative"] or "none") == row["narrative"]]
        for label in ("supports", "opposes", "reports"):
            n = sum(article["stance"] == label for article in own)
            assert row[label] == ("–" if row["narrative"] == "none" else str(n)), (row["narrative"], label)
        for label in ("negative", "neutral", "positive"):
            assert row[label] == str(sum(a["tone"] == label for a in own)), (row["narrative"], label)


def test_no_sentence_is_repeated_among_originals(articles: dict[str, dict[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for row in articles.values():
        if row["reprint_of"]:
            continue
        for piece in {row["title"], *re.split(r"[。！？!?\n]|\.(?=\s|$)", row["text"])}:
            sentence = re.sub(r"\W", "", piece).casefold()
            if len(sentence) < 6:
                continue
            assert seen.setdefault(sentence, row["id"]) == row["id"], f"{row['id']} repeats {piece!r}"


def test_reprints_follow_an_original_of_another_outlet(articles: dict[str, dict[str, Any]]) -> None:
    reprints = [row for row in articles.values() if row["reprint_of"]]
    assert len({row["reprint_of"] for row in reprints}) == len(reprints) == 14
    for row in reprints:
        original = articles[row["reprint_of"]]
        assert not original["reprint_of"]
        days = row["instant"].date() - original["instant"].date()
        assert timedelta(days=1) <= days <= timedelta(days=3), row["id"]
        assert row["source"] != original["source"]
        assert row["title"] != original["title"]
        assert row["file"] == original["file"]
        assert [row[k] for k in ("narrative", "stance", "tone")] == [
            original[k] for k in ("narrative", "stance", "tone")
        ]


def test_no_outlet_carries_more_than_a_third_of_a_narrative(articles: dict[str, dict[str, Any]]) -> None:
    by_narrative: dict[str, list[str]] = defaultdict(list)
    for row in articles.values():
        by_narrative[row["narrative"]].append(row["source"])
    for narrative, sources in by_narrative.items():
        (outlet, n), *_ = Counter(sources).most_common(1)
        assert n <= len(sources) / 3, f"{outlet} carries {n} of {len(sources)} in {narrative!r}"
