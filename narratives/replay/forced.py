"""Splits and merges that are planted by force in the archive: does the machine see them, and how many does it invent?

A tracker that reads texts cannot see two stories told as one: it can see that a narrative holds two. So the
narratives of two stories are made one behind the machine's back (or that of one story is cut in two), without a
decision on record, for what an analyst decides the machine never undoes. Its own reviews then have to propose the
contrary, hold to it, and carry it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from narratives import deeds
from narratives.archive import schema
from narratives.definitions import Definition
from narratives.material import Material
from narratives.pipeline import update
from narratives.replay.streams import Forced, Stream
from narratives.replay.tracker import NoTone, desk_of, row_of
from narratives.settings import Settings

if TYPE_CHECKING:
    from embeddings import Encoder
    from narratives.desk import Desk

WITHIN = 6  # weeks in which the machine has to mend it: two reviews have to find it
_FEWEST = 6  # stories of a narrative that can be cut in two


@dataclass(frozen=True)
class Change:
    """A split or merge: its kind and week, the two narratives, and the rows of the stream on its two sides.

    Of a split by the machine, `one` is what stayed and `other` what left.
    """

    kind: str
    week: int
    narratives: tuple[str, str]
    one: frozenset[int]
    other: frozenset[int]


def repairs(
    stream: Stream,
    encoder: Encoder | None,
    cache: Path,
    settings: Settings,
    definitions: Sequence[Definition] = (),
) -> dict[str, float]:
    """Run a stream, carry out what it forces, and count what the machine mends.

    Returns
    -------
    See `count_repairs`; and `narratives`, how many there are at the end (merged ones left out).
    """
    with desk_of(stream, settings) as desk:
        material, bench = Material(cache, settings, encoder), _Bench(desk, stream)
        done: list[Change] = []
        seen: list[Change] = []
        for week in range(stream.n_weeks):
            before = bench.rows()
            monday = stream.start.date() + timedelta(weeks=week)
            update(desk.archive, settings, definitions, material, NoTone(), until=monday)
            seen += bench.changes(week, before)
            for forced in stream.forced:
                if forced.week == week and (change := bench.force(forced)) is not None:
                    done.append(change)
        table = schema.narrative
        n = len(desk.archive.rows(table, table.c.status != "merged", table.c.n_members > 0))
    return {**count_repairs(stream, done, seen), "narratives": float(n)}


def count_repairs(stream: Stream, done: Sequence[Change], seen: Sequence[Change]) -> dict[str, float]:
    """What was forced, what of it was mended, and what nobody had called for.

    Returns
    -------
    `forced merges`, `forced splits`: how many could be carried out (a story has to have a narrative by then);
    `merges undone`: share of forced merges that a split of the machine took apart within six weeks, with half or more
    of the one story's reports on each side and less than half of the other's; `splits undone`: share of forced splits
    whose two halves the machine made one again; `weeks to undo`: mean; `uncalled splits`, `uncalled merges`: all
    others that it carried out, of which `wrong splits` have the same story on both sides and `wrong merges` two.
    """
    mended: dict[int, Change] = {}
    for i, forced in enumerate(done):
        for change in seen:
            in_time = forced.week < change.week <= forced.week + WITHIN
            if i not in mended and in_time and change not in mended.values() and _undoes(change, forced):
                mended[i] = change
    uncalled = [change for change in seen if change not in mended.values()]
    sides = [(c.kind, _main(stream, c.one), _main(stream, c.other)) for c in uncalled]
    late = [change.week - done[i].week for i, change in mended.items()]
    figures = {"weeks to undo": sum(late) / len(late) if late else float("nan")}
    for kind in ("merge", "split"):
        own = [i for i, forced in enumerate(done) if forced.kind == kind]
        figures[f"forced {kind}s"] = float(len(own))
        figures[f"{kind}s undone"] = sum(i in mended for i in own) / len(own) if own else float("nan")
        figures[f"uncalled {kind}s"] = float(sum(c.kind == kind for c in uncalled))
    figures["wrong splits"] = float(sum(kind == "split" and a == b != "" for kind, a, b in sides))
    figures["wrong merges"] = float(sum(kind == "merge" and a != b and bool(a and b) for kind, a, b in sides))
    return figures


def _undoes(change: Change, forced: Change) -> bool:
    if change.kind == forced.kind:
        return False
    if forced.kind == "split":
        return set(change.narratives) == set(forced.narratives)
    if change.narratives[0] != forced.narratives[0]:
        return False
    left = [len(change.other & side) / len(side) for side in (forced.one, forced.other)]
    return max(left) >= 0.5 > min(left)


def _main(stream: Stream, rows: frozenset[int]) -> str:
    """The story of half of these texts or more, "" where there is none."""
    if not rows:
        return ""
    story, n = Counter(stream.texts[i].story for i in rows).most_common(1)[0]
    return story if 2 * n >= len(rows) else ""


class _Bench:
    """A desk of a stream while it runs: where its texts are, what was forced, what the machine changed."""

    def __init__(self, desk: Desk, stream: Stream) -> None:
        self.desk, self.stream = desk, stream
        self.at = {row["id"]: row_of(row["url"]) for row in desk.archive.rows(schema.article)}
        self.known: set[int] = set()  # events that were looked at

    def rows(self) -> dict[str, frozenset[int]]:
        """Narrative -> rows of the stream that are its primary members."""
        found: dict[str, set[int]] = {}
        for row in self.desk.archive.rows(schema.membership, schema.membership.c.primary):
            found.setdefault(row["narrative_id"], set()).add(self.at[row["article_id"]])
        return {name: frozenset(own) for name, own in found.items()}

    def changes(self, week: int, before: dict[str, frozenset[int]]) -> list[Change]:
        """Splits and merges of the week that was just run; `before` are the members as the week before left them."""
        now, found = self.rows(), []
        for event in self.desk.archive.rows(schema.event):
            if event["id"] in self.known:
                continue
            self.known.add(event["id"])
            a, b = event["narrative_id"], event["other_id"]
            if event["kind"] == "split":
                left = before.get(a, frozenset()) & now.get(b, frozenset())
                found.append(Change("split", week, (a, b), before.get(a, frozenset()) - left, left))
            elif event["kind"] == "merged":
                found.append(Change("merge", week, (a, b), before.get(a, frozenset()), before.get(b, frozenset())))
        return found

    def force(self, forced: Forced) -> Change | None:
        """Carry it out in the archive; None where a story has no narrative of its own that the machine may change."""
        rows = self.rows()
        homes = [self._home(story, rows) for story in forced.stories]
        if not all(homes) or len(set(homes)) < len(homes):
            return None
        archive, zone = self.desk.archive, self.desk.zone
        with archive.begin() as connection:
            narrative = archive.rows(schema.narrative, connection=connection)
            by_id = {row["id"]: row for row in narrative}
            if forced.kind == "merge":
                stays, goes = sorted(homes, key=lambda name: (-len(rows[name]), name))
                deeds.merge(archive, connection, by_id[goes], by_id[stays], zone)
                return Change("merge", forced.week, (stays, goes), rows[stays], rows[goes])
            home = homes[0]
            member = schema.membership
            ids = sorted(
                row["article_id"]
                for row in archive.rows(member, member.c.narrative_id == home, member.c.primary, connection=connection)
            )
            articles = {row["id"]: row for row in archive.rows(schema.article, connection=connection)}
            stories = sorted({articles[i]["story_id"] for i in ids})
            if len(stories) < _FEWEST:
                return None
            leaving = set(stories[::2])
            chosen = [articles[i] for i in ids if articles[i]["story_id"] in leaving]
            deed = deeds.split(archive, connection, by_id[home], chosen, {}, zone)
            left = frozenset(self.at[row["id"]] for row in chosen)
            return Change("split", forced.week, (home, str(deed.detail["into"])), rows[home] - left, left)

    def _home(self, story: str, rows: dict[str, frozenset[int]]) -> str:
        """The discovered narrative with most of a story's texts, if half of its own texts or more are the story's."""
        table = schema.narrative
        free = self.desk.archive.rows(
            table, table.c.origin == "discovered", table.c.status.in_(["active", "provisional"])
        )
        n = {row["id"]: sum(self.stream.texts[i].story == story for i in rows.get(row["id"], ())) for row in free}
        best = max(sorted(n), key=lambda name: n[name], default="")
        return best if best and 2 * n[best] >= len(rows.get(best, ())) > 0 else ""
