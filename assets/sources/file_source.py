"""A publisher that serves its series as one table: one download a run, shared by all of them.

The moment of the file's last change is stored as `last_updated` in `raw.fetches`, with the rows it brought. So "has it
changed since?" is sent only for a file whose figures are in the archive, and once a week it is downloaded anyway.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

from assets.catalog.models import Series
from assets.sources.http import Body, Http, Limits, Response, TooLarge, checked_address
from assets.sources.pacing import Permanent, RetryPolicy, Transient, refusal
from assets.sources.parse import Figures, Unusable
from assets.sources.protocol import (
    Known,
    Payload,
    PayloadRefused,
    SeriesUnknown,
    Source,
    SourceUnreachable,
    observations_frame,
)

RETRIES = RetryPolicy(attempts=4, longest_wait=60.0)
_FULL_AFTER = dt.timedelta(days=6)
_WAY_OUT = "look at it in a browser; the publisher's module says what is expected"

Table = TypeVar("Table")


class File(NamedTuple):
    """A downloaded body, where it came from (without the query), and the server's date of its last change."""

    content: bytes
    where: str
    last_modified: dt.datetime | None


class Obtained(NamedTuple, Generic[Table]):
    """A publisher's table, where it came from, and when it was last changed; complete, or the newest part of it."""

    table: Table
    where: str
    last_modified: dt.datetime | None
    is_complete: bool = True


class FileSource(Source, Generic[Table]):
    """One publisher during one run. A subclass declares where its file is and reads it."""

    address: ClassVar[str]  # the publisher's own
    variable: ClassVar[str]  # the environment variable that replaces it
    file_name: ClassVar[str] = ""
    limits: ClassVar[Limits] = Limits()

    def __init__(
        self,
        url: str | None = None,
        retries: RetryPolicy = RETRIES,
        limits: Limits | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Raises ValueError for an address without https."""
        self.url = checked_address(url or self.address, self.variable)
        self.now = now
        self._retries = retries
        self._http = Http(limits or self.limits)
        self._obtained: Obtained[Table] | None = None
        self._failure: SourceUnreachable | Unusable | None = None
        self._unchanged_since: dt.datetime | None = None
        self._last_since: dt.datetime | None = None

    def read(self, content: bytes) -> Table:
        """The file as a table. Raises Unusable."""
        raise NotImplementedError

    def figures(self, obtained: Obtained[Table], series: Series) -> Figures:
        """One series. Raises Unusable, KeyError (not a series of this publisher)."""
        raise NotImplementedError

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._http.requests

    def probe(self) -> None:
        """Request the table again after a failure. Raises SourceUnreachable; any response counts as available."""
        self._failure = None
        try:
            self._table(self._last_since)
        except Unusable:
            return

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The full history of the series, or that nothing changed since the last accepted fetch.

        Raises SourceUnreachable, SeriesUnknown, PayloadRefused (a response that is not the publisher's table).
        """
        series_id, where = series.series_id, self.url
        try:
            obtained = self._table(self._since(known))
            if obtained is not None:
                where = obtained.where
            figures = Figures([], []) if obtained is None else self.figures(obtained, series)
        except SourceUnreachable as failure:
            raise SourceUnreachable(f"{series_id}: {failure}", failure.failure) from None
        except Unusable as fault:
            raise PayloadRefused(fault.rule, series_id, where, fault.detail, _WAY_OUT) from None
        except KeyError:
            raise SeriesUnknown(f"{where}: {series_id}: the publisher's table has no such series") from None
        return Payload(
            series_id=series_id,
            observations=observations_frame(figures.dates, figures.values, figures.starts),
            unit=figures.unit,
            last_updated=self._unchanged_since if obtained is None else obtained.last_modified,
            where=where,
            is_complete=obtained is not None and obtained.is_complete,
            is_unchanged=obtained is None,
            notes=figures.notes,
            vintage_source="publisher",
        )

    def download(self, since: dt.datetime | None) -> Obtained[Table] | None:
        """The file at its own address, or at a page that links it; None when it has not changed since a moment."""
        is_direct = self.url.split("?")[0].endswith(self.file_name)
        file = self.get(self.url, since if is_direct else None)
        if file is not None and is_page(file.content) and not is_direct:
            file = self.get(linked(file, self.file_name, self.url, self.variable), since)
        if file is None:
            return None
        return Obtained(self.read(no_page(file.content)), file.where, file.last_modified)

    def now_at(self, url: str, query: Mapping[str, str] | None = None, body: Body | None = None) -> File:
        """The response at an address, whether it has changed or not. Raises as `get` does."""
        file = self.get(url, query=query, body=body)
        if file is None:
            raise SourceUnreachable(f"{url}: status 304 (not changed), which was not requested")
        return file

    def get(
        self,
        url: str,
        since: dt.datetime | None = None,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> File | None:
        """The response's body at an address; None when it has not changed since a moment. `body` is sent by POST.

        Raises SourceUnreachable, Unusable (too large).
        """
        where = _without_query(url)
        try:
            response = self._retries.call(lambda: self._once(url, since, query, body))
        except TooLarge as failure:
            raise Unusable("missing_column", str(failure)) from None
        except (Transient, Permanent) as failure:
            raise SourceUnreachable(f"{where}: {failure}", failure) from None
        return None if response.status == 304 else File(response.body, where, response.last_modified)

    def _once(
        self, url: str, since: dt.datetime | None, query: Mapping[str, str] | None, body: Body | None
    ) -> Response:
        response = self._http.get(url, query, since, body)
        status = response.status
        if status in (200, 304):
            return response
        message = f"the server responds {status}"
        if status in (404, 410):
            message += f"; if the file has moved, set {self.variable}"
        elif status in (401, 403):
            message += f"; if it only admits browsers, set {self.variable} to a copy"
        raise refusal(status, message, response.retry_after)

    def _since(self, known: Known | None) -> dt.datetime | None:
        """The moment for "has it changed since?"; None when the full table is due."""
        if known is None or known.last_updated is None or known.reconciled_at is None:
            return None
        age = self.now() - known.reconciled_at  # negative: the clock was ahead at that fetch
        return known.last_updated if dt.timedelta(0) <= age <= _FULL_AFTER else None

    def _table(self, since: dt.datetime | None) -> Obtained[Table] | None:
        """The table, requested at most once in full and once "if changed"; None when it has not changed."""
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._obtained is not None:
            return self._obtained
        if since is not None and since == self._unchanged_since:
            return None
        self._last_since = since
        try:
            self._obtained = self.download(since)
        except (SourceUnreachable, Unusable) as failure:
            self._failure = failure
            raise
        if self._obtained is None:
            self._unchanged_since = since
        return self._obtained


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def is_page(content: bytes) -> bool:
    """Whether this is a web page; no file read here begins like one."""
    return content.lstrip()[:1] == b"<"


def no_page(content: bytes) -> bytes:
    """The content of a file or response. Raises Unusable for a web page, or nothing at all."""
    if is_page(content):
        raise Unusable("missing_column", "a web page, not the publisher's file or response")
    if not content.strip():
        raise Unusable("empty_file", "the file or response is empty")
    return content


def linked(page: File, file_name: str, base: str, variable: str) -> str:
    """Address of the first link with https to a file of that name on a page, also inside a script.

    Raises SourceUnreachable without one, naming the variable to set: the file may be unchanged, at another address.
    """
    text = page.content.decode("utf-8", "replace").replace("\\u002F", "/").replace("\\/", "/")
    name = rf"{re.escape(file_name)}(?:\?[^\"'\s<>]*)?"
    # a quoted path anywhere, or the value of an href, quoted or not
    links = rf"""["']\s*([^"'\s<>]*/{name})\s*["']|\bhref\s*=\s*["']?((?:[^"'\s<>]*/)?{name})(?=["'\s>])"""
    problem = f"a page without a link to {file_name}"
    for found in re.finditer(links, text, re.IGNORECASE):
        try:
            return checked_address(urljoin(base, html.unescape(found[1] or found[2])), variable)
        except ValueError:
            problem = f"a page that links {file_name} only without https"
    raise SourceUnreachable(f"{_without_query(base)}: {problem}; set {variable} to where it is now")
