# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What changed this week
#
# What the weekly report says, with the figures behind each sentence: new, grown, faded, turned, alerts.
# `WEEK` takes `2025-W43` or any day of a week; left empty, the last processed one is read.

# %%
import os
from pathlib import Path

import altair as alt
import pandas as pd
from IPython.display import Markdown

import narratives
import reports
from narratives import weeks

WEEK = ""

folder = os.environ.get("NARRATIVES_DESK") or ("desk" if Path("desk").exists() else "../desk")
desk = narratives.open(folder, read_only=True)
alt.renderers.enable("svg")  # pictures that stay in the file, and need no network
pd.set_option("display.max_colwidth", 110)
report = reports.build_weekly(desk, WEEK or None)
known = desk.narratives()
names = {n.id: " / ".join(dict.fromkeys(x for x in (n.name_zh, n.name_en) if x)) for n in known.itertuples()}

# %% [markdown]
# ## The week in sentences
#
# Composed from the figures, not written by a language model; the same desk always gives the same sentences.
# "Within chance" means that a rise or fall of this size comes about by itself in a week like this.

# %% tags=["shown"]
said = "\n".join(f"1. {sentence.text.en}  \n   {sentence.text.zh}" for sentence in report.summary)
Markdown(f"**{report.label}** ({report.week} – {report.last_day})\n\n{said}")

# %% [markdown]
# ## New
#
# The last narratives to be born, up to this week, each with the headlines of its first week.
# A week without one is the usual week: most weeks bring more of the known.

# %% tags=["shown"]
articles = desk.articles()
events = desk.events()
births = events[(events["kind"] == "born") & (events["week"] <= report.week)].tail(3)
firsts = articles[articles["is_first"]].merge(births[["narrative", "week"]], on=["narrative", "week"])
firsts.insert(0, "born", [weeks.label(week) + (" (new)" if week == report.week else "") for week in firsts["week"]])
firsts.sort_values(["week", "narrative"], ascending=False)[["born", "narrative", "lang", "source", "title"]].head(12)

# %% [markdown]
# ## Grew, faded
#
# Stories this week against the week before and the mean of the four before; `p` is the probability of such a change
# in the narrative's share by chance. `sure` holds after all narratives of the week were tested together.

# %% tags=["shown"]
moves = pd.DataFrame(
    [
        {
            "narrative": row.id,
            "name": names[row.id],
            "stories": row.now.n_stories,
            "with reprints": row.now.reach,
            "week before": row.movement.last,
            "mean of 4 weeks": row.movement.mean4,
            "share": row.now.share,
            "direction": row.movement.direction,
            "p": row.movement.p_value,
            "sure": row.movement.clear,
        }
        for row in report.rows
    ]
)
moves.set_index("narrative").round(2)

# %% [markdown]
# The same as a picture: the open ring is the mean of the four weeks before, the dot this week.

# %% tags=["shown"]
moves["label"] = moves["narrative"] + " " + moves["name"].str.split(" / ").str[0]
lanes = alt.Y("label:N", title=None, sort=list(moves["label"]), axis=alt.Axis(labelLimit=260))
base = alt.Chart(moves).encode(y=lanes)
mean = alt.X("mean of 4 weeks:Q", title="stories / 独立报道")
way = base.mark_rule(color="#b9d5d6", strokeWidth=3).encode(x=mean, x2="stories:Q")
before = base.mark_point(color="#0a6870", size=60).encode(x="mean of 4 weeks:Q")
now = base.mark_circle(color="#0a6870", size=80, opacity=1).encode(x="stories:Q")
alt.layer(way, before, now).properties(width=420, height=alt.Step(28))

# %% [markdown]
# ## Turned
#
# Moves of the mean stance or tone against the four weeks before. `within` is what the same sources changed, `mix` what
# other sources brought: only the first is a change of mind.

# %%
columns = ["narrative", "what", "before", "after", "n_before", "n_after", "within", "mix", "p_value", "clear"]
turned = pd.DataFrame([{name: getattr(t, name) for name in columns} for t in report.turned], columns=columns)
turned.insert(1, "name", [names.get(i, i) for i in turned["narrative"]])
turned.round(2)

# %% [markdown]
# ## Alerts
#
# Every alert and watch so far, the newest first. A watch met only part of the rule; `confirmed` means that the narrative
# went on growing after its birth, `retracted` that nothing followed.

# %% tags=["shown"]
alerts = desk.alerts().sort_values("week", ascending=False)
evidence = alerts["evidence"].tolist()
missed = [", ".join(k for k, met in e.get("passed", {}).items() if not met) for e in evidence]
seen = pd.DataFrame(
    {
        "alert": alerts["id"],
        "week": alerts["week"],
        "narrative": alerts["narrative"],
        "name": alerts["name"],
        "tier": alerts["tier"],
        "state": alerts["state"],
        "stories": [e.get("n_stories") for e in evidence],
        "sources": [e.get("n_sources") for e in evidence],
        "cohesion": alerts["statistic"],
        "needed": alerts["threshold"],
        "not met": missed,
    }
)
seen.round(2)

# %% [markdown]
# ## The life of all narratives
#
# The ledger: births, splits, merges and ends, in order. An id is never used again, so that last year's report still
# points at the right thing.

# %% tags=["shown"]
events["name"] = [names.get(i, i) for i in events["narrative"]]
events[["week", "kind", "narrative", "name", "other"]]

# %%
desk.close()
