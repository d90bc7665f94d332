"""A desk: one folder with settings, definitions and archive, and the frames that notebooks and reports read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from narratives import weeks
from narratives.archive import Archive, schema
from narratives.definitions import Definition, load_definitions
from narratives.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from embeddings import Encoder
    from narratives.ingest import IngestReport
    from narratives.material import Material
    from narratives.pipeline import Progress, UpdateReport

ARCHIVE = "archive.sqlite"
SETTINGS = "narratives.toml"
DEFINITIONS = "definitions.yaml"


def init(folder: str | Path, definitions: str | Path | None = None) -> Desk:
    """Make a new desk: a folder with settings, definitions and an empty archive.

    Files that are there already are kept; an existing archive is refused.

    Parameters
    ----------
    folder
        Made if it does not exist.
    definitions
        A definitions file to copy in; None copies the sample subject's (rare earths and magnets).

    Raises
    ------
    FileExistsError
        The folder holds a desk already.
    ValueError
        The definitions are not valid.
    """
    place = Path(folder)
    if (place / ARCHIVE).exists():
        raise FileExistsError(f"{place} is a desk already; nothing was changed")
    template = files("narratives").joinpath("desk_template")
    chosen = Path(definitions) if definitions else None
    if chosen is not None:
        if not chosen.exists():
            raise FileNotFoundError(f"there is no definitions file {chosen}")
        load_definitions(chosen)
    place.mkdir(parents=True, exist_ok=True)
    texts = {
        SETTINGS: template.joinpath(SETTINGS).read_text(encoding="utf-8"),
        DEFINITIONS: chosen.read_text(encoding="utf-8-sig")
        if chosen
        else template.joinpath(DEFINITIONS).read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        if not (place / name).exists():
            (place / name).write_text(text, encoding="utf-8")
    load_settings(place / SETTINGS)
    Archive.create(place / ARCHIVE).close()
    return open_desk(place)


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
    if not (place / SETTINGS).exists() or not (place / ARCHIVE).exists():
        raise FileNotFoundError(
            f"{place} is not a desk (no {SETTINGS} and {ARCHIVE}); `narratives init {place}` makes one"
        )
    settings = load_settings(place / SETTINGS)
    return Desk(place, settings, Archive.open(place / ARCHIVE, read_only=read_only))


class Desk:
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
        self.folder, self.settings, self.archive = folder, settings, archive
        self.zone = ZoneInfo(settings.discover.timezone)

    @cached_property
    def definitions(self) -> list[Definition]:
        return load_definitions(self.folder / DEFINITIONS)

    def material(self, encoder: Encoder | None = None) -> Material:
        """Encoder and vector cache, loaded when first used."""
        from narratives.material import Material

        return Material(self.folder / "vectors", self.settings, encoder)

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

        return update(self.archive, self.settings, self.definitions, self.material(encoder), progress=progress)

    # -- frames ----------------------------------------------------------------------------------------------

    def weeks(self) -> list[date]:
        """Mondays of the weeks that were processed, in order."""
        return self.archive.steps()

    def articles(self) -> pd.DataFrame:
        """One row an article that a step has taken in, in order of publication.

        Columns: id, title, text, source, lang (`zh`, `zh-Hant`, `en`, …), published_at (UTC), week (its Monday, in
        the desk's time zone), url, story (id that reprints share), is_first (the story's first copy), n_copies
        (articles of the story), narrative (id of the primary narrative, or ""), weight (0 to 1), weak, stance (-1
        to 1 toward the narrative's claim; NaN without a claim), verdict (supports, opposes, reports, unclear, or
        ""), confidence (0 to 1), tone (-1 to 1), origin (file and line).
        """
        import pandas as pd

        a, m, s, t = schema.article, schema.membership, schema.score, schema.tone
        articles = pd.DataFrame(self.archive.rows(a, a.c.step_week.is_not(None)), columns=[c.name for c in a.columns])
        members = pd.DataFrame(self.archive.rows(m, m.c.primary), columns=[c.name for c in m.columns])
        scores = pd.DataFrame(self.archive.rows(s), columns=[c.name for c in s.columns])
        tones = pd.DataFrame(self.archive.rows(t), columns=[c.name for c in t.columns])
        frame = articles.merge(
            members[["article_id", "narrative_id", "weight", "weak"]], left_on="id", right_on="article_id", how="left"
        ).drop(columns="article_id")
        frame = frame.merge(
            scores[["article_id", "narrative_id", "stance", "verdict", "confidence"]],
            left_on=["id", "narrative_id"],
            right_on=["article_id", "narrative_id"],
            how="left",
        ).drop(columns="article_id")
        frame = frame.merge(tones[["article_id", "tone"]], left_on="id", right_on="article_id", how="left")
        frame["narrative"] = frame["narrative_id"].fillna("").astype(str)
        frame["verdict"] = frame["verdict"].fillna("").astype(str)
        frame["weak"] = frame["weak"].fillna(False).astype(bool)
        frame["stance"] = frame["stance"].astype(float).where(frame["confidence"].astype(float) > 0)
        frame["confidence"] = frame["confidence"].astype(float)
        frame["tone"] = frame["tone"].astype(float)
        frame["weight"] = frame["weight"].astype(float)
        frame["week"] = pd.Series([weeks.monday_of(at, self.zone) for at in frame["published_at"]], dtype=object)
        frame["published_at"] = pd.to_datetime(frame["published_at"], utc=True).astype("datetime64[us, UTC]")
        frame = frame.sort_values(["published_at", "id"], ignore_index=True)
        frame["is_first"] = ~frame.duplicated("story_id")
        frame["n_copies"] = frame.groupby("story_id")["id"].transform("size").astype(int)
        return frame.rename(columns={"story_id": "story"})[
            [
                "id",
                "title",
                "text",
                "source",
                "lang",
                "published_at",
                "week",
                "url",
                "story",
                "is_first",
                "n_copies",
                "narrative",
                "weight",
                "weak",
                "stance",
                "verdict",
                "confidence",
                "tone",
                "origin",
            ]
        ]

    def narratives(self) -> pd.DataFrame:
        """One row a narrative, by id.

        Columns: id, name (in the report's language), name_zh, name_en, slug (of the definition, or ""), origin
        (defined, discovered), status (provisional, active, dormant, ended, merged), born_week, last_week,
        n_articles (with reprints), n_stories, keywords_zh, keywords_en, claim_zh, claim_en, drafted (the claim is not
        a person's), drift (1 - cosine of today's centre to the first), level, cohesion, merged_into, languages.
        """
        import numpy as np
        import pandas as pd

        from narratives.archive.history import bytes_vector

        articles = self.articles()
        rows = []
        for row in self.archive.rows(schema.narrative):
            own = articles[articles["narrative"] == row["id"]]
            claim = (row["definition"] or {}).get("claim") or {}
            zh_first = self.settings.report.language == "zh"
            names = (row["name_zh"], row["name_en"]) if zh_first else (row["name_en"], row["name_zh"])
            drift = np.nan
            if row["anchor"] and row["centre"]:
                drift = round(1.0 - float(bytes_vector(row["anchor"]) @ bytes_vector(row["centre"])), 4)
            rows.append(
                {
                    "id": row["id"],
                    "name": names[0] or names[1] or row["id"],
                    "name_zh": row["name_zh"],
                    "name_en": row["name_en"],
                    "slug": row["slug"] or "",
                    "origin": row["origin"],
                    "status": row["status"],
                    "born_week": row["born_week"],
                    "last_week": row["last_week"],
                    "n_articles": len(own),
                    "n_stories": own["story"].nunique(),
                    "keywords_zh": row["keywords_zh"],
                    "keywords_en": row["keywords_en"],
                    "claim_zh": claim.get("zh", ""),
                    "claim_en": claim.get("en", ""),
                    "drafted": bool(row["drafted"]),
                    "drift": drift,
                    "level": row["level"],
                    "cohesion": row["cohesion"],
                    "merged_into": row["merged_into"] or "",
                    "languages": sorted({tag.split("-")[0] for tag in own["lang"]}),
                }
            )
        columns = [
            "id",
            "name",
            "name_zh",
            "name_en",
            "slug",
            "origin",
            "status",
            "born_week",
            "last_week",
            "n_articles",
            "n_stories",
            "keywords_zh",
            "keywords_en",
            "claim_zh",
            "claim_en",
            "drafted",
            "drift",
            "level",
            "cohesion",
            "merged_into",
            "languages",
        ]
        return pd.DataFrame(rows, columns=columns)

    def timeline(self, freq: str = "W") -> pd.DataFrame:
        """Figures a week (or `freq="MS"`: a month) and narrative; see `narratives.timeline.weekly_timeline`."""
        from narratives.timeline import weekly_timeline

        return weekly_timeline(self.articles(), self.settings.report.min_stories_for_average, freq)

    def events(self) -> pd.DataFrame:
        """Ledger, oldest first: week, kind (born, split, merged, dormant, revived, ended, renamed), narrative, other, detail."""
        import pandas as pd

        rows = sorted(self.archive.rows(schema.event), key=lambda row: (row["week"], row["id"]))
        frame = pd.DataFrame(rows, columns=[c.name for c in schema.event.columns])
        return frame.rename(columns={"narrative_id": "narrative", "other_id": "other"})[
            ["week", "kind", "narrative", "other", "detail"]
        ]

    def alerts(self) -> pd.DataFrame:
        """One row an alert, by id.

        Columns: id, narrative, name, week (of birth), tier (alert: rule R holds; watch: a part of it does not),
        state (emerging, confirmed, retracted, held), acknowledged, statistic (cohesion), p_value, threshold,
        evidence (dict: counts, which parts of the rule passed, article_ids, nearest narrative), settled_week.
        """
        import pandas as pd

        frame = pd.DataFrame(self.archive.rows(schema.alert), columns=[c.name for c in schema.alert.columns])
        frame = frame.rename(columns={"narrative_id": "narrative"})
        names = self.narratives().set_index("id")["name"]
        frame.insert(2, "name", [names.get(i, i) for i in frame["narrative"]])
        return frame

    def evidence(self, narrative: str) -> pd.DataFrame:
        """Sentences that carry the scores of a narrative's articles, strongest article first.

        Columns: article, story, title, source, lang, published_at, url, sentence, start, end (`text[start:end]`),
        stance, verdict, confidence (of the article), kind (stance, tone), tone (of the sentence where kind is tone),
        score (of the sentence, -1 to 1).

        Raises
        ------
        KeyError
            There is no such narrative.
        """
        import pandas as pd

        if not self.archive.rows(schema.narrative, schema.narrative.c.id == narrative):
            raise KeyError(f"there is no narrative {narrative!r}")
        articles = self.articles()
        own = articles[articles["narrative"] == narrative].set_index("id", drop=False)
        s, t = schema.score, schema.tone
        spans: list[tuple[str, str, dict[str, Any]]] = []
        for row in self.archive.rows(s, s.c.narrative_id == narrative):
            spans += [(row["article_id"], "stance", span) for span in row["evidence"]]
        wanted = set(own.index)
        spans += [
            (r["article_id"], "tone", sp)
            for r in self.archive.rows(t)
            if r["article_id"] in wanted
            for sp in r["evidence"]
        ]
        rows = []
        for article_id, kind, span in spans:
            if article_id not in wanted:
                continue
            a = own.loc[article_id]
            rows.append(
                {
                    "article": article_id,
                    "story": a["story"],
                    "title": a["title"],
                    "source": a["source"],
                    "lang": a["lang"],
                    "published_at": a["published_at"],
                    "url": a["url"],
                    "sentence": a["text"][span["start"] : span["end"]],
                    "start": span["start"],
                    "end": span["end"],
                    "stance": a["stance"],
                    "verdict": a["verdict"],
                    "confidence": a["confidence"],
                    "kind": kind,
                    "tone": span.get("tone", float("nan")),
                    "score": span.get(kind, float("nan")),
                }
            )
        columns = [
            "article",
            "story",
            "title",
            "source",
            "lang",
            "published_at",
            "url",
            "sentence",
            "start",
            "end",
            "stance",
            "verdict",
            "confidence",
            "kind",
            "tone",
            "score",
        ]
        frame = pd.DataFrame(rows, columns=columns)
        order = frame["score"].abs()
        return (
            frame.assign(_order=-order)
            .sort_values(["kind", "_order", "article", "start"], ignore_index=True)
            .drop(columns="_order")
        )

    def terms(self, narrative: str, week: date | None = None) -> pd.DataFrame:
        """Class-based TF-IDF terms of a narrative (of one week): lang, term, score; best first within a language."""
        import pandas as pd

        from narratives.describe import class_tfidf, count_terms

        articles = self.articles()
        articles = articles[articles["is_first"]]
        if week is not None:
            articles = articles[articles["week"] == week]
        classes, sizes = {}, {}
        for name, group in articles.groupby("narrative"):
            counts = count_terms("")
            for row in group.itertuples():
                counts.update(count_terms(f"{row.title}\n{row.text}"))
            classes[str(name)], sizes[str(name)] = counts, len(group)
        words = class_tfidf(classes, sizes).get(narrative)
        rows = [] if words is None else [("zh", *w) for w in words.zh] + [("en", *w) for w in words.en]
        return pd.DataFrame(rows, columns=["lang", "term", "score"])

    def quarantine(self) -> pd.DataFrame:
        """What could not become an article: id, origin, reason, message, raw, state."""
        frame = self.archive.quarantine_frame(None)
        return frame[["id", "origin", "reason", "message", "raw", "state"]]

    def runs(self) -> pd.DataFrame:
        """One row a run that did something: id, command, state, started_at, finished_at, counts, versions, settings, seconds."""
        import pandas as pd

        frame = pd.DataFrame(self.archive.rows(schema.run), columns=[c.name for c in schema.run.columns])
        for name in ("started_at", "finished_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame

    def health(self) -> dict[str, Any]:
        """What a reader should know of the material: counts, and whether languages mix in the space."""
        from narratives.health import desk_health

        return desk_health(self)

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
