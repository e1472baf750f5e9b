"""A judgement is found again only while all that was read is the same; what was never judged is judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import create_schema
from checks.remembered import judged_by_row_once, judged_once
from checks.runner import SuiteResult, run_suite
from checks.suites.rules import Suite, within

DAY = dt.date(2026, 5, 31)
LOW = within("number__low", ("number",), statement="a number is low", what_to_do="Lower it.", maximum=1.0)
HIGH = within("number__high", ("number",), statement="not too low", what_to_do="Raise it.", minimum=0.0)
FRAME = pd.DataFrame({"number": [0.5, 7.0]})


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=CONFIG) as con:
        create_schema(con, load_catalog())
        yield con


def suite(*rules: object) -> Suite:
    return Suite("numbers", ("number",), {"number": "DOUBLE"}, rules)  # type: ignore[arg-type]


class Judge:
    """Counts how often something was judged."""

    def __init__(self, frame: pd.DataFrame, judged: Suite) -> None:
        self.times, self._frame, self._suite = 0, frame, judged

    def __call__(self) -> SuiteResult:
        self.times += 1
        return run_suite(self._frame, self._suite)


def asked(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame, judged: Suite, day: dt.date = DAY) -> int:
    """Ask for a judgement; how often it had to be made."""
    judge = Judge(frame, judged)
    found = judged_once(con, judged, day, frame.to_json(double_precision=15), judge)
    fresh = run_suite(frame, judged)
    assert [(r.rule.name, r.passed, r.severity, r.message, r.examples) for r in found.results] == [
        (r.rule.name, r.passed, r.severity, r.message, r.examples) for r in fresh.results
    ]
    assert found.is_held == fresh.is_held
    return judge.times


def test_the_same_rows_are_judged_once_and_a_failure_stays_one(con: duckdb.DuckDBPyConnection) -> None:
    assert asked(con, FRAME, suite(LOW)) == 1
    assert asked(con, FRAME, suite(LOW)) == 0


def test_one_other_value_and_another_day_are_judged_anew(con: duckdb.DuckDBPyConnection) -> None:
    asked(con, FRAME, suite(LOW))
    assert asked(con, FRAME.assign(number=[0.5, 7.000000000000001]), suite(LOW)) == 1
    assert asked(con, FRAME, suite(LOW), dt.date(2026, 6, 1)) == 1


def test_a_rule_nobody_judged_yet_is_judged_and_some_of_many_need_not_be(
    con: duckdb.DuckDBPyConnection,
) -> None:
    asked(con, FRAME, suite(LOW))
    assert asked(con, FRAME, suite(LOW, HIGH)) == 1
    assert asked(con, FRAME, suite(HIGH)) == 0
    assert asked(con, FRAME, suite(LOW, HIGH)) == 0


def test_rows_by_themselves_come_out_as_they_went_in(con: duckdb.DuckDBPyConnection) -> None:
    first = judged_by_row_once(con, suite(LOW, HIGH), "rows", lambda: FRAME)
    again = judged_by_row_once(con, suite(LOW, HIGH), "rows", lambda: pytest.fail("judged twice"))
    assert [[r.passed for r in row] for row in first] == [[True, True], [False, True]]
    assert [[(r.message, r.examples) for r in row] for row in first] == [
        [(r.message, r.examples) for r in row] for row in again
    ]
