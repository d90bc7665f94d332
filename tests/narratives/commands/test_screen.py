"""What all commands share: the desk they work on, and JSON that any program reads."""

from pathlib import Path

import pytest

from narratives.commands.screen import OK, jsonable
from tests.narratives.commands.conftest import Run, refused


@pytest.mark.parametrize("command", ["list", "update", "report", "alerts", "quarantine"])
def test_without_a_desk_the_error_names_the_ways_out(command: str, run: Run) -> None:
    refused(run(command), "--desk", "NARRATIVES_DESK", "narratives init")


def test_a_folder_that_is_no_desk(run: Run, tmp_path: Path) -> None:
    refused(run("list", "--desk", tmp_path), "is not a desk", f"narratives init {tmp_path}")


def test_the_desk_is_the_current_folder_before_the_environment(
    run: Run, finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NARRATIVES_DESK", str(tmp_path / "nowhere"))
    refused(run("list"), "nowhere")
    monkeypatch.chdir(finished)
    assert run("list")[0] == OK
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NARRATIVES_DESK", str(finished))
    assert run("list")[0] == OK


def test_json_holds_no_nan() -> None:
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"a": [float("nan")], "at": [pd.NaT], "n": [np.int64(3)]})
    assert jsonable(frame.to_dict("records")) == [{"a": None, "at": None, "n": 3}]
    assert jsonable(pd.Timestamp("2025-11-10", tz="UTC")) == "2025-11-10T00:00:00+00:00"
