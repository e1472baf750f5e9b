"""Daily quotes on chosen days: the last one in the days up to each date.

Belongs here: the earlier end of a daily change (methodology, "Point in time"), and the change between two such days.
Does not belong here: monthly and weekly series, whose earlier end is an exact period (`lookup.py`).
"""

from __future__ import annotations

import numpy as np

from assets.compute.calendar import NAT, Days, months_before
from assets.compute.lookup import View
from assets.compute.reading import Reading


def quote_on(view: View, series_id: str, dates: Days) -> Reading:
    """Last quote in the days up to each of `dates` (one per as-of date), as known on the as-of dates."""
    back = np.arange(view.method.changes.daily_lookback_days).astype("timedelta64[D]")
    candidates = dates[:, None] - back
    known = ~np.isnan(view.values_at(series_id, candidates))
    newest = candidates[np.arange(len(view)), np.argmax(known, axis=1)]
    return view.at(series_id, np.where(known.any(axis=1), newest, NAT))


def quote_before(view: View, series_id: str, newest: Reading, months: int) -> Reading:
    """Last quote in the days up to the calendar date `months` before each newest quote."""
    return quote_on(view, series_id, months_before(newest.observation_date, months))
