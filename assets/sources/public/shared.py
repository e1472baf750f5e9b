"""What readers of the profile public share: several files of one publisher, a file in a zip, and a checked unit."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, ClassVar

from assets.catalog.loader import load_catalog
from assets.catalog.models import Carrier, ReaderKey, Series
from assets.sources.file_source import RETRIES, FileSource, Table
from assets.sources.http import checked_address
from assets.sources.pacing import RetryPolicy
from assets.sources.parse import Figures, Unusable, until_the_last_figure
from assets.sources.protocol import Known, Payload, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAMAGED = (EOFError, LookupError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile,
            zlib.error)  # fmt: skip


_FULL_AFTER = dt.timedelta(days=27)


class WindowedSource(FileSource[Table]):
    """A publisher whose full history takes several requests: once in four weeks, and only its end on other days.

    `is_full` tells a subclass's `download` whether everything is due.
    """

    is_full = False

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The full history, or the end of a series that was fetched in full in the last four weeks.

        Raises SourceUnreachable, SeriesUnknown, PayloadRefused.
        """
        reconciled = known.reconciled_at if known is not None else None
        is_due = reconciled is None or self.now() - reconciled > _FULL_AFTER
        if is_due and not self.is_full:
            self.is_full, self._obtained = True, None
        return replace(super().fetch(series, known), is_complete=self.is_full)


class SeveralFiles(Source):
    """One publisher with several files below one address: `carrier.release` names a series' file."""

    address: ClassVar[str]
    variable: ClassVar[str]

    def __init__(self, url: str | None = None, retries: RetryPolicy = RETRIES) -> None:
        """Raises ValueError for an address without https."""
        self.root = checked_address(url or self.address, self.variable).rstrip("/")
        self.retries = retries
        self._files: dict[str, FileSource[Any]] = {}
        self._last: FileSource[Any] | None = None

    def file(self, release: str) -> FileSource[Any]:
        """The source of one file; called once a run. Raises KeyError (no such file)."""
        raise NotImplementedError

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The series from its file. Raises what `FileSource.fetch` raises."""
        release = carrier_of(series).release or ""
        if release not in self._files:
            self._files[release] = self.file(release)
        self._last = self._files[release]
        return self._last.fetch(series, known)

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return sum(file.requests for file in self._files.values())

    def probe(self) -> None:
        """Request the last file again. Raises SourceUnreachable."""
        if self._last is not None:
            self._last.probe()


def carrier_of(series: Series) -> Carrier:
    """The carrier of a series of the profile public."""
    assert series.carrier is not None, series.series_id
    return series.carrier


def code_of(series: Series) -> str:
    """The publisher's own id of a series of the profile public."""
    code = carrier_of(series).code
    assert code is not None, series.series_id
    return code


def codes_of(reader: ReaderKey, release: str | None = None) -> list[str]:
    """The ids of the series that a reader carries; with `release`, those of one file."""
    carried = [
        series for series in load_catalog().in_profile("public") if carrier_of(series).reader == reader
    ]
    return [code_of(series) for series in carried if release in (None, carrier_of(series).release)]


def figures_in_unit(
    series: Series, stated: str | None, dates: Sequence[str], values: Sequence[float]
) -> Figures:
    """Figures in the unit of the series, without missing ones before the first and after the last figure.

    A rebased index keeps the publisher's unit text, so that its new base year is reported. Raises Unusable
    (unit_changed) when the publisher's unit text `stated` is not in the catalogue.
    """
    carrier = carrier_of(series)
    if stated not in (carrier.unit, carrier.rebased_unit or carrier.unit):
        detail = f"{carrier.code} is in {stated!r}, assets/catalog/carriers.toml has {carrier.unit!r}"
        if series.unit_kind == "index":
            detail += "; if only the base year is new, add it there as rebased_unit"
        raise Unusable("unit_changed", detail)
    first = min((day for day, value in zip(dates, values, strict=True) if value == value), default="")
    kept = [(day, value) for day, value in zip(dates, values, strict=True) if day >= first]
    days, figures = [day for day, _ in kept], [value / carrier.divisor for _, value in kept]
    return until_the_last_figure(days, figures, series.unit if stated == carrier.unit else stated)


@contextmanager
def zip_member(content: bytes, name: str, most_bytes: int) -> Iterator[IO[bytes]]:
    """One file of a zip, unpacked while it is read; zip files do not unpack to more than their directory states.

    Raises Unusable: no zip, damaged, no such file, or larger than `most_bytes`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if name not in archive.namelist():
                raise Unusable("missing_column", f"no {name} in the zip, but {str(archive.namelist())[:120]}")
            size = archive.getinfo(name).file_size
            if size > most_bytes:
                raise Unusable("missing_column", f"{name} unpacks to {size} bytes, more than {most_bytes}")
            with archive.open(name) as member:
                yield member
    except _DAMAGED as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise Unusable("missing_column", f"the zip is damaged ({reason})") from None
