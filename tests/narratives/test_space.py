import json
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narratives
import narratives.space
from narratives.map import projected
from narratives.pipeline import update
from narratives.space import Space, current_space, headline_space

PRIOR = {"zh": np.array([1.0, 0, 0, 0]), "en": np.array([0, 1.0, 0, 0]), "": np.array([0.5, 0.5, 0, 0])}


def articles(lang: str, n: int, seed: int) -> np.ndarray:
    """Vectors whose first two numbers tell the language and whose others tell the topic."""
    rng = np.random.default_rng(seed)
    language = 5.0 * (PRIOR[lang] > 0)
    return language + np.concatenate([np.zeros((n, 2)), rng.standard_normal((n, 2))], axis=1)


def test_taking_the_means_off_leaves_topics_and_no_language():
    space = Space(PRIOR)
    zh, en = articles("zh", 300, 0), articles("en", 300, 0)
    space.learn(zh, ["zh"] * 300)
    space.learn(en, ["en"] * 300)
    a, b = space.project(zh, ["zh"] * 300), space.project(en, ["en"] * 300)
    assert np.einsum("ij,ij->i", a, b).mean() > 0.9
    assert Space(PRIOR).project(zh, ["zh"] * 300)[:, 0].mean() > 0.9  # with the prior alone it still shows


def test_one_article_does_not_cancel_itself_out():
    space = Space(PRIOR)
    only = np.array([[1.0, 0.0, 1.0, 0.0]])
    space.learn(only, ["zh"])
    assert space.project(only, ["zh"])[0, 2] > 0.9


def test_traditional_chinese_shares_the_mean_of_chinese():
    space = Space(PRIOR)
    space.learn(articles("zh", 50, 1), ["zh-Hant"] * 50)
    assert space.counts() == {"zh": 50}
    assert (space.mean("zh") == space.mean("zh-Hant")).all()


def test_an_unknown_language_gets_the_mean_of_the_others():
    assert Space(PRIOR).mean("ja") == pytest.approx(PRIOR[""])


def test_the_state_survives_json_to_the_last_bit_that_counts():
    space = Space(PRIOR)
    space.learn(articles("zh", 7, 2), ["zh"] * 7)
    again = Space.from_json(PRIOR, space.to_json())
    assert again.mean("zh") == pytest.approx(space.mean("zh"), abs=1e-9)
    assert again.to_json() == space.to_json()


def test_learning_a_week_gives_what_learning_at_once_gives():
    rows = articles("en", 40, 3)
    once, twice = Space(PRIOR), Space(PRIOR)
    once.learn(rows, ["en"] * 40)
    twice.learn(rows[:15], ["en"] * 15)
    twice.learn(rows[15:], ["en"] * 25)
    assert once.mean("en") == pytest.approx(twice.mean("en"))


def test_an_encoder_without_shipped_means_is_not_pulled_to_zero():
    space = Space({"": np.zeros(2)})
    space.learn(np.array([[2.0, 2.0], [4.0, 4.0]]), ["en", "en"])
    assert space.mean("en") == pytest.approx([3.0, 3.0])


def test_headlines_are_centred_on_themselves():
    rows = articles("en", 30, 4) + np.array([0, 0, 9.0, 0])  # all headlines share an offset
    flat = headline_space(rows, ["en"] * 30, PRIOR)
    assert abs(flat[:, 2].mean()) < 0.9


def test_an_article_keeps_the_means_of_its_week_and_what_has_no_week_has_todays() -> None:
    space, first, second = Space(PRIOR), date(2025, 9, 1), date(2025, 9, 8)
    space.learn(articles("en", 40, 5), ["en"] * 40)
    (row,) = space.keep(first)
    assert (row["week"], row["lang"], row["n"]) == (first, "en", 40)
    before = space.mean("en").copy()
    space.learn(articles("en", 40, 6) + 1, ["en"] * 40)
    space.learn(articles("zh", 4, 6), ["zh"] * 4)
    assert (space.mean("en") == before).all()  # today is the first week still
    rows = space.keep(second)
    assert [row["lang"] for row in rows] == ["en", "zh"]
    assert space.keep(second) == []
    again = Space(PRIOR, versions=[*rows, row])  # as an archive gives them, without the sums
    for found in (space, again):
        assert (found.mean("en@2025-09-01") == before).all()
        assert (found.mean("en-GB@2025-09-05") == before).all()
        assert (found.mean("en@2025-08-25") == before).all()  # from before the first version
        assert (found.mean("en@2025-09-15") == found.mean("en@2025-09-08")).all()
    assert (space.mean("en") == space.mean("en@2025-09-08")).all()
    assert (space.mean("en") != before).any()


def test_from_enough_articles_on_a_version_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narratives.space, "FIXED_FROM", 40)
    space = Space(PRIOR)
    space.learn(articles("en", 40, 5), ["en"] * 40)
    rows = space.keep(date(2025, 9, 1))
    space.learn(articles("en", 40, 6) + 1, ["en"] * 40)
    assert space.keep(date(2025, 9, 8)) == []
    later = Space(PRIOR, versions=rows)
    assert (space.mean("en") == space.mean("en@2025-09-01")).all()
    assert (later.mean("en") == space.mean("en")).all()


def test_a_week_more_and_a_third_language_move_no_vector(
    tmp_path: Path,
    small_desk_folder: Path,
    add_stories: Callable[..., None],
    word_encoder: Any,
    word_tone: Any,
) -> None:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    with closing(narratives.open(tmp_path / "desk")) as desk:
        material = desk.material(word_encoder)
        rows = desk.archive.rows(narratives.archive.schema.article)

        def vectors() -> np.ndarray:
            return material.batch(rows, current_space(desk.archive, desk.definitions, material)).vectors

        def shown() -> bytes:  # by the map, the search, the neighbours
            frame = desk.articles()
            return projected(desk, frame[frame["id"].isin([row["id"] for row in rows])].sort_values("id"))[1].tobytes()

        before, seen = vectors(), shown()
        add_stories(desk, [("mine", 5, 4), ("scrap", 5, 4)])
        assert vectors().tobytes() == before.tobytes()
        file = tmp_path / "third.jsonl"
        text = "la mine de terres rares du village est fermee depuis une semaine par les autorites locales"
        row = {"title": "La mine", "text": text, "lang": "fr", "published_at": "2025-10-07T09:00:00+08:00"}
        file.write_text(json.dumps({**row, "source": "Fil", "url": "https://example.org/fr"}), encoding="utf-8")
        desk.ingest([file])
        update(desk.archive, desk.settings, desk.definitions, material, word_tone)
        assert "fr" in set(desk.articles()["lang"])
        assert vectors().tobytes() == before.tobytes()
        assert len(seen) and shown() == seen


def test_forms_of_a_language_have_means_of_their_own() -> None:
    """What sets bare headlines apart from articles goes; what sets two matters apart stays."""
    rng = np.random.default_rng(5)

    def texts(n: int, form: float, matter: float) -> np.ndarray:
        rows = rng.normal(0, 0.05, (n, 4))
        rows[:, 0] += 1.0
        rows[:, 1] += form
        rows[:, 2] += matter
        return rows

    titles = np.vstack([texts(200, 0.0, 0.3), texts(200, 0.0, -0.3)])
    articles_ = np.vstack([texts(50, 1.0, 0.3), texts(50, 1.0, -0.3)])
    rows, tags = np.vstack([titles, articles_]), ["en/title"] * 400 + ["en/text"] * 100
    with_form, without = Space({"": np.zeros(4)}), Space({"": np.zeros(4)})
    with_form.learn(rows, tags)
    without.learn(rows, ["en"] * 500)
    a, b = slice(400, 450), slice(450, 500)
    near = {
        name: space.project(rows, said)
        for name, space, said in (("form", with_form, tags), ("language", without, ["en"] * 500))
    }
    strangers = {name: float((v[a] @ v[b].T).mean()) for name, v in near.items()}
    assert strangers["language"] > 0.5
    assert strangers["form"] < 0
    assert with_form.counts() == {"en": 500}
    again = Space.from_json({"": np.zeros(4)}, with_form.to_json())
    assert again.mean("en/title") == pytest.approx(with_form.mean("en/title"), abs=1e-9)


def test_where_there_is_one_form_only_its_mean_is_the_languages() -> None:
    plain, formed = Space(PRIOR), Space(PRIOR)
    rows = articles("zh", 30, 6)
    plain.learn(rows, ["zh"] * 30)
    formed.learn(rows, ["zh/text"] * 30)
    assert formed.mean("zh/text") == pytest.approx(plain.mean("zh"))
    assert formed.mean("zh/title") == pytest.approx(plain.mean("zh"))


def test_a_form_that_comes_late_gets_means_of_its_own_until_it_has_enough_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(narratives.space, "FIXED_FROM", 120)
    space, first, second, third = Space(PRIOR), date(2025, 9, 1), date(2025, 9, 8), date(2025, 9, 15)
    offset = 3 * np.eye(4)[2]  # what all headlines share
    space.learn(articles("en", 130, 7), ["en/text"] * 130)
    rows = space.keep(first)
    assert [row["lang"] for row in rows] == ["en", "en/text"]
    language = space.mean("en").copy()
    later = articles("en", 100, 8) + offset
    space.learn(later, ["en/title"] * 100)
    more = space.keep(second)
    assert [row["lang"] for row in more] == ["en/title"]  # the others are kept for good
    assert abs(space.project(later, ["en/title"] * 100)[:, 2].mean()) < 0.35
    assert space.project(later, ["en"] * 100)[:, 2].mean() > 0.8
    kept = space.mean(f"en/title@{second}").copy()
    space.learn(articles("en", 60, 9) + 2 * offset, ["en/title"] * 60)
    rows += [*more, *space.keep(third)]
    assert (space.mean(f"en/title@{second}") == kept).all() and (space.mean("en/title") != kept).any()
    space.learn(articles("en", 60, 9) + 9 * offset, ["en/title"] * 60)
    assert space.keep(date(2025, 9, 22)) == []
    # An article of a form that had no version in its week has its language's, as it had then.
    assert (Space(PRIOR, versions=rows).mean(f"en/title@{first}") == language).all()
