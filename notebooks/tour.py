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
# # A tour of a desk
#
# A desk is a folder that holds articles and the narratives found in them; `make report` makes one called `desk`.
# This notebook opens it to read, so that it cannot change anything, not even while an update is running.

# %%
import os
from pathlib import Path

import altair as alt
import pandas as pd

import narratives
import reports
from narratives import weeks

folder = os.environ.get("NARRATIVES_DESK") or ("desk" if Path("desk").exists() else "../desk")
desk = narratives.open(folder, read_only=True)
alt.renderers.enable("svg")  # pictures that stay in the file, and need no network
pd.set_option("display.max_colwidth", 90)
desk

# %% [markdown]
# ## How much there is, and how far to trust it
#
# Figures count *stories*: an article and its reprints are one. `same_language_share` says how often the nearest
# neighbours of an article are in its own language; .5 is perfect mixing, above .9 the languages live apart.

# %% tags=["shown"]
health = desk.health()
pd.Series(
    {
        "weeks processed": len(desk.weeks()),
        "articles": health["n_articles"],
        "stories": health["n_stories"],
        "reprints": health["n_reprints"],
        "stories in no narrative": health["n_unassigned"],
        "articles by language": health["languages"],
        "records in quarantine": health["n_quarantined"],
        "share of the largest source": health["largest_source_share"],
        "same-language share": health["same_language_share"],
    },
    name=desk.settings.subject,
).to_frame()

# %% [markdown]
# ## The articles
#
# One row an article, in order of publication; times are UTC, `week` is the Monday in the desk's own time zone.
# `stance` is toward the claim of the article's narrative; a single verdict is uncertain, averages are for reading.

# %% tags=["shown"]
articles = desk.articles()
articles[["published_at", "lang", "source", "title", "narrative", "verdict", "stance", "tone", "n_copies"]].tail(8)

# %% [markdown]
# ## The narratives
#
# Those with a `slug` are named in `definitions.yaml`, the others were found. Names and claims of found narratives are
# made of their words and headlines: give them names (`desk.rename`) before you quote them.

# %% tags=["shown"]
found = desk.narratives().sort_values("n_stories", ascending=False)
found[["id", "name_zh", "name_en", "slug", "status", "born_week", "last_week", "n_stories", "languages"]]

# %% [markdown]
# ## Which narrative was told when
#
# Each bar is a week, each colour a narrative; the grey part belongs to none of them.
# Look for colours that begin or end: those weeks are told in `what_changed.py`.

# %% tags=["shown"]
names = {n.id: f"{n.id} {n.name_zh or n.name_en}" for n in found.itertuples()}
NONE = "none / 未归类"
lanes = [names[i] for i in found["id"]][:7]


def lane(narrative):
    """The narrative's label in the legend; those after the seven largest share one."""
    if not narrative:
        return NONE
    return names[narrative] if names[narrative] in lanes else "other / 其他"


lines = desk.timeline()
lines["lane"] = [lane(i) for i in lines["narrative"]]
lines["label"] = [weeks.label(week) for week in lines["week"]]
domain = [*lanes, *(["other / 其他"] if "other / 其他" in set(lines["lane"]) else []), NONE]
colours = ["#1577b8", "#e08a00", "#12946c", "#c7699c", "#4fa9dd", "#cf5410", "#8a6bbf"][: len(lanes)]
colours += ["#8f969f"] * (len(domain) - len(colours) - 1) + ["#d8dade"]
legend = alt.Legend(title=None, labelLimit=260)
volume = lines.groupby(["label", "lane"], as_index=False)["n_stories"].sum()
alt.Chart(volume, title="Stories a week / 每周独立报道").mark_bar().encode(
    x=alt.X("label:O", title=None, axis=alt.Axis(labelAngle=-45)),
    y=alt.Y("n_stories:Q", title=None),
    color=alt.Color("lane:N", scale=alt.Scale(domain=domain, range=colours), legend=legend),
).properties(width=560, height=260)

# %% [markdown]
# ## In what tone
#
# The mean tone of the week's stories (−1 to 1) with its 95 % interval. A week with too few stories has no point:
# that is a gap in what we know, not a neutral week.

# %% tags=["shown"]
largest = [names[i] for i in found["id"]][:3]
figures = ["label", "lane", "tone", "tone_low", "tone_high"]
measured = lines.loc[lines["lane"].isin(largest), figures].dropna(subset=["tone"])
base = alt.Chart(measured).encode(x=alt.X("label:O", title=None, axis=alt.Axis(labelAngle=-45)))
low = alt.Y("tone_low:Q", title="tone / 语气")
band = base.mark_rule(color="#a8481b", opacity=0.5).encode(y=low, y2="tone_high:Q")
mean = base.mark_circle(color="#a8481b", size=45).encode(y="tone:Q")
alt.layer(band, mean).properties(width=230, height=150).facet(alt.Facet("lane:N", title=None, sort=largest))

# %% [markdown]
# ## All of it, to play with
#
# Drag over some articles: their weeks, narratives, words and headlines follow; a click ends it. On the map near is alike,
# and the axes mean nothing. `view.selected` holds the ids, `view.save("view.html")` makes a page of it; no network is
# needed.

# %% tags=["shown"]
view = reports.explore(desk)
view

# %% [markdown]
# Next: `explore_cluster.py` looks at one narrative from every side, `what_changed.py` reads the last week,
# `tune_definition.py` tries a named one, `label_stance.py` asks what to read, `paper_chart.py` draws for print.

# %%
desk.close()
