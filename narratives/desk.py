"""A desk: one folder with settings, definitions and archive, and the frames that notebooks and reports read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from narratives.analyst import Analyst
from narratives.archive import Archive, schema
from narratives.definitions import Definition, load_definitions
from narratives.inquiry import Inquiry
from narratives.score_frames import ScoreFrames
from narratives.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from embeddings import Encoder
    from narratives.ingest import IngestReport
    from narratives.label_session import Bought, LabelSession
    from narratives.llm import Llm
    from narratives.material import Material
    from narratives.pipeline import Progress, UpdateReport
    from narratives.plugins import StanceReader
    from narratives.tone import ToneScorer

ARCHIVE = "archive.sqlite"
SETTINGS = "narratives.toml"
DEFINITIONS = "definitions.yaml"


def init(folder: str | Path, definitions: str | Path | None = None, archive: str = "") -> Desk:
    """Make a new desk: a folder with settings, definitions and an empty archive.

    Files that are there already are kept; an existing archive is refused.

    Parameters
    ----------
    folder
        Made if it does not exist.
    definitions
        A definitions file to copy in; None copies the sample subject's (rare earths and magnets).
    archive
        Address of a PostgreSQL database for the archive, as `archive.url` in the settings takes it; an archive that is
        there is joined. Empty keeps the archive in the folder.

    Raises
    ------
    FileExistsError
        The folder holds a desk already.
    ValueError
        The definitions or the address are not valid.
    """
    place = Path(folder)
    if (place / ARCHIVE).exists() or (archive and (place / SETTINGS).exists()):
        raise FileExistsError(f"{place} is a desk already; nothing was changed")
    template = files("narratives").joinpath("desk_template")
    chosen = Path(definitions) if definitions else None
    if chosen is not None:
        if not chosen.exists():
            raise FileNotFoundError(f"there is no definitions file {chosen}")
        load_definitions(chosen)
    if archive:
        address_of(Settings.model_validate({"archive": {"url": archive}}))
    place.mkdir(parents=True, exist_ok=True)
    named = f"\n[archive]\nurl = {json.dumps(archive)}\n" if archive else ""
    texts = {
        SETTINGS: template.joinpath(SETTINGS).read_text(encoding="utf-8") + named,
        DEFINITIONS: chosen.read_text(encoding="utf-8-sig")
        if chosen
        else template.joinpath(DEFINITIONS).read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        if not (place / name).exists():
            (place / name).write_text(text, encoding="utf-8")
    address = address_of(load_settings(place / SETTINGS))
    if archive:
        Archive.open_or_create(address).close()
    else:
        Archive.create(address or place / ARCHIVE).close()
    return open_desk(place)


def address_of(settings: Settings) -> str:
    """Address of the archive's database with its environment variables filled in; "" for a file in the folder.

    Raises
    ------
    ValueError
        It names an environment variable that is not set.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ValueError(f"archive.url names the environment variable {found[1]}, which is not set")
        return quote(os.environ[found[1]], safe="")

    return re.sub(r"\$\{(\w+)\}", value, settings.archive.url)


def is_desk(folder: Path) -> bool:
    """It has settings, and an archive of its own or an address of one."""
    if not (folder / SETTINGS).exists():
        return False
    return (folder / ARCHIVE).exists() or bool(load_settings(folder / SETTINGS).archive.url)


def open_desk(folder: str | Path, read_only: bool = False) -> Desk:
    """Open a desk's folder.

    Raises
    ------
    FileNotFoundError
        It is not a desk; the message says how to make one.
    ValueError
        Settings or definitions are not valid.
    """
    place = Path(folder)
    if not is_desk(place):
        raise FileNotFoundError(
            f"{place} is not a desk (no {SETTINGS} and {ARCHIVE}); `narratives init {place}` makes one"
        )
    settings = load_settings(place / SETTINGS)
    return Desk(place, settings, Archive.open(address_of(settings) or place / ARCHIVE, read_only=read_only))


class Desk(ScoreFrames, Analyst, Inquiry):
    """An opened desk; see the methods for the columns of each frame.

    Parameters
    ----------
    folder
        Of the desk.
    settings
        As `narratives.toml` says.
    archive
        Open; a notebook reads while a run writes.
    """

    def __init__(self, folder: Path, settings: Settings, archive: Archive) -> None:
        super().__init__(settings, archive)
        self.folder = folder

    @cached_property
    def definitions(self) -> list[Definition]:
        return load_definitions(self.folder / DEFINITIONS)

    def material(self, encoder: Encoder | None = None) -> Material:
        """Encoder and vector cache, loaded when first used."""
        from narratives.material import Material

        return Material(self.folder / "vectors", self.settings, encoder)

    def llm(self) -> Llm:
        """The language model of the settings, with its answers kept in the desk; see `narratives.llm`.

        Raises
        ------
        LlmError
            None is set.
        """
        from narratives.llm import Llm

        return Llm(self.settings.llm, self.folder / "llm")

    def close(self) -> None:
        self.archive.close()

    # -- work ------------------------------------------------------------------------------------------------

    def ingest(
        self, paths: Iterable[str | Path], mapping: Mapping[str, str] | None = None, progress: Any = None
    ) -> IngestReport:
        """Take in files, folders, globs and addresses; see `narratives.ingest.ingest_paths`."""
        from narratives.ingest import ingest_paths
        from narratives.pipeline import versions

        with self.archive.lock("narratives ingest"):
            report = ingest_paths(self.archive, paths, self.settings, progress, mapping)
            if report.n_new or self._newly_quarantined(report):
                run = self.archive.start_run("ingest", self.settings.model_dump(mode="json"), versions())
                self.archive.finish_run(run, "done", report.counts)
        return report

    def _newly_quarantined(self, report: IngestReport) -> bool:
        n = len(self.archive.rows(schema.quarantine))
        known = sum(
            run["counts"].get("quarantined", 0)
            for run in self.archive.rows(schema.run, schema.run.c.command == "ingest")
        )
        return report.counts["quarantined"] > 0 and n > known

    def update(self, progress: Progress | None = None, encoder: Encoder | None = None) -> UpdateReport:
        """Process what is waiting; see `narratives.pipeline.update`."""
        from narratives.pipeline import update

        material, reader = self.material(encoder), self.reader()
        return update(self.archive, self.settings, self.definitions, material, progress=progress, reader=reader)

    def reader(self) -> StanceReader | None:
        """The stance scorer from elsewhere that `score.stance` names, or None; see `narratives.plugins`."""
        from narratives.plugins import stance_reader

        return stance_reader(self.settings, self.folder / "llm")

    def forecast(self) -> str:
        """What a language model would cost in the next update, at most; "" where none is asked."""
        if self.settings.score.stance != "llm":
            return ""
        from narratives.pipeline import forecast

        return str(forecast(self.archive, self.reader(), self.definitions) or "")

    def to_label(self, narrative: str, n: int = 10) -> pd.DataFrame:
        """The `n` articles of a narrative whose stance labels would teach most; see `LabelSession.ask`.

        Columns: article, title, source, lang, published_at, url, verdict, p_supports, p_opposes, p_reports, evidence
        (list of sentences). Answer with `label_stance`, then `refit_stance`.
        """
        return self.label_session(narrative).ask(n)

    def refit_stance(self, narrative: str) -> Bought:
        """Score a narrative's articles anew with the labels that stand; says what these bought. Takes seconds."""
        return self.label_session(narrative).refit()

    def label_session(self, narrative: str, tone: ToneScorer | None = None) -> LabelSession:
        """Several rounds of labelling with what they need loaded once: `ask`, `say`, `refit`."""
        from narratives.label_session import LabelSession

        return LabelSession(self, narrative, tone=tone)

    def health(self) -> dict[str, Any]:
        """What a reader should know of the material: counts, and whether languages mix in the space."""
        from narratives.health import desk_health

        return desk_health(self)

    # -- pictures --------------------------------------------------------------------------------------------

    def map(self, week: date) -> pd.DataFrame:
        """Places of a week's stories for a picture: id, x, y (-1 to 1); see `narratives.map.week_map`."""
        from narratives.map import week_map

        return week_map(self, week)

    def near_narratives(self, limit: int = 3) -> pd.DataFrame:
        """Of each narrative the nearest others: narrative, other, cosine; see `narratives.map.near_narratives`."""
        from narratives.map import near_narratives

        return near_narratives(self, limit)

    def _repr_html_(self) -> str:
        from html import escape

        at: datetime | None = None
        runs = self.runs()
        if len(runs):
            at = runs["finished_at"].max()
        n = len(self.archive.rows(schema.narrative))
        said = (
            f"{self.archive.n_articles()} articles, {n} narratives, {len(self.weeks())} weeks; last run {at or 'never'}"
        )
        return f"<p><b>{escape(str(self.folder))}</b>: {escape(said)}</p>"
