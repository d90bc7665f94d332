"""The notebook's view: drag over articles, and their weeks, narratives, words and titles follow.

Drawn on a canvas by a script of its own (`templates/explore.js`), as a widget where a kernel runs and as a page
anywhere: a chart of Vega had drawn nothing of 50,000 articles after 90 seconds.
"""

from __future__ import annotations

import json
import zlib
from functools import cached_property
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reports.frames import Desk, as_list, each, load_frames, week_label
from reports.quotes import one_line, safe_url
from reports.records import Words
from reports.rows import say
from reports.theme import CATEGORIES, OTHER, UNASSIGNED
from reports.weekly import narrative_names
from reports.words import word

MAX_POINTS = 50_000
_N_LANES = 18
_PAGE_POINTS = 2_000  # of a notebook's output that is kept as a page beside the widget
_LABELS = {
    "map": Words("地图", "map"),
    "time": Words("时间", "time"),
    "weeks": Words("每周独立报道", "stories a week"),
    "narratives": Words("叙事", "narratives"),
    "words": Words("关键词", "words"),
    "none": Words("未归类", "in none"),
    "hint": Words("拖动以选择，单击取消", "drag to select, click to clear"),
}


class View:
    """A view of a desk's stories; the last line of a notebook's cell shows it.

    Parameters
    ----------
    data
        Of `explore_data`.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @cached_property
    def widget(self) -> Any:
        """The same as a widget; needs the extra `notebooks`."""
        import anywidget
        import traitlets

        ids = self.data["id"]
        shown = {name: value for name, value in self.data.items() if name != "id"}
        code = (
            f"{_template('explore.js')}\nexport default {{ render({{ model, el }}) {{"
            "const root = document.createElement('div'); el.append(root);"
            "explore(root, JSON.parse(model.get('data')), rows => { model.set('rows', rows); model.save_changes(); });"
            "} };"
        )

        class Widget(anywidget.AnyWidget):
            _esm = code
            _css = _template("explore.css")
            data = traitlets.Unicode(_json(shown)).tag(sync=True)
            rows = traitlets.List(traitlets.Int()).tag(sync=True)

            @property
            def selected(self) -> list[str]:
                return [ids[i] for i in self.rows]

        return Widget()

    @property
    def selected(self) -> list[str]:
        """Ids of the articles that are selected in the widget; empty where nothing is."""
        return list(self.widget.selected)

    def to_html(self) -> str:
        """A page of its own; it asks for nothing from anywhere."""
        shown = {name: value for name, value in self.data.items() if name != "id"}
        return (
            '<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(self.data['subject'])}</title><style>body{{margin:0}}{_template('explore.css')}</style></head>"
            f'<body><div id="view"></div><script type="application/json" id="data">{_json(shown)}</script><script>'
            f"{_template('explore.js')}\nexplore(document.getElementById('view'), "
            "JSON.parse(document.getElementById('data').textContent));</script></body></html>"
        )

    def save(self, path: str | Path) -> Path:
        """Write the page to a file."""
        place = Path(path)
        place.write_text(self.to_html(), encoding="utf-8")
        return place

    def _repr_html_(self) -> str:
        return (
            f'<iframe style="width:100%;height:800px;border:0" srcdoc="{escape(self.to_html(), quote=True)}"></iframe>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        page = {"text/html": self._repr_html_()} if len(self.data["id"]) <= _PAGE_POINTS else {}
        try:
            live = self.widget._repr_mimebundle_(**kwargs)
        except ModuleNotFoundError:
            return {"text/html": self._repr_html_()}
        # Where no kernel runs, as on a page made of the notebook, the view is drawn all the same.
        return ({**page, **live[0]}, live[1]) if isinstance(live, tuple) else {**page, **live}


def explore(desk: Desk, lang: str = "both", max_points: int = MAX_POINTS) -> View:
    """Stories as dots, on a map of meanings or in a lane a narrative; drag over some to see what they are.

    Near each other on the map means alike; its axes mean nothing. The largest narratives have a colour each.

    Parameters
    ----------
    lang
        Language of the names: `both`, `zh` or `en`.
    max_points
        More stories than this are thinned evenly, oldest to newest.

    Returns
    -------
    A `View`: it shows itself, `view.selected` are ids of the selected articles, `view.save("view.html")` writes a page.
    """
    return View(explore_data(desk, lang, max_points))


def explore_data(desk: Desk, lang: str = "both", max_points: int = MAX_POINTS) -> dict[str, Any]:
    """What the script draws: columns over stories (no reprints), and the lists that they point into.

    `id`, `title`, `url`, `day` (days since the first), `week`, `source`, `narrative` (-1: in none), `lane`, `jitter`,
    `has` (words) and, where vectors are at hand, `x`, `y` (-1 to 1).
    """
    frames = load_frames(desk)
    names = narrative_names(frames.narratives)
    articles = frames.articles[frames.articles["is_first"].astype(bool)]
    step = -(-len(articles) // max_points) if len(articles) else 1
    articles = articles.iloc[::step].reset_index(drop=True)
    sizes = articles.loc[articles["narrative"] != "", "narrative"].value_counts()
    ranked = sorted(sizes.index, key=lambda n: (-sizes[n], n))
    number = {name: i for i, name in enumerate(ranked)}
    terms = _terms(frames.narratives, ranked)
    vocabulary = {term: i for i, term in enumerate(dict.fromkeys(t for own in terms.values() for t in own))}
    days = pd.to_datetime(articles["published_at"]).dt.tz_convert(desk.settings.discover.timezone)
    days = days.dt.tz_localize(None).dt.normalize()
    day = (days - days.min()).dt.days if len(articles) else pd.Series([], dtype=int)
    weeks = sorted(set(articles["week"]))
    week_number = {week: i for i, week in enumerate(weeks)}
    sources = {name: i for i, name in enumerate(sorted(set(articles["source"])))}
    place = [number.get(n, -1) for n in articles["narrative"]]
    lanes = [say(names[n], lang) for n in ranked[:_N_LANES]]
    rest = [say(word("other_narratives"), lang)] if len(ranked) > _N_LANES else []
    x, y = _places(desk, articles)
    titles = zip(articles["title"], articles["text"], strict=True)
    return {
        "subject": desk.settings.subject,
        "id": list(articles["id"]),
        "title": [one_line(title or text[:80])[:120] for title, text in titles],
        "url": [safe_url(url) for url in articles["url"]],
        "day": [int(d) for d in day],
        "days": int(day.max()) + 1 if len(day) else 1,
        "date": _dates(days),
        "week": [week_number[w] for w in articles["week"]],
        "weeks": [week_label(w) for w in weeks],
        "source": [sources[s] for s in articles["source"]],
        "sources": list(sources),
        "narrative": place,
        "names": [say(names[n], lang) for n in ranked],
        "colours": list(CATEGORIES[: len(ranked)]),
        "other_colour": OTHER,
        "none_colour": UNASSIGNED,
        "lane": [min(p, _N_LANES) if p >= 0 else len(lanes) + len(rest) for p in place],
        "lanes": [*lanes, *rest, say(_LABELS["none"], lang)],
        "jitter": [zlib.crc32(i.encode()) % 1000 / 1000 for i in articles["id"]],
        "terms": list(vocabulary),
        "has": _words_in(articles, terms, vocabulary),
        "x": x,
        "y": y,
        "words_of": {name: say(said, lang) for name, said in _LABELS.items()},
    }


def _terms(narratives: pd.DataFrame, ranked: list[str]) -> dict[str, list[str]]:
    wanted = set(ranked)
    return {
        r.id: [t.casefold() for t in (*as_list(r.keywords_zh), *as_list(r.keywords_en))]
        for r in each(narratives)
        if r.id in wanted
    }


def _words_in(articles: pd.DataFrame, terms: dict[str, list[str]], vocabulary: dict[str, int]) -> list[list[int]]:
    """Numbers of up to five keywords of its narrative that each story holds."""
    found = []
    for narrative, title, text in zip(articles["narrative"], articles["title"], articles["text"], strict=True):
        own = terms.get(narrative)
        said = f"{title} {text}".casefold() if own else ""
        found.append([vocabulary[t] for t in own or () if t in said][:5])
    return found


def _places(desk: Desk, articles: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Places on the map; none where the desk has no vectors of all of them."""
    places = getattr(desk, "places", None)
    if places is None or articles.empty:
        return [], []
    found = places().set_index("id")[["x", "y"]].reindex(articles["id"])
    # What has no vector yet lies at the edge, so that every dot is there.
    found = found.fillna({"x": -1.0, "y": -1.0})
    if found.abs().to_numpy().min() == 1.0:
        return [], []
    return [float(v) for v in found["x"]], [float(v) for v in found["y"]]


def _dates(days: pd.Series) -> list[str]:
    if not len(days):
        return []
    return [str(d.date()) for d in pd.date_range(days.min(), days.max())]


def _template(name: str) -> str:
    return files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """JSON that may stand inside a page."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return said.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")
