"""How long the report of a large desk takes to write and to stand in a browser, and how large it is.

    python -m benchmarks.report --narratives 500 --articles 50000 --browser

A desk with a real archive, made up: half Chinese and half English, twelve weeks, narratives of uneven size, every
third defined (with stance), tone and evidence sentences for all, vectors for the last week's map. Processor time
stands beside wall time, because other work may share the cores. `--browser` opens the page in headless Chromium
(the file that the environment variable CHROMIUM names, else the one on the path) and gives the processor time of
the page's own thread until the first charts stand.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

import narratives
from narratives.archive import schema
from narratives.archive.history import vector_bytes

_WEEKS = [date(2025, 8, 25) + timedelta(weeks=i) for i in range(12)]
_ZH = [
    "{}称，磁体出口许可仍在排队，库存只够六周。",
    "分析人士认为，{}的表态并不意味着管制放松。",
    "{}当地工厂已恢复生产，订单排到明年一季度。",
    "报价本周小幅回落，{}的买家仍在观望。",
]
_EN = [
    "{} said licences for magnets were still queueing and stocks would last six weeks.",
    "Analysts read the remarks from {} as no sign that controls were easing.",
    "The plant near {} has restarted and its order book is full until spring.",
    "Quotes slipped this week while buyers at {} waited.",
]
_DIMENSION = 384


def make_desk(folder: Path, n_narratives: int, n_articles: int, seed: int = 0) -> None:
    """Fill a new desk's archive directly, as steps would have."""
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    desk = narratives.init(folder)
    weight = 1.0 / np.arange(1, n_narratives + 1) ** 0.6
    owner = draw.choice(n_narratives, n_articles, p=weight / weight.sum())
    unassigned = draw.random(n_articles) < 0.15
    centres = draw.normal(size=(n_narratives, _DIMENSION)).astype(np.float32)
    rows: dict[str, list[dict[str, Any]]] = {k: [] for k in ("narrative", "article", "membership", "score", "tone")}
    for i in range(n_narratives):
        claim = {"claim": {"zh": f"主张第{i}号。", "en": f"Claim number {i}."}} if i % 3 == 0 else None
        rows["narrative"].append(
            {
                "id": f"N{i + 1:04d}", "slug": f"n-{i}" if claim else None, "status": "active",
                "origin": "defined" if claim else "discovered",
                "name_zh": f"第{i}号叙事：稀土与磁体", "name_en": f"Narrative {i} on rare earths",
                "keywords_zh": ["稀土", "磁体", "许可"], "keywords_en": ["rare", "magnet", "licence"],
                "definition": claim, "born_week": _WEEKS[0], "last_week": _WEEKS[-1],
                "anchor": vector_bytes(centres[i]), "centre": vector_bytes(centres[i]), "cohesion": 0.2, "level": 0.2,
            }
        )  # fmt: skip
    for k in range(n_articles):
        chinese, week = k % 2 == 0, _WEEKS[int(draw.integers(len(_WEEKS)))]
        sentences = [rng.choice(_ZH if chinese else _EN).format(f"Outlet {rng.randrange(99)}") for _ in range(6)]
        text = ("" if chinese else " ").join(sentences)
        at = datetime(week.year, week.month, week.day, 4) + timedelta(hours=rng.randrange(150))
        name = f"a{k:07d}"
        rows["article"].append(
            {
                "id": name, "url": f"https://example.org/{name}", "source": f"Outlet {rng.randrange(80)}",
                "title": f"第{k}条观察" if chinese else f"Note number {k}", "text": text,
                "lang": "zh" if chinese else "en", "published_at": at, "ingested_at": at, "content_hash": name,
                "story_id": name, "origin": "made up", "step_week": week, "is_voice": True,
            }
        )  # fmt: skip
        end = len(sentences[0])
        tone = round(rng.uniform(-0.8, 0.8), 3)
        rows["tone"].append(
            {
                "article_id": name, "tone": tone, "p_negative": 0.3, "p_neutral": 0.4, "p_positive": 0.3,
                "evidence": [{"start": 0, "end": end, "tone": tone}], "scorer": "made up",
            }
        )  # fmt: skip
        if unassigned[k]:
            continue
        mine = f"N{owner[k] + 1:04d}"
        rows["membership"].append(
            {"article_id": name, "narrative_id": mine, "weight": 0.5, "primary": True, "how": "assigned", "week": week}
        )
        if owner[k] % 3 == 0:
            stance = round(rng.uniform(-0.8, 0.8), 3)
            verdict = "supports" if stance > 0.2 else "opposes" if stance < -0.2 else "reports"
            rows["score"].append(
                {
                    "article_id": name, "narrative_id": mine, "p_supports": 0.4, "p_opposes": 0.3, "p_neutral": 0.3,
                    "stance": stance, "confidence": 0.5, "verdict": verdict,
                    "evidence": [{"start": 0, "end": end, "stance": stance}], "scorer": "made up",
                }
            )  # fmt: skip
    with desk.archive.begin() as connection:
        for table in ("narrative", "article", "membership", "score", "tone"):
            for start in range(0, len(rows[table]), 2_000):
                connection.execute(schema.metadata.tables[table].insert(), rows[table][start : start + 2_000])
        steps = [{"week": week, "n_articles": n_articles // len(_WEEKS), "counts": {}} for week in _WEEKS]
        connection.execute(schema.step.insert(), steps)
    desk.archive.finish_run(desk.archive.start_run("update", {}, {}), "done", {})
    desk.close()


def browser_seconds(page_file: Path) -> tuple[float, float]:
    """Processor seconds of the page's thread, and wall seconds, until the first charts stand."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        began = time.perf_counter()
        page.goto(page_file.as_uri(), wait_until="load")
        page.wait_for_selector("[data-chart=overview][data-drawn=yes]", state="attached")
        wall = time.perf_counter() - began
        spent = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
        browser.close()
    return float(spent), wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--narratives", type=int, default=500)
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--desk", type=Path, help="keep the desk here, and use it if it is there")
    chosen = parser.parse_args()
    from reports import build_weekly, render_html, render_json, render_markdown

    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.desk or Path(scratch) / "desk"
        if not (folder / "archive.sqlite").exists():
            make_desk(folder, chosen.narratives, chosen.articles)
        found: dict[str, list[float]] = {}
        for _ in range(chosen.runs):
            with_desk = narratives.open(folder, read_only=True)
            clock, cpu = time.perf_counter(), time.process_time()

            def lap(name: str) -> None:
                nonlocal clock, cpu
                found.setdefault(f"{name}, wall s", []).append(time.perf_counter() - clock)
                found.setdefault(f"{name}, processor s", []).append(time.process_time() - cpu)
                clock, cpu = time.perf_counter(), time.process_time()

            report = build_weekly(with_desk)
            lap("build")
            html = render_html(report)
            lap("html")
            sizes = [len(t.encode()) for t in (html, render_markdown(report), render_json(report))]
            lap("markdown and json")
            with_desk.close()
            page_file = Path(scratch) / "report.html"
            page_file.write_text(html, encoding="utf-8")
            if chosen.browser:
                spent, wall = browser_seconds(page_file)
                found.setdefault("browser, processor s of the page", []).append(spent)
                found.setdefault("browser, wall s", []).append(wall)
    for name, values in found.items():
        print(f"{name}: {sorted(values)[len(values) // 2]:.2f} ({min(values):.2f} to {max(values):.2f})")
    print("bytes of html, markdown, json:", json.dumps(sizes))


if __name__ == "__main__":
    main()
