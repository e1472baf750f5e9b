"""Conditions: ranks among the past, what a missing input does, and what counts how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.catalog.method import Percentile
from assets.compute.calendar import days, month_ends
from assets.compute.conditions import (
    Block,
    Component,
    Condition,
    Scorer,
    condition,
    credit,
    percentile,
    valuation,
    window_start,
)
from assets.compute.grid import Grid
from assets.compute.reading import EARNINGS, ON_BASES, Bases
from tests.helpers import reading

METHOD = load_catalog().method
NAN = float("nan")
MONTHS = month_ends(np.datetime64("2014-01-31", "D"), np.datetime64("2024-12-31", "D"))
N = len(MONTHS)
RISING = np.arange(N, dtype="float64")  # its last value ranks (N - 0.5) / N
TOP, BOTTOM = (N - 0.5) / N, 0.5 / N

ERP = "equity_risk_premium."
V_RANKS = (
    "earnings_yield_pct",
    "erp_vs_nominal_10y_pp",
    "erp_vs_real_10y_pp",
    "equity_value_pct_gdp",
    "cape",
)
SPREADS = ("ebp_pp", "gz_spread_pp", "baa_10y_pp", "hy_oas_pct", "hqm_10y_spread_pp")
COLUMNS = [
    *(ERP + name for name in (*V_RANKS, "equity_drawdown_pct", "equity_return_12m_pct")),
    *("credit_spreads." + name for name in (*SPREADS, "nfci_index")),
    "reserve_growth.real_bank_credit_yoy_pct",
    *(
        "activity_inflation." + name
        for name in ("unemployment_rate_pct", "real_gdp_yoy_pct", "sahm_gap_pp", "claims_change_pct")
    ),
    "activity_inflation.core_pce_yoy_pct",
]


def scorer(present: Mapping[str, Sequence[float] | np.ndarray | float]) -> Scorer:
    """Every column absent but the ones given: a series over the grid, or one value throughout."""
    values = {name: np.full(N, NAN) for name in COLUMNS} | {
        name: np.broadcast_to(np.asarray(value, dtype="float64"), N) for name, value in present.items()
    }
    values |= {name: values[column] for column, names in ON_BASES.items() for name in names}
    grid = Grid(MONTHS)
    return Scorer({name: reading(value) for name, value in values.items()}, grid, METHOD)


def component(name: str, score: float) -> Component:
    scores = np.array([score])
    return Component(name, "t.c", reading([score]), scores, scores)


def single(blocks: Sequence[Block]) -> Condition:
    return condition("test", blocks, METHOD)


def test_a_condition_below_minimum_coverage_has_no_score() -> None:
    blocks = [Block(0.49, [component("a", 0.9)]), Block(0.51, [component("b", NAN)])]
    result = single(blocks)
    assert np.isnan(result.score[0])
    assert result.coverage[0] == 0.49


def test_coverage_of_exactly_the_minimum_is_enough_whatever_the_rounding_of_the_sum() -> None:
    parts = [Block(0.1, [component(str(n), 0.5)]) for n in range(3)] + [Block(0.2, [component("d", 0.5)])]
    result = single([*parts, Block(0.5, [component("e", NAN)])])
    assert result.coverage[0] == 0.5
    assert result.score[0] == pytest.approx(0.5)


def test_a_family_counts_as_one_vote_however_many_members_it_has() -> None:
    family = Block(0.5, [component("a", 0.2), component("b", 0.4), component("c", NAN)])
    result = single([family, Block(0.5, [component("d", 1.0)])])
    assert result.coverage[0] == 1.0, "one member suffices"
    assert result.score[0] == pytest.approx(0.5 * 0.3 + 0.5)


def test_where_each_member_is_needed_coverage_counts_them() -> None:
    ranks = Block(
        0.65, [component(str(n), score) for n, score in enumerate([0.5, 0.7, NAN, NAN, NAN])], covers="each"
    )
    result = single([ranks, Block(0.35, [component("d", 1.0)])])
    assert result.coverage[0] == pytest.approx(0.65 * 2 / 5 + 0.35)
    assert result.score[0] == pytest.approx(0.65 * 0.6 + 0.35), "yet the block keeps its weight"


def test_nothing_at_all_is_no_score_and_no_weight() -> None:
    result = single([Block(1.0, [component("a", NAN)], rule="min")])
    assert np.isnan(result.score[0])
    assert result.coverage[0] == 0.0
    assert result.weights.sum() == 0.0


def test_valuation_without_cape_covers_0_87_and_three_ranks_and_prices_0_74() -> None:
    names = [ERP + name for name in (*V_RANKS[:4], "equity_drawdown_pct", "equity_return_12m_pct")]
    assert valuation(scorer(dict.fromkeys(names, RISING))).coverage[-1] == pytest.approx(0.87)
    assert valuation(scorer(dict.fromkeys(names[1:], RISING))).coverage[-1] == pytest.approx(0.74)
    assert valuation(scorer(dict.fromkeys(names[:4], RISING))).coverage[-1] == pytest.approx(0.52)
    few = valuation(scorer(dict.fromkeys(names[:3], RISING)))
    assert few.coverage[-1] == pytest.approx(0.39)
    assert np.isnan(few.score[-1])


def test_credit_without_any_spread_rests_on_exactly_its_minimum() -> None:
    given = {"credit_spreads.nfci_index": -RISING, "reserve_growth.real_bank_credit_yoy_pct": RISING}
    result = credit(scorer(given))
    assert result.coverage[-1] == METHOD.coverage.minimum
    assert result.score[-1] == pytest.approx(TOP)


def test_a_rank_is_taken_among_the_values_of_its_own_basis_and_never_across() -> None:
    """Reported yields lie between 3 and 5, those of the accounts far above: a row of either ranks in its own."""
    reported, accounts = 3.0 + 2.0 * RISING / N, 30.0 - RISING / N
    uses_accounts = np.arange(N) >= N - 2
    names = [f"{ERP}earnings_yield_{basis}_pct" for basis in EARNINGS]
    on = {
        names[0]: reading(np.where(uses_accounts, NAN, reported), series_ids=np.full(N, "E", dtype=object)),
        names[1]: reading(accounts, series_ids=np.full(N, "CP", dtype=object)),
    }
    selected = Bases.first_present(dict(zip(EARNINGS, on.values(), strict=True))).selected
    column = f"{ERP}earnings_yield_pct"
    scored = Scorer({column: selected, **on}, Grid(MONTHS), METHOD)
    found = scored.rank(column)
    assert found[-1] == pytest.approx(BOTTOM), "the lowest of the accounts, not the highest of a mixture"
    assert found[-3] == pytest.approx((N - 2.5) / (N - 2)), "the highest of the reported"
    past = scored.hot_when_low("earnings_yield", column).past
    assert past[-1].tolist() == accounts.tolist()
    assert past[-3][:-2].tolist() == reported[:-2].tolist()


def rank(values: list[float], minimum: int = 1, month_end: list[bool] | None = None) -> np.ndarray:
    is_month_end = np.ones(len(values), dtype=bool) if month_end is None else np.array(month_end)
    return percentile(
        np.array(values, dtype="float64"), is_month_end, Percentile(minimum_history=minimum, value_decimals=6)
    )


def test_values_are_compared_as_published_not_as_computed() -> None:
    assert rank([0.3, 0.1 + 0.2])[-1] == 0.5, "the two differ in the seventeenth digit only"
    assert rank([1.0000001, 1.0000004])[-1] == 0.5
    assert rank([1.000001, 1.000004])[-1] == 0.75


def test_a_run_date_inside_a_month_ranks_itself_but_enters_no_other_sample() -> None:
    values, month_end = [1.0, 2.0, 9.0, 3.0], [True, True, False, True]
    ranks = rank(values, month_end=month_end)
    assert ranks[2] == pytest.approx(2.5 / 3), "among the two month-ends and itself"
    assert ranks[3] == pytest.approx(2.5 / 3), "the 9 of the run date is not there"


@given(st.lists(st.one_of(st.just(float("nan")), st.integers(0, 5).map(float)), min_size=1, max_size=30))
def test_the_matrix_agrees_with_counting(values: list[float]) -> None:
    for got, n in zip(rank(values, minimum=3), range(len(values)), strict=True):
        own = [v for v in values[: n + 1] if not np.isnan(v)]
        if np.isnan(values[n]) or len(own) < 3:
            assert np.isnan(got)
        else:
            expected = sum(v < values[n] for v in own) + 0.5 * sum(v == values[n] for v in own)
            assert got == pytest.approx(expected / len(own))


def test_the_window_of_a_rank_starts_at_the_first_value_and_not_before_it_was_there() -> None:
    dates = days(["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"])
    starts = window_start(np.array([np.nan, 1.0, np.nan, 2.0]), dates)
    assert [str(day) for day in starts] == ["NaT", "2025-02-28", "2025-02-28", "2025-02-28"]
    assert np.isnat(window_start(np.full(4, np.nan), dates)).all()
