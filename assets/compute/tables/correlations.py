"""`money_and_rates` and `gold_and_inflation`: how weakly money and the short real rate, gold and prices go together.

Correlations are Pearson's, over the months known on the as-of date, each in the figures known then: a contemporaneous
co-movement, no cause and no lag. Ten-year changes overlap: `separate_10y_windows` counts those that share no month. No
score reads them.
"""

import numpy as np
import numpy.typing as npt

from assets.compute.calendar import Days
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, combine
from assets.compute.tables.assemble import Columns
from assets.compute.tables.yields import cpi_yoy

MONEY, BILLS, EFFECTIVE, PRICES = "M2SL", "TB3MS", "FEDFUNDS", "CPIAUCSL"
_YEAR = 12


def money_and_rates(view: View) -> Columns:
    """One row per as-of date; growth and rates in percent, correlations from -1 to 1."""
    money, short, cpi = view.change_pct(MONEY, months(_YEAR)), view.latest(BILLS), cpi_yoy(view)
    real = combine(np.subtract, short, cpi)
    rules = view.method.money_and_rates
    calendar, growth, inflation = _panels(view)
    against_bills = view.panel(BILLS, calendar) - inflation
    against_funds = view.panel(EFFECTIVE, calendar) - inflation
    rolling = correlation(growth, against_bills, rules.correlation_months, rules.correlation_minimum_months)
    since_start = correlation(growth, against_bills, None, rules.correlation_minimum_months)
    with_funds = correlation(growth, against_funds, None, rules.correlation_minimum_months)
    pair = combine(lambda m, _r: m, money, real)
    funds = combine(lambda m, _f, _c: m, money, view.latest(EFFECTIVE), cpi)
    return {
        "m2_usd_bn": view.latest(MONEY),
        "m2_yoy_pct": money,
        "monetary_base_yoy_pct": view.change_pct("BOGMBASE", months(_YEAR)),
        "short_rate_pct": short,
        "cpi_yoy_pct": cpi,
        "real_short_rate_pct": real,
        "m2_real_rate_correlation_10y": measured(pair, rolling),
        "m2_real_rate_correlation_full": measured(pair, since_start),
        "m2_real_fed_funds_correlation_full": measured(funds, with_funds),
        "correlation_start_date": first_month(calendar, growth, against_bills),
    }


def correlation(x: Floats, y: Floats, window: int | None, minimum: int) -> Floats:
    """Pearson's correlation of each row's pairs, in the `window` columns up to its newest pair (None: in all).

    `x` and `y`: shape (dates, consecutive months), NaN where unknown. NaN with fewer than `minimum` pairs.
    """
    known = ~np.isnan(x) & ~np.isnan(y)
    n = x.shape[1]
    if window is not None and n:
        newest = np.where(known.any(axis=1), n - 1 - np.argmax(known[:, ::-1], axis=1), -1)
        known &= np.arange(n)[None, :] > newest[:, None] - window
    count = known.sum(axis=1)
    a, b = _centred(x, known, count), _centred(y, known, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        r: Floats = _total(a * b) / np.sqrt(_total(a**2) * _total(b**2))
    return np.where(count < minimum, np.nan, np.clip(r, -1.0, 1.0))


def _centred(values: Floats, known: npt.NDArray[np.bool_], count: npt.NDArray[np.int64]) -> Floats:
    held = np.where(known, values, 0.0)
    mean = _total(held) / np.maximum(count, 1)
    return np.where(known, held - mean[:, None], 0.0)


def _total(values: Floats) -> Floats:
    """Sum of every row, added from left to right: numpy's own sum changes its last digit when columns are appended.

    A row of the past must not change when a later month arrives.
    """
    return np.cumsum(values, axis=1)[:, -1] if values.shape[1] else np.zeros(len(values))


def _panels(view: View) -> tuple[Days, Floats, Floats]:
    """Consecutive months with money, and growth of money and prices over a year in each, as known on each date."""
    calendar = view.calendar(MONEY)
    if not len(calendar):
        none = np.empty((len(view), 0))
        return calendar, none, none
    return calendar, _yoy(view, MONEY, calendar), _yoy(view, PRICES, calendar)


def _yoy(view: View, series_id: str, calendar: Days) -> Floats:
    first = calendar[0].astype("datetime64[M]")
    longer = np.arange(first - _YEAR, first + len(calendar)).astype("datetime64[D]")
    level = view.panel(series_id, longer)
    return 100.0 * (level[:, _YEAR:] / level[:, :-_YEAR] - 1.0)


def measured(inputs: Reading, value: Floats) -> Reading:
    """The correlation with the provenance of the newest figures in it."""
    known = ~np.isnan(value)
    return inputs.map(lambda _: np.where(known, value, 0.0)).where(known, "history_too_short")


def first_month(calendar: Days, x: Floats, y: Floats) -> npt.NDArray[np.datetime64]:
    """First of the months in which both are known, on every date; NaT for none."""
    known = ~np.isnan(x) & ~np.isnan(y)
    if not len(calendar):
        return np.full(len(x), np.datetime64("NaT", "s"))
    first = calendar[np.argmax(known, axis=1)]
    return np.where(known.any(axis=1), first, np.datetime64("NaT", "D")).astype("datetime64[s]")


GOLD, PRICES = "GOLD_WB_MONTHLY", "CPIAUCSL"
SHORT, LONG = 12, 120  # months of a change


def gold_and_inflation(view: View) -> Columns:
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
