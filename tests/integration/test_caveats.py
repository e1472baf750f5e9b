"""Caveats are one set of rows, in the file and in `show`; each applies exactly while its reason is there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.caveats import INPUTS, caveats_frame
from assets.warehouse.readers import read_table
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import Night, copied


@pytest.fixture(scope="module")
def frames(_made_night: Night, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """The tables caveats are made of."""
    tables, night = load_catalog().tables, copied(_made_night, tmp_path_factory.mktemp("caveats"))
    with open_warehouse(night.warehouse) as con:
        return {name: read_table(con, f"{tables[name].layer}.{name}") for name in INPUTS}


def applying(frame: pd.DataFrame) -> set[str]:
    return set(frame.loc[frame["applies_now"], "caveat_id"])


def test_every_absent_input_is_a_caveat(frames: dict[str, pd.DataFrame]) -> None:
    evidence = frames["regime_evidence"]
    newest = evidence[evidence["as_of_date"] == evidence["as_of_date"].max()]
    absent = set(newest.loc[newest["value"].isna(), "component"])
    assert len(absent) >= 5
    found = caveats_frame(frames, load_catalog())
    assert {f"missing_{name}" for name in absent} <= applying(found)
    assert not found["text"].str.contains(r"[{}]|\bnan\b", regex=True).any()
    columns = {f"{t.name}.{c}" for t in load_catalog().tables.values() for c in t.column_names}
    assert {name for c in load_catalog().caveats.values() for name in c.affects} <= columns


@pytest.mark.parametrize(
    ("table", "column", "value", "caveat", "applies"),
    [
        ("regime", "is_stance_provisional", False, "stance_is_provisional", False),
        ("regime", "is_month_end", False, "run_date_is_provisional", True),
        ("regime", "distance_to_threshold", 0.01, "near_a_threshold", True),
        ("regime", "score_p05", 0.51, "range_over_weights_spans_a_threshold", True),
        ("regime", "regime", "indeterminate", "condition_not_measured", True),
        ("regime", "profile", "live", "sample_profile", False),
        ("regime", "is_spread_missing", True, "corporate_spread_missing", True),
        ("regime", "pit_grade", "real_time", "pseudo_point_in_time", False),
        ("regime", "conditions_at_minimum_coverage", "credit", "condition_at_minimum_coverage", True),
        ("regime_revised", "is_same_regime", False, "one_vintage", False),  # though no score moved
        ("real_yields", "policy_rate_change_6m_pp", np.nan, "stance_input_missing", "the policy rate"),
        ("reserve_growth", "balance_sheet_impulse_pct_gdp", np.nan, "stance_input_missing", "impulse"),
        ("monetisation", "is_denominator_distorted", True, "debt_change_is_distorted", "1.40 of the deficit"),
    ],
)
def test_a_caveat_applies_exactly_while_its_reason_is_there(
    frames: dict[str, pd.DataFrame], table: str, column: str, value: object, caveat: str, applies: bool | str
) -> None:
    """`applies`: whether with the value; a text that the caveat then has."""
    assert (caveat in applying(caveats_frame(frames, load_catalog()))) is not bool(applies)
    changed = frames[table].copy()
    changed.loc[changed.index[-1], column] = value
    found = caveats_frame({**frames, table: changed}, load_catalog())
    assert (caveat in applying(found)) is bool(applies)
    if isinstance(applies, str):
        assert applies in found.set_index("caveat_id").loc[caveat, "text"]


def test_claims_that_are_late_are_a_caveat(frames: dict[str, pd.DataFrame]) -> None:
    assert "claims_late" not in applying(caveats_frame(frames, load_catalog()))
    evidence = frames["regime_evidence"].copy()
    newest = (evidence["series_ids"] == "ICSA") & (evidence["as_of_date"] == evidence["as_of_date"].max())
    evidence.loc[newest, "observation_date"] = evidence["as_of_date"].max() - pd.Timedelta(days=32)
    found = caveats_frame({**frames, "regime_evidence": evidence}, load_catalog())
    assert "are 32 days old" in found.set_index("caveat_id").loc["claims_late", "text"]
    assert "claims_late" in applying(found)
