"""`event_responses`: what markets did around programmes and label changes, against dates drawn at random.

An event counts on the day it was known: a decision of the ledger on the day it counts from, a change of label on its
month-end. Changes are as known on their dates. The random dates also lie after the events, so the band is hindsight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from assets.compute.calendar import Days
from assets.compute.diagnostics.event_study import Measure, measures
from assets.compute.lookup import View
from assets.compute.reading import Floats, Texts, combine, select, texts
from assets.compute.stance import counts_from
from assets.compute.state import BUBBLE, DEPRESSION, INDETERMINATE
from assets.compute.tables import equity_price

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
        for row in _rows(events, measure, view)
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
    prices, gold = equity_price.prices(view), view.latest(GOLD)
    price = prices.latest.selected
    basis = texts(spread.present, texts(moodys.present, "baa", "hqm"))
    return [
        Measure("credit_spread", "percentage points", spread, spread.observation_date, basis),
        Measure("equity_price", "percent", price, price.observation_date, prices.basis),
        Measure("gold", "percent", gold, gold.observation_date, texts(gold.present, GOLD)),
    ]


def _rows(events: Events, measure: Measure, view: View) -> Iterator[dict[str, Any]]:
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
