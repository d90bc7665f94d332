"""Archives of any size for `benchmarks.update`: first and last weeks by the pipeline, those between in bulk.

All weeks have as many articles, 5,000 unless said. The first two hold the real texts, and the pipeline places them.
Then texts that it placed are drawn again at random, those that it left are repeated every third week, and each week two
stories begin that last four weeks with eight articles each (`update_texts.Copies` says how texts and vectors are made).
The bulk writes what the pipeline would: articles, memberships (those of the text that is repeated), tone, steps,
narratives that were born, fell silent and ended, their events and alerts, and the running means; scores there are none
without claims. Sums of weeks, centres and levels are left to the pipeline, which does the last twelve weeks itself:
what is measured starts from a state that the pipeline wrote, and all weeks that a step looks back at are of its own
making. Signatures of reprints, which an update does not read, are left out. So are themes, which are made anew every
fourth week: where there are none they are made in the next, the first that is measured, at every size.

So an older archive has no broader subject, and two more narratives a week that do not live on. Fewer live than in the
youngest: the pipeline merges a third of the first narratives in the weeks that it does itself, as the copies draw them
nearer together (`update_texts.Copies`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, update

import narratives
from benchmarks.update_texts import Base, Copies
from embeddings import model_input
from embeddings.vector_file import text_keys
from narratives import pipeline
from narratives.archive import schema
from narratives.archive.bulk import insert_many
from narratives.articles import short_hash
from narratives.desk import Desk
from narratives.replay.tracker import NoTone
from narratives.space import Space, form_tag
from narratives.weeks import WEEK

START = date(2021, 1, 4)
_BIRTHS, _LIFE, _RATE = 2, 4, 8  # stories that begin a week, weeks that they last, articles a week of each
_SETTLING = 12  # last weeks, which the pipeline does itself
_PERIOD = 3  # the unassigned are repeated every so many weeks
_OUTLETS = 400


class Recorded:
    """An encoder that was here before: the cache has its vectors. What is not there gets a direction at random.

    Only the sentences from which statements for newborn narratives are drafted are not there.
    """

    def __init__(self, fingerprint: str, dimension: int) -> None:
        self.fingerprint, self.dimension, self.n_texts = fingerprint, dimension, 0

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        self.n_texts += len(texts)
        seeds = text_keys(texts)["first"]
        found = [np.random.default_rng(int(seed)).standard_normal(self.dimension) for seed in seeds]
        return np.array([row / np.linalg.norm(row) for row in found], dtype=np.float32).reshape(len(texts), -1)


class Archives:
    """Makes desks of `base` in a folder.

    Parameters
    ----------
    folder
        Of the desks, and of the one that they all begin with.
    base
        Real texts with vectors.
    encoder
        Whose vectors they are.
    a_week
        Articles of a week.
    """

    def __init__(self, folder: Path, base: Base, encoder: Recorded, a_week: int, seed: int = 0) -> None:
        self.folder, self.base, self.encoder, self.a_week, self.seed = folder, base, encoder, a_week, seed

    def first(self, model: str) -> None:
        """The desk that all begin with: two weeks of real texts, placed by the pipeline with a model's vectors."""
        (self.folder / "none.yaml").write_text("narratives: []\n", encoding="utf-8")
        narratives.init(self.folder / "first", self.folder / "none.yaml").close()
        settings = self.folder / "first" / "narratives.toml"
        said, usual = settings.read_text(encoding="utf-8"), 'model = "default"'
        if said.count(usual) != 1:
            raise ValueError(f"{settings} does not say {usual}")
        settings.write_text(said.replace(usual, f'model = "{model}"'), encoding="utf-8")
        desk = narratives.open(self.folder / "first")
        usual = np.flatnonzero(self.base.story < 0)
        young = self._young(1)
        n = self.a_week
        parts = usual[:n], np.concatenate([usual[n : 2 * n - len(young)], young])
        for week, rows in enumerate(parts):
            words = [(self.base.titles[i], self.base.bodies[i], "") for i in rows]
            reads = [model_input(title, body) for title, body, _ in words]
            self._remember(desk, reads, self.base.vectors[rows].astype(np.float16))
            self._write_articles(desk, week, rows, words, waiting=True)
            self.process(desk)
        ids = {i: _article_id(week, n) for week, rows in enumerate(parts) for n, i in enumerate(rows)}
        (self.folder / "first" / "ids.json").write_text(json.dumps({int(i): one for i, one in ids.items()}))
        desk.close()

    def process(self, desk: Desk, until: date | None = None) -> pipeline.UpdateReport:
        """`narratives update`, with vectors from the cache and without a tone model."""
        material = desk.material(self.encoder)
        return pipeline.update(desk.archive, desk.settings, [], material, NoTone(), until=until)

    def grow(self, n: int, more: int = 2) -> Path:
        """A desk of `n` articles, all processed, and `more` weeks of articles that wait."""
        place = self.folder / f"desk-{n}"
        shutil.copytree(self.folder / "first", place)
        desk = narratives.open(place)
        n_weeks = n // self.a_week
        history = _Bulk(self, desk)
        for week in range(2, n_weeks - _SETTLING):
            history.write(week)
        history.finish()
        for week in range(max(2, n_weeks - _SETTLING), n_weeks + more):
            rows, words, vectors = history.drawn(week)
            self._remember(desk, [read for *_, read in words], vectors)
            self._write_articles(desk, week, rows, words, waiting=True)
            if week < n_weeks:
                self.process(desk)
        with desk.archive.begin() as connection:
            connection.execute(delete(schema.theme))
        desk.close()
        return place

    def _young(self, week: int) -> np.ndarray:
        """Texts of the stories that are told in a week, eight of each."""
        rng, n_stories = np.random.default_rng([self.seed, 2, week]), int(self.base.story.max()) + 1
        told = [_BIRTHS * born + k for born in range(max(1, week - _LIFE + 1), week + 1) for k in range(_BIRTHS)]
        picks = [rng.choice(np.flatnonzero(self.base.story == one % n_stories), _RATE, replace=False) for one in told]
        return np.concatenate(picks)

    def _remember(self, desk: Desk, reads: Sequence[str], vectors: np.ndarray) -> None:
        """Put vectors into the desk's cache, as if the model had been asked."""
        file = desk.material(self.encoder).cache._file(self.encoder.fingerprint)
        file.create(self.encoder.dimension)
        with file.lock:
            file.recover()
            file.append(text_keys(reads), vectors)

    def _write_articles(
        self, desk: Desk, week: int, rows: np.ndarray, words: Sequence[tuple[str, str, str]], waiting: bool
    ) -> None:
        rng = np.random.default_rng([self.seed, 3, week])
        minutes = rng.integers(0, 7 * 24 * 60 - 600, size=len(rows))
        outlet = rng.integers(0, _OUTLETS, size=len(rows))
        monday = START + week * WEEK
        begin = datetime(monday.year, monday.month, monday.day)
        found = [
            {
                "id": _article_id(week, n),
                "url": f"https://update.invalid/{week}/{n}",
                "source": f"Outlet {outlet[n]}",
                "title": title,
                "text": body,
                "lang": self.base.langs[i],
                "published_at": begin + timedelta(minutes=int(minutes[n])),
                "published_offset_minutes": 0,
                "ingested_at": begin + WEEK,
                "content_hash": short_hash(title, body, n_hex=32),
                "story_id": _article_id(week, n),
                "origin": f"week-{week}.jsonl:{n + 1}",
                "version": 1,
                "step_week": None if waiting else monday,
                "is_voice": not waiting,
            }
            for n, (i, (title, body, _)) in enumerate(zip(rows, words, strict=True))
        ]
        with desk.archive.begin() as connection:
            insert_many(connection, schema.article, found)


class _Bulk:
    """The weeks between, in the form in which the pipeline leaves them."""

    def __init__(self, made: Archives, desk: Desk) -> None:
        self.made, self.desk, base = made, desk, made.base
        archive = desk.archive
        ids = {int(i): one for i, one in json.loads((desk.folder / "ids.json").read_text()).items()}
        homes: dict[str, list[dict[str, Any]]] = {}
        for row in archive.rows(schema.membership):
            homes.setdefault(row["article_id"], []).append(row)
        self.homes = {i: homes.get(one, []) for i, one in ids.items()}
        group = np.full(len(base), -1)
        for i, rows in self.homes.items():
            group[i] = next((int(row["narrative_id"][1:]) for row in rows if row["primary"]), -1)
        usual = base.story < 0
        group[~usual] = 1_000_000 + base.story[~usual]  # stories kept for births: a group each
        self.placed = np.flatnonzero(usual & (group >= 0))
        self.left = np.array(sorted(i for i in self.homes if usual[i] and group[i] < 0), dtype=int)
        self.copies = Copies(base, group, made.seed)
        self.rows = {row["id"]: row for row in archive.rows(schema.narrative)}
        self.template = next(row for row in self.rows.values() if row["status"] in ("active", "provisional"))
        self.alert = next(iter(archive.rows(schema.alert)), None)
        self.next_number = max(int(i[1:]) for i in self.rows) + 1
        self.gained: dict[str, tuple[int, date]] = {}
        self.born: list[dict[str, Any]] = []
        self.story_of: dict[int, str] = {}  # number of a birth -> its narrative
        self.space = Space.from_json(desk.material(made.encoder).prior_means, archive.get_meta("space"))
        self.n_voices = int(archive.get_meta("n_voices"))
        self.counts = archive.rows(schema.step)[-1]["counts"]
        self.last = 1

    def drawn(self, week: int) -> tuple[np.ndarray, list[tuple[str, str, str]], np.ndarray]:
        """Texts that a week repeats, the words of the copies, and their vectors."""
        rng = np.random.default_rng([self.made.seed, 4, week])
        young = self.made._young(week)
        left = self.left[week % _PERIOD :: _PERIOD]
        room = self.made.a_week - len(young) - len(left)
        rows = np.concatenate([young, left, rng.choice(self.placed, room, replace=False)])
        vectors = self.copies.vectors(rows, week, rng)
        serials = range(week * self.made.a_week, week * self.made.a_week + len(rows))
        return rows, self.copies.words(rows, serials, rng), vectors

    def write(self, week: int) -> None:
        """One week."""
        rows, words, vectors = self.drawn(week)
        monday = START + week * WEEK
        self.made._remember(self.desk, [read for *_, read in words], vectors)
        self.made._write_articles(self.desk, week, rows, words, waiting=False)
        tags = [
            form_tag({"lang": self.made.base.langs[i], "text": body})
            for i, (_, body, _) in zip(rows, words, strict=True)
        ]
        self.space.learn(vectors.astype(np.float32), tags)
        self.n_voices += len(rows)
        known = len(self.born)
        homes = self._homes(week, rows)
        members, tones = [], []
        for n, own in enumerate(homes):
            article = _article_id(week, n)
            members += [{"article_id": article, "weak": False, "week": monday, **one} for one in own]
            tones.append(_tone(article))
        with self.desk.archive.begin() as connection:
            young = [{**self.template, **one, "slug": None} for one in self.born[known:]]
            self.desk.archive.insert(connection, schema.narrative, young)
            insert_many(connection, schema.membership, members)
            insert_many(connection, schema.tone, tones)
            step = {"week": monday, "n_articles": len(rows), "counts": self.counts}
            insert_many(connection, schema.step, [step])
        for row in members:
            if row["primary"]:
                n, _ = self.gained.get(row["narrative_id"], (0, monday))
                self.gained[row["narrative_id"]] = (n + 1, monday)
        self.last = week

    def _homes(self, week: int, rows: np.ndarray) -> list[list[dict[str, Any]]]:
        """Memberships of each text's copy; stories that begin become narratives."""
        told = [_BIRTHS * born + k for born in range(max(1, week - _LIFE + 1), week + 1) for k in range(_BIRTHS)]
        found: list[list[dict[str, Any]]] = []
        for number in told:
            if number not in self.story_of and number >= 2 * _BIRTHS:
                self.story_of[number] = f"N{self.next_number:04d}"
                self.next_number += 1
                born = START + week * WEEK
                self.born.append({"id": self.story_of[number], "born_week": born})
            narrative = self.story_of.get(number, "")  # those of week 1 the pipeline has seen: theirs are left open
            own = {"narrative_id": narrative, "weight": 0.5, "primary": True, "how": "assigned"}
            found += [[own] if narrative else []] * _RATE
        kept = ("narrative_id", "weight", "primary")
        for i in rows[len(found) :]:
            own = self.homes.get(int(i), [])
            found.append([{**{name: row[name] for name in kept}, "how": "assigned"} for row in own])
        return found

    def finish(self) -> None:
        """Narratives as they stand after the last week, events, alerts, means."""
        if not self.born and self.last < 2:
            return
        archive, now, settings = self.desk.archive, START + self.last * WEEK, self.desk.settings.discover
        events, alerts, rows = [], [], []
        for one in self.born:
            n, last = self.gained[one["id"]]
            row, silent = {"of": one["id"], "n_members": n, "last_week": last, "status": "active"}, now - last
            events.append(_event(one["born_week"], "born", one["id"]))
            for kind, limit in (("dormant", settings.dormant_weeks), ("ended", settings.ended_weeks)):
                if silent >= limit * WEEK:
                    row["status"] = kind
                    events.append(_event(last + limit * WEEK, kind, one["id"]))
            if row["status"] != "ended":  # the pipeline figures out where it lies
                row |= {"score_mean": None, "score_sd": None, "anchor": None}
            rows.append(row)
            if self.alert is not None:
                values = {"narrative_id": one["id"], "week": one["born_week"], "state": "confirmed"}
                alerts.append({**self.alert, **values, "settled_week": one["born_week"] + WEEK})
        with archive.begin() as connection:
            for narrative, (n, last) in self.gained.items():
                if narrative in self.rows:
                    n += self.rows[narrative]["n_members"]
                    rows.append({"of": narrative, "n_members": n, "last_week": last, "status": "active"})
            for row in rows:
                found = update(schema.narrative).where(schema.narrative.c.id == row.pop("of"))
                connection.execute(found.values(**row))
            connection.execute(delete(schema.narrative_week))
            archive.insert(connection, schema.event, events)
            for number, alert in enumerate(alerts, len(archive.rows(schema.alert)) + 1):
                archive.insert(connection, schema.alert, [{**alert, "id": f"A{number:04d}"}])
            archive.set_meta("space", self.space.to_json(), connection)
            archive.set_meta("n_voices", self.n_voices, connection)


def _article_id(week: int, n: int) -> str:
    return short_hash("update", str(week), str(n))


def _tone(article: str) -> dict[str, Any]:
    shares = {"p_negative": 0.0, "p_neutral": 1.0, "p_positive": 0.0}
    return {"article_id": article, "tone": 0.0, **shares, "evidence": [], "scorer": NoTone.name}


def _event(week: date, kind: str, narrative: str) -> dict[str, Any]:
    return {"week": week, "kind": kind, "narrative_id": narrative, "other_id": "", "detail": {}}
