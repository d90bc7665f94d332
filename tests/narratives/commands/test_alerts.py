"""`narratives alerts`: which are open, why, and which were seen."""

from pathlib import Path

from narratives.commands.screen import OK
from tests.narratives.commands.conftest import Run, refused


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
