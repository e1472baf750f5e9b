"""Rules of the archive: one row per series, what is held of it beside what the catalogue says of it.

Belongs here: judgement on the series. Does not belong here: how the summary is counted (`checks/frames.py`), and the
judging of a payload before it enters the archive (`assets/sources/validate.py`).

The archive may hold tens of millions of vintages, so SQL counts them into one row per series with its limits beside.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from checks.suites.measures import Tables, flag
from checks.suites.rules import Rule, Suite, never, within

TABLE = "observations"
GREATER = "ExpectColumnPairValuesAToBeGreaterThanB"
EQUAL = "ExpectColumnPairValuesToBeEqual"
TYPES = {
    "series_id": "VARCHAR",
    "rows_held": "BIGINT",
    "keys_repeated": "BIGINT",
    "value_min": "DOUBLE",
    "value_max": "DOUBLE",
    "plausible_min": "DOUBLE",
    "plausible_max": "DOUBLE",
    "rows_after_run": "BIGINT",
    "rows_after_capture": "BIGINT",
    "rows_before_observation": "BIGINT",
    "fetch_status": "VARCHAR",
    "fetch_message": "VARCHAR",
    "unit_stated": "VARCHAR",
    "unit_kind_stated": "VARCHAR",
    "unit_kind": "VARCHAR",
    "frequency_stated": "VARCHAR",
    "frequency": "VARCHAR",
    "days_since_period": "BIGINT",
    "due_after_days": "BIGINT",
    "staleness_limit_days": "BIGINT",
    "newest_change": "DOUBLE",
    "largest_change": "DOUBLE",
    "median_change": "DOUBLE",
    "newest_revision": "DOUBLE",
    "largest_revision": "DOUBLE",
}
# times the largest earlier change; since 1985 a series went beyond it once or twice, in 2008 or 2020
LARGEST_JUMP = 1.5
USUAL_REVISION = 5  # median changes, where a series has no larger revision behind it
_SOURCE = (
    "Compare the figure with its publisher. What is wrong there stays out; what is right needs a wider range "
)
_IN_FILE = "in assets/catalog/series."


def raw_suite() -> Suite:
    """Key, range, dates, unit, frequency, the last fetch, age and steps of every series."""
    return Suite(TABLE, ("series_id",), TYPES, (*_dates(), *_values(), *_fetch(), *_ages(), *_steps()))


def _dates() -> tuple[Rule, ...]:
    return (
        within(
            "key__unique",
            ("keys_repeated", "series_id"),
            maximum=0,
            statement="an observation has one value at a time",
            what_to_do="The archive was written past its own merge: restore it, then find what wrote to it.",
        ),
        within(
            "observation_date__not_after_run",
            ("rows_after_run", "series_id"),
            maximum=0,
            statement="nothing known by the run date is about a later day",
            what_to_do="A date in the future: look at the source's file, and at the clock of this machine.",
        ),
        within(
            "observation_date__not_after_capture",
            ("rows_after_capture", "series_id"),
            maximum=0,
            statement="nothing was captured before the day it is about",
            what_to_do="A date in the future: look at the source's file, and at the clock of this machine.",
        ),
        within(
            "realtime_start__not_before_observation",
            ("rows_before_observation", "series_id"),
            maximum=0,
            statement="a first publication by lag rule follows the observation",
            what_to_do="Look at the series' release lag and at release_delays.toml: a date there is too early.",
        ),
    )


def _values() -> tuple[Rule, ...]:
    return (
        _pair(
            "value__not_below_plausible",
            GREATER,
            "value_min",
            "plausible_min",
            "no figure is below its range",
        ),
        _pair(
            "value__not_above_plausible",
            GREATER,
            "plausible_max",
            "value_max",
            "no figure is above its range",
        ),
    )


def _fetch() -> tuple[Rule, ...]:
    return (
        _pair(
            "unit_kind__as_declared", EQUAL, "unit_kind_stated", "unit_kind", "the stated unit is the declared one",
            "The publisher changed scale or kind: convert nothing by hand; correct unit and unit_kind " + _IN_FILE,
        ),
        _pair(
            "frequency__as_declared", EQUAL, "frequency_stated", "frequency", "the frequency is the declared one",
            "The publisher changed the frequency: correct it, with its lag and limits, " + _IN_FILE,
        ),
        never(
            "unit__understood",
            ("unit_stated", "unit_kind_stated"),
            lambda f, _: flag(f["unit_kind_stated"].isna(), judged=f["unit_stated"].notna()),
            severity="warning",
            statement="the publisher's text for the unit is understood",
            what_to_do="Read the text, then teach it to the parser of units in assets/sources.",
        ),
        Rule(
            "fetch_status__not_refused",
            "critical",
            "ExpectColumnValuesToNotBeInSet",
            {"column": "fetch_status", "value_set": ["refused"]},
            "the last payload was accepted",
            "Read the message: the payload was reached but wrong, and nothing of it entered the archive.",
            ("fetch_status", "fetch_message"),
        ),
    )  # fmt: skip


def _ages() -> tuple[Rule, ...]:
    """A step series has no age: its last value is in force until the next."""
    return (
        within(
            "last_observation__not_overdue",
            ("days_since_period", "due_after_days", "staleness_limit_days", "series_id"),
            lambda f, _: (f["days_since_period"] - f["due_after_days"]).where(
                f["days_since_period"] <= f["staleness_limit_days"]
            ),
            maximum=0,
            severity="warning",
            statement="the figure after the newest is not overdue by its release lag",
            what_to_do="Look at the publisher's calendar: late, discontinued, or no longer served. A release put off "
            "belongs in assets/catalog/release_delays.toml.",
        ),
        within(
            "last_observation__not_stale",
            ("days_since_period", "staleness_limit_days", "series_id"),
            lambda f, _: f["days_since_period"] - f["staleness_limit_days"],
            maximum=0,
            severity="warning",
            statement="the newest figure is young enough to count",
            what_to_do="Its components are absent until a figure comes, and coverage decides whether a label is given. "
            "Look for a successor series if it was discontinued.",
        ),
    )


def _steps() -> tuple[Rule, ...]:
    return (
        within(
            "value__jump_within_history",
            ("newest_change", "largest_change", "series_id"),
            lambda f, _: f["newest_change"] / f["largest_change"].where(f["largest_change"] > 0),
            maximum=LARGEST_JUMP,
            severity="warning",
            statement=f"the newest change is no larger than {LARGEST_JUMP:g} times the largest before it",
            what_to_do="Compare the newest figure with its publisher: a wrong unit or digit, or an event such as 2020.",
        ),
        within(
            "value__revision_within_history",
            ("newest_revision", "largest_revision", "median_change", "series_id"),
            _revision_size,
            maximum=1,
            severity="warning",
            statement=f"the newest revision is no larger than earlier ones, or {USUAL_REVISION} usual changes",
            what_to_do="Look for a benchmark or another base year in the publisher's notes; live rows do not change.",
        ),
    )


def _revision_size(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    """The newest revision in units of what is usual for the series; NULL without one."""
    usual = pd.concat([frame["largest_revision"], USUAL_REVISION * frame["median_change"]], axis=1).max(
        axis=1
    )
    return frame["newest_revision"] / usual.where(usual > 0)


def _pair(
    name: str, expectation: str, first: str, second: str, statement: str, what_to_do: str = _SOURCE + _IN_FILE
) -> Rule:
    arguments: dict[str, Any] = {
        "column_A": first,
        "column_B": second,
        "ignore_row_if": "either_value_is_missing",
    }
    arguments |= {"or_equal": True} if expectation == GREATER else {}
    return Rule(name, "critical", expectation, arguments, statement, what_to_do, (first, second))
