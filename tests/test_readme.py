"""The README is true: its examples run, its commands, files and readers exist, and nothing of them is left out."""

from __future__ import annotations

import doctest
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml

from narratives.articles import Article
from narratives.cli import app
from narratives.commands import screen
from narratives.definitions import Definition
from narratives.ingest.fields import Context
from narratives.ingest.registry import READERS, reader_for, reader_named
from narratives.ingest.sources import Source
from narratives.settings import IngestSettings, Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([^\n]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
QUOTED = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", PROSE + CONTRIBUTING)]
EXAMPLES = {info.partition("reader=")[2]: body for info, body in BLOCKS if "reader=" in info}
BINARY = {"parquet", "warc"}  # their examples are a Python block and a command
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def blocks(language: str) -> list[str]:
    return [body for info, body in BLOCKS if info.split(" ")[0] == language]


# -- commands --------------------------------------------------------------------------------------------------


def all_commands() -> dict[str, click.Command]:
    """`alerts show` -> its command, for every command there is."""

    def walk(group: Any, prefix: str) -> Iterator[tuple[str, click.Command]]:
        for name, command in group.commands.items():
            yield f"{prefix}{name}", command
            if hasattr(command, "commands"):
                yield from walk(command, f"{prefix}{name} ")

    return dict(walk(typer.main.get_command(app), ""))


def said_commands() -> list[str]:
    """Every `narratives …` in the text or in a shell block, without its comment."""
    lines = [line for body in blocks("sh") for line in body.splitlines()]
    found = [line.partition("#")[0].strip() for line in lines] + QUOTED
    excerpts = re.findall(r"<!-- excerpt of: (.*?) -->", README)
    return [line for line in found + excerpts if line.startswith("narratives ")]


def wrong_in(line: str) -> str:
    """What is wrong with a command line; "" if nothing is."""
    known = all_commands()
    words = line.split()[1:]
    if not words:
        return ""
    if words[0].startswith("-"):
        return "" if words[0] in ("--help", "--version") else f"no option {words[0]}"
    if words[0] not in known:
        return f"no command {words[0]}"
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    options = {option for p in known[name].params for option in (*p.opts, *p.secondary_opts)} | {"--help"}
    missing = [word for word in words if word.startswith("--") and word not in options]
    return f"{name} has no {', '.join(missing)}" if missing else ""


def test_every_command_named_exists_with_its_options() -> None:
    assert len(said_commands()) > 20
    assert {line: wrong for line in said_commands() if (wrong := wrong_in(line))} == {}


def test_a_wrong_command_is_seen() -> None:
    assert wrong_in("narratives bake") == "no command bake"
    assert wrong_in("narratives alerts ack A0001 --twice") == "alerts ack has no --twice"


def test_the_table_of_commands_has_them_all() -> None:
    listed = re.findall(r"^\| `narratives ([a-z ]+)` \|", README, re.MULTILINE)
    assert sorted(listed) == sorted(all_commands())


def test_the_table_of_exit_codes_is_the_programs() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)]
    assert codes == [screen.OK, screen.FAILED, screen.USAGE, screen.BUSY, screen.NEEDS_A_LOOK, screen.STOPPED]


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    said = re.findall(r"^make ([a-z]+)", "\n".join([*blocks("sh"), *QUOTED]), re.MULTILINE)
    assert {"report", "test"} <= set(said) <= targets


# -- files, settings, extras -------------------------------------------------------------------------------------


def named_paths() -> set[str]:
    """Paths of this repository in the text; `desk/…` and `my-desk/…` are a desk's own."""
    tops = {place.name for place in ROOT.iterdir()} | {"research", "docs", "src", "scripts"}
    found = {word for quoted in QUOTED for word in quoted.split() if re.fullmatch(r"[\w.-]+(/[\w.-]*)*", word)}
    rooms = {line.split()[0] for body in blocks("") for line in body.splitlines() if re.match(r"[a-z]+/ ", line)}
    files = re.compile(r".*\.(py|md|yaml|jsonl|toml)$|LICENSE|Makefile")
    nested = {word for word in found if "/" in word and word.split("/")[0] in tops}
    return rooms | nested | {word for word in found if "/" not in word and word in tops and files.match(word)}


def test_every_file_named_exists() -> None:
    paths = named_paths()
    assert {"narratives/pipeline.py", "data/definitions.yaml", "notebooks/tour.py", "embeddings/"} <= paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", PROSE, re.M)}
    targets = re.findall(r"\]\(([^)<]+)\)", PROSE)
    assert targets
    assert [t for t in targets if not (t[1:] in headings if t.startswith("#") else (ROOT / t).exists())] == []


def test_the_settings_shown_are_the_defaults() -> None:
    (shown,) = blocks("toml")
    assert Settings.model_validate(tomllib.loads(shown)) == Settings.model_validate({})


def test_the_definition_shown_is_valid() -> None:
    (shown,) = blocks("yaml")
    (row,) = yaml.safe_load(shown)["narratives"]
    assert Definition.model_validate(row).id == "china-leverage"


def test_every_extra_has_its_line() -> None:
    lines = re.findall(r"^\| `pip install -e '\.\[([\w-]+)\]'` \|", README, re.MULTILINE)
    assert sorted(lines) == sorted(PROJECT["optional-dependencies"])


def test_the_place_for_measured_figures_is_kept() -> None:
    assert re.search(r"^## Measured\n\n<!-- measured: .*?<!-- /measured -->", README, re.MULTILINE | re.DOTALL)


def test_contributing_is_short() -> None:
    assert len(CONTRIBUTING.splitlines()) <= 10


# -- readers -------------------------------------------------------------------------------------------------------


def test_the_table_of_readers_has_them_all() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| \[below\]\(#([\w-]+)\) \|$", README, re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == sorted(reader.name for reader in READERS)
    assert [(name, link) for name, _, link in rows if name != link] == []
    assert [name for name, about, _ in rows if not about.startswith(reader_named(name).about)] == []


def test_every_reader_has_an_example_of_at_most_six_lines() -> None:
    assert set(EXAMPLES) | BINARY == {reader.name for reader in READERS}
    assert {name for name, body in EXAMPLES.items() if len(body.splitlines()) > 6} == set()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_readers_example_is_read_by_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "example"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    source = Source.of_file(file, IngestSettings())
    reader = reader_for(source)
    assert reader is not None and reader.name == name
    if reader.addresses is not None:
        assert reader.addresses(source) == ["https://example.org/feed.xml", "https://example.org/zh/rss"]
        return
    now = datetime(2025, 11, 20, tzinfo=UTC)
    records = list(reader.read(source, Context(IngestSettings(), now=now)))
    articles = [record for record in records if isinstance(record, Article)]
    assert articles and len(articles) == len(records), records
    instants = {article.published_at for article in articles}
    utc = name in ("jsonl", "table", "search-export")  # without a zone: Beijing's
    assert datetime(2025, 11, 16, 2 if utc else 10, tzinfo=UTC) in instants


# -- what runs on the sample -----------------------------------------------------------------------------------------


def test_every_python_block_is_an_example_that_can_run() -> None:
    assert blocks("python")
    assert [body for body in blocks("python") if not body.startswith(">>> ")] == []


@pytest.mark.slow
def test_the_python_examples_run(sample_desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-desk").symlink_to(sample_desk.folder, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags)
    parsed = doctest.DocTestParser().get_doctest("\n".join(blocks("python")), {}, "README.md", "README.md", 0)
    runner.run(parsed, out=said.append)
    assert runner.failures == 0, "".join(said)
    reader = reader_for(Source.of_file(tmp_path / "crawl.parquet", IngestSettings()))
    assert reader is not None and reader.name == "parquet"


@pytest.mark.slow
def test_the_excerpt_is_of_a_report_that_looks_so(sample_desk: Any) -> None:
    """Its headings are the report's own, and its articles are in the sample; figures may move with the processor."""
    import reports

    (excerpt,) = blocks("markdown")
    week = re.findall(r"<!-- excerpt of: .* --week ([\w-]+) -->", README)[0]
    written = reports.render_markdown(reports.build_weekly(sample_desk, week), "both").splitlines()
    headings = [line for line in excerpt.splitlines() if line.startswith("#")]
    assert headings and [line for line in headings if line not in written] == []
    articles = {row["url"]: row for file in ROOT.glob("data/articles-*.jsonl") for row in map(json.loads, file.open())}
    lines = re.findall(r"^- \[(.+)\]\(<(.+)>\) — (.+), (\d{4}-\d\d-\d\d)", excerpt, re.MULTILINE)
    assert lines
    for title, url, source, day in lines:
        own = articles[url]
        assert (title, source, day) == (own["title"], own["source"], own["published_at"][:10])
