"""The contract of every reader: one outcome a record, whatever the bytes are."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context, parse_mapping
from narratives.ingest.registry import READERS, reader_for, reader_named
from narratives.ingest.sources import Source, SourceError
from narratives.settings import IngestSettings

_SERVICES = ("gdelt", "event-registry", "media-cloud")
NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
_ROWS = [
    {
        "title": "稀土出口许可恢复发放",
        "text": "商务部表示，许可证自本月起恢复发放，磁铁厂商称库存已经见底。",
        "published_at": "2025-11-15T02:16:00+08:00",
        "source": "新华社",
        "url": "https://example.com/1",
    },
    {
        "title": "Magnet makers wait for licences",
        "text": "Carmakers said their stocks of magnets would last six weeks.",
        "published_at": "2025-11-16T10:00:00+00:00",
        "source": "Daily Paper",
        "url": "https://example.com/2",
    },
]


def _csv(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    import csv

    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _parquet(rows: list[dict[str, str]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


def _rss(rows: list[dict[str, str]]) -> str:
    items = "".join(
        f"<item><title>{r['title']}</title><link>{r['url']}</link><pubDate>{r['published_at']}</pubDate>"
        f"<description>&lt;p&gt;{r['text']}&lt;/p&gt;</description>"
        f"<source url='http://x'>{r['source']}</source></item>"
        for r in rows
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0">'
    return f"{head}<channel><title>F</title>{items}</channel></rss>"


def _atom(rows: list[dict[str, str]]) -> str:
    items = "".join(
        f"<entry><title>{r['title']}</title><link href='{r['url']}'/><id>{r['url']}</id>"
        f"<updated>2025-11-17T00:00:00Z</updated><published>{r['published_at']}</published>"
        f"<content type='html'>{r['text']}</content><source><title>{r['source']}</title></source></entry>"
        for r in rows
    )
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{items}</feed>'


def _json_feed(rows: list[dict[str, str]]) -> str:
    items = [
        {"id": r["url"], "url": r["url"], "title": r["title"], "content_html": f"<p>{r['text']}</p>",
         "date_published": r["published_at"]}
        for r in rows
    ]  # fmt: skip
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "新华社", "items": items})


def _page(row: dict[str, str]) -> str:
    body = "".join(f"<p>{row['text']} {i}</p>" for i in range(8))
    return (
        f"<!doctype html><html lang='zh'><head><title>{row['title']}</title>"
        f"<meta property='article:published_time' content='{row['published_at']}'>"
        f"<meta property='og:site_name' content='{row['source']}'>"
        f"<link rel='canonical' href='{row['url']}'></head>"
        f"<body><nav>Home About</nav><article><h1>{row['title']}</h1>{body}</article></body></html>"
    )


def _warc(rows: list[dict[str, str]]) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    file = io.BytesIO()
    writer = WARCWriter(file, gzip=True)
    for row in rows:
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.0")
        payload = io.BytesIO(_page(row).encode())
        writer.write_record(writer.create_warc_record(row["url"], "response", payload=payload, http_headers=headers))
    return file.getvalue()


def _gdelt(rows: list[dict[str, str]]) -> str:
    return json.dumps({"articles": [
        {"url": r["url"], "url_mobile": "", "title": r["title"], "seendate": "20251115T021600Z",
         "domain": r["source"], "language": "Chinese", "sourcecountry": "China"} for r in rows]})  # fmt: skip


def _event_registry(rows: list[dict[str, str]]) -> str:
    return json.dumps({"articles": {"page": 1, "results": [
        {"uri": str(i), "lang": "zho", "isDuplicate": False, "date": "2025-11-15", "time": "02:16:00",
         "dateTime": "2025-11-15T02:20:00Z", "dateTimePub": "2025-11-15T02:16:00Z", "url": r["url"],
         "title": r["title"], "body": r["text"], "source": {"uri": "x.cn", "title": r["source"]}}
        for i, r in enumerate(rows)]}})  # fmt: skip


def _media_cloud(rows: list[dict[str, str]]) -> str:
    return _csv([
        {"id": str(i), "publish_date": "2025-11-15 02:16:00", "title": r["title"], "url": r["url"],
         "language": "zh", "media_name": r["source"], "media_url": "x.cn", "indexed_date": "2025-11-18"}
        for i, r in enumerate(rows)
    ])  # fmt: skip


def _search_export(rows: list[dict[str, str]]) -> str:
    return "Workflow\nSearch documents\n" + "".join(
        f"{r['title']}\n{r['source']}· 2025-11-15 02:16\n{r['text']}\n" for r in rows
    )


# Reader, a file as a person would have it, whether it carries texts.
EXAMPLES: dict[str, tuple[str, str | bytes, int]] = {
    "jsonl": ("a.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in _ROWS), 2),
    "json": ("a.json", json.dumps({"data": _ROWS}), 2),
    "table": ("a.csv", _csv(_ROWS), 2),
    "parquet": ("a.parquet", _parquet(_ROWS), 2),
    "feed": ("a.xml", _rss(_ROWS), 2),
    "json-feed": ("a.json", _json_feed(_ROWS), 2),
    "page": ("a.html", _page(_ROWS[0]), 1),
    "warc": ("a.warc.gz", _warc(_ROWS), 2),
    "gdelt": ("a.json", _gdelt(_ROWS), 2),
    "event-registry": ("a.json", _event_registry(_ROWS), 2),
    "media-cloud": ("a.csv", _media_cloud(_ROWS), 2),
    "search-export": ("a.txt", _search_export(_ROWS), 2),
    "opml": (
        "a.opml",
        '<opml version="2.0"><body><outline xmlUrl="https://example.com/f"/></body></opml>',
        0,
    ),
}


def _source(folder: Path, name: str, content: str | bytes) -> Source:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Source.of_file(file, IngestSettings())


def test_every_reader_has_an_example() -> None:
    assert {reader.name for reader in READERS} == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_format_is_found_from_the_content(tmp_path: Path, name: str) -> None:
    _, content, _ = EXAMPLES[name]
    found = reader_for(_source(tmp_path, "without-a-suffix", content))
    assert found is not None and found.name == name


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_each_record_becomes_an_article(tmp_path: Path, name: str) -> None:
    file, content, n = EXAMPLES[name]
    records = list(reader_named(name).read(_source(tmp_path, file, content), Context(IngestSettings(), now=NOW)))
    assert [type(record) for record in records] == [Article] * n, records
    if n:
        first = records[0]
        assert first.title == _ROWS[0]["title"] and first.source == "新华社"
        # Times without a zone are UTC in the exports of services and Beijing's elsewhere.
        utc = datetime(2025, 11, 15, 2, 16, tzinfo=UTC) - timedelta(hours=0 if name in _SERVICES else 8)
        assert first.published_at == utc
        assert name in ("gdelt", "media-cloud") or "磁铁厂商称库存已经见底" in first.text
        assert name == "search-export" or first.url == "https://example.com/1"
        assert first.origin.startswith(str(tmp_path))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, "zst"])
@pytest.mark.parametrize("name", ["jsonl", "table", "feed", "parquet", "search-export"])
def test_packed_files_are_read_like_plain_ones(tmp_path: Path, name: str, pack: object) -> None:
    _, content, n = EXAMPLES[name]
    raw = content.encode() if isinstance(content, str) else content
    packed = pyarrow.compress(raw, codec="zstd", asbytes=True) if pack == "zst" else pack(raw)  # type: ignore[operator]
    source = _source(tmp_path, "packed", packed)
    reader = reader_for(source)
    assert reader is not None and reader.name == name
    records = list(reader.read(source, Context(IngestSettings(), now=NOW)))
    assert [type(record) for record in records] == [Article] * n


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "big5", "utf-16"])
@pytest.mark.parametrize("name", ["jsonl", "json", "table", "search-export"])
def test_encodings_are_found(tmp_path: Path, name: str, encoding: str) -> None:
    file, content, n = EXAMPLES[name]
    assert isinstance(content, str)
    text = content if name != "json" else json.dumps({"data": _ROWS}, ensure_ascii=False)
    if encoding == "big5":
        import opencc

        text = opencc.OpenCC("s2t").convert(text)
    source = _source(tmp_path, file, text.encode(encoding))
    reader = reader_for(source)
    assert reader is not None
    records = list(reader.read(source, Context(IngestSettings(), now=NOW)))
    assert [type(record) for record in records] == [Article] * n
    assert records[0].title in ("稀土出口许可恢复发放", "稀土出口許可恢復發放")


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"opml"}))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_short_gives_what_it_has_and_says_so(tmp_path: Path, name: str, share: float) -> None:
    file, content, n = EXAMPLES[name]
    raw = content.encode() if isinstance(content, str) else content
    source = _source(tmp_path, file, raw[: int(len(raw) * share)])
    try:
        records = list(reader_named(name).read(source, Context(IngestSettings(), now=NOW)))
    except SourceError as error:
        assert error.reason in ("truncated", "bad-json", "bad-xml", "no-columns", "no-records")
        return
    assert len(records) <= n + 1
    assert all(record.reason and record.message for record in records if isinstance(record, Reject))


_BYTES = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from([*'{}[]",:\n\t\x00<>;|', "title", "date", "2025-11-15", "稀土", "\ufeff", "\ud800"]),
        max_size=60,
    ).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=_BYTES, where=st.floats(0, 1), instead=st.booleans())
def test_bytes_in_the_middle_never_stop_a_reader(
    tmp_path: Path, name: str, noise: bytes, where: float, instead: bool
) -> None:
    file, content, _ = EXAMPLES[name]
    raw = content.encode() if isinstance(content, str) else content
    at = int(where * len(raw))
    torn = noise if instead else raw[:at] + noise + raw[at:]
    reader = reader_named(name)
    _survives(reader, _source(tmp_path, file, torn))


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_RECORDS = st.dictionaries(
    st.one_of(
        st.sampled_from(["title", "text", "published_at", "source", "url", "lang", "日期"]),
        st.text(max_size=8),
    ),
    _VALUES,
    max_size=7,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(_RECORDS, min_size=1, max_size=5))
def test_every_json_record_is_an_article_or_a_reject(tmp_path: Path, records: list[dict[str, object]]) -> None:
    lines = "\n".join(json.dumps(record) for record in records)
    found = _survives(reader_named("jsonl"), _source(tmp_path, "a.jsonl", lines))
    assert len(found) == len(records)
    document = _survives(reader_named("json"), _source(tmp_path, "a.json", json.dumps({"rows": records})))
    assert all(isinstance(record, Article | Reject) for record in document)


def _survives(reader: object, source: Source) -> list[Article | Reject]:
    """All records of a source, each fit for a database; a whole-file error must say its reason."""
    records: list[Article | Reject] = []
    try:
        for record in reader.read(source, Context(IngestSettings(), now=NOW)):  # type: ignore[attr-defined]
            records.append(record)
        if reader.addresses is not None:  # type: ignore[attr-defined]
            reader.addresses(source)  # type: ignore[attr-defined]
    except SourceError as error:
        assert error.reason and str(error)
    for record in records:
        if isinstance(record, Article):
            stored = record.title + record.text + record.source + record.url + record.lang
        else:
            assert record.reason and record.message
            stored = record.message + record.raw
        stored.encode("utf-8")
        assert "\x00" not in stored
    return records


def test_a_deeply_nested_line_costs_that_line(read) -> None:
    deep = '{"title":' + "[" * 100_000 + "]" * 100_000 + "}"
    records = read("a.jsonl", deep + "\n" + json.dumps(_ROWS[0]))
    assert [type(record) for record in records] == [Reject, Article]


def test_the_last_of_duplicate_keys_counts(read) -> None:
    (record,) = read("a.jsonl", '{"title": "a", "title": "b", "date": "2025-11-15"}')
    assert record.title == "b"


def test_a_huge_single_line_is_quarantined_without_being_held(read) -> None:
    limits = IngestSettings(max_record_bytes=100_000)
    huge = '{"title": "' + "x" * 50_000_000 + '"}'
    records = read("a.jsonl", huge + "\n" + json.dumps(_ROWS[0]), settings=limits)
    assert [type(record) for record in records] == [Reject, Article]
    assert records[0].reason == "too-long" and len(records[0].raw) < 1_000
    assert "max_record_bytes" in records[0].message


def test_a_field_above_the_limit_is_named(read) -> None:
    (record,) = read("a.jsonl", json.dumps({**_ROWS[0], "text": "x" * 200_001}))
    assert isinstance(record, Reject) and "200,001" in record.message and "max_text_chars" in record.message


def test_a_bomb_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(gzip.compress(b"\x00" * 10_000_000))
    thin = gzip.compress(b'{"title": "a"}\n' * 10 + b" " * 120_000_000, 9)
    source = Source.of_file(_source(tmp_path, "a.jsonl.gz", thin).path, IngestSettings(max_expansion=10))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="max_expansion"):
        list(reader_named("jsonl").read(source, Context(IngestSettings(), now=NOW)))
    assert reader_for(_source(tmp_path, "b.gz", bomb)) is None  # unpacked once, never twice


def test_entity_bombs_in_markup_are_harmless(tmp_path: Path) -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lol}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    feed = _rss([{**_ROWS[0], "title": "&l9;&f;"}]).split("?>", 1)[1]
    records = _survives(reader_named("feed"), _source(tmp_path, "a.xml", head + feed))
    assert all("root:" not in getattr(record, "title", "") and len(str(record)) < 100_000 for record in records)
    opml = head + '<opml><body><outline xmlUrl="&l9;"/></body></opml>'
    with pytest.raises(SourceError, match="entities"):
        reader_named("opml").addresses(_source(tmp_path, "a.opml", opml))  # type: ignore[misc]


def test_markup_and_script_in_a_title_stay_text(read) -> None:
    (record,) = read("a.jsonl", json.dumps({**_ROWS[0], "title": "<script>alert(1)</script> & co"}))
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
    (record,) = read("a.jsonl", json.dumps({**_ROWS[0], "published_at": "2031-01-01"}))
    assert isinstance(record, Reject) and record.reason == "future-date"


@pytest.mark.parametrize("name", [b"utf-8\x80", b"utf-8\x00"])
def test_a_feed_whose_declared_encoding_is_no_name_is_read_all_the_same(tmp_path: Path, name: bytes) -> None:
    body = _rss(_ROWS).split("?>", 1)[-1].encode()
    feed = b'<?xml version="1.0" encoding="' + name + b'"?>' + body
    records = _survives(reader_named("feed"), _source(tmp_path, "a.xml", feed))
    assert [type(record) for record in records] == [Article, Article]


def test_what_a_cut_feed_leaves_in_the_quarantine_fits_a_database(tmp_path: Path) -> None:
    feed = _rss(_ROWS).encode() + b"\x00"
    *_, last = _survives(reader_named("feed"), _source(tmp_path, "a.xml", feed))
    assert isinstance(last, Reject) and last.reason == "truncated"


def test_a_web_archive_s_record_that_is_longer_than_it_says_is_told_of(read, capfd) -> None:
    plain = gzip.decompress(_warc(_ROWS))
    at = plain.index(b"Content-Length: ") + len(b"Content-Length: ")
    end = plain.index(b"\r", at)
    records = read("a.warc", plain[:at] + str(int(plain[at:end]) - 20).encode() + plain[end:])
    rejects = [record for record in records if isinstance(record, Reject)]
    assert [(reject.reason, Path(reject.origin).name) for reject in rejects] == [("truncated", "a.warc#1")]
    assert len(records) == len(_ROWS) + 1
    assert capfd.readouterr().err == ""


def test_feeds_addresses_of_a_list_come_once_and_in_order(tmp_path: Path) -> None:
    opml = (
        "<opml><body><outline text='g'><outline xmlUrl='https://b.com/f'/><outline XMLURL='https://a.com/f'/></outline>"
        "<outline xmlUrl='https://b.com/f'/></body></opml>"
    )
    assert reader_named("opml").addresses(_source(tmp_path, "a.opml", opml)) == [
        "https://b.com/f",
        "https://a.com/f",
    ]  # type: ignore[misc]
