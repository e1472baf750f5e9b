"""The label put together, what is shown next to it, and the evidence that adds up to its score."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute import regime
from assets.compute.calendar import days
from assets.compute.conditions import Block, Component, Condition, condition
from assets.compute.grid import Grid
from assets.compute.reading import Reading
from tests.helpers import on_sample, reading

CATALOG = load_catalog()
METHOD = CATALOG.method
NAN = float("nan")


def obj(*values: object) -> np.ndarray:
    return np.array(values, dtype=object)


EDGES = np.array(
    [*product((NAN, -0.1, 0.0, 0.01, 0.49, 0.5, 5.0, 5.01, 9.99, 10.0), repeat=2)]
).T  # two figures each at every limit of these rules and next to it


def test_the_balance_sheet_test_at_every_edge() -> None:
    found = regime.balance_sheet_test(*EDGES, METHOD.balance_sheet.leaning_limit_pp)
    for growth, excess, name in zip(*EDGES, found, strict=True):
        if growth < 0.0:
            plain = "shrinking"  # needs no comparison
        elif np.isnan(growth) or np.isnan(excess):
            plain = None
        else:
            plain = "technical" if excess <= 0.0 else "leaning" if excess <= 5.0 else "stimulative"
        assert name == plain, (growth, excess)


def test_a_melt_up_needs_both_and_is_unknown_without_one() -> None:
    found = regime.melt_up(*EDGES, METHOD)
    for impulse, change, is_melt_up in zip(*EDGES, found, strict=True):
        unknown = np.isnan(impulse) or np.isnan(change)
        assert is_melt_up == (None if unknown else impulse >= 0.5 and change >= 10.0), (impulse, change)


def test_the_time_to_sell_window_is_a_bubble_still_being_fed() -> None:
    states = ("bubble", "mid_cycle", "depression", "indeterminate")
    for state, stance, melt_up in product(states, ("stimulus", "neutral", "tightening"), (True, False, None)):
        if state == "indeterminate":
            plain = None  # not false: it is unknown
        elif state == "bubble" and stance == "neutral":
            plain = melt_up
        else:  # the tightening that ends a bubble closes the window
            plain = state == "bubble" and stance == "stimulus"
        assert regime.time_to_sell(obj(state), obj(stance), obj(melt_up)).tolist() == [plain]


def test_distance_is_to_the_threshold_in_force_in_that_state() -> None:
    states = obj("bubble", "mid_cycle", "mid_cycle", "depression", "indeterminate")
    found = regime.distance_to_threshold(np.array([0.55, 0.58, 0.43, 0.43, NAN]), states, METHOD)
    assert found.tolist() == pytest.approx([0.03, 0.02, 0.03, 0.01, NAN], nan_ok=True)


def component(name: str, score: float, source: Reading | None = None) -> Component:
    scores = np.array([score])
    return Component(name, "t.c", reading([score]) if source is None else source, scores, scores)


def test_a_condition_at_its_minimum_is_named() -> None:
    def covered(name: str, weight: float) -> Condition:
        blocks = [Block(weight, [component("there", 0.5)]), Block(1 - weight, [component("gone", NAN)])]
        return condition(name, blocks, METHOD)

    found = [covered("valuation", 0.87), covered("economy", 0.51), covered("credit", 0.5)]
    assert regime.conditions_at_minimum(found, METHOD).tolist() == ["credit"]
    assert regime.conditions_at_minimum(found[:2], METHOD).tolist() == [None]


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


def test_contributions_add_up_to_the_score_and_nothing_without_weight_lacks_a_reason() -> None:
    evidence, scored = on_sample().evidence, on_sample().frame["bubble_score"].dropna()
    total = evidence.groupby("as_of_date")["contribution"].sum()
    np.testing.assert_allclose(total[scored.index], scored, atol=1e-12)
    assert (evidence.loc[evidence["condition"] == "inflation", "contribution"] == 0).all()
    counted = evidence["weight"] > 0
    assert (counted == evidence["absent_reason"].isna()).all() and evidence.loc[
        counted, "score"
    ].notna().all()
