"""The equity price and its own past, on one basis per profile.

Belongs here: Shiller's monthly average of the S&P composite continued with the mean of daily closes (SP500), or the
Z.1 market value of nonfinancial corporate equities (it contains net issuance and is months old; the basis says so).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assets.compute.calendar import Days, month_end, stamp_before
from assets.compute.lookup import View
from assets.compute.reading import Floats, Reading, combine, texts

PRICE, CLOSES = "SHILLER_PRICE", "SP500"
RATIO, VALUE = "NCBEILQ027S_GDP_PCT", "NCBEILQ027S"


@dataclass(frozen=True)
class Prices:
    """Newest price with what it is, its fall from the high and its changes (percent, no dividends)."""

    latest: Reading
    basis: str
    drawdown_pct: Reading
    return_12m_pct: Reading
    return_3m_pct: Reading


def prices(view: View) -> Prices:
    """Newest price of the profile's basis and its past, one per as-of date."""
    if PRICE in view.series:
        return _prices(view, *_index_panel(view), basis="sp_composite")
    if RATIO in view.series:
        ratio, gdp = view.same_period([RATIO, "GDP"])
        latest = combine(lambda pct, bn: pct / 100.0 * bn, ratio, gdp)
        dates = view.archive.observations(RATIO).dates
        panel = view.panel(RATIO, dates) / 100.0 * view.panel("GDP", dates)
        return _prices(view, latest, dates, panel, basis="z1_market_value_usd_bn")
    latest = view.latest(VALUE).map(lambda millions: millions / 1000.0)
    dates = view.archive.observations(VALUE).dates
    return _prices(view, latest, dates, view.panel(VALUE, dates) / 1000.0, basis="z1_market_value_usd_bn")


def price_history(view: View) -> tuple[Days, Floats, str]:
    """Every price of the profile's basis by period, as known on the view's last date, and the basis."""
    if PRICE in view.series:
        _, months, panel = _index_panel(view)
        return months, panel[-1], "sp_composite"
    basis = "z1_market_value_usd_bn"
    if RATIO in view.series:
        dates = view.archive.observations(RATIO).dates
        return dates, view.panel(RATIO, dates)[-1] / 100.0 * view.panel("GDP", dates)[-1], basis
    dates = view.archive.observations(VALUE).dates
    return dates, view.panel(VALUE, dates)[-1] / 1000.0, basis


def _prices(view: View, latest: Reading, dates: Days, panel: Floats, basis: str) -> Prices:
    """`panel`: every observation as known on every date, shape (as-of dates, observations)."""
    if not len(dates):
        return Prices(latest, basis, latest, latest, latest)
    newest = latest.observation_date
    since = np.datetime64(view.method.equity.price_history_start, "D")
    counted = (dates[None, :] >= since) & (dates[None, :] <= newest[:, None])
    high = np.max(np.where(counted & ~np.isnan(panel), panel, -np.inf), axis=1)

    def change(months: int) -> Reading:
        stamp = stamp_before(newest, months)
        at = np.minimum(np.searchsorted(dates, stamp), len(dates) - 1)
        earlier = np.where(dates[at] == stamp, panel[np.arange(len(view)), at], np.nan)
        return latest.map(lambda price: 100.0 * (price / earlier - 1.0))

    return Prices(
        latest,
        basis,
        latest.where(np.isfinite(high), "history_too_short").map(
            lambda price: 100.0 * (price / np.maximum(high, price) - 1.0)
        ),
        change(12),
        change(3),
    )


def _index_panel(view: View) -> tuple[Reading, Days, Floats]:
    """Monthly S&P composite: Shiller's average, for later complete months the mean of the closes known by then."""
    latest = view.latest(PRICE)
    months = view.archive.observations(PRICE).dates
    closes = view.archive.observations(CLOSES).dates if CLOSES in view.series else months[:0]
    all_months = np.unique(np.concatenate([months, closes.astype("datetime64[M]").astype("datetime64[D]")]))
    panel = view.panel(PRICE, all_months)
    if not len(all_months):
        return latest, all_months, panel
    if len(closes):
        panel = np.where(np.isnan(panel), _mean_closes(view, closes, all_months), panel)
    complete = month_end(all_months)[None, :] <= view.as_of[:, None]
    panel = np.where(complete, panel, np.nan)
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
