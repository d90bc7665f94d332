"""The frames of a desk about scores: changes of stance and tone, and outlets."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from narratives.archive import schema
from narratives.frames import Frames

if TYPE_CHECKING:
    import pandas as pd


class ScoreFrames(Frames):
    """Reads what scores add up to; nothing here writes."""

    def change(self, narrative: str, week: date, n_weeks_before: int = 1) -> pd.DataFrame:
        """How a narrative's mean stance and tone changed in a week: within outlets, and by the mix of outlets.

        Two rows, stance and tone. Columns: measure, week, before (first week of the period compared with), n_before,
        n (scored stories), mean_before, mean, change (= within + mix), change_low, change_high (95 % bootstrap over
        stories, also of the parts), within (outlets that spoke differently), within_low, within_high, mix (other
        outlets spoke), mix_low, mix_high, shared (0 to 1: stories from outlets of both periods), note ("", "too
        few", or "no common source": then there are no parts). See `narratives.aggregates.decompose`.
        """
        from narratives.aggregates import week_change

        least = self.settings.report.min_stories_for_average
        return week_change(self.articles(), narrative, week, least, n_weeks_before)

    def sources(self, narrative: str, week: date | None = None) -> pd.DataFrame:
        """One row an outlet that told a narrative (in a week), most stories first.

        Columns: source, n_stories, and for stance and for tone: stance_n (scored stories), stance_raw (their mean),
        stance (drawn toward the narrative's mean, the more so the fewer the stories), stance_low, stance_high (95 %),
        stance_weight (0 to 1: what the outlet's own stories count). NaN where all outlets together have too few.
        See `narratives.aggregates.shrink` for the formula.
        """
        from narratives.aggregates import shrunk_sources

        return shrunk_sources(self.articles(), narrative, self.settings.report.min_stories_for_average, week)

    def speakers(self, narrative: str) -> pd.DataFrame:
        """Who speaks in a narrative's evidence, most stories first: a quotation is its speaker's, not the outlet's.

        Columns: speaker (as the texts name her), n_stories, n_sentences, stance (mean over stories of her evidence
        sentences toward the claim, -1 to 1; NaN without any), tone (the same for tone).
        """
        import pandas as pd

        columns = ["speaker", "n_stories", "n_sentences", "stance", "tone"]
        said = self.evidence(narrative)
        said = said[said["speaker"] != ""]
        if said.empty:
            return pd.DataFrame(columns=columns)
        rows = []
        for speaker, own in said.groupby("speaker"):
            means = {kind: one.groupby("story")["score"].mean().mean() for kind, one in own.groupby("kind")}
            n_sentences = len(own[["article", "start"]].drop_duplicates())
            rows.append((speaker, own["story"].nunique(), n_sentences, means.get("stance"), means.get("tone")))
        frame = pd.DataFrame(rows, columns=columns).astype({"stance": float, "tone": float})
        return frame.sort_values(["n_stories", "speaker"], ascending=[False, True], ignore_index=True)

    def actor_tones(self, narrative: str = "", week: date | None = None) -> pd.DataFrame:
        """How articles speak of the actors that the definitions name, one row an article and actor (at most three).

        Columns: article, story, source, lang, week, narrative, actor (as in `definitions.yaml`), tone (-1 to 1, mean of
        the sentences that name it), n_sentences (that name it), sentence, start, end (the first of them in the
        article's text), speaker ("" for the outlet's own words), is_first (the story's first copy: average over those).
        Articles taken in before an archive knew of actors have none.
        """
        import pandas as pd

        columns = ["article", "story", "source", "lang", "week", "narrative", "actor", "tone", "n_sentences"]
        columns += ["sentence", "start", "end", "speaker", "is_first"]
        articles = self.articles()
        if narrative:
            articles = articles[articles["narrative"] == narrative]
        if week is not None:
            articles = articles[articles["week"] == week]
        by_id = articles.set_index("id", drop=False)
        wanted = set(by_id.index)
        rows = []
        for row in self.archive.rows(schema.actor_tone):
            if row["article_id"] not in wanted:
                continue
            a, span = by_id.loc[row["article_id"]], row["evidence"][0]
            own = {name: a[name] for name in ("story", "source", "lang", "week", "narrative", "is_first")}
            own |= {"article": a["id"], "sentence": a["text"][span["start"] : span["end"]]}
            own |= {name: row[name] for name in ("actor", "tone", "n_sentences")}
            rows.append(own | {name: span.get(name, "") for name in ("start", "end", "speaker")})
        return pd.DataFrame(rows, columns=columns)

    def draft(self, narrative: str) -> pd.DataFrame:
        """Claim and statements of a narrative, to be read before `confirm`; of a found one they are a draft.

        Columns: role (claim, pro, con, neutral), lang, text. A draft is taken from the narrative's own sentences;
        nothing is measured by it until it is confirmed, and then from the next update on.

        Raises
        ------
        KeyError
            There is no such narrative.
        """
        import pandas as pd

        from narratives.drafts import draft_rows

        found = self.archive.rows(schema.narrative, schema.narrative.c.id == narrative)
        if not found:
            raise KeyError(f"there is no narrative {narrative!r}")
        return pd.DataFrame(draft_rows(found[0]), columns=["role", "lang", "text"])
