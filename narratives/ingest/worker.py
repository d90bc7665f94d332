"""A second process that reads a large file, finds languages and sketches texts, while the first writes.

It has no archive and decides nothing: the first process takes what it sends, in the order of the file, and reads
on by itself where it ends early. The two speak over the second's own pipes: a request goes in; chunks come out,
and for each that was taken one byte goes in. What passes there is pickled, because both ends are this program;
nothing of it is ever stored.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from narratives.articles import Article
from narratives.garbage import seldom_collected
from narratives.ingest.fields import Context
from narratives.ingest.reading import Chunk, Prepare, preparation, read_chunks
from narratives.ingest.registry import reader_named
from narratives.ingest.sources import Source
from narratives.settings import IngestSettings

_AHEAD = 4  # chunks that wait at most between the two processes
_PREPARE, _ONLY_READ = b"+", b"-"


@dataclass(frozen=True)
class Request:
    """What to read, and how."""

    path: Path
    reader: str
    settings: IngestSettings
    mapping: Mapping[str, str]
    now: datetime
    size: int
    named: bool
    skip: int


class WorkerEnded(Exception):
    """The second process is gone."""


class Worker:
    """The second process as the first sees it; started by the constructor, ended by `close`.

    Set `prepares` to False where what comes is known already: it is then only read.
    """

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "narratives.ingest.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            raise WorkerEnded(str(error)) from error
        self.prepares = True
        self._arrived: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        """Keep the pipe empty, so that the other side need not wait; `b""` says that it has ended."""
        assert self._process.stdout is not None
        try:
            while message := _receive(self._process.stdout):
                self._arrived.put(message)
        except (OSError, ValueError):
            pass
        self._arrived.put(b"")

    def chunks(self, request: Request) -> Iterator[Chunk]:
        """Chunks of a file from record `request.skip` on; each is said to be taken when the next is asked for.

        Raises
        ------
        WorkerEnded
            The process ended before the file did.
        """
        self._send(pickle.dumps(request), framed=True)
        while True:
            message = self._arrived.get()
            if not message:
                raise WorkerEnded("the second process ended early")
            chunk = pickle.loads(message)
            if chunk is None:
                return
            yield chunk
            self._send(_PREPARE if self.prepares else _ONLY_READ)

    def _send(self, message: bytes, framed: bool = False) -> None:
        assert self._process.stdin is not None
        try:
            if framed:
                _send(self._process.stdin, message)
            else:
                self._process.stdin.write(message)
                self._process.stdin.flush()
        except OSError as error:
            raise WorkerEnded("the second process ended early") from error

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # a sign that it did not live to read
                    pipe.close()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """What the second process does: answer requests until the first is gone."""
    while raw := _receive(requests):
        request: Request = pickle.loads(raw)
        source = Source.of_file(request.path, request.settings)
        context = Context(request.settings, request.mapping, source.modified_at, request.now)
        prepare = preparation(request.settings)
        waiting, sign = 0, _PREPARE
        for chunk in read_chunks(
            source, reader_named(request.reader), context, request.size, request.named, request.skip
        ):
            _send(answers, pickle.dumps(_known(chunk, prepare if sign == _PREPARE else None), 5))
            waiting += 1
            if waiting == _AHEAD:
                sign, waiting = requests.read(1), waiting - 1
        _send(answers, pickle.dumps(None))
        requests.read(waiting)


def _known(chunk: Chunk, prepare: Prepare | None) -> Chunk:
    """The chunk with ids and hashes made, and with what is found out about its articles."""
    articles = {i: record for i, record in enumerate(chunk.records) if isinstance(record, Article)}
    for article in articles.values():
        _ = article.id, article.content_hash  # kept by the article, and sent with it
    if prepare is None or not articles:
        return chunk
    found = dict(zip(articles, prepare(list(articles.values())), strict=True))
    return Chunk(chunk.records, found, chunk.note)


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(8, "little"))
    pipe.write(message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """One message; `b""` where the other side is gone."""
    head = pipe.read(8)
    size = int.from_bytes(head, "little")
    message = pipe.read(size) if len(head) == 8 else b""
    return message if len(message) == size else b""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to stop
    with contextlib.suppress(OSError), seldom_collected():
        serve(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # what could not be sent to a process that is gone is of no use to anybody
