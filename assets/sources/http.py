"""The only HTTP client: a request within limits of time and size, for FRED and for the publishers of files.

A secret is added to the address below httpx, so neither httpx's log lines nor its exceptions, requests or responses
show it.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import errno
import gzip
import io
import queue
import socket
import ssl
import threading
import urllib.request
import weakref
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from assets.sources.pacing import NothingListens, Permanent, Transient, retry_after_seconds

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MOST_REDIRECTS = 5
_LONGEST_CONNECT = 10.0  # seconds; a running server accepts a connection at once
_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


class Limits(NamedTuple):
    """Seconds without a byte, seconds for one request in all, bytes of a response (packed and unpacked)."""

    silence: float = 20.0
    total: float = 120.0
    size: int = 32 * 1024 * 1024


class Response(NamedTuple):
    """`retry_after` is in seconds, `last_modified` aware UTC; None when missing or unreadable.

    `body` is unpacked; empty for a status other than 200 whose body could not be read.
    """

    status: int
    body: bytes
    retry_after: float | None
    last_modified: dt.datetime | None


class Body(NamedTuple):
    """What is sent to a publisher that is asked by POST."""

    content: bytes
    content_type: str


class TooLarge(Permanent):
    """The response exceeds the limit of size."""


class Http:
    """Connections to one server, one request at a time. `requests` counts every attempt."""

    def __init__(self, limits: Limits, sign: Callable[[str], str] | None = None) -> None:
        """`sign` adds the secret to an address; only the request that is sent has it, and no redirect is followed."""
        self.requests = 0
        self._limits = limits
        self._sign = sign

    def get(
        self,
        url: str,
        query: Mapping[str, str] | None = None,
        since: dt.datetime | None = None,
        body: Body | None = None,
    ) -> Response:
        """The response, whatever its status; with `since`, 304 if it has not changed after that moment.

        With `body` it is a POST.

        Raises Transient (no complete response), Permanent, TooLarge.
        """
        headers = {}
        if since is not None:
            headers["If-Modified-Since"] = email.utils.format_datetime(since.astimezone(dt.UTC), usegmt=True)
        if body is not None:
            headers["Content-Type"] = body.content_type
        self.requests += 1
        outcome = self._before_deadline(lambda: self._send(url, query, headers, body))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _before_deadline(self, send: Callable[[], Response | Exception]) -> Response | Exception:
        """The outcome, or a failure when time is up: httpx's timeout restarts with every byte of a slow server.

        Such a server is left to its thread, and the next request has connections of its own.
        """
        outcome: queue.SimpleQueue[Response | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put(send())
            except Exception as error:  # a fault of this module
                outcome.put(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            return outcome.get(timeout=self._limits.total)
        except queue.Empty:
            self.__dict__.pop("_client", None)
            return Transient(f"no complete response within {self._limits.total:g} s")

    def _send(
        self, url: str, query: Mapping[str, str] | None, headers: Mapping[str, str], body: Body | None
    ) -> Response | Exception:
        """Failures are returned, so that they are raised without httpx's exceptions as their context."""
        has_begun = False
        method, content = ("GET", None) if body is None else ("POST", body.content)
        try:
            with self._client.stream(method, url, params=query, headers=headers, content=content) as response:
                has_begun = True
                return self._response(response)
        except Permanent as failure:
            return failure.with_traceback(None)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            return Permanent("the address cannot be sent")
        except httpx.TooManyRedirects as error:
            return Permanent(_one_line(error))
        except (ImportError, ValueError) as error:
            return Permanent(f"the proxy of the environment cannot be used ({type(error).__name__})")
        except (gzip.BadGzipFile, zlib.error, _UnknownCoding):
            return Transient("the response cannot be unpacked")
        except httpx.ConnectTimeout:
            return Transient(f"no connection within {self._connect_limit:g} s")
        except httpx.TimeoutException:
            return Transient(f"no response for {self._limits.silence:g} s (silence)")
        except (httpx.ConnectError, httpx.ProxyError) as error:
            kind = NothingListens if _nothing_is_there(error) else Transient
            return kind(f"no connection ({_one_line(error)})")
        except (httpx.TransportError, httpx.StreamError, OSError, EOFError) as error:
            what = "the response broke off" if has_begun else "connection dropped"
            return Transient(f"{what} ({_one_line(error)})")

    def _response(self, response: httpx.Response) -> Response:
        try:
            body = self._body(response)
        except (httpx.HTTPError, TooLarge, OSError, EOFError, zlib.error, _UnknownCoding):
            if response.status_code == 200:
                raise
            body = b""
        retry_after = retry_after_seconds(response.headers.get("Retry-After"))
        return Response(
            response.status_code, body, retry_after, _moment(response.headers.get("Last-Modified"))
        )

    def _body(self, response: httpx.Response) -> bytes:
        """The body, unpacked here: httpx does not know `x-gzip`, and does not notice a gzip body that is cut short."""
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise _UnknownCoding
        received = bytearray()
        for chunk in response.iter_raw():
            received += chunk
            self._check_size(received)
        if not received or not coding.endswith("gzip"):
            return bytes(received)
        body = gzip.GzipFile(fileobj=io.BytesIO(received)).read(self._limits.size + 1)
        self._check_size(body)
        return body

    def _check_size(self, body: bytes | bytearray) -> None:
        if len(body) > self._limits.size:
            raise TooLarge(f"the response is larger than {self._limits.size} bytes")

    @cached_property
    def _client(self) -> httpx.Client:
        client = httpx.Client(
            transport=_Transport(self._sign),
            timeout=httpx.Timeout(self._limits.silence, connect=self._connect_limit),
            headers={"User-Agent": "stimulus-regime", "Accept-Encoding": "gzip"},
            follow_redirects=self._sign is None,
            max_redirects=_MOST_REDIRECTS,
            event_hooks={"request": [_refuse_unencrypted]},
        )
        weakref.finalize(self, client.close)
        return client

    @property
    def _connect_limit(self) -> float:
        return min(self._limits.silence, _LONGEST_CONNECT)


class _Transport(httpx.BaseTransport):
    """Connections, through the environment's proxy if it has one, and the place where an address is signed."""

    def __init__(self, sign: Callable[[str], str] | None) -> None:
        self._sign = sign
        self._by_proxy: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = _proxy_for(request.url)
        if proxy not in self._by_proxy:
            self._by_proxy[proxy] = httpx.HTTPTransport(verify=_certificates(), proxy=proxy)
        if self._sign is not None:
            request = httpx.Request(
                request.method,
                self._sign(str(request.url)),
                headers=request.headers,
                extensions=request.extensions,
            )
        return self._by_proxy[proxy].handle_request(request)

    def close(self) -> None:
        for transport in self._by_proxy.values():
            transport.close()


class _UnknownCoding(Exception):
    """A Content-Encoding that was not requested."""


def checked_address(address: str, variable: str) -> str:
    """The address. Raises ValueError for http beyond this machine, which others could read or change."""
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(f"{variable} is no address like https://example.org/file")
    if not _is_safe(parts.scheme, parts.hostname):
        raise ValueError(f"{variable}: the connection to {parts.hostname} would be unencrypted; use https")
    return parts.geturl()


def _is_safe(scheme: str, host: str) -> bool:
    return scheme == "https" or host in _LOOPBACK


def _refuse_unencrypted(request: httpx.Request) -> None:
    """Also for the target of a redirect."""
    if not _is_safe(request.url.scheme, request.url.host):
        raise Permanent(f"the server redirects to {request.url.host}, an address without https")


def _proxy_for(url: httpx.URL) -> str | None:
    """The environment's proxy for an https address. Without https a request stays on this machine."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if url.scheme != "https" or not proxy or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@cache
def _certificates() -> ssl.SSLContext:
    """Trusted certificates, loaded once: that takes longer than most requests."""
    return httpx.create_ssl_context()


def _nothing_is_there(error: BaseException | None) -> bool:
    """Whether a connection was refused, or there is no network or no such host, according to the causes."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError | socket.gaierror):
            return True
        if isinstance(error, OSError) and error.errno in _NO_NETWORK:
            return True
        error = error.__cause__ or error.__context__
    return False


def _moment(header: str | None) -> dt.datetime | None:
    with suppress(ValueError):  # not a date: the header is ignored
        moment = email.utils.parsedate_to_datetime(header or "")
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return None


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
