"""Readings out of the archive: latest figures, changes inside one vintage date, ratios of one quarter, daily quotes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assets.catalog.method import Method
from assets.catalog.models import Catalog, PolicyEvent, Series
from assets.compute.archive import ABSENT, SOURCES, Archive, Rows
from assets.compute.calendar import NAT, Days, months_before, period_end, stamp_before
from assets.compute.conditions import percentile
from assets.compute.grid import Grid
from assets.compute.reading import Floats, Reading, absent, is_none, texts

Lag = Callable[[Days], Days]
Accept = Callable[[Rows, Days], Rows]
_LAG_RULE = SOURCES.index("lag_rule")


def months(n: int) -> Lag:
    """The same calendar period `n` months earlier, exact (monthly and quarterly series)."""
    return lambda observations: stamp_before(observations, n)


def weeks(n: int) -> Lag:
    """Exactly `n` weeks earlier (weekly series)."""
    return lambda observations: observations - np.timedelta64(7 * n, "D")


@dataclass(frozen=True)
class View:
    """The archive as seen from every date of a grid, in one profile; `series` holds the profile's catalogue entries."""

    archive: Archive
    as_of: Days
    series: Mapping[str, Series]
    catalog: Catalog

    def __len__(self) -> int:
        return len(self.as_of)

    @property
    def grid(self) -> Grid:
        """The dates as a grid."""
        return Grid(self.as_of)

    @property
    def method(self) -> Method:
        """Parameters of the method."""
        return self.catalog.method

    @property
    def events(self) -> Sequence[PolicyEvent]:
        """The policy ledger, each event with the day it was announced."""
        return self.catalog.policy_events.events

    def rank(self, value: Floats, past: Floats | None = None) -> Floats:
        """Rank of each date's value among those of the month-ends before it, as in `percentile`."""
        return percentile(value, self.grid.is_month_end, self.method.percentile, past)

    def latest(self, series_id: str, accept: Accept | None = None) -> Reading:
        """Newest non-missing figure within the staleness limit; `accept` may refuse some periods."""
        return self.over(series_id, lambda v: v[:, 0], [], accept)

    def change_pct(self, series_id: str, lag: Lag) -> Reading:
        """Percent change over `lag`, both ends as known that day."""
        return self.over(series_id, lambda v: 100.0 * (v[:, 0] / v[:, 1] - 1.0), [lag])

    def difference(self, series_id: str, lag: Lag) -> Reading:
        """Absolute change over `lag`, in the unit of the series, both ends as known that day."""
        return self.over(series_id, lambda v: v[:, 0] - v[:, 1], [lag])

    def over(
        self,
        series_id: str,
        formula: Callable[[Floats], Floats],
        lags: Sequence[Lag],
        accept: Accept | None = None,
    ) -> Reading:
        """`formula` over columns [newest, newest at each lag], all of them needed."""
        if not self.has(series_id):
            return absent(len(self), series_id, self._why_missing(series_id))

        def rows_at(observation: Days) -> Rows:
            newest = self._rows(series_id, observation)
            newest = newest if accept is None else accept(newest, observation)
            return np.stack([newest, *(self._rows(series_id, lag(observation)) for lag in lags)], axis=1)

        rows, reason = self._walk_back(series_id, rows_at)
        return self._from_rows(series_id, rows, formula, reason)

    def at(self, series_id: str, observation: Days) -> Reading:
        """One chosen observation per date, as known on that date; no staleness limit."""
        if not self.has(series_id):
            return absent(len(self), series_id, self._why_missing(series_id))
        rows, reason = self._rows(series_id, observation)[:, None], np.full(len(self), "not_yet_published")
        return self._from_rows(series_id, rows, lambda v: v[:, 0], reason.astype(object))

    def in_force_at(self, series_id: str, dates: Days) -> Reading:
        """Value of a step series that was in force on `dates`, as known on the as-of dates.

        A later row that was not known yet leaves the one before in force.
        """
        known = self.archive.observations(series_id).dates
        if not len(known):
            return self.at(series_id, self.as_of)
        position = np.searchsorted(known, np.minimum(dates, self.as_of), side="right") - 1
        while True:
            observation = np.where(position >= 0, known[np.maximum(position, 0)], NAT)
            unknown = (position >= 0) & (self._rows(series_id, observation) == ABSENT)
            if not unknown.any():
                return self.at(series_id, observation)
            position = np.where(unknown, position - 1, position)

    def quote_before(self, series_id: str, newest: Reading, months: int) -> Reading:
        """Last daily quote in the days up to the calendar date `months` before each newest quote."""
        dates = months_before(newest.observation_date, months)
        back = np.arange(self.method.changes.daily_lookback_days).astype("timedelta64[D]")
        candidates = dates[:, None] - back
        known = ~np.isnan(self.values_at(series_id, candidates))
        last = candidates[np.arange(len(self)), np.argmax(known, axis=1)]
        return self.at(series_id, np.where(known.any(axis=1), last, NAT))

    def window(self, series_id: str, lags: Sequence[Lag]) -> tuple[Floats, Reading]:
        """Values at the newest observation's lags, NaN where one is missing, and the newest figure's reading."""
        newest = self.latest(series_id)
        observations = np.stack([lag(newest.observation_date) for lag in lags], axis=1)
        return self.values_at(series_id, observations), newest

    def same_period(self, series_ids: Sequence[str]) -> list[Reading]:
        """Each series at the newest period for which all of them are known and none is stale."""
        if missing := [s for s in series_ids if not self.archive.has(s)]:
            return [absent(len(self), s, self._why_missing(missing[0])) for s in series_ids]
        lead = series_ids[0]
        rows, reason = self._walk_back(
            lead, lambda observation: np.stack([self._rows(s, observation) for s in series_ids], axis=1)
        )
        return [self._from_rows(s, rows[:, [n]], lambda v: v[:, 0], reason) for n, s in enumerate(series_ids)]

    def panel(self, series_id: str, observations: Days) -> Floats:
        """Every observation as known on every date: shape (dates, observations), NaN where unknown then."""
        return self.values_at(series_id, np.broadcast_to(observations, (len(self), len(observations))))

    def calendar(self, series_id: str) -> Days:
        """Consecutive months from the first observation of a monthly series to its last; none where it is not held."""
        if not self.has(series_id):
            return self.as_of[:0]
        held = self.archive.observations(series_id).dates.astype("datetime64[M]")
        return np.arange(held[0], held[-1] + 1).astype("datetime64[D]")

    def values_at(self, series_id: str, observations: Days) -> Floats:
        """Values of chosen observations, shape (dates, k), NaN where unknown then."""
        rows = self.archive.rows_as_of(series_id, observations, self.as_of[:, None])
        return self.archive.take(self.archive.value, rows, np.nan)

    def _rows(self, series_id: str, observation: Days) -> Rows:
        return self.archive.rows_as_of(series_id, observation, self.as_of)

    def has(self, series_id: str) -> bool:
        """Whether the profile has the series and the archive a vintage of it."""
        return series_id in self.series and self.archive.has(series_id)

    def _walk_back(self, series_id: str, rows_at: Callable[[Days], Rows]) -> tuple[Rows, np.ndarray]:
        """Rows of the newest observation, within the staleness limit, for which `rows_at` finds everything.

        October 2025 was never published: a year later its y/y change has no base, and September's is used.
        """
        observations = self.archive.observations(series_id)
        dates, position = observations.dates, observations.newest_position(self.as_of)
        reason = texts(position < 0, "not_yet_published")
        rows: Rows | None = None
        open_ = position >= 0
        while True:
            observation = np.where(open_, dates[np.maximum(position, 0)], NAT)
            found = rows_at(observation)
            rows = found if rows is None else np.where(open_[:, None], found, rows)
            complete = (rows != ABSENT).all(axis=1)
            stale = open_ & self._is_stale(series_id, observation)
            reason = texts(stale & is_none(reason), "stale", reason)
            rows[stale] = ABSENT
            open_ &= ~complete & ~stale
            # set before stepping back: a base that never existed is not the same as a stale figure
            reason = texts(open_ & is_none(reason), "no_base", reason)
            position = np.where(open_, position - 1, position)
            open_ &= position >= 0
            if not open_.any():
                return rows, reason

    def _is_stale(self, series_id: str, observation: Days) -> np.ndarray:
        series = self.series[series_id]
        age = self.as_of - period_end(observation, series.frequency)
        limit = series.staleness_limit_days  # 0 for none
        return (age > np.timedelta64(limit, "D")) & (limit > 0)

    def _from_rows(
        self, series_id: str, rows: Rows, formula: Callable[[Floats], Floats], reason: np.ndarray
    ) -> Reading:
        complete, a = (rows != ABSENT).all(axis=1), self.archive
        source = np.where(complete, a.take(a.source, rows, 0).max(axis=1), 0).astype("int8")
        return Reading(
            np.where(complete, formula(a.take(a.value, rows, np.nan)), np.nan),
            np.where(complete, a.observation_date(rows[:, 0]), NAT),
            np.where(complete, a.realtime_start(rows).max(axis=1), NAT),
            source,
            (source == _LAG_RULE) & self.series[series_id].is_revisable,
            np.full(len(self), series_id, dtype=object),
            texts(complete, None, reason),
        )

    def _why_missing(self, series_id: str) -> str:
        return "not_held" if series_id in self.series else "not_in_profile"
