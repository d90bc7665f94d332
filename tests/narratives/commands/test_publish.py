"""Commands that publish: `report`, `pictures` and `site`, and what they say where there is nothing yet."""

import json
from pathlib import Path

from narratives.commands.screen import NEEDS_A_LOOK, OK
from tests.narratives.commands.conftest import Run, refused


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
