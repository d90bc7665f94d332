"""The archive's quarantine: records that could not become articles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from narratives.archive import schema
from narratives.archive.store import Store
from narratives.articles import Reject, short_hash

if TYPE_CHECKING:
    import pandas as pd

_IDS_A_QUERY = 5_000
_RAW_CHARS = 20_000  # of a record that are kept


class Quarantine(Store):
    """Putting records aside, and reading them back."""

    def put_aside(self, connection: Connection, rejects: Sequence[Reject], moment: datetime) -> None:
        """Keep rejects that are not there yet, in a running transaction; `moment` is naive UTC."""
        table = schema.quarantine
        rows: dict[str, dict[str, Any]] = {}
        for reject in rejects:
            raw = reject.raw[:_RAW_CHARS]
            fingerprint = short_hash(reject.origin, raw, n_hex=32)
            rows[fingerprint] = {
                "fingerprint": fingerprint,
                "origin": reject.origin,
                "reason": reject.reason,
                "message": reject.message,
                "raw": raw,
                "quarantined_at": moment,
                "state": "open",
            }
        keys = list(rows)
        for start in range(0, len(keys), _IDS_A_QUERY):
            known = table.c.fingerprint.in_(keys[start : start + _IDS_A_QUERY])
            for key in connection.scalars(select(table.c.fingerprint).where(known)):
                del rows[key]
        if rows:
            connection.execute(insert(table), list(rows.values()))

    def quarantine_frame(self, state: str | None = "open") -> pd.DataFrame:
        """What could not become an article: id, origin, reason, message, raw, state, quarantined_at."""
        import pandas as pd

        table = schema.quarantine
        names = ["id", "origin", "reason", "message", "raw", "state", "quarantined_at"]
        query = select(*(table.c[name] for name in names)).order_by(table.c.id)
        if state is not None:
            query = query.where(table.c.state == state)
        with self.reading() as connection:
            rows = connection.execute(query).fetchall()
        frame = pd.DataFrame(rows, columns=names)
        frame["quarantined_at"] = pd.to_datetime(frame["quarantined_at"], utc=True).astype("datetime64[us, UTC]")
        return frame

    def mark_quarantined(self, ids: Iterable[int], state: str) -> None:
        """Set the state of quarantined records: `open` or `recovered`."""
        rows = [{"which": int(key)} for key in ids]
        if rows:
            table = schema.quarantine
            with self.begin() as connection:
                connection.execute(update(table).where(table.c.id == bindparam("which")).values(state=state), rows)
