"""The command line: what each command answers, what each error says, and the exit codes."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from narratives.archive import Archive, schema
from narratives.cli import app, main
from narratives.commands.screen import BUSY, FAILED, NEEDS_A_LOOK, OK, STOPPED, USAGE, jsonable
from narratives.definitions import load_definitions
from narratives.named import name_definitions

Answer = tuple[int, str, str]
Run = Callable[..., Answer]

DEFINITIONS = """
narratives:
  - id: china-leverage
    name: {zh: 中国稀土杠杆, en: China leverage}
    claim: {zh: 中国以稀土为杠杆, en: China uses rare earths as leverage}
    pro: [Beijing tightens its grip on magnets]
"""
WEEKS = (date(2025, 11, 3), date(2025, 11, 10))
ARTICLES = [  # title, text, source, published_at
    ("中国收紧稀土出口管制", "商务部宣布新的许可制度。企业担心断供。", "环球观察站", "2025-11-04T09:00:00+08:00"),
    ("China tightens licences", "Beijing added rules. Buyers fear cuts.", "Harbor Wire", "2025-11-05T09:00:00+08:00"),
    ("Magnet makers wait", "Permits take months. Plants may stop.", "Capitol Dispatch", "2025-11-11T09:00:00+08:00"),
    ("回收厂扩产", "拆解线满产。废料价格上涨。", "磁材在线", "2025-11-12T09:00:00+08:00"),
    ("Recycling \x1b[31mgrows", "Old drives become magnets.", "Mekong Post", "2025-11-13T09:00:00+08:00"),
    ("Harvest festival opens", "Crowds came to the square.", "Harbor Wire", "2025-11-14T09:00:00+08:00"),
]


def jsonl(rows: list[tuple[str, str, str, str]]) -> str:
    names = ("title", "text", "source", "published_at")
    lines = [{**dict(zip(names, row, strict=True)), "url": f"https://example.org/{i}"} for i, row in enumerate(rows)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with six articles, one bad record, and two weeks of history written by hand: no model runs."""
    root = tmp_path_factory.mktemp("finished")
    desk = root / "desk"
    (root / "definitions.yaml").write_text(DEFINITIONS, encoding="utf-8")
    (root / "crawl.jsonl").write_text(jsonl(ARTICLES) + '{"title": "no date", "text": "Nothing says when."}\n', "utf-8")
    assert main(["init", str(desk), "--definitions", str(root / "definitions.yaml")]) == OK
    assert main(["ingest", str(root / "crawl.jsonl"), "--desk", str(desk), "--quiet"]) == OK
    with Archive.open(desk / "archive.sqlite") as archive:
        name_definitions(archive, load_definitions(desk / "definitions.yaml"))
        write_history(archive)
    return desk


def write_history(archive: Archive) -> None:
    ids = [row["id"] for row in sorted(archive.rows(schema.article), key=lambda row: row["published_at"])]
    home = ["N0001", "N0001", "N0001", "N0002", "N0002", None]
    with archive.begin() as connection:
        connection.execute(
            schema.narrative.update().values(
                status="active", born_week=WEEKS[0], last_week=WEEKS[1], level=0.2, n_members=3
            )
        )
        connection.execute(
            schema.narrative.insert().values(
                id="N0002", origin="discovered", status="provisional", name_zh="回收 · 拆解", name_en="scrap · drives",
                keywords_zh=["回收"], keywords_en=["scrap"], born_week=WEEKS[1], last_week=WEEKS[1], drafted=True,
                n_members=2,
            )
        )  # fmt: skip
        for week in WEEKS:
            connection.execute(schema.step.insert().values(week=week, n_articles=3))
        for article, narrative, week in zip(ids, home, [WEEKS[0]] * 2 + [WEEKS[1]] * 4, strict=True):
            connection.execute(
                schema.article.update().where(schema.article.c.id == article).values(step_week=week, is_voice=True)
            )
            connection.execute(
                schema.tone.insert().values(
                    article_id=article, tone=-0.4, p_negative=0.6, p_neutral=0.2, p_positive=0.2, scorer="test",
                    evidence=[{"start": 0, "end": 8, "tone": -0.4}],
                )
            )  # fmt: skip
            if narrative:
                connection.execute(
                    schema.membership.insert().values(
                        article_id=article, narrative_id=narrative, weight=0.5, primary=True, how="assigned", week=week
                    )
                )
        archive.add_event(connection, WEEKS[1], "born", "N0002")
        evidence = {
            "n_stories": 2, "n_recent": 2, "recent_share": 1.0, "n_sources": 1, "cohesion": 0.3,
            "article_ids": ids[3:5],
            "passed": {"recent_stories": False, "recent_share": True, "cohesion": True, "sources": False},
            "nearest": "N0001", "nearest_score": 0.1, "level_of_nearest": 0.2,
        }  # fmt: skip
        for alert, tier, state in (("A0001", "alert", "emerging"), ("A0002", "watch", "retracted")):
            connection.execute(
                schema.alert.insert().values(
                    id=alert, narrative_id="N0002", week=WEEKS[1], tier=tier, state=state, statistic=0.3, threshold=0.2,
                    evidence=evidence,
                )
            )  # fmt: skip


@pytest.fixture
def desk(finished: Path, tmp_path: Path) -> Path:
    """A copy of that desk, to be changed at will."""
    return Path(shutil.copytree(finished, tmp_path / "desk"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command away from any desk; gives its exit code, stdout and stderr."""
    monkeypatch.delenv("NARRATIVES_DESK", raising=False)
    monkeypatch.delenv("NARRATIVES_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()

    def command(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def refused(answer: Answer, *words: str) -> None:
    """One line on stderr with these words, nothing on stdout, exit code 1."""
    code, out, err = answer
    assert (code, out) == (FAILED, "")
    assert err.startswith("error: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err


# -- help ----------------------------------------------------------------------------------------------------------


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command and subcommand as it is typed."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield name, command
        for sub, below in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", below


COMMANDS = dict(all_commands())


def test_the_commands_of_the_plan_are_there() -> None:
    wanted = "init ingest update report run alerts list show explain doctor check settings quarantine".split()
    assert set(wanted) <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str, run: Run) -> None:
    code, out, err = run(*name.split(), "--help")
    assert (code, err) == (OK, "")
    assert f"Usage: narratives {name}" in out
    listed = out.partition("\nCommands:\n")[2]
    assert "..." not in listed, "a line of the list is cut short"
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert parameter.help, f"{name} {parameter.opts}: no help"
            assert parameter.opts[0] in out


def test_help_states_the_exit_codes(run: Run) -> None:
    out = run("--help")[1]
    assert "..." not in out.partition("\nCommands:\n")[2], "a line of the list is cut short"
    for code in (OK, FAILED, USAGE, BUSY, NEEDS_A_LOOK, STOPPED):
        assert f"\n    {code} " in out


def test_wrong_usage_is_2(run: Run) -> None:
    assert run("frobnicate")[0] == USAGE
    assert run("show")[0] == USAGE
    assert run("report", "--lang", "klingon")[0] == USAGE
    assert run("ingest")[0] == USAGE


def test_version(run: Run) -> None:
    assert run("--version") == (OK, "narratives 0.1.0\n", "")


# -- which desk ----------------------------------------------------------------------------------------------------


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


# -- init, ingest --------------------------------------------------------------------------------------------------


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


# -- looking -------------------------------------------------------------------------------------------------------


def test_list_shows_the_last_week(run: Run, finished: Path) -> None:
    code, out, _ = run("list", "--desk", finished)
    assert code == OK
    assert out.startswith("2025-W46: 1 story in no narrative\n")
    assert "中国稀土杠杆 / China leverage" in out and "scrap · drives" in out


def test_list_as_json_holds_figures_of_the_week_asked_for(run: Run, finished: Path) -> None:
    rows = json.loads(run("list", "--desk", finished, "--json")[1])
    assert [(row["id"], row["n_stories"], row["n_stories_before"]) for row in rows] == [
        ("N0002", 2, 0),
        ("N0001", 1, 2),
    ]
    earlier = json.loads(run("list", "--desk", finished, "--week", "2025-W45", "--json")[1])
    assert [(row["id"], row["n_stories"]) for row in earlier] == [("N0001", 2)], "N0002 was not yet born"
    assert rows[0]["stance"] is None, "too few stories for an average"


def test_a_week_that_was_not_processed(run: Run, finished: Path) -> None:
    refused(run("list", "--desk", finished, "--week", "2030-W01"), "2030-W01", "2025-W45 to 2025-W46")
    refused(run("list", "--desk", finished, "--week", "soon"), "2025-W46", "'soon'")


@pytest.mark.parametrize("wanted", ["N0001", "n0001", "china-leverage"])
def test_show_by_id_and_by_the_definitions_name(wanted: str, run: Run, finished: Path) -> None:
    code, out, _ = run("show", wanted, "--desk", finished)
    assert code == OK
    assert out.startswith("N0001  中国稀土杠杆 / China leverage")
    assert "China uses rare earths as leverage" in out and "2025-W46" in out
    assert "中国以稀土为杠杆" in out and "商务部宣布新的许" in out, "claim and evidence are in the original language"


def test_show_as_json(run: Run, finished: Path) -> None:
    said = json.loads(run("show", "N0002", "--desk", finished, "--json")[1])
    assert said["events"][0]["kind"] == "born"
    assert {row["article"] for row in said["evidence"]} and said["weeks"][0]["week"] == "2025-11-10"


def test_a_narrative_that_is_not_there(run: Run, finished: Path) -> None:
    refused(run("show", "N0999", "--desk", finished), "N0999", "narratives list --all")


def test_an_article_that_is_not_there(run: Run, finished: Path) -> None:
    refused(run("explain", "deadbeef", "--desk", finished), "deadbeef", "at least four characters")


# -- alerts --------------------------------------------------------------------------------------------------------


def test_alerts_lists_open_ones_and_all_on_request(run: Run, finished: Path) -> None:
    out = run("alerts", "--desk", finished)[1]
    assert "A0001" in out and "A0002" not in out and "1 more" in out
    assert "A0002" in run("alerts", "--all", "--desk", finished)[1]


def test_alerts_show_explains_every_part_of_the_rule(run: Run, finished: Path) -> None:
    code, out, _ = run("alerts", "show", "a0001", "--desk", finished)
    assert code == OK
    verdicts = {line.split("  ")[0]: line.split()[-1] for line in out.splitlines() if line.endswith((" yes", " no"))}
    assert list(verdicts.values()) == ["no", "yes", "yes", "no"]
    assert "N0001 China leverage, score 0.10 where joining needs 0.20" in out
    assert "Recycling" in out and "\x1b" not in out, "a title's control characters are not printed"


def test_acknowledged_alerts_are_no_longer_listed(run: Run, desk: Path) -> None:
    assert run("alerts", "ack", "a0001", "--desk", desk) == (OK, "A0001: acknowledged\n", "")
    assert run("alerts", "--desk", desk)[1].startswith("no open alerts\n")
    assert run("alerts", "ack", "A0001", "--desk", desk)[0] == OK, "twice is no error"
    run("alerts", "ack", "A0001", "--undo", "--desk", desk)
    assert "A0001" in run("alerts", "--desk", desk)[1]


def test_one_unknown_alert_and_nothing_is_acknowledged(run: Run, desk: Path) -> None:
    refused(run("alerts", "ack", "A0001", "A0099", "--desk", desk), "A0099", "nothing was changed")
    assert "A0001" in run("alerts", "--desk", desk)[1]
    refused(run("alerts", "show", "A0099", "--desk", desk), "A0099")


def test_a_groups_own_desk_option_holds_for_its_commands(run: Run, finished: Path) -> None:
    assert run("alerts", "--desk", finished, "show", "A0001")[0] == OK
    assert run("quarantine", "--desk", finished, "show", "1")[0] == OK


# -- quarantine ----------------------------------------------------------------------------------------------------


def test_quarantine_lists_and_shows(run: Run, finished: Path) -> None:
    assert run("quarantine", "--desk", finished)[1].startswith("1 record: no-date 1\n")
    out = run("quarantine", "show", "1", "--desk", finished)[1]
    assert "no-date, open" in out and '"title": "no date"' in out
    assert json.loads(run("quarantine", "--desk", finished, "--json")[1])[0]["id"] == 1
    assert "nothing lies in quarantine" in run("quarantine", "--reason", "too-long", "--desk", finished)[1]
    refused(run("quarantine", "show", "99", "--desk", finished), "no record 99")


def test_quarantine_export_can_be_mended_and_taken_in(run: Run, desk: Path, tmp_path: Path) -> None:
    assert run("quarantine", "export", "bad.jsonl", "--desk", desk) == (OK, "bad.jsonl: 1 record\n", "")
    refused(run("quarantine", "export", "bad.jsonl", "--desk", desk), "bad.jsonl")
    record = json.loads((tmp_path / "bad.jsonl").read_text(encoding="utf-8"))
    assert record["title"] == "no date" and record["_quarantine"]["reason"] == "no-date"
    (tmp_path / "bad.jsonl").write_text(json.dumps(record | {"published_at": "2025-11-15T09:00:00Z"}), encoding="utf-8")
    assert json.loads(run("quarantine", "--desk", desk, "--json")[1])
    assert json.loads(run("ingest", "bad.jsonl", "--desk", desk, "--json")[1])["accepted"] == 1


def test_quarantine_retry_says_what_is_still_open(run: Run, desk: Path) -> None:
    code, out, _ = run("quarantine", "retry", "--desk", desk)
    assert code == NEEDS_A_LOOK and "0 records recovered, 1 still open" in out
    refused(run("quarantine", "retry", "99", "--desk", desk), "99", "nothing was retried")


# -- report, update, run -------------------------------------------------------------------------------------------


def test_report_writes_three_files_and_prints_where(run: Run, desk: Path) -> None:
    code, out, err = run("report", "--desk", desk)
    assert (code, err) == (OK, "")
    assert [Path(line).name for line in out.splitlines()] == ["2025-W46.html", "2025-W46.md", "2025-W46.json"]
    assert all(Path(line).is_file() for line in out.splitlines())
    said = json.loads(run("report", "--desk", desk, "--week", "2025-W45", "--lang", "en", "--json")[1])
    assert Path(said["html"]).name == "2025-W45.html"
    refused(run("report", "--desk", desk, "--week", "2030-W01"), "2030-W01")


def test_the_schema_of_the_report_is_printed_without_a_desk(run: Run) -> None:
    code, out, _ = run("report", "--schema")
    assert code == OK and json.loads(out)["title"] == "Weekly narrative report"


def test_pictures_are_written_for_a_week(run: Run, desk: Path) -> None:
    code, out, _ = run("pictures", "--desk", desk, "--format", "svg", "--to", desk / "charts")
    paths = [Path(line) for line in out.splitlines()]
    assert code == OK and {p.suffix for p in paths} == {".svg"} and all(p.parent == desk / "charts" for p in paths)
    assert any(p.name.endswith("-overview.svg") for p in paths)


def test_a_site_is_written_and_its_index_printed(run: Run, desk: Path) -> None:
    code, out, err = run("site", "--desk", desk, "--lang", "en")
    index = Path(out.strip())
    assert code == OK and index == desk / "reports" / "site" / "index.html" and "pages" in err
    assert (index.parent / "n" / "N0001.html").is_file() and (index.parent / "2025-W46.html").is_file()


def test_a_report_that_cannot_be_mailed_or_drafted_is_written_all_the_same(run: Run, desk: Path) -> None:
    code, out, err = run("report", "--desk", desk, "--draft")
    assert code == OK and "no drafts: no language model is set" in err and Path(out.splitlines()[0]).is_file()
    refused(run("report", "--desk", desk, "--mail"), "no channel is set", "report.channels")
    (desk / "narratives.toml").write_text('[report]\nchannels = ["WEEKLY_CHANNEL"]\n', encoding="utf-8")
    code, out, _ = run("report", "--desk", desk, "--mail")
    assert code == NEEDS_A_LOOK and "WEEKLY_CHANNEL: failed: this environment variable is not set" in out


def test_nothing_to_report_says_what_to_do(run: Run) -> None:
    run("init", "empty")
    refused(run("report", "--desk", "empty"), "no week has been processed", "narratives ingest", "narratives update")
    refused(run("run", "--desk", "empty"), "no articles")
    assert run("list", "--desk", "empty")[0] == OK
    assert run("alerts", "--desk", "empty")[1] == "no open alerts\n"


def test_update_with_nothing_waiting_loads_nothing(run: Run, desk: Path) -> None:
    assert run("update", "--desk", desk) == (OK, "nothing waits to be processed\n", "")
    assert json.loads(run("update", "--desk", desk, "--json")[1])["weeks"] == []


# -- check, settings, doctor ---------------------------------------------------------------------------------------


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


# -- errors and interruptions --------------------------------------------------------------------------------------


def test_another_run_makes_it_busy(run: Run, desk: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(jsonl(ARTICLES), encoding="utf-8")
    with Archive.open(desk / "archive.sqlite") as other, other.lock("narratives update"):
        code, out, err = run("ingest", "a.jsonl", "--desk", desk)
        assert (code, out) == (BUSY, "")
        assert err.startswith("busy: ") and "narratives update" in err and "try again" in err
        assert run("alerts", "ack", "A0001", "--desk", desk)[0] == BUSY
        assert run("list", "--desk", desk)[0] == OK, "reading goes on"
        assert run("run", "--wait", "0.1", "--desk", desk)[0] == BUSY


def test_a_damaged_archive_is_left_as_it_is(run: Run, desk: Path) -> None:
    file = desk / "archive.sqlite"
    file.write_bytes(file.read_bytes()[:5000])
    refused(run("list", "--desk", desk), "cut short", "restore a backup")
    assert file.stat().st_size == 5000


def test_wrong_settings_name_file_and_value(run: Run, desk: Path) -> None:
    (desk / "narratives.toml").write_text("[discover]\nmin_stories = 1\n", encoding="utf-8")
    refused(run("list", "--desk", desk), "narratives.toml", "discover.min_stories", "got 1")


def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NARRATIVES_DEBUG", "1")
    code, _, err = run("list", "--desk", tmp_path)
    assert code == FAILED and "Traceback" in err and "error: " in err


def test_stopping_from_the_keyboard(run: Run, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("narratives.desk.Desk.ingest", stopped)
    code, _, err = run("ingest", "a.jsonl", "--desk", desk)
    assert code == STOPPED and "goes on from there" in err


def test_a_reader_that_goes_away_is_no_error(finished: Path) -> None:
    command = f"{sys.executable} -m narratives settings --desk {finished} | head -n 1"
    said = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert said.stdout.startswith("subject = ") and said.stderr == ""


def test_json_holds_no_nan() -> None:
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"a": [float("nan")], "at": [pd.NaT], "n": [np.int64(3)]})
    assert jsonable(frame.to_dict("records")) == [{"a": None, "at": None, "n": 3}]
    assert jsonable(pd.Timestamp("2025-11-10", tz="UTC")) == "2025-11-10T00:00:00+00:00"


# -- the whole way, with the model ---------------------------------------------------------------------------------


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


# -- copies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_desk_exported_and_imported_is_the_same_desk(finished: Path, tmp_path: Path, run: Run, form: str) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    assert run("export", out, "--format", form, "--desk", finished)[0] == OK
    assert {"manifest.json", "README.md", f"decision.{form}"} <= {file.name for file in out.iterdir()}
    assert run("init", other)[0] == OK
    code, said, _ = run("import", out, "--desk", other)
    assert code == OK and "6 articles came in" in said
    with Archive.open(finished / "archive.sqlite") as first, Archive.open(other / "archive.sqlite") as again:
        for table in schema.metadata.sorted_tables:
            assert again.rows(table) == first.rows(table), table.name
    code, _, problem = run("import", out, "--desk", other)
    assert code == FAILED and "not empty" in problem


def test_articles_alone_go_into_one_file_and_into_a_desk_that_has_some(
    finished: Path, tmp_path: Path, run: Run
) -> None:
    assert run("export", tmp_path / "a.csv", "--desk", finished)[0] == OK
    assert run("init", tmp_path / "other")[0] == OK
    assert "6 articles came in" in run("import", tmp_path / "a.csv", "--desk", tmp_path / "other")[1]
    assert "6 were there already" in run("import", tmp_path / "a.csv", "--desk", tmp_path / "other")[1]


def test_a_backup_is_a_desks_archive(finished: Path, tmp_path: Path, run: Run) -> None:
    code, said, _ = run("backup", tmp_path / "safe.sqlite", "--desk", finished)
    assert code == OK and "sound" in said
    with Archive.open(finished / "archive.sqlite") as first, Archive.open(tmp_path / "safe.sqlite") as copy:
        assert copy.digest() == first.digest()
    assert run("backup", tmp_path / "safe.sqlite", "--desk", finished)[0] == FAILED
