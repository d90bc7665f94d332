"""Hands messages to one channel through apprise, in a process of its own.

The address of a channel is a secret (its path or user part is often the whole credential), and what apprise and the
libraries below it log or raise may quote it. So they run in a child process whose stdout and stderr lead nowhere: the
address goes in through a pipe, and out comes one of a few fixed words and an HTTP status, never a text of theirs.
That also keeps apprise's import warnings out of ours, and lets a deadline hold whatever hangs.

This file is also the child's program (`_serve`), run by its path: it imports nothing of ours.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

_START_SECONDS = 60.0  # the child imports apprise, on a machine that may be busy
_GRACE_SECONDS = 6.0  # for connecting (apprise allows 4) beside the answer itself
_FILE = "file://"
_STATUS = re.compile(r"error=(\d{3})\b")

# What a person reads for each word that the child may say.
REASONS = {
    "unknown": "the variable holds no address that apprise knows (see its list of services)",
    "several": "the variable holds more than one address; give each an environment variable of its own",
    "refused": "the channel refused the message",
    "unreachable": "no connection to the channel, or no answer in time",
    "raised": "apprise could not send the message",
    "silent": "no answer from the channel in time; it may have taken the message all the same",
    "ended": "the process that sends ended unexpectedly",
}


class AlertsExtraMissing(ImportError):
    """apprise is not installed; the message says how to install it."""


class ChannelUnusable(ValueError):
    """The variable of a channel holds no address, or several; the message does not quote it."""


def require_apprise() -> None:
    """Raise `AlertsExtraMissing` unless apprise can be imported."""
    if importlib.util.find_spec("apprise") is None:
        raise AlertsExtraMissing("sending alerts needs apprise: pip install 'narratives[alerts]'")


class Courier:
    """One channel, open for messages; use it in a `with` block.

    Parameters
    ----------
    channel
        Name of the environment variable, for messages.
    address
        The apprise URL that it holds. Kept nowhere but in the child.
    timeout_seconds
        How long a channel may take to answer.

    Raises
    ------
    AlertsExtraMissing
        apprise is not installed.
    ChannelUnusable
        On entering the block: the address is none, or more than one.
    """

    def __init__(self, channel: str, address: str, timeout_seconds: float) -> None:
        require_apprise()
        self.channel, self.timeout_seconds = channel, timeout_seconds
        self._pause, self.takes_files = 0.0, False
        self._answers: queue.Queue[str] = queue.Queue()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._write({"address": address, "timeout_seconds": timeout_seconds})

    def __enter__(self) -> Self:
        answer = self._ask(None, _START_SECONDS)
        if answer["said"] != "ready":
            self._end()
            known = answer["said"] in ("unknown", "several")
            raise ChannelUnusable(f"{self.channel}: {REASONS[answer['said'] if known else 'ended']}")
        self._pause = float(answer["pause_seconds"])
        self.takes_files = bool(answer["takes_files"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def send(self, title: str, body: str, kind: str = "info", attach: str = "") -> str:
        """Send one message; "" when the channel took it, else why not, in words of ours.

        Parameters
        ----------
        kind
            How a channel may colour it: info, success, warning.
        attach
            Path of a file to go with it; a channel that takes none (see `takes_files`) gets the text alone.
        """
        deadline = self.timeout_seconds + self._pause + _GRACE_SECONDS
        answer = self._ask({"title": title, "body": body, "kind": kind, "attach": attach}, deadline)
        if answer["said"] == "sent":
            return ""
        status = answer.get("status")
        return REASONS[answer["said"]] + (f" (HTTP status {int(status)})" if status else "")

    def _write(self, message: dict[str, Any]) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(message) + "\n")
            self._child.stdin.flush()
        except OSError:
            self._answers.put("")  # it has ended

    def _ask(self, message: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
        if message is not None:
            self._write(message)
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self._end()
            return {"said": "silent"}
        return dict(json.loads(line)) if line else {"said": "ended"}

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _end(self) -> None:
        self._child.kill()
        self._child.wait()
        self._listener.join(timeout=5)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class _Words(logging.Handler):
    """Keeps of apprise's warnings only which of our words they amount to."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.word, self.status = "refused", 0

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if found := _STATUS.search(text):
            self.status = int(found[1])
        elif re.search("connection error|socket exception|timed? ?out", text, re.IGNORECASE):
            self.word = "unreachable"


def _serve(questions: IO[str], answers: IO[str]) -> None:
    """The child: reads the address, then messages, a JSON object a line; answers each with one line."""
    import apprise

    def answer(**said: Any) -> None:
        answers.write(json.dumps(said) + "\n")
        answers.flush()

    first = json.loads(questions.readline())
    if first["address"].startswith(_FILE):
        _serve_file(Path(first["address"].removeprefix(_FILE)), questions, answer)
        return
    channel = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    if not channel.add(first["address"]) or len(channel) != 1:
        answer(said="several" if len(channel) > 1 else "unknown")
        return
    plugin = channel[0]
    if plugin.socket_read_timeout == type(plugin).socket_read_timeout:  # the address asks for none of its own
        plugin.socket_read_timeout = float(first["timeout_seconds"])
    takes_files = bool(plugin.attachment_support)
    answer(said="ready", pause_seconds=float(plugin.request_rate_per_sec or 0), takes_files=takes_files)
    for line in questions:
        message = json.loads(line)
        # apprise gives up a message where the service takes no files; ours goes without.
        files = {"attach": message["attach"]} if message.get("attach") and takes_files else {}
        words = _Words()
        logger = logging.getLogger("apprise")
        logger.addHandler(words)
        try:
            is_sent = bool(
                channel.notify(
                    body=message["body"],
                    title=message["title"],
                    notify_type=message["kind"],
                    body_format="text",
                    **files,
                )
            )
        except Exception:
            answer(said="raised")
        else:
            answer(said="sent" if is_sent else words.word, status=0 if is_sent else words.status)
        finally:
            logger.removeHandler(words)


def _serve_file(place: Path, questions: IO[str], answer: Callable[..., None]) -> None:
    """`file:///path/to/file`: each message is appended; apprise has no such service of its own."""
    if not place.is_absolute() or place.is_dir():
        answer(said="unknown")
        return
    answer(said="ready", pause_seconds=0.0, takes_files=False)
    for line in questions:
        message = json.loads(line)
        try:
            with place.open("a", encoding="utf-8") as file:
                file.write(f"{message['title']}\n\n{message['body']}\n\n")
        except OSError:
            answer(said="refused", status=0)
        else:
            answer(said="sent", status=0)


if __name__ == "__main__":
    _channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a plugin that prints is not heard
    _serve(sys.stdin, _channel)
