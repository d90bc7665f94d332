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
# # One narrative, from every side
#
# Is it really one story? Who tells it, in which words, and what lies next to it?
# Put an id of `desk.narratives()` into `CHOSEN`; left empty, the largest one that was found, not defined, is taken.

# %%
import os
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

import narratives
from embeddings import LanguageRemoval, VectorCache, model_input
from narratives import weeks
from narratives.timeline import mean_with_interval

CHOSEN = ""

folder = os.environ.get("NARRATIVES_DESK") or ("desk" if Path("desk").exists() else "../desk")
desk = narratives.open(folder, read_only=True)
alt.renderers.enable("svg")  # pictures that stay in the file, and need no network
pd.set_option("display.max_colwidth", 110)
articles = desk.articles()
known = desk.narratives().set_index("id", drop=False)
told = known[known["n_stories"] > 0].sort_values("n_stories", ascending=False)
discovered = told[told["origin"] == "discovered"]
chosen = CHOSEN or (discovered if len(discovered) else told)["id"].iloc[0]

# %% [markdown]
# ## What it is
#
# `drafted` means that a machine took the claim from its headlines and nobody has read it.
# `cohesion` is how alike its stories were when last measured, `drift` how far its centre has moved since it was born.

# %% tags=["shown"]
known.loc[
    chosen,
    ["id", "name_zh", "name_en", "origin", "status", "born_week", "last_week", "n_stories", "n_articles",
     "claim_zh", "claim_en", "drafted", "keywords_zh", "keywords_en", "cohesion", "drift"],
].to_frame("value")

# %% [markdown]
# ## Its members
#
# One line a story, the newest first; `n_copies` counts the story's articles. Members marked `weak` count as volume and
# in no average. When something looks wrong, sort by `weight` and read the lowest.

# %% tags=["shown"]
own = articles[(articles["narrative"] == chosen) & articles["is_first"]].sort_values("published_at", ascending=False)
own[["published_at", "lang", "source", "title", "n_copies", "weight", "weak", "tone"]].head(15)

# %% [markdown]
# ## Its words
#
# Terms that are frequent in it and rare in the other narratives (class-based TF-IDF), each language by itself.
# Two languages that share no idea here are two stories under one number.

# %% tags=["shown"]
terms = desk.terms(chosen)
side_by_side = {lang: group["term"].head(12).reset_index(drop=True) for lang, group in terms.groupby("lang")}
pd.DataFrame(side_by_side).fillna("")

# %% [markdown]
# ## Its time line
#
# Stories a week, and reach with reprints as the paler bar behind.
# A jump of the pale bar alone is one text travelling, not more being said.

# %% tags=["shown"]
lines = desk.timeline()
lines = lines[lines["narrative"] == chosen]
lines = lines.assign(label=[weeks.label(week) for week in lines["week"]])[["label", "n_stories", "n_articles"]]
everything = [weeks.label(week) for week in desk.weeks()]
axis = alt.X("label:O", title=None, scale=alt.Scale(domain=everything), axis=alt.Axis(labelAngle=-45))
base = alt.Chart(lines).encode(axis)
reach = base.mark_bar(color="#b9d5d6").encode(y=alt.Y("n_articles:Q", title="stories, reach / 独立报道，含转载"))
stories = base.mark_bar(color="#0a6870").encode(y="n_stories:Q")
name = known.loc[chosen, "name_zh"] or known.loc[chosen, "name"]
alt.layer(reach, stories).properties(width=560, height=200, title=f"{chosen} {name}")

# %% [markdown]
# Births, splits and merges that it was part of; `other` is the second narrative of the event.

# %%
events = desk.events()
events[(events["narrative"] == chosen) | (events["other"] == chosen)][["week", "kind", "narrative", "other"]]

# %% [markdown]
# ## Its evidence
#
# The sentences that carry the scores, the strongest first, in the language they were written in.
# `kind` says whether one speaks for the stance toward the claim or for the tone; read ten before you believe a mean.

# %% tags=["shown"]
sentences = desk.evidence(chosen).sort_values("score", key=abs, ascending=False)
sentences[["kind", "score", "sentence", "source", "lang", "published_at"]].head(10)

# %% [markdown]
# ## Its neighbours
#
# Every article was turned into a vector once, and the vectors are kept in the desk, so no model is loaded here. With
# language and subject taken out, centres with a cosine near 0 are unrelated; look twice at what is well above.

# %% tags=["shown"]
firsts = articles[articles["is_first"]].reset_index(drop=True)
texts = [model_input(title, text) for title, text in zip(firsts["title"], firsts["text"], strict=True)]
fingerprint = desk.health()["encoder"]
cached = VectorCache(desk.folder / "vectors").get(fingerprint, texts)
firsts = firsts[cached.found].reset_index(drop=True)
vectors = LanguageRemoval.shipped(fingerprint).fit_transform(cached.vectors[cached.found], firsts["lang"])
vectors = vectors - vectors.mean(axis=0)  # less what the whole subject shares
vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def centre(narrative):
    """Mean direction of a narrative's stories."""
    mean = vectors[(firsts["narrative"] == narrative).to_numpy()].mean(axis=0)
    return mean / np.linalg.norm(mean)


middle = centre(chosen)
others = [n for n in firsts["narrative"].unique() if n not in ("", chosen)]
near = pd.DataFrame({"id": others, "cosine": [float(centre(n) @ middle) for n in others]})
near = near.merge(known[["id", "name_zh", "name_en", "n_stories"]].reset_index(drop=True), on="id")
near.sort_values("cosine", ascending=False, ignore_index=True).round(2)

# %% [markdown]
# And the stories outside it that lie nearest to its centre. Some may belong; `narratives explain` with an article's id
# says what was weighed and why it stayed out.

# %% tags=["shown"]
firsts["cosine"] = vectors @ middle
outside = firsts[firsts["narrative"] != chosen].sort_values("cosine", ascending=False)
outside[["cosine", "id", "lang", "title", "narrative"]].head(8).round(2)

# %% [markdown]
# ## Chinese against English
#
# The same narrative by language of the source: how much, in what tone (mean and 95 % interval over stories), where.
# Read a difference only where the intervals part; sources differ between languages as well as opinions.

# %% tags=["shown"]
rows = []
for lang, group in own.groupby(own["lang"].str.split("-").str[0]):
    scored = group.loc[~group["weak"], "tone"].dropna()
    mean, low, high = mean_with_interval(scored.to_numpy(float), desk.settings.report.min_stories_for_average)
    rows.append(
        {
            "language": lang,
            "stories": len(group),
            "first": group["published_at"].min().date(),
            "tone": f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]" if np.isfinite(mean) else "too few / 样本太少",
            "sources": ", ".join(group["source"].value_counts().index[:4]),
            "a headline": group["title"].iloc[0],
        }
    )
pd.DataFrame(rows).set_index("language")

# %%
desk.close()
