"""The state machine: every order of months at and around its thresholds, and what a run inside a month does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from assets.catalog.loader import load_catalog
from assets.compute.state import Scores, spells, states
from tests import plain_method

RULES = load_catalog().method.state
NAN = float("nan")
HOT, WARM, COOL, COLD = 0.65, 0.55, 0.42, 0.30  # enters bubble / holds it / holds depression / enters it
# score, valuation, economy, credit, Sahm gap and change of claims of months at a threshold or just beside it
MONTHS = np.array([
    *[(HOT, 0.75, 0.60, 0.50, 0.0, 0.0)] * 6,
    (0.60, 0.70, 0.60, 0.40, 0.0, 0.0), (0.599, 0.70, 0.60, 0.40, 0.0, 0.0),
    (0.60, 0.699, 0.60, 0.40, 0.0, 0.0), (HOT, 0.75, 0.60, 0.399, 0.0, 0.0), (HOT, 0.60, 0.60, 0.10, 0.0, 0.0),
    (HOT, 0.599, 0.60, 0.50, 0.0, 0.0), (0.52, 0.75, 0.60, 0.50, 0.0, 0.0), (0.519, 0.75, 0.60, 0.50, 0.0, 0.0),
    (WARM, 0.75, 0.60, 0.50, 2.0, 300.0), (COOL, 0.75, 0.30, 0.50, 2.0, 300.0), (NAN, NAN, 0.30, NAN, 0.6, 0.0),
    (0.44, 0.40, 0.30, 0.50, 0.0, 0.0), (0.441, 0.40, 0.30, 0.50, 0.0, 0.0),
    *[(COLD, 0.40, 0.30, 0.50, 0.0, 0.0)] * 6,
    (0.40, 0.40, 0.35, 0.90, 0.0, 0.0), (0.401, 0.40, 0.35, 0.90, 0.0, 0.0), (0.40, 0.40, 0.351, 0.251, 0.0, 0.0),
    (0.40, 0.40, 0.90, 0.25, 0.0, 0.0), (COLD, 0.40, 0.30, 0.50, 0.5, 0.0), (COLD, 0.40, 0.30, 0.50, 0.499, 29.9),
    (COLD, 0.40, 0.30, 0.50, 0.0, 30.0), (COLD, 0.40, 0.30, 0.50, NAN, 40.0), (COLD, 0.40, 0.30, 0.50, NAN, NAN),
])  # fmt: skip


def test_every_order_of_months_leaves_and_enters_as_the_methodology_says() -> None:
    months = MONTHS[np.random.default_rng(7).integers(0, len(MONTHS), 20_000)]
    found = list(states(Scores(*months.T), np.ones(len(months), dtype=bool), RULES).state)
    assert found == plain_method.states(map(tuple, months))
    follows = set(pairwise(found))
    assert len(follows) == 4 * 4 - 2, (
        "into indeterminate from each, and from it only into mid-cycle or depression"
    )


def scores(bubble: list[float], **others: float) -> Scores:
    """Valuation, economy and credit as hot as it takes to follow the score, no fast sign, unless given."""
    plain = {"valuation": 0.75, "economy": 0.30, "credit": 0.50, "sahm_gap_pp": 0.0, "claims_change_pct": 0.0}
    return Scores(
        np.array(bubble), **{name: np.full(len(bubble), v) for name, v in {**plain, **others}.items()}
    )


def test_a_gap_of_exactly_half_a_point_counts_whatever_its_means_leave_in_the_last_digits() -> None:
    unemployment = [4.4, 4.5, 5.8], [4.4, 4.4, 4.4]
    gap = float(np.mean(unemployment[0]) - np.mean(unemployment[1]))
    assert gap < RULES.depression.fast_sahm_gap_pp  # what the means leave
    for sign in ({"sahm_gap_pp": gap}, {"claims_change_pct": 30.0 - 1e-12}):
        assert states(scores([0.39], **sign), np.array([True]), RULES).state.tolist() == ["depression"]


def test_a_run_date_inside_a_month_carries_the_state_and_shows_its_own_as_provisional() -> None:
    inside = states(scores([HOT, HOT]), np.array([True, False]), RULES)
    assert list(inside.state) == ["mid_cycle", "mid_cycle"]
    assert list(inside.provisional) == [None, "bubble"]
    missing = states(scores([HOT, NAN]), np.array([True, False]), RULES)
    assert list(missing.state) == ["mid_cycle", "indeterminate"]
    not_advanced = states(scores([HOT, HOT, WARM, HOT]), np.array([True, False, True, True]), RULES)
    assert not_advanced.state[-1] == "mid_cycle"


def test_spells_are_runs_of_equal_labels() -> None:
    labels = np.array(["a", "a", "b", "a"], dtype=object)
    assert list(spells(labels)) == [(0, 1), (2, 2), (3, 3)]
    assert list(spells(labels[:0])) == []


def test_confirmation_is_a_parameter() -> None:
    three = RULES.model_copy(update={"confirmation_months": 3})
    found = states(scores([HOT] * 3), np.ones(3, dtype=bool), three).state
    assert list(found) == ["mid_cycle", "mid_cycle", "bubble"]
