"""Which cells are withheld, and what a finding may say of them."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.rights import disclosed, passed_on, selected, whole, withheld
from checks.results import of_table
from checks.runner import SuiteResult, run_suite
from checks.suites.rules import Suite
from checks.suites.structural import suite_of

CATALOG = load_catalog()
EVIDENCE = CATALOG.tables["regime_evidence"]
CELLS = withheld(EVIDENCE, CATALOG, "live")
SECRET = 7391.625


@pytest.fixture
def evidence() -> pd.DataFrame:
    """Three components of two dates, with every column of the table."""
    rows = [
        (f"2026-0{month}-28", component, value + month)
        for month in (3, 4)
        for component, value in (("hy_oas", 3.0), ("unemployment", 4.0), ("gz_spread", 1.0))
    ]
    frame = pd.DataFrame(rows, columns=["as_of_date", "component", "value"])
    frame = frame.assign(as_of_date=frame["as_of_date"].astype("datetime64[s]"), condition="credit")
    return frame.reindex(columns=list(EVIDENCE.column_names))


def test_only_restricted_series_of_the_profile_are_withheld() -> None:
    assert withheld(EVIDENCE, CATALOG, "sample") == {}
    assert CELLS == {"value": ({"component": "baa_10y_spread"}, {"component": "hy_oas"})}
    assert withheld(CATALOG.tables["credit_spreads"], CATALOG, "live")["hy_oas_pct"] == ({},)


def test_a_row_that_names_its_series_is_withheld_in_every_profile() -> None:
    """A figure next to the name of its series is one wherever it is; no profile makes it another's."""
    for profile in ("sample", "live"):
        named = withheld(CATALOG.tables["late_figures"], CATALOG, profile)["value_late"]
        assert {"series_id": "VIXCLS"} in named and {"series_id": "UNRATE"} not in named


def test_sql_and_frames_withhold_the_same_cells(evidence: pd.DataFrame) -> None:
    frame = evidence[["as_of_date", "component", "value"]]
    table = EVIDENCE.model_copy(
        update={"columns": tuple(c for c in EVIDENCE.columns if c.name in frame.columns)}
    )
    with duckdb.connect() as con:
        con.register("evidence", frame)
        shown = con.execute(f"SELECT {selected(table, CELLS)} FROM evidence").df()
    assert shown["value"].tolist()[1:3] == [7.0, 4.0]
    np.testing.assert_array_equal(shown["value"], passed_on(frame, CELLS)["value"])
    assert np.isnan(shown["value"]).tolist() == [True, False, False] * 2


def test_what_is_withheld_is_checked_as_the_warehouse_has_it(evidence: pd.DataFrame) -> None:
    staged = passed_on(evidence, CELLS)
    staged.loc[1, "value"] = np.nan  # absent, not withheld: it stays so
    again = whole(staged, evidence.iloc[::-1], EVIDENCE.key, CELLS)["value"]
    assert again.drop(1).tolist() == evidence["value"].drop(1).tolist() and np.isnan(again[1])


def test_a_figure_of_the_staged_file_is_checked_itself_and_counted(evidence: pd.DataFrame) -> None:
    staged = passed_on(evidence, CELLS)
    assert disclosed(staged, CELLS) == {"value": 0}
    staged.loc[0, "value"] = SECRET
    assert whole(staged, evidence, EVIDENCE.key, CELLS)["value"].tolist()[0] == SECRET
    assert disclosed(staged, CELLS) == {"value": 1}


def found_by(name: str) -> SuiteResult:
    """`credit_spreads` with one figure of the high-yield spread out of its range, by that rule alone."""
    suite = suite_of("credit_spreads", CATALOG, dt.date(2026, 5, 31))
    frame = pd.DataFrame(columns=list(CATALOG.tables["credit_spreads"].column_names), index=[0])
    frame = frame.assign(as_of_date=pd.Series(["2026-04-30"]).astype("datetime64[s]"), is_month_end=True)
    rule = next(rule for rule in suite.rules if rule.name == name)
    column = name.partition("__")[0]
    return run_suite(frame.assign(**{column: SECRET}), Suite("credit_spreads", suite.key, (rule,)))


def test_a_finding_on_a_withheld_column_names_its_row_and_no_figure() -> None:
    found = found_by("hy_oas_pct__in_range")
    shown = of_table(found, CATALOG, "live").results[0]
    assert str(SECRET) in found.results[0].message and not shown.passed
    assert str(SECRET) not in f"{shown.message} {json.dumps(shown.examples)}"
    assert shown.examples == ({"as_of_date": "2026-04-30"},) and shown.failing_rows == 1
    assert of_table(found, CATALOG, "sample") == found


def test_a_finding_on_another_column_keeps_its_figures() -> None:
    found = found_by("gz_spread_pp__in_range")
    assert not found.results[0].passed
    assert of_table(found, CATALOG, "live").results[0].examples[0]["gz_spread_pp"] == SECRET
