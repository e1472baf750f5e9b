"""When the next figure of a series is due, by the lag rule alone.

Belongs here: the calendar of releases as the catalogue's lags give it. Does not belong here: real publication dates;
what a shutdown delayed was not known to be late on the day.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from assets.catalog.models import Series
from assets.compute.calendar import NAT, Days, first_publication
from assets.compute.reading import Reading, Texts

_AHEAD_DAYS = 400
_MONTHS = {"M": 1, "Q": 3}
_MONDAY = np.datetime64("1970-01-05", "D")


class Releases:
    """Next due dates of series on every as-of date, worked out once a series."""

    def __init__(self, as_of: Days, series: Mapping[str, Series], readings: Mapping[str, Reading]) -> None:
        self._as_of, self._series = as_of, series
        self._weekly = {i: r for r in readings.values() for i in set(r.series_ids) if "," not in i}
        self._due: dict[str, Days] = {}

    def next_of(self, series_ids: Texts) -> tuple[Days, Texts]:
        """Earliest next release among each row's series (comma-separated), and the series it is of."""
        date = np.full(len(series_ids), NAT)
        name = np.full(len(series_ids), None, dtype=object)
        for ids in {i for i in series_ids if i}:
            rows = series_ids == ids
            for series_id in ids.split(","):
                due = self._due_of(series_id)
                sooner = rows & ~np.isnat(due) & (np.isnat(date) | (due < date))
                date, name[sooner] = np.where(sooner, due, date), series_id
        return date, name

    def _due_of(self, series_id: str) -> Days:
        if series_id not in self._due:
            series = self._series[series_id]
            published = np.sort(first_publication(self._periods(series), series, {}))
            position = np.searchsorted(published, self._as_of, side="right")
            self._due[series_id] = published[np.minimum(position, len(published) - 1)]
        return self._due[series_id]

    def _periods(self, series: Series) -> Days:
        """Stamps of the periods whose figures come out around the grid."""
        first, last = self._as_of[0] - _AHEAD_DAYS, self._as_of[-1] + _AHEAD_DAYS
        if series.frequency in _MONTHS:
            step = _MONTHS[series.frequency]
            months = np.arange(
                first.astype("datetime64[Y]").astype("datetime64[M]"), last.astype("datetime64[M]"), step
            )
            return months.astype("datetime64[D]")
        every_day = np.arange(first, last)
        weekday = (every_day - _MONDAY).astype("int64") % 7
        if series.frequency == "D":
            return every_day[weekday < 5]
        return every_day[weekday == self._weekday(series.series_id)]

    def _weekday(self, series_id: str) -> int:
        """Day its weeks end on, from the figures themselves; Wednesday where none is held."""
        reading = self._weekly.get(series_id)
        held = (
            reading.observation_date[reading.present]
            if reading is not None
            else np.array([], "datetime64[D]")
        )
        return int((held[-1] - _MONDAY).astype("int64") % 7) if len(held) else 2
