"""The weekly step on small desks with a tiny real encoder: what must hold whatever the model."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

import narratives
from narratives.agreement import disagreements
from narratives.archive import Archive, schema
from narratives.explain import explain_article
from narratives.pipeline import update, waiting_weeks
from narratives.space import current_space

TOPICS = {
    "mine": "mine ore pit leach acid river village kachin truck border",
    "plant": "magnet plant texas furnace alloy pentagon loan worker output line",
    "chips": "chip memory price server dram nand phone demand maker contract",
    "scrap": "scrap motor shredder hydrogen powder recycle disk rotor furnace buyer",
}
START = datetime(2025, 8, 25, 9, 0, tzinfo=timezone(timedelta(hours=8)))


def story(topic: str, week: int, i: int, source: str = "") -> dict[str, str]:
    """A short text of words of one topic, different from all others."""
    rng = random.Random(f"{topic}{week}{i}")
    words = rng.choices(TOPICS[topic].split(), k=14) + [f"detail{rng.randrange(9999)}" for _ in range(3)]
    at = START + timedelta(weeks=week, hours=rng.randrange(100))
    return {
        "title": " ".join(words[:5]),
        "text": " ".join(words[5:]) + ".",
        "source": source or f"Wire {i % 3}",
        "url": f"https://example.org/{topic}/{week}/{i}",
        "published_at": at.isoformat(),
    }


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Eleven weeks: two topics from the start, a third from week 6, a fourth in the first two weeks only."""
    rows = []
    for week in range(11):
        rows += [story("mine", week, i) for i in range(5)] + [story("plant", week, i) for i in range(5)]
        rows += [story("chips", week, i) for i in range(5)] if week < 2 else []
        rows += [story("scrap", week, i) for i in range(6)] if week >= 6 else []
    return write(tmp_path / "corpus.jsonl", rows)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[narratives.Desk]:
    definitions = tmp_path / "none.yaml"
    definitions.write_text("narratives: []\n", encoding="utf-8")
    own = narratives.init(tmp_path / "desk", definitions)
    yield own
    assert list(disagreements(own.archive, own.settings.discover.max_members)) == []
    own.close()


def run(desk, encoder, tone, paths) -> None:
    desk.ingest(paths)
    update(desk.archive, desk.settings, desk.definitions, desk.material(encoder), tone)


def home(desk, topic: str) -> str:
    """The narrative that holds most of a topic."""
    articles = desk.articles()
    own = articles[articles["url"].str.contains(f"/{topic}/") & (articles["narrative"] != "")]
    return str(own["narrative"].mode()[0])


def test_topics_become_narratives_that_keep_their_ids_and_a_new_one_is_alerted_in_its_week(
    desk, corpus, word_encoder, word_tone
):
    run(desk, word_encoder, word_tone, [corpus])
    ids = {topic: home(desk, topic) for topic in TOPICS}
    assert len(set(ids.values())) == 4
    articles = desk.articles()
    for topic, narrative in ids.items():
        own = articles[articles["url"].str.contains(f"/{topic}/")]
        assert (own["narrative"] == narrative).mean() >= 0.75, topic
    alerts = desk.alerts().set_index("narrative")
    assert alerts.loc[ids["scrap"], "week"] == date(2025, 10, 6)
    assert alerts.loc[ids["scrap"], "state"] == "confirmed"
    events = desk.events()
    died = events[events["kind"] == "dormant"]
    assert list(died["narrative"]) == [ids["chips"]]


def test_a_second_run_on_the_same_input_changes_nothing(desk, corpus, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [corpus])
    before, runs = desk.archive.digest(), len(desk.runs())
    run(desk, word_encoder, word_tone, [corpus])
    assert desk.archive.digest() == before
    assert len(desk.runs()) == runs


def test_week_by_week_and_all_at_once_end_the_same(tmp_path, desk, corpus, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [corpus])
    other = narratives.init(tmp_path / "weekly", tmp_path / "none.yaml")
    rows = [json.loads(line) for line in corpus.read_text().splitlines()]
    for week in range(11):
        until = (START + timedelta(weeks=week + 1) - timedelta(hours=9)).isoformat()
        part = [
            r
            for r in rows
            if r["published_at"] < until
            and r["published_at"] >= (START + timedelta(weeks=week) - timedelta(hours=9)).isoformat()
        ]
        run(other, word_encoder, word_tone, [write(tmp_path / f"week{week}.jsonl", part)])
    a = desk.articles()[["url", "week", "narrative", "tone"]]
    b = other.articles()[["url", "week", "narrative", "tone"]]
    assert a.equals(b)


def test_reprints_follow_their_story_and_never_found_a_narrative(tmp_path, desk, corpus, word_encoder, word_tone):
    rows = [json.loads(line) for line in corpus.read_text().splitlines()]
    long = story("scrap", 3, 99)
    long["text"] = " ".join(f"sentence {i} about scrap motors and hydrogen powder number {i * 7}." for i in range(12))
    copies = [{**long, "source": f"Copy {i}", "url": f"https://example.org/copy/{i}"} for i in range(9)]
    run(desk, word_encoder, word_tone, [write(tmp_path / "with-copies.jsonl", [*rows, *copies])])
    articles = desk.articles()
    copied = articles[articles["url"].str.contains("/copy/")]
    assert copied["story"].nunique() == 1
    assert copied["narrative"].nunique() == 1
    assert copied["is_first"].sum() == 1
    alerts = desk.alerts()
    assert (alerts["week"] != date(2025, 9, 15)).all()


def test_late_articles_are_taken_in_with_the_latest_week(tmp_path, desk, corpus, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [corpus])
    before = desk.articles().set_index("id")["narrative"]
    run(desk, word_encoder, word_tone, [write(tmp_path / "late.jsonl", [story("mine", 2, 77)])])
    after = desk.articles().set_index("id")["narrative"]
    assert (after.loc[before.index] == before).all()
    late = desk.archive.rows(schema.article, schema.article.c.url.like("%/mine/2/77"))[0]
    assert late["step_week"] == desk.weeks()[-1]


def test_a_correction_is_scored_anew(tmp_path, desk, corpus, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [corpus])
    row = story("mine", 4, 1)
    row["text"] = "fear fear the mine will fail and villages fall ill."
    run(desk, word_encoder, word_tone, [write(tmp_path / "fix.jsonl", [row, story("mine", 9, 50)])])
    corrected = desk.articles().set_index("url").loc[row["url"]]
    assert corrected["tone"] < 0
    assert corrected["narrative"] == home(desk, "mine")


def test_a_corrected_article_with_reprints_still_tells_its_story(tmp_path, desk, corpus, word_encoder, word_tone):
    first = story("mine", 4, 1)
    later = (datetime.fromisoformat(first["published_at"]) + timedelta(hours=3)).isoformat()
    reprint = {**first, "source": "Evening Post", "url": f"{first['url']}/again", "published_at": later}
    run(desk, word_encoder, word_tone, [corpus, write(tmp_path / "again.jsonl", [reprint])])
    told = desk.articles().set_index("url")
    assert told.loc[first["url"], "is_first"] and not told.loc[reprint["url"], "is_first"]
    first["text"] = "fear fear the mine will fail and villages fall ill."
    run(desk, word_encoder, word_tone, [write(tmp_path / "fix.jsonl", [first])])
    now = desk.articles().set_index("url")
    assert now.loc[first["url"], "tone"] < 0
    article = schema.article
    voices = [
        row["url"] for row in desk.archive.rows(article, article.c.url.startswith(first["url"]), article.c.is_voice)
    ]
    assert voices == [first["url"]] and now["is_first"].sum() == told["is_first"].sum()


def test_few_articles_make_no_clusters_and_no_error(tmp_path, desk, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [write(tmp_path / "few.jsonl", [story("mine", 0, i) for i in range(4)])])
    assert desk.narratives().empty
    assert (desk.articles()["narrative"] == "").all()
    assert desk.timeline()["n_stories"].sum() == 4


def test_evidence_is_cut_out_of_the_stored_text(desk, corpus, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [corpus])
    texts = desk.articles().set_index("id")["text"]
    evidence = desk.evidence(home(desk, "mine"))
    assert len(evidence)
    for row in evidence.itertuples():
        assert texts[row.article][row.start : row.end] == row.sentence != ""


def test_an_unknown_narrative_is_an_error_that_names_it(desk):
    with pytest.raises(KeyError, match="N0099"):
        desk.evidence("N0099")


_KILLED = """
import sys
sys.path.insert(0, {tests!r})
import narratives
from conftest import WordEncoder, WordTone
from narratives.pipeline import update
desk = narratives.open({desk!r})
desk.ingest([{corpus!r}])
update(desk.archive, desk.settings, desk.definitions, desk.material(WordEncoder()), WordTone())
"""


@pytest.mark.slow
def test_a_run_killed_at_any_moment_and_run_again_gives_the_undisturbed_archive(
    tmp_path, desk, corpus, word_encoder, word_tone
):
    run(desk, word_encoder, word_tone, [corpus])
    wanted = desk.archive.digest()
    rounds = int(os.environ.get("NARRATIVES_KILLS", "6"))
    killed = narratives.init(tmp_path / "killed", tmp_path / "none.yaml")
    killed.close()
    code = _KILLED.format(tests=str(Path(__file__).parent.parent), desk=str(tmp_path / "killed"), corpus=str(corpus))
    n_killed = 0
    for i in range(rounds):
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        time.sleep(1.5 + 0.7 * i)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            n_killed += 1
        process.wait()
    subprocess.run([sys.executable, "-c", code], check=True)
    assert n_killed > 0
    with Archive.open(tmp_path / "killed" / "archive.sqlite") as archive:
        assert archive.digest() == wanted
        assert not waiting_weeks(archive, desk.zone)


def test_a_folder_is_read_without_what_is_marked_as_no_material(tmp_path, desk):
    folder = tmp_path / "material"
    (folder / "labelled").mkdir(parents=True)
    write(folder / "a.jsonl", [story("mine", 0, 1)])
    write(folder / "labelled" / "b.jsonl", [story("mine", 0, 2)])
    (folder / "labelled" / ".noingest").touch()
    report = desk.ingest([folder])
    assert report.counts["accepted"] == 1
    assert any(".noingest" in file.note for file in report.files)


def test_a_year_of_silence_ends_what_was_and_leaves_no_gap(tmp_path, desk, corpus, word_encoder, word_tone):
    run(desk, word_encoder, word_tone, [corpus])
    run(desk, word_encoder, word_tone, [write(tmp_path / "later.jsonl", [story("mine", 60, 1)])])
    assert len(desk.weeks()) == 61
    chips = desk.narratives().set_index("id").loc[home(desk, "chips")]
    assert chips["status"] == "ended"
    assert set(desk.events().query("narrative == @chips.name")["kind"]) >= {"born", "dormant", "ended"}


class _ToneOfActors:
    """Remembers what tone was asked toward."""

    name = "asked-1"

    def __init__(self) -> None:
        self.targets: list[str] = []

    def score(self, texts, encode=None, targets=None):
        import numpy as np

        self.targets += targets or []
        return np.tile([0.1, 0.2, 0.7] if targets else [0.2, 0.6, 0.2], (len(texts), 1))


@pytest.mark.parametrize(("kind", "asked"), [("entity", {"Pentagon"}), ("claim", set())])
def test_tone_toward_the_actor_counts_for_entities_only(tmp_path, word_encoder, kind, asked):
    definitions = tmp_path / "one.yaml"
    statements = "\n".join(f"      - {words}" for words in (TOPICS["plant"], "magnet plant texas furnace"))
    definitions.write_text(
        f"narratives:\n  - id: plants\n    name: {{en: Plants}}\n    kind: {kind}\n"
        "    claim: {en: magnet plant output}\n"
        f"    actors: [Pentagon]\n    pro:\n{statements}\n    con:\n      - loan worker furnace fails\n",
        encoding="utf-8",
    )
    own = narratives.init(tmp_path / "desk", definitions)
    tone = _ToneOfActors()
    run(own, word_encoder, tone, [write(tmp_path / "few.jsonl", [story("plant", 0, i) for i in range(6)])])
    assert (own.articles()["narrative"] == "N0001").any()
    assert set(tone.targets) == asked


def test_a_changed_model_says_what_it_costs_and_goes_on_from_the_same_narratives(desk, corpus, word_encoder, word_tone):
    rows = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
    early, late = rows[:75], rows[75:]
    run(desk, word_encoder, word_tone, [write(corpus.with_name("early.jsonl"), early)])
    before = {row["id"]: row["status"] for row in desk.archive.rows(schema.narrative)}
    n_voices = len(desk.archive.rows(schema.article, schema.article.c.is_voice))
    members = desk.archive.rows(schema.membership)

    class Shorter(type(word_encoder)):
        fingerprint, dimension = "word-directions|2", 48

    said: list[tuple[str, int, int]] = []
    material = desk.material(Shorter())
    with pytest.raises(ValueError, match="was encoded with word-directions, and the model of"):
        explain_article(desk, members[0]["article_id"], encoder=Shorter())
    with pytest.raises(ValueError, match="take the setting back"):
        current_space(desk.archive, desk.definitions, material)
    desk.ingest([write(corpus.with_name("late.jsonl"), late)])
    update(desk.archive, desk.settings, desk.definitions, material, word_tone, lambda *step: said.append(step))
    first = said[0]
    assert first[0].startswith("the model changed, word-directions|1 to word-directions|2")
    assert f"{n_voices} of {n_voices} texts are to be encoded, about" in first[0] and first[1:] == (0, n_voices)
    assert desk.archive.get_meta("encoder") == "word-directions|2"
    assert set(material.cache.models()) == {"word-directions|1", "word-directions|2"}
    assert material.cache.models()["word-directions|1"] >= n_voices
    assert before.keys() <= {row["id"] for row in desk.archive.rows(schema.narrative)}
    kept = {(row["article_id"], row["narrative_id"]) for row in desk.archive.rows(schema.membership)}
    assert sum((row["article_id"], row["narrative_id"]) in kept for row in members) == len(members)
    assert desk.weeks()[-1] == date(2025, 11, 3)
