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
# # Tune a definition
#
# A named narrative is known by its texts: claim, statements, examples. This notebook tries a definition on the articles
# that are there, shows what it would take and what it would miss, and changes it until it takes what you mean.
# Nothing is written until you put the text into `definitions.yaml`.

# %%
import os
from pathlib import Path

import altair as alt
import pandas as pd

import narratives

folder = os.environ.get("NARRATIVES_DESK") or ("desk" if Path("desk").exists() else "../desk")
desk = narratives.open(folder, read_only=True)
alt.renderers.enable("svg")  # pictures that stay in the file, and need no network
pd.set_option("display.max_colwidth", 90)

# %% [markdown]
# ## Is there anything to name?
#
# Ask in any language. `score` says how far a story stands out among those of its language (above 2 is worth reading),
# `narrative` where it is now; what is in none, or in one that means something else, is what a definition is for.

# %% tags=["shown"]
found = desk.search("深海采矿 许可 seabed mining licence", n=10)
found[["score", "title", "lang", "source", "narrative", "shared"]]

# %% [markdown]
# ## A first try
#
# As short as it may be: a name, a claim in both languages, a few headlines. `try_definition` places every story as
# an update would, with this definition beside the narratives that are there. One that was found and means the same
# would win every story by its members, so it is left out: `instead_of`.

# %% tags=["shown"]
first = {
    "id": "seabed-mining",
    "name": {"zh": "深海采矿", "en": "Seabed mining"},
    "claim": {
        "zh": "深海采矿将改变稀土的供应格局。",
        "en": "Mining the seabed will change who supplies rare earths.",
    },
    "examples": ["Cook Islands extends seabed exploration licences", "日本试采海底稀土泥"],
}
known = desk.narratives().set_index("id", drop=False)
hits = found.loc[found["narrative"].isin(known.index[known["origin"] == "discovered"]), "narrative"]
instead = list(hits.mode()[:1])  # the found narrative that most hits are in, if any
trial = desk.try_definition(first, instead_of=instead)
trial

# %% [markdown]
# ## What it would take, and what it only comes near
#
# Above the line `level` a single story may join; it does where no other narrative lies nearer. Dots above the line
# that do not join are the ones to read: do they belong, or is the definition too wide?

# %% tags=["shown"]
dots = trial.articles.assign(outcome=["joins" if j else "nearer to another" for j in trial.articles["joins"]])
line = alt.Chart(pd.DataFrame({"level": [dots["level"].iloc[0] if len(dots) else 0.14]})).mark_rule(strokeDash=[4, 3])
points = alt.Chart(dots.drop(columns=["published_at"])).mark_circle(size=60, opacity=0.7)
points = points.encode(
    x=alt.X("best_other_score:Q", title="nearest other narrative / 最近的其他叙事"),
    y=alt.Y("score:Q", title="this definition / 本定义"),
    color=alt.Color("outcome:N", title=None, scale=alt.Scale(range=["#0a6870", "#c9742b"])),
    tooltip=["title", "narrative", "best_other"],
)
alt.layer(points, line.encode(y="level:Q")).properties(width=420, height=300)

# %% [markdown]
# ## More to go by
#
# Examples like the articles teach more than a claim; counter-examples say where it ends. The numbers tell whether
# the change did what you wanted: compare `taken` before and after.

# %% tags=["shown"]
second = {
    **first,
    "actors": ["International Seabed Authority", "国际海底管理局", "Cook Islands", "库克群岛"],
    "pro": [
        "Nodules from the seabed could end the shortage of heavy rare earths",
        "Test lift brings rare earth mud from six kilometres down",
        "深海稀土泥试采成功，储量可用数百年",
        "海底多金属结核成为稀土新来源",
    ],
    "con": [
        "Seabed mining is a decade away, engineers warn",
        "Scientists call for a moratorium on deep-sea mining",
        "深海采矿成本高昂，短期难以商业化",
        "环保组织呼吁暂停深海采矿",
    ],
    "neutral": ["Seabed authority meets on the mining code", "国际海底管理局召开年会"],
    "counter_examples": ["Kachin mines pollute the river", "缅甸克钦矿山污染河流"],
}
better = desk.try_definition(second, instead_of=instead)
names = known["name"].to_dict() | {"": "in none / 未归类"}
said = {"first try": trial.taken, "with statements": better.taken}
pd.DataFrame(said).fillna(0).astype(int).rename(index=names)

# %% [markdown]
# ## The headlines it would take now
#
# Read them all while they are few. One that does not belong is tomorrow's counter-example; one that is missing, and that
# the search above found, is tomorrow's example.

# %% tags=["shown"]
better.articles.loc[better.articles["joins"], ["title", "lang", "source", "narrative", "score"]].head(15)

# %% [markdown]
# ## Another knob?
#
# Before turning one in `narratives.toml`, see what it would have done to your own articles: `desk.compare_settings({
# "discover.floor": 0.2})` runs all weeks twice on a copy (minutes for thousands of articles, so it is not run here).
# If a narrative that was found is what you have named, say so after the next update: `desk.same_as("N0004",
# "seabed-mining")`. If one article is wrong, `desk.reject(article, narrative)`. Both hold through every later update, and
# `desk.undo` takes them back.

# %%
desk.close()
