"""Conditions: ranks among the past on one basis, as published, and coverage of exactly the minimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.catalog.method import Percentile
from assets.compute.calendar import month_ends
from assets.compute.conditions import (
    Block,
    Component,
    Scorer,
    condition,
    percentile,
)
from assets.compute.grid import Grid
from assets.compute.reading import EARNINGS, Bases
from tests.helpers import reading

METHOD = load_catalog().method
NAN = float("nan")
MONTHS = month_ends(np.datetime64("2014-01-31", "D"), np.datetime64("2024-12-31", "D"))
N = len(MONTHS)
RISING = np.arange(N, dtype="float64")
ERP = "equity_risk_premium."


def block(weight: float, score: float) -> Block:
    scores = np.array([score])
    return Block(weight, [Component("a", "t.c", reading([score]), scores, scores)])


def test_coverage_of_exactly_the_minimum_is_enough_whatever_the_rounding_of_the_sum() -> None:
    blocks = [*(block(weight, 0.5) for weight in (0.1, 0.1, 0.1, 0.2)), block(0.5, NAN)]
    result = condition("test", blocks, METHOD)
    assert result.coverage[0] == 0.5
    assert result.score[0] == pytest.approx(0.5)


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
    assert found[-1] == pytest.approx(0.5 / N), "the lowest of the accounts, not the highest of a mixture"
    assert found[-3] == pytest.approx((N - 2.5) / (N - 2)), "the highest of the reported"
    past = scored.hot_when_low("earnings_yield", column).past
    assert past[-1].tolist() == accounts.tolist()
    assert past[-3][:-2].tolist() == reported[:-2].tolist()


def rank(values: list[float], minimum: int = 1, month_end: list[bool] | None = None) -> np.ndarray:
    is_month_end = np.ones(len(values), dtype=bool) if month_end is None else np.array(month_end)
    rules = Percentile(minimum_history=minimum, value_decimals=6)
    return percentile(np.array(values, dtype="float64"), is_month_end, rules)


def test_values_are_compared_as_published_not_as_computed() -> None:
    assert rank([0.3, 0.1 + 0.2])[-1] == 0.5, "the two differ in the seventeenth digit only"
    assert rank([1.0000001, 1.0000004])[-1] == 0.5
    assert rank([1.000001, 1.000004])[-1] == 0.75


@given(st.lists(st.one_of(st.just(float("nan")), st.integers(0, 5).map(float)), min_size=1, max_size=30))
def test_the_matrix_agrees_with_counting(values: list[float]) -> None:
    for got, n in zip(rank(values, minimum=3), range(len(values)), strict=True):
        own = [v for v in values[: n + 1] if not np.isnan(v)]
        if np.isnan(values[n]) or len(own) < 3:
            assert np.isnan(got)
        else:
            expected = sum(v < values[n] for v in own) + 0.5 * sum(v == values[n] for v in own)
            assert got == pytest.approx(expected / len(own))
