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
# # A chart for a paper
#
# One figure that survives print: how a narrative's volume and tone went, with intervals, readable in grey and with
# Chinese in it, and with the numbers behind it in a table. Saved as SVG, PDF or PNG, without a browser or a network.

# %%
import os
import tempfile
from pathlib import Path

import altair as alt
import pandas as pd

import narratives
from narratives import weeks

folder = os.environ.get("NARRATIVES_DESK") or ("desk" if Path("desk").exists() else "../desk")
desk = narratives.open(folder, read_only=True)
alt.renderers.enable("svg")  # pictures that stay in the file, and need no network
known = desk.narratives().set_index("id", drop=False)
chosen = known.sort_values("n_stories", ascending=False)["id"].iloc[:2].tolist()

# %% [markdown]
# ## The numbers first
#
# A week's mean is over stories (reprints count once) and is missing where there were too few: a gap is honest, a line
# across it is not. Put this table into the appendix.

# %% tags=["shown"]
lines = desk.timeline()
lines = lines[lines["narrative"].isin(chosen)].copy()
lines["label"] = [weeks.label(week) for week in lines["week"]]
lines["name"] = [f"{known.loc[i, 'name_zh'] or i} {known.loc[i, 'name_en']}".strip() for i in lines["narrative"]]
figures = lines[["label", "name", "n_stories", "share", "tone", "tone_low", "tone_high", "tone_n"]]
figures.set_index(["name", "label"]).round(2)

# %% [markdown]
# ## A theme that prints
#
# One family of fonts that has Chinese, no frame, thin grey rules, black text; sizes in points at the width of a column
# (84 mm, about 240 points). Two narratives are told apart by shape as well as by shade.

# %%
FONT = "Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
AXIS = {"labelFontSize": 7, "titleFontSize": 7, "titleFontWeight": "normal", "gridColor": "#dddddd", "domain": False}
THEME = {"font": FONT, "view": {"stroke": None}, "axis": AXIS, "legend": {"labelFontSize": 7, "orient": "top"}}
shade = alt.Color("name:N", title=None, scale=alt.Scale(range=["#0a6870", "#a8481b"]), legend=alt.Legend(labelLimit=220))
shape = alt.Shape("name:N", title=None)
weekly = alt.X("label:O", title=None, axis=alt.Axis(labelAngle=-90, labelExpr="slice(datum.value, 5)"))

# %% [markdown]
# ## The figure
#
# Volume above, tone below on the same weeks: bands are 95 % intervals over stories. Where bands overlap, do not write
# that the two differ.

# %% tags=["shown"]
base = alt.Chart(lines.drop(columns=["week"]))
volume = base.mark_line(strokeWidth=1.2).encode(weekly, alt.Y("n_stories:Q", title="stories 独立报道"), shade)
marks = base.mark_point(size=18, filled=True).encode(weekly, alt.Y("n_stories:Q"), shade, shape)
told = base.transform_filter("isValid(datum.tone)")
band = told.mark_rule(strokeWidth=3, opacity=0.3).encode(weekly, alt.Y("tone_low:Q", title="tone 语气"), alt.Y2("tone_high:Q"), shade)
mean = told.mark_point(size=18, filled=True).encode(weekly, alt.Y("tone:Q", scale=alt.Scale(domain=[-1, 1])), shade, shape)
top = alt.layer(volume, marks).properties(width=240, height=90)
bottom = alt.layer(band, mean).properties(width=240, height=90)
figure = alt.vconcat(top, bottom, spacing=6).resolve_scale(x="shared").configure(**THEME)
figure

# %% [markdown]
# ## Into files
#
# SVG for the typesetter, PDF for LaTeX, PNG at 300 dots an inch for anything else. `caption` says what a reader must know:
# what was counted, over what, and with which model.

# %% tags=["shown"]
out = Path(tempfile.mkdtemp())
for kind, options in (("svg", {}), ("pdf", {}), ("png", {"ppi": 300})):
    figure.save(out / f"figure.{kind}", **options)
health = desk.health()
caption = (
    f"{', '.join(sorted(set(lines['name'])))}. Stories a week (an article and its reprints are one) and their mean tone "
    f"with 95 % bootstrap intervals; {health['n_stories']} stories of {desk.settings.subject}, "
    f"{weeks.label(desk.weeks()[0])} to {weeks.label(desk.weeks()[-1])}; embeddings {health['encoder'].split('@')[0]}."
)
written = {path.name: path.stat().st_size // 1024 for path in sorted(out.iterdir())}
pd.Series({"caption": caption, "files (KiB)": written}).to_frame("")

# %%
desk.close()
