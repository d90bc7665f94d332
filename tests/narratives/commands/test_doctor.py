"""Commands that examine: `check`, `settings` and `doctor`."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from narratives.archive import Archive, schema
from narratives.commands.screen import NEEDS_A_LOOK, OK
from tests.narratives.commands.conftest import Run, refused


def test_check_gives_advice_or_says_where_the_file_is_wrong(run: Run, finished: Path, tmp_path: Path) -> None:
    code, out, _ = run("check", "--desk", finished)
    assert code == OK and "0 con statements" in out and "is valid: 1 named narrative" in out
    (tmp_path / "d.yaml").write_text("narratives:\n  - id: [", encoding="utf-8")
    refused(run("check", "d.yaml"), "d.yaml: not valid YAML")
    refused(run("check", "absent.yaml"), "absent.yaml")


def test_settings_lists_every_knob_with_its_meaning(run: Run, desk: Path) -> None:
    knobs = json.loads(run("settings", "--json")[1])
    assert all(knob["meaning"] for knob in knobs) and len(knobs) > 30
    changed = run("settings", "--changed", "--desk", desk)[1].splitlines()
    assert [line.split(" = ")[0] for line in changed] == ["subject_zh"]  # the sample subject's Chinese name
    (desk / "narratives.toml").write_text("", encoding="utf-8")
    assert "every setting has its default value" in run("settings", "--changed", "--desk", desk)[1]
    (desk / "narratives.toml").write_text("[report]\nquotes = 3\n", encoding="utf-8")
    out = run("settings", "--changed", "--desk", desk)[1]
    assert "quotes = 3" in out and "Default: 6" in out


def test_settings_can_be_pasted_into_the_file(run: Run, desk: Path) -> None:
    from narratives.settings import load_settings

    before = load_settings(desk / "narratives.toml")
    (desk / "narratives.toml").write_text(run("settings", "--desk", desk)[1], encoding="utf-8")
    assert load_settings(desk / "narratives.toml") == before


def test_doctor_finds_the_machine_and_the_desk_sound(run: Run, desk: Path) -> None:
    code, out, _ = run("doctor", "--desk", desk, "--json")
    findings = json.loads(out)
    assert code == OK
    by_area = {finding["area"]: finding for finding in findings}
    assert by_area["archive"]["level"] == "ok" and by_area["python"]["level"] == "ok"
    assert by_area["quarantine"]["level"] == "note" and "narratives quarantine" in by_area["quarantine"]["help"]
    extras = [finding for finding in findings if finding["area"] == "extras" and finding["level"] != "ok"]
    assert all(finding["help"].startswith("pip install 'narratives[") for finding in extras)


def test_doctor_without_a_desk_looks_at_the_machine(run: Run) -> None:
    code, out, _ = run("doctor")
    assert code == OK and "no desk was looked at" in out


def test_doctor_reports_what_is_broken(run: Run, desk: Path) -> None:
    (desk / "definitions.yaml").write_text("narratives: 5", encoding="utf-8")
    code, out, _ = run("doctor", "--desk", desk)
    assert code == NEEDS_A_LOOK and "definitions.yaml" in out and re.search(r"\d notes?\n$", out)
    (desk / "narratives.toml").write_text("subject = 5", encoding="utf-8")
    code, out, _ = run("doctor", "--desk", desk)
    assert code == NEEDS_A_LOOK and "narratives.toml: subject" in out


def test_doctor_counts_again_what_is_kept_twice(run: Run, desk: Path) -> None:
    with Archive.open(desk / "archive.sqlite") as archive, archive.begin() as connection:
        connection.execute(schema.narrative.update().where(schema.narrative.c.id == "N0002").values(n_members=9))
    code, out, _ = run("doctor", "--desk", desk)
    assert code == NEEDS_A_LOOK and "keep another number of members than they have: 1 (N0002: 9, 2)" in " ".join(
        out.split()
    )


def test_doctor_sees_a_source_dated_midnight_only_and_one_voice(run: Run, desk: Path) -> None:
    with Archive.open(desk / "archive.sqlite") as archive, archive.begin() as connection:
        midnight = datetime(2025, 11, 10, 16, tzinfo=UTC).replace(tzinfo=None)
        connection.execute(schema.article.update().values(published_at=midnight, source="Harbor Wire", title=""))
    out = run("doctor", "--desk", desk)[1]
    assert "6 of 6 articles are dated exactly midnight" in out
    assert "100% of the articles come from Harbor Wire" in out
    assert "6 of 6 articles have no title" in out
