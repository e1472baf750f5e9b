"""One conversation with FRED over HTTP: sent, read within its limits, told without secrets.

Belongs here: addresses, sockets, timeouts, sizes. Does not belong here: retries and pace (`pacing.py`), FRED's protocol
(`fred_client.py`).

FRED takes its key in the address, and the standard library puts addresses into its errors. So nothing that
saw the address leaves this module: every failure becomes a `NoAnswer` with words of our own, and callers
raise from that.
"""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from assets.sources.fred_errors import ApiKey
from assets.sources.pacing import Deadline

_CHUNK = 65536
_GZIP = 16 + zlib.MAX_WBITS
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Limits(NamedTuple):
    """Seconds of silence, seconds for the whole conversation, and bytes of an answer (unpacked)."""

    silence: float = 30.0
    whole: float = 120.0
    size: int = 128 * 1024 * 1024


class Answer(NamedTuple):
    """What came: status, the Retry-After header, the body (unpacked)."""

    status: int
    retry_after: str | None
    body: bytes


class NoAnswer(NamedTuple):
    """Why nothing complete came. `is_permanent`: it will not by being asked again."""

    reason: str
    is_permanent: bool = False


def send(url: str, key: ApiKey, limits: Limits) -> Answer | NoAnswer:
    """Ask for an address (given without the key). Never raises for anything network or server did."""
    try:
        with Deadline(limits.whole) as deadline:
            outcome = _converse(key.add_to(url), deadline, limits)
            late = deadline.has_passed
    except (http.client.InvalidURL, ValueError):  # their messages show the address
        return NoAnswer("the address cannot be sent", is_permanent=True)
    except (OSError, http.client.HTTPException, zlib.error, _TooLarge) as error:
        outcome, late = NoAnswer(_reason(error, key)), deadline.has_passed
    if late:
        return NoAnswer(f"no complete answer within {limits.whole:g} s")
    return outcome


def checked_root(url: str) -> str:
    """The address without a trailing slash. Raises ValueError for one that would send the key in the open."""
    parts = urlsplit(url.strip().rstrip("/"))
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ValueError("FRED_ROOT_URL is no address like https://api.stlouisfed.org/fred")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"FRED_ROOT_URL: {parts.hostname} would get the key unencrypted; use https")
    return parts.geturl()


def parsed(body: bytes) -> ET.Element | None:
    """The answer's root; None when it is no XML. A document type is nothing FRED sends, and may hide a bomb."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or b"\x00" in body:
        return None
    try:
        return ET.fromstring(body)
    except ET.ParseError:
        return None


def _converse(url: str, deadline: Deadline, limits: Limits) -> Answer | NoAnswer:
    request = urllib.request.Request(
        url, headers={"Accept-Encoding": "gzip", "User-Agent": "stimulus-regime"}
    )
    try:
        response = _opener(deadline).open(request, timeout=limits.silence)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        body = _read(response, limits.size)
        return Answer(response.status, response.headers.get("Retry-After"), body)


def _read(response: Any, size: int) -> bytes:
    """The whole body, unpacked; `IncompleteRead` when the server promised more than it sent."""
    unpacker = zlib.decompressobj(_GZIP) if response.headers.get("Content-Encoding") == "gzip" else None
    body = bytearray()
    received = 0
    while chunk := response.read(_CHUNK):
        received += len(chunk)
        body += unpacker.decompress(chunk, size - len(body) + 1) if unpacker else chunk
        if len(body) > size:
            raise _TooLarge
    promised = response.headers.get("Content-Length")
    cut_short = promised is not None and promised.isdigit() and received < int(promised)
    if cut_short or (unpacker is not None and not unpacker.eof):
        raise http.client.IncompleteRead(b"")
    return bytes(body)


def _opener(deadline: Deadline) -> urllib.request.OpenerDirector:
    """An opener of our own: the process-wide one is everybody's. Proxies as the environment says."""
    return urllib.request.build_opener(_Http(deadline), _Https(deadline), _NoRedirects())


class _TooLarge(Exception):
    pass


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points; it stays what it is, an answer of 300-something."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_watched(http.client.HTTPConnection, self._deadline), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_watched(http.client.HTTPSConnection, self._deadline), request)


def _watched(kind: type[http.client.HTTPConnection], deadline: Deadline) -> Callable[..., Any]:
    """Connections of a kind whose sockets the deadline shuts."""

    class Watched(kind):  # type: ignore[misc, valid-type]  # a base known when it is called only
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    return Watched


def _reason(error: Exception, key: ApiKey) -> str:
    """What happened, in words that cannot hold an address."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError | socket.timeout):
        return "no answer (silence)"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, http.client.RemoteDisconnected | ConnectionError):
        return "connection dropped"
    if isinstance(cause, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(cause, _TooLarge):
        return "the answer is too large"
    detail = cause.strerror if isinstance(cause, OSError) else None
    return key.hidden_in(f"{type(cause).__name__}{f' ({detail})' if detail else ''}")
