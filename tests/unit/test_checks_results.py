"""What a suite found, in words, in the interface's tables, and in the stored results."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from assets.warehouse.tables import append_rows
from checks.expectations import outcomes
from checks.factories import rules_table, sentence
from checks.results import results_frame
from checks.rules import Rule, Suite
from checks.runner import SuiteResult, run_suite
from tests.builders import an_archive
from tests.checked_frames import check, clean_frames

FACTS = RunFacts(
    "r1", "sample", dt.date(2026, 5, 31), dt.datetime(2026, 6, 1, tzinfo=dt.UTC), Path(), Path(), "0.1.0"
)
CHECKED_AT = dt.datetime(2026, 6, 1, 1, 30, tzinfo=dt.UTC)
FRAME = pd.DataFrame(
    {"day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]), "level": [1.0, 50.0, None]}
)
LOW = Rule(
    "level__low", ("level",), maximum=10, statement="the level is at most 10", what_to_do="Look at it."
)


def suite(*rules: Rule) -> Suite:
    return Suite("real_yields", ("day",), rules)


def spoilt() -> SuiteResult:
    frame = clean_frames()["real_yields"].copy()
    frame.loc[[400, 401], "tips_10y_pct"] = 9000.0
    frame.loc[300, "nominal_10y_pct"] += 4
    return check("real_yields", {"real_yields": frame})


def test_a_rule_that_fails_names_row_measure_and_limit() -> None:
    result = run_suite(FRAME, suite(LOW)).results[0]
    assert result.message == "the level is at most 10: 1 of 2 rows failed, first: day 2026-01-02, level 50.0."
    assert (result.evaluated_rows, result.failing_rows, result.positions.tolist()) == (2, 1, [1])
    assert result.rule.threshold == "<= 10"


def test_a_rule_with_nothing_to_check_is_neither_shown_as_passed_nor_stored() -> None:
    result = run_suite(FRAME.assign(level=np.nan), suite(LOW))
    (found,) = result.results
    assert (found.passed, found.was_checked, found.message) == (True, False, "nothing to check.")
    assert "| nothing to check |" in rules_table(result.results)
    assert sentence(result.results, 3) == "0 rules passed on 3 rows; 1 had nothing to check."
    assert results_frame([result], FACTS, "staged", CHECKED_AT).empty


def test_an_empty_table_fails_only_where_rows_are_demanded() -> None:
    result = check("real_yields", {"real_yields": clean_frames()["real_yields"].iloc[:0]})
    assert [r.rule.name for r in result.failed] == ["table__not_empty"]
    assert result.failed[0].message == "there is at least one row: 1 of 1 rows failed."


def test_infinity_is_no_figure() -> None:
    finite = Rule("level__finite", ("level",), statement="it is finite", what_to_do="Look.")
    assert finite.threshold == "finite"
    found = run_suite(FRAME.assign(level=[1.0, np.inf, -np.inf]), suite(finite)).results[0]
    assert found.positions.tolist() == [1, 2]


def test_a_crash_of_a_measure_and_a_value_that_is_no_number_are_our_fault_and_no_bad_data() -> None:
    def crash(frame: pd.DataFrame, tables: object) -> pd.Series:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_suite(FRAME, suite(replace(LOW, measure=crash)))
    with pytest.raises(ValueError, match="could not convert string to float: 'high'"):
        run_suite(FRAME.assign(level=["high", "low", None]), suite(LOW))


def test_rules_checked_together_find_what_each_finds_alone() -> None:
    names = pd.Series(["a", None, "b", "a"])
    texts = [
        Rule("name__x", ("name",), allowed=allowed, statement="listed", what_to_do="y")
        for allowed in (("a",), ("a", "b"), ("b",))
    ]
    pairs = [(replace(LOW, maximum=n), FRAME["level"]) for n in (0, 10, 99)] + [(t, names) for t in texts]
    together = outcomes(pairs)
    alone = [outcomes([pair])[0] for pair in pairs]
    failing = [found.failing.tolist() for found in together]
    assert failing == [found.failing.tolist() for found in alone] == [[0, 1], [1], [], [2], [], [0, 3]]
    assert [len(found.evaluated) for found in together] == [2, 2, 2, 3, 3, 3]


def test_results_are_stored_as_declared_one_row_per_rule() -> None:
    result = spoilt()
    rows = results_frame([result], FACTS, "staged", CHECKED_AT)
    assert list(rows.columns) == list(load_catalog().tables["check_results"].column_names)
    with an_archive() as con:
        append_rows(con, load_catalog().tables["check_results"], rows)
        row = _row(con, "tips_10y_pct__in_range")
        passed = _row(con, "as_of_date__no_gap")
        count = con.execute("SELECT count(*) FROM ops.check_results").fetchall()
    assert count == [(sum(found.was_checked for found in result.results),)]
    assert row["asset_key"] == "derived/real_yields"
    assert (row["severity"], row["passed"], row["offending_rows"]) == ("ERROR", False, 2)
    assert row["what_to_do"].startswith("Look at the figures behind these rows")
    assert json.loads(row["examples"])[0]["tips_10y_pct"] == 9000.0
    assert row["checked_at"] == dt.datetime(2026, 6, 1, 1, 30)
    assert (passed["passed"], passed["what_to_do"], passed["examples"]) == (True, None, None)


def _row(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, object]:
    found = con.execute("SELECT * FROM ops.check_results WHERE check_name = ?", [name])
    columns = [column[0] for column in found.description or []]
    return dict(zip(columns, found.fetchall()[0], strict=True))
