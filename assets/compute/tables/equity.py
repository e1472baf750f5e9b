"""`equity_risk_premium`: earnings yield, premia over nominal and real Treasuries, equity value, price and its past.

Prices are on several bases: each date uses the one whose price is the newest, and its own past. Earnings by what is
held, date by date: four-quarter reported earnings (Shiller) where they are known and not stale, else national-accounts
profits over the market value of equities. Every basis keeps its own column on all dates, since a rank is taken inside
one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from assets.compute.archive import ABSENT, Rows
from assets.compute.calendar import NAT, Days, month_end, period_end, stamp_before
from assets.compute.lookup import View
from assets.compute.reading import (
    EARNINGS,
    PRICES,
    Bases,
    Floats,
    Reading,
    Texts,
    absent,
    billions,
    combine,
    percent,
    texts,
)
from assets.compute.tables.assemble import Columns
from assets.compute.tables.yields import nominal_10y, real_10y

PRICE, CLOSES, BROAD = "SHILLER_PRICE", "SP500", "SPASTT01USM661N"
RATIO, VALUE = "NCBEILQ027S_GDP_PCT", "NCBEILQ027S"
INDEX, SHARES, MARKET_VALUE = PRICES
Panel = tuple[Reading, Days, Floats]  # newest price; every period, and its price as known on every date


@dataclass(frozen=True)
class Basis:
    """One way to a price. `label`: what a row says it is."""

    name: str
    label: str
    frequency: Literal["M", "Q"]
    panel: Callable[[View], Panel]
    series: tuple[str, ...]  # any one is enough

    def is_held(self, view: View) -> bool:
        """Whether there are figures of it."""
        return any(map(view.has, self.series))


@dataclass(frozen=True)
class Prices:
    """Newest price, its fall from the high and its changes (percent, no dividends), each inside one basis."""

    latest: Bases
    drawdown_pct: Bases
    return_12m_pct: Bases
    return_3m_pct: Bases
    period_end: Days  # last day of the month or quarter of the newest price

    @property
    def basis(self) -> np.ndarray:
        """What the price of each date is; None where there is none."""
        return np.array([LABELS.get(name) for name in self.latest.names], dtype=object)


def is_at_high(view: View, prices: Prices) -> Texts:
    """Whether the price is at its high; None without a price."""
    drawdown = prices.drawdown_pct.selected
    return texts(drawdown.present, drawdown.value > view.method.equity.at_high_drawdown_pct)


def prices(view: View) -> Prices:
    """Newest price of every date and its past on the same basis: of the bases held, the newest period end wins."""
    of = {basis.name: _prices(view, *basis.panel(view)) for basis in BASES}
    latest = {name: parts[0] for name, parts in of.items()}
    ends = np.stack([period_end(latest[b.name].observation_date, b.frequency) for b in BASES])
    ends = np.where([latest[b.name].present for b in BASES], ends, NAT)
    known = ~np.isnat(ends)
    newest = np.where(known, ends.astype("int64"), np.iinfo(np.int64).min).argmax(axis=0)
    used = np.where(known.any(axis=0), newest, len(BASES) - 1)
    price, drawdown, year, quarter = (
        Bases({name: parts[n] for name, parts in of.items()}, used) for n in range(4)
    )
    return Prices(price, drawdown, year, quarter, ends[used, np.arange(len(view))])


def price_history(view: View) -> tuple[Days, Floats, Basis]:
    """Every price by period, as known on the view's last date, on the first basis held (the last one if none is)."""
    basis = next((basis for basis in BASES if basis.is_held(view)), BASES[-1])
    _, dates, panel = basis.panel(view)
    return dates, panel[-1], basis


def _shares_panel(view: View) -> Panel:
    """Monthly average of the OECD's share price index, a broad exchange composite."""
    dates = view.archive.observations(BROAD).dates if BROAD in view.series else view.as_of[:0]
    return view.latest(BROAD), dates, view.panel(BROAD, dates)


def _market_value_panel(view: View) -> Panel:
    """Z.1 market value, billions of dollars: as published, or the published ratio times its own quarter's GDP."""
    if RATIO in view.series:
        ratio, gdp = view.same_period([RATIO, "GDP"])
        dates = view.archive.observations(RATIO).dates
        panel = view.panel(RATIO, dates) / 100.0 * view.panel("GDP", dates)
        return combine(lambda pct, bn: pct / 100.0 * bn, ratio, gdp), dates, panel
    dates = view.archive.observations(VALUE).dates
    return (
        view.latest(VALUE).map(lambda millions: millions / 1000.0),
        dates,
        view.panel(VALUE, dates) / 1000.0,
    )


def _prices(
    view: View, latest: Reading, dates: Days, panel: Floats
) -> tuple[Reading, Reading, Reading, Reading]:
    """Newest price, drawdown, change over twelve and over three months, on one basis."""
    if not len(dates):
        return latest, latest, latest, latest
    newest = latest.observation_date
    since = np.datetime64(view.method.equity.price_history_start, "D")
    counted = (dates[None, :] >= since) & (dates[None, :] <= newest[:, None])
    high = np.max(np.where(counted & ~np.isnan(panel), panel, -np.inf), axis=1)

    def change(months: int) -> Reading:
        stamp = stamp_before(newest, months)
        at = np.minimum(np.searchsorted(dates, stamp), len(dates) - 1)
        earlier = np.where(dates[at] == stamp, panel[np.arange(len(view)), at], np.nan)
        return latest.map(lambda price: 100.0 * (price / earlier - 1.0))

    return (
        latest,
        latest.where(np.isfinite(high), "history_too_short").map(
            lambda price: 100.0 * (price / np.maximum(high, price) - 1.0)
        ),
        change(12),
        change(3),
    )


def _index_panel(view: View) -> Panel:
    """Monthly S&P composite: Shiller's average, for later complete months the mean of the closes known by then.

    Closes continue the average month after month and never stand alone, nor after a month without either: a provider
    serves ten years of them, and a high or a year-ago price could lie in the gap.
    """
    if not view.has(PRICE):
        no_dates = view.as_of[:0]
        return view.latest(PRICE), no_dates, np.empty((len(view), 0))
    latest = view.latest(PRICE)
    months = view.archive.observations(PRICE).dates
    closes = view.archive.observations(CLOSES).dates if CLOSES in view.series else months[:0]
    newest_month = np.max(np.concatenate([months[-1:], closes[-1:]])).astype("datetime64[M]")
    all_months = np.arange(months[0].astype("datetime64[M]"), newest_month + 1).astype("datetime64[D]")
    panel = view.panel(PRICE, all_months)
    position = np.arange(len(all_months))
    last_average = np.max(np.where(np.isnan(panel), -1, position), axis=1, keepdims=True)
    if len(closes):
        panel = np.where(np.isnan(panel), _mean_closes(view, closes, all_months), panel)
    complete = month_end(all_months)[None, :] <= view.as_of[:, None]
    panel = np.where(complete, panel, np.nan)
    gap = np.isnan(panel) & (position > last_average)
    panel = np.where(np.logical_or.accumulate(gap, axis=1), np.nan, panel)
    known = ~np.isnan(panel)
    newest = np.where(known.any(axis=1), panel.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), 0)
    rows = np.arange(len(view))
    later = known.any(axis=1) & ~(all_months[newest] <= latest.observation_date)
    if later.any() and len(closes):
        quote = view.latest(CLOSES)
        later &= quote.present
        latest = replace(
            latest,
            value=np.where(later, panel[rows, newest], latest.value),
            observation_date=np.where(later, all_months[newest], latest.observation_date),
            available_on=np.where(
                later, np.minimum(month_end(all_months[newest]), quote.available_on), latest.available_on
            ),
            source=np.where(later, quote.source, latest.source).astype("int8"),
            series_ids=np.where(later, CLOSES, latest.series_ids),
            absent_reason=texts(later, None, latest.absent_reason),
        )
    return latest, all_months, panel


def _mean_closes(view: View, closes: Days, all_months: Days) -> Floats:
    quotes = view.panel(CLOSES, closes)
    starts = np.searchsorted(closes, all_months)
    ends = np.searchsorted(closes, month_end(all_months), side="right")
    total = np.concatenate([np.zeros((len(view), 1)), np.nancumsum(quotes, axis=1)], axis=1)
    count = np.concatenate([np.zeros((len(view), 1)), np.cumsum(~np.isnan(quotes), axis=1)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Floats = (total[:, ends] - total[:, starts]) / (count[:, ends] - count[:, starts])
    return mean


BASES = (
    Basis(INDEX, "sp_composite", "M", _index_panel, (PRICE,)),
    Basis(SHARES, "oecd_shares", "M", _shares_panel, (BROAD,)),
    Basis(MARKET_VALUE, "z1_market_value_usd_bn", "Q", _market_value_panel, (RATIO, VALUE)),
)
LABELS = {basis.name: basis.label for basis in BASES}


REPORTED = "SHILLER_EARNINGS"  # quarter-end months only: the sheet interpolates the others
_YEAR = 12  # months
_TTM, _NIPA = EARNINGS


def _yield_of_ratio(earned: Floats, ratio_pct: Floats, gdp_bn: Floats) -> Floats:
    return 100.0 * earned / (ratio_pct / 100.0 * gdp_bn)


def _yield_of_value(earned: Floats, value_mn: Floats) -> Floats:
    return 100.0 * earned / billions(value_mn)


def reported_earnings(view: View) -> Reading:
    """Four-quarter reported earnings of the newest quarter-end month known, index points."""

    def only_quarter_ends(rows: Rows, observation: Days) -> Rows:
        return np.where((observation.astype("datetime64[M]").astype("int64") % 3) == 2, rows, ABSENT)

    return view.latest(REPORTED, accept=only_quarter_ends)


def earnings(view: View) -> Reading:
    """Reported earnings where the profile has them, else profits of the national accounts: only changes compare."""
    return reported_earnings(view) if REPORTED in view.series else view.latest(_profits(view))


def cape(view: View, price: Reading) -> Reading:
    """Price over ten years of quarter-end earnings in CPI of the newest known month (Campbell, Shiller 1988)."""
    if REPORTED not in view.series:
        return absent(len(view), REPORTED, "not_in_profile")
    newest, cpi = reported_earnings(view), view.latest("CPIAUCSL")
    quarters = np.stack(
        [stamp_before(newest.observation_date, 3 * n) for n in range(view.method.equity.cape_quarters)],
        axis=1,
    )
    nominal = view.values_at(REPORTED, quarters)
    deflator = view.values_at("CPIAUCSL", quarters)
    real: Floats = nominal * cpi.value[:, None] / deflator
    mean = real.mean(axis=1)  # NaN as soon as one quarter is missing: no shorter average in its place
    return combine(lambda p, _e, _c: p / mean, price, newest, cpi)


def _yield_nipa(view: View) -> tuple[tuple[str, ...], Callable[..., Floats]]:
    """Series of profits and of the market value of equities, and the earnings yield of their values."""
    profits = _profits(view)
    return (
        ((profits, RATIO, "GDP"), _yield_of_ratio)
        if RATIO in view.series
        else ((profits, VALUE), _yield_of_value)
    )


def equity_value_gdp(view: View) -> Reading:
    """Market value of nonfinancial corporate equities over nominal GDP of the same quarter, percent."""
    if RATIO in view.series:
        return view.latest(RATIO)
    return combine(lambda mn, bn: billions(mn) / bn * 100.0, *view.same_period([VALUE, "GDP"]))


def earnings_yield_nipa(view: View) -> Reading:
    """After-tax corporate profits over the market value of equities, same quarter, percent.

    Domestic profits (NFCPATAX) where they are held, else those of all corporations (CP), one of them on every date: its
    rank is used, its level is not comparable with an index's earnings yield.
    """
    names, formula = _yield_nipa(view)
    return combine(formula, *view.same_period(names))


def earnings_yields(view: View, prices: Prices) -> Bases:
    """Earnings yield of every basis, percent, and the one each date uses. Reported earnings are over the index."""
    reported = absent(len(view), REPORTED, "not_in_profile")
    if REPORTED in view.series:
        reported = combine(percent, reported_earnings(view), prices.latest.readings[INDEX])
    return Bases.first_present({_TTM: reported, _NIPA: earnings_yield_nipa(view)})


def multiple_change(view: View, prices: Prices) -> Reading:
    """Change of price over earnings in a year, percent, on the earnings basis of each date; both ends as known."""
    changes = {
        _TTM: _reported_multiple_change(view, prices.return_12m_pct.readings[INDEX]),
        _NIPA: _nipa_multiple_change(view),
    }
    return Bases(changes, earnings_yields(view, prices).used).selected


def _reported_multiple_change(view: View, price_change_pct: Reading) -> Reading:
    newest = reported_earnings(view)
    before = view.at(REPORTED, stamp_before(newest.observation_date, _YEAR))
    return combine(
        lambda p, e, e0: 100.0 * ((1.0 + p / 100.0) / (e / e0) - 1.0), price_change_pct, newest, before
    )


def _nipa_multiple_change(view: View) -> Reading:
    now = earnings_yield_nipa(view)
    then = stamp_before(now.observation_date, _YEAR)
    names, formula = _yield_nipa(view)
    before = combine(formula, *(view.at(series_id, then) for series_id in names))
    return combine(lambda e, e0: 100.0 * (e0 / e - 1.0), now, before)


def _profits(view: View) -> str:
    return "NFCPATAX" if view.has("NFCPATAX") else "CP"


def _on_bases(name: str, unit: str, bases: Bases) -> Columns:
    """A column for every basis, and the one of the basis each date uses."""
    each: Columns = {f"{name}_{basis}_{unit}": reading for basis, reading in bases.readings.items()}
    return each | {f"{name}_{unit}": bases.selected}


def equity_risk_premium(view: View) -> Columns:
    """One row per as-of date; yields in percent, premia in percentage points, price in the unit of its basis."""
    price, nominal, real = prices(view), nominal_10y(view), real_10y(view)
    earnings = earnings_yields(view, price)
    over_nominal = earnings.map(lambda yield_: combine(np.subtract, yield_, nominal))
    over_real = earnings.map(lambda yield_: combine(np.subtract, yield_, real))
    return {
        **_on_bases("earnings_yield", "pct", earnings),
        "earnings_yield_basis": earnings.names,
        **_on_bases("erp_vs_nominal_10y", "pp", over_nominal),
        **_on_bases("erp_vs_real_10y", "pp", over_real),
        "equity_value_pct_gdp": equity_value_gdp(view),
        "cape": cape(view, price.latest.readings[INDEX]),
        "equity_price": price.latest.selected,
        "equity_price_basis": price.basis,
        "equity_price_date": price.period_end.astype("datetime64[s]"),
        "equity_drawdown_pct": price.drawdown_pct.selected,
        **_on_bases("equity_return_12m", "pct", price.return_12m_pct),
        "is_equity_at_high": is_at_high(view, price),
    }
