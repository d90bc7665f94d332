"""Feeds over the network: conditional requests, failures, full text, and addresses that are refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from narratives.archive import Archive
from narratives.ingest import ingest_paths
from narratives.ingest.fetch import check_address, fetch
from narratives.ingest.sources import SourceError
from narratives.settings import IngestSettings, Settings

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
_OPEN = IngestSettings(allow_local_addresses=True, feed_retries=1, feed_timeout_seconds=5, full_text_below=0)
_FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Daily</title>
<item><title>First</title><link>{base}/1</link><pubDate>Sat, 15 Nov 2025 02:16:00 GMT</pubDate>
<description>Short.</description></item></channel></rss>"""
_BODY = (
    "<p>The ministry resumed the licences for magnets, and carmakers said their stocks would last six weeks.</p>" * 6
)


@dataclass
class Server:
    """A server of this machine that answers as it is told and remembers what it was asked."""

    base: str
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, body: str | bytes = b"", status: int = 200, **headers: str) -> None:
        raw = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).append((status, named, raw))


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, {name.title(): value for name, value in self.headers.items()}))
            waiting = told.answers.get(self.path, [(404, {}, b"")])
            status, headers, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield told
    httpd.shutdown()
    httpd.server_close()


def test_a_feed_is_read_and_asked_for_changes_alone_the_next_time(archive: Archive, server: Server) -> None:
    url = f"{server.base}/feed"
    server.answer("/feed", _FEED.format(base=server.base), ETag='"v1"', Last_Modified="Sat, 15 Nov 2025 03:00:00 GMT")
    server.answer("/feed", status=304)
    settings = Settings(ingest=_OPEN)
    assert ingest_paths(archive, [url], settings, now=NOW).counts["accepted"] == 1
    second = ingest_paths(archive, [url], settings, now=NOW)
    assert second.counts["read"] == 0 and "not changed" in second.files[0].note
    assert server.asked[1][1]["If-None-Match"] == '"v1"'
    assert server.asked[1][1]["If-Modified-Since"] == "Sat, 15 Nov 2025 03:00:00 GMT"
    assert archive.feed_state(url)["etag"] == '"v1"'


def test_a_server_that_falters_is_asked_again(server: Server) -> None:
    server.answer("/feed", status=503, Retry_After="7")
    server.answer("/feed", "fine")
    pauses: list[float] = []
    assert fetch(f"{server.base}/feed", _OPEN, pause=pauses.append).payload == b"fine"
    assert pauses == [7.0]


def test_a_feed_that_fails_is_reported_and_remembered_and_stops_nothing(archive: Archive, server: Server) -> None:
    server.answer("/good", _FEED.format(base=server.base))
    places = [f"{server.base}/gone", f"{server.base}/good"]
    report = ingest_paths(archive, places, Settings(ingest=_OPEN), now=NOW)
    assert report.files[0].failed and "404" in report.files[0].note
    assert report.counts["accepted"] == 1 and report.counts["quarantined"] == 0
    state = archive.feed_state(places[0])
    assert state["n_failures"] == 1 and "404" in state["last_error"]


def test_a_list_of_feeds_is_followed(archive: Archive, server: Server) -> None:
    server.answer("/list", f'<opml version="2.0"><body><outline xmlUrl="{server.base}/feed"/></body></opml>')
    server.answer("/feed", _FEED.format(base=server.base))
    report = ingest_paths(archive, [f"{server.base}/list"], Settings(ingest=_OPEN), now=NOW)
    assert [file.name for file in report.files] == [f"{server.base}/list", f"{server.base}/feed"]
    assert report.counts["accepted"] == 1


def test_an_article_without_text_is_completed_once_from_its_page(archive: Archive, server: Server) -> None:
    server.answer("/feed", _FEED.format(base=server.base))
    server.answer("/1", f"<html><head><title>First</title></head><body><article>{_BODY}</article></body></html>")
    settings = Settings(ingest=_OPEN.model_copy(update={"full_text_below": 200}))
    ingest_paths(archive, [f"{server.base}/feed"], settings, now=NOW)
    assert "stocks would last six weeks" in archive.articles_frame()["text"][0]
    again = ingest_paths(archive, [f"{server.base}/feed"], settings, now=NOW).counts
    assert again["repeated"] == 1
    assert [path for path, _ in server.asked].count("/1") == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/f", "http://localhost/f", "http://[::1]/f", "http://10.0.0.8/f", "http://192.168.1.1/",
     "http://169.254.169.254/latest/meta-data", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://2130706433/"],
)  # fmt: skip
def test_addresses_of_this_machine_and_its_network_are_refused(url: str) -> None:
    with pytest.raises(SourceError, match="allow_local_addresses") as refused:
        check_address(url, IngestSettings())
    assert refused.value.reason == "refused"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.com/x", "gopher://x", "http://", "http://[bad", ""]
)
def test_only_web_addresses_are_read(url: str) -> None:
    with pytest.raises(SourceError) as refused:
        check_address(url, IngestSettings(allow_local_addresses=True))
    assert refused.value.reason == "refused"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "//", "gopher://127.0.0.1/"])
def test_a_redirect_away_from_the_web_is_refused(server: Server, target: str) -> None:
    server.answer("/feed", status=302, Location=target)
    with pytest.raises(SourceError) as refused:
        fetch(f"{server.base}/feed", _OPEN, pause=lambda _: None)
    assert refused.value.reason == "refused"


def test_a_redirect_to_a_local_address_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from narratives.ingest import fetch as module

    server.answer("/feed", status=301, Location="http://10.1.2.3/secret")
    public = module._is_public
    monkeypatch.setattr(module, "_is_public", lambda address: address == "127.0.0.1" or public(address))
    with pytest.raises(SourceError, match=r"10\.1\.2\.3") as refused:
        fetch(f"{server.base}/feed", IngestSettings(feed_retries=0), pause=lambda _: None)
    assert refused.value.reason == "refused"


def test_redirects_without_end_are_refused(server: Server) -> None:
    server.answer("/feed", status=302, Location="/feed")
    with pytest.raises(SourceError, match="redirects more than"):
        fetch(f"{server.base}/feed", _OPEN, pause=lambda _: None)


def test_an_answer_without_end_is_cut(server: Server) -> None:
    server.answer("/feed", b"x" * 20_000)
    with pytest.raises(SourceError, match="max_document_bytes"):
        fetch(f"{server.base}/feed", _OPEN.model_copy(update={"max_document_bytes": 10_000}), pause=lambda _: None)
