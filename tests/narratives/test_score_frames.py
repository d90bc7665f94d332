"""What a desk says of its scores: changes, outlets, speakers, actors; and stance by a draft that was confirmed."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

import narratives
from narratives.archive import schema
from narratives.llm import Llm
from narratives.pipeline import forecast, update
from narratives.plugins.language_model import LlmReader
from narratives.settings import LlmSettings
from narratives.step import Step

DRAFT = {
    "claim": {"en": "mine ore pit river"},
    "pro": ["mine ore pit leach", "acid river village"],
    "con": ["kachin truck border", "truck border village"],
    "neutral": ["ore truck", "pit border"],
}


@pytest.fixture
def desk(small_desk_folder: Path, tmp_path: Path) -> Iterator[narratives.Desk]:
    shutil.copytree(small_desk_folder, tmp_path / "desk")
    (tmp_path / "desk" / "definitions.yaml").write_text(
        (tmp_path / "desk" / "definitions.yaml").read_text() + "    actors: [texas, pentagon]\n"
    )
    opened = narratives.open(tmp_path / "desk")
    yield opened
    opened.close()


def found_narrative(desk: narratives.Desk) -> str:
    """A narrative that was found, with a draft of two sides (its own words know no good and bad)."""
    narrative = str(desk.narratives().query("origin == 'discovered'")["id"].iloc[0])
    with desk.archive.begin() as connection:
        row = schema.narrative.c.id == narrative
        connection.execute(sqlalchemy.update(schema.narrative).where(row).values(definition=DRAFT))
    return narrative


def test_a_found_narrative_is_measured_once_its_draft_is_confirmed_and_until_that_is_taken_back(
    desk: narratives.Desk, add_stories: Callable[..., None]
) -> None:
    narrative = found_narrative(desk)
    table = schema.score

    def scorers() -> set[str]:
        return {row["scorer"] for row in desk.archive.rows(table, table.c.narrative_id == narrative)}

    own = desk.articles().query("narrative == @narrative")
    assert set(own["verdict"]) == {"unclear"} and own["stance"].isna().all() and scorers() == set()
    assert desk.draft(narrative)["role"].tolist() == ["claim", "pro", "pro", "con", "con", "neutral", "neutral"]
    decision = desk.confirm(narrative)
    add_stories(desk, [])
    own = desk.articles().query("narrative == @narrative")
    assert own["stance"].notna().all() and set(own["verdict"]) - {"unclear"}
    assert not desk.narratives().set_index("id").loc[narrative, "drafted"]
    desk.undo(decision)
    add_stories(desk, [])
    own = desk.articles().query("narrative == @narrative")
    assert own["stance"].isna().all() and scorers() == set()


def test_a_claim_that_is_restated_is_what_every_article_is_measured_by_after_the_next_update(
    desk: narratives.Desk, word_encoder: Any, word_tone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a language model would read them: what that costs is known before."""
    reader = LlmReader(Llm(LlmSettings(base_url="http://localhost:1", model="small", key_env=""), desk.folder))

    def n_calls() -> int:
        with closing(narratives.open(desk.folder)) as opened:
            estimate = forecast(opened.archive, reader, opened.definitions)
        assert estimate is not None
        return estimate.n_calls

    table, file = schema.score, desk.folder / "definitions.yaml"
    (named,) = desk.narratives().query("slug == 'plants'")["id"]
    before = {row["article_id"]: row for row in desk.archive.rows(table, table.c.narrative_id == named)}
    labelled = sorted(before)[0]
    desk.label_stance(labelled, named, "opposes")

    def again() -> Any:
        with closing(narratives.open(desk.folder)) as opened:
            material = opened.material(word_encoder)
            return update(opened.archive, opened.settings, opened.definitions, material, word_tone)

    again()
    assert n_calls() == 0
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("name: {en: Plants", "name: {en: Works"), encoding="utf-8")
    assert again().nothing_new, "a name says nothing of stance, and waits for the next articles"
    file.write_text(text.replace("magnet plant output rises", "no plant will ever make a magnet"), encoding="utf-8")
    assert n_calls() == len(before)
    report = again()
    assert report.counts["articles"] == 0 and report.counts["scored_anew"] == len(before) - 1
    after = {row["article_id"]: row for row in desk.archive.rows(table, table.c.narrative_id == named)}
    assert set(after) == set(before) and after[labelled]["verdict"] == "opposes"
    assert any(after[i]["stance"] != before[i]["stance"] for i in before)
    assert again().nothing_new
    # A run that is killed after it took the new words over is made up for by the next.
    file.write_text(text, encoding="utf-8")
    with monkeypatch.context() as killed:
        killed.setattr(Step, "take_in", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            again()
    assert n_calls() == len(before)
    assert again().counts["scored_anew"] == len(before) - 1
    assert {row["article_id"] for row in desk.archive.rows(table, table.c.narrative_id == named)} == set(before)


def test_changes_outlets_speakers_and_actors_of_a_processed_desk(
    desk: narratives.Desk, add_stories: Callable[..., None]
) -> None:
    add_stories(desk, [("plant", 5, 6)])
    week = desk.weeks()[-1]
    change = desk.change("N0001", week).set_index("measure")
    assert change.loc["tone", "n"] == 6 and change.loc["tone", "before"] == week - timedelta(weeks=1)
    timeline = desk.timeline().query("narrative == 'N0001'").set_index("week")["tone"]
    assert change.loc["tone", "change"] == pytest.approx(timeline[week] - timeline[week - timedelta(weeks=1)])
    sources = desk.sources("N0001")
    assert sources["n_stories"].sum() == desk.articles().query("narrative == 'N0001'")["story"].nunique()
    assert sources["tone"].notna().all() and len(desk.sources("N0001", week)) <= 3
    actors = desk.actor_tones("N0001", week)
    assert set(actors["actor"]) <= {"texas", "pentagon"} and len(actors)
    texts = desk.articles().set_index("id")["text"]
    row: Any
    for row in actors.itertuples():
        assert texts[row.article][row.start : row.end] == row.sentence and row.actor in row.sentence
    assert desk.speakers("N0001").empty and (desk.evidence("N0001")["speaker"] == "").all()
    with pytest.raises(KeyError, match="N0099"):
        desk.draft("N0099")
