"""Themes as a frame, and which theme a narrative is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narratives.archive import Archive, schema
from narratives.lookup import redirects

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "id", "name", "name_zh", "name_en", "keywords_zh", "keywords_en", "narratives", "n_narratives", "first_week",
    "last_week",
]  # fmt: skip


def theme_frame(archive: Archive, zh_first: bool) -> pd.DataFrame:
    """The themes of today, those with most narratives first; columns as `Desk.themes` says."""
    import pandas as pd

    rows = []
    with archive.reading() as connection:
        end = redirects(archive, connection)
        for row in archive.rows(schema.theme, schema.theme.c.living, connection=connection):
            inside = sorted({end.get(narrative, narrative) for narrative in row["narratives"]})
            both = (row["name_zh"], row["name_en"]) if zh_first else (row["name_en"], row["name_zh"])
            kept = {name: row[name] for name in COLUMNS if name in row}
            rows.append(
                {**kept, "name": both[0] or both[1] or row["id"], "narratives": inside, "n_narratives": len(inside)}
            )
    rows.sort(key=lambda row: (-row["n_narratives"], row["id"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def theme_of(themes: pd.DataFrame) -> dict[str, str]:
    """Narrative -> its theme's id; one that two themes lead to is in the larger."""
    found: dict[str, str] = {}
    for theme, narratives in zip(themes["id"], themes["narratives"], strict=True):
        for narrative in narratives:
            found.setdefault(narrative, theme)
    return found
