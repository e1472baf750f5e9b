"""The label put together, and the evidence that adds up to its score, on the sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.regime import regime_name
from tests.helpers import Computed, on_sample

SCORED = ("valuation", "economy", "credit")


@pytest.fixture(scope="module")
def computed() -> Computed:
    return on_sample()


@pytest.mark.parametrize(
    ("state", "stance", "name"),
    [
        ("bubble", "stimulus", "stimulus_into_bubble"),
        ("depression", "stimulus", "stimulus_into_depression"),
        ("mid_cycle", "stimulus", "stimulus_mid_cycle"),
        ("bubble", "tightening", "tightening_into_bubble"),
        ("depression", "tightening", "tightening_into_depression"),
        ("mid_cycle", "tightening", "tightening_mid_cycle"),
        ("bubble", "neutral", "neutral_bubble"),
        ("depression", "neutral", "neutral_depression"),
        ("mid_cycle", "neutral", "neutral_mid_cycle"),
        ("indeterminate", "stimulus", "indeterminate"),
    ],
)
def test_the_label_is_a_lookup(state: str, stance: str, name: str) -> None:
    found = regime_name(np.array([state], dtype=object), np.array([stance], dtype=object))
    assert found.tolist() == [name]


def test_contributions_add_up_to_the_score_and_inflation_adds_nothing(computed: Computed) -> None:
    total = computed.evidence.groupby("as_of_date")["contribution"].sum()
    scored = computed.frame["bubble_score"].dropna()
    np.testing.assert_allclose(total[scored.index], scored, atol=1e-12)
    inflation = computed.evidence[computed.evidence["condition"] == "inflation"]
    assert (inflation["contribution"] == 0).all()


def test_weights_of_a_condition_sum_to_one_wherever_it_has_a_score(computed: Computed) -> None:
    weights = computed.evidence.groupby(["condition", "as_of_date"])["weight"].sum()
    for name in SCORED:
        scored = computed.frame[f"{name}_score"].dropna().index
        np.testing.assert_allclose(weights[name][scored], 1.0)


def test_no_evidence_became_known_after_its_row(computed: Computed) -> None:
    known = computed.evidence.dropna(subset=["available_on"])
    assert (known["available_on"] <= known["as_of_date"]).all()
    provenance = pd.concat([table.provenance for table in computed.tables.values()])
    known = provenance.dropna(subset=["available_on"])
    assert (known["available_on"] <= known["as_of_date"]).all()


def test_every_component_without_weight_says_why(computed: Computed) -> None:
    silent = computed.evidence[(computed.evidence["weight"] == 0) & computed.evidence["absent_reason"].isna()]
    assert silent.empty
    counted = computed.evidence[computed.evidence["weight"] > 0]
    assert counted["absent_reason"].isna().all()
    assert counted["score"].notna().all()


def test_every_indeterminate_row_says_why_and_no_other_does(computed: Computed) -> None:
    is_indeterminate = computed.frame["condition_state"] == "indeterminate"
    assert (computed.frame["indeterminate_reason"].notna() == is_indeterminate).all()
    assert (computed.frame.loc[is_indeterminate, "regime"] == "indeterminate").all()
    assert computed.frame.loc[is_indeterminate, "bubble_score"].isna().all()


def test_a_label_since_is_the_first_date_of_its_run(computed: Computed) -> None:
    frame = computed.frame
    changes = frame["regime"] != frame["regime"].shift()
    assert (frame.index[changes] == frame.loc[changes, "regime_since"]).all()
    assert (frame.loc[~changes, "regime_since"] < frame.index[~changes]).all()


def test_confidence_is_coverage_freshness_and_agreement(computed: Computed) -> None:
    frame = computed.frame
    expected = frame["coverage"] * frame["freshness"] * frame["agreement"]
    np.testing.assert_allclose(frame["confidence"], expected)


def test_the_sample_says_that_its_credit_condition_is_at_the_minimum(computed: Computed) -> None:
    newest = computed.row("2026-05")
    assert newest["conditions_at_minimum_coverage"] == "credit"
    assert newest["credit_coverage"] == 0.5
    assert newest["is_spread_missing"]
    assert newest["valuation_coverage"] == pytest.approx(0.87), "no CAPE in the sample"
    assert newest["pit_grade"] == "pseudo"
