"""The label put together, what is shown next to it, and the evidence that adds up to its score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute import regime
from assets.compute.calendar import days
from assets.compute.conditions import Block, Component, Condition, condition
from assets.compute.grid import Grid
from assets.compute.reading import Reading
from tests.helpers import Computed, on_sample, reading

CATALOG = load_catalog()
METHOD = CATALOG.method
NAN = float("nan")


def obj(*values: object) -> np.ndarray:
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    ("growth", "excess", "name"),
    [
        (-0.1, 9.0, "shrinking"),
        (0.0, 0.0, "technical"),
        (4.0, -1.0, "technical"),
        (4.0, 0.01, "leaning"),
        (4.0, 5.0, "leaning"),
        (4.0, 5.01, "stimulative"),
        (-0.1, NAN, "shrinking"),  # needs no comparison
        (4.0, NAN, None),
        (NAN, 1.0, None),
    ],
)
def test_balance_sheet_test_names_every_edge(growth: float, excess: float, name: str | None) -> None:
    limit = METHOD.balance_sheet.leaning_limit_pp
    found = regime.balance_sheet_test(np.array([growth]), np.array([excess]), limit)
    assert found.tolist() == [name]


@pytest.mark.parametrize(
    ("impulse", "change", "expected"),
    [(0.5, 10.0, True), (0.49, 30.0, False), (3.0, 9.9, False), (NAN, 30.0, None), (3.0, NAN, None)],
)
def test_melt_up_needs_both_and_is_unknown_without_one(
    impulse: float, change: float, expected: bool | None
) -> None:
    found = regime.melt_up(np.array([impulse]), np.array([change]), METHOD)
    assert found.tolist() == [expected]


@pytest.mark.parametrize(
    ("state", "stance", "melt_up", "expected"),
    [
        ("indeterminate", "stimulus", True, None),  # not false: it is unknown
        ("bubble", "stimulus", False, True),
        ("bubble", "stimulus", None, True),
        ("bubble", "neutral", True, True),
        ("bubble", "neutral", None, None),
        ("bubble", "tightening", True, False),  # the tightening that ends it closes the window
        ("mid_cycle", "stimulus", True, False),
        ("depression", "stimulus", True, False),  # as in 2009-11
    ],
)
def test_the_time_to_sell_window_is_a_bubble_still_being_fed(
    state: str, stance: str, melt_up: bool | None, expected: bool | None
) -> None:
    found = regime.time_to_sell(obj(state), obj(stance), obj(melt_up))
    assert found.tolist() == [expected]


@pytest.mark.parametrize(
    ("score", "state", "distance"),
    [
        (0.55, "bubble", 0.03),
        (0.58, "mid_cycle", 0.02),
        (0.43, "mid_cycle", 0.03),
        (0.43, "depression", 0.01),
        (NAN, "indeterminate", NAN),
    ],
)
def test_distance_is_to_the_threshold_in_force_in_that_state(
    score: float, state: str, distance: float
) -> None:
    found = regime.distance_to_threshold(np.array([score]), obj(state), METHOD)
    assert found[0] == pytest.approx(distance, nan_ok=True)


def component(name: str, score: float, source: Reading | None = None) -> Component:
    scores = np.array([score])
    return Component(name, "t.c", reading([score]) if source is None else source, scores, scores)


def three(weights: Mapping[str, float]) -> dict[str, Condition]:
    """V, E and C, each with one component of that weight and an absent one for the rest."""
    return {
        name: condition(
            name,
            [
                Block(weight, [component(f"{name}_there", 0.5)]),
                Block(1 - weight, [component(f"{name}_gone", NAN)]),
            ],
            METHOD,
        )
        for name, weight in weights.items()
    }


def test_a_condition_at_its_minimum_is_named() -> None:
    found = three({"valuation": 0.87, "economy": 1.0, "credit": 0.5})
    assert regime.conditions_at_minimum([*found.values()], METHOD).tolist() == ["credit"]
    assert regime.conditions_at_minimum([*three({"economy": 0.51}).values()], METHOD).tolist() == [None]


def test_a_reconstructed_figure_makes_the_row_pseudo_only_where_it_counts() -> None:
    pseudo = reading([0.5], is_pseudo=np.array([True]))
    counted = condition("a", [Block(1.0, [component("x", 0.5, pseudo)])], METHOD)
    assert regime.pit_grade([counted]).tolist() == ["pseudo"]
    colder = Block(1.0, [component("x", 0.5, pseudo), component("y", 0.2)], rule="min")
    assert regime.pit_grade([condition("a", [colder], METHOD)]).tolist() == ["real_time"]


def freshness(series_ids: str, observation: str, as_of: str) -> float:
    grid = Grid(days(as_of))
    stored = reading(
        [1.0], series_ids=obj(series_ids), observation_date=days(observation), available_on=days(as_of)
    )
    only = condition("a", [Block(1.0, [component("x", 0.5, stored)])], METHOD)
    return float(regime.freshness([only], grid, CATALOG)[0])


def test_freshness_is_that_of_the_slowest_input_whichever_is_named_first() -> None:
    # Z.1 comes 75 days after its quarter, profits after 60: the ratio is as fresh as Z.1 allows
    assert freshness("CP,NCBEILQ027S_GDP_PCT,GDP", "2025-04-01", "2025-12-14") == 1.0
    assert freshness("NCBEILQ027S_GDP_PCT,CP,GDP", "2025-04-01", "2025-12-14") == 1.0
    assert freshness("DGS10,UNRATE", "2025-06-01", "2025-08-10") == 1.0


@pytest.fixture(scope="module")
def computed() -> Computed:
    return on_sample()


def test_contributions_add_up_to_the_score_and_inflation_adds_nothing(computed: Computed) -> None:
    total = computed.evidence.groupby("as_of_date")["contribution"].sum()
    scored = computed.frame["bubble_score"].dropna()
    np.testing.assert_allclose(total[scored.index], scored, atol=1e-12)
    inflation = computed.evidence[computed.evidence["condition"] == "inflation"]
    assert (inflation["contribution"] == 0).all()


def test_every_component_without_weight_has_a_reason(computed: Computed) -> None:
    silent = computed.evidence[(computed.evidence["weight"] == 0) & computed.evidence["absent_reason"].isna()]
    assert silent.empty
    counted = computed.evidence[computed.evidence["weight"] > 0]
    assert counted["absent_reason"].isna().all()
    assert counted["score"].notna().all()
