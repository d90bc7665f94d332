import json
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from narratives.commands.evaluate import evaluate


@pytest.fixture
def answer():
    app = typer.Typer()
    app.command()(evaluate)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    said = [
        ("I love the mine, it is a great success", "favor"),
        ("The mine is a disaster, shut it down", "against"),
        ("The mine lies north of the town", "neutral"),
    ]
    rows = [{"id": str(i), "text": t, "target": "the mine", "label": y, "lang": "en"} for i, (t, y) in enumerate(said)]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    return path


def test_stance_without_definitions_is_scored_and_called_weak(answer, labelled, tmp_path):
    result = answer("stance", labelled, "--json", "--predictions", tmp_path / "p.parquet")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["n_rows"] == 3 and any("Weak mode" in n for n in figures["notes"])
    assert len(pd.read_parquet(tmp_path / "p.parquet")) == 3


def test_another_kind_is_wrong_usage(answer, labelled):
    result = answer("mood", labelled)
    assert result.exit_code == 2 and "got 'mood'" in result.output
