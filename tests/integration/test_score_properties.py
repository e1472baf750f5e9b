"""A later run gives the same diagnostics of the past, and an early one has every table."""

from __future__ import annotations

import pandas as pd
import pytest

from assets.compute.registry import REGISTRY
from tests.helpers import on_sample


@pytest.mark.parametrize(
    "table",
    ["score_attribution", "regime_changes", "distance_to_flip", "parameter_sensitivity", "method_variants"],
)
def test_diagnostics_of_the_past_are_the_same_in_a_later_run(table: str) -> None:
    early, late = on_sample("2015-06-30"), on_sample()
    built = [c.run.table(table) for c in (early, late)]
    past = built[1][built[1]["as_of_date"] <= "2015-06-30"].reset_index(drop=True)
    pd.testing.assert_frame_equal(built[0].reset_index(drop=True), past, check_dtype=False)


def test_a_run_before_the_first_score_has_every_table_and_nothing_to_explain() -> None:
    early = on_sample("1990-06-15")
    tables = {
        name: early.run.built(name).frame for name, one in REGISTRY.items() if one.build and name != "caveats"
    }
    for name, frame in tables.items():
        declared = early.catalog.tables[name]
        assert len(frame) or declared.may_be_empty, name
        assert set(declared.column_names) - set(frame) <= {"profile", "first_published_at"}, name
    for name in ("score_attribution", "regime_changes", "parameter_sensitivity"):
        assert tables[name].empty, name
    assert set(tables["distance_to_flip"]["condition"]) <= {"stance"}
    assert set(tables["effective_weights"]["era"]) == {"all"}
    without_score = {
        "regime": "score_p05", "effective_weights": "effective_weight", "base_rates": "share",
        "recession_overlap": "recession_share",
    }  # fmt: skip
    for name, column in without_score.items():
        assert len(tables[name]) and tables[name][column].isna().all(), name
