"""The frames of the fake desk: articles and their evidence, narratives, timeline, events and alerts."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from tests.reports.fake_texts import EN_SOURCES, STORIES, ZH_SOURCES

FIRST_WEEK = date(2025, 8, 25)
N_WEEKS = 12
WEEKS = [FIRST_WEEK + timedelta(weeks=i) for i in range(N_WEEKS)]
EVIDENCE_COLUMNS = [
    "article",
    "story",
    "title",
    "source",
    "lang",
    "published_at",
    "url",
    "sentence",
    "start",
    "end",
    "stance",
    "verdict",
    "confidence",
    "kind",
    "tone",
]


def make_article(
    rng: random.Random, week: date, zh: bool, title: str, text: str, narrative: str, i: int, k: int
) -> dict[str, Any]:
    day = datetime(week.year, week.month, week.day, tzinfo=UTC) + timedelta(
        days=rng.randrange(6), hours=rng.randrange(1, 13)
    )
    key = f"a{i:02d}{narrative or 'x'}{k:02d}"
    source = rng.choice(ZH_SOURCES if zh else EN_SOURCES)
    lang = ("zh-Hant" if rng.random() < 0.05 else "zh") if zh else "en"
    tone = round(max(-1, min(1, rng.gauss(-0.1, 0.35))), 3)
    return {
        "id": key,
        "title": title,
        "text": text,
        "source": source,
        "lang": lang,
        "published_at": day,
        "week": week,
        "url": f"https://news.example/{key}?a=1&b=(2)",
        "story": f"s{key}",
        "is_first": True,
        "n_copies": 1,
        "narrative": narrative,
        "weight": round(rng.uniform(0.6, 0.95), 3) if narrative else float("nan"),
        "weak": k == 2,
        "stance": float("nan"),
        "verdict": "",
        "confidence": float("nan"),
        "tone": tone,
        "origin": f"crawl.jsonl:{i * 60 + k}",
    }


def make_evidence(row: dict[str, Any], sentences: list[str]) -> list[dict[str, Any]]:
    base = {k: row[k] for k in ("story", "title", "source", "lang", "published_at", "url")} | {"article": row["id"]}
    start = row["text"].find(sentences[-1])
    span = {"sentence": sentences[-1], "start": start, "end": start + len(sentences[-1])}
    out = [
        dict(
            base,
            **span,
            stance=float("nan"),
            verdict="",
            confidence=float("nan"),
            kind="tone",
            tone=row["tone"],
        )
    ]
    if row["verdict"] and row["verdict"] != "reports":
        out.append(
            dict(
                base,
                **span,
                stance=row["stance"],
                verdict=row["verdict"],
                confidence=row["confidence"],
                kind="stance",
                tone=float("nan"),
            )
        )
    return out


def make_narratives(articles: pd.DataFrame, ids: dict[str, str]) -> pd.DataFrame:
    out = []
    for slug, spec in STORIES.items():
        mine = articles[articles["narrative"] == ids[slug]]
        merged = slug == "licence-queues"
        status = "merged" if merged else "dormant" if slug == "" else "active"
        if slug == "stockpile" and mine.empty:
            continue
        out.append(
            {
                "id": ids[slug],
                "name": spec["en"],
                "name_zh": spec["zh"],
                "name_en": spec["en"],
                "slug": slug if spec["origin"] == "defined" else "",
                "origin": spec["origin"],
                "status": status,
                "born_week": mine["week"].min() if len(mine) else WEEKS[6],
                "last_week": mine["week"].max() if len(mine) else WEEKS[8],
                "n_articles": len(mine),
                "n_stories": mine["story"].nunique(),
                "keywords_zh": spec["kw_zh"],
                "keywords_en": spec["kw_en"],
                "claim_zh": spec["claim_zh"],
                "claim_en": spec["claim_en"],
                "drafted": spec.get("drafted", False),
                "drift": 0.08,
                "level": 0.52,
                "cohesion": 0.66,
                "merged_into": ids["china-leverage"] if merged else "",
                "languages": sorted(set(mine["lang"])),
                "one_language": "",
            }
        )
    return pd.DataFrame(out)


def make_timeline(articles: pd.DataFrame, narratives: list[str], min_n: int = 3) -> pd.DataFrame:
    """Weekly figures over stories, with a small seeded bootstrap."""
    rng = np.random.default_rng(3)
    firsts = articles[articles["is_first"]]
    totals = firsts.groupby("week")["story"].nunique()
    n_all = articles.groupby(["week", "narrative"]).size()
    groups = dict(list(firsts.groupby(["week", "narrative"])))
    rows = []
    for week in sorted(set(articles["week"])):
        for narrative in ["", *narratives]:
            mine = groups.get((week, narrative))
            if mine is None:
                continue
            row: dict[str, Any] = {
                "week": week,
                "narrative": narrative,
                "n_stories": len(mine),
                "n_articles": int(n_all[(week, narrative)]),
                "share": len(mine) / totals[week],
            }
            for name in ("stance", "tone"):
                values = mine[name].dropna().to_numpy(float)
                row[f"{name}_n"] = len(values)
                if len(values) < min_n or (name == "stance" and not narrative):
                    row.update({name: float("nan"), f"{name}_low": float("nan"), f"{name}_high": float("nan")})
                    continue
                means = rng.choice(values, (200, len(values))).mean(axis=1)
                row.update(
                    {
                        name: values.mean(),
                        f"{name}_low": np.quantile(means, 0.025),
                        f"{name}_high": np.quantile(means, 0.975),
                    }
                )
            rows.append(row)
    columns = [
        "week",
        "narrative",
        "n_stories",
        "n_articles",
        "share",
        "stance",
        "stance_low",
        "stance_high",
        "stance_n",
        "tone",
        "tone_low",
        "tone_high",
        "tone_n",
    ]
    return pd.DataFrame(rows, columns=columns)


def make_events(ids: dict[str, str], n_weeks: int) -> pd.DataFrame:
    rows = [
        (0, "born", ids["china-leverage"], "", {}),
        (0, "born", ids["us-self-sufficiency"], "", {}),
        (0, "born", ids["malaysia-hedging"], "", {}),
        (0, "born", ids[""], "", {"n_stories": 5}),
        (3, "born", ids["kachin"], "", {"n_stories": 5}),
        (6, "born", ids["licence-queues"], "", {"n_stories": 5}),
        (7, "split", ids["kachin"], ids["river"], {"n_stories": 4}),
        (7, "born", ids["river"], ids["kachin"], {"n_stories": 4}),
        (8, "merged", ids["licence-queues"], ids["china-leverage"], {}),
        (8, "born", ids["recycling"], "", {"n_stories": 6}),
        (11, "dormant", ids[""], "", {}),
        (11, "born", ids["stockpile"], "", {"n_stories": 6}),
    ]
    return pd.DataFrame(
        [
            {"week": WEEKS[i], "kind": k, "narrative": n, "other": o, "detail": d}
            for i, k, n, o, d in rows
            if i < n_weeks
        ],
        columns=["week", "kind", "narrative", "other", "detail"],
    )


def make_alerts(ids: dict[str, str], articles: pd.DataFrame, n_weeks: int) -> pd.DataFrame:
    columns = [
        "id",
        "narrative",
        "week",
        "tier",
        "state",
        "acknowledged",
        "statistic",
        "p_value",
        "threshold",
        "evidence",
        "settled_week",
    ]
    rows = []
    for i, slug, state, settled in ((8, "recycling", "confirmed", 9), (11, "stockpile", "emerging", None)):
        if i >= n_weeks:
            continue
        mine = articles[(articles["narrative"] == ids[slug]) & (articles["week"] == WEEKS[i])]
        rows.append(
            {
                "id": f"A{len(rows) + 1:04d}",
                "narrative": ids[slug],
                "week": WEEKS[i],
                "tier": "alert",
                "state": state if settled is None or settled < n_weeks else "emerging",
                "acknowledged": False,
                "statistic": 6.2,
                "p_value": 0.004,
                "threshold": 4.0,
                "evidence": {
                    "n_stories": 6,
                    "n_sources": int(mine["source"].nunique()),
                    "cohesion": 0.71,
                    "nearest": [[ids["us-self-sufficiency"], 0.41], [ids["china-leverage"], 0.38]],
                    "article_ids": list(mine["id"]),
                    "why": "6 stories in two weeks; nearest known narrative at .41, level .52",
                },
                "settled_week": WEEKS[settled] if settled is not None and settled < n_weeks else None,
            }
        )
    return pd.DataFrame(rows, columns=columns)
