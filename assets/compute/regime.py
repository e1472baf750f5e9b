"""The regime of every date, what is published next to the label, and how much of it is the method's choice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.method import Method
from assets.catalog.models import Catalog
from assets.compute.calendar import period_end, previous_month_end
from assets.compute.conditions import (
    SCORED,
    Component,
    Condition,
    Readings,
    Scorer,
    credit,
    economy,
    inflation,
    valuation,
)
from assets.compute.grid import Grid, row_kinds
from assets.compute.reading import Floats, Texts, is_none, texts
from assets.compute.stance import PolicyStance, level_of_policy, policy_stance
from assets.compute.state import (
    INDETERMINATE,
    MID_CYCLE,
    STATE_BY_CODE,
    Codes,
    Scores,
    States,
    run_machine,
    run_starts,
    score_limits,
    states,
)
from assets.compute.tables.assemble import origin_of

NOT_BINDING = "not_binding"  # the colder of the two labour-market signs decides; the other one is shown
_PERIOD_DAYS = {"D": 1, "W": 7, "M": 31, "Q": 92}
# overlays taken from a derived table as they are, by column
OVERLAYS = {
    "is_coordinated": "monetisation",
    "is_maturity_shortening": "fiscal_and_debt",
    "is_long_duration_leading": "liquidity_destination",
}


@dataclass(frozen=True)
class Regime:
    """The label of every grid date and what it is made of; inflation is among the conditions, not in the score.

    `readings`, by "table.column", and `catalog`: what it is computed from.
    """

    grid: Grid
    readings: Readings
    catalog: Catalog
    conditions: Mapping[str, Condition]
    scores: Scores
    states: States
    stance: PolicyStance
    label: Texts

    @property
    def components(self) -> list[Component]:
        """Those of all conditions, in order."""
        return [component for condition in self.conditions.values() for component in condition.components]

    @property
    def bubble_score(self) -> Floats:
        """The score: mean of valuation, economy and credit; NaN where one of them is absent."""
        return self.scores.bubble


def build_regime(
    readings: Readings, grid: Grid, catalog: Catalog, ranks: Mapping[str, Floats] | None = None
) -> Regime:
    """Label of every grid date. `readings` and `ranks`, those already known, by "table.column"."""
    method, ledger = catalog.method, catalog.policy_events
    scorer = Scorer(readings, grid, method, ranks)
    conditions = {c.name: c for c in (valuation(scorer), economy(scorer), credit(scorer), inflation(scorer))}
    v, e, c = (conditions[name].score for name in SCORED)
    scores = Scores(
        np.mean([v, e, c], axis=0),
        v,
        e,
        c,
        readings["activity_inflation.sahm_gap_pp"].value,
        readings["activity_inflation.claims_change_pct"].value,
    )
    state = states(scores, grid.is_month_end, method.state)
    stance = policy_stance(
        readings["real_yields.policy_rate_change_6m_pp"].value,
        readings["reserve_growth.balance_sheet_impulse_pct_gdp"].value,
        grid.as_of,
        ledger.events,
        np.datetime64(min(ledger.last_checked, ledger.desk_notices_until), "D"),
        method.stance,
    )
    label = regime_name(state.state, stance.stance)
    return Regime(grid, readings, catalog, conditions, scores, state, stance, label)


def regime_name(state: Texts, stance: Texts) -> Texts:
    """`stimulus_into_bubble` and its eight siblings; `indeterminate` whatever the stance."""

    def name(s: str, p: str) -> str:
        if s == INDETERMINATE:
            return INDETERMINATE
        return f"{p}_{s}" if p == "neutral" or s == MID_CYCLE else f"{p}_into_{s}"

    return np.array([name(s, p) for s, p in zip(state, stance, strict=True)], dtype=object)


def regime_frame(regime: Regime, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per grid date, the columns of the catalogue's `regime` table except those publication adds."""
    method, grid, c = regime.catalog.method, regime.grid, regime.conditions
    scored, stance, state = [c[name] for name in SCORED], regime.stance, regime.states.state
    coverage = np.min([condition.coverage for condition in scored], axis=0)
    fresh = freshness(scored, grid, regime.catalog)

    def value(name: str) -> Floats:
        return regime.readings[name].value

    def balance_sheet(growth: str, excess: str) -> Texts:
        limit = method.balance_sheet.leaning_limit_pp
        return balance_sheet_test(value(f"reserve_growth.{growth}"), value(f"reserve_growth.{excess}"), limit)

    is_melt_up = melt_up(
        value("reserve_growth.balance_sheet_impulse_pct_gdp"),
        value("equity_risk_premium.equity_return_12m_pct"),
        method,
    )
    low, high = score_range(c, method)
    agreeing = agreement(regime)
    return pd.DataFrame(
        {
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "is_month_end": grid.is_month_end,
            "row_kind": row_kinds(grid, method.row_kinds),
            "regime": regime.label,
            "stance": stance.stance,
            "stance_realised": stance.realised,
            "stance_driver": stance.driver,
            "regime_purchases_technical": regime_name(state, stance.purchases_technical),
            "regime_effective_dates": regime_name(state, stance.effective_dates),
            "regime_realised": regime_name(state, stance.realised),
            **level_of_policy(
                value("real_yields.policy_rate_pct"),
                value("activity_inflation.core_pce_yoy_pct"),
                value("activity_inflation.output_gap_pct"),
                grid.as_of,
                method.policy_level,
            ),
            "condition_state": state,
            "provisional_condition_state": regime.states.provisional,
            "bubble_score": regime.bubble_score,
            **{f"{name}_score": c[name].score for name in (*SCORED, "inflation")},
            "coverage": coverage,
            **{f"{name}_coverage": c[name].coverage for name in SCORED},
            "freshness": fresh,
            "agreement": agreeing,
            "confidence": coverage * fresh * agreeing,
            "conditions_at_minimum_coverage": conditions_at_minimum(scored, method),
            "indeterminate_reason": indeterminate_reason(scored, method),
            "is_spread_missing": tables["credit_spreads"]["is_spread_missing"].to_numpy(),
            "distance_to_threshold": distance_to_threshold(regime.bubble_score, state, method),
            "regime_since": grid.as_of[run_starts(regime.label)].astype("datetime64[s]"),
            "balance_sheet_test": balance_sheet("fed_assets_growth_26w_pct", "excess_growth_pp"),
            "reserves_test": balance_sheet("reserve_balances_growth_26w_pct", "reserve_excess_growth_pp"),
            "monetisation_band": tables["monetisation"]["monetisation_band"].to_numpy(dtype=object),
            **{name: tables[table][name].to_numpy(dtype=object) for name, table in OVERLAYS.items()},
            "is_melt_up": is_melt_up,
            "is_ideal_time_to_sell_window": time_to_sell(state, stance.stance, is_melt_up),
            "rate_direction": stance.rate,
            "balance_sheet_direction_realised": stance.balance_sheet_realised,
            "balance_sheet_direction_announced": stance.balance_sheet_announced,
            "is_stance_provisional": stance.is_provisional,
            "pit_grade": pit_grade(c.values()),
            "method_version": method.method_version,
            "method_sha256": method.method_sha256,
            "score_p05": low,
            "score_p95": high,
            **bases_of(regime.label, tables["equity_risk_premium"], grid),
        }
    )


def balance_sheet_test(growth_pct: Floats, excess_pp: Floats, leaning_limit_pp: float) -> Texts:
    """`shrinking`, `technical` (growth only keeps pace), `leaning` or `stimulative`; None where not measurable."""
    named = np.select(
        [growth_pct < 0, excess_pp <= 0, excess_pp <= leaning_limit_pp],
        ["shrinking", "technical", "leaning"],
        "stimulative",
    )
    known = ~np.isnan(growth_pct) & (~np.isnan(excess_pp) | (growth_pct < 0))
    return texts(known, named)


def melt_up(impulse_pct_gdp: Floats, return_12m_pct: Floats, method: Method) -> Texts:
    """Liquidity and price both rising fast; None where one is not measurable. Not a valuation measure."""
    rules = method.melt_up
    both = (impulse_pct_gdp >= rules.impulse_pct_gdp) & (return_12m_pct >= rules.return_12m_pct)
    return texts(np.isnan(impulse_pct_gdp) | np.isnan(return_12m_pct), None, both)


def time_to_sell(state: Texts, stance: Texts, is_melt_up: Texts) -> Texts:
    """The post's window: a bubble still being fed, before the tightening that ends it. Its phrase, no advice.

    None where it depends on something unknown: the state, or a melt-up under a neutral stance.
    """
    fed = np.where(stance == "stimulus", True, np.where(stance == "neutral", is_melt_up, False))
    window = texts(state == "bubble", fed, False)
    return texts(state == INDETERMINATE, None, window)


def distance_to_threshold(score: Floats, state: Texts, method: Method) -> Floats:
    """Distance of the score from the nearest score threshold in force, in score points; NaN without a score."""
    in_force = np.where(state == INDETERMINATE, MID_CYCLE, state)
    distance = np.full(len(score), np.nan)
    for name in set(in_force):
        rows, limits = in_force == name, score_limits(name, method.state)
        distance[rows] = np.abs(score[rows, None] - np.array(limits)).min(axis=1)
    return distance


def conditions_at_minimum(conditions: Sequence[Condition], method: Method) -> Texts:
    """Names of the conditions whose coverage is exactly the minimum, comma separated; None for none."""
    at = [np.where(c.coverage == method.coverage.minimum, c.name, "") for c in conditions]
    return np.array([",".join(filter(None, row)) or None for row in zip(*at, strict=True)], dtype=object)


def indeterminate_reason(conditions: Sequence[Condition], method: Method) -> Texts:
    """Which conditions lack coverage and which inputs cause it, in words; None where all are scored."""
    reasons: list[list[str]] = [[] for _ in conditions[0].score]
    for condition in conditions:
        for i in np.flatnonzero(np.isnan(condition.score)):
            missing = ", ".join(
                f"{c.name} {c.absent_reason[i]}" for c in condition.components if np.isnan(c.score[i])
            )
            reasons[i].append(
                f"{condition.name} coverage {condition.coverage[i]:.2f} is below {method.coverage.minimum:.2f} "
                f"({missing})"
            )
    return np.array(["; ".join(r) or None for r in reasons], dtype=object)


def pit_grade(conditions: Iterable[Condition]) -> Texts:
    """`pseudo` where a figure that gets revised was reconstructed by lag rule, else `real_time`."""
    counted = [
        (weight > 0) & component.reading.is_pseudo
        for condition in conditions
        for component, weight in zip(condition.components, condition.weights, strict=True)
    ]
    return texts(np.logical_or.reduce(counted), "pseudo", "real_time")


def freshness(conditions: Sequence[Condition], grid: Grid, catalog: Catalog) -> Floats:
    """Weighted mean over components of 1 (as fresh as its release allows) to 0 (at its staleness limit)."""
    total, weight = np.zeros(len(grid)), np.zeros(len(grid))
    for condition in conditions:
        for component, w in zip(condition.components, condition.weights, strict=True):
            fresh = np.nan_to_num(_freshness(component, grid, catalog))
            total, weight = total + w * fresh, weight + w
    return np.divide(total, weight, out=np.full(len(grid), np.nan), where=weight > 0)


def _freshness(component: Component, grid: Grid, catalog: Catalog) -> Floats:
    """Of the component's slowest input: the longest staleness limit among those it names, then the longest lag."""
    reading, out = component.reading, np.full(len(grid), np.nan)
    for ids in {i for i in reading.series_ids if i}:
        inputs = [catalog.series[i] for i in ids.split(",")]
        slowest = max(inputs, key=lambda s: (s.staleness_limit_days, s.release_lag_days))
        if slowest.staleness_limit_days == 0:
            continue
        rows = (reading.series_ids == ids) & reading.present
        age = (grid.as_of - period_end(reading.observation_date, slowest.frequency)).astype("float64")
        normal = slowest.release_lag_days + _PERIOD_DAYS[slowest.frequency]
        out[rows] = np.clip(1.0 - (age - normal) / (slowest.staleness_limit_days - normal), 0.0, 1.0)[rows]
    return out


def bases_of(label: Texts, equity: pd.DataFrame, grid: Grid) -> dict[str, Texts | np.ndarray]:
    """Basis of earnings and of price, and whether the label changed in a month in which one of them did."""
    named = {
        name: equity[name].to_numpy(dtype=object) for name in ("earnings_yield_basis", "equity_price_basis")
    }
    then = previous_month_end(grid.is_month_end)
    changed = np.zeros(len(grid), dtype=bool)
    for basis in named.values():
        changed |= ~is_none(basis) & ~is_none(basis[then]) & (basis != basis[then])
    return {**named, "basis_changed": changed & (then >= 0) & (label != label[then])}


def evidence_frame(regime: Regime) -> pd.DataFrame:
    """Columns of `regime_evidence`. Contributions of valuation, economy and credit add up to `bubble_score`."""
    parts, every = [], np.ones(len(regime.grid), dtype=bool)
    for name, condition in regime.conditions.items():
        share = 1.0 / len(SCORED) if name in SCORED else 0.0
        for component, weights in zip(condition.components, condition.weights, strict=True):
            reading, reason = component.reading, component.absent_reason
            part = {
                "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
                "condition": texts(every, name),
                "component": texts(every, component.name),
                "value": reading.value,
                "unit": texts(every, regime.catalog.unit_of(component.column)),
                **origin_of(reading),
                "rank": component.rank,
                "weight": weights,
                "contribution": share * weights * np.nan_to_num(component.score),
                "score": component.score,
                "absent_reason": texts(is_none(reason) & (weights == 0), NOT_BINDING, reason),
            }
            parts.append(part)
    names = [name for name in parts[0] if name != "is_pseudo"]  # `pit_grade` says it of the whole row
    frame = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in names})
    return frame.sort_values("as_of_date", kind="stable", ignore_index=True)


PARAMETERS = ("threshold_shifts", "valuation_rank_shares", "spread_weights", "confirmation_months")


def agreement(regime: Regime) -> Floats:
    """Share of the parameter grid whose state equals the headline's, per date; NaN where that is indeterminate."""
    in_grid = STATE_BY_CODE[grid_states(regime)]
    share: Floats = (in_grid == regime.states.state[:, None]).mean(axis=1)
    return np.where(regime.states.state == INDETERMINATE, np.nan, share)


def grid_states(regime: Regime) -> Codes:
    """State codes of every date under every combination of PARAMETERS, shape (dates, combinations)."""
    method, conditions = regime.catalog.method, regime.conditions
    grid = method.robustness
    by_share = [
        conditions["valuation"].reweighted([s, (1 - s) / 2, (1 - s) / 2]) for s in grid.valuation_rank_shares
    ]
    by_spread = [conditions["credit"].reweighted([s, (1 - s) / 2, (1 - s) / 2]) for s in grid.spread_weights]
    combinations = list(product(grid.threshold_shifts, by_share, by_spread, grid.confirmation_months))
    valuation = np.stack([v for _, v, _, _ in combinations], axis=1)
    credit = np.stack([c for _, _, c, _ in combinations], axis=1)
    economy = np.broadcast_to(conditions["economy"].score[:, None], valuation.shape)
    measures = {
        "bubble_score": (valuation + economy + credit) / 3.0,
        "valuation_score": valuation,
        "economy_score": economy,
        "credit_score": credit,
    }
    shift = np.array([shift for shift, _, _, _ in combinations])
    confirmation = np.array([months for _, _, _, months in combinations])
    fast = regime.scores.fast_entry(method.state)
    return run_machine(measures, fast, regime.grid.is_month_end, method.state, shift, confirmation)[0]


def score_range(conditions: Mapping[str, Condition], method: Method) -> tuple[Floats, Floats]:
    """5th and 95th percentile of the score over drawn weights, per date: uncertainty of the method, no probability.

    Every block weight and every condition's third is multiplied by an independent draw, uniform around 1, and
    renormalised over what is present. The same draws serve all dates, so that a published row never moves.
    """
    rules = method.robustness
    draws = np.random.default_rng(rules.weight_draw_seed)

    def drawn(nominal: Floats) -> Floats:
        low, high = 1.0 - rules.weight_draw_spread, 1.0 + rules.weight_draw_spread
        return nominal * draws.uniform(low, high, size=(rules.weight_draws, len(nominal)))

    thirds = drawn(np.ones(len(SCORED)))
    thirds /= thirds.sum(axis=1, keepdims=True)
    total = np.zeros((rules.weight_draws, len(conditions["valuation"].score)))
    for n, name in enumerate(SCORED):
        condition = conditions[name]
        scores = np.stack([block.score for block in condition.blocks])
        weights = drawn(np.array([block.weight for block in condition.blocks]))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = _weighted(weights, np.nan_to_num(scores)) / _weighted(weights, ~np.isnan(scores))
        total += thirds[:, [n]] * np.where(np.isnan(condition.score), np.nan, mean)
    scored = ~np.isnan(total[0])
    low, high = np.full(len(scored), np.nan), np.full(len(scored), np.nan)
    if scored.any():
        low[scored], high[scored] = np.quantile(total[:, scored], [0.05, 0.95], axis=0)
    return low, high


def _weighted(weights: Floats, values: npt.NDArray[Any]) -> Floats:
    """Sum over the blocks, shape (draws, dates), block by block.

    A matrix product rounds a column by the number of columns next to it, so that later months would change the last
    digit of an earlier one.
    """
    total = np.zeros((len(weights), values.shape[1]))
    for block, value in enumerate(values):
        total += weights[:, [block]] * value
    return total
