"""A publisher whose series stand side by side in one table: read once a run, shared by them all.

Belongs here: what such publishers have in common: one download for all series, a question whether anything changed,
a failure told once and remembered. Does not belong here: HTTP (`download.py`), any publisher's layout.

The moment of the file's last change is kept as `last_updated` in the book of fetches, beside the rows it brought. So
"not changed since" is only ever asked about a file whose figures are in the archive, and once a week not at all.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from assets.catalog.models import Series
from assets.sources.download import Downloader, File, Unreachable, Unusable, is_page, linked
from assets.sources.parse import observations_frame
from assets.sources.protocol import Known, Payload, PayloadRefused, SeriesUnknown, SourceUnreachable

_WHOLE_AFTER = dt.timedelta(days=6)
_WAY_OUT = "look at it in a browser; the publisher's module says what is expected"

Table = TypeVar("Table")


class Figures(NamedTuple):
    """One series of a table: ISO dates in any order, values (NaN: published as missing), the publisher's unit text."""

    dates: Sequence[str]
    values: Sequence[float]
    unit: str | None = None
    notes: tuple[str, ...] = ()


class Obtained(NamedTuple, Generic[Table]):
    """A publisher's table, where it stood, and when it was last changed."""

    table: Table
    where: str
    last_modified: dt.datetime | None
    rows_expected: int | None = None


@dataclass(frozen=True)
class Publisher(Generic[Table]):
    """How one publisher is read. `obtain` gives None when nothing changed since a moment.

    `obtain` and `figures` raise Unusable; `figures` KeyError for a series that is not among the publisher's.
    """

    downloader: Downloader
    obtain: Callable[[dt.datetime | None], Obtained[Table] | None]
    figures: Callable[[Obtained[Table], str], Figures]


class FileSource(Generic[Table]):
    """One publisher in one run."""

    def __init__(
        self,
        publisher: Publisher[Table],
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._publisher = publisher
        self._now = now
        self._obtained: Obtained[Table] | None = None
        self._failure: Unreachable | Unusable | None = None
        self._unchanged_since: dt.datetime | None = None
        self._asked_since: dt.datetime | None = None

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._publisher.downloader.requests

    def is_there(self) -> bool:
        """Whether the publisher's server takes a connection; no figure is read."""
        return self._publisher.downloader.is_there()

    def probe(self) -> None:
        """Ask for the table again after a failure. Raises SourceUnreachable; what answers with anything is there."""
        self._failure = None
        try:
            self._table(self._asked_since)
        except Unreachable as failure:
            raise SourceUnreachable(str(failure), failure.failure) from None
        except Unusable:
            return

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The series' whole history, or that nothing changed since the last accepted fetch.

        Raises SourceUnreachable, SeriesUnknown, PayloadRefused (answered, but no table of the publisher's).
        """
        began, before = time.monotonic(), self.requests
        where = self._publisher.downloader.address
        try:
            obtained = self._table(self._since(known))
            if obtained is not None:
                where = obtained.where
            figures = (
                Figures([], []) if obtained is None else self._publisher.figures(obtained, series.series_id)
            )
        except Unreachable as failure:
            raise SourceUnreachable(f"{series.series_id}: {failure}", failure.failure) from None
        except Unusable as fault:
            raise PayloadRefused(fault.rule, series.series_id, where, fault.detail, _WAY_OUT) from None
        except KeyError:
            raise SeriesUnknown(
                f"{where}: {series.series_id}: the publisher's table has no such series"
            ) from None
        return Payload(
            series_id=series.series_id,
            observations=observations_frame(list(figures.dates), list(figures.values)),
            unit=figures.unit,
            frequency=None,
            last_updated=self._unchanged_since if obtained is None else obtained.last_modified,
            requests=self.requests - before,
            seconds=time.monotonic() - began,
            where=where,
            is_complete=obtained is not None,
            is_unchanged=obtained is None,
            notes=figures.notes,
        )

    def _since(self, known: Known | None) -> dt.datetime | None:
        """The moment to ask about; None where the whole table is due."""
        if known is None or known.last_updated is None or known.reconciled_at is None:
            return None
        age = self._now() - known.reconciled_at  # negative: the clock was ahead then
        return known.last_updated if dt.timedelta(0) <= age <= _WHOLE_AFTER else None

    def _table(self, since: dt.datetime | None) -> Obtained[Table] | None:
        """The table, asked for at most once whole and once "if changed"; None when it has not changed."""
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._obtained is not None:
            return self._obtained
        if since is not None and since == self._unchanged_since:
            return None
        self._asked_since = since
        try:
            self._obtained = self._publisher.obtain(since)
        except (Unreachable, Unusable) as failure:
            self._failure = failure
            raise
        if self._obtained is None:
            self._unchanged_since = since
        return self._obtained


def one_file(
    downloader: Downloader, opened: Callable[[bytes], Table], file_name: str
) -> Callable[[dt.datetime | None], Obtained[Table] | None]:
    """How a publisher of one file is asked: at the file's own address, or at a page that links it."""

    def obtain(since: dt.datetime | None) -> Obtained[Table] | None:
        address = downloader.address
        is_direct = address.split("?")[0].endswith(file_name)
        file = downloader.get(address, since if is_direct else None)
        if file is not None and is_page(file.content) and not is_direct:
            file = downloader.get(linked(file, file_name, address, downloader.variable), since)
        return None if file is None else _opened(file, opened)

    return obtain


def _opened(file: File, opened: Callable[[bytes], Table]) -> Obtained[Table]:
    if is_page(file.content):
        raise Unusable("missing_column", "a page for people, not the file")
    if not file.content.strip():
        raise Unusable("empty_file", "the file is empty")
    return Obtained(opened(file.content), file.where, file.last_modified)
