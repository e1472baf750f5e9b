"""The Financial Accounts (Z.1): `z1/current/z1_csv_files.zip`, a CSV file per table with a column per series.

The layout is documented and not proven live. The header is `date,<code>,...`; a quarter is written 2026:Q2, 2026-Q2 or
2026Q2; ND is no data. The files state no unit: the level is checked by the catalogue's range.

The Board keeps the file of every release, `z1/YYYYMMDD/z1_csv_files.zip`: a vintage that counts from its day.
`z1/releaseDates.json` lists the days. When the current file has changed, the dated files after the newest vintage in
the archive are downloaded, and that one again, because only what differs from the release before is stored.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import pandas as pd

from assets.catalog.models import Series
from assets.progress import progress
from assets.sources.file_source import RETRIES, FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.pacing import NotThere, RetryPolicy
from assets.sources.parse import Figures, Unusable, csv_column, month_stamp, number
from assets.sources.protocol import Known, Payload, SourceUnreachable, observations_frame
from assets.sources.public.shared import carrier_of, code_of, figures_in_unit, zip_member

_ADDRESS = "https://www.federalreserve.gov/releases"
_QUARTER = re.compile(r"(\d{4})\W?Q([1-4])", re.ASCII)
_LARGEST = 16 * 1024 * 1024  # bytes of one table
_FILE = "z1_csv_files.zip"
_MOST_MISSING = 20  # dated files in a row; then there are none where we look


class FinancialAccountsSource(FileSource[bytes]):
    """The zip of the current release; a table is unpacked when a series of it is fetched."""

    variable = "BOARD_RELEASES_URL"
    limits: ClassVar[Limits] = Limits(total=300.0, size=64 * 1024 * 1024)

    def __init__(self, url: str | None = None, retries: RetryPolicy = RETRIES) -> None:
        """`url` replaces the root of the Board's releases."""
        self._root = f"{(url or _ADDRESS).rstrip('/')}/z1"
        super().__init__(f"{self._root}/current/{_FILE}", retries)

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """Today's figures; when their file has changed, also the vintages the archive lacks. Raises as FileSource does.

        What cannot be had of the vintages is a note, and a later fetch asks for it again. An archive with ALFRED's
        vintages gets none.
        """
        payload = super().fetch(series, known)
        if payload.is_unchanged or (known is not None and known.newest_vintage is not None):
            return payload
        try:
            listed = release_days(self._content("releaseDates.json"))
        except (SourceUnreachable, Unusable) as failure:
            return replace(payload, notes=(*payload.notes, f"no vintages: {failure}"))
        today, newest = self.now().date(), known.newest_of_publisher if known is not None else None
        rows, notes = self._vintages(
            series, [day for day in listed if (newest or day) <= day <= today], newest
        )
        return replace(with_vintages(payload, rows), notes=(*payload.notes, *notes))

    def _content(self, name: str) -> bytes:
        return self.now_at(f"{self._root}/{name}").content

    def _vintages(
        self, series: Series, days: Sequence[dt.date], held: dt.date | None
    ) -> tuple[list[tuple[str, float, str]], list[str]]:
        """Observation, value and day of what each release changes, and notes about releases without a usable file."""
        known, rows, missing = dict[str, float](), list[tuple[str, float, str]](), list[str]()
        in_a_row = 0
        for n, day in enumerate(days, start=1):
            progress.info(f"z1: the release of {day}, {n} of {len(days)}")
            try:
                content = self._content(f"{day:%Y%m%d}/{_FILE}")
                figures = self.figures(Obtained(content, "", None), series)
            except (SourceUnreachable, Unusable) as failure:
                if isinstance(failure, SourceUnreachable) and not isinstance(failure.failure, NotThere):
                    return rows, [*_about(missing), f"no vintages from {day} on: {failure}"]
                missing.append(str(day))
                in_a_row += 1
                if in_a_row == _MOST_MISSING:
                    break
                continue
            in_a_row = 0
            now = {
                at: value for at, value in zip(figures.dates, figures.values, strict=True) if value == value
            }
            last = max(now)  # always stored: it tells the archive that it has the release
            if day != held:
                rows += [
                    (at, value, str(day)) for at, value in now.items() if at == last or known.get(at) != value
                ]
            known = now
        return rows, _about(missing)

    def read(self, content: bytes) -> bytes:
        """The zip itself."""
        return content

    def figures(self, obtained: Obtained[bytes], series: Series) -> Figures:
        """One column of a table, dated by the first day of the quarter."""
        with zip_member(obtained.table, f"csv/{carrier_of(series).release}.csv", _LARGEST) as member:
            quarters = column(member.read(), code_of(series))
        return figures_in_unit(series, None, list(quarters), list(quarters.values()))


def _about(missing: Sequence[str]) -> list[str]:
    return [f"no usable file of {len(missing)} releases: {missing[0]} to {missing[-1]}"] if missing else []


def with_vintages(payload: Payload, rows: Sequence[tuple[str, float, str]]) -> Payload:
    """The payload with the vintages, without the figures of today that the newest of them already states."""
    if not rows:
        return payload
    dated = observations_frame(*zip(*rows, strict=True))
    newest = dated.drop_duplicates("observation_date", keep="last").set_index("observation_date")["value"]
    today = payload.observations
    is_stated = today["observation_date"].map(newest) == today["value"]
    return replace(payload, observations=pd.concat([today[~is_stated], dated], ignore_index=True))


def release_days(content: bytes) -> list[dt.date]:
    """The days of a release, in order: years with months with `Dates` like 20260611. Raises Unusable."""
    try:
        texts = [day for year in json.loads(content) for month in year["Months"] for day in month["Dates"]]
        return sorted({dt.datetime.strptime(day, "%Y%m%d").date() for day in texts})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        detail = f"releaseDates.json is no list of years, months and days ({type(error).__name__})"
        raise Unusable("missing_column", detail) from None


def column(content: bytes, code: str) -> Mapping[str, float]:
    """Figures of one code by first day of the quarter, NaN where there are no data. Raises Unusable."""
    found = dict[str, float]()
    for _, text, cell in csv_column(content, "date", code):
        quarter = _QUARTER.fullmatch(text)
        if quarter is None:
            raise Unusable("not_a_date", f"{text[:40]!r} is no quarter like 2026:Q2")
        day = month_stamp(int(quarter[1]), 3 * int(quarter[2]) - 2, text)
        if day in found:
            raise Unusable("duplicate_key", f"{text} occurs twice")
        found[day] = number("" if cell == "ND" else cell, f"{code} in {text}")
    return found
