"""What a suite came to, in words, in the interface's tables, and in the kept results."""

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
from checks.expectations import Judged, verdicts
from checks.presentation import rules_table, sentence, shown_rows
from checks.results import results_frame
from checks.runner import SuiteResult, run_suite
from checks.suites.rules import BETWEEN, Rule, Suite, never, within
from tests.builders import an_archive
from tests.judged import clean_frames, judge

FACTS = RunFacts(
    "r1", "sample", dt.date(2026, 5, 31), dt.datetime(2026, 6, 1, tzinfo=dt.UTC), Path(), Path(), "0.1.0"
)
CHECKED_AT = dt.datetime(2026, 6, 1, 1, 30, tzinfo=dt.UTC)
FRAME = pd.DataFrame(
    {"day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]), "level": [1.0, 50.0, None]}
)
TYPES = {"day": "DATE", "level": "DOUBLE"}
LOW = within(
    "level__low", ("level",), maximum=10, statement="the level is at most 10", what_to_do="Look at it."
)


def suite(*rules: Rule) -> Suite:
    return Suite("real_yields", ("day",), TYPES, rules)


def spoilt() -> SuiteResult:
    frame = clean_frames()["real_yields"].copy()
    frame.loc[[100, 101], "breakeven_10y_pp"] = 1.0
    frame.loc[300, "nominal_10y_pct"] += 4
    return judge("real_yields", {"real_yields": frame})


def test_a_rule_that_does_not_hold_names_row_measure_and_limit() -> None:
    result = run_suite(FRAME, suite(LOW)).results[0]
    assert (
        result.message == "the level is at most 10: not so in 1 of 2 rows, first: day 2026-01-02, level 50.0."
    )
    assert (result.evaluated_rows, result.failing_rows, result.positions.tolist()) == (2, 1, [1])
    assert result.rule.threshold == "<= 10"


def test_at_most_five_rows_are_shown_and_all_are_counted() -> None:
    frame = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=9), "level": 99.0})
    result = run_suite(frame, suite(LOW)).results[0]
    assert (result.failing_rows, len(result.examples)) == (9, 5)


def test_a_missing_or_mistyped_column_is_critical_even_for_a_warning() -> None:
    warning = replace(LOW, severity="warning")
    for frame, words in (
        (FRAME.drop(columns="level"), "not judged: column level is missing."),
        (FRAME.assign(level=["1", "2", None]), "not judged: 2 values of column level are no DOUBLE."),
    ):
        result = run_suite(frame, suite(warning))
        assert result.results[0].message == words
        assert result.is_held


def test_a_rule_with_nothing_to_judge_says_so_by_its_count() -> None:
    result = run_suite(FRAME.assign(level=np.nan), suite(LOW)).results[0]
    assert (result.passed, result.evaluated_rows, result.message) == (True, 0, "nothing to judge.")
    assert "| nothing to judge |" in rules_table([result])


def test_an_empty_table_fails_only_where_rows_are_demanded() -> None:
    result = judge("real_yields", {"real_yields": clean_frames()["real_yields"].iloc[:0]})
    assert [r.rule.name for r in result.failed] == ["table__not_empty"]


def test_infinity_is_no_figure() -> None:
    finite = Rule(
        "level__finite", "critical", BETWEEN, {"column": "level"}, "it is finite", "Look.", ("level",)
    )
    assert finite.threshold == "finite"
    assert not run_suite(FRAME.assign(level=[1.0, np.inf, -np.inf]), suite(finite)).results[0].passed


def test_an_expectation_that_does_not_exist_is_our_fault_and_no_verdict() -> None:
    rule = Rule("level__x", "critical", "ExpectTheUnexpected", {"column": "level"}, "x", "y", ("level",))
    with pytest.raises(KeyError):
        run_suite(FRAME, suite(rule))


def test_a_measure_needs_an_expectation_that_judges_values() -> None:
    with pytest.raises(ValueError, match="gives one value per row"):
        replace(LOW, expectation="ExpectColumnValuesToBeUnique", measure=lambda f, _: f["level"])


def test_a_crash_of_a_measure_is_not_taken_for_bad_data() -> None:
    def crash(frame: pd.DataFrame, tables: object) -> pd.Series:
        raise ZeroDivisionError

    rule = never("level__x", ("level",), crash, statement="x", what_to_do="y")
    with pytest.raises(ZeroDivisionError):
        run_suite(FRAME, suite(rule))


def test_stacked_rules_come_to_what_each_comes_to_alone() -> None:
    rules = [
        replace(LOW, name=f"level__{n}", arguments={"column": "level", "max_value": n}) for n in (0, 10, 99)
    ]
    together = verdicts(FRAME, [Judged(rule, None) for rule in rules])
    alone = [verdicts(FRAME, [Judged(rule, None)])[0] for rule in rules]
    assert (
        [v.positions.tolist() for v in together] == [v.positions.tolist() for v in alone] == [[0, 1], [1], []]
    )


def test_the_sentence_names_the_gravest_fault_first() -> None:
    result = spoilt()
    said = sentence(result.results, result.rows)
    assert said.startswith("3 of 283 rows break breakeven_10y_pp__nominal_less_tips (the breakeven is")
    assert "first: as_of_date 1993-05-31, breakeven_10y_pp 1," in said
    assert said.endswith("more do not hold.")
    warnings = tuple(r for r in result.results if r.severity == "warning")
    assert "rows break nominal_10y_pct__step (" in sentence(warnings, 497)
    assert sentence([r for r in result.results if r.passed], 497).startswith("All 3")


def test_the_table_of_rules_shows_faults_in_full_and_sums_up_structure() -> None:
    lines = rules_table(spoilt().results).splitlines()
    assert lines[2].startswith("| `")
    assert "**" in lines[2]
    assert any(line.startswith("| `*__type` | critical | holds for 13 columns") for line in lines)
    assert not any("`short_rate_pct__type`" in line for line in lines)
    assert {line.count("|") for line in lines} == {5}


def test_offending_rows_are_a_table_with_what_is_allowed() -> None:
    records = [record.data for record in shown_rows(spoilt().failed).records]
    assert {record["rule"] for record in records} >= {
        "breakeven_10y_pp__nominal_less_tips",
        "nominal_10y_pct__step",
    }
    assert all(record["as_of_date"] and record["allowed"] for record in records)


def test_results_are_kept_as_declared_one_row_per_rule() -> None:
    result = spoilt()
    kept = results_frame([result], FACTS, "staged", CHECKED_AT)
    assert list(kept.columns) == list(load_catalog().tables["check_results"].column_names)
    with an_archive() as con:
        append_rows(con, load_catalog().tables["check_results"], kept)
        row = _row(con, "breakeven_10y_pp__nominal_less_tips")
        passed = _row(con, "short_rate_pct__type")
        count = con.execute("SELECT count(*) FROM ops.check_results").fetchall()
    assert count == [(len(result.results),)]
    assert row["asset_key"] == "derived/real_yields"
    assert (row["severity"], row["passed"], row["offending_rows"]) == ("ERROR", False, 3)
    assert row["what_to_do"].startswith("Materialise derived/real_yields again")
    assert json.loads(row["examples"])[0]["breakeven_10y_pp"] == 1.0
    assert row["checked_at"] == dt.datetime(2026, 6, 1, 1, 30)
    assert (passed["passed"], passed["what_to_do"], passed["examples"]) == (True, None, None)


def _row(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, object]:
    found = con.execute("SELECT * FROM ops.check_results WHERE check_name = ?", [name])
    columns = [column[0] for column in found.description or []]
    return dict(zip(columns, found.fetchall()[0], strict=True))
