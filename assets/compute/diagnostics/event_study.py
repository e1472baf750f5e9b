"""`event_study`: what real yields, the equity premium and multiples did after purchases began, against other months.

The changes are as known on their dates; the placebo months also lie after an event, so the rank is hindsight.
Before: the last month-end before the announcement. After: the end of the n-th full month after its month.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.models import PolicyEvent
from assets.compute.calendar import Days
from assets.compute.lookup import View
from assets.compute.reading import EARNINGS, Floats, Reading, Texts, combine, is_none, texts
from assets.compute.tables import equity_price, equity_risk_premium
from assets.compute.tables.real_yields import nominal_10y, real_10y, tips_10y

_TTM = EARNINGS[0]


@dataclass(frozen=True)
class Measure:
    """A figure at month-ends. `dated`: first day its price describes. `basis`: the same at both ends."""

    name: str
    unit: str
    figure: Reading
    dated: Days
    basis: Texts

    def changes(self, month_ends: Days, horizon: int, wait: int = 1) -> tuple[Floats, Texts]:
        """Change from every month-end to the end of the `horizon`-th full month after the next one; or why none.

        `wait`: months from the month-end to the end of the month of the event, 0 where it falls on the month-end.
        """
        n, gap = len(month_ends), horizon + wait
        after = np.minimum(np.arange(n) + gap, n - 1)
        announced_by = month_ends[np.minimum(np.arange(n) + wait, n - 1)]
        before, later = self.figure.value, self.figure.value[after]
        change = later - before if self.unit == "percentage points" else 100.0 * (later / before - 1.0)
        reason = texts(self.dated[after] <= announced_by, "no_later_figure")
        reason = texts(self.basis != self.basis[after], "basis_changed", reason)
        reason = texts(np.isnan(later), self.figure.absent_reason[after], reason)
        reason = texts(np.isnan(before), self.figure.absent_reason, reason)
        reason = texts(np.arange(n) + gap >= n, "horizon_not_over", reason)
        return np.where(is_none(reason), change, np.nan), reason


def event_study(view: View) -> pd.DataFrame:
    """Columns of `event_study`, from a view of month-ends: one row per start, measure and horizon."""
    starts = [e for e in view.events if e.starts_phase and np.datetime64(e.announced_on) <= view.as_of[-1]]
    return pd.DataFrame(
        row
        for measure in measures(view)
        for horizon in view.method.event_study.horizons_months
        for row in _rows(measure, horizon, starts, view)
    )


def measures(view: View) -> list[Measure]:
    """Real yield, equity premium over the nominal yield, and price over earnings."""
    real, prices = real_10y(view), equity_price.prices(view)
    price, index = prices.latest.selected, prices.latest.readings[equity_price.INDEX]
    reported = equity_risk_premium.earnings_yields(view, prices).readings[_TTM]
    premium = combine(np.subtract, reported, nominal_10y(view))
    multiple = combine(np.divide, price, equity_risk_premium.earnings(view))
    of_real = texts(np.maximum.accumulate(tips_10y(view).present), "tips", "modelled")
    points, of_premium = "percentage points", texts(reported.present, _TTM)
    return [
        Measure("real_10y", points, real, real.observation_date, of_real),
        Measure("erp_vs_nominal_10y", points, premium, index.observation_date, of_premium),
        Measure("earnings_multiple", "percent", multiple, price.observation_date, prices.basis),
    ]


def _rows(
    measure: Measure, horizon: int, starts: Sequence[PolicyEvent], view: View
) -> Iterator[dict[str, Any]]:
    month_ends, rules = view.as_of, view.method.event_study
    change, reason = measure.changes(month_ends, horizon)
    announced = np.array([e.announced_on for e in starts], dtype="datetime64[D]")
    placebo = ~np.isnan(change) & ~_has_start(month_ends, horizon + 1, announced)
    for event, day in zip(starts, announced, strict=True):
        at = int(np.searchsorted(month_ends, day)) - 1  # the last month-end before the day
        others = change[placebo & (measure.basis == measure.basis[at])]
        decimals = view.method.percentile.value_decimals
        own, other = np.round(change[at], decimals), np.round(others, decimals)
        is_ranked = not np.isnan(own) and len(other) >= rules.minimum_placebos
        rank = ((other < own).sum() + 0.5 * (other == own).sum()) / len(other) if is_ranked else np.nan
        after = at + horizon + 1
        yield {
            "phase": event.starts_phase,
            "announced_on": day,
            "measure": measure.name,
            "horizon_months": horizon,
            "unit": measure.unit,
            "before_date": month_ends[at],
            "after_date": month_ends[after] if after < len(month_ends) else np.datetime64("NaT"),
            "change": change[at],
            "absent_reason": reason[at],
            "placebo_count": len(other),
            "placebo_median_change": np.median(others) if len(others) else np.nan,
            "change_rank": rank,
            "placebos_until_date": month_ends[-1],
        }


def _has_start(month_ends: Days, gap: int, announced: Days) -> npt.NDArray[np.bool_]:
    """Whether purchases were announced between a month-end and the one `gap` later."""
    until = month_ends[np.minimum(np.arange(len(month_ends)) + gap, len(month_ends) - 1)]
    within = (announced > month_ends[:, None]) & (announced <= until[:, None])
    return np.asarray(within.any(axis=1))
