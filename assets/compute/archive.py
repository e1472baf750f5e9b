"""What was known when: vintages as sorted composite keys, searched and never looped over dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.compute.calendar import Days, days

Rows = npt.NDArray[np.int64]
ABSENT = -1
SOURCES = ("", "alfred", "rtdsm", "captured", "lag_rule")  # strongest to weakest evidence of what was known
REAL_VINTAGES = ("alfred", "rtdsm")
STORED_SOURCES = (*SOURCES, "retracted")  # stored, but never read: the publisher no longer lists this vintage
EPOCH = 719_163  # number of 1970-01-01, 0001-01-01 being 1: every date becomes a positive number below 2**22
BITS = 22
_BLOCK = 1 << 18  # keys looked at together: 2 MB stay in the processor's cache
_NAT = np.datetime64("NaT", "D")
_ALWAYS = np.iinfo(np.int64).max
_START = (1 << BITS) - 1
_LAG_RULE, _RETRACTED = STORED_SOURCES.index("lag_rule"), STORED_SOURCES.index("retracted")
_REAL = [STORED_SOURCES.index(name) for name in REAL_VINTAGES]


def pack(code: Rows, observation: Days, start: Days) -> Rows:
    """One number per vintage that sorts by series, observation and start. `warehouse/readers.py` packs in SQL."""
    key = code << BITS  # then in place: at a hundred million vintages every copy is 800 MB
    key += observation.view("int64")
    key += EPOCH
    key <<= BITS
    key += start.view("int64")
    key += EPOCH
    return key


def _number(dates: Days) -> Rows:
    return dates.astype("int64") + EPOCH


def _date(number: Rows) -> Days:
    return (number - EPOCH).astype("datetime64[D]")


def _observation(key: Rows) -> Days:
    return _date((key >> BITS) & (1 << BITS) - 1)


def _start(key: Rows) -> Days:
    return _date(key & _START)


def codes_in(key: Rows, codes: Mapping[str, int]) -> dict[str, int]:
    """The series of which sorted keys hold any row, with their codes."""
    limits = np.array([[code, code + 1] for code in codes.values()], dtype="int64").reshape(-1, 2)
    rows = np.diff(np.searchsorted(key, limits << (2 * BITS)), axis=1)[:, 0]
    return {series_id: code for (series_id, code), held in zip(codes.items(), rows, strict=True) if held}


def _is_sorted(key: Rows, captured: Rows) -> bool:
    """Whether rows come by key, and those with the same key by capture."""
    for at in range(0, len(key) - 1, _BLOCK):
        before, after = key[at : at + _BLOCK], key[at + 1 : at + 1 + _BLOCK]
        before = before[: len(after)]
        if (after < before).any():
            return False
        same = at + np.flatnonzero(after == before)
        if (captured[same + 1] < captured[same]).any():
            return False
    return True


@dataclass(frozen=True)
class Captures:
    """Everything the warehouse stores of some series, sorted by (series, observation, start, capture).

    Arrays share one length, one entry per capture of a vintage. `source` is an index into STORED_SOURCES.
    """

    codes: Mapping[str, int]
    key: Rows
    value: npt.NDArray[np.float64]
    captured: Rows  # microseconds UTC
    source: npt.NDArray[np.int8]

    @classmethod
    def from_frame(cls, vintages: pd.DataFrame) -> Captures:
        """Build from `series_id, observation_date, realtime_start, value, vintage_source, captured_at` (any order)."""
        ids = sorted(vintages["series_id"].unique())
        codes = {series_id: code for code, series_id in enumerate(ids)}
        observation = days(vintages["observation_date"].to_numpy(dtype="datetime64[s]"))
        start = days(vintages["realtime_start"].to_numpy(dtype="datetime64[s]"))
        source = vintages["vintage_source"].map({name: n for n, name in enumerate(STORED_SOURCES)})
        return cls.from_keys(
            codes,
            pack(vintages["series_id"].map(codes).to_numpy(dtype="int64"), observation, start),
            vintages["value"].to_numpy(dtype="float64"),
            vintages["captured_at"].to_numpy(dtype="datetime64[us]").astype("int64"),
            source.to_numpy().astype(np.int8),
        )

    @classmethod
    def from_keys(
        cls,
        codes: Mapping[str, int],
        key: Rows,
        value: npt.NDArray[np.float64],
        captured: Rows,
        source: npt.NDArray[np.int8],
    ) -> Captures:
        """Build from packed keys (`pack`) in any order; arrays that are in order already are taken as they are."""
        if not _is_sorted(key, captured):
            order = np.lexsort((captured, key))
            key, value, captured, source = key[order], value[order], captured[order], source[order]
        return cls(codes, key, value, captured, source)

    def __len__(self) -> int:
        return len(self.key)

    def take(self, keep: npt.NDArray[np.bool_]) -> Captures:
        """Some of the captures, by mask."""
        return Captures(self.codes, self.key[keep], self.value[keep], self.captured[keep], self.source[keep])

    @cached_property
    def last_capture(self) -> int:
        """Microseconds of the newest capture; the smallest number when there is none."""
        return int(self.captured.max()) if len(self.captured) else -_ALWAYS


def resolve(captures: Captures) -> Archive:
    """The captured vintages that are read (methodology, "Point in time"): one row per key, real vintages first.

    The row captured last counts. A vintage that was retracted is dropped. A `lag_rule` row gives way to the real
    vintages of its observation, except before the first vintage of a series.
    """
    key = captures.key
    is_last = np.ones(len(key), dtype=bool)
    np.not_equal(key[1:], key[:-1], out=is_last[:-1])
    is_read = is_last & (captures.source != _RETRACTED)
    held = captures if is_read.all() else captures.take(is_read)
    replaced = _replaced_by_real_vintages(held.key, held.source)
    if len(replaced):
        held = held.take(~np.isin(np.arange(len(held)), replaced))
    return Archive(codes_in(held.key, held.codes), held.key, held.value, held.captured, held.source)


def _replaced_by_real_vintages(key: Rows, source: npt.NDArray[np.int8]) -> Rows:
    """Positions of the `lag_rule` rows that are not read because their observation has a real vintage."""
    rules = np.flatnonzero(source == _LAG_RULE)
    real = np.flatnonzero(np.isin(source, _REAL)) if len(rules) else rules
    if not len(real):
        return real
    number = key[real] >> BITS  # series and observation
    is_first = np.append(True, number[1:] != number[:-1])
    number, first = number[is_first], key[real][is_first] & _START
    _, at = np.unique(number >> BITS, return_index=True)
    since = np.repeat(np.minimum.reduceat(first, at), np.diff(np.append(at, len(number))))
    found = np.searchsorted(number, key[rules] >> BITS)
    has_real = number[np.minimum(found, len(number) - 1)] == key[rules] >> BITS
    rules, found = rules[has_real], found[has_real]
    is_inside = first[found] > since[found]
    return rules[is_inside | ((key[rules] & _START) >= since[found])]


@dataclass(frozen=True)
class Archive:
    """The vintages that are read, sorted by (series, observation, start). Arrays share one length, one entry a vintage.

    `key` packs series, observation and start into one number, so that a lookup is one binary search and a vintage
    costs 25 bytes.
    """

    codes: Mapping[str, int]
    key: Rows
    value: npt.NDArray[np.float64]
    captured: Rows  # microseconds UTC
    source: npt.NDArray[np.int8]  # index into SOURCES
    _observations: dict[str, _Observations] = field(default_factory=dict, repr=False)

    @classmethod
    def from_frame(cls, vintages: pd.DataFrame) -> Archive:
        """The archive of everything captured, in the columns and types `Captures.from_frame` takes."""
        return resolve(Captures.from_frame(vintages))

    def has(self, series_id: str) -> bool:
        """Whether any vintage of the series is held."""
        return series_id in self.codes

    def rows_as_of(self, series_id: str, observations: Days, as_of: Days) -> Rows:
        """Row of each observation as known on each date; ABSENT where unknown then, or published as missing.

        `observations` and `as_of` broadcast.
        """
        observations, as_of = np.broadcast_arrays(observations, as_of)
        if series_id not in self.codes:
            return np.full(observations.shape, ABSENT, dtype="int64")
        first, last = self._span(series_id)
        prefix = ((self.codes[series_id] << BITS) | _number(observations)) << BITS
        row = first + np.searchsorted(self.key[first:last], prefix | _number(as_of), side="right") - 1
        found = (row >= 0) & (self.key[row] >= prefix) & ~np.isnat(observations)
        found &= ~np.isnan(self.value[row])
        return np.where(found, row, ABSENT)

    def observations(self, series_id: str) -> _Observations:
        """The observation dates of a series with the search tables for its newest one."""
        if series_id not in self._observations:
            first, last = self._span(series_id)
            self._observations[series_id] = _Observations.of_keys(self.key[first:last])
        return self._observations[series_id]

    def _span(self, series_id: str) -> tuple[int, int]:
        """First row of a series and the one after its last; an empty span for a series that is not held."""
        code = self.codes.get(series_id, -1)
        first, last = np.searchsorted(self.key, [code << (2 * BITS), (code + 1) << (2 * BITS)])
        return int(first), int(last)

    def take(self, values: npt.NDArray, rows: Rows, fill: object) -> npt.NDArray:
        """`values[rows]` with `fill` where a row is ABSENT."""
        if len(values) == 0:
            return np.full(rows.shape, fill, dtype=values.dtype)
        return np.where(rows >= 0, values[np.maximum(rows, 0)], np.asarray(fill, dtype=values.dtype))

    def observation_date(self, rows: Rows) -> Days:
        """What each row is about; NaT where ABSENT."""
        return np.where(rows >= 0, _observation(self.take(self.key, rows, 0)), _NAT)

    def realtime_start(self, rows: Rows) -> Days:
        """Since when the world could know each row; NaT where ABSENT."""
        return np.where(rows >= 0, _start(self.take(self.key, rows, 0)), _NAT)


@dataclass(frozen=True)
class _Observations:
    """Distinct observation dates of one series, ascending, and since when anything was known of each."""

    dates: Days
    first_start: Days

    @classmethod
    def of_keys(cls, key: Rows) -> _Observations:
        """From the packed keys of one series: the first vintage of an observation comes first."""
        number = key >> BITS
        is_first = np.ones(len(key), dtype=bool)
        np.not_equal(number[1:], number[:-1], out=is_first[1:])
        first = key[is_first]
        return cls(_observation(first), _start(first))

    @cached_property
    def _appearance(self) -> tuple[Days, Rows]:
        """Days on which something appeared, ascending, and the newest position in `dates` known by each."""
        positions = np.arange(len(self.dates))
        if (self.first_start[1:] >= self.first_start[:-1]).all():
            return self.first_start, positions
        order = np.argsort(self.first_start, kind="stable")
        return self.first_start[order], np.maximum.accumulate(positions[order])

    def newest_position(self, as_of: Days) -> Rows:
        """Position in `dates` of the newest observation with a vintage started by each date, or ABSENT."""
        starts, newest = self._appearance
        at = np.searchsorted(starts, as_of, side="right") - 1
        if not len(newest):
            return np.full(as_of.shape, ABSENT)
        return np.where(at >= 0, newest[np.maximum(at, 0)], ABSENT)


def cut(archive: Archive, day: np.datetime64) -> Archive:
    """The vintages the world could know by `day`, and no other row: what begins later is not in it at all."""
    last = np.int64(day.astype("datetime64[D]").astype("int64") + EPOCH)
    return _kept(archive, (archive.key & _START) <= last, archive.value)


def captured_by(captures: Captures, moment: int) -> Captures:
    """What had been captured by a moment (microseconds UTC); `resolve` gives the archive as it was read then."""
    return captures.take(captures.captured <= moment)


def as_revised(archive: Archive) -> Archive:
    """One vintage per observation: known since its first publication, with the value that stands today."""
    observation = archive.key >> BITS
    is_first = np.ones(len(observation), dtype=bool)
    is_first[1:] = observation[1:] != observation[:-1]
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(observation)) - 1
    newest = archive.value.copy()
    newest[first] = archive.value[last]
    return _kept(archive, is_first, newest)


def has_revisions(archive: Archive) -> bool:
    """Whether any observation is held in more than one vintage."""
    observation = archive.key >> BITS
    return bool((observation[1:] == observation[:-1]).any())


def _kept(archive: Archive, keep: np.ndarray, value: np.ndarray) -> Archive:
    key: Rows = archive.key[keep]
    return Archive(
        codes_in(key, archive.codes), key, value[keep], archive.captured[keep], archive.source[keep]
    )
