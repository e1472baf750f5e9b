"""The four conditions easing can be poured into, each from 0 (cold) to 1 (hot) (methodology, "Conditions").

A missing input is never a neutral input: it is left out and the weights of the rest are renormalised. `coverage` and
`shortfall` expect the coverage from the series that are there, before anything is computed: the conditions are the real
ones, only the readings are made up.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from assets.catalog.method import Method, Percentile
from assets.catalog.models import Catalog
from assets.compute.calendar import NAT, Days
from assets.compute.grid import Grid, build_grid
from assets.compute.reading import ON_BASES, Bases, Floats, Reading, Texts, absent, is_none, texts

Readings = Mapping[str, Reading]  # by "table.column"
SCORED = ("valuation", "economy", "credit")  # in the score; inflation is shown next to it


def percentile(
    value: Floats,
    is_month_end: npt.NDArray[np.bool_],
    rules: Percentile,
    past: Floats | None = None,
) -> Floats:
    """Share of lower values plus half of the equal ones, among the month-ends up to each date, its own included.

    Shape: one per grid date, 0 to 1; NaN where the value is absent or too few values exist. A run date
    that is no month-end ranks among the month-ends plus itself and enters no other row's sample. `past`, shape (dates,
    dates), holds in row i what date i ranks among where that is not `value` itself: the same basis on all dates.
    """
    rounded = np.round(value, rules.value_decimals)
    n = len(rounded)
    among = np.broadcast_to(rounded, (n, n)) if past is None else np.round(past, rules.value_decimals)
    member = np.tril(np.broadcast_to(is_month_end, (n, n)))
    np.fill_diagonal(member, True)
    member &= ~np.isnan(among)
    lower = (member & (among < rounded[:, None])).sum(axis=1)
    equal = (member & (among == rounded[:, None])).sum(axis=1)
    count = member.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rank = (lower + 0.5 * equal) / count
    return np.where(np.isnan(rounded) | (count < rules.minimum_history), np.nan, rank)


def window_start(value: Floats, as_of: Days) -> Days:
    """First date whose value counts in each row's percentile; NaT before the first value."""
    seen = ~np.isnan(value)
    first = as_of[int(np.argmax(seen))] if seen.any() else NAT
    return np.where(np.maximum.accumulate(seen), first, NAT)


@dataclass(frozen=True)
class Component:
    """One measured input: `score` 0 cold to 1 hot, NaN where it is absent; `rank` where the score comes from one.

    How a score leads back to a value: a rank is hot when high or when low, a fixed scale has `value_at`. `bases` where
    the rows of the column are on several.
    """

    name: str
    column: str  # "table.column" of the reading
    reading: Reading
    score: Floats
    rank: Floats
    is_hot_when_high: bool = True
    value_at: Callable[[Floats], Floats] | None = None
    bases: Bases | None = None

    @property
    def past(self) -> Floats:
        """What the value of each date ranks among: shape (dates,), or (dates, dates) with several bases."""
        return self.reading.value if self.bases is None else self.bases.past

    @cached_property
    def absent_reason(self) -> Texts:
        """Why there is no score, per date; None where there is one."""
        reason = self.reading.absent_reason
        return texts(np.isnan(self.score), texts(is_none(reason), "history_too_short", reason))


@dataclass(frozen=True)
class Block:
    """Components that share one weight: the mean of those present, or the coldest of those present.

    The block counts as covered when any component is there, or, with `covers="each"`, by the share that is.
    """

    weight: float
    components: Sequence[Component]
    rule: Literal["mean", "min"] = "mean"
    covers: Literal["any", "each"] = "any"

    @cached_property
    def scores(self) -> Floats:
        """Shape (components, dates)."""
        return np.stack([c.score for c in self.components])

    @property
    def score(self) -> Floats:
        """Score of the block, per date; NaN where no component is present."""
        score: Floats = np.nansum(self.shares * np.nan_to_num(self.scores), axis=0)
        return np.where(self.is_present, score, np.nan)

    @property
    def is_present(self) -> npt.NDArray[np.bool_]:
        """Where any component has a score, per date."""
        return np.asarray(~np.isnan(self.scores).all(axis=0))

    @property
    def covered(self) -> Floats:
        """Weight that counts as covered, per date."""
        share = (~np.isnan(self.scores)).mean(axis=0) if self.covers == "each" else self.is_present
        return self.weight * share.astype("float64")

    @cached_property
    def shares(self) -> Floats:
        """Share of each component in the block's score, shape (components, dates); columns sum to 1 or 0."""
        present = ~np.isnan(self.scores)
        if self.rule == "mean":
            return present / np.maximum(present.sum(axis=0), 1)
        coldest = np.argmin(np.where(present, self.scores, np.inf), axis=0)
        return ((np.arange(len(present))[:, None] == coldest) & present).astype("float64")


@dataclass(frozen=True)
class Condition:
    """Score, coverage (weight of the blocks present) and the renormalised weight of every component, per date."""

    name: str
    blocks: Sequence[Block]
    weights: Floats  # (components, dates), each date sums to 1 where anything is present
    coverage: Floats
    score: Floats  # NaN where the coverage is below the minimum

    @cached_property
    def components(self) -> list[Component]:
        """Those of all blocks, in order."""
        return [component for block in self.blocks for component in block.components]

    def reweighted(self, weights: Sequence[float]) -> Floats:
        """Score with other block weights, absent on the same dates: coverage is a matter of data, not of weights."""
        return self.mean_of([block.score for block in self.blocks], weights)

    def mean_of(self, scores: Sequence[Floats], weights: Sequence[float]) -> Floats:
        """Weighted mean of the block scores present, absent on the same dates as this condition's."""
        stacked = np.stack(scores)
        weight = np.asarray(weights)[:, None] * ~np.isnan(stacked)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (weight * np.nan_to_num(stacked)).sum(axis=0) / weight.sum(axis=0)
        return np.where(np.isnan(self.score), np.nan, mean)


def condition(name: str, blocks: Sequence[Block], method: Method) -> Condition:
    """Weighted mean of the blocks present, absent below the minimum coverage."""
    present = np.stack([block.is_present for block in blocks])
    nominal = np.array([block.weight for block in blocks])[:, None] * present
    total = nominal.sum(axis=0)
    coverage = np.round(np.sum([block.covered for block in blocks], axis=0), method.coverage.decimals)
    renormalised = np.divide(nominal, total, out=np.zeros_like(nominal), where=total > 0)
    weights = np.concatenate(
        [share * block.shares for share, block in zip(renormalised, blocks, strict=True)]
    )
    scores = np.concatenate([block.scores for block in blocks])
    score = np.where(weights > 0, weights * np.nan_to_num(scores), 0.0).sum(axis=0)
    score = np.where(coverage >= method.coverage.minimum, score, np.nan)
    return Condition(name, blocks, weights, coverage, score)


class Scorer:
    """Turns readings into components. `ranks` are those already known, by "table.column"."""

    def __init__(
        self, readings: Readings, grid: Grid, method: Method, ranks: Mapping[str, Floats] | None = None
    ) -> None:
        self.readings, self.grid, self.method, self.ranks = readings, grid, method, ranks or {}

    def bases(self, column: str) -> Bases | None:
        """The bases the rows of a column are on; None where all are on one."""
        if column not in ON_BASES:
            return None
        each = {name: self.readings[name] for name in ON_BASES[column]}
        return Bases.of_selected(self.readings[column], each)

    def rank(self, column: str) -> Floats:
        """Percentile of a column among its own past, on each row's own basis."""
        if column in self.ranks:
            return self.ranks[column]
        on = self.bases(column)
        past = None if on is None else on.past
        return percentile(self.value(column), self.grid.is_month_end, self.method.percentile, past)

    def hot_when_high(self, name: str, column: str) -> Component:
        """Component whose rank is its score."""
        rank = self.rank(column)
        return Component(name, column, self.readings[column], rank, rank, bases=self.bases(column))

    def hot_when_low(self, name: str, column: str) -> Component:
        """Component whose score is one less its rank."""
        high = self.hot_when_high(name, column)
        return replace(high, score=1.0 - high.rank, is_hot_when_high=False)

    def scaled(
        self, name: str, column: str, score: Floats, value_at: Callable[[Floats], Floats]
    ) -> Component:
        """Component scored on a fixed scale, without a rank; `value_at` gives the value of a score."""
        no_rank = np.full(len(score), np.nan)
        return Component(name, column, self.readings[column], score, no_rank, value_at=value_at)

    def cooling(self, name: str, column: str, cold_at: float) -> Component:
        """Component on a fixed scale: hot at 0, cold at `cold_at` and beyond."""
        score = np.clip(1.0 - self.value(column) / cold_at, 0.0, 1.0)
        return self.scaled(name, column, score, lambda score: cold_at * (1.0 - score))

    def value(self, column: str) -> Floats:
        """Values of a column."""
        return self.readings[column].value


def valuation(s: Scorer) -> Condition:
    """V: how dear equities are against earnings, bonds and output, and how far and fast their price has come."""
    w, erp = s.method.valuation, "equity_risk_premium"
    fall = s.cooling("equity_drawdown", f"{erp}.equity_drawdown_pct", w.drawdown_floor_pct)
    ranks = [
        s.hot_when_low("earnings_yield", f"{erp}.earnings_yield_pct"),
        s.hot_when_low("erp_vs_nominal_10y", f"{erp}.erp_vs_nominal_10y_pp"),
        s.hot_when_low("erp_vs_real_10y", f"{erp}.erp_vs_real_10y_pp"),
        s.hot_when_high("equity_value_to_gdp", f"{erp}.equity_value_pct_gdp"),
        s.hot_when_high("cape", f"{erp}.cape"),
    ]
    blocks = [
        Block(w.weight_ranks, ranks, covers="each"),
        Block(w.weight_drawdown, [fall]),
        Block(w.weight_return, [s.hot_when_high("equity_return_12m", f"{erp}.equity_return_12m_pct")]),
    ]
    return condition("valuation", blocks, s.method)


def economy(s: Scorer) -> Condition:
    """E: unemployment, growth, and the earlier of two signs that the labour market is turning."""
    w, table = s.method.economy, "activity_inflation"
    momentum = [
        s.cooling("sahm_gap", f"{table}.sahm_gap_pp", w.sahm_divisor_pp),
        s.cooling("claims_change", f"{table}.claims_change_pct", w.claims_divisor_pct),
    ]
    blocks = [
        Block(w.weight_unemployment, [s.hot_when_low("unemployment", f"{table}.unemployment_rate_pct")]),
        Block(w.weight_growth, [s.hot_when_high("real_gdp_growth", f"{table}.real_gdp_yoy_pct")]),
        Block(w.weight_momentum, momentum, rule="min"),
    ]
    return condition("economy", blocks, s.method)


def credit(s: Scorer) -> Condition:
    """C: corporate spreads as one family, financial conditions, real bank credit."""
    w, table = s.method.credit, "credit_spreads"
    spreads = [
        s.hot_when_low("excess_bond_premium", f"{table}.ebp_pp"),
        s.hot_when_low("gz_spread", f"{table}.gz_spread_pp"),
        s.hot_when_low("baa_10y_spread", f"{table}.baa_10y_pp"),
        s.hot_when_low("hy_oas", f"{table}.hy_oas_pct"),
        s.hot_when_low("hqm_10y_spread", f"{table}.hqm_10y_spread_pp"),
    ]
    growth = s.hot_when_high("real_bank_credit", "reserve_growth.real_bank_credit_yoy_pct")
    blocks = [
        Block(w.weight_spreads, spreads),
        Block(w.weight_nfci, [s.hot_when_low("nfci", f"{table}.nfci_index")]),
        Block(w.weight_bank_credit, [growth]),
    ]
    return condition("credit", blocks, s.method)


def inflation(s: Scorer) -> Condition:
    """I: core PCE inflation between 1 % (0) and 3 % (1), the 2 % target at one half; shown next to the score."""
    column = "activity_inflation.core_pce_yoy_pct"
    floor, width = s.method.inflation.floor_pct, s.method.inflation.width_pp
    score = np.clip((s.value(column) - floor) / width, 0.0, 1.0)
    component = s.scaled("core_pce_inflation", column, score, lambda score: floor + width * score)
    return condition("inflation", [Block(1.0, [component])], s.method)


_ANY_DAY = np.datetime64("2000-01-31", "D")


@dataclass(frozen=True)
class Shortfall:
    """`missing`: inputs of the label that are not there. `coverage`: of the conditions they leave below the minimum."""

    missing: tuple[str, ...]
    coverage: Mapping[str, float]
    minimum: float

    def __str__(self) -> str:
        conditions = ", ".join(f"{name} {covered:.2f}" for name, covered in self.coverage.items())
        return (
            f"the label would be indeterminate: coverage below {self.minimum:.2f} ({conditions}) without "
            f"{', '.join(self.missing)}"
        )


@dataclass(frozen=True)
class Inputs:
    """Ids of series: `fresh`, with a figure that is new enough to count; `long`, with a history that ranks can use."""

    fresh: Set[str]
    long: Set[str]


def shortfall(there: Inputs, missing: Set[str], catalog: Catalog) -> Shortfall | None:
    """What the missing series cost the newest label; None when they are not what makes it indeterminate."""
    minimum = catalog.method.coverage.minimum
    without = coverage(there, catalog)
    with_them = coverage(Inputs(there.fresh | missing, there.long | missing), catalog)
    low = {name: covered for name, covered in without.items() if covered < minimum <= with_them[name]}
    return Shortfall(tuple(sorted(missing)), low, minimum) if low else None


def coverage(there: Inputs, catalog: Catalog) -> dict[str, float]:
    """Coverage of each condition in the score, 0 to 1, with these series and no others.

    A rank needs a fresh value and a long history; these may come from two series that follow each other (daily quotes
    after monthly averages).
    """
    is_fresh, is_long = _presence(there.fresh, catalog), _presence(there.long, catalog)
    derived = [table for table in catalog.tables.values() if table.layer == "derived"]
    readings, ranks = {}, {}
    for column in (f"{table.name}.{name}" for table in derived for name in table.column_names):
        value, rank = (0.0 if is_fresh(column) else np.nan), (0.5 if is_long(column) else np.nan)
        readings[column] = replace(absent(1, column, "not_fetched"), value=np.array([value]))
        ranks[column] = np.array([value + rank])  # absent where one of them is
    scorer = Scorer(readings, build_grid(_ANY_DAY, _ANY_DAY), catalog.method, ranks)
    conditions = (valuation(scorer), economy(scorer), credit(scorer))
    return {condition.name: float(condition.coverage[0]) for condition in conditions}


def _presence(there: Set[str], catalog: Catalog) -> Callable[[str], bool]:
    """Whether a series id is among these, or a "table.column" can be had from them."""

    @cache
    def is_present(origin: str) -> bool:
        table, _, column = origin.partition(".")
        if not column:
            return origin in there
        ways = catalog.tables[table].column(column).alternatives
        return any(all(is_present(one) for one in way) for way in ways)

    return is_present
