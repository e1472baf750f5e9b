"""`gold_and_inflation`: how closely gold followed consumer prices, over one year, over ten, and since the start.

Pearson's correlation of changes over the same months, as known on the date. Ten-year changes overlap:
`separate_10y_windows` counts those that share no month. No score reads it.
"""

import numpy as np
import numpy.typing as npt

from assets.compute.lookup import View
from assets.compute.reading import Floats, combine
from assets.compute.tables.assemble import Columns
from assets.compute.tables.money_and_rates import correlation, first_month, measured

GOLD, PRICES = "GOLD_WB_MONTHLY", "CPIAUCSL"
SHORT, LONG = 12, 120  # months of a change


def build(view: View) -> Columns:
    """One row per as-of date; correlations from -1 to 1, multiples of the first month."""
    rules = view.method.gold_and_inflation
    calendar = view.calendar(GOLD)
    calendar = calendar[calendar >= np.datetime64(rules.start, "M")]
    gold, prices = view.panel(GOLD, calendar), view.panel(PRICES, calendar)
    newest = view.same_period([GOLD, PRICES])
    pair = combine(lambda usd, _index: usd, *newest)
    short, long = _changes(gold, prices, SHORT), _changes(gold, prices, LONG)
    start = first_month(calendar, gold, prices)
    multiples = [
        combine(np.divide, now, view.at(series_id, start.astype("datetime64[D]")))
        for now, series_id in zip(newest, (GOLD, PRICES), strict=True)
    ]
    return {
        "gold_cpi_correlation_1y": measured(pair, correlation(*short, None, rules.minimum_months)),
        "gold_cpi_correlation_10y": measured(pair, correlation(*long, None, rules.minimum_months)),
        "separate_10y_windows": _separate(*long),
        "gold_multiple": multiples[0],
        "cpi_multiple": multiples[1],
        "gold_over_cpi_multiple": combine(np.divide, *multiples),
        "history_start_date": start,
    }


def _changes(gold: Floats, prices: Floats, n: int) -> tuple[Floats, Floats]:
    """Ratio of every month to the month `n` earlier, per year; shape (dates, months)."""
    yearly = SHORT / n
    return (gold[:, n:] / gold[:, :-n]) ** yearly, (prices[:, n:] / prices[:, :-n]) ** yearly


def _separate(gold: Floats, prices: Floats) -> npt.NDArray[np.int64]:
    """How many of the long changes share no month with another one."""
    known = ~np.isnan(gold) & ~np.isnan(prices)
    if not known.shape[1]:
        return np.zeros(len(known), dtype="int64")
    span = known.shape[1] - np.argmax(known[:, ::-1], axis=1) - np.argmax(known, axis=1)
    return np.where(known.any(axis=1), (span - 1) // LONG + 1, 0)
