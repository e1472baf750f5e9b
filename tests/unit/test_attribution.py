"""Why the score and the label moved: sums without a rest, and causes a reader of the day would name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from assets.compute.diagnostics.attribution import regime_changes
from tests.helpers import on_sample

EXACT = 1e-12


def changes() -> pd.DataFrame:
    return on_sample().run.table("regime_changes").set_index("as_of_date")


def test_no_date_is_explained_with_a_rest() -> None:
    attribution = on_sample().run.table("score_attribution")
    score = on_sample().frame["bubble_score"]
    by_date = attribution.groupby("as_of_date")
    np.testing.assert_allclose(
        by_date["contribution_change"].sum(), score.diff().reindex(by_date.groups.keys()), atol=EXACT, rtol=0
    )
    assert len(by_date) == score.diff().notna().sum() > 370
    rest = attribution["contribution_change"] - attribution["score_effect"] - attribution["weight_effect"]
    assert rest.abs().max() < EXACT


def test_a_vanished_input_is_an_effect_of_weights_and_not_of_scores() -> None:
    """The sample has no bank credit after 10 June 2026; the other blocks of credit then weigh more."""
    attribution = on_sample().run.table("score_attribution")
    gone = attribution[attribution["component"] == "real_bank_credit"].set_index("as_of_date")
    last = gone.index[(gone["contribution"] == 0) & (gone["contribution_before"] > 0)]
    assert len(last) > 0
    assert (gone.loc[last, "score_effect"] == 0).all()
    assert (gone.loc[last, "weight_effect"] == -gone.loc[last, "contribution_before"]).all()


def test_every_change_of_label_is_there_and_nothing_else() -> None:
    label = on_sample().frame["regime"]
    changed = label.index[(label != label.shift()) & label.shift().notna()]
    assert list(changes().index) == list(changed)


@pytest.mark.parametrize(
    ("month_end", "cause", "announced"),
    [
        ("2010-11-30", "balance_sheet", "2010-11-03"),  # QE2
        ("2010-03-31", "balance_sheet", "2009-11-04"),  # LSAP1 ends, announced more than 90 days before
        ("2012-09-30", "balance_sheet", "2012-09-13"),  # QE3
        ("2025-10-31", "balance_sheet", "2025-10-29"),  # the end of the run-off the post reacts to
        ("2022-03-31", "rate", None),  # the first increase
    ],
)
def test_a_change_of_stance_names_the_decision(month_end: str, cause: str, announced: str | None) -> None:
    row = changes().loc[month_end]
    assert row["stance_cause"] == cause
    assert (
        pd.isna(row["policy_event_date"])
        if announced is None
        else row["policy_event_date"] == pd.Timestamp(announced)
    )


def test_a_component_of_another_condition_is_never_named_for_a_threshold_of_valuation() -> None:
    of_valuation = changes()[
        changes()["thresholds_crossed"].str.fullmatch(r"valuation_score [^;]*", na=False)
    ]
    assert len(of_valuation) >= 4
    assert set(of_valuation["component_condition"]) == {"valuation"}


def test_the_sign_that_moved_is_named_where_only_the_colder_of_two_counts() -> None:
    """In March 2020 claims rose and took over from the Sahm gap, which stayed where it was."""
    assert changes().loc["2020-03-31", "component"] == "claims_change"


def test_a_live_label_no_threshold_explains_has_no_component() -> None:
    """The rows about a live one healed, and its own measures pass no threshold seen from theirs."""
    computed = on_sample()
    regime = computed.regime
    inside = np.flatnonzero(regime.states.state == "bubble")[3]
    state, label = regime.states.state.copy(), regime.label.copy()
    state[inside], label[inside] = "mid_cycle", "stimulus_mid_cycle"
    live = replace(regime, states=replace(regime.states, state=state), label=label)
    found = regime_changes(live).set_index("as_of_date")
    row = found.loc[pd.Timestamp(regime.grid.as_of[inside])]
    assert row["condition_state"] == "mid_cycle" and row["changed_part"] in ("condition", "both")
    assert row[["component", "thresholds_crossed", "compared_with_date"]].isna().all()
    assert (found["component"].isna() == found["thresholds_crossed"].isna()).all()
