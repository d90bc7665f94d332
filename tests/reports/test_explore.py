"""The notebook's view: every story is in it once, nothing hostile runs, and a selection shows what it holds."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reports
from reports.explore import explore_data

CHROMIUM = os.environ.get("CHROMIUM") or next(
    (p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None
)
SECONDS = 3.0


def test_every_story_is_in_it_once_with_its_words(desk: Any) -> None:
    data = explore_data(desk)
    firsts = desk.frames["articles"]
    firsts = firsts[firsts["is_first"]].set_index("id")
    assert sorted(data["id"]) == sorted(firsts.index)
    n = len(data["id"])
    assert {len(data[name]) for name in ("title", "url", "day", "week", "source", "narrative", "lane", "has")} == {n}
    assert all(url == "" or url.startswith("https://") for url in data["url"])
    for i, article in enumerate(data["id"]):
        row = firsts.loc[article]
        words = [data["terms"][k] for k in data["has"][i]]
        assert all(word in f"{row['title']} {row['text']}".casefold() for word in words)
        assert data["date"][data["day"][i]] == str(row["published_at"].tz_convert("Asia/Shanghai").date())
        assert (data["narrative"][i] == -1) == (row["narrative"] == "")
    assert len(explore_data(desk, max_points=100)["id"]) <= 100
    assert data["x"] == []  # this desk has no vectors


def test_it_is_a_widget_whose_selection_is_read_by_id(desk: Any) -> None:
    pytest.importorskip("anywidget")
    view = reports.explore(desk)
    view.widget.rows = [2, 0]
    assert view.selected == [view.data["id"][2], view.data["id"][0]]
    assert "application/vnd.jupyter.widget-view+json" in json.dumps(view._repr_mimebundle_())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install one or name it in CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


def opened(browser: Any, file: Path) -> tuple[Any, list[str], float]:
    page = browser.new_page(viewport={"width": 1100, "height": 860})
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else None)
    began = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_selector("[data-ready=yes]", timeout=60_000)
    return page, said, time.perf_counter() - began


@pytest.mark.browser
def test_a_drag_shows_what_it_holds_and_nothing_hostile_runs(browser: Any, desk: Any, tmp_path: Path) -> None:
    ids = list(desk.frames["articles"]["id"])
    x = [(-1) ** i * (0.1 + 0.8 * i / len(ids)) for i in range(len(ids))]
    desk.places = lambda: pd.DataFrame({"id": ids, "x": x, "y": 0.0})
    view = reports.explore(desk)
    page, said, _ = opened(browser, view.save(tmp_path / "view.html"))
    canvas = page.locator(".nx-holder canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2)
    page.mouse.up()
    left = [i for i, x in enumerate(view.data["x"]) if x < 0]
    assert page.inner_text(".nx-said").startswith(f"{len(left)} / {len(view.data['id'])}")
    shown = page.locator(".nx-line .nx-title").all_inner_texts()
    assert shown and set(shown) <= {view.data["title"][i] for i in left}
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    assert page.inner_text(".nx-said").startswith(f"{len(view.data['id'])} ")
    assert page.evaluate("window.hacked === undefined")
    assert said == []
    page.close()


@pytest.mark.browser
@pytest.mark.slow
def test_fifty_thousand_articles_are_there_in_three_seconds(browser: Any, big_desk: Any, tmp_path: Path) -> None:
    view = reports.explore(big_desk)
    assert len(view.data["id"]) == 50_000
    page, said, seconds = opened(browser, view.save(tmp_path / "view.html"))
    patience = 4 if os.environ.get("CI") or os.getloadavg()[0] > (os.cpu_count() or 1) else 1
    assert seconds < SECONDS * patience
    assert said == []
    page.close()
