"""What the analyst has said, as records: made in the notebook or at the command line, kept for ever, replayed.

A decision is carried out at once, in the transaction that records it, where that needs no model; every later update
reads the active ones (`rulings.py`) and never undoes them. A decision that was taken back stays on record, and so
does taking it back. Where two contradict each other the later one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from narratives import deeds
from narratives.archive import schema
from narratives.deeds import Deed
from narratives.lookup import find_article, find_narrative
from narratives.rulings import Rulings
from narratives.undoing import undo

if TYPE_CHECKING:
    import pandas as pd

    from narratives.archive import Archive

KINDS = ("rename", "pin", "merge", "split", "same_as", "not_this", "stance", "confirm", "undo")
LABELS = ("supports", "opposes", "reports")
COLUMNS = ["id", "kind", "narrative", "article", "said", "week", "decided_at", "undone", "detail"]
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Decision:
    """One record: `said` is the decision as a sentence, `detail` what it names and what was there before."""

    id: int
    kind: str
    narrative: str
    article: str
    said: str
    undone: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"decision {self.id}: {self.said}"

    def _repr_html_(self) -> str:
        undone = " <i>(taken back)</i>" if self.undone else ""
        return f"<p>Decision <b>{self.id}</b>: {escape(self.said)}{undone}<br><code>desk.undo({self.id})</code></p>"


class Decisions:
    """The record layer: every verb checks, acts and records in one transaction under the archive's writer lock.

    Narratives are named by id or by their definition's id, and a merged one means the one it was merged into;
    articles by id, the beginning of the id, or address. What is decided of an article holds for its story.

    Raises
    ------
    ValueError
        Of every verb: something named is not there, or the decision makes no sense; nothing is changed.
    ArchiveBusy
        An update is writing; try again when it has ended.
    """

    table = schema.decision

    def __init__(self, archive: Archive, zone: ZoneInfo) -> None:
        self.archive, self.zone = archive, zone

    def rename(self, narrative: str, zh: str = "", en: str = "") -> Decision:
        """Give a narrative a name in one language or both; the other keeps what it has."""
        names = {lang: " ".join(name.split()) for lang, name in (("zh", zh), ("en", en)) if name.strip()}
        if not names:
            raise ValueError("a new name is needed: zh=, en=, or both; got neither")
        if long := [name for name in names.values() if len(name) > _LONGEST_NAME]:
            raise ValueError(f"a name has at most {_LONGEST_NAME} characters, got {len(long[0])}")

        def act(connection: Connection) -> Deed:
            row = find_narrative(self.archive, narrative, connection)
            return deeds.rename(self.archive, connection, row, names)

        return self._decide("rename", act)

    def merge(self, narrative: str, into: str) -> Decision:
        """One narrative was another all along: its articles go there, and its id leads there for ever."""

        def act(connection: Connection) -> Deed:
            goes, stays = (find_narrative(self.archive, name, connection) for name in (narrative, into))
            return self._merge(connection, goes, stays)

        return self._decide("merge", act)

    def same_as(self, narrative: str, slug: str) -> Decision:
        """A narrative that was found is one that `definitions.yaml` names; see `merge`."""

        def act(connection: Connection) -> Deed:
            goes = find_narrative(self.archive, narrative, connection)
            table = schema.narrative
            if not self.archive.rows(table, table.c.slug == slug.strip().lower(), connection=connection):
                known = self.archive.rows(table, table.c.slug.is_not(None), connection=connection)
                names = ", ".join(row["slug"] for row in known) or "none"
                raise ValueError(f"there is no named narrative {slug!r}; after the latest update there are: {names}")
            if goes["origin"] == "defined":
                raise ValueError(f"{goes['id']} is a named narrative itself ({goes['slug']}); to join two, merge them")
            deed = self._merge(connection, goes, find_narrative(self.archive, slug, connection))
            return replace(deed, detail={**deed.detail, "slug": slug.strip().lower()})

        return self._decide("same_as", act)

    def _merge(self, connection: Connection, goes: dict[str, Any], stays: dict[str, Any]) -> Deed:
        """Articles that were kept out of the one and are in the other are no stranger to the two as one."""
        barred = Rulings.load(self.archive, connection).barred.get(goes["id"], {})
        inside = deeds.memberships(self.archive, connection, list(barred.values()))
        freed = sorted({m["article_id"] for m in inside if m["narrative_id"] == stays["id"]})
        deed = deeds.merge(self.archive, connection, goes, stays, self.zone)
        return replace(deed, detail={**deed.detail, "freed": freed})

    def split(self, narrative: str, articles: Iterable[str], zh: str = "", en: str = "") -> Decision:
        """Some articles of a narrative are one of their own; `zh` and `en` name it, else its words do."""
        wanted = [articles] if isinstance(articles, str) else list(articles)
        names = {lang: " ".join(name.split()) for lang, name in (("zh", zh), ("en", en)) if name.strip()}

        def act(connection: Connection) -> Deed:
            row = find_narrative(self.archive, narrative, connection)
            rows = [find_article(self.archive, article, connection) for article in wanted]
            return deeds.split(self.archive, connection, row, rows, names, self.zone)

        return self._decide("split", act)

    def pin(self, article: str, narrative: str) -> Decision:
        """An article's place is in this narrative, whatever its scores say."""

        def act(connection: Connection) -> Deed:
            row = find_narrative(self.archive, narrative, connection)
            return deeds.pin(self.archive, connection, find_article(self.archive, article, connection), row, self.zone)

        return self._decide("pin", act)

    def reject(self, article: str, narrative: str) -> Decision:
        """An article does not belong to this narrative; what is more like it than like the members stays out too."""

        def act(connection: Connection) -> Deed:
            row = find_narrative(self.archive, narrative, connection)
            found = find_article(self.archive, article, connection)
            return deeds.reject(self.archive, connection, found, row, self.zone)

        return self._decide("not_this", act)

    def label_stance(self, article: str, narrative: str, label: str) -> Decision:
        """What an article says of a narrative's claim: `supports`, `opposes` or `reports`."""
        if label not in LABELS:
            raise ValueError(f"a stance is one of {', '.join(LABELS)}; got {label!r}")

        def act(connection: Connection) -> Deed:
            row = find_narrative(self.archive, narrative, connection)
            found = find_article(self.archive, article, connection)
            return deeds.label(self.archive, connection, found, row, label)

        return self._decide("stance", act)

    def confirm(self, narrative: str) -> Decision:
        """The drafted claim of a narrative was read by a person, and stands."""

        def act(connection: Connection) -> Deed:
            return deeds.confirm(self.archive, connection, find_narrative(self.archive, narrative, connection))

        return self._decide("confirm", act)

    def undo(self, decision: int | Decision) -> Decision:
        """Take a decision back: what can be is put where it was, and the archive may decide again."""
        number = decision.id if isinstance(decision, Decision) else int(decision)

        def act(connection: Connection) -> Deed:
            table = schema.decision
            rows = self.archive.rows(table, table.c.id == number, connection=connection)
            if not rows:
                raise ValueError(f"there is no decision {number}; `narratives decide list` shows them")
            if rows[0]["kind"] == "undo":
                raise ValueError(f"decision {number} took another one back; make that decision again instead")
            if rows[0]["undone"]:
                raise ValueError(f"decision {number} was taken back already")
            connection.execute(table.update().where(table.c.id == number).values(undone=True))
            return undo(self.archive, connection, rows[0], self.zone)

        return self._decide("undo", act)

    def _decide(self, kind: str, act: Callable[[Connection], Deed]) -> Decision:
        """Act and record, or neither."""
        table = schema.decision
        with self.archive.lock("narratives decide"), self.archive.begin() as connection:
            week = self.archive.last_step()
            number = int(connection.execute(_next_number()).scalar_one())
            deed = act(connection)
            detail = {"said": deed.said, "week": week.isoformat() if week else None, **deed.detail}
            connection.execute(
                table.insert().values(
                    id=number,
                    kind=kind,
                    narrative_id=deed.narrative,
                    article_id=deed.article,
                    payload=detail,
                    decided_at=datetime.now(UTC).replace(tzinfo=None),
                    undone=False,
                )
            )
            for event in deed.events:
                deeds.write_event(connection, week, number, event)
            # Whatever stood before this one still stands.
            Rulings.load(self.archive, connection).keep(self.archive, connection, self.zone)
        return Decision(number, kind, deed.narrative, deed.article, deed.said, False, detail)

    def rows(self) -> list[dict[str, Any]]:
        """Every record, oldest first."""
        return self.archive.rows(schema.decision)

    def frame(self) -> pd.DataFrame:
        """Every record, oldest first: id, kind, narrative, article, said, week, decided_at (UTC), undone, detail."""
        import pandas as pd

        rows = [
            (r["id"], r["kind"], r["narrative_id"], r["article_id"], r["payload"].get("said", ""),
             _week(r["payload"]), r["decided_at"], r["undone"], r["payload"])
            for r in self.rows()
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=COLUMNS)
        frame["decided_at"] = pd.to_datetime(frame["decided_at"], utc=True).astype("datetime64[us, UTC]")
        return frame


def _next_number() -> Any:
    from sqlalchemy import func, select

    return select(func.coalesce(func.max(schema.decision.c.id), 0) + 1)


def _week(payload: dict[str, Any]) -> Any:
    from datetime import date

    return date.fromisoformat(payload["week"]) if payload.get("week") else None
