"""`narratives encode`: says the cost first, then rate and time left; Parquet in and out; a later run finds all done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import narratives
from embeddings import VectorCache, load_encoder
from narratives.cli import main
from narratives.commands.screen import Progress

TEXTS = [
    ("稀土涨价", "价格上涨，磁体厂商等待许可证。"),
    ("Prices rise", "Magnet makers wait for licences."),
    ("Waiting", ""),
]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A desk with the fast model and three articles."""
    narratives.init(tmp_path / "desk").close()
    settings = tmp_path / "desk" / "narratives.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('model = "default"', 'model = "fast"'), "utf-8")
    rows = [
        {"title": title, "text": text, "source": "Wire", "published_at": f"2025-11-1{i}T08:00:00Z"}
        for i, (title, text) in enumerate(TEXTS)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    assert main(["ingest", str(tmp_path / "a.jsonl"), "--desk", str(tmp_path / "desk"), "--quiet"]) == 0
    return tmp_path / "desk"


def test_articles_are_encoded_once_and_the_cost_is_said_first(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["encode", "--desk", str(desk)]) == 0
    shown = capsys.readouterr()
    assert re.search(r"use-multilingual: 3 of 3 texts are to be encoded, about \d+ s on this machine", shown.err)
    assert "encoded now: 3" in shown.out
    assert main(["encode", "--desk", str(desk), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["encoded_now"] == 0


def test_parquet_goes_in_and_comes_out(desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"title": ["A new one", None], "text": [None, "只有正文"]}).to_parquet(tmp_path / "more.parquet")
    asked = ["encode", str(tmp_path / "more.parquet"), "--out", str(tmp_path / "out"), "--desk", str(desk), "--json"]
    capsys.readouterr()
    assert main(asked) == 0
    assert json.loads(capsys.readouterr().out)["rows_written"] == 2
    elsewhere = VectorCache(tmp_path / "elsewhere")
    assert elsewhere.import_parquet(tmp_path / "out" / "vectors.parquet") == 2
    assert elsewhere.get(load_encoder("fast").fingerprint, ["A new one", "只有正文"]).found.all()


def test_progress_says_rate_and_time_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([100.0, 110.0, 112.0, 140.0])
    monkeypatch.setattr("narratives.commands.screen.time.monotonic", lambda: next(clock))
    with Progress() as progress:
        for done in (0, 500, 600, 2_000):
            progress.texts("encoding", done, 10_500)
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "encoding: 500 of 10,500 texts, 50 a second, 3.3 min left"
    assert lines[-1] == "encoding: 2,000 of 10,500 texts, 50 a second, 2.8 min left"
    assert len(lines) == 3  # nothing two seconds after a line
