"""Commands that do the work: `init`, `ingest`, `update`, and `run`, which is the whole way."""

import json
from pathlib import Path

import pytest

from narratives.archive import Archive
from narratives.commands.screen import NEEDS_A_LOOK, OK
from tests.narratives.commands.conftest import ARTICLES, DEFINITIONS, Run, jsonl, refused


def test_init_makes_a_desk_and_says_what_comes_next(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("init", "mine")
    assert code == OK and "narratives ingest" in out
    assert {"narratives.toml", "definitions.yaml", "archive.sqlite"} <= {f.name for f in (tmp_path / "mine").iterdir()}


def test_init_refuses_a_desk_that_is_there(run: Run, desk: Path) -> None:
    before = (desk / "archive.sqlite").read_bytes()
    refused(run("init", desk), "is a desk already", "nothing was changed")
    assert (desk / "archive.sqlite").read_bytes() == before


def test_init_with_wrong_definitions_makes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("narratives: [{id: Not A Slug, name: {en: x}}]", encoding="utf-8")
    refused(run("init", "mine", "--definitions", "d.yaml"), "d.yaml: narrative 1", "lower-case")
    refused(run("init", "mine", "--definitions", "absent.yaml"), "there is no definitions file absent.yaml")
    assert not (tmp_path / "mine").exists()


def test_ingest_counts_add_up_and_the_second_time_is_nothing_new(run: Run, desk: Path, tmp_path: Path) -> None:
    new = (
        "Quota raised in Jiangxi",
        "The ministry raised the quota. Prices fell at once.",
        "Harbor Wire",
        "2025-11-15T09:00:00Z",
    )
    (tmp_path / "more.jsonl").write_text(jsonl([new]) + "not json\n", encoding="utf-8")
    code, out, err = run("ingest", "more.jsonl", "--desk", desk, "--json", "--quiet")
    said = json.loads(out)
    assert (code, err) == (OK, "")
    assert (said["read"], said["accepted"], said["quarantined"]) == (2, 1, 1)
    assert said["files"][0]["reader"] == "jsonl"
    code, out, _ = run("ingest", "more.jsonl", "--desk", desk)
    assert code == OK and "0 accepted" in out and out.endswith("nothing new\n")


def test_ingest_names_what_is_not_there(run: Run, desk: Path) -> None:
    refused(run("ingest", "absent.jsonl", "--desk", desk), "absent.jsonl")
    refused(run("ingest", "absent.jsonl", "--desk", desk, "--map", "headline"), "--map takes FIELD=NAME")


def test_a_source_that_cannot_be_read_needs_a_look(run: Run, desk: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_bytes(b"\x00\x01\x02" * 50)
    code, _, err = run("ingest", "torn.json", "--desk", desk)
    assert code == NEEDS_A_LOOK
    assert "could not be read" in err and "torn.json" in err


def test_progress_is_on_stderr_and_quiet_silences_it(run: Run, desk: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(jsonl(ARTICLES), encoding="utf-8")
    assert "a.jsonl: 6 records" in run("ingest", "a.jsonl", "--desk", desk)[2]
    assert run("ingest", "a.jsonl", "--desk", desk, "-q")[2] == ""


def test_update_with_nothing_waiting_loads_nothing(run: Run, desk: Path) -> None:
    assert run("update", "--desk", desk) == (OK, "nothing waits to be processed\n", "")
    assert json.loads(run("update", "--desk", desk, "--json")[1])["weeks"] == []


@pytest.mark.slow
def test_run_twice_changes_nothing_and_explain_accounts_for_an_article(run: Run, tmp_path: Path) -> None:
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS, encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(jsonl(ARTICLES), encoding="utf-8")
    run("init", "mine", "--definitions", "definitions.yaml")
    code, out, _ = run("run", "a.jsonl", "--desk", "mine", "--json")
    first = json.loads(out)
    assert code == OK and first["update"]["weeks"] == ["2025-W45", "2025-W46"]
    assert Path(first["report"]["html"]).is_file()
    digest = digest_of(tmp_path / "mine")
    code, out, _ = run("run", "a.jsonl", "--desk", "mine")
    assert code == OK and "nothing waits to be processed" in out
    assert out.splitlines()[-1] == f"report: {first['report']['html']}"
    assert digest_of(tmp_path / "mine") == digest
    said = json.loads(run("explain", "https://example.org/1", "N0001", "--desk", "mine", "--json")[1])
    near = next(n for n in said["nearest"] if n["id"] == "N0001")
    assert near["score"] == pytest.approx(near["cosine"] + near["words"] + near["actors"], abs=2e-4)
    assert near["reached"] == (near["score"] >= near["level"]) and said["why"]
    later = ("Buyers fear new licences", "Beijing may add rules.", "Harbor Wire", "2025-11-15T09:00:00Z")
    (tmp_path / "b.jsonl").write_text(jsonl([later]).replace("org/0", "org/b"), encoding="utf-8")
    run("ingest", "b.jsonl", "--desk", "mine")
    assert "it waits" in run("explain", "https://example.org/b", "--desk", "mine")[1]


def digest_of(desk: Path) -> str:
    with Archive.open(desk / "archive.sqlite") as archive:
        return archive.digest()
