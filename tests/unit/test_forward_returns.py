"""What followed: returns by hand, spells counted, no interval for few of them, nothing from the future."""

from __future__ import annotations

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.returns import (
    AssetPath,
    forward,
    par_bond_returns,
    returns_by_regime,
    returns_by_spell,
    spells_of,
)

RULES = load_catalog().method.forward_returns.model_copy(update={"bootstrap_draws": 200})
A, B = "stimulus_into_bubble", "neutral_mid_cycle"


def labels(*runs: tuple[str, int]) -> np.ndarray:
    return np.array([name for name, length in runs for _ in range(length)], dtype=object)


def path(level: np.ndarray) -> AssetPath:
    return AssetPath("gold", "monthly_average", level, 1)


def test_a_bond_whose_yield_stays_earns_its_coupon() -> None:
    earned = par_bond_returns(np.full(3, 6.0))
    assert np.isnan(earned[0])
    # a coupon of 6 % paid half-yearly is worth a little more than par a month on, net of nothing: 0.5 % a month
    np.testing.assert_allclose(earned[1:], 0.005, atol=1e-4)


def test_a_point_more_yield_costs_a_ten_year_bond_about_its_duration() -> None:
    assert par_bond_returns(np.array([4.0, 5.0]))[1] == pytest.approx(-0.0747, abs=0.001)
    assert par_bond_returns(np.array([4.0, 3.0]))[1] == pytest.approx(0.0884, abs=0.002)


def test_a_return_is_from_the_month_end_to_the_horizon_and_never_from_the_future() -> None:
    found = forward(np.array([100.0, 110.0, 121.0, 133.1]), 3)
    np.testing.assert_allclose(found, [33.1, np.nan, np.nan, np.nan])
    assert np.isnan(forward(np.array([1.0, 2.0]), 36)).all()


def test_the_last_run_is_open_and_unscored_months_are_no_spell() -> None:
    runs = spells_of(labels(("indeterminate", 3), (A, 2), (B, 4), (A, 1)))
    assert [(s.regime, s.first, s.last, s.is_open) for s in runs] == [
        (A, 3, 4, False), (B, 5, 8, False), (A, 9, 9, True),
    ]  # fmt: skip


def test_few_spells_have_no_interval_and_many_have_the_same_on_every_run() -> None:
    few = labels(*[(A, 3), (B, 3)] * 4)
    many = labels(*[(A, 3), (B, 3)] * 12)
    level = np.exp(np.random.default_rng(1).normal(0.01, 0.05, len(many)).cumsum())
    assert returns_by_regime(few, [path(level[: len(few)])], RULES)["interval_low_pct"].isna().all()
    once, again = (returns_by_regime(many, [path(level)], RULES) for _ in range(2))
    assert once.equals(again)
    row = once.set_index(["regime", "horizon_months"]).loc[(A, 3)]
    assert row["interval_low_pct"] < row["mean_return_pct"] < row["interval_high_pct"]


def test_overlap_is_what_is_left_when_windows_share_no_month() -> None:
    label = labels((A, 7), (B, 5))
    frame = returns_by_regime(label, [path(np.arange(1.0, 13.0))], RULES)
    row = frame[(frame["regime"] == A) & (frame["horizon_months"] == 3)].iloc[0]
    assert (row["month_ends_measured"], row["overlapping_month_ends"]) == (
        7,
        4,
    )  # months 0, 3 and 6 share no month


def test_a_spell_is_measured_from_its_first_month_end() -> None:
    label = labels((A, 2), (B, 4))
    ends = np.array([f"2020-0{m}-01" for m in range(2, 8)], dtype="datetime64[D]") - 1
    frame = returns_by_spell(ends, label, [path(np.array([1.0, 1.0, 2.0, 1.0, 1.0, 3.0]))], RULES)
    three = frame[frame["horizon_months"] == 3].set_index("regime")["return_pct"]
    assert three[A] == pytest.approx(0.0)
    assert three[B] == pytest.approx(50.0)
