"""What the standing decisions mean for an update: places that are fixed, places that are barred, names that stay.

Read anew in every step from the records and today's redirects; the step asks before it places, splits or merges, and
`keep` has the last word in its transaction. Where two decisions contradict each other the later one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, update

from narratives.archive import schema
from narratives.deeds import write_label
from narratives.lookup import redirects
from narratives.members import leave, memberships, place, promote, refigure

if TYPE_CHECKING:
    from narratives.archive import Archive

SEEN = "decisions_seen"  # the latest decision that an update has worked in
_CHUNK = 500


@dataclass(frozen=True)
class Alias:
    """A narrative that an analyst made part of another: what is like it joins `into`. `articles`: what it brought."""

    id: str
    into: str
    articles: tuple[str, ...]

    @property
    def how(self) -> str:
        """What `membership.how` says of an article that joined by way of it."""
        return f"as {self.id}"


@dataclass
class Rulings:
    """The standing decisions in terms of today's narratives.

    `home` story -> the narrative that it stays in; `barred` narrative -> stories that stay out; `apart` pairs that
    are never merged; `names`, `confirmed` and `labels` what is written as the analyst said; `story` article -> story
    of every article that a decision names.
    """

    home: dict[str, str] = field(default_factory=dict)
    barred: dict[str, dict[str, str]] = field(default_factory=dict)  # narrative -> story -> the article named
    apart: set[frozenset[str]] = field(default_factory=set)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)
    story: dict[str, str] = field(default_factory=dict)
    latest: int = 0
    # Story -> merges that brought it where it is, each with its home before: number of the decision, narrative.
    _brought: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)

    @classmethod
    def load(cls, archive: Archive, connection: Connection | None = None) -> Rulings:
        """From the archive's records, in the order in which they were made."""
        own = cls()
        every = archive.rows(schema.decision, connection=connection)
        own.latest = max((row["id"] for row in every), default=0)
        if all(row["undone"] or row["kind"] == "undo" for row in every):
            return own
        end = redirects(archive, connection)
        named = {i for row in every for i in articles_of(row)}
        own.story = _stories(archive, sorted(named), connection)
        by_id = {row["id"]: row for row in every}
        for row in every:
            if row["kind"] == "undo":
                own._take_back(by_id[row["payload"]["decision"]])
            elif not row["undone"]:
                own._take(row, end)
        return own

    def _take(self, row: Mapping[str, Any], end: Mapping[str, str]) -> None:
        kind, detail = row["kind"], row["payload"]
        narrative = end.get(row["narrative_id"], row["narrative_id"])
        story = self.story.get(row["article_id"], "")
        if kind == "rename":
            # The name is the narrative's own, also where it was merged into another since.
            self.names.setdefault(row["narrative_id"], {}).update(detail["names"])
        elif kind == "confirm":
            self.confirmed.add(row["narrative_id"])
        elif kind == "stance":
            self.labels[row["article_id"], narrative] = detail["label"]
        elif kind == "pin":
            self._settle(story, narrative)
        elif kind == "not_this" and story:
            self.barred.setdefault(narrative, {})[story] = row["article_id"]
            if self.home.get(story) == narrative:
                del self.home[story]
                self._brought.pop(story, None)
        elif kind == "split":
            new = end.get(detail["into"], detail["into"])
            for article in detail["articles"]:
                self._settle(self.story.get(article, ""), new)
            if new != narrative:
                self.apart.add(frozenset((new, narrative)))
        elif kind in ("merge", "same_as"):
            for article in detail["moved"]:
                self._settle(self.story.get(article, ""), narrative, merge=row["id"])
            # Whoever joins two narratives has seen what is in them.
            here = self.barred.get(narrative, {})
            for article in (*detail["moved"], *detail.get("freed", ())):
                here.pop(self.story.get(article, ""), None)
            known = tuple(article for article in detail["moved"] if article in self.story)
            self.aliases.append(Alias(row["narrative_id"], narrative, known))

    def _settle(self, story: str, narrative: str, merge: int | None = None) -> None:
        if story:
            if merge is None:
                self._brought.pop(story, None)
            else:
                self._brought.setdefault(story, []).append((merge, self.home.get(story)))
            self.home[story] = narrative
            self.barred.get(narrative, {}).pop(story, None)

    def _take_back(self, row: Mapping[str, Any]) -> None:
        """A merge was undone: what it brought was not brought further by the merges of the time between either."""
        if row["kind"] not in ("merge", "same_as"):
            return
        for story in {self.story.get(article, "") for article in row["payload"]["moved"]}:
            brought = self._brought.get(story, [])
            while brought and brought[-1][0] > row["id"]:
                _, before = brought.pop()
                if before is None:
                    del self.home[story]
                else:
                    self.home[story] = before

    # -- what a step asks --------------------------------------------------------------------------------------

    @property
    def chosen(self) -> set[str]:
        """Narratives that somebody named, confirmed the claim of, labelled articles of or put stories into."""
        return {*self.home.values(), *self.names, *self.confirmed, *(narrative for _, narrative in self.labels)}

    def may_merge(self, one: str, other: str, stories: Mapping[str, set[str]]) -> bool:
        """Whether the machine may join two narratives; `stories` are those in each."""
        if frozenset((one, other)) in self.apart:
            return False
        pairs = ((one, other), (other, one))
        return not any(set(self.barred.get(a, {})) & stories[b] for a, b in pairs)

    # -- the last word -----------------------------------------------------------------------------------------

    def keep(self, archive: Archive, connection: Connection, zone: ZoneInfo) -> int:
        """Write names, labels and confirmed claims over what the machine says, and see to it that places hold.

        Returns
        -------
        How many stories had to be put back or taken out; zero as long as every stage asks before it acts.
        """
        self.keep_names(connection)
        table, score = schema.narrative, schema.score
        if self.confirmed:
            connection.execute(update(table).where(table.c.id.in_(self.confirmed)).values(drafted=False))
        for (article, narrative), said in self.labels.items():
            it = select(score.c.scorer).where(score.c.article_id == article, score.c.narrative_id == narrative)
            if connection.scalar(it) != "analyst":
                write_label(archive, connection, article, narrative, said)
        return self._keep_places(archive, connection, zone)

    def keep_names(self, connection: Connection) -> None:
        table = schema.narrative
        for narrative, names in self.names.items():
            values = {f"name_{lang}": name for lang, name in names.items()}
            connection.execute(update(table).where(table.c.id == narrative).values(**values))

    def _keep_places(self, archive: Archive, connection: Connection, zone: ZoneInfo) -> int:
        wanted = sorted({*self.home, *(story for stories in self.barred.values() for story in stories)})
        articles: dict[str, list[dict[str, Any]]] = {}
        table, n, touched = schema.article, 0, set[str]()
        query = select(table.c.id, table.c.story_id, table.c.step_week, table.c.is_voice).order_by(table.c.id)
        for start in range(0, len(wanted), _CHUNK):
            some = query.where(table.c.story_id.in_(wanted[start : start + _CHUNK]), table.c.step_week.is_not(None))
            for row in connection.execute(some).mappings():
                articles.setdefault(row["story_id"], []).append(dict(row))
        ids = [row["id"] for rows in articles.values() for row in rows]
        now: dict[str, list[dict[str, Any]]] = {}
        for member in memberships(archive, connection, ids):
            now.setdefault(member["article_id"], []).append(member)
        for story, rows in sorted(articles.items()):
            inside = [m for row in rows for m in now.get(row["id"], ())]
            out = [m for m in inside if story in self.barred.get(m["narrative_id"], {})]
            for m in out:
                leave(connection, [m["article_id"]], m["narrative_id"])
            home = self.home.get(story)
            at_home = {m["article_id"] for m in inside if m["primary"] and m["narrative_id"] == home}
            strayed = home is not None and len(at_home) < len(rows)
            if home is not None and strayed:
                place(archive, connection, rows, home, inside)
            if out or strayed:
                n += 1
                touched |= {m["narrative_id"] for m in inside if m["primary"]} | ({home} if home else set())
                touched |= promote(archive, connection, [row["id"] for row in rows])
        for narrative in sorted(touched):
            refigure(archive, connection, narrative, zone)
        return n


def pending(archive: Archive) -> bool:
    """Whether there are decisions that no update has worked in yet."""
    with archive.reading() as connection:
        latest = connection.scalar(select(func.max(schema.decision.c.id))) or 0
    return latest > int(archive.get_meta(SEEN, 0))


def articles_of(row: Mapping[str, Any]) -> list[str]:
    """Ids of the articles that a decision (its row) names."""
    detail = row["payload"]
    return [i for i in (row["article_id"], *detail.get("moved", ()), *detail.get("articles", ())) if i]


def _stories(archive: Archive, ids: Sequence[str], connection: Connection | None) -> dict[str, str]:
    """Article -> story; in a rebuilt archive an article may not be there (yet)."""
    table = schema.article
    query = select(table.c.id, table.c.story_id)
    found: dict[str, str] = {}
    for start in range(0, len(ids), _CHUNK):
        part = query.where(table.c.id.in_(ids[start : start + _CHUNK]))
        if connection is not None:
            found.update((i, story) for i, story in connection.execute(part))
            continue
        with archive.reading() as own:
            found.update((i, story) for i, story in own.execute(part))
    return found
