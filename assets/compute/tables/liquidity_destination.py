"""`liquidity_destination`: did the liquidity go to asset prices or to goods? Twelve-month changes side by side.

A description of what moved, no cause.
"""

import numpy as np

from assets.compute.calendar import last_month_end, month_end, months_before, value_on
from assets.compute.conditions import Scorer, valuation
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, Texts, combine, percent, splice, texts
from assets.compute.tables import equity
from assets.compute.tables.activity_inflation import change_of_yoy
from assets.compute.tables.assemble import Columns, readings_of
from assets.compute.tables.yields import (
    cpi_yoy,
    nominal_10y,
    nominal_change,
    par_bond_price_change,
    real_change,
)

GOLD, CORE, WAGES = "GOLD_WB_MONTHLY", "PCEPILFE", "CES0500000003"


def build(view: View) -> Columns:
    """One row per as-of date; changes in percent or percentage points."""
    rules = view.method.destination
    n = rules.rolling_months
    gold, core = view.change_pct(GOLD, months(n)), view.change_pct(CORE, months(12))
    core_change = change_of_yoy(view, CORE, n)
    prices = equity.prices(view)
    moves = {
        "equity_real_return_12m_pct": combine(_real, prices.return_12m_pct.selected, cpi_yoy(view)),
        "real_10y_change_12m_pp": real_change(view, n),
        "earnings_multiple_change_12m_pct": equity.multiple_change(view, prices),
        "spread_change_12m_pp": _spread_change(view, n),
        "gold_less_core_inflation_12m_pp": combine(np.subtract, gold, core),
    }
    up, known = signals(*(reading.value for reading in moves.values()))
    real_gold = combine(percent, view.latest(GOLD), view.latest("CPIAUCSL"))
    leadership = _leadership(view, n)
    score = _valuation_change(view)
    return {
        **moves,
        "spread_basis": texts(moves["spread_change_12m_pp"].present, moves["spread_change_12m_pp"].series_ids),
        "asset_signals_up": up,
        "asset_signals_known": known,
        "gold_return_12m_pct": gold,
        "core_pce_yoy_pct": core,
        "core_pce_yoy_change_12m_pp": core_change,
        "wages_yoy_pct": view.change_pct(WAGES, months(12)),
        "destination": destination(up, known, core.value, core_change.value, view),
        "is_equity_at_high": equity.is_at_high(view, prices),
        "valuation_score_change_6m": score,
        "valuation_direction": texts(
            ~np.isnan(score), np.select([score > 0, score < 0], ["rising", "falling"], "steady")
        ),
        "real_gold_usd_per_oz": real_gold,
        "real_gold_usd_per_oz_rank": view.rank(real_gold.value),
        "nasdaq100_relative_return_12m_pct": leadership,
        "is_long_duration_leading": texts(leadership.present, leadership.value >= rules.leadership_pct),
        **_decomposition(view, prices),
    }  # fmt: skip


def signals(
    equity: Floats, real_yield: Floats, multiple: Floats, spread: Floats, gold: Floats
) -> tuple[np.ndarray, np.ndarray]:
    """How many of five changes say that assets were bid up, and how many are known."""
    hotter = np.stack([equity, -real_yield, multiple, -spread, gold])
    known = ~np.isnan(hotter)
    return (known & (hotter > 0)).sum(axis=0), known.sum(axis=0)


def destination(up: np.ndarray, known: np.ndarray, core: Floats, core_change: Floats, view: View) -> Texts:
    """asset_prices, goods, both or neither; None with too few changes known, or without core inflation.

    Asset prices: more than half of the changes known. Goods: core inflation at or above the target, and not lower
    than a year before.
    """
    to_assets = 2 * up > known
    to_goods = (core >= view.method.verdict.inflation_target_pct) & (core_change >= 0)
    named = np.select(
        [to_assets & to_goods, to_assets, to_goods], ["both", "asset_prices", "goods"], "neither"
    )
    enough = (known >= view.method.destination.signals_needed) & ~np.isnan(core) & ~np.isnan(core_change)
    return texts(enough, named)


def _decomposition(view: View, prices: equity.Prices) -> Columns:
    """Three months: nominal yield = real yield + breakeven, next to what stocks and bonds did."""
    rules = view.method.destination
    nominal, real = (change(view, rules.decomposition_months) for change in (nominal_change, real_change))
    breakeven = combine(np.subtract, nominal, real)
    bond = combine(
        lambda now, change: par_bond_price_change(now - change, now, rules.bond_maturity_years),
        nominal_10y(view),
        nominal,
    )
    stock = prices.return_3m_pct.selected
    # a market value months old says nothing of the same three months: the case is then not known
    fresh = view.as_of - month_end(stock.observation_date) <= np.timedelta64(rules.equity_age_days, "D")
    known = nominal.present & breakeven.present & bond.present & stock.present & fresh
    loses = (nominal.value > 0) & (breakeven.value > 0) & (bond.value < 0) & (stock.value < 0)
    return {
        "nominal_10y_change_3m_pp": nominal,
        "real_10y_change_3m_pp": real,
        "breakeven_change_3m_pp": breakeven,
        "bond_price_change_3m_pct": bond,
        "equity_return_3m_pct": stock,
        "is_inflation_hitting_stocks_and_bonds": texts(known, loses),
    }


def _real(nominal_pct: Floats, inflation_pct: Floats) -> Floats:
    return 100.0 * ((1.0 + nominal_pct / 100.0) / (1.0 + inflation_pct / 100.0) - 1.0)


def _spread_change(view: View, n: int) -> Reading:
    """Change of one corporate spread, percentage points: the Fed Board's, Moody's Baa where there is none."""
    newest = view.latest("BAA10Y")
    daily = combine(np.subtract, newest, view.quote_before("BAA10Y", newest, n))
    moodys = splice(daily, view.difference("BAA10YM", months(n)))
    return splice(view.difference("GZ_SPREAD", months(n)), moodys)


def _leadership(view: View, n: int) -> Reading:
    """Return of the NASDAQ-100 relative to the S&P 500 over `n` months, percent, without dividends."""
    growth, broad = view.latest("NASDAQ100"), view.latest("SP500")
    earlier = [view.quote_before(s, r, n) for s, r in (("NASDAQ100", growth), ("SP500", broad))]
    return combine(lambda g, b, g0, b0: 100.0 * ((g / g0) / (b / b0) - 1.0), growth, broad, *earlier)


def _valuation_change(view: View) -> Floats:
    """Valuation score of each date less that of the month-end six months before, each as scored then."""
    readings = readings_of({"equity_risk_premium": equity.equity_risk_premium(view)})
    score = valuation(Scorer(readings, view.grid, view.method)).score
    earlier = last_month_end(months_before(view.as_of, view.method.destination.valuation_months))
    return score - value_on(view.as_of, score, earlier)
