"""The equity price and its own past, on several bases: each date uses the one whose price is the newest."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from assets.compute.calendar import NAT, Days, month_end, period_end, stamp_before
from assets.compute.lookup import View
from assets.compute.reading import PRICES, Bases, Floats, Reading, Texts, combine, texts

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
