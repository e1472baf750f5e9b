"""What three assets returned after each regime: a description of few spells in one history, not a forecast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.method import ForwardReturns
from assets.compute.calendar import Days, period_end, value_on
from assets.compute.lookup import View
from assets.compute.reading import Floats, Texts
from assets.compute.state import INDETERMINATE, spells
from assets.compute.tables.equity import price_history

YIELD, GOLD = "GS10", "GOLD_WB_MONTHLY"
_TENOR_YEARS = 10.0
_PERIODS = 2  # coupons a year


@dataclass(frozen=True)
class AssetPath:
    """Level of one asset at month-ends, NaN where there is none. `basis` names what the level is."""

    name: str
    basis: str
    level: Floats
    months_between: int  # usual distance of two levels


@dataclass(frozen=True)
class Spell:
    """An unbroken run of one label; positions among the month-ends. The last one is open."""

    regime: str
    first: int
    last: int
    is_open: bool


def returns_by_regime(label: Texts, paths: Sequence[AssetPath], rules: ForwardReturns) -> pd.DataFrame:
    """Columns of `forward_returns`: over all month-ends of every regime, per asset and horizon."""
    runs = spells_of(label)
    return pd.DataFrame(
        row
        for path in paths
        for horizon in rules.horizons_months
        for row in _of_horizon(path, horizon, label, runs, rules)
    )


def returns_by_spell(
    month_ends: Days, label: Texts, paths: Sequence[AssetPath], rules: ForwardReturns
) -> pd.DataFrame:
    """Columns of `forward_returns_by_spell`: from the first month-end of every spell, per asset and horizon."""
    return pd.DataFrame(
        {
            "regime": spell.regime,
            "spell_start_date": month_ends[spell.first],
            "spell_end_date": month_ends[spell.last],
            "is_open": spell.is_open,
            "spell_month_ends": spell.last - spell.first + 1,
            "asset": path.name,
            "horizon_months": horizon,
            "asset_basis": path.basis,
            "return_pct": forward(path.level, horizon)[spell.first],
        }
        for spell in spells_of(label)
        for path in paths
        for horizon in rules.horizons_months
    )


def spells_of(label: Texts) -> list[Spell]:
    """Runs of equal labels, without those that have no score."""
    return [
        Spell(str(label[first]), first, last, last == len(label) - 1)
        for first, last in spells(label)
        if label[first] != INDETERMINATE
    ]


def forward(level: Floats, horizon: int) -> Floats:
    """Percent change from each month-end to the one `horizon` months later; NaN where one of them has no level."""
    ahead = np.full(len(level), np.nan)
    ahead[: max(len(level) - horizon, 0)] = level[horizon:]
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = 100.0 * (ahead / level - 1.0)
    return result


def _of_horizon(
    path: AssetPath, horizon: int, label: Texts, runs: Sequence[Spell], rules: ForwardReturns
) -> Iterator[dict[str, Any]]:
    returns = forward(path.level, horizon)
    measured = ~np.isnan(returns) & (label != INDETERMINATE)
    sample: np.ndarray | None = None  # drawn once, and only where some regime has spells enough
    for name in sorted({spell.regime for spell in runs}):
        of_regime, member = [s for s in runs if s.regime == name], measured & (label == name)
        closed = sum(bool(member[s.first : s.last + 1].any()) for s in of_regime if not s.is_open)
        found, low, high = returns[member], np.nan, np.nan
        if closed >= rules.minimum_closed_spells:
            if sample is None:
                sample = drawn(int(measured.sum()), horizon / path.months_between, rules)
            low, high = _interval(returns[measured][sample], member[measured][sample], rules)
        yield {
            "regime": name,
            "asset": path.name,
            "horizon_months": horizon,
            "spells": len(of_regime),
            "closed_spells": sum(not s.is_open for s in of_regime),
            "closed_spells_measured": closed,
            "month_ends_measured": len(found),
            "overlapping_month_ends": len(found) - _apart(np.flatnonzero(member), horizon),
            "asset_basis": path.basis,
            "mean_return_pct": found.mean() if len(found) else np.nan,
            "median_return_pct": np.median(found) if len(found) else np.nan,
            "lowest_return_pct": found.min() if len(found) else np.nan,
            "highest_return_pct": found.max() if len(found) else np.nan,
            "interval_low_pct": low,
            "interval_high_pct": high,
        }


def _apart(positions: np.ndarray, horizon: int) -> int:
    """The largest number of windows of that length that share no month."""
    count, free_from = 0, -1
    for position in positions:
        if position >= free_from:
            count, free_from = count + 1, position + horizon
    return count


def drawn(periods: int, block: float, rules: ForwardReturns) -> np.ndarray:
    """Positions of month-ends or years, resampled in blocks, shape (draws, periods).

    Stationary bootstrap (Politis and Romano 1994): blocks of random length, its mean the horizon, so that windows that
    share months stay together.
    """
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(max(round(block), 1), np.arange(periods), seed=rules.bootstrap_seed)
    return np.stack([data[0] for data, _ in bootstrap.bootstrap(rules.bootstrap_draws)])


def _interval(returns: Floats, inside: np.ndarray, rules: ForwardReturns) -> tuple[float, float]:
    """Interval of a regime's mean return, from resampled month-ends and whether each is in the regime."""
    count, tail = inside.sum(axis=1), (1.0 - rules.interval_level) / 2.0
    means = (returns * inside).sum(axis=1)[count > 0] / count[count > 0]
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)


def asset_paths(view: View, month_ends: Days) -> list[AssetPath]:
    """Levels on `month_ends`, from a view of one date: today's figures, each at the month it describes."""
    dates, prices, basis = price_history(view)
    equities = value_on(period_end(dates, basis.frequency), prices, month_ends)
    return [
        AssetPath("equities", basis.label, equities, 1 if basis.frequency == "M" else 3),
        AssetPath("treasury_10y", "constant_maturity_par_bond", _bond(view, month_ends), 1),
        AssetPath("gold", "monthly_average", _series(view, GOLD, month_ends), 1),
    ]


def par_bond_returns(yields_pct: Floats) -> Floats:
    """Return of each period on a ten-year par bond bought at the yield before, repriced a month later at the new one.

    Fractions; the first one is NaN. One month of coupon, plus the price of the rest at the new yield, half-yearly
    compounding (Swinkels 2019). A monthly average yield makes it smoother than a month-end one.
    """
    before, now = yields_pct[:-1] / 100.0, yields_pct[1:] / 100.0
    left = _TENOR_YEARS - 1.0 / 12.0
    discount = (1.0 + now / _PERIODS) ** (-_PERIODS * left)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(now == 0, 1.0 + before * left, before / now * (1.0 - discount) + discount)
    result: Floats = np.concatenate([[np.nan], before / 12.0 + price - 1.0])
    return result


def _bond(view: View, month_ends: Days) -> Floats:
    """Index of a ten-year bond rolled every month; NaN from the first month without a yield."""
    yields = _series(view, YIELD, month_ends)
    known = np.flatnonzero(~np.isnan(yields))
    level = np.full(len(yields), np.nan)
    if len(known):
        first = known[0]
        level[first:] = np.cumprod(np.concatenate([[1.0], 1.0 + par_bond_returns(yields[first:])[1:]]))
    return level


def _series(view: View, series_id: str, month_ends: Days) -> Floats:
    dates = view.archive.observations(series_id).dates
    return value_on(period_end(dates, "M"), view.panel(series_id, dates)[-1], month_ends)
