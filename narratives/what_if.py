"""What would be otherwise: with another definition, or with other settings. Nothing of the desk is written.

A definition is tried as on the day it is added, known by its texts alone, against every story and every narrative as
they are today. Settings are tried by running all weeks again, on a temporary archive of the same articles with the
same cached vectors, once as they are and once changed, so that nothing but the settings makes the difference.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from narratives.archive import schema
from narratives.definitions import Definition, parse_definition
from narratives.lookup import find_narrative
from narratives.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from embeddings import Encoder
    from narratives.desk import Desk

TRIED = "(this)"
TRY_COLUMNS = [
    "id", "title", "source", "lang", "published_at", "narrative", "joins", "score", "level", "best_other",
    "best_other_score",
]  # fmt: skip
_LATEST = 5_000


@dataclass(frozen=True)
class Trial:
    """What a definition would take: `articles` has a row a story that it would take, has now, or comes near.

    Columns of `articles`: id, title, source, lang, published_at, narrative (where it is now), joins (it would be the
    definition's), score (nearness to the definition), level (that a single story must reach; what reaches it and does
    not join lies nearer to another narrative, or to a counter-example), best_other, best_other_score (the nearest of
    the other narratives). `own` is the narrative that the definition has already, or "".
    `taken` is narrative -> stories that would leave it ("" = in none now); `n_looked_at` the stories looked at.
    """

    definition: Definition
    articles: pd.DataFrame
    taken: dict[str, int]
    n_looked_at: int
    own: str = ""

    def _repr_html_(self) -> str:
        name = escape(self.definition.name.en or self.definition.name.zh)
        joins = self.articles["joins"].astype(bool)
        n, near = int(joins.sum()), int((~joins & (self.articles["narrative"] != self.own)).sum())
        lost = int((~joins & (self.articles["narrative"] == self.own)).sum()) if self.own else 0
        parts = ", ".join(f"{k} from {escape(i) or 'no narrative'}" for i, k in self.taken.items())
        line = f"<b>{name}</b> would take {n} of {self.n_looked_at} stories" + (f" ({parts})" if parts else "")
        line += f" and lose {lost} that it has" if lost else ""
        line += f"; {near} more reach its level but lie nearer to others" if near else ""
        table = self.articles.head(12).to_html(index=False, escape=True, border=0, float_format="{:.2f}".format)
        return f"<p>{line}; nothing was changed.</p>{table}"


def try_definition(
    desk: Desk,
    definition: Definition | Mapping[str, Any] | str,
    encoder: Encoder | None,
    weeks: int | None,
    instead_of: Sequence[str] = (),
) -> Trial:
    """Place the latest stories with one definition more (or another in its stead); see `Desk.try_definition`."""
    import pandas as pd

    from narratives.affinity import WordOverlap, scores
    from narratives.assign import place
    from narratives.known import countered, make_known, seed_texts
    from narratives.state import StepState
    from narratives.step import Step

    tried = parse_definition(definition)
    last = desk.archive.last_step()
    if last is None:
        raise ValueError("there are no articles yet: run an update first (`narratives update`)")
    kept = [d for d in desk.definitions if d.id != tried.id]
    material = desk.material(encoder)
    step = Step(desk.archive, desk.settings, [*kept, tried], seed_texts([*kept, tried], material), material)
    state = StepState(last, [])
    step.take_in(state)
    step.know(state)
    assert state.space is not None
    own = next((i for i, row in state.narratives.items() if row["slug"] == tried.id), "")
    seed = state.seeds[tried.id]
    new = make_known(TRIED, step.batch(state, []), seed, desk.settings.discover)
    gone = {own, *(find_narrative(desk.archive, name)["id"] for name in instead_of)}
    into = {alias.id: alias.into for alias in step.ruled.rulings.aliases}
    known = [*(k for k in state.known if into.get(k.id, k.id) not in gone), new]
    articles = desk.articles()
    articles = articles[articles["is_first"]].tail(_LATEST)
    if weeks is not None:
        articles = articles[articles["week"].isin(desk.weeks()[-weeks:])]
    batch = step.batch(state, list(articles["id"]))
    found = scores(batch, known, WordOverlap(batch, [k.profile for k in known]), desk.settings.discover)
    closed = countered(batch, state.space, step.said, known)
    closed[:, :-1] = False  # the others have members, which say better what does not belong
    singly = np.arange(len(batch))
    placed = step.ruled.redirected(batch, place(found, singly, known, desk.settings.discover, closed))
    joins = np.array([narrative == TRIED for narrative in placed.narrative], dtype=bool)
    others = np.where(np.arange(len(known)) == len(known) - 1, -np.inf, found)
    best = others.argmax(axis=1) if len(known) > 1 and len(batch) else np.zeros(len(batch), dtype=int)
    now = articles["narrative"].to_numpy(str)
    frame = pd.DataFrame(
        {
            **{name: articles[name].to_numpy() for name in ("id", "title", "source", "lang", "published_at")},
            "narrative": now,
            "joins": joins,
            "score": np.round(found[:, -1], 4),
            "level": round(new.level(desk.settings.discover), 4),
            "best_other": [known[j].id if len(known) > 1 else "" for j in best],
            "best_other_score": [
                round(float(found[i, j]), 4) if len(known) > 1 else np.nan for i, j in enumerate(best)
            ],
        },
        columns=TRY_COLUMNS,
    )
    reached = frame["score"].to_numpy() >= new.level(desk.settings.discover)
    shown = frame[joins | reached | ((now == own) & (own != ""))].sort_values(
        ["joins", "score", "id"], ascending=[False, False, True], ignore_index=True
    )
    moving = shown.loc[shown["joins"] & (shown["narrative"] != own), "narrative"]
    taken = {str(name): int(n) for name, n in moving.value_counts(sort=False).sort_index().items()}
    return Trial(tried, shown, taken, len(articles), own)


@dataclass(frozen=True)
class Comparison:
    """The same articles under two settings: `before` as they are, `after` changed.

    `articles` has a row a story that is placed otherwise: id, title, source, lang, published_at, before, after (names
    of the narratives, "" for none), `narratives` a row a narrative of either run: run, id, name, n_stories,
    like (the narrative of the other run that shares most stories with it), shared (0 to 1: Jaccard). `figures` has
    both runs' narratives, assigned share and alerts, and `agreement` is the adjusted Rand index of the two (1 the
    same, 0 chance; stories in no narrative are one group).
    """

    changed: dict[str, Any]
    articles: pd.DataFrame
    narratives: pd.DataFrame
    figures: pd.DataFrame
    agreement: float

    def _repr_html_(self) -> str:
        said = escape(", ".join(f"{name} = {value}" for name, value in self.changed.items()))
        figures = self.figures.to_html(border=0, float_format="{:.3g}".format)
        return (
            f"<p>With <b>{said}</b> {len(self.articles)} stories are placed otherwise (adjusted Rand index "
            f"{self.agreement:.2f}); nothing was changed.</p>{figures}"
            f"{self.articles.head(10).to_html(index=False, escape=True, border=0)}"
        )


def compare_settings(desk: Desk, changed: Mapping[str, Any], encoder: Encoder | None) -> Comparison:
    """Run every week again under changed settings and under those of the desk; see `Desk.compare_settings`."""
    import pandas as pd
    from sklearn.metrics import adjusted_rand_score

    flat = _flat(changed)
    with tempfile.TemporaryDirectory(prefix="narratives-what-if-") as folder:
        runs = {
            name: _run(desk, settings, encoder, Path(folder) / name)
            for name, settings in (("before", desk.settings), ("after", _changed(desk.settings, flat)))
        }
    places = {name: run[0].set_index("id")["narrative"] for name, run in runs.items()}
    ids = list(places["before"].index)
    before, after = (list(places[name].reindex(ids)) for name in ("before", "after"))
    overlap = pd.concat([_likeness(runs, "before", "after"), _likeness(runs, "after", "before")], ignore_index=True)
    named = {(r.run, r.id): f"{r.id} {r.name_}" for r in overlap.rename(columns={"name": "name_"}).itertuples()}
    like = {r.id: r.like for r in overlap[overlap["run"] == "after"].itertuples()}
    moved = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != (like.get(b, b) if b else "")]
    shown = runs["before"][0].set_index("id").loc[[ids[i] for i in moved]].reset_index()
    frame = shown[["id", "title", "source", "lang", "published_at"]].assign(
        before=[named.get(("before", before[i]), "") for i in moved],
        after=[named.get(("after", after[i]), "") for i in moved],
    )
    figures = pd.DataFrame({name: run[2] for name, run in runs.items()})
    return Comparison(flat, frame, overlap, figures, float(adjusted_rand_score(before, after)) if ids else 1.0)


def _flat(changed: Mapping[str, Any]) -> dict[str, Any]:
    """`{"discover": {"floor": .2}}` and `{"discover.floor": .2}` alike as the latter."""
    found: dict[str, Any] = {}
    for name, value in changed.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            found[name] = value
    if not found:
        raise ValueError('no setting was changed: give some, such as {"discover.floor": 0.2}')
    return found


def _changed(settings: Settings, flat: Mapping[str, Any]) -> Settings:
    raw = settings.model_dump(mode="json")
    for name, value in flat.items():
        section, _, knob = name.partition(".")
        if not isinstance(raw.get(section), dict) or knob not in raw[section]:
            raise ValueError(f"there is no setting {name!r}; `narratives settings` shows them all")
        raw[section][knob] = value
    return Settings.model_validate(raw)


def _run(
    desk: Desk, settings: Settings, encoder: Encoder | None, folder: Path
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """First articles with their narratives, the narratives, and figures, after all weeks in an archive of its own."""
    from narratives.archive import Archive
    from narratives.frames import Frames
    from narratives.material import Material
    from narratives.pipeline import update

    folder.mkdir()
    with Archive.create(folder / "archive.sqlite") as archive:
        with archive.begin() as connection:
            for start in range(0, len(rows := desk.archive.rows(schema.article)), 1_000):
                part = [{**r, "step_week": None, "is_voice": False} for r in rows[start : start + 1_000]]
                archive.insert(connection, schema.article, part)
        material = Material(desk.folder / "vectors", settings, encoder)
        update(archive, settings, desk.definitions, material, scores=False)
        frames = Frames(settings, archive)
        articles, narratives, alerts = frames.articles(), frames.narratives(), archive.rows(schema.alert)
    firsts = articles[articles["is_first"]].reset_index(drop=True)
    living = narratives[(narratives["n_stories"] > 0) & (narratives["status"] != "merged")].reset_index(drop=True)
    figures = {
        "stories": float(len(firsts)),
        "narratives": float(len(living)),
        "share of stories in a narrative": float((firsts["narrative"] != "").mean()) if len(firsts) else 0.0,
        "alerts": float(sum(row["tier"] == "alert" for row in alerts)),
    }
    return firsts, living, figures


def _likeness(runs: Mapping[str, tuple[Any, Any, Any]], run: str, other: str) -> pd.DataFrame:
    """Each narrative of one run with the one of the other run that it shares most stories with."""
    import pandas as pd

    mine = {n: set(g["id"]) for n, g in runs[run][0].groupby("narrative") if n}
    theirs = {n: set(g["id"]) for n, g in runs[other][0].groupby("narrative") if n}
    rows = []
    for row in runs[run][1].itertuples():
        own = mine[row.id]
        best = max(sorted(theirs), key=lambda n: len(own & theirs[n]) / len(own | theirs[n]), default="")
        shared = len(own & theirs[best]) / len(own | theirs[best]) if best else 0.0
        rows.append((run, row.id, row.name, row.n_stories, best if shared else "", round(shared, 4)))
    return pd.DataFrame(rows, columns=["run", "id", "name", "n_stories", "like", "shared"])
