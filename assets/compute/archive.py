"""What was known when: vintages as sorted composite keys, searched and never looped over dates.

A vintage has three times: the period it describes (observation_date), the first day anyone could know it
(realtime_start), and the moment this pipeline stored it (captured_at). `Captures` holds everything ever stored;
`resolve` makes the `Archive`, the vintages that count. The view raw.observations (`warehouse/schema.py`) states the
same rule in SQL, and a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.compute.calendar import NAT, Days, days

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
ABSENT = -1
# strongest to weakest evidence of what was known
SOURCES = ("", "alfred", "rtdsm", "publisher", "captured", "lag_rule")
REAL_VINTAGES = ("alfred", "rtdsm", "publisher")
STORED_SOURCES = (*SOURCES, "retracted")  # stored but not used: the publisher no longer lists this vintage
EPOCH = 719_163  # number of 1970-01-01, 0001-01-01 being 1: every date becomes a positive number below 2**22
BITS = 22
_DATE = (1 << BITS) - 1
_RTDSM, _LAG_RULE, _RETRACTED = (STORED_SOURCES.index(name) for name in ("rtdsm", "lag_rule", "retracted"))
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


def _date(number: Rows) -> Days:
    return (number - EPOCH).astype("datetime64[D]")


def _number(dates: Days) -> Rows:
    return dates.astype("int64") + EPOCH


def _new_observation(key: Rows) -> Flags:
    """Where sorted keys reach the first vintage of another observation."""
    number = key >> BITS
    return np.append(True, number[1:] != number[:-1])[: len(key)]


def _series_in(key: Rows, codes: Mapping[str, int]) -> dict[str, int]:
    """The series that have at least one row in sorted keys, with their codes."""
    limits = np.array([[code, code + 1] for code in codes.values()], dtype="int64").reshape(-1, 2)
    rows = np.diff(np.searchsorted(key, limits << (2 * BITS)), axis=1)[:, 0]
    return {series_id: code for (series_id, code), n in zip(codes.items(), rows, strict=True) if n}


def _span_of(key: Rows, code: int) -> slice:
    """Rows of a series in sorted keys; none for the code -1."""
    first, last = np.searchsorted(key, [code << (2 * BITS), (code + 1) << (2 * BITS)])
    return slice(int(first), int(last))


@dataclass(frozen=True)
class Captures:
    """Everything stored of some series, one entry per capture of a vintage, sorted by key and time of capture."""

    codes: Mapping[str, int]
    key: Rows
    value: npt.NDArray[np.float64]
    captured: Rows  # microseconds UTC
    source: npt.NDArray[np.int8]  # index into STORED_SOURCES

    @classmethod
    def from_frame(cls, vintages: pd.DataFrame) -> Captures:
        """Build from `series_id, observation_date, realtime_start, value, vintage_source, captured_at` (any order)."""
        codes = {series_id: code for code, series_id in enumerate(sorted(vintages["series_id"].unique()))}
        source = vintages["vintage_source"].map({name: n for n, name in enumerate(STORED_SOURCES)})
        return cls.from_keys(
            codes,
            pack(
                vintages["series_id"].map(codes).to_numpy(dtype="int64"),
                days(vintages["observation_date"].to_numpy(dtype="datetime64[s]")),
                days(vintages["realtime_start"].to_numpy(dtype="datetime64[s]")),
            ),
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
        """Build from packed keys (`pack`) in any order; arrays already in order are not copied."""
        same = key[1:] == key[:-1]
        if (key[1:] < key[:-1]).any() or (same & (captured[1:] < captured[:-1])).any():
            order = np.lexsort((captured, key))
            key, value, captured, source = key[order], value[order], captured[order], source[order]
        return cls(codes, key, value, captured, source)

    def __len__(self) -> int:
        return len(self.key)

    def of_series(self, series_id: str) -> slice:
        """Rows of a series; an empty slice for a series without a row."""
        return _span_of(self.key, self.codes.get(series_id, -1))

    def take(self, keep: Flags) -> Captures:
        """Some of the captures, by mask."""
        return Captures(self.codes, self.key[keep], self.value[keep], self.captured[keep], self.source[keep])


def captured_by(captures: Captures, moment: int) -> Captures:
    """What had been captured by a moment (microseconds UTC); `resolve` gives the archive as of that moment."""
    return captures.take(captures.captured <= moment)


def resolve(captures: Captures) -> Archive:
    """The vintages that count (methodology, "Point in time"): one row per key, real vintages first.

    The last capture of a vintage counts, and a retracted vintage is dropped. A `lag_rule` row gives way to the real
    vintages of its observation, except before the first vintage of the series, and before one of rtdsm, which is
    dated later than the publication.
    """
    key = captures.key
    is_last = np.append(key[1:] != key[:-1], True)[: len(key)]
    counts = is_last & (captures.source != _RETRACTED)
    current = captures if counts.all() else captures.take(counts)
    replaced = _replaced_by_real_vintages(current.key, current.source)
    if len(replaced):
        current = current.take(~np.isin(np.arange(len(current)), replaced))
    return Archive(_series_in(current.key, current.codes), current.key, current.value, current.source)


def _replaced_by_real_vintages(key: Rows, source: npt.NDArray[np.int8]) -> Rows:
    """Positions of the `lag_rule` rows that are dropped because their observation has a real vintage."""
    rules = np.flatnonzero(source == _LAG_RULE)
    real = np.flatnonzero(np.isin(source, _REAL)) if len(rules) else rules
    if not len(real):
        return real
    real = real[_new_observation(key[real])]
    key_of_first, is_late = key[real], source[real] == _RTDSM
    number, first = key_of_first >> BITS, key_of_first & _DATE  # series and observation; first vintage
    _, at = np.unique(number >> BITS, return_index=True)
    since = np.repeat(np.minimum.reduceat(first, at), np.diff(np.append(at, len(number))))  # of the series
    found = np.searchsorted(number, key[rules] >> BITS)
    has_real = number[np.minimum(found, len(number) - 1)] == key[rules] >> BITS
    rules, found = rules[has_real], found[has_real]
    start = key[rules] & _DATE
    is_kept = (first[found] == since[found]) & (start < since[found])
    is_kept |= is_late[found] & (start < first[found])
    return rules[~is_kept]


@dataclass(frozen=True)
class Archive:
    """The vintages that count, one entry each, sorted by (series, observation, start).

    `key` packs the three into one number, so that a lookup is one binary search and a vintage costs 17 bytes.
    """

    codes: Mapping[str, int]
    key: Rows
    value: npt.NDArray[np.float64]
    source: npt.NDArray[np.int8]  # index into SOURCES
    _observations: dict[str, _Observations] = field(default_factory=dict, repr=False)

    @classmethod
    def from_frame(cls, vintages: pd.DataFrame) -> Archive:
        """The archive of everything captured, in the columns and types `Captures.from_frame` takes."""
        return resolve(Captures.from_frame(vintages))

    def has(self, series_id: str) -> bool:
        """Whether the archive has any vintage of the series."""
        return series_id in self.codes

    def rows_as_of(self, series_id: str, observations: Days, as_of: Days) -> Rows:
        """Row of each observation as known on each date; ABSENT where unknown then, or published as missing.

        `observations` and `as_of` broadcast.
        """
        observations, as_of = np.broadcast_arrays(observations, as_of)
        if series_id not in self.codes:
            return np.full(observations.shape, ABSENT, dtype="int64")
        span = self._span(series_id)
        prefix = ((self.codes[series_id] << BITS) | _number(observations)) << BITS
        row = span.start + np.searchsorted(self.key[span], prefix | _number(as_of), side="right") - 1
        found = (row >= 0) & (self.key[row] >= prefix) & ~np.isnat(observations)
        found &= ~np.isnan(self.value[row])
        return np.where(found, row, ABSENT)

    def observations(self, series_id: str) -> _Observations:
        """The observation dates of a series with the search tables for its newest one."""
        if series_id not in self._observations:
            key = self.key[self._span(series_id)]
            appeared = key[_new_observation(key)]  # the first vintage of an observation comes first
            dates = _date((appeared >> BITS) & _DATE)
            self._observations[series_id] = _Observations(dates, _date(appeared & _DATE))
        return self._observations[series_id]

    def _span(self, series_id: str) -> slice:
        return _span_of(self.key, self.codes.get(series_id, -1))

    def take(self, values: npt.NDArray, rows: Rows, fill: object) -> npt.NDArray:
        """`values[rows]` with `fill` where a row is ABSENT."""
        if len(values) == 0:
            return np.full(rows.shape, fill, dtype=values.dtype)
        return np.where(rows >= 0, values[rows], np.asarray(fill, dtype=values.dtype))

    def observation_date(self, rows: Rows) -> Days:
        """Period each row describes; NaT where ABSENT."""
        return np.where(rows >= 0, _date((self.take(self.key, rows, 0) >> BITS) & _DATE), NAT)

    def realtime_start(self, rows: Rows) -> Days:
        """First day anyone could know each row; NaT where ABSENT."""
        return np.where(rows >= 0, _date(self.take(self.key, rows, 0) & _DATE), NAT)

    def with_rows_of(self, series_id: str, rows: Archive) -> Archive:
        """The archive with the vintages of one series replaced by `rows`, which may be the first or none."""
        codes = {**self.codes, **rows.codes}
        span = _span_of(self.key, codes.get(series_id, -1))

        def spliced(own: npt.NDArray, others: npt.NDArray) -> npt.NDArray:
            return np.concatenate([own[: span.start], others, own[span.stop :]])

        key = spliced(self.key, rows.key)
        value, source = spliced(self.value, rows.value), spliced(self.source, rows.source)
        return Archive(_series_in(key, codes), key, value, source)

    def kept(self, keep: Flags) -> Archive:
        """The archive of some rows, by mask."""
        key = self.key[keep]
        return Archive(_series_in(key, self.codes), key, self.value[keep], self.source[keep])


@dataclass(frozen=True)
class _Observations:
    """Distinct observation dates of one series, ascending, and the first day each of them was known."""

    dates: Days
    first_start: Days

    @cached_property
    def _appearance(self) -> tuple[Days, Rows]:
        """Days on which something appeared, ascending, and the newest position in `dates` known by each."""
        order = np.argsort(self.first_start, kind="stable")
        return self.first_start[order], np.maximum.accumulate(order)

    def newest_position(self, as_of: Days) -> Rows:
        """Position in `dates` of the newest observation with a vintage started by each date, or ABSENT."""
        starts, newest = self._appearance
        at = np.searchsorted(starts, as_of, side="right") - 1
        return np.append(newest, ABSENT)[at]  # before the first start `at` is -1


def cut(archive: Archive, day: np.datetime64) -> Archive:
    """The vintages the world could know by `day`, and no later row."""
    return archive.kept((archive.key & _DATE) <= _number(day.astype("datetime64[D]")))


def as_revised(archive: Archive) -> Archive:
    """One vintage per observation: today's value, known since the first publication. A withdrawn one stays missing."""
    is_first = _new_observation(archive.key)
    value = archive.value.copy()
    value[is_first] = archive.value[np.append(is_first[1:], True)[: len(value)]]
    return replace(archive, value=value).kept(is_first)


def with_vintage(
    archive: Archive, series_id: str, observation: np.datetime64, start: np.datetime64, value: float
) -> Archive:
    """The archive with one more vintage of a series it has; it replaces one that starts on the same day."""
    code = np.array([archive.codes[series_id]])
    key = pack(code, np.array([observation], "datetime64[D]"), np.array([start], "datetime64[D]"))
    at = int(np.searchsorted(archive.key, key, side="right")[0])
    source = archive.source[max(at - 1, 0)]
    return Archive(
        archive.codes,
        np.insert(archive.key, at, key),
        np.insert(archive.value, at, value),
        np.insert(archive.source, at, source),
    )


def only(archive: Archive, series_ids: Iterable[str]) -> Archive:
    """The vintages of some series."""
    keep = np.zeros(len(archive.key), dtype=bool)
    for series_id in series_ids:
        keep[archive._span(series_id)] = True
    return archive.kept(keep)


def of_series(archive: Archive, series_id: str) -> Archive:
    """The vintages of one series; its codes are those of the archive."""
    span = archive._span(series_id)
    codes = {series_id: archive.codes[series_id]} if archive.has(series_id) else {}
    return Archive(codes, archive.key[span], archive.value[span], archive.source[span])


def dates_of(archive: Archive) -> tuple[Days, Days]:
    """Observation date and start of every vintage."""
    return _date((archive.key >> BITS) & _DATE), _date(archive.key & _DATE)


def revised_series(archive: Archive) -> list[str]:
    """Series of which some observation has had more than one value."""
    same = ~_new_observation(archive.key)[1:]
    revised = same & _unequal(archive.value[1:], archive.value[:-1])
    return list(_series_in(archive.key[1:][revised], archive.codes))


def seen_otherwise(archive: Archive, as_of: Days) -> list[str]:
    """Series for which at least one date sees a figure other than that of the last date.

    For any other series every date sees the same figures in `archive` as in `as_revised`, so that nothing computed
    from them can differ.
    """
    known = cut(archive, as_of[-1])
    key, value = known.key, known.value
    is_last = np.append(_new_observation(key)[1:], True)[: len(key)]
    newest = value[is_last][np.cumsum(is_last) - is_last]
    # the dates that see a vintage are those before the start of the next one
    first = np.searchsorted(as_of, _date(key & _DATE))
    until = np.where(is_last, len(as_of), np.append(first[1:], len(as_of))[: len(key)])
    return list(_series_in(key[_unequal(value, newest) & (first < until)], archive.codes))


def _unequal(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> Flags:
    return (one != other) & ~(np.isnan(one) & np.isnan(other))
