"""Caveats are one set of rows: what the file holds is what `show` says, and what is missing now is among them."""

from __future__ import annotations

import string

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.caveats import INPUTS, caveats_frame
from assets.warehouse.connection import CONFIG, open_warehouse
from assets.warehouse.readers import read_table
from pipelines.published_verdict import read_verdict, verdict_lines
from tests.integration.conftest import Night


@pytest.fixture
def frames(night: Night) -> dict[str, pd.DataFrame]:
    tables = load_catalog().tables
    with open_warehouse(night.warehouse) as con:
        return {name: read_table(con, f"{tables[name].layer}.{name}") for name in INPUTS}


def applying(frame: pd.DataFrame) -> set[str]:
    return set(frame.loc[frame["applies_now"], "caveat_id"])


def test_show_and_the_file_say_the_same(night: Night) -> None:
    with duckdb.connect(str(night.staged), read_only=True, config=CONFIG) as release:
        verdict = read_verdict(release)
        held = release.execute("SELECT caveat_id, severity FROM caveats WHERE applies_now").fetchall()
    assert {(row["caveat_id"], row["severity"]) for row in verdict.caveats} == set(held)
    line = next(line for line in verdict_lines(verdict, night.staged) if line.startswith("caveats"))
    assert f"{len(held)} apply" in line
    assert "corporate spread missing" in line and "sample profile" in line


def test_every_absent_input_is_a_caveat(frames: dict[str, pd.DataFrame]) -> None:
    evidence = frames["regime_evidence"]
    newest = evidence[evidence["as_of_date"] == evidence["as_of_date"].max()]
    absent = set(newest.loc[newest["value"].isna(), "component"])
    assert len(absent) >= 5
    assert {f"missing_{name}" for name in absent} <= applying(caveats_frame(frames, load_catalog()))


@pytest.mark.parametrize(
    ("column", "value", "caveat"),
    [
        ("is_stance_provisional", True, "stance_is_provisional"),
        ("is_month_end", False, "run_date_is_provisional"),
        ("distance_to_threshold", 0.01, "near_a_threshold"),
        ("score_p05", 0.51, "range_over_weights_spans_a_threshold"),
        ("regime", "indeterminate", "condition_not_measured"),
    ],
)
def test_a_caveat_applies_exactly_when_the_newest_row_asks_for_it(
    frames: dict[str, pd.DataFrame], column: str, value: object, caveat: str
) -> None:
    assert caveat not in applying(caveats_frame(frames, load_catalog()))
    regime = frames["regime"].copy()
    regime.loc[regime.index[-1], column] = value
    assert caveat in applying(caveats_frame({**frames, "regime": regime}, load_catalog()))


@pytest.mark.parametrize(
    ("table", "column", "value", "caveat", "said"),
    [
        ("real_yields", "policy_rate_change_6m_pp", np.nan, "stance_input_missing", "the policy rate"),
        ("reserve_growth", "balance_sheet_impulse_pct_gdp", np.nan, "stance_input_missing", "impulse"),
        ("monetisation", "is_denominator_distorted", True, "debt_change_is_distorted", "1.21 of the deficit"),
    ],
)
def test_what_stands_beside_the_label_is_asked_of_its_own_table(
    frames: dict[str, pd.DataFrame], table: str, column: str, value: object, caveat: str, said: str
) -> None:
    assert caveat not in applying(caveats_frame(frames, load_catalog()))
    changed = frames[table].copy()
    changed.loc[changed.index[-1], column] = value
    found = caveats_frame({**frames, table: changed}, load_catalog()).set_index("caveat_id").loc[caveat]
    assert found["applies_now"] and said in found["text"]


def test_a_label_that_a_revision_changes_is_a_revision_even_where_the_score_stands(
    frames: dict[str, pd.DataFrame],
) -> None:
    assert "one_vintage" in applying(caveats_frame(frames, load_catalog()))
    revised = frames["regime_revised"].copy()
    revised.loc[revised.index[-1], "is_same_regime"] = False
    assert "one_vintage" not in applying(caveats_frame({**frames, "regime_revised": revised}, load_catalog()))


@pytest.mark.parametrize(
    ("column", "value", "caveat"),
    [
        ("profile", "live", "sample_profile"),
        ("is_spread_missing", False, "corporate_spread_missing"),
        ("pit_grade", "real_time", "pseudo_point_in_time"),
        ("conditions_at_minimum_coverage", None, "condition_at_minimum_coverage"),
    ],
)
def test_a_caveat_goes_when_its_reason_is_gone(
    frames: dict[str, pd.DataFrame], column: str, value: object, caveat: str
) -> None:
    regime = frames["regime"].copy()
    regime.loc[regime.index[-1], column] = value
    found = applying(caveats_frame({**frames, "regime": regime}, load_catalog()))
    assert caveat not in found
    assert caveat in applying(caveats_frame(frames, load_catalog()))


def test_no_text_is_left_with_a_hole(frames: dict[str, pd.DataFrame]) -> None:
    frame = caveats_frame(frames, load_catalog())
    assert not frame["text"].str.contains(r"[{}]|\bnan\b", regex=True).any()
    named = {
        f for c in load_catalog().caveats.values() for _, f, _, _ in string.Formatter().parse(c.text) if f
    }
    assert len(named) > 10


def test_every_caveat_names_columns_that_exist() -> None:
    columns = {f"{t.name}.{c}" for t in load_catalog().tables.values() for c in t.column_names}
    assert {name for c in load_catalog().caveats.values() for name in c.affects} <= columns
