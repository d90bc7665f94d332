"""What each part of the alert rule buys: births recorded once from replays, rules tried on them many times.

    python -m benchmarks.alert_rules record ../shared/data --out FOLDER [--stream en] [--seeds 0 1 2 3 4]
    python -m benchmarks.alert_rules compare FOLDER/*.json
    python -m benchmarks.alert_rules routine ../shared/data

`record` runs the pipeline over streams with planted births (`replay_streams.py`; `wire` is Reuters' newswire of 1987 in
its true order of days with headline stories planted in it) and writes down every birth with all facts that the rule
may look at, and what joined it later. `compare` judges these births anew, week by week, with and without each part.

`routine` asks of every headline, in its true order of days, whether it is of a series, given the twelve weeks before.

found: planted stories of five texts a week and more that an alert reported; late: weeks from their first text, median;
FA: alerts a week that are not the first of a planted story; conf.: the same of confirmed alerts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import narratives
from benchmarks.replay_streams import START, Stream, Text, load_stories, make_stream
from narratives import alerts
from narratives.archive import schema
from narratives.circumstances import false_p_values
from narratives.growth import Growth
from narratives.level import alert_level
from narratives.material import Material
from narratives.pipeline import update
from narratives.replay.tracker import NoTone, desk_of, row_of
from narratives.routine import Headline, Series, routine_share, template_names
from narratives.settings import AlertSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embeddings import Encoder

_RECORDING = {
    "max_p_value": 1.0,
    "told_before": 2.0,
    "routine_share": 2.0,
    "same_margin": 2.0,
    "max_false_per_quarter": 0.0,
}
_GENERAL = {"tau_percentile": 99.0, "floor": 0.45, "group_floor": 0.35}
_WIRE_FIRST, _WIRE_WEEKS, _WIRE_EVERY = date(1987, 3, 2), 8, 3
WITHOUT = {
    "rule R": {**_RECORDING},
    "+ growth": {**_RECORDING, "max_p_value": None},
    "+ routine": {**_RECORDING, "routine_share": None},
    "+ doubles": {**_RECORDING, "same_margin": None},
    "+ level": {**_RECORDING, "max_false_per_quarter": None},
    "all": {},
    "all - growth": {"max_p_value": 1.0},
    "all - routine": {"routine_share": 2.0},
    "all - doubles": {"same_margin": 2.0},
    "all - level": {"max_false_per_quarter": 0.0},
    "all - told before": {"told_before": 2.0},
}


def stream_of(kind: str, data: Path, seed: int) -> Stream:
    """en: English headlines; mixed: with Chinese events; wire: Reuters in true order with planted headlines."""
    headlines = load_stories([data / "stories_en_headlines.jsonl"])
    if kind == "en":
        return make_stream(headlines, seed, 24, 40)
    if kind == "mixed":
        return make_stream([*headlines, *load_stories([data / "stories_zh_events.jsonl"])], seed, 24, 40)
    return _wire(data / "stream_en_1987.jsonl", headlines[0], seed)


def _wire(file: Path, stories: dict[str, list[dict[str, str]]], seed: int) -> Stream:
    rng = random.Random(seed)
    texts = []
    for i, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        at = datetime.fromisoformat(row["published_at"])
        week = (at.date() - _WIRE_FIRST).days // 7
        if i % _WIRE_EVERY == seed % _WIRE_EVERY and 0 <= week < _WIRE_WEEKS:
            moved = START + (at - datetime(*_WIRE_FIRST.timetuple()[:3]))
            texts.append(Text(row["title"], row["text"][:200], "en", "", "", week, moved))
    born: dict[str, int] = {}
    rate: dict[str, int] = {}
    large = sorted(name for name, rows in stories.items() if len(rows) >= 15)
    for i, story in enumerate(rng.sample(large, 16)):
        born[story], rate[story] = rng.randrange(2, _WIRE_WEEKS - 2), (5, 3)[i % 2]
        for j, row in enumerate(rng.sample(stories[story], 15)):
            if (week := born[story] + j // rate[story]) < _WIRE_WEEKS:
                at = START + timedelta(weeks=week, minutes=rng.randrange(7 * 24 * 60 - 60))
                texts.append(Text(row["title"], "", "en", row["source"], story, week, at))
    texts.sort(key=lambda text: (text.published_at, text.title))
    return Stream(tuple(texts), born, rate, _WIRE_WEEKS)


def record(stream: Stream, encoder: Encoder, cache: Path, discover: dict[str, float]) -> dict[str, Any]:
    """Births of one run: facts, founding texts, and the week and source of every story that joined."""
    usual = Settings()
    changed = {
        "discover": usual.discover.model_copy(update=discover),
        "alerts": usual.alerts.model_copy(update=_RECORDING),
    }
    settings = usual.model_copy(update=changed)
    with desk_of(stream, settings) as desk:
        update(desk.archive, settings, [], Material(cache, settings, encoder), NoTone())
        return _births(desk, stream)


def _births(desk: narratives.Desk, stream: Stream) -> dict[str, Any]:
    article = {row["id"]: row for row in desk.archive.rows(schema.article)}
    at = {i: row_of(row["url"]) for i, row in article.items()}
    member = schema.membership
    joined: dict[str, list[tuple[int, str]]] = {}
    for row in desk.archive.rows(member, member.c.primary, ~member.c.weak, member.c.how.not_in(("copy", "split"))):
        joined.setdefault(row["narrative_id"], []).append((_number(row["week"]), article[row["article_id"]]["source"]))
    births = []
    for row in desk.archive.rows(schema.alert):
        evidence = row["evidence"]
        rows = [at[i] for i in evidence["article_ids"]]
        births.append(
            {
                "narrative": row["narrative_id"],
                "week": _number(row["week"]),
                "weeks": [stream.texts[i].week for i in rows],
                "sources": [article[i]["source"] for i in evidence["article_ids"]],
                "titles": [stream.texts[i].title for i in rows],
                "stories": [stream.texts[i].story for i in rows],
                "joined": joined.get(row["narrative_id"], []),
                **{k: evidence[k] for k in ("cohesion", "cut", "growth", "series", "nearest_young", "likeness")},
                **{k: evidence[k] for k in ("suspects", "nearest", "nearest_score", "near", "told_before")},
            }
        )
    first = desk.archive.get_meta("alerts_since")
    since = _number(date.fromisoformat(first)) if first else 0
    return {
        "n_weeks": stream.n_weeks,
        "since": since,
        "born": stream.born,
        "rate": stream.rate,
        "births": births,
    }


def _number(week: date) -> int:
    return (week - START.date()).days // 7


def replayed(records: Sequence[dict[str, Any]], settings: AlertSettings) -> dict[str, float]:
    """Judge recorded births anew, one stream after the other as if they were one archive; figures as above.

    The level is calibrated on the weeks of all streams before, as it would be in an archive of that age.
    """
    past: list[dict[str, Any]] = []
    n_before, n_weeks = 0, 0
    first, late, found, false, confirmed_false, routine, doubles = 0, [], 0, 0, 0, 0, 0
    confirmed, told = 0, 0
    for record in records:
        own: list[dict[str, Any]] = []
        seen: set[str] = set()
        for week in range(record["n_weeks"]):
            day = START.date() + timedelta(weeks=week)
            _settle(own, day, settings)
            n_known = n_before + max(0, week - record["since"])
            scores = false_p_values([*past, *own])
            level = alert_level(scores, n_known, settings.max_p_value, settings.max_false_per_quarter)
            for birth in (b for b in record["births"] if b["week"] == week):
                said = alerts.judge(_newborn(birth), day, settings, level)
                row = {"tier": said.tier, "state": said.state, "evidence": said.why, "birth": birth, "week": day}
                own.append(row)
                routine += said.tier == "routine"
                doubles += bool(said.why["same_as"])
            _settle(own, day, settings)
        for row in own:
            story, n = Counter(row["birth"]["stories"]).most_common(1)[0]
            row["kind"] = "noise"
            if story and n >= len(row["birth"]["stories"]) / 2:
                row["kind"] = "old" if story not in record["born"] else "again" if story in seen else "first"
            if row["tier"] == "alert":
                told += 1
                confirmed += row["state"] == "confirmed"
                seen.add(story)
                if row["kind"] == "first":
                    first += 1
                    if record["rate"][story] >= 5:
                        found += 1
                        late.append(row["birth"]["week"] - record["born"][story])
                else:
                    false += 1
                    confirmed_false += row["state"] == "confirmed"
        past += own
        n_before += record["n_weeks"] - record["since"]
        n_weeks += record["n_weeks"]
    n_large = sum(rate >= 5 for record in records for rate in record["rate"].values())
    n_all = sum(len(record["born"]) for record in records)
    return {
        "found 5+": found / n_large,
        "found all": first / n_all,
        "late": float(np.median(late)) if late else float("nan"),
        "FA": false / n_weeks,
        "FA conf.": confirmed_false / n_weeks,
        "prec.": first / max(1, told),
        "prec. conf.": (confirmed - confirmed_false) / max(1, confirmed),
        "routine": routine,
        "doubles": doubles,
    }


def _newborn(birth: dict[str, Any]) -> alerts.Newborn:
    return alerts.Newborn(
        [START.date() + timedelta(weeks=w) for w in birth["weeks"]],
        birth["sources"],
        birth["cohesion"],
        birth["cut"],
        Growth(**birth["growth"]) if birth["growth"] else None,
        Series(**birth["series"]),
        birth["nearest_young"],
        birth["likeness"],
        frozenset(birth["suspects"]),
        told_before=birth["told_before"],
    )


def _settle(rows: list[dict[str, Any]], day: date, settings: AlertSettings) -> None:
    by_narrative = {row["birth"]["narrative"]: row for row in rows}
    for row in rows:
        if row["state"] not in ("emerging", "held"):
            continue
        joined = [*row["birth"]["joined"]]
        for other in by_narrative.values():
            if other["evidence"]["same_as"] == row["birth"]["narrative"]:
                joined += other["birth"]["joined"]
        dated = [(START.date() + timedelta(weeks=w), source) for w, source in joined]
        dated = [(w, source) for w, source in dated if w <= day]
        row["state"] = alerts.settle(
            row["week"], dated, day, row["state"], row["birth"]["suspects"], settings.confirm_stories
        )


def compare(files: Sequence[Path]) -> pd.DataFrame:
    """A row a rule; columns are the figures, for each kind of stream the mean over its seeds chained."""
    records: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(files):
        records.setdefault(file.stem.partition("-")[0], []).append(json.loads(file.read_text(encoding="utf-8")))
    default = AlertSettings()
    rows = {}
    for name, changed in WITHOUT.items():
        update = {k: getattr(default, k) if v is None else v for k, v in changed.items()}
        for kind, own in records.items():
            rows[kind, name] = replayed(own, default.model_copy(update=update))
    return pd.DataFrame(rows).T.round(3)


def routine_headlines(file: Path) -> pd.DataFrame:
    """Share of headlines called routine, by label, from the fifth week on; the row "all" first."""
    dated = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("title") and row.get("published_at"):
            day = date.fromisoformat(row["published_at"][:10])
            dated.append((Headline(row["title"], row.get("source") or "", day), row.get("topic") or row.get("story")))
    dated.sort(key=lambda one: one[0].day)
    known: dict[str, list[Headline]] = {}
    rows = []
    monday = {headline: headline.day - timedelta(days=headline.day.weekday()) for headline, _ in dated}
    first = min(monday.values())
    for week in sorted(set(monday.values())):
        own = [(headline, label) for headline, label in dated if monday[headline] == week]
        for headline, _ in own:
            for name in template_names(headline.title):
                known.setdefault(name, []).append(headline)
        for headline, label in own if (week - first).days >= 28 else []:
            near = [h for name in template_names(headline.title) for h in known[name]]
            before = [h for h in near if h.day >= week - timedelta(weeks=12)]
            share = routine_share([headline], before, week - timedelta(weeks=1)).share
            rows.append({"label": label, "routine": share})
    frame = pd.DataFrame(rows)
    by_label = frame.groupby("label")["routine"].agg(["size", "mean"]).query("size >= 20").sort_values("mean")[::-1]
    return pd.concat([pd.DataFrame({"size": [len(frame)], "mean": [frame["routine"].mean()]}, index=["all"]), by_label])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("record")
    one.add_argument("data", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "narratives-replay-vectors")
    one.add_argument("--stream", default="en", choices=("en", "mixed", "wire"))
    one.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    three = verbs.add_parser("routine")
    three.add_argument("data", type=Path)
    two = verbs.add_parser("compare")
    two.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.verb == "compare":
        print(compare(arguments.files).to_string())
        print("defaults:", json.dumps(asdict_of(AlertSettings())))
        return
    if not arguments.data.is_dir():
        print(f"skipped: {arguments.data} not found")
        return
    if arguments.verb == "routine":
        for name in ("stream_en_1987", "stories_en_headlines", "stories_zh_events"):
            print(name, routine_headlines(arguments.data / f"{name}.jsonl").head(12).round(3).to_string(), sep="\n")
        return
    import torch

    from embeddings import load_encoder

    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    encoder = load_encoder(device="cpu")
    for seed in arguments.seeds:
        stream = stream_of(arguments.stream, arguments.data, seed)
        found = record(stream, encoder, arguments.cache, _GENERAL)
        file = arguments.out / f"{arguments.stream}-{seed}.json"
        file.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        print(f"{file.name}: {len(stream.texts)} texts, {len(found['births'])} births", file=sys.stderr, flush=True)


def asdict_of(settings: AlertSettings) -> dict[str, Any]:
    """The settings that decide, for the record."""
    return {k: v for k, v in settings.model_dump().items() if not isinstance(v, list)}


if __name__ == "__main__":
    main()
