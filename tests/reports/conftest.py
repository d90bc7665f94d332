"""A small desk for the tests of the report, with exactly the frames of the Desk.

Twelve weeks of 2025 in Chinese and English, some of it hostile. Nothing here is a model's output; the
figures are drawn with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from narratives.settings import Settings

FIRST_WEEK = date(2025, 8, 25)
N_WEEKS = 12
WEEKS = [FIRST_WEEK + timedelta(weeks=i) for i in range(N_WEEKS)]
ZH_SOURCES = ["东岸财经", "矿业周览", "南方产经网", "环球观察站", "磁材在线", "北辰新闻社"]
EN_SOURCES = [
    "Harbor Wire",
    "The Pacific Ledger",
    "Metals & Magnets Weekly",
    "Capitol Dispatch",
    "Straits Courier",
]

HOSTILE_TITLES = [
    "<script>window.hacked=1</script>稀土出口",
    '"><img src=x onerror="window.hacked=1"> magnets',
    "</script><script>window.hacked=1</script>",
    "{{ 7*7 }} [link](javascript:window.hacked=1) | `code` *bold* <!-- comment",
    "\u202egnp.exe stockpile\u202c & <b>bold</b>",
]
HOSTILE_URLS = [
    "javascript:window.hacked=1",
    "data:text/html,<script>window.hacked=1</script>",
    "  JaVaScRiPt:alert(1)",
]

# Slug to names, claim, stories a week, sentences and the chance that a story supports, by third of the weeks.
_STORIES: dict[str, dict[str, Any]] = {
    "china-leverage": {
        "zh": "中国稀土杠杆",
        "en": "China leverage",
        "origin": "defined",
        "claim_zh": "中国对稀土的主导地位使其对对手握有决定性的筹码。",
        "claim_en": "China's dominance in rare earths gives it decisive leverage over its rivals.",
        "weekly": [4, 3, 5, 4, 3, 5, 8, 7, 5, 4, 4, 12],
        "supports": [0.7, 0.7, 0.3],
        "texts_zh": [
            "出口许可证的审批周期拉长到四十五个工作日，几家德国车企已经通知供应商准备停线。",
            "一位不愿具名的采购经理说，谁掌握镝和铽，谁就掌握谈判桌的节奏。",
            "商务部表示，民用合规贸易不受影响。",
            "也有分析认为，管制用一次就少一次，买家正在加速寻找替代来源。",
            "公告暂停一年之后，许可证窗口重新排起了长队。",
        ],
        "texts_en": [
            "Export licences now take up to 45 working days, and two car makers have warned of stoppages.",
            '"Whoever controls dysprosium sets the pace at the table," said a purchasing manager.',
            "The ministry said that compliant civilian trade is not affected.",
            "Others argue that the lever weakens each time it is pulled, because buyers are leaving.",
            "Queues at the licence window returned after the one-year suspension.",
        ],
        "kw_zh": ["出口许可", "管制", "筹码"],
        "kw_en": ["export licence", "controls", "leverage"],
    },
    "us-self-sufficiency": {
        "zh": "美国自给",
        "en": "US self-sufficiency",
        "origin": "defined",
        "claim_zh": "美国能够摆脱对中国稀土和磁体的依赖。",
        "claim_en": "The United States can make itself independent of Chinese rare earths and magnets.",
        "weekly": [3, 3, 2, 3, 4, 3, 3, 4, 6, 3, 3, 3],
        "supports": [0.5, 0.5, 0.7],
        "texts_zh": [
            "得州沃斯堡的工厂把第一批车用磁体装上了卡车。",
            "五角大楼的保底价让银行重新打开了档案。",
            "一位前工程师提醒，重稀土分离仍是短板，五年内补不上。",
            "公司没有披露良率。",
        ],
        "texts_en": [
            "The Fort Worth plant loaded its first automotive magnets onto trucks this week.",
            "A price floor from the Pentagon has let lenders reopen files closed in 2023.",
            "A former engineer warned that separating heavy rare earths will stay the gap for five years.",
            "The company gave no yield.",
        ],
        "kw_zh": ["保底价", "沃斯堡", "磁体厂"],
        "kw_en": ["price floor", "fort worth", "pentagon"],
    },
    "malaysia-hedging": {
        "zh": "马来西亚左右逢源",
        "en": "Malaysia hedging",
        "origin": "defined",
        "claim_zh": "马来西亚在大国之间对冲，以建立自己的稀土产业。",
        "claim_en": "Malaysia is hedging between the powers to build its own rare earth industry.",
        "weekly": [1, 2, 2, 1, 2, 1, 2, 1, 3, 2, 1, 2],
        "supports": [0.6, 0.5, 0.5],
        "texts_zh": [
            "吉隆坡一边维持原矿出口禁令，一边与国库控股商谈中方技术合作。",
            "关丹的韩资磁体厂计划年产三千吨。",
            "反对党议员批评政策前后矛盾。",
        ],
        "texts_en": [
            "Kuala Lumpur keeps its ban on raw exports while Khazanah talks to a Chinese technology partner.",
            "A South Korean magnet plant in Kuantan plans 3,000 tonnes a year.",
            "An opposition lawmaker called the policy incoherent.",
        ],
        "kw_zh": ["关丹", "国库控股", "原矿禁令"],
        "kw_en": ["kuantan", "khazanah", "raw export ban"],
    },
    "": {
        "zh": "深海稀土泥",
        "en": "deep-sea mud",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [2, 3, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0],
        "supports": None,
        "texts_zh": ["日本将在南鸟岛附近试采六千米深的稀土泥。", "国际海底管理局的会议不欢而散。"],
        "texts_en": [
            "Japan will test lifting mud from six kilometres near Minamitorishima.",
            "Talks at the seabed authority ended without a mining code.",
        ],
        "kw_zh": ["南鸟岛", "海底", "稀土泥"],
        "kw_en": ["seabed", "minamitorishima", "nodules"],
    },
    "kachin": {
        "zh": "克钦矿区供应",
        "en": "Kachin mine supply",
        "origin": "discovered",
        "drafted": True,
        "claim_zh": "克钦的战事威胁重稀土供应。",
        "claim_en": "Fighting in Kachin threatens the supply of heavy rare earths.",
        "weekly": [0, 0, 0, 5, 6, 5, 4, 3, 3, 2, 1, 1],
        "supports": [0.6, 0.6, 0.6],
        "texts_zh": ["板瓦口岸只放行农产品，六十辆矿车在山路上等了三天。", "氧化镝价格一周上涨百分之四。"],
        "texts_en": [
            "The Pangwa gate let only farm goods through; sixty ore trucks waited three days.",
            "Dysprosium oxide rose four per cent in a week.",
        ],
        "kw_zh": ["板瓦", "克钦独立军", "氧化镝"],
        "kw_en": ["kachin", "pangwa", "dysprosium"],
    },
    "river": {
        "zh": "泰北河流砷污染",
        "en": "arsenic in Thai rivers",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0, 0, 0, 0, 0, 0, 0, 4, 4, 3, 4, 3],
        "supports": None,
        "texts_zh": ["清莱府公布夜柯河新一轮水样，砷含量超标一倍。", "塔通的渔民说，鱼卖不掉了。"],
        "texts_en": [
            "New samples from the Kok show arsenic at twice the limit, Chiang Rai said.",
            "Fishermen at Tha Ton say nobody buys their fish.",
        ],
        "kw_zh": ["砷", "夜柯河", "清莱"],
        "kw_en": ["arsenic", "kok river", "chiang rai"],
    },
    "recycling": {
        "zh": "磁体回收",
        "en": "magnet recycling",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0, 0, 0, 0, 0, 0, 0, 0, 6, 7, 7, 1],
        "supports": None,
        "texts_zh": ["赣州一家回收厂用氢破碎处理报废风机磁体，回收率九成五。", "废料价格三周涨了一成。"],
        "texts_en": [
            "A plant outside Leeds recovers magnets from old hard disks by hydrogen decrepitation.",
            "Scrap prices are up a tenth in three weeks.",
        ],
        "kw_zh": ["回收", "氢破碎", "废料"],
        "kw_en": ["recycling", "scrap", "hydrogen decrepitation"],
    },
    "stockpile": {
        "zh": "欧盟<b>联合</b>储备",
        "en": "EU joint stockpile </title><script>window.hacked=1</script>",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0] * 11 + [6],
        "supports": None,
        "texts_zh": ["布鲁塞尔提议把磁体纳入联合储备，先从六个月用量起步。", "谁出钱，各国还没有谈拢。"],
        "texts_en": [
            "Brussels wants a joint stockpile of magnets worth six months of use.",
            "Who pays has not been settled.",
        ],
        "kw_zh": ["联合储备", "<i>欧盟</i>"],
        "kw_en": ["stockpile", "brussels", '"quoted" & raw'],
    },
    "licence-queues": {
        "zh": "许可证排队",
        "en": "licence queues",
        "origin": "discovered",
        "claim_zh": "",
        "claim_en": "",
        "weekly": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "supports": None,
        "texts_zh": [],
        "texts_en": [],
        "kw_zh": ["许可证"],
        "kw_en": ["queue"],
    },
}
_NOISE_ZH = ["存储芯片合约价再涨一成", "某锂企三季度净利润同比下降", "铜价创年内新高", "光伏玻璃去库存"]
_NOISE_EN = [
    "Lithium miner trims guidance",
    "Copper hits a yearly high",
    "Memory prices climb again",
    "Solar glass glut",
]


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


def make_desk(folder: Path, *, n_weeks: int = N_WEEKS) -> FakeDesk:
    """The fixture desk, its first `n_weeks` weeks."""
    rng = random.Random(7)
    rows: list[dict[str, Any]] = []
    evidence: dict[str, list[dict[str, Any]]] = {}
    ids = {slug: f"N{i + 1:04d}" for i, slug in enumerate(_STORIES)}
    hostile = list(HOSTILE_TITLES)
    for i, week in enumerate(WEEKS[:n_weeks]):
        for slug, spec in _STORIES.items():
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
                row = _article(rng, week, zh, title, ("" if zh else " ").join(sentences), ids[slug], i, k)
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
                evidence.setdefault(ids[slug], []).extend(_evidence(row, sentences))
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
            title = (_NOISE_ZH if zh else _NOISE_EN)[(k + i) % 4]
            body = f"{title}，市场人士称后续仍待观察。" if zh else f"{title}, and traders said they would wait."
            rows.append(_article(rng, week, zh, title, body, "", i, 50 + k))
    articles = pd.DataFrame(rows)
    articles["n_copies"] = articles.groupby("story")["id"].transform("count")
    for j, url in enumerate(HOSTILE_URLS):
        last = articles.index[articles["narrative"] == ids["stockpile"]]
        if len(last) > j:
            articles.loc[last[j], "url"] = url
    articles["published_at"] = pd.to_datetime(articles["published_at"], utc=True).dt.as_unit("us")
    frames = {
        "articles": articles,
        "narratives": _narratives(articles, ids),
        "timeline": make_timeline(articles, sorted(ids.values())),
        "events": _events(ids, n_weeks),
        "alerts": _alerts(ids, articles, n_weeks),
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
    for slug, spec in _STORIES.items():
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


def _article(
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


def _evidence(row: dict[str, Any], sentences: list[str]) -> list[dict[str, Any]]:
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


def _narratives(articles: pd.DataFrame, ids: dict[str, str]) -> pd.DataFrame:
    out = []
    for slug, spec in _STORIES.items():
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


def _events(ids: dict[str, str], n_weeks: int) -> pd.DataFrame:
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


def _alerts(ids: dict[str, str], articles: pd.DataFrame, n_weeks: int) -> pd.DataFrame:
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


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    """Twelve weeks."""
    return make_desk(tmp_path)


@pytest.fixture
def first_desk(tmp_path: Path) -> FakeDesk:
    """A desk after its first week."""
    return make_desk(tmp_path, n_weeks=1)


@pytest.fixture(scope="session")
def desk_maker() -> Callable[..., FakeDesk]:
    """The builder itself, for desks of another length."""
    return make_desk


@pytest.fixture(scope="session")
def big_desk(tmp_path_factory: pytest.TempPathFactory) -> FakeDesk:
    """500 narratives, 50,000 articles, twelve weeks."""
    return make_big_desk(tmp_path_factory.mktemp("big"))


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
            rows += _evidence(row, [row["text"]])
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
