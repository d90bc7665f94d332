"""An archive with an alert to be sent, and a channel that is a real local web server."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from narratives.archive import Archive, schema
from narratives.delivery import outbox
from narratives.settings import Settings

SECRET = "t0psecret"
WEEK = date(2025, 11, 10)
NOON = datetime(2025, 11, 17, 12, 0)


class Hook:
    """A channel: a web server that answers as told (`answers`: statuses in turn, then 200; 0 does not answer)."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self._closing = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                status = hook.answers.pop(0) if hook.answers else 200
                if not status:
                    hook._closing.wait(30)
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"json://user:{SECRET}@127.0.0.1:{self._server.server_port}/{SECRET}"

    @property
    def ids(self) -> list[str]:
        """The last line of each message that came, without its hash."""
        lines = [got["message"].splitlines()[-1] for got in self.got]
        assert all(line.startswith("Message id: ") for line in lines)
        return [line.removeprefix("Message id: ").rpartition("-")[0] for line in lines]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True, scope="session")
def _apprise() -> None:
    """Nothing here can be sent without the extra."""
    pytest.importorskip("apprise")


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    yield server
    server.close()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """Two narratives; A0001 is a new alert on the second, A0002 only a watch."""
    with Archive.create(tmp_path / "archive.sqlite") as made:
        fill(made)
        yield made


def fill(archive: Archive) -> None:
    texts = (
        ("a1", "回收厂扩产 @everyone", "zh", "磁材在线", date(2025, 11, 10)),
        ("a2", "Recycling \x1b[31mgrows <!channel>", "en", "Mekong Post", date(2025, 11, 10)),
        ("a3", "Old drives find buyers", "en", "Harbor Wire", date(2025, 11, 17)),
    )
    with archive.begin() as connection:
        for name, zh, en in (("N0001", "中国稀土杠杆", "China leverage"), ("N0002", "回收 · 拆解", "scrap · drives")):
            connection.execute(
                schema.narrative.insert().values(
                    id=name, origin="discovered", status="active", name_zh=zh, name_en=en, born_week=WEEK
                )
            )
        for i, (article, title, lang, source, week) in enumerate(texts):
            connection.execute(
                schema.article.insert().values(
                    id=article, title=title, text="…", lang=lang, source=source, url=f"https://example.org/{article}",
                    published_at=datetime(2025, 11, 11 + i, 20), ingested_at=NOON, content_hash=article,
                    story_id=article, origin="test", step_week=week, is_voice=True,
                )
            )  # fmt: skip
            if week == WEEK:
                join(archive, connection, article, week)
    for alert, tier in (("A0001", "alert"), ("A0002", "watch")):
        add_alert(archive, alert, tier)


def join(archive: Archive, connection: Any, article: str, week: date) -> None:
    row = {"article_id": article, "narrative_id": "N0002", "weight": 0.5, "primary": True, "how": "new", "week": week}
    archive.put(connection, schema.membership, [row])


def add_alert(archive: Archive, alert: str, tier: str = "alert") -> None:
    evidence = {
        "n_stories": 2, "n_sources": 2, "article_ids": ["a1", "a2"],
        "nearest": "N0001", "nearest_score": 0.104, "level_of_nearest": 0.2,
    }  # fmt: skip
    row = {"id": alert, "narrative_id": "N0002", "week": WEEK, "tier": tier, "state": "emerging"}
    with archive.begin() as connection:
        archive.put(connection, schema.alert, [{**row, "statistic": 0.3, "threshold": 0.2, "evidence": evidence}])


def set_state(archive: Archive, state: str) -> None:
    with archive.begin() as connection:
        connection.execute(schema.alert.update().where(schema.alert.c.id == "A0001").values(state=state))
        if state == "confirmed":
            join(archive, connection, "a3", date(2025, 11, 17))


def settings(*channels: str, language: str = "both", **alerts: Any) -> Settings:
    return Settings.model_validate(
        {"alerts": {"channels": list(channels or ["HOOK"]), **alerts}, "report": {"language": language}}
    )


def at(minutes: float = 0) -> Callable[[], datetime]:
    return lambda: NOON + timedelta(minutes=minutes)


def box(archive: Archive, *channels: str) -> list[tuple[str, str, str, int]]:
    return [(e.alert, e.state, e.status, e.attempts) for e in outbox(archive, channels or ("HOOK",))]
