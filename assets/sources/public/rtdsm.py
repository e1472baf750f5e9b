"""The Philadelphia Fed's real-time data set: one workbook a series, one column a vintage (EMPLOY24M3, RUC24Q1).

A vintage is what was published by the middle of its month or of the middle month of its quarter: it counts from the
15th, or from the day its newest figure was published, if that is later (industrial production). A workbook that
has every first estimate unrevised (`vintages_are_first_estimates`: payrolls, industrial production, real output) counts
from the publication of its newest figure. The archive dates each figure by lag rule before its first vintage.
Today's figures are another publisher's: `carried.py` adds the vintages to what that one served.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.compute.calendar import Days, days, first_publication, released_on
from assets.sources.file_source import RETRIES, FileSource
from assets.sources.http import checked_address
from assets.sources.pacing import RetryPolicy
from assets.sources.parse import Rows, Unusable, month_stamp, number, sheet_rows
from assets.sources.protocol import Known, PayloadRefused, SourceUnreachable, observations_frame
from assets.sources.public.shared import carrier_of

ADDRESS = (
    "https://www.philadelphiafed.org/-/media/FRBP/Assets/Surveys-And-Data/real-time-data/data-files/xlsx"
)
VARIABLE = "PHILADELPHIA_FED_URL"
_WIDEST = 2000  # columns; the monthly vintages since 1962 are 780
_DAY = 15  # of the month of a vintage
_FIRST_YEAR = 62  # two digits: 1962 is the first vintage
_PERIOD = re.compile(r"(\d{4}):(?:Q([1-4])|(\d{2}))")
_MARGIN = dt.timedelta(days=2)  # between the server's clock and ours


class Vintages(NamedTuple):
    """A workbook. `own_days` are the days of the columns, `values` has a row per observation, NaN for no figure."""

    observations: Days
    own_days: Days
    values: npt.NDArray[np.float64]


def read_workbook(content: bytes, file: str) -> Vintages:
    """The vintages of a workbook; `file` is its name, "employMvMd". Raises Unusable."""
    name = re.sub(r"[QM]v[QM]d$", "", file)
    rows = sheet_rows(content, name, _WIDEST)
    if not rows or str(rows[0][0]).strip().upper() != "DATE":
        raise Unusable("missing_column", "the first cell is not DATE")
    body = [row for row in rows[1:] if row[0] is not None]
    values = np.array(
        [[_figure(cell, f"{row[0]}, column {n}") for n, cell in enumerate(row[1:], 2)] for row in body]
    )
    observations = days([_period(str(row[0])) for row in body])
    if len(body) < 2 or (np.diff(observations).astype("int64") <= 0).any():
        raise Unusable("not_a_date", "the periods in column DATE do not ascend")
    own_days = _own_days(rows, name.upper())
    kept = ~np.isnan(values).all(axis=0)  # some workbooks begin with columns without a figure
    if not kept.any():
        raise Unusable("empty_file", "no vintage has a figure")
    return Vintages(observations, own_days[kept], values[:, kept])


def _figure(cell: object, what: str) -> float:
    return float("nan") if cell == "#N/A" else number(cell, what)


def _period(text: str) -> str:
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        raise Unusable("not_a_date", f"{text[:40]!r} is no period like 1947:Q1 or 1947:01")
    return month_stamp(int(match[1]), 3 * int(match[2]) - 2 if match[2] else int(match[3]), text)


def _own_days(rows: Rows, name: str) -> Days:
    """The 15th of the month of each column, or of the middle month of its quarter. No column may be missing."""
    months, steps = [], set()
    for cell in rows[0][1:]:
        match = re.fullmatch(rf"{re.escape(name)}(\d\d)([QM])(\d{{1,2}})", str(cell).strip().upper())
        if match is None:
            raise Unusable(
                "missing_column", f"the column {str(cell)[:40]!r} is no vintage like {name}24{'M3'}"
            )
        year = int(match[1]) + (1900 if int(match[1]) >= _FIRST_YEAR else 2000)
        month = int(match[3]) if match[2] == "M" else 3 * int(match[3]) - 1
        months.append(month_stamp(year, month, str(cell))[:7])
        steps.add(1 if match[2] == "M" else 3)
    found = np.array(months, dtype="datetime64[M]")
    if len(steps) != 1 or (np.diff(found).astype("int64") != steps.pop()).any():
        raise Unusable("missing_column", "the vintages do not follow each other without a gap")
    return found.astype("datetime64[D]") + (_DAY - 1)


def vintage_days(
    vintages: Vintages, series: Series, published: Mapping[np.datetime64, np.datetime64]
) -> Days:
    """The day each vintage counts from. `published` are the publications that replace the lag rule."""
    filled = ~np.isnan(vintages.values)
    newest = vintages.observations[len(filled) - 1 - filled[::-1].argmax(axis=0)]
    released = first_publication(newest, series, published)
    start = np.where(released > vintages.own_days, released, vintages.own_days)  # NaT, never, compares false
    if carrier_of(series).vintages_are_first_estimates:
        for n, day in enumerate(released):
            if n == 0 or day > start[n - 1]:
                start[n] = day
    if (np.diff(start).astype("int64") <= 0).any():
        raise Unusable(
            "duplicate_key", "two vintages would count from one day: a column repeats the one before"
        )
    return start


def changes(vintages: Vintages, start: Days) -> pd.DataFrame:
    """The figures of a vintage that differ from the one before, NaN for those it left out; the rows of a payload."""
    before = np.column_stack([np.full(len(vintages.values), np.nan), vintages.values[:, :-1]])
    changed = (vintages.values != before) & ~(np.isnan(vintages.values) & np.isnan(before))
    row, column = np.nonzero(changed)
    return observations_frame(vintages.observations[row], vintages.values[row, column], start[column])


class _Workbook(FileSource[Vintages]):
    address, variable = ADDRESS, VARIABLE

    def read(self, content: bytes) -> Vintages:
        return read_workbook(content, self.url.rsplit("/", 1)[1].removesuffix(".xlsx"))

    def vintages(self, since: dt.datetime | None) -> Vintages | None:
        """None when the file has not changed since a moment. Raises SourceUnreachable, Unusable."""
        obtained = self._table(since)
        return None if obtained is None else obtained.table


class RealTimeDataSet:
    """The workbooks of one run, each downloaded once."""

    def __init__(self, url: str | None = None, retries: RetryPolicy = RETRIES) -> None:
        """`url` is the folder of the workbooks. Raises ValueError for an address without https."""
        self.url, self._retries = checked_address(url or ADDRESS, VARIABLE).rstrip("/"), retries
        self._books: dict[str, _Workbook] = {}
        self._down: SourceUnreachable | None = None

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return sum(book.requests for book in self._books.values())

    def rows(self, series: Series, file: str, known: Known | None) -> pd.DataFrame | None:
        """The vintages of a series; None when the workbook has not changed since the archive gained one.

        Raises SourceUnreachable (the other workbooks are then not requested), PayloadRefused.
        """
        if self._down is not None:
            raise self._down.with_traceback(None)
        book = self._books.setdefault(file, _Workbook(f"{self.url}/{file}.xlsx", self._retries))
        since = known.vintages_at if known is not None else None
        try:
            vintages = book.vintages(None if since is None else since - _MARGIN)
            if vintages is None:
                return None
            published = released_on(load_catalog().release_delays, series.series_id)
            return changes(vintages, vintage_days(vintages, series, published))
        except SourceUnreachable as failure:
            self._down = failure
            raise
        except Unusable as fault:
            raise PayloadRefused(
                fault.rule, series.series_id, book.url, fault.detail, "look at the workbook"
            ) from None
