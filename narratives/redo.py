"""The same decisions on an archive that is built anew: week by week, each where it was made before.

Guaranteed: from the same articles, taken in before the first update, and the same decisions, an archive comes out that
says the same (`Archive.digest`) as one that was updated week by week with each decision made between two updates.
Ids are stable because every step and every decision is deterministic and made in the same order. Not guaranteed where
the original ran an extra update only to work decisions in (scores of moved articles may differ in their last digits),
took articles in late, or was made by another version or encoder: then a decision may name what is not there, and
`redo` stops with an error that says which, having changed nothing further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from narratives.decisions import Decision, Decisions
from narratives.pipeline import Progress, update

if TYPE_CHECKING:
    from narratives.desk import Desk
    from narratives.material import Material
    from narratives.tone import ToneScorer

Record = Mapping[str, Any]


def redo(
    desk: Desk,
    records: Sequence[Record],
    material: Material | None = None,
    scorer: ToneScorer | None = None,
    progress: Progress | None = None,
) -> list[Decision]:
    """Process what waits, week by week, and make every decision after the week that it was made after.

    Run again after it was stopped it goes on: decisions that are on record already are not made twice.

    Parameters
    ----------
    records
        As `narratives decide list --json` prints them: id, kind, narrative, article, week, detail.

    Returns
    -------
    The decisions that were made now.

    Raises
    ------
    ValueError
        The records are not in order, the archive holds other decisions, or one names what is not there.
    """
    known = desk.archive.rows(Decisions.table)
    for row, record in zip(known, records, strict=False):
        if (row["kind"], row["narrative_id"], row["article_id"]) != _key(record):
            raise ValueError(f"decision {row['id']} of this desk is another one than the file's: {record.get('said')}")
    rest, material = list(records[len(known) :]), material or desk.material()
    weeks_made = [week for week in map(_week, rest) if week is not None]
    if weeks_made != sorted(weeks_made):
        raise ValueError("the decisions are not in the order in which they were made")
    made = []
    for record in rest:
        week, last = _week(record), desk.archive.last_step()
        if week is not None and (last is None or last < week):
            _advance(desk, material, scorer, progress, week)
        try:
            made.append(_make(Decisions(desk.archive, desk.zone), record))
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"decision {record.get('id')} is not as `narratives decide list --json` prints it"
            ) from error
        except ValueError as error:
            raise ValueError(f"decision {record['id']} ({record['said']}) cannot be made here: {error}") from error
    _advance(desk, material, scorer, progress, None)
    return made


def _advance(
    desk: Desk, material: Material, scorer: ToneScorer | None, progress: Progress | None, until: date | None
) -> None:
    update(desk.archive, desk.settings, desk.definitions, material, scorer, progress, desk.reader(), until)


def _make(decisions: Decisions, record: Record) -> Decision:
    kind, narrative, article, detail = (record[name] for name in ("kind", "narrative", "article", "detail"))
    if kind == "rename":
        return decisions.rename(narrative, **detail["names"])
    if kind == "merge":
        return decisions.merge(narrative, detail["into"])
    if kind == "same_as":
        return decisions.same_as(narrative, detail["slug"])
    if kind == "split":
        made = decisions.split(narrative, detail["articles"], **detail["names"])
        if made.detail["into"] != detail["into"]:
            decisions.undo(made)
            raise ValueError(f"what is split off would be {made.detail['into']}, not {detail['into']}")
        return made
    if kind == "pin":
        return decisions.pin(article, narrative)
    if kind == "not_this":
        return decisions.reject(article, narrative)
    if kind == "stance":
        return decisions.label_stance(article, narrative, detail["label"])
    if kind == "confirm":
        return decisions.confirm(narrative)
    if kind == "undo":
        return decisions.undo(detail["decision"])
    raise ValueError(f"there is no kind of decision {kind!r}")


def _key(record: Record) -> tuple[str, str, str]:
    return str(record.get("kind")), str(record.get("narrative")), str(record.get("article"))


def _week(record: Record) -> date | None:
    said = record.get("week")
    return said if said is None or isinstance(said, date) else date.fromisoformat(said)
