"""The report as a message, to a channel on this machine."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import reports
from narratives.settings import Settings
from reports.mail import compose_message, send_report

pytest.importorskip("apprise")
SECRET = "hunter2"


@pytest.fixture
def hook() -> Iterator[Any]:
    """A webhook; `got` are the messages, `status` its answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))  # type: ignore[attr-defined]
            self.send_response(server.status)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.status = [], 200  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _settings(**report: Any) -> Settings:
    return Settings.model_validate({"report": report, "alerts": {"send_timeout_seconds": 10}})


def test_the_message_is_the_five_sentences_and_the_html_goes_with_it(desk: Any, hook: Any) -> None:
    html = reports.write_weekly(desk)[0]
    report = reports.build_weekly(desk)
    address = f"json://user:{SECRET}@127.0.0.1:{hook.server_port}/{SECRET}"
    (sent,) = send_report(report, html, _settings(channels=["WEEKLY"]), "both", {"WEEKLY": address})
    assert (sent.channel, sent.error, sent.with_file) == ("WEEKLY", "", True)
    (message,) = hook.got
    assert message["title"] == "rare earths and magnets: 叙事周报 / Narrative weekly 2025-W46"
    assert report.summary[0].text.zh in message["message"] and report.summary[4].text.en in message["message"]
    (file,) = message["attachments"]
    assert file["filename"] == "2025-W46.html" and base64.b64decode(file["base64"]) == html.read_bytes()


def test_a_channel_that_refuses_or_has_no_address_is_told_without_its_secret(desk: Any, hook: Any) -> None:
    hook.status = 500
    report, html = reports.build_weekly(desk), reports.write_weekly(desk)[0]
    address = f"json://user:{SECRET}@127.0.0.1:{hook.server_port}/"
    sent = send_report(report, html, _settings(channels=["WEEKLY", "GONE"]), "en", {"WEEKLY": address})
    assert [one.channel for one in sent] == ["WEEKLY", "GONE"] and all(one.error for one in sent)
    assert "500" in sent[0].error and "not set" in sent[1].error and SECRET not in repr(sent)


def test_no_channel_or_an_address_in_the_file_is_refused(desk: Any) -> None:
    report = reports.build_weekly(desk)
    with pytest.raises(ValueError, match=r"report\.channels of narratives\.toml"):
        send_report(report, Path("x.html"), _settings(), "en", {})
    with pytest.raises(ValueError, match="entry 1 is not the name") as refused:
        send_report(report, Path("x.html"), _settings(channels=[f"mailto://me:{SECRET}@mail.example"]), "en", {})
    assert SECRET not in str(refused.value)


def test_a_served_site_is_linked_and_headlines_call_nobody(desk: Any) -> None:
    report = reports.build_weekly(desk)
    title, body = compose_message(report, "en", "https://desk.example/weekly/")
    assert body.endswith("https://desk.example/weekly/2025-W46.html")
    assert "@" not in body and "<" not in body and "叙事周报" not in title
