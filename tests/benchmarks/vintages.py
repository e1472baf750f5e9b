"""Vintages with the structure of real ones, as many as asked for.

Belongs here: generating. Does not belong here: what is asked of them (`asof_engines.py`).

A third of the series each: monthly with two years of monthly revisions and five annual benchmarks, weekly with three
revisions, daily without any. Sixty years of history, so a hundred million rows are some seven thousand series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.compute.archive import Archive, Captures, pack, resolve
from assets.compute.calendar import Days

YEARS = 60
FIRST, LAST = np.datetime64("1966-01-01", "D"), np.datetime64("2026-01-01", "D")
_DAY = np.timedelta64(1, "D")
HALF_YEAR, YEAR = 182, 364  # days: whole weeks, so that a weekday meets a weekday


@dataclass(frozen=True)
class Vintages:
    """Rows by series, observation and start, as the archive stores them. `months_of`: 1 where a lag is in months."""

    code: npt.NDArray[np.int64]
    observation: Days
    start: Days
    value: npt.NDArray[np.float64]
    is_monthly: npt.NDArray[np.bool_]  # by series

    def __len__(self) -> int:
        return len(self.code)

    @property
    def series(self) -> int:
        return len(self.is_monthly)

    def frame(self) -> pd.DataFrame:
        """For engines on frames; integer codes, since texts would only slow the others down."""
        return pd.DataFrame(
            {
                "code": self.code,
                "observation": self.observation.astype("datetime64[s]"),
                "start": self.start.astype("datetime64[s]"),
                "value": self.value,
            }
        )


def generate(rows: int, seed: int = 20251105) -> Vintages:
    """About `rows` vintages (never fewer), the same for the same number."""
    patterns = [_monthly(), _weekly(), _daily()]
    sizes = [len(observation) for observation, _ in patterns]
    series, total = 0, 0
    while total < rows:
        total += sizes[series % 3]
        series += 1
    code = np.empty(total, dtype="int64")
    observation, start = np.empty(total, dtype="datetime64[D]"), np.empty(total, dtype="datetime64[D]")
    at = 0
    for number in range(series):
        of_series, starts = patterns[number % 3]
        here = slice(at, at := at + len(of_series))
        code[here], observation[here], start[here] = number, of_series, starts
    value = np.random.default_rng(seed).normal(100.0, 10.0, total)
    return Vintages(code, observation, start, value, np.arange(series) % 3 == 0)


def archive_of(vintages: Vintages) -> Archive:
    """The archive as the warehouse's reader makes it, packing included."""
    key = pack(vintages.code, vintages.observation, vintages.start)
    captured = np.zeros(len(vintages), dtype="int64")
    source = np.ones(len(vintages), dtype="int8")
    codes = {str(code): code for code in range(vintages.series)}
    return resolve(Captures.from_keys(codes, key, vintages.value, captured, source))


def month_ends() -> Days:
    """The dates asked about: 480 month-ends."""
    months = np.arange("1986-02", "2026-02", dtype="datetime64[M]")
    return months.astype("datetime64[D]") - _DAY


def _sorted(observation: Days, start: Days) -> tuple[Days, Days]:
    order = np.lexsort((start, observation))
    return observation[order], start[order]


def _monthly() -> tuple[Days, Days]:
    months = np.arange(FIRST.astype("datetime64[M]"), LAST.astype("datetime64[M]"))
    lags = np.concatenate([np.arange(1, 25), 24 + 12 * np.arange(1, 6)])
    observation, lag = np.repeat(months, len(lags)), np.tile(lags, len(months))
    return _sorted(
        observation.astype("datetime64[D]"), (observation + lag).astype("datetime64[D]") + 12 * _DAY
    )


def _weekly() -> tuple[Days, Days]:
    weeks = np.arange(FIRST, LAST, 7 * _DAY)
    lags = np.array([5, 12, 40]) * _DAY
    observation = np.repeat(weeks, len(lags))
    return _sorted(observation, observation + np.tile(lags, len(weeks)))


def _daily() -> tuple[Days, Days]:
    dates = np.arange(FIRST, LAST, _DAY)
    dates = dates[np.is_busday(dates)]
    return dates, dates + _DAY
