"""A small desk for the tests of the report: twelve weeks of 2025 in the frames of the Desk, drawn with a fixed seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from narratives.settings import Settings
from tests.reports.fake_frames import (
    EVIDENCE_COLUMNS,
    N_WEEKS,
    WEEKS,
    make_alerts,
    make_article,
    make_events,
    make_evidence,
    make_narratives,
    make_timeline,
)
from tests.reports.fake_texts import EN_SOURCES, HOSTILE_TITLES, HOSTILE_URLS, NOISE_EN, NOISE_ZH, STORIES, ZH_SOURCES


@dataclass
class FakeDesk:
    """Holds frames and hands them out as the Desk does."""

    folder: Path
    settings: Settings
    frames: dict[str, pd.DataFrame]
    evidence_rows: dict[str, pd.DataFrame]
    term_rows: dict[str, pd.DataFrame]
    health_values: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def weeks(self) -> list[date]:
        return sorted(set(self.frames["timeline"]["week"]))

    def articles(self) -> pd.DataFrame:
        return self.frames["articles"].copy()

    def narratives(self) -> pd.DataFrame:
        return self.frames["narratives"].copy()

    def timeline(self) -> pd.DataFrame:
        return self.frames["timeline"].copy()

    def events(self) -> pd.DataFrame:
        return self.frames["events"].copy()

    def alerts(self) -> pd.DataFrame:
        return self.frames["alerts"].copy()

    def quarantine(self) -> pd.DataFrame:
        return self.frames["quarantine"].copy()

    def runs(self) -> pd.DataFrame:
        return self.frames["runs"].copy()

    def evidence(self, narrative: str) -> pd.DataFrame:
        self.calls.append(narrative)
        return self.evidence_rows.get(narrative, pd.DataFrame(columns=EVIDENCE_COLUMNS)).copy()

    def terms(self, narrative: str, week: date | None = None) -> pd.DataFrame:
        return self.term_rows.get(narrative, pd.DataFrame(columns=["lang", "term", "score"])).copy()

    def map(self, week: date) -> pd.DataFrame | None:
        frame = self.frames["articles"]
        frame = frame[frame["week"] == week]
        if frame.empty:
            return None
        rng = np.random.default_rng(1)
        centres = {k: rng.normal(0, 4, 2) for k in sorted(set(frame["narrative"]))}
        points = np.array([centres[k] + rng.normal(0, 0.6, 2) for k in frame["narrative"]])
        return pd.DataFrame({"id": frame["id"].to_numpy(), "x": points[:, 0], "y": points[:, 1]})

    def health(self) -> dict[str, Any]:
        return dict(self.health_values)


def make_desk(folder: Path, *, n_weeks: int = N_WEEKS) -> FakeDesk:
    """The fixture desk, its first `n_weeks` weeks."""
    rng = random.Random(7)
    rows: list[dict[str, Any]] = []
    evidence: dict[str, list[dict[str, Any]]] = {}
    ids = {slug: f"N{i + 1:04d}" for i, slug in enumerate(STORIES)}
    hostile = list(HOSTILE_TITLES)
    for i, week in enumerate(WEEKS[:n_weeks]):
        for slug, spec in STORIES.items():
            for k in range(spec["weekly"][i]):
                zh = (k + i) % 2 == 0
                pool = spec["texts_zh" if zh else "texts_en"]
                sentences = rng.sample(pool, k=min(len(pool), 3))
                title = (
                    f"{spec['zh']}：第{i + 1}周第{k + 1}条观察"
                    if zh
                    else f"{spec['en'].split(' <')[0]}: note {k + 1} of week {i + 1}"
                )
                if slug == "stockpile" and hostile:
                    title = hostile.pop()
                row = make_article(rng, week, zh, title, ("" if zh else " ").join(sentences), ids[slug], i, k)
                if spec["supports"] is not None:
                    p = spec["supports"][i // 4]
                    verdict = rng.choices(["supports", "opposes", "reports"], [p, 0.75 - p if p < 0.7 else 0.1, 0.25])[
                        0
                    ]
                    sign = {"supports": 1, "opposes": -1, "reports": 0}[verdict]
                    row.update(
                        verdict=verdict,
                        stance=round(sign * rng.uniform(0.3, 0.8), 3),
                        confidence=round(rng.uniform(0.4, 0.8), 3),
                    )
                rows.append(row)
                evidence.setdefault(ids[slug], []).extend(make_evidence(row, sentences))
                if k == 0 and i % 3 != 1:  # a reprint in another outlet
                    copy = dict(
                        row,
                        id=f"{row['id']}r",
                        is_first=False,
                        source=(ZH_SOURCES if zh else EN_SOURCES)[(k + i + 1) % 5],
                        published_at=row["published_at"] + timedelta(hours=5),
                    )
                    rows.append(copy)
        for k in range(3 + i % 3):
            zh = k % 2 == 0
            title = (NOISE_ZH if zh else NOISE_EN)[(k + i) % 4]
            body = f"{title}，市场人士称后续仍待观察。" if zh else f"{title}, and traders said they would wait."
            rows.append(make_article(rng, week, zh, title, body, "", i, 50 + k))
    articles = pd.DataFrame(rows)
    articles["n_copies"] = articles.groupby("story")["id"].transform("count")
    for j, url in enumerate(HOSTILE_URLS):
        last = articles.index[articles["narrative"] == ids["stockpile"]]
        if len(last) > j:
            articles.loc[last[j], "url"] = url
    articles["published_at"] = pd.to_datetime(articles["published_at"], utc=True).dt.as_unit("us")
    frames = {
        "articles": articles,
        "narratives": make_narratives(articles, ids),
        "timeline": make_timeline(articles, sorted(ids.values())),
        "events": make_events(ids, n_weeks),
        "alerts": make_alerts(ids, articles, n_weeks),
        "quarantine": pd.DataFrame(
            [
                {
                    "id": 1,
                    "origin": "crawl.jsonl:17",
                    "reason": "no_date",
                    "message": "no date in the record",
                    "raw": '{"title": "<script>window.hacked=1</script>"}',
                    "state": "open",
                },
                {
                    "id": 2,
                    "origin": "crawl.jsonl:99",
                    "reason": "no_date",
                    "message": "no date in the record",
                    "raw": "{}",
                    "state": "open",
                },
                {
                    "id": 3,
                    "origin": "export.txt:3",
                    "reason": "too_long",
                    "message": "201,000 characters",
                    "raw": "x",
                    "state": "recovered",
                },
            ]
        ),
        "runs": pd.DataFrame(
            [
                {
                    "id": 1,
                    "command": "run",
                    "state": "done",
                    "started_at": datetime(2025, 11, 17, 1, 0, tzinfo=UTC),
                    "finished_at": datetime(2025, 11, 17, 1, 4, tzinfo=UTC),
                    "counts": {"read": len(articles) + 3, "accepted": len(articles)},
                    "versions": {
                        "narratives": "0.1.0",
                        "encoder": "multilingual-e5-small@3f2a",
                        "stance": "statements-1",
                    },
                    "settings": {"discover": {"tau_percentile": 99.0}},
                },
            ]
        ),
    }
    terms = {}
    for slug, spec in STORIES.items():
        terms[ids[slug]] = pd.DataFrame(
            [
                {"lang": lang, "term": t, "score": 1.0 / (r + 1)}
                for lang in ("zh", "en")
                for r, t in enumerate(spec[f"kw_{lang}"])
            ]
        )
    return FakeDesk(
        folder=folder,
        settings=Settings(),
        frames=frames,
        evidence_rows={k: pd.DataFrame(v, columns=EVIDENCE_COLUMNS) for k, v in evidence.items()},
        term_rows=terms,
        health_values={
            "same_language_share": 0.54,
            "n_articles": len(articles),
            "n_stories": articles["story"].nunique(),
            "n_reprints": int((~articles["is_first"]).sum()),
            "n_quarantined": 2,
            "encoder": "multilingual-e5-small@3f2a",
        },
    )


def make_big_desk(folder: Path, n_narratives: int = 500, n_articles: int = 50_000) -> FakeDesk:
    """The small desk's articles many times over, spread over many narratives of uneven size."""
    small = make_desk(folder)
    rng = np.random.default_rng(5)
    pool = small.frames["articles"]
    pool = pool[pool["is_first"]].reset_index(drop=True)
    ids = np.array([f"N{i + 1:04d}" for i in range(n_narratives)])
    weight = 1.0 / np.arange(1, n_narratives + 1) ** 0.6
    articles = pool.iloc[rng.integers(0, len(pool), n_articles)].reset_index(drop=True)
    offset = rng.integers(0, len(WEEKS), n_articles)
    articles["id"] = articles["story"] = [f"b{i:06d}" for i in range(n_articles)]
    articles["narrative"] = np.where(
        rng.random(n_articles) < 0.15, "", rng.choice(ids, n_articles, p=weight / weight.sum())
    )
    articles["week"] = [WEEKS[k] for k in offset]
    articles["published_at"] = pd.to_datetime([datetime(w.year, w.month, w.day, 4) for w in articles["week"]], utc=True)
    articles["source"] = [f"Outlet {k}" for k in rng.integers(0, 80, n_articles)]
    one = small.frames["narratives"].iloc[[0]]
    narratives = pd.concat([one] * n_narratives, ignore_index=True)
    narratives["id"] = ids
    narratives["name_zh"] = [f"叙事第{i}号：稀土与磁体" for i in range(n_narratives)]
    narratives["name_en"] = [f"Narrative {i} on rare earths" for i in range(n_narratives)]
    evidence = {}
    for narrative, group in articles[articles["narrative"] != ""].groupby("narrative"):
        rows: list[dict[str, Any]] = []
        for row in group.tail(40).to_dict("records"):
            rows += make_evidence(row, [row["text"]])
        evidence[str(narrative)] = pd.DataFrame(rows, columns=EVIDENCE_COLUMNS)
    small.frames |= {
        "articles": articles,
        "narratives": narratives,
        "timeline": make_timeline(articles, list(ids)),
        "events": small.frames["events"].iloc[:0],
        "alerts": small.frames["alerts"].iloc[:0],
    }
    small.evidence_rows = evidence
    return small
