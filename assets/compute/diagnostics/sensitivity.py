"""Which choices of the method the label hangs on: parameters of the grid one by one, and alternatives by name.

Belongs here: states and labels under other choices. Does not belong here: the grid itself (`compute/robustness.py`),
weights of the score (`weights.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.conditions import Condition, Readings
from assets.compute.percentile import percentile
from assets.compute.reading import Floats, Texts
from assets.compute.regime import Regime, regime_name, scores_of
from assets.compute.robustness import grid_states, variants
from assets.compute.state import (
    BUBBLE,
    DEPRESSION,
    INDETERMINATE,
    MID_CYCLE,
    fast_entry,
    states,
)

if TYPE_CHECKING:
    from assets.catalog.method import Method
    from assets.catalog.models import Catalog

PARAMETERS = ("threshold_shifts", "valuation_rank_shares", "spread_weights", "confirmation_months")
STATE_BY_CODE = np.array([MID_CYCLE, BUBBLE, DEPRESSION, INDETERMINATE], dtype=object)
_STANCES = np.array(["tightening", "neutral", "stimulus"], dtype=object)


def parameter_sensitivity(regime: Regime, readings: Readings, catalog: Catalog) -> pd.DataFrame:
    """Columns of `parameter_sensitivity`: how often another value of one parameter alone changes the state, per date.

    Of all pairs of parameter sets that differ in this parameter only, the share with different states.
    """
    method, grid = catalog.method, regime.grid
    fast = fast_entry(scores_of(regime.bubble_score, regime.conditions, readings), method.state)
    codes = grid_states(variants(regime.conditions, method), grid.is_month_end, fast, method)
    sizes = [len(getattr(method.robustness, name)) for name in PARAMETERS]
    cube = codes.reshape(len(grid), *sizes)
    scored = ~np.isnan(regime.bubble_score)
    shares = np.stack([_share_differing(cube, axis + 1) for axis in range(len(PARAMETERS))], axis=1)[scored]
    order = np.argsort(np.argsort(-shares, axis=1, kind="stable"), axis=1) + 1
    n = int(scored.sum())
    return pd.DataFrame(
        {
            "as_of_date": np.repeat(grid.as_of[scored], len(PARAMETERS)).astype("datetime64[s]"),
            "parameter": np.tile(np.array(PARAMETERS, dtype=object), n),
            "disagreement_share": shares.ravel(),
            "importance": order.ravel().astype("int64"),
        }
    )


def method_variants(regime: Regime, readings: Readings, catalog: Catalog) -> pd.DataFrame:
    """Columns of `method_variants`: the label of every date under choices that were tested and not taken."""
    frames = []
    for variant in _variants(regime, readings, catalog):
        label = regime_name(variant.state, variant.stance)
        frames.append(
            pd.DataFrame(
                {
                    "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
                    "variant": variant.name,
                    "regime_variant": label,
                    "condition_variant": variant.state,
                    "stance_variant": variant.stance,
                    "variant_score": variant.score,
                    "is_same_regime": (label == regime.label).astype(bool),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class _Variant:
    name: str
    state: Texts
    stance: Texts
    score: Floats


def _variants(regime: Regime, readings: Readings, catalog: Catalog) -> Iterator[_Variant]:
    method, c, stance = catalog.method, regime.conditions, regime.stance.stance
    yield _without_hysteresis(regime, readings, method)
    ranks_only = c["valuation"].reweighted([1.0, 0.0, 0.0])
    for name, changed in (
        ("valuation_ranks_only", {"valuation": ranks_only}),
        ("valuation_by_families", {"valuation": _by_families(c["valuation"], method)}),
        ("unemployment_gap", {"economy": _with_gap(c["economy"], readings, regime, method)}),
    ):
        scores = replace(scores_of(regime.bubble_score, regime.conditions, readings), **changed)
        score = (scores.valuation + scores.economy + scores.credit) / 3.0
        state = states(replace(scores, bubble=score), regime.grid.is_month_end, method.state).state
        yield _Variant(name, state, stance, score)
    rate = readings["real_yields.policy_rate_pct"].value
    for months in method.variants.rate_windows_months:
        yield _Variant(
            f"rate_window_{months}m",
            regime.states.state,
            _stance_over(rate, months, regime, method),
            regime.bubble_score,
        )


def _without_hysteresis(regime: Regime, readings: Readings, method: Method) -> _Variant:
    one = method.robustness.model_copy(
        update={
            "threshold_shifts": (0.0,),
            "valuation_rank_shares": (method.valuation.weight_ranks,),
            "spread_weights": (method.credit.weight_spreads,),
            "confirmation_months": (1,),
        }
    )
    plain = method.model_copy(update={"robustness": one})
    fast = fast_entry(scores_of(regime.bubble_score, regime.conditions, readings), method.state)
    codes = grid_states(variants(regime.conditions, plain), regime.grid.is_month_end, fast, plain)
    return _Variant(
        "without_hysteresis", STATE_BY_CODE[codes[:, 0]], regime.stance.stance, regime.bubble_score
    )


def _by_families(valuation: Condition, method: Method) -> Floats:
    """V with its five ranks as two families, yields and levels, that count the same."""
    scores = {component.name: component.score for component in valuation.components}
    yields = [scores[n] for n in ("earnings_yield", "erp_vs_nominal_10y", "erp_vs_real_10y")]
    families = [_mean(yields), _mean([scores["equity_value_to_gdp"], scores["cape"]])]
    return _weighted(
        [_mean(families), *(block.score for block in valuation.blocks[1:])],
        [block.weight for block in valuation.blocks],
        valuation.score,
    )


def _with_gap(economy: Condition, readings: Readings, regime: Regime, method: Method) -> Floats:
    """E with unemployment less its own mean over the years before, as known, in place of its level."""
    rate, rules = pd.Series(readings["activity_inflation.unemployment_rate_pct"].value), method.variants
    usual = rate.rolling(rules.unemployment_gap_months, min_periods=rules.unemployment_gap_minimum_months)
    gap = (rate - usual.mean()).to_numpy()
    p = method.percentile
    rank = percentile(gap, regime.grid.is_month_end, p.minimum_history, p.value_decimals)
    return _weighted(
        [1.0 - rank, *(block.score for block in economy.blocks[1:])],
        [block.weight for block in economy.blocks],
        economy.score,
    )


def _stance_over(rate: Floats, months: int, regime: Regime, method: Method) -> Texts:
    """Headline stance with the rate compared over another window; a run date looks from the end of its own month."""
    earlier = np.full(len(rate), np.nan)
    earlier[months:] = rate[:-months]
    change = np.round(rate - earlier, 9)
    moved = np.abs(change) >= method.stance.rate_change_pp
    direction = np.where(np.isnan(change) | ~moved, 0, -np.sign(np.nan_to_num(change))).astype("int64")
    return _STANCES[np.sign(direction + regime.stance.balance_sheet_announced) + 1]


def _mean(scores: list[Floats]) -> Floats:
    stacked = np.stack(scores)
    present = ~np.isnan(stacked)
    total = np.nan_to_num(stacked).sum(axis=0)
    return np.where(present.any(axis=0), total / np.maximum(present.sum(axis=0), 1), np.nan)


def _weighted(scores: list[Floats], weights: list[float], like: Floats) -> Floats:
    """Mean of the scores present, absent where `like` is: what is covered is a matter of data."""
    stacked, present = np.stack(scores), ~np.isnan(np.stack(scores))
    weight = np.asarray(weights)[:, None] * present
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (weight * np.nan_to_num(stacked)).sum(axis=0) / weight.sum(axis=0)
    return np.where(np.isnan(like), np.nan, mean)


def _share_differing(cube: np.ndarray, axis: int) -> Floats:
    """Share of unordered pairs along an axis that differ, over all other settings, per date."""
    k = cube.shape[axis]
    same = sum((cube == code).sum(axis=axis).astype("float64") ** 2 for code in range(len(STATE_BY_CODE)))
    differing = (k * k - np.asarray(same)) / (k * (k - 1))
    share: Floats = differing.reshape(len(cube), -1).mean(axis=1)
    return share
