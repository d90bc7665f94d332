"""Odd files of each format, and what becomes of them: bombs, torn records, strange names and columns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, parse_mapping
from narratives.ingest.registry import reader_for, reader_named
from narratives.ingest.sources import Source, SourceError
from narratives.settings import IngestSettings
from tests.narratives.ingest.conftest import NOW, read_to_the_end, source_of
from tests.narratives.ingest.examples import ROWS, rss_of, warc_of


def test_a_deeply_nested_line_costs_that_line(read) -> None:
    deep = '{"title":' + "[" * 100_000 + "]" * 100_000 + "}"
    records = read("a.jsonl", deep + "\n" + json.dumps(ROWS[0]))
    assert [type(record) for record in records] == [Reject, Article]


def test_the_last_of_duplicate_keys_counts(read) -> None:
    (record,) = read("a.jsonl", '{"title": "a", "title": "b", "date": "2025-11-15"}')
    assert record.title == "b"


def test_a_huge_single_line_is_quarantined_without_being_held(read) -> None:
    limits = IngestSettings(max_record_bytes=100_000)
    huge = '{"title": "' + "x" * 50_000_000 + '"}'
    records = read("a.jsonl", huge + "\n" + json.dumps(ROWS[0]), settings=limits)
    assert [type(record) for record in records] == [Reject, Article]
    assert records[0].reason == "too-long" and len(records[0].raw) < 1_000
    assert "max_record_bytes" in records[0].message


def test_a_field_above_the_limit_is_named(read) -> None:
    (record,) = read("a.jsonl", json.dumps({**ROWS[0], "text": "x" * 200_001}))
    assert isinstance(record, Reject) and "200,001" in record.message and "max_text_chars" in record.message


def test_a_bomb_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(gzip.compress(b"\x00" * 10_000_000))
    thin = gzip.compress(b'{"title": "a"}\n' * 10 + b" " * 120_000_000, 9)
    source = Source.of_file(source_of(tmp_path, "a.jsonl.gz", thin).path, IngestSettings(max_expansion=10))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="max_expansion"):
        list(reader_named("jsonl").read(source, Context(IngestSettings(), now=NOW)))
    assert reader_for(source_of(tmp_path, "b.gz", bomb)) is None  # unpacked once, never twice


def test_entity_bombs_in_markup_are_harmless(tmp_path: Path) -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lol}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    feed = rss_of([{**ROWS[0], "title": "&l9;&f;"}]).split("?>", 1)[1]
    records = read_to_the_end(reader_named("feed"), source_of(tmp_path, "a.xml", head + feed))
    assert all("root:" not in getattr(record, "title", "") and len(str(record)) < 100_000 for record in records)
    opml = head + '<opml><body><outline xmlUrl="&l9;"/></body></opml>'
    with pytest.raises(SourceError, match="entities"):
        reader_named("opml").addresses(source_of(tmp_path, "a.opml", opml))  # type: ignore[misc]


def test_markup_and_script_in_a_title_stay_text(read) -> None:
    (record,) = read("a.jsonl", json.dumps({**ROWS[0], "title": "<script>alert(1)</script> & co"}))
    assert record.title == "<script>alert(1)</script> & co"


def test_quoted_line_ends_stay_inside_a_row_and_origins_name_its_first_line(read) -> None:
    table = 'title,text,date\n"a\nb","c,d",2025-11-15\nsecond,e,2025-11-16\n'
    first, second = read("a.csv", table)
    assert (first.title, first.text) == ("a b", "c,d")
    assert second.origin.endswith(":4")


def test_a_row_with_too_many_cells_is_quarantined(read) -> None:
    records = read("a.csv", "title,date\na,2025-11-15\nb,2025-11-15,tail\n")
    assert [type(record) for record in records] == [Article, Reject]


def test_columns_are_mapped_by_the_person(read) -> None:
    mapping = parse_mapping(["title=kop", "published_at=wann"])
    (record,) = read("a.csv", "kop,wann,title\nthe title,2025-11-15,not it\n", mapping=mapping)
    assert record.title == "the title"
    with pytest.raises(ValueError, match="FIELD=NAME"):
        parse_mapping(["headline"])


def test_a_table_without_usable_columns_says_what_to_map(read) -> None:
    with pytest.raises(SourceError, match="--map"):
        read("a.csv", "a,b\n1,2\n")


def test_a_date_ahead_of_the_clock_is_quarantined(read) -> None:
    (record,) = read("a.jsonl", json.dumps({**ROWS[0], "published_at": "2031-01-01"}))
    assert isinstance(record, Reject) and record.reason == "future-date"


@pytest.mark.parametrize("name", [b"utf-8\x80", b"utf-8\x00"])
def test_a_feed_whose_declared_encoding_is_no_name_is_read_all_the_same(tmp_path: Path, name: bytes) -> None:
    body = rss_of(ROWS).split("?>", 1)[-1].encode()
    feed = b'<?xml version="1.0" encoding="' + name + b'"?>' + body
    records = read_to_the_end(reader_named("feed"), source_of(tmp_path, "a.xml", feed))
    assert [type(record) for record in records] == [Article, Article]


def test_what_a_cut_feed_leaves_in_the_quarantine_fits_a_database(tmp_path: Path) -> None:
    feed = rss_of(ROWS).encode() + b"\x00"
    *_, last = read_to_the_end(reader_named("feed"), source_of(tmp_path, "a.xml", feed))
    assert isinstance(last, Reject) and last.reason == "truncated"


def test_a_web_archive_s_record_that_is_longer_than_it_says_is_told_of(read, capfd) -> None:
    plain = gzip.decompress(warc_of(ROWS))
    at = plain.index(b"Content-Length: ") + len(b"Content-Length: ")
    end = plain.index(b"\r", at)
    records = read("a.warc", plain[:at] + str(int(plain[at:end]) - 20).encode() + plain[end:])
    rejects = [record for record in records if isinstance(record, Reject)]
    assert [(reject.reason, Path(reject.origin).name) for reject in rejects] == [("truncated", "a.warc#1")]
    assert len(records) == len(ROWS) + 1
    assert capfd.readouterr().err == ""


def test_feeds_addresses_of_a_list_come_once_and_in_order(tmp_path: Path) -> None:
    opml = (
        "<opml><body><outline text='g'><outline xmlUrl='https://b.com/f'/><outline XMLURL='https://a.com/f'/></outline>"
        "<outline xmlUrl='https://b.com/f'/></body></opml>"
    )
    assert reader_named("opml").addresses(source_of(tmp_path, "a.opml", opml)) == [
        "https://b.com/f",
        "https://a.com/f",
    ]  # type: ignore[misc]
