"""Asking an address for its content: politely, conditionally, and never of this machine's own network.

A feed, or a page that it redirects to, is untrusted: only http and https are followed, at most five steps,
and a server on a local or reserved address is refused unless `ingest.allow_local_addresses` is set. The
address is checked before the request and again on the connection that was made.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from narratives.ingest.sources import SourceError
from narratives.settings import IngestSettings

if TYPE_CHECKING:
    import httpx

_MAX_REDIRECTS = 5
_MAX_PAUSE_SECONDS = 30.0
_AGENT = "narratives/0.1 (news reader; +https://pypi.org/project/narratives/)"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True)
class Fetched:
    """What an address answered; `payload` is None when it has not changed since last time."""

    url: str
    payload: bytes | None
    etag: str
    modified: str


def fetch(
    url: str,
    settings: IngestSettings,
    state: Mapping[str, Any] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Get an address, following redirects and trying again where the server falters.

    Parameters
    ----------
    state
        `etag` and `modified` of the last answer: the server may say that nothing has changed.
    pause
        Waits so many seconds between attempts.

    Raises
    ------
    SourceError
        Reason `refused` (a local address, another scheme, too many redirects), `too-long`, `not-found` (4xx),
        `unreachable` (no answer after all attempts) or `missing-extra`.
    """
    try:
        import httpx
    except ModuleNotFoundError as error:
        raise SourceError("missing-extra", "addresses need httpx: pip install 'narratives[feeds]'") from error
    headers = {
        "User-Agent": _AGENT,
        "Accept": "application/rss+xml, application/atom+xml, application/json, */*;q=.5",
    }
    if state and state.get("etag"):
        headers["If-None-Match"] = str(state["etag"])
    if state and state.get("modified"):
        headers["If-Modified-Since"] = str(state["modified"])
    said = ""
    with httpx.Client(timeout=settings.feed_timeout_seconds, headers=headers) as client:
        for attempt in range(settings.feed_retries + 1):
            try:
                answer = _follow(client, url, settings)
            except httpx.HTTPError as error:
                said, wait = f"{type(error).__name__}: {error}", 2.0**attempt
            else:
                if isinstance(answer, Fetched):
                    return answer
                said, wait = answer
            if attempt < settings.feed_retries:
                pause(min(wait or 2.0**attempt, _MAX_PAUSE_SECONDS))
    raise SourceError("unreachable", f"{url} gave no answer after {settings.feed_retries + 1} attempts: {said}")


def _follow(client: httpx.Client, url: str, settings: IngestSettings) -> Fetched | tuple[str, float]:
    """The answer, or what the server said and how long it wants us to wait before another attempt."""
    place = url
    for _ in range(_MAX_REDIRECTS + 1):
        check_address(place, settings)
        with client.stream("GET", place) as response:
            _check_peer(response, place, settings)
            if response.has_redirect_location:
                place = urljoin(place, response.headers.get("location", ""))
                continue
            etag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
            status = response.status_code
            if status == 304:
                return Fetched(place, None, etag, modified)
            if status == 429 or status >= 500:
                asked = response.headers.get("retry-after", "")
                return f"status {status}", float(asked) if asked.isdigit() else 0.0
            if status >= 300:
                raise SourceError("not-found", f"{place} answered with status {status}")
            return Fetched(place, _body(response, place, settings), etag, modified)
    raise SourceError("refused", f"{url} redirects more than {_MAX_REDIRECTS} times")


def _body(response: httpx.Response, place: str, settings: IngestSettings) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > settings.max_document_bytes:
            limit = settings.max_document_bytes
            raise SourceError("too-long", f"{place} sends more than {limit:,} bytes (ingest.max_document_bytes)")
        parts.append(part)
    return b"".join(parts)


def check_address(url: str, settings: IngestSettings) -> None:
    """Refuse what is no http(s) address, or names a server of this machine or its network.

    Raises
    ------
    SourceError
        Reason `refused` or `unreachable` (the name is unknown).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SourceError("refused", f"{url!r} is not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise SourceError("refused", f"{url!r} is refused: only http and https addresses are read")
    if settings.allow_local_addresses:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if _behind_proxy():
            if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
                raise SourceError("refused", _local(url, host)) from None
            return
    try:
        found = socket.getaddrinfo(host, port or 80, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise SourceError("unreachable", f"the server {host} of {url} is not known: {error}") from error
    for *_, address in found:
        if not _is_public(str(address[0])):
            raise SourceError("refused", _local(url, str(address[0])))


def _check_peer(response: httpx.Response, place: str, settings: IngestSettings) -> None:
    """A name may answer differently the second time: look at who is really at the other end."""
    stream = response.extensions.get("network_stream")
    if settings.allow_local_addresses or stream is None or _behind_proxy():
        return
    peer = stream.get_extra_info("server_addr")
    if peer and not _is_public(str(peer[0])):
        raise SourceError("refused", _local(place, str(peer[0])))


def _is_public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


def _behind_proxy() -> bool:
    return any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES)


def _local(url: str, address: str) -> str:
    return (
        f"{url} leads to {address}, an address of this machine or its network: refused; "
        "set ingest.allow_local_addresses if you mean it"
    )
