"""The documentation is true: its commands run, its examples work, its links lead somewhere, its reference is fresh."""

from __future__ import annotations

import doctest
import os
import re
import runpy
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from narratives.archive.transfer import backup
from narratives.cli import main
from narratives.commands.screen import NEEDS_A_LOOK, OK
from narratives.definitions import Definition
from narratives.settings import Settings
from tests.test_readme import EXAMPLES, PROJECT, all_commands, wrong_in

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """(what stands behind the fence, body) of every block of a page, in order."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def prose(page: Path) -> str:
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def with_exits(body: str) -> list[tuple[str, bool]]:
    """The lines of a shell block without their comments, and whether a comment says that it may leave with 4."""
    said = [line.partition(" #") for line in body.splitlines()]
    return [(line.strip(), "exits 4" in comment) for line, _, comment in said if line.strip()]


def commands(body: str) -> list[str]:
    return [line for line, _ in with_exits(body)]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        other = (DOCS / file).resolve() if file else page
        if not other.exists() or (anchor and anchor not in anchors(other)):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_named_exists_with_its_options(page: Path) -> None:
    said = [line for info, body in blocks(page) if info.split(" ")[0] == "sh" for line in commands(body)]
    said += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]
    ours = [line for line in said if line.startswith("narratives ")]
    assert {line: wrong for line in ours if (wrong := wrong_in(line))} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_and_definitions_shown_are_valid(page: Path) -> None:
    for info, body in blocks(page):
        if info.split(" ")[0] == "toml":
            Settings.model_validate(tomllib.loads(body))
        if info == "yaml":
            for row in yaml.safe_load(body)["narratives"]:
                Definition.model_validate(row)


def test_every_page_is_reached_from_the_first() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8")))
    assert linked == {page.name for page in PAGES} - {"README.md"}


def test_the_reference_is_of_this_program() -> None:
    made = runpy.run_path(str(DOCS / "reference" / "generate.py"))["pages"]()
    # How typer words a command's help is not ours to hold: only that each has its section.
    written = {name: (DOCS / "reference" / name).read_text(encoding="utf-8") for name in made}
    stale = [name for name, text in made.items() if name != "commands.md" and written[name] != text]
    assert stale == [], "run `make docs`"
    assert [name for name in all_commands() if f"# `narratives {name}`" not in written["commands.md"]] == []


def run_line(line: str, may_need_a_look: bool, place: Path, instead: dict[str, str]) -> Path:
    """Run one line of a shell block as a shell would, in `place`; returns where the next line runs.

    Of other people's programs only that what is named exists. `instead`: what stands for what cannot be here.
    """
    words = shlex.split(line)
    if words[0] == "cd":
        return place / words[1]
    if words[0] == "export":
        name, _, value = words[1].partition("=")
        os.environ[name] = os.path.expandvars(value.replace("$PWD", str(place)))
        return place
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return place
    if words[:2] == ["pip", "install"]:
        assert words[-1][2:-1] in PROJECT["optional-dependencies"], line
        return place
    if words[0] == "source":
        return place
    assert words[0] == "narratives", f"a test cannot run this: {line}"
    arguments: list[str] = []
    for word, raw in zip(words, line.split(), strict=False):
        is_glob = "*" in word and "'" not in raw
        arguments += sorted(map(str, place.glob(word))) if is_glob else [instead.get(word, word)]
    code = main(arguments[1:])
    assert code in (OK, NEEDS_A_LOOK if may_need_a_look else OK), f"{line}: exit code {code}"
    return place


@pytest.fixture
def own_files(tmp_path: Path) -> Iterator[Path]:
    """A folder with an export, a crawl and a list of feeds (none in it), and an environment that is put back."""
    before = dict(os.environ)  # the environment itself stays: Ray reads what is set in it from C++
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "monday.txt").write_text(EXAMPLES["search-export"], encoding="utf-8")
    (tmp_path / "crawl.jsonl").write_text(EXAMPLES["jsonl"], encoding="utf-8")
    (tmp_path / "feeds.opml").write_text('<opml version="2.0"><body></body></opml>', encoding="utf-8")
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.slow
def test_the_first_desk_of_the_readme_is_made(own_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = own_files
    for info, body in blocks(ROOT / "README.md"):
        if info == "sh" and "narratives init" in body:
            for line, may_need_a_look in with_exits(body):
                monkeypatch.chdir(place)
                place = run_line(line, may_need_a_look, place, {})
    assert place == own_files / "my-desk" and list((place / "reports").glob("*.html"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_runs(
    page: Path,
    sample_desk: Any,
    own_files: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Shell and Python blocks from top to bottom, in a folder with a copy of the sample's desk as `my-desk`."""
    tmp_path = own_files
    runnable = [(info, body) for info, body in blocks(page) if info in ("sh", "python") or " file=" in info]
    if not runnable:
        return
    said_address = re.findall(r"postgresql://[^'\"]+", page.read_text(encoding="utf-8"))
    instead = {said_address[0]: request.getfixturevalue("postgres")} if said_address else {}
    desk = tmp_path / "my-desk"
    shutil.copytree(sample_desk.folder, desk, ignore=shutil.ignore_patterns("archive.sqlite*", "*.lock"))
    backup(sample_desk.archive, desk / "archive.sqlite")
    for info, body in runnable:
        if " file=" in info:
            file = tmp_path / info.partition("file=")[2]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8")
    place = tmp_path
    python: dict[str, Any] = {}
    for info, body in runnable:
        if info == "sh":
            if commands(body) and commands(body)[0].startswith("cd "):
                place = tmp_path  # a block that goes somewhere starts from the same folder
            for line, may_need_a_look in with_exits(body):
                monkeypatch.chdir(place)
                place = run_line(line, may_need_a_look, place, instead)
        elif info == "python":
            monkeypatch.chdir(tmp_path)
            said: list[str] = []
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
            parsed = doctest.DocTestParser().get_doctest(body, python, page.name, str(page), 0)
            python = parsed.globs
            runner.run(parsed, out=said.append, clear_globs=False)
            assert runner.failures == 0, "".join(said)
