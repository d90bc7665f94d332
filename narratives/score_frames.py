"""The frames of a desk about scores: changes of stance and tone, and outlets."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

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
