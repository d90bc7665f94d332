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
# # Label stance
#
# A scorer that has only read your statements is often undecided. A few dozen labels move it, if they are put where they
# teach most. This notebook asks for them, writes them down as decisions, and says what they bought. It works on a copy
# of the desk; open your own in the second cell when you mean it.

# %%
import os
import shutil
import tempfile
from pathlib import Path

import pandas as pd

import narratives

pd.set_option("display.max_colwidth", 110)
folder = os.environ.get("NARRATIVES_DESK") or ("desk" if Path("desk").exists() else "../desk")

# %% [markdown]
# The copy. For labels that count, write `desk = narratives.open(folder)` instead.

# %%
place = Path(tempfile.mkdtemp())
shutil.copytree(folder, place / "desk")
desk = narratives.open(place / "desk")
known = desk.narratives()
claimed = known[(known["slug"] != "") & (known["n_stories"] > 0)].sort_values("n_stories", ascending=False)
chosen = claimed["id"].iloc[0]

# %% [markdown]
# ## Toward which claim
#
# A stance is toward a claim, not toward a country or a company. Read it twice: "supports" means that the article, as
# its author tells it, makes the claim more believable.

# %% tags=["shown"]
claimed[["id", "name_zh", "name_en", "claim_zh", "claim_en", "n_stories"]].set_index("id")

# %% [markdown]
# ## What to read first
#
# Where the verdict is most open and where the articles asked about so far are least alike. `evidence` holds the sentences
# that the scorer went by.

# %% tags=["shown"]
session = desk.label_session(chosen)
asked = session.ask(10)
asked[["article", "title", "lang", "verdict", "p_supports", "p_opposes", "p_reports"]]

# %% [markdown]
# ## Read one
#
# Title and sentences, in the language they were written in. Open the address when that is not enough.

# %% tags=["shown"]
one = asked.iloc[0]
pd.Series({"title": one["title"], "evidence": " / ".join(one["evidence"]), "source": one["source"], "url": one["url"]}).to_frame("")

# %% [markdown]
# ## Say it
#
# `supports`, `opposes` or `reports`; what a person says counts as that article's verdict from then on. Here the
# scorer's own likeliest class stands in for a reader, so that the notebook runs by itself: labels like these teach
# nothing. Replace `answer` by what you read.

# %% tags=["shown"]
def answer(row):
    """Stands in for a person: the class that is likeliest now."""
    return max(("supports", "opposes", "reports"), key=lambda name: row[f"p_{name}"])


for _, row in asked.iterrows():
    desk.label_stance(row["article"], chosen, answer(row))
desk.decisions()[["id", "kind", "narrative", "article", "said"]]

# %% [markdown]
# ## One was wrong
#
# Every label is a decision with a number, and can be taken back; the record of both stays.

# %% tags=["shown"]
desk.undo(1)

# %% [markdown]
# ## What they bought
#
# The articles of the narrative are scored anew, and the labelled ones say how much better, cross-validated, with an
# interval. Small numbers have wide intervals: read the interval, not the mean.

# %% tags=["shown"]
bought = desk.refit_stance(chosen)
pd.Series({"labels": bought.n_labels, "articles scored anew": bought.n_scored, "what they bought": str(bought)}).to_frame("")

# %% [markdown]
# The same from a terminal: `narratives label` asks one article after another, `narratives decide list` shows the records.

# %%
desk.close()
shutil.rmtree(place)
