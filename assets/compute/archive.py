"""What was known when: vintages held as sorted composite keys and searched, never looped over dates.

Belongs here: the one as-of lookup everything else is built on. Does not belong here: formulas, units, DuckDB.

A row of the archive is one vintage of one observation. Three times are kept apart: what it is about (observation_date),
when the world could know it (realtime_start), when we had it (captured_at).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.compute.calendar import Days, days

Rows = npt.NDArray[np.int64]
ABSENT = -1
SOURCES = ("", "alfred", "captured", "lag_rule")  # from strongest to weakest evidence of what was known
_EPOCH = 719_163  # days from 0001-01-01 to 1970-01-01: every date becomes a non-negative number below 2**22
_BITS = 22
_ALWAYS = np.iinfo(np.int64).max


def _number(dates: Days) -> Rows:
    return dates.astype("int64") + _EPOCH


@dataclass(frozen=True)
class Archive:
    """All vintages, sorted by (series, observation, start, capture). Arrays share one length, one entry a vintage."""

    codes: dict[str, int]
    key: Rows
    observation: Days
    start: Days
    value: npt.NDArray[np.float64]
    captured: Rows  # microseconds UTC
    source: npt.NDArray[np.int8]  # index into SOURCES
    _observations: dict[str, _Observations] = field(default_factory=dict, repr=False)

    @classmethod
    def from_frame(cls, vintages: pd.DataFrame) -> Archive:
        """Build from `series_id, observation_date, realtime_start, value, vintage_source, captured_at` (any order)."""
        ids = sorted(vintages["series_id"].unique())
        codes = {series_id: code for code, series_id in enumerate(ids)}
        code = vintages["series_id"].map(codes).to_numpy(dtype="int64")
        observation = days(vintages["observation_date"].to_numpy(dtype="datetime64[s]"))
        start = days(vintages["realtime_start"].to_numpy(dtype="datetime64[s]"))
        captured = vintages["captured_at"].to_numpy(dtype="datetime64[us]").astype("int64")
        key = (code << (2 * _BITS)) | (_number(observation) << _BITS) | _number(start)
        order = np.lexsort((captured, key))
        source = vintages["vintage_source"].map({name: n for n, name in enumerate(SOURCES)}).to_numpy()
        value = vintages["value"].to_numpy(dtype="float64")
        return cls(
            codes,
            key[order],
            observation[order],
            start[order],
            value[order],
            captured[order],
            source[order].astype(np.int8),
        )

    def has(self, series_id: str) -> bool:
        """Whether any vintage of the series is held."""
        return series_id in self.codes

    def rows_as_of(
        self, series_id: str, observations: Days, as_of: Days, known_by: Rows | None = None
    ) -> Rows:
        """Row of each observation as known on each date; ABSENT where unknown then, or published as missing.

        `observations`, `as_of` and `known_by` broadcast. `known_by` (microseconds) hides what we captured later.
        """
        observations, as_of = np.broadcast_arrays(observations, as_of)
        if series_id not in self.codes:
            return np.full(observations.shape, ABSENT, dtype="int64")
        prefix = ((self.codes[series_id] << _BITS) | _number(observations)) << _BITS
        row = np.searchsorted(self.key, prefix | _number(as_of), side="right") - 1
        if known_by is not None:
            limit = np.broadcast_to(known_by, row.shape)
            while (late := (row >= 0) & (self.key[row] >= prefix) & (self.captured[row] > limit)).any():
                row = np.where(late, row - 1, row)
        found = (row >= 0) & (self.key[row] >= prefix) & ~np.isnat(observations)
        found &= ~np.isnan(self.value[row])
        return np.where(found, row, ABSENT)

    def observations(self, series_id: str) -> _Observations:
        """The observation dates of a series with the search tables for its newest one."""
        if series_id not in self._observations:
            code = self.codes.get(series_id, len(self.codes))
            first, last = np.searchsorted(self.key, [code << (2 * _BITS), (code + 1) << (2 * _BITS)])
            self._observations[series_id] = _Observations(
                self.observation[first:last], self.start[first:last]
            )
        return self._observations[series_id]

    def take(self, values: npt.NDArray, rows: Rows, fill: object) -> npt.NDArray:
        """`values[rows]` with `fill` where a row is ABSENT."""
        if len(values) == 0:
            return np.full(rows.shape, fill, dtype=values.dtype)
        return np.where(rows >= 0, values[np.maximum(rows, 0)], np.asarray(fill, dtype=values.dtype))

    @cached_property
    def last_capture(self) -> int:
        """Microseconds of the newest capture; the smallest number when the archive is empty."""
        return int(self.captured.max()) if len(self.captured) else -_ALWAYS


@dataclass(frozen=True)
class _Observations:
    """Distinct observation dates of one series, and the newest of them that had appeared by a date."""

    row_observation: Days
    row_start: Days

    @cached_property
    def dates(self) -> Days:
        return np.unique(self.row_observation)

    @cached_property
    def _appearance(self) -> tuple[Days, Rows]:
        order = np.argsort(self.row_start, kind="stable")
        position = np.searchsorted(self.dates, self.row_observation)
        return self.row_start[order], np.maximum.accumulate(position[order])

    def newest_position(self, as_of: Days) -> Rows:
        """Position in `dates` of the newest observation with a vintage started by each date, or ABSENT."""
        starts, newest = self._appearance
        at = np.searchsorted(starts, as_of, side="right") - 1
        return (
            np.where(at >= 0, newest[np.maximum(at, 0)], ABSENT)
            if len(newest)
            else np.full(as_of.shape, ABSENT)
        )
