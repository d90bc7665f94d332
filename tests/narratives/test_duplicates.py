"""Reprints: what is a copy, what is not, and that only the order of arrival decides."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from narratives.duplicates import Entry, ReprintIndex
from narratives.sketches import Sketch, similarity, sketch

START = datetime(2025, 11, 1, tzinfo=UTC)
_RNG = random.Random(1)
_ZH = "".join(
    _RNG.choice("稀土永磁材料出口许可证恢复发放汽车零部件厂家库存见底行业协会等待平均星期价格上涨") for _ in range(600)
)
_WORDS = "rare earth magnet export licence carmaker stock week price supply mine plant ton china court".split()
_EN = " ".join(_RNG.choice(_WORDS) + _RNG.choice(("", "s", "", "ed", " 12", "")) for _ in range(260))
_OTHER = "".join(
    _RNG.choice("存储芯片价格暴涨服务器内存需求人工智能厂商减产合约涨幅季度供应紧张数据中心") for _ in range(600)
)


def _place(*texts: str, days: float = 1.0, index: ReprintIndex | None = None) -> list[str]:
    found = index or ReprintIndex(14, 0.6)
    entries = [Entry(str(i), START + timedelta(days=days * i), sketch("", text)) for i, text in enumerate(texts)]
    return [placed.story for placed in found.place(entries)]


@pytest.mark.parametrize("text", [_ZH, _EN])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text[: len(text) // 2],
        lambda text: "【本报综合】转载 " + text + " 声明：版权归原作者所有",
        lambda text: text.replace("1", "7"),
        lambda text: text.upper(),
        lambda text: text.replace(" ", "　"),
    ],
    ids=["same", "half", "boilerplate", "numbers", "case", "wide blanks"],
)
def test_copies_join_the_story_of_the_first(text: str, change) -> None:  # type: ignore[no-untyped-def]
    assert _place(text, change(text)) == ["0", "0"]


def test_traditional_and_simplified_copies_are_one_story() -> None:
    import opencc

    assert _place(_ZH, opencc.OpenCC("s2t").convert(_ZH)) == ["0", "0"]


def test_different_texts_stay_apart() -> None:
    assert _place(_ZH, _OTHER, _EN) == ["0", "1", "2"]


def test_an_article_that_only_quotes_a_notice_stays_apart() -> None:
    notice = _ZH[:120]
    assert _place(notice, "据报道，" + notice[:90] + _OTHER) == ["0", "1"]


def test_short_texts_must_be_nearly_identical() -> None:
    assert _place("10月稀土价格上涨百分之三", "11月稀土价格上涨百分之五") == ["0", "1"]


def test_articles_with_nothing_to_compare_are_stories_of_their_own() -> None:
    assert _place("", "", "!?", "a") == ["0", "1", "2", "3"]


def test_a_copy_outside_the_window_is_a_story_of_its_own() -> None:
    assert _place(_ZH, _ZH, days=14) == ["0", "0"]
    assert _place(_ZH, _ZH, days=14.01) == ["0", "1"]
    index = ReprintIndex(14, 0.6)
    late = index.place([Entry("late", START + timedelta(days=10), sketch("", _ZH))])
    assert late[0].story == "late"
    assert _place(_ZH, index=index) == ["late"]  # published before, came in after


def test_a_story_keeps_the_name_of_the_first_that_came_in() -> None:
    index = ReprintIndex(14, 0.6)
    index.place([Entry("b", START + timedelta(days=2), sketch("", _ZH))])
    placed = index.place([Entry("a", START, sketch("", _ZH)), Entry("c", START, sketch("", _ZH))])
    assert [p.story for p in placed] == ["b", "b"] and all(p.is_reprint for p in placed)


def test_a_later_version_keeps_its_story_and_is_compared_by_its_new_text() -> None:
    index = ReprintIndex(14, 0.6)
    index.place([Entry("a", START, sketch("", _ZH)), Entry("b", START, sketch("", _EN))])
    assert index.place([Entry("a", START, sketch("", _OTHER), story="a")])[0].story == "a"
    placed = index.place([Entry("c", START, sketch("", _ZH)), Entry("d", START, sketch("", _OTHER))])
    assert [p.story for p in placed] == ["c", "a"]


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 12), max_size=12),
    picks=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=40),
)
def test_the_cut_into_runs_and_a_restart_make_no_difference(cuts: list[int], picks: list[tuple[int, int]]) -> None:
    texts = [_ZH, _EN, _OTHER, _ZH[:300] + _OTHER[:200]]
    entries = [
        Entry(f"{i:02d}", START + timedelta(days=day), sketch("", texts[which][: 600 - day * 5]))
        for i, (which, day) in enumerate(picks)
    ]
    whole = [p.story for p in ReprintIndex(14, 0.6).place(entries)]
    kept: list[Entry] = []
    index = ReprintIndex(14, 0.6)
    stories: list[str] = []
    rest = list(entries)
    for cut in [*cuts, len(entries)]:
        part, rest = rest[:cut], rest[cut:]
        for entry, placed in zip(part, index.place(part), strict=True):
            stories.append(placed.story)
            if placed.keep_sketch:
                kept.append(Entry(entry.id, entry.published_at, entry.sketch, placed.story))
        stored = list(kept)
        # As after a restart: an empty index that reads what was kept when it needs it.
        index = ReprintIndex(14, 0.6, lambda since, until, s=stored: [e for e in s if since <= e.published_at < until])
    assert stories == whole


def test_only_the_days_around_are_read() -> None:
    asked: list[tuple[datetime, datetime]] = []

    def load(since: datetime, until: datetime) -> list[Entry]:
        asked.append((since, until))
        return []

    index = ReprintIndex(2, 0.6, load)
    index.place([Entry("a", START, sketch("", _ZH))])
    index.place([Entry("b", START + timedelta(days=1), sketch("", _EN))])
    assert asked == [
        (START - timedelta(days=3), START + timedelta(days=4)),
        (START + timedelta(days=4), START + timedelta(days=5)),
    ]


def test_a_sketch_survives_its_bytes() -> None:
    one = sketch("a", _ZH)
    again = Sketch.from_bytes(one.to_bytes())
    assert len(one.to_bytes()) == 390 and similarity(one, again) == 1.0 and again.n_lead == one.n_lead
    with pytest.raises(ValueError, match="390 bytes, got 3"):
        Sketch.from_bytes(b"abc")


def test_similarity_estimates_the_share_of_common_shingles() -> None:
    rng = random.Random(5)
    text = "".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(2500))
    for share in (0.2, 0.5, 0.8):
        assert similarity(sketch("", text[: int(500 / share)]), sketch("", text[:500])) == pytest.approx(
            share, abs=0.13
        )
