"""Ingest end to end: counts add up, running again changes nothing, folders, corrections, retry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from narratives.archive import Archive
from narratives.ingest import ingest_paths, retry_quarantine
from narratives.ingest import run as run_module
from narratives.settings import IngestSettings, Settings

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
SETTINGS = Settings()


def _row(n: int, **changes: object) -> dict[str, object]:
    text = f"第{n}号矿山的稀土产量在{n}月份增长了{n * 3}%，当地官员{n}表示将继续扩大分离能力，并与厂商{n}签约。"
    row = {"title": f"第{n}条消息", "text": text, "published_at": f"2025-11-{n % 15 + 1:02d}T08:00:00+08:00"}
    return {**row, "source": f"报纸{n % 7}", "url": f"https://example.com/{n}", **changes}


def _write(file: Path, rows: list[dict[str, object]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Path]:
    """A folder as people have them: two exports, a feed, notes, and a bad row."""
    folder = tmp_path / "in"
    _write(folder / "b.jsonl", [_row(n) for n in range(1, 40)])
    _write(folder / "a" / "c.jsonl", [_row(n) for n in range(30, 60)])
    (folder / "a" / "c.jsonl").open("a").write("not json\n")
    (folder / "README.md").write_text("# About\n")
    (folder / "labels.csv").write_text("id,narrative\n1,x\n")
    (folder / "definitions.yaml").write_text("narratives: []\n")
    (folder / ".hidden.jsonl").write_text('{"title": "no"}\n')
    (folder / "other.csv").write_text("a,b\n1,2\n")
    (folder / "empty.jsonl").write_text("")
    yield folder


def test_every_record_is_accounted_for_and_notes_are_passed_over(archive: Archive, mixed: Path) -> None:
    report = ingest_paths(archive, [mixed], SETTINGS, now=NOW)
    counts = report.counts
    assert counts["read"] == 70
    assert (counts["accepted"], counts["repeated"], counts["quarantined"]) == (59, 10, 1)
    assert archive.n_articles() == 59
    notes = {Path(file.name).name: file.note for file in report.files if not file.reader}
    assert set(notes) == {
        "README.md",
        "labels.csv",
        "definitions.yaml",
        ".hidden.jsonl",
        "other.csv",
        "empty.jsonl",
    }
    assert all(notes.values())
    (reject,) = archive.quarantine_frame().to_dict("records")
    assert reject["reason"] == "bad-json" and reject["origin"].endswith("c.jsonl:31") and reject["raw"] == "not json"


def test_running_again_changes_nothing(archive: Archive, mixed: Path) -> None:
    ingest_paths(archive, [mixed], SETTINGS, now=NOW)
    before = archive.digest()
    again = ingest_paths(archive, [mixed], SETTINGS, now=NOW).counts
    assert again["accepted"] == again["superseded"] == 0 and again["repeated"] == 69
    assert archive.digest() == before


def test_the_result_does_not_depend_on_how_the_input_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [_row(n) for n in range(1, 80)]
    rows += [_row(n, url=f"https://copy.com/{n}", source="转载") for n in range(1, 80, 3)]
    rows += [_row(n, text=str(_row(n)["text"]) + "更正") for n in range(1, 80, 5)]
    rows += [_row(n, url=f"https://late.com/{n}", source="再转") for n in range(1, 80, 4)]
    digests = set()
    for chunk in (500, 7, 1):
        monkeypatch.setattr(run_module, "CHUNK", chunk)
        with Archive.create(tmp_path / f"{chunk}.sqlite") as archive:
            counts = ingest_paths(archive, [_write(tmp_path / "in.jsonl", rows)], SETTINGS, now=NOW).counts
            assert counts["superseded"] == 16 and counts["reprints"] > 30
            digests.add(archive.digest())
    with Archive.create(tmp_path / "days.sqlite") as archive:
        for n, row in enumerate(rows):
            if n % 20 == 0:
                part = _write(tmp_path / "in.jsonl", rows[: n + 20])
                ingest_paths(archive, [part], SETTINGS, now=NOW)
            assert row
        digests.add(archive.digest())
    assert len(digests) == 1


def _by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second process read every file, after one chunk of 10."""
    monkeypatch.setattr(run_module, "CHUNK", 10)
    monkeypatch.setattr(run_module, "LARGE_BYTES", 0)
    monkeypatch.setattr(run_module, "OWN_CHUNKS", 1)


def test_a_second_process_changes_nothing(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from narratives.ingest.worker import Worker

    _by_two(monkeypatch)
    rows = [_row(n) for n in range(1, 60)] + [{"title": "no date"}]
    _write(mixed / "d.jsonl", [*rows, *[_row(n, text=f"{_row(n)['text']}更正") for n in range(1, 60, 4)]])
    (mixed / "e.parquet").write_bytes(b"PAR1 torn")
    started: list[Worker] = []
    start = Worker.__init__
    monkeypatch.setattr(Worker, "__init__", lambda self: (started.append(self), start(self))[1])
    said = []
    for alone in (False, True):
        settings = Settings(ingest=IngestSettings(second_process=not alone))
        with Archive.create(tmp_path / f"{alone}.sqlite") as archive:
            first = ingest_paths(archive, [mixed], settings, now=NOW)
            again = ingest_paths(archive, [mixed], settings, now=NOW)
            said.append((first, again, archive.digest()))
    assert said[0] == said[1] and said[0][0].counts["superseded"] and len(started) == 2
    assert all(worker._process.poll() is not None for worker in started), "a process was left behind"


def test_a_second_process_that_dies_is_done_without(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from narratives.ingest import worker as worker_module

    _by_two(monkeypatch)
    rows = [_row(n) for n in range(1, 400)]
    file = _write(tmp_path / "a.jsonl", rows)
    taken = worker_module.Worker.chunks

    def dying(self: worker_module.Worker, request: worker_module.Request) -> Iterator[object]:
        for n, chunk in enumerate(taken(self, request)):
            if n == 3:
                self._process.kill()
            yield chunk

    monkeypatch.setattr(worker_module.Worker, "chunks", dying)
    report = ingest_paths(archive, [file], SETTINGS, now=NOW)
    assert report.counts["accepted"] == archive.n_articles() == 399
    assert "read on without it" in report.files[0].note
    assert archive.articles_frame()["origin"].nunique() == 399


def test_a_correction_supersedes_and_the_version_before_is_kept(archive: Archive, tmp_path: Path) -> None:
    first = _write(tmp_path / "1.jsonl", [_row(1)])
    later = _write(tmp_path / "2.jsonl", [_row(1, text="更正：产量没有增长。")])
    ingest_paths(archive, [first], SETTINGS, now=NOW)
    counts = ingest_paths(archive, [later], SETTINGS, now=NOW).counts
    assert counts["superseded"] == 1
    frame = archive.articles_frame()
    assert len(frame) == 1 and frame["text"][0] == "更正：产量没有增长。" and frame["version"][0] == 2
    # The old file read again does not bring the old version back.
    assert ingest_paths(archive, [first, later], SETTINGS, now=NOW).counts["repeated"] == 2
    assert archive.articles_frame()["version"][0] == 2


def test_reprints_share_the_story_of_the_first_that_came_in(archive: Archive, tmp_path: Path) -> None:
    long = (
        "稀土永磁材料的出口许可证自本月起恢复发放，欧洲的汽车零部件厂家称库存已经见底。行业协会表示，等待平均要六个星期。"
        * 3
    )
    rows = [
        _row(1, text=long, published_at="2025-11-10T08:00:00Z"),
        _row(2, text="【转载】" + long, title="另一个标题", published_at="2025-11-09T08:00:00Z"),
        _row(3, text=long, published_at="2025-10-01T08:00:00Z"),
    ]
    counts = ingest_paths(archive, [_write(tmp_path / "a.jsonl", rows)], SETTINGS, now=NOW).counts
    assert counts["reprints"] == 1  # the third lies outside the window
    frame = archive.articles_frame().set_index("url")
    first, copy = frame.loc["https://example.com/1"], frame.loc["https://example.com/2"]
    assert copy["story"] == first["story"] == first["id"]
    assert bool(first["is_first"]) and not bool(copy["is_first"]) and first["n_copies"] == 2


def test_a_file_that_is_not_there_is_said_before_anything_is_read(archive: Archive, mixed: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such-file\.jsonl"):
        ingest_paths(archive, [mixed, "no-such-file.jsonl"], SETTINGS, now=NOW)
    assert archive.n_articles() == 0


def test_a_glob_names_files(archive: Archive, mixed: Path) -> None:
    report = ingest_paths(archive, [str(mixed / "*.jsonl")], SETTINGS, now=NOW)
    assert report.counts["accepted"] == 39


def test_a_named_file_in_no_known_format_is_quarantined_as_a_whole(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(bytes(range(256)))
    report = ingest_paths(archive, [file], SETTINGS, now=NOW)
    assert report.counts["quarantined"] == 1 and report.files[0].failed
    assert archive.quarantine_frame()["reason"].tolist() == ["unknown-format"]


def test_a_quarantined_record_is_recovered_with_a_mapping(archive: Archive, tmp_path: Path) -> None:
    row = _row(1)
    row["wann"] = row.pop("published_at")
    file = _write(tmp_path / "a.jsonl", [row, _row(2)])
    assert ingest_paths(archive, [file], SETTINGS, now=NOW).counts["quarantined"] == 1
    assert retry_quarantine(archive, SETTINGS, now=NOW).counts["quarantined"] == 1
    report = retry_quarantine(archive, SETTINGS, mapping={"published_at": "wann"}, now=NOW)
    assert report.counts["accepted"] == 1
    assert archive.n_articles() == 2
    assert archive.quarantine_frame().empty and len(archive.quarantine_frame(state="recovered")) == 1


def test_a_quarantined_record_is_recovered_with_new_settings_when_its_file_is_gone(
    archive: Archive, tmp_path: Path
) -> None:
    file = _write(tmp_path / "a.jsonl", [_row(1, published_at="03/04/2025")])
    ingest_paths(archive, [file], SETTINGS, now=NOW)
    file.unlink()
    settings = Settings(ingest=IngestSettings(slash_dates="day-first"))
    assert retry_quarantine(archive, settings, now=NOW).counts["accepted"] == 1
    assert archive.articles_frame()["published_at"][0].strftime("%m-%d") == "04-02"  # midnight in Shanghai


def test_a_fault_in_a_reader_costs_its_file_alone(
    archive: Archive, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from narratives.ingest import jsonlines

    def broken(*_: object) -> object:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(jsonlines, "article_from_record", broken)
    report = ingest_paths(archive, [mixed], SETTINGS, now=NOW)
    assert report.counts["quarantined"] == 2
    assert set(archive.quarantine_frame()["reason"]) == {"reader-fault"}


def test_progress_is_told_a_chunk_at_a_time(archive: Archive, tmp_path: Path) -> None:
    told: list[int] = []
    file = _write(tmp_path / "a.jsonl", [_row(n) for n in range(1, 1200)])
    ingest_paths(archive, [file], SETTINGS, progress=lambda _, n: told.append(n), now=NOW)
    assert told == [500, 1000, 1199]


def test_a_file_that_is_not_what_its_name_says_is_one_line_in_quarantine(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\x89PNG\r\n" + bytes(range(256)) * 10)
    ingest_paths(archive, [file], SETTINGS, now=NOW)
    assert len(archive.quarantine_frame()) == 1


def test_a_torn_first_line_costs_that_line(archive: Archive, tmp_path: Path) -> None:
    file = _write(tmp_path / "a.jsonl", [_row(1), _row(2)])
    file.write_text('xt": 3}\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    counts = ingest_paths(archive, [file], SETTINGS, now=NOW).counts
    assert (counts["accepted"], counts["quarantined"]) == (2, 1)
