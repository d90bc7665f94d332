"""The contract of every reader: one outcome a record, whatever the bytes are."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.registry import READERS, reader_for, reader_named
from narratives.ingest.sources import SourceError
from narratives.settings import IngestSettings
from tests.narratives.ingest.conftest import NOW, read_to_the_end, source_of
from tests.narratives.ingest.examples import EXAMPLES, ROWS

_SERVICES = ("gdelt", "event-registry", "media-cloud")


def test_every_reader_has_an_example() -> None:
    assert {reader.name for reader in READERS} == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_format_is_found_from_the_content(tmp_path: Path, name: str) -> None:
    _, content, _ = EXAMPLES[name]
    found = reader_for(source_of(tmp_path, "without-a-suffix", content))
    assert found is not None and found.name == name


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_each_record_becomes_an_article(tmp_path: Path, name: str) -> None:
    file, content, n = EXAMPLES[name]
    records = list(reader_named(name).read(source_of(tmp_path, file, content), Context(IngestSettings(), now=NOW)))
    assert [type(record) for record in records] == [Article] * n, records
    if n:
        first = records[0]
        assert first.title == ROWS[0]["title"] and first.source == "新华社"
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
    source = source_of(tmp_path, "packed", packed)
    reader = reader_for(source)
    assert reader is not None and reader.name == name
    records = list(reader.read(source, Context(IngestSettings(), now=NOW)))
    assert [type(record) for record in records] == [Article] * n


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "big5", "utf-16"])
@pytest.mark.parametrize("name", ["jsonl", "json", "table", "search-export"])
def test_encodings_are_found(tmp_path: Path, name: str, encoding: str) -> None:
    file, content, n = EXAMPLES[name]
    assert isinstance(content, str)
    text = content if name != "json" else json.dumps({"data": ROWS}, ensure_ascii=False)
    if encoding == "big5":
        import opencc

        text = opencc.OpenCC("s2t").convert(text)
    source = source_of(tmp_path, file, text.encode(encoding))
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
    source = source_of(tmp_path, file, raw[: int(len(raw) * share)])
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
    read_to_the_end(reader, source_of(tmp_path, file, torn))


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
    found = read_to_the_end(reader_named("jsonl"), source_of(tmp_path, "a.jsonl", lines))
    assert len(found) == len(records)
    document = read_to_the_end(reader_named("json"), source_of(tmp_path, "a.json", json.dumps({"rows": records})))
    assert all(isinstance(record, Article | Reject) for record in document)
