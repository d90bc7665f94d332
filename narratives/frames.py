"""The frames of a desk that notebooks and reports read: one method a table, its columns in its docstring."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from narratives.archive import Archive, schema
from narratives.article_frame import article_frame
from narratives.one_language import one_language
from narratives.settings import Settings
from narratives.theme_frame import theme_frame, theme_of

if TYPE_CHECKING:
    import pandas as pd

    from narratives.alerts import Precision


class Frames:
    """Reads an archive as DataFrames; nothing here writes."""

    def __init__(self, settings: Settings, archive: Archive) -> None:
        self.settings, self.archive = settings, archive
        self.zone = ZoneInfo(settings.discover.timezone)
        self._articles: tuple[tuple[Any, ...], pd.DataFrame] | None = None

    def weeks(self) -> list[date]:
        """Mondays of the weeks that were processed, in order."""
        return self.archive.steps()

    def articles(self, narrative: str | None = None, week: date | None = None) -> pd.DataFrame:
        """One row an article that a step has taken in, in order of publication.

        With `narrative` (id of the primary one) or `week` (its Monday) only those are read, which takes a fraction
        of a second also in an archive of a million articles.

        Columns: id, title, text, source, lang (`zh`, `zh-Hant`, `en`, …), published_at (UTC), week (its Monday, in
        the desk's time zone), url, story (id that reprints share), is_first (the story's first copy), n_copies
        (articles of the story), narrative (id of the primary narrative, or ""), weight (0 to 1), weak, stance (-1
        to 1 toward the narrative's claim; NaN without a claim), verdict (supports, opposes, reports, unclear, which
        it is without a claim too, or "" where the next update will say), confidence (0 to 1), tone (-1 to 1),
        origin (file and line).
        """
        if narrative is not None or week is not None:
            return article_frame(self.archive, self.zone, narrative, week)
        # A report asks for it once a narrative; it is built anew only after something was written.
        state = self.archive.state()
        if self._articles is None or self._articles[0] != state:
            self._articles = (state, article_frame(self.archive, self.zone))
        return self._articles[1].copy()

    def narratives(self) -> pd.DataFrame:
        """One row a narrative, by id.

        Columns: id, name (in the report's language), name_zh, name_en, slug (of the definition, or ""), origin
        (defined, discovered), status (provisional, active, dormant, ended, merged), born_week, last_week,
        n_articles (with reprints), n_stories, keywords_zh, keywords_en, claim_zh, claim_en, drafted (the claim is not
        a person's), drift (1 - cosine of today's centre to the first), level, cohesion, merged_into, languages,
        one_language (that of all its stories, if the archive has two and chance would hardly do that; else ""), theme
        (id, or "").
        """
        import numpy as np
        import pandas as pd

        from narratives.archive.history import bytes_vector

        articles = self.articles()
        none = articles.iloc[:0]
        firsts = articles[articles["is_first"]]
        alone = one_language(zip(firsts["narrative"], firsts["week"], firsts["lang"], strict=True))
        themes = theme_of(self.themes())
        groups = dict(list(articles[["narrative", "story", "lang"]].groupby("narrative")))
        rows = []
        for row in self.archive.rows(schema.narrative):
            own = groups.get(row["id"], none)
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
                    "one_language": alone.get(row["id"], ("", 1.0))[0],
                    "theme": themes.get(row["id"], ""),
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
            "one_language",
            "theme",
        ]
        return pd.DataFrame(rows, columns=columns)

    def themes(self) -> pd.DataFrame:
        """One row a theme, a group of narratives, as it was last made (every fourth week); the largest first.

        Columns: id, name (in the report's language), name_zh, name_en (by machine), keywords_zh, keywords_en,
        narratives (list of ids), n_narratives, first_week, last_week (in which it was found first and last). None
        where there are fewer than eight narratives.
        """
        return theme_frame(self.archive, self.settings.report.language == "zh")

    def timeline(self, freq: str = "W") -> pd.DataFrame:
        """Figures a week (or `freq="MS"`: a month) and narrative; see `narratives.timeline.weekly_timeline`."""
        from narratives.timeline import weekly_timeline

        return weekly_timeline(self.articles(), self.settings.report.min_stories_for_average, freq)

    def kept_back(self, week: date) -> int:
        """Waiting stories of a week that hung together and founded nothing: nothing showed that they were new."""
        rows = self.archive.rows(schema.step, schema.step.c.week == week)
        return int((rows[0]["counts"] or {}).get("kept_back", 0)) if rows else 0

    def events(self) -> pd.DataFrame:
        """Ledger, oldest first: week, kind, narrative, other, detail (dict).

        Kinds: born, split (`other` came out of `narrative`), merged (into `other`), dormant, revived, ended, renamed.
        """
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

    def alert_precision(self, week: date | None = None) -> Precision:
        """How many alerts that are settled were confirmed, with n and interval; as it was known in `week`."""
        from narratives.alerts import running_precision

        rows = self.archive.rows(schema.alert, schema.alert.c.tier == "alert")
        states = []
        for row in rows:
            if week is not None and row["week"] > week:
                continue
            later = week is not None and row["settled_week"] is not None and row["settled_week"] > week
            states.append("emerging" if later else row["state"])
        return running_precision(states)

    def feed_notices(self, week: date | None = None) -> pd.DataFrame:
        """Sources that fell silent, doubled or began in `week` (the latest processed one), by name.

        Columns: week, source ("" = every source), kind (silent, doubled, started), n_articles (with reprints), usual
        (median a week before), z (robust; NaN where it started), n_weeks (weeks of silence, else 1), zh, en (the
        notice as a sentence).
        """
        import pandas as pd

        from narratives.volume import latest_notices

        done = self.weeks()
        week = week or (done[-1] if done else None)
        found = latest_notices(self.archive, self.zone, done, week) if week is not None else []
        columns = ["week", "source", "kind", "n_articles", "usual", "z", "n_weeks", "zh", "en"]
        rows = [{**vars(notice), "zh": notice.said("zh"), "en": notice.said("en")} for notice in found]
        return pd.DataFrame(rows, columns=columns)

    def evidence(self, narrative: str) -> pd.DataFrame:
        """Sentences that carry the scores of a narrative's articles, strongest article first.

        Columns: article, story, title, source, lang, published_at, url, sentence, start, end (`text[start:end]`),
        stance, verdict, confidence (of the article), kind (stance, tone), tone (of the sentence where kind is tone),
        score (of the sentence, -1 to 1), speaker (whose words it carries, "" for the outlet's own).

        Raises
        ------
        KeyError
            There is no such narrative.
        """
        import pandas as pd

        if not self.archive.rows(schema.narrative, schema.narrative.c.id == narrative):
            raise KeyError(f"there is no narrative {narrative!r}")
        own = {row["id"]: row for row in self.articles(narrative).to_dict("records")}
        s, t, m = schema.score, schema.tone, schema.membership
        spans: list[tuple[str, str, dict[str, Any]]] = []
        for row in self.archive.rows(s, s.c.narrative_id == narrative):
            spans += [(row["article_id"], "stance", span) for span in row["evidence"]]
        members = select(m.c.article_id).where(m.c.narrative_id == narrative)
        for row in self.archive.rows(t, t.c.article_id.in_(members)):
            spans += [(row["article_id"], "tone", span) for span in row["evidence"]]
        rows = []
        for article_id, kind, span in spans:
            if article_id not in own:
                continue
            a = own[article_id]
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
                    "speaker": span.get("speaker", ""),
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
            "speaker",
        ]
        frame = pd.DataFrame(rows, columns=columns)
        order = frame["score"].abs()
        return (
            frame.assign(_order=-order)
            .sort_values(["kind", "_order", "article", "start"], ignore_index=True)
            .drop(columns="_order")
        )

    def terms(self, narrative: str, week: date | None = None) -> pd.DataFrame:
        """Class-based TF-IDF terms of a narrative, or of what was published of it in a week.

        Columns: lang, term (as the articles write it), score; best first within a language. A week is compared with the
        other articles of that week, a narrative with those of the latest weeks.
        """
        import pandas as pd

        from narratives.keywords import keywords_of
        from narratives.term_sums import add_up, count, texts_of
        from narratives.vocabulary import material_in, material_of, stored_cells

        cells, last = stored_cells(self.archive, [narrative]).get(narrative), self.archive.last_step()
        if week is None and cells and last:
            own, every = add_up(list(cells.values())), list(material_of(self.archive, last).values())
        else:  # of one week, or members that a decision changed since the last update
            articles = self.articles() if week is None else self.articles(week=week)
            firsts = articles[articles["is_first"]]
            own = count(firsts[firsts["narrative"] == narrative].to_dict("records"))
            every = [material_in(firsts.to_dict("records"))]
        words = keywords_of(own, texts_of(every))
        rows = [("zh", *w) for w in words.zh] + [("en", *w) for w in words.en]
        return pd.DataFrame(rows, columns=["lang", "term", "score"])

    def quarantine(self) -> pd.DataFrame:
        """What could not become an article: id, origin, reason, message, raw, state."""
        frame = self.archive.quarantine_frame(None)
        return frame[["id", "origin", "reason", "message", "raw", "state"]]

    def runs(self) -> pd.DataFrame:
        """One row a run that did something.

        Columns: id, command, state (running, done, failed, killed), started_at, finished_at, settings, versions,
        counts, seconds.
        """
        import pandas as pd

        frame = pd.DataFrame(self.archive.rows(schema.run), columns=[c.name for c in schema.run.columns])
        for name in ("started_at", "finished_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame
