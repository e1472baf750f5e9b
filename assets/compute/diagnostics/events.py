"""`event_study` and `event_responses`: what markets did around announcements and label changes, against other months.

An event counts on the day it was known: a decision of the ledger on the day it counts from, a change of label on its
month-end. Before: the last month-end before the day. After: the end of the n-th full month after its month. Changes are
as known on their dates; the months compared with also lie after an event, so ranks and bands are hindsight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.models import PolicyEvent
from assets.compute.calendar import Days
from assets.compute.lookup import View
from assets.compute.reading import EARNINGS, Floats, Reading, Texts, combine, is_none, select, texts
from assets.compute.stance import counts_from
from assets.compute.state import BUBBLE, DEPRESSION, INDETERMINATE
from assets.compute.tables import equity
from assets.compute.tables.yields import nominal_10y, real_10y, tips_10y

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
        for row in _study_rows(measure, horizon, starts, view)
    )


def measures(view: View) -> list[Measure]:
    """Real yield, equity premium over the nominal yield, and price over earnings."""
    real, prices = real_10y(view), equity.prices(view)
    price, index = prices.latest.selected, prices.latest.readings[equity.INDEX]
    reported = equity.earnings_yields(view, prices).readings[_TTM]
    premium = combine(np.subtract, reported, nominal_10y(view))
    multiple = combine(np.divide, price, equity.earnings(view))
    of_real = texts(np.maximum.accumulate(tips_10y(view).present), "tips", "modelled")
    points, of_premium = "percentage points", texts(reported.present, _TTM)
    return [
        Measure("real_10y", points, real, real.observation_date, of_real),
        Measure("erp_vs_nominal_10y", points, premium, index.observation_date, of_premium),
        Measure("earnings_multiple", "percent", multiple, price.observation_date, prices.basis),
    ]


def _study_rows(
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


WINDOWS = (-3, 1, 3, 12)  # full months, before where negative
DRAWS, SEED = 2000, 20261130
BAND = (0.05, 0.95)
GOLD = "GOLD_WB_MONTHLY"
STARTS = (  # name, column of `regime`, label that begins; its end is an event too where `_ENDS` has it
    ("bubble", "condition_state", BUBBLE),
    ("depression", "condition_state", DEPRESSION),
    ("stance_stimulus", "stance", "stimulus"),
    ("stance_tightening", "stance", "tightening"),
)


@dataclass(frozen=True)
class Events:
    """Events of one kind: positions of the month-ends their changes start from. `wait` as in `Measure.changes`."""

    kind: str
    days: list[np.datetime64]
    base: list[int]
    wait: int


def event_responses(view: View, regime: pd.DataFrame) -> pd.DataFrame:
    """Columns of `event_responses`, from a view of month-ends and their rows of `regime`."""
    every = [*_of_ledger(view), *_of_labels(view.as_of, regime)]
    of_markets = [*measures(view), *_prices(view)]
    return pd.DataFrame(
        row
        for events in every
        if events.days
        for measure in of_markets
        for row in _response_rows(events, measure, view)
    )


def _of_ledger(view: View) -> Iterator[Events]:
    """Starts of purchases as in `event_study`; ends of purchases, and starts and ends of the run-off."""
    known = [
        (counts_from(event, view.method.stance.announcement_horizon_days), event)
        for event in view.events
        if event.changes_direction
    ]
    known = sorted((pair for pair in known if pair[0] <= view.as_of[-1]), key=lambda pair: pair[0])
    moves = [(day, was.direction, now.direction) for (_, was), (day, now) in pairwise(known)]
    found = {
        "purchases_start": [day for day, event in known if event.starts_phase],
        "purchases_end": [day for day, was, now in moves if was == 1 and now != 1],
        "run_off_start": [day for day, was, now in moves if was != -1 and now == -1],
        "run_off_end": [day for day, was, now in moves if was == -1 and now != -1],
    }
    for kind, days in found.items():
        yield Events(kind, days, [int(np.searchsorted(view.as_of, day)) - 1 for day in days], wait=1)


def _of_labels(month_ends: Days, regime: pd.DataFrame) -> Iterator[Events]:
    """Month-ends with another label than the one before; none next to a month-end without a score."""
    scored = (regime["condition_state"] != INDETERMINATE).to_numpy()
    for name, column, label in STARTS:
        inside = (regime[column] == label).to_numpy()
        for part, begins in (("start", inside), ("end", ~inside)):
            at = np.flatnonzero(begins[1:] & ~begins[:-1] & scored[1:] & scored[:-1]) + 1
            yield Events(f"{name}_{part}", [*month_ends[at]], [*map(int, at)], wait=0)


def _prices(view: View) -> list[Measure]:
    """Corporate spread, share price and gold."""
    baa, monthly = view.latest("BAA10Y"), view.latest("BAA10YM")
    moodys = select(baa.present, baa, monthly)
    treasury = combine(np.subtract, *view.same_period(["HQMCB10YR", "GS10"]))
    spread = select(moodys.present, moodys, treasury)
    prices, gold = equity.prices(view), view.latest(GOLD)
    price = prices.latest.selected
    basis = texts(spread.present, texts(moodys.present, "baa", "hqm"))
    return [
        Measure("credit_spread", "percentage points", spread, spread.observation_date, basis),
        Measure("equity_price", "percent", price, price.observation_date, prices.basis),
        Measure("gold", "percent", gold, gold.observation_date, texts(gold.present, GOLD)),
    ]


def _response_rows(events: Events, measure: Measure, view: View) -> Iterator[dict[str, Any]]:
    at = np.array(events.base)
    for window in WINDOWS:
        change, reason = _around(measure, view.as_of, window, events.wait)
        own, rng = at[~np.isnan(change[at])], np.random.default_rng(SEED)
        others = ~np.isnan(change)
        others[at] = False
        pools = [np.flatnonzero(others & (measure.basis == measure.basis[i])) for i in own]
        smallest = min((len(pool) for pool in pools), default=0)
        found = change[own] if len(own) else np.full(1, np.nan)
        mean, drawn = found.mean(), np.full(1, np.nan)
        if smallest >= view.method.event_study.minimum_placebos:
            drawn = np.mean([change[rng.choice(pool, DRAWS)] for pool in pools], axis=0)
        low, high = np.quantile(drawn, BAND)
        lower, middle, upper = np.round([low, mean, high], view.method.percentile.value_decimals)
        yield {
            "event": events.kind,
            "measure": measure.name,
            "window_months": window,
            "events": len(at),
            "events_measured": len(own),
            "unit": measure.unit,
            "mean_change": mean,
            "lowest_change": found.min(),
            "highest_change": found.max(),
            "placebo_dates": smallest,
            "placebo_mean_change": drawn.mean(),
            "placebo_low_change": low,
            "placebo_high_change": high,
            "is_outside_band": None if np.isnan(low) else not lower <= middle <= upper,
            "placebo_draws": DRAWS,
            "placebo_seed": SEED,
            "absent_reason": None if len(own) else reason[at[-1]],
            "first_date": events.days[0],
            "last_date": events.days[-1],
        }


def _around(measure: Measure, month_ends: Days, window: int, wait: int) -> tuple[Floats, Texts]:
    """Change after every month-end; over the months that end with it where the window is negative."""
    if window > 0:
        return measure.changes(month_ends, window, wait)
    change, reason = measure.changes(month_ends, -window, 0)
    n = -window
    before: Texts = np.concatenate([texts(np.ones(n, dtype=bool), "before_first_figure"), reason[:-n]])
    return np.concatenate([np.full(n, np.nan), change[:-n]]), before
