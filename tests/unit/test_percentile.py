"""The rank of a value among its own past."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.compute.calendar import days
from assets.compute.conditions import percentile, window_start


def rank(values: list[float], minimum: int = 1, month_end: list[bool] | None = None) -> np.ndarray:
    is_month_end = np.ones(len(values), dtype=bool) if month_end is None else np.array(month_end)
    return percentile(np.array(values, dtype="float64"), is_month_end, minimum, 6)


def test_values_are_compared_as_published_not_as_computed() -> None:
    assert rank([0.3, 0.1 + 0.2])[-1] == 0.5, "the two differ in the seventeenth digit only"
    assert rank([1.0000001, 1.0000004])[-1] == 0.5
    assert rank([1.000001, 1.000004])[-1] == 0.75


def test_a_rank_uses_no_later_value() -> None:
    past = [3.0, 1.0, 2.0, 2.5]
    np.testing.assert_array_equal(rank([*past, 0.0, 9.0, 9.0])[:4], rank(past))


def test_fewer_values_than_the_minimum_give_no_rank() -> None:
    ranks = rank([float(n) for n in range(121)], minimum=120)
    assert np.isnan(ranks[118])
    assert ranks[119] == pytest.approx(119.5 / 120)


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
