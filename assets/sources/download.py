"""Asking a publisher's server for a file: only if it changed, patiently, and within bounds of time and size.

Belongs here: HTTP as the publishers beside FRED speak it, and the words for what can go wrong. Does not belong here:
pace and retries (`pacing.py`), what is in a file (one module per publisher), FRED (`fred_transport.py`: its addresses
hold a key; here there is nothing secret).

Trying again may help against `Transient`. `Unreachable` stays. `Unusable` means an answer came and is not what the
publisher serves.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import html
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from assets.sources.pacing import Deadline, Patience, RateLimited, Transient, seconds_asked
from assets.sources.protocol import Rule

if TYPE_CHECKING:
    import ssl

    import httpx

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PASSING = {408, 425, 500, 502, 503, 504}
_MOST_REDIRECTS = 5
_CHUNK = 65536
_CONNECTED = {"connection.connect_tcp.complete", "connection.start_tls.complete", "proxy.stream.complete"}


class Limits(NamedTuple):
    """Seconds of silence, seconds for one whole request, bytes of an answer (unpacked)."""

    silence: float = 20.0
    whole: float = 120.0
    size: int = 32 * 1024 * 1024


class Unreachable(Exception):
    """No answer, or none that asking again would change: one line."""


class Unusable(Exception):
    """An answer came and it is not the publisher's table, or not wholly: the rule broken and one line."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


class File(NamedTuple):
    """What came: the body, where from (no query, which may differ every night), when the server says it changed."""

    content: bytes
    where: str
    last_modified: dt.datetime | None


class Downloader:
    """One publisher's server during one run. `requests` counts every attempt."""

    def __init__(
        self, address: str, variable: str, patience: Patience | None = None, limits: Limits | None = None
    ) -> None:
        """`variable` names the setting of the address. Raises ValueError for one without https."""
        self.address = checked_address(address, variable)
        self.variable = variable
        self.requests = 0
        self._patience = patience or Patience(attempts=4, longest_wait=60.0)
        self._limits = limits or Limits()

    def get(
        self, url: str, since: dt.datetime | None = None, query: Mapping[str, str] | None = None
    ) -> File | None:
        """The body at an address; None when the server says it has not changed since a moment.

        Raises Unreachable, Unusable (too large).
        """
        where = without_query(url)
        try:
            return self._patience.keep_trying(lambda: self._once(url, where, since, query))
        except Transient as failure:
            raise Unreachable(f"{where}: {failure}") from None

    def _once(
        self, url: str, where: str, since: dt.datetime | None, query: Mapping[str, str] | None
    ) -> File | None:
        import httpx

        self.requests += 1
        headers = {"User-Agent": "stimulus-regime", "Accept-Encoding": "gzip"}
        if since is not None:
            headers["If-Modified-Since"] = email.utils.format_datetime(since.astimezone(dt.UTC), usegmt=True)
        hooks = {"request": [_refuse_unencrypted]}
        with (
            Deadline(self._limits.whole) as deadline,
            httpx.Client(
                verify=_certificates(),
                timeout=self._limits.silence,
                follow_redirects=True,
                max_redirects=_MOST_REDIRECTS,
                event_hooks=hooks,
            ) as client,
        ):
            extensions = {"trace": _watching(deadline)}
            try:
                with client.stream(
                    "GET", url, params=query, headers=headers, extensions=extensions
                ) as answer:
                    return self._file(answer, where)
            except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise Unreachable(f"{where}: {_one_line(error)}") from None
            except (httpx.TransportError, httpx.DecodingError, httpx.StreamError, OSError) as error:
                raise Transient(self._reason(error, deadline)) from None

    def _file(self, answer: httpx.Response, where: str) -> File | None:
        status = answer.status_code
        if status == 304:
            return None
        if status == 429:
            raise RateLimited("429, asked too often", seconds_asked(answer.headers.get("Retry-After")))
        if status in _PASSING:
            raise Transient(f"the server answers {status}", seconds_asked(answer.headers.get("Retry-After")))
        if status != 200:
            raise Unreachable(f"{where}: the server answers {status}{self._way_out(status)}")
        body = bytearray()
        for chunk in answer.iter_bytes(_CHUNK):
            body += chunk
            if len(body) > self._limits.size:
                raise Unusable("missing_column", f"the answer is larger than {self._limits.size} bytes")
        return File(bytes(body), where, _moment(answer.headers.get("Last-Modified")))

    def _way_out(self, status: int) -> str:
        """What the operator can do about a refusal that asking again does not change."""
        if status in (404, 410):
            return f"; if the file has moved, set {self.variable}"
        if status in (401, 403):
            return f"; if it lets browsers in alone, set {self.variable} to a copy"
        return ""

    def _reason(self, error: Exception, deadline: Deadline) -> str:
        import httpx

        if deadline.has_passed:
            return f"no complete answer within {self._limits.whole:g} s"
        if isinstance(error, httpx.TimeoutException):
            return f"no answer for {self._limits.silence:g} s"
        if isinstance(error, httpx.DecodingError):
            return "the answer cannot be unpacked"
        return _one_line(error)


def checked_address(address: str, variable: str) -> str:
    """The address. Raises ValueError for one that anybody on the way could change: http beyond this machine."""
    parts = urlsplit(address.strip())
    is_sound = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    if not is_sound:
        raise ValueError(f"{variable} is no address like https://example.org/file")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{variable}: {parts.hostname} would be read unencrypted; use https")
    return parts.geturl()


def without_query(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def is_page(content: bytes) -> bool:
    """Whether this is a page for people; no file read here begins like one."""
    return content.lstrip()[:1] == b"<"


def linked(page: File, file_name: str, base: str, variable: str) -> str:
    """Address of the first link to a file of that name on a page; also from a script's text.

    Raises Unreachable when there is none: the table may stand as it was, where nobody looks. `variable` names the
    setting that can give its address.
    """
    text = page.content.decode("utf-8", "replace").replace("\\u002F", "/").replace("\\/", "/")
    found = re.search(rf"""["']([^"'\s<>]*/{re.escape(file_name)}(?:\?[^"'\s<>]*)?)["']""", text)
    if found is None:
        where = without_query(base)
        raise Unreachable(f"{where}: a page without a link to {file_name}; set {variable} to where it is now")
    return urljoin(base, html.unescape(found[1]))


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; reading that takes longer than most answers."""
    import httpx

    return httpx.create_ssl_context()


def _watching(deadline: Deadline) -> Any:
    """Have the deadline shut every socket of a conversation: a timeout alone forgives a server that drips."""

    def trace(event: str, info: Mapping[str, Any]) -> None:
        stream = info.get("return_value")
        if event in _CONNECTED and stream is not None:
            connection = stream.get_extra_info("socket")
            if connection is not None:
                deadline.watch(connection)

    return trace


def _refuse_unencrypted(request: httpx.Request) -> None:
    """Also for where a redirect leads."""
    if request.url.scheme != "https" and request.url.host not in _LOOPBACK:
        raise Unreachable(f"{request.url.host}: the server leads to an address without https")


def _moment(header: str | None) -> dt.datetime | None:
    """A Last-Modified header as aware UTC; None when absent or unreadable."""
    if header is not None:
        with suppress(ValueError):
            moment = email.utils.parsedate_to_datetime(header)
            return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return None


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
