"""What the label depends on: single parameters, alternatives that were tested and not taken, effective weights."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from assets.catalog.method import Method
from assets.compute.conditions import SCORED, Condition, percentile
from assets.compute.reading import Floats, Texts
from assets.compute.regime import PARAMETERS, Regime, grid_states, regime_name
from assets.compute.stance import direction, stance_of
from assets.compute.state import STATE_BY_CODE, states

# names of the blocks of each condition, in the order of `conditions.py`
BLOCKS = {
    "valuation": ("valuation_ranks", "equity_drawdown", "equity_return_12m"),
    "economy": ("unemployment", "real_gdp_growth", "labour_momentum"),
    "credit": ("corporate_spreads", "nfci", "real_bank_credit"),
}


def parameter_sensitivity(regime: Regime) -> pd.DataFrame:
    """Columns of `parameter_sensitivity`: how often another value of one parameter alone changes the state, per date.

    Of all pairs of parameter sets that differ in this parameter only, the share with different states.
    """
    method, grid = regime.catalog.method, regime.grid
    sizes = [len(getattr(method.robustness, name)) for name in PARAMETERS]
    cube = grid_states(regime).reshape(len(grid), *sizes)
    scored = ~np.isnan(regime.bubble_score)
    shares = np.stack([_share_differing(cube, axis + 1) for axis in range(len(PARAMETERS))], axis=1)[scored]
    order = np.argsort(np.argsort(-shares, axis=1, kind="stable"), axis=1) + 1
    return pd.DataFrame(
        {
            "as_of_date": np.repeat(grid.as_of[scored], len(PARAMETERS)).astype("datetime64[s]"),
            "parameter": np.tile(np.array(PARAMETERS, dtype=object), int(scored.sum())),
            "disagreement_share": shares.ravel(),
            "importance": order.ravel().astype("int64"),
        }
    )


def _share_differing(cube: np.ndarray, axis: int) -> Floats:
    """Share of unordered pairs along an axis that differ, over all other settings, per date."""
    k = cube.shape[axis]
    same = sum((cube == code).sum(axis=axis).astype("float64") ** 2 for code in range(len(STATE_BY_CODE)))
    differing = (k * k - np.asarray(same)) / (k * (k - 1))
    share: Floats = differing.reshape(len(cube), -1).mean(axis=1)
    return share


def method_variants(regime: Regime) -> pd.DataFrame:
    """Columns of `method_variants`: the label of every date under choices that were tested and not taken."""
    frames = []
    for name, state, stance, score in _variants(regime):
        label = regime_name(state, stance)
        frames.append(
            pd.DataFrame(
                {
                    "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
                    "variant": name,
                    "regime_variant": label,
                    "condition_state_variant": state,
                    "stance_variant": stance,
                    "variant_score": score,
                    "is_same_regime": (label == regime.label).astype(bool),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _variants(regime: Regime) -> Iterator[tuple[str, Texts, Texts, Floats]]:
    """Name, state, stance and score of every variant."""
    conditions, method = regime.conditions, regime.catalog.method
    state, stance = regime.states.state, regime.stance.stance
    plain = states(regime.scores, regime.grid.is_month_end, method.state, confirmation=1)
    yield "without_hysteresis", plain.state, stance, regime.bubble_score
    for name, changed in (
        ("valuation_ranks_only", {"valuation": conditions["valuation"].reweighted([1.0, 0.0, 0.0])}),
        ("valuation_by_families", {"valuation": _by_families(conditions["valuation"])}),
        ("unemployment_gap", {"economy": _with_gap(regime, method)}),
    ):
        scores = replace(regime.scores, **changed)
        score = (scores.valuation + scores.economy + scores.credit) / 3.0
        found = states(replace(scores, bubble=score), regime.grid.is_month_end, method.state)
        yield name, found.state, stance, score
    rate = regime.readings["real_yields.policy_rate_pct"].value
    for months in method.variants.rate_windows_months:
        yield f"rate_window_{months}m", state, _stance_over(rate, months, regime, method), regime.bubble_score


def _by_families(valuation: Condition) -> Floats:
    """V with its five ranks as two families, yields and levels, that count the same."""
    score = {component.name: component.score for component in valuation.components}
    yields = [score[name] for name in ("earnings_yield", "erp_vs_nominal_10y", "erp_vs_real_10y")]
    levels = [score["equity_value_to_gdp"], score["cape"]]
    families = [valuation.mean_of(family, [1.0] * len(family)) for family in (yields, levels)]
    return _first_block_as(valuation, valuation.mean_of(families, [1.0, 1.0]))


def _with_gap(regime: Regime, method: Method) -> Floats:
    """E with unemployment less its mean over the years before, as known, in place of its level."""
    rate, rules = (
        pd.Series(regime.readings["activity_inflation.unemployment_rate_pct"].value),
        method.variants,
    )
    usual = rate.rolling(rules.unemployment_gap_months, min_periods=rules.unemployment_gap_minimum_months)
    rank = percentile((rate - usual.mean()).to_numpy(), regime.grid.is_month_end, method.percentile)
    return _first_block_as(regime.conditions["economy"], 1.0 - rank)


def _first_block_as(condition: Condition, score: Floats) -> Floats:
    """Score of a condition with another score of its first block."""
    others = [block.score for block in condition.blocks[1:]]
    return condition.mean_of([score, *others], [block.weight for block in condition.blocks])


def _stance_over(rate: Floats, months: int, regime: Regime, method: Method) -> Texts:
    """Headline stance with the rate compared over another window."""
    earlier = np.full(len(rate), np.nan)
    earlier[months:] = rate[:-months]
    turn = direction(earlier - rate, method.stance.rate_change_pp, inclusive=True)
    return stance_of(regime.stance.balance_sheet_announced, turn)


def effective_weights(regime: Regime) -> pd.DataFrame:
    """Columns of `effective_weights`: by era, the share of the score's variance each input explains by itself.

    First-order share = squared correlation with the score (Paruolo, Saisana, Saltelli 2013, with a linear fit); the
    effective weight is that share among its level. The covariance share adds up to 1 by itself and may be negative.
    """
    rules, rows, parts = regime.catalog.method.robustness, [], _parts(regime)
    as_of, total = regime.grid.as_of, regime.bubble_score
    for era, first, last in _eras(regime):
        inside = regime.grid.is_month_end & ~np.isnan(total) & (as_of >= first) & (as_of <= last)
        for level, of_level in parts.items():
            shares = [_first_order(score[inside], total[inside]) for *_, score, _ in of_level]
            explained = np.nansum(shares)
            for (condition, item, nominal, _, contribution), share in zip(of_level, shares, strict=True):
                effective = share / explained if explained > 0 else np.nan
                rows.append(
                    {
                        "era": era,
                        "level": level,
                        "item": item,
                        "condition": condition,
                        "first_date": as_of[inside][0] if inside.any() else first,
                        "last_date": as_of[inside][-1] if inside.any() else last,
                        "month_ends": int(inside.sum()),
                        "nominal_weight": nominal,
                        "effective_weight": effective,
                        "weight_difference": effective - nominal,
                        "is_flagged": bool(abs(effective - nominal) > rules.effective_weight_gap),
                        "first_order_share": share,
                        "covariance_share": _covariance_share(contribution[inside], total[inside]),
                    }
                )
    return pd.DataFrame(rows)


def _eras(regime: Regime) -> Iterator[tuple[str, np.datetime64, np.datetime64]]:
    """Name, first and last date of the full history and of each era that has begun by the run date."""
    starts = [np.datetime64(day, "D") for day in regime.catalog.method.robustness.era_starts]
    run = regime.grid.as_of[-1]
    yield "all", starts[0], run
    for first, following in zip(starts, [*starts[1:], run + 1], strict=True):
        if first <= run:
            yield f"from_{first.astype('datetime64[M]')}", first, min(following - 1, run)


def _parts(regime: Regime) -> Mapping[str, list[tuple[str, str, float, Floats, Floats]]]:
    """By level, condition and block, its inputs of the score: condition, name, weight, score and contribution."""
    conditions, blocks = [], []
    for name in SCORED:
        condition, position, share = regime.conditions[name], 0, 1.0 / len(SCORED)
        conditions.append((name, name, share, condition.score, condition.score / len(SCORED)))
        for item, block in zip(BLOCKS[name], condition.blocks, strict=True):
            members = slice(position, position + len(block.components))
            position += len(block.components)
            weight = condition.weights[members].sum(axis=0) / len(SCORED)
            contribution = weight * np.nan_to_num(block.score)
            blocks.append((name, item, block.weight / len(SCORED), block.score, contribution))
    return {"condition": conditions, "block": blocks}


def _first_order(score: Floats, total: Floats) -> float:
    known = ~np.isnan(score)
    if known.sum() < 2 or np.std(score[known]) == 0 or np.std(total[known]) == 0:
        return float("nan")
    return float(np.corrcoef(score[known], total[known])[0, 1] ** 2)


def _covariance_share(contribution: Floats, total: Floats) -> float:
    if len(total) < 2 or np.var(total) == 0:
        return float("nan")
    return float(np.cov(contribution, total)[0, 1] / np.var(total, ddof=1))
