"""The state machine: the order of leaving and entering, confirmation, and what a missing month does."""

from __future__ import annotations

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.state import Scores, spells, states

RULES = load_catalog().method.state
NAN = float("nan")
HOT, WARM, COOL, COLD = 0.65, 0.55, 0.42, 0.30  # enters bubble / holds it / holds depression / enters it


def scores(bubble: list[float], **others: list[float] | float) -> Scores:
    """Valuation, economy and credit as hot as it takes to follow the score, no fast sign, unless given."""
    n = len(bubble)
    plain = {
        "valuation": 0.75,
        "economy": 0.30,
        "credit": 0.50,
        "sahm_gap_pp": 0.0,
        "claims_change_pct": 0.0,
    }
    arrays = {name: np.broadcast_to(np.asarray(v, "float64"), n) for name, v in {**plain, **others}.items()}
    return Scores(np.array(bubble), **arrays)


def run(bubble: list[float], month_end: list[bool] | None = None, **others: list[float] | float) -> list[str]:
    flags = np.ones(len(bubble), dtype=bool) if month_end is None else np.array(month_end)
    return list(states(scores(bubble, **others), flags, RULES).state)


@pytest.mark.parametrize("sign", [{"sahm_gap_pp": 0.5}, {"claims_change_pct": 30.0}])
def test_a_turn_of_the_labour_market_needs_no_second_month(sign: dict[str, float]) -> None:
    assert run([WARM, COLD], **sign) == ["mid_cycle", "depression"]


def test_a_turn_of_the_labour_market_is_no_depression_without_a_cold_score() -> None:
    assert run([WARM, WARM], sahm_gap_pp=2.0, claims_change_pct=300.0) == ["mid_cycle"] * 2


def test_a_bubble_holds_between_its_two_thresholds_and_so_does_a_depression() -> None:
    assert run([HOT, HOT, WARM, 0.52, 0.519]) == ["mid_cycle", "bubble", "bubble", "bubble", "mid_cycle"]
    assert run([COLD, COLD, COOL, 0.44, 0.441])[1:] == ["depression", "depression", "depression", "mid_cycle"]


def test_a_bubble_ends_when_valuation_is_gone_but_not_when_credit_is() -> None:
    assert run([HOT] * 3, valuation=[0.75, 0.75, 0.599]) == ["mid_cycle", "bubble", "mid_cycle"]
    assert run([HOT] * 3, valuation=[0.75, 0.75, 0.60], credit=[0.5, 0.5, 0.1])[-1] == "bubble", "as in 1999"


def test_thresholds_include_equality() -> None:
    assert run([0.60, 0.60], valuation=0.70, credit=0.40)[-1] == "bubble"
    assert run([0.40, 0.40], economy=0.35, credit=0.9)[-1] == "depression"


def test_a_gap_of_exactly_half_a_point_counts_whatever_its_means_leave_in_the_last_digits() -> None:
    unemployment = [4.4, 4.5, 5.8], [4.4, 4.4, 4.4]
    gap = float(np.mean(unemployment[0]) - np.mean(unemployment[1]))
    assert gap < RULES.depression.fast_sahm_gap_pp  # what the means leave
    assert run([0.39], sahm_gap_pp=gap) == ["depression"]
    assert run([0.39], claims_change_pct=30.0 - 1e-12) == ["depression"]
    assert run([0.39], sahm_gap_pp=0.499) == ["mid_cycle"]


def test_a_state_is_left_before_another_is_entered_in_the_same_month() -> None:
    """From bubble into depression at once: the cold month before counts although the state then was bubble."""
    assert run([HOT, HOT, COLD, COLD], sahm_gap_pp=[0, 0, 0, 0])[2:] == ["mid_cycle", "depression"]
    assert run([HOT, HOT, COLD], sahm_gap_pp=[0, 0, 0.6])[2:] == ["depression"]
    assert run([COLD, COLD, HOT, HOT])[2:] == ["mid_cycle", "bubble"]


def test_the_previous_month_counts_also_when_the_state_then_was_another() -> None:
    """Were depression left later than a bubble is entered, the hot months inside it would count."""
    rules = RULES.model_copy(update={"depression": RULES.depression.model_copy(update={"leave_score": 0.70})})
    stored = states(scores([COLD, COLD, HOT, HOT, 0.71]), np.ones(5, dtype=bool), rules).state
    assert list(stored) == ["mid_cycle", "depression", "depression", "depression", "bubble"]


def test_a_month_without_a_score_is_indeterminate_and_starts_over() -> None:
    assert run([HOT, HOT, NAN, HOT, HOT]) == ["mid_cycle", "bubble", "indeterminate", "mid_cycle", "bubble"]
    assert run([COLD, COLD, NAN, COOL])[-1] == "mid_cycle", "not back into the state before"


def test_a_run_date_inside_a_month_carries_the_state_and_shows_its_own_as_provisional() -> None:
    inside = states(scores([HOT, HOT]), np.array([True, False]), RULES)
    assert list(inside.state) == ["mid_cycle", "mid_cycle"]
    assert list(inside.provisional) == [None, "bubble"]
    missing = states(scores([HOT, NAN]), np.array([True, False]), RULES)
    assert list(missing.state) == ["mid_cycle", "indeterminate"]


def test_a_run_date_inside_a_month_does_not_advance_the_machine() -> None:
    assert run([HOT, HOT, WARM, HOT], [True, False, True, True])[-1] == "mid_cycle"


def test_an_absent_labour_sign_does_not_stop_the_other() -> None:
    assert run([WARM, COLD], sahm_gap_pp=NAN, claims_change_pct=40.0)[-1] == "depression"
    assert run([WARM, COLD], sahm_gap_pp=NAN, claims_change_pct=NAN)[-1] == "mid_cycle"


def test_spells_are_runs_of_equal_labels() -> None:
    labels = np.array(["a", "a", "b", "a"], dtype=object)
    assert list(spells(labels)) == [(0, 1), (2, 2), (3, 3)]
    assert list(spells(labels[:0])) == []


def test_confirmation_is_a_parameter() -> None:
    three = RULES.model_copy(update={"confirmation_months": 3})
    found = states(scores([HOT] * 3), np.ones(3, dtype=bool), three).state
    assert list(found) == ["mid_cycle", "mid_cycle", "bubble"]
