"""Rules of the archive: one row per series, what is held of it beside what the catalogue says of it.

Belongs here: judgement on the series. Does not belong here: how the summary is counted (`checks/frames.py`), and the
judging of a payload before it enters the archive (`assets/sources/validate.py`).

The archive may hold tens of millions of vintages, so SQL counts them into one row per series with its limits beside.
"""

from __future__ import annotations

from typing import Any

from checks.suites.measures import flag
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
}
_SOURCE = (
    "Compare the figure with its publisher. What is wrong there stays out; what is right needs a wider range "
)
_IN_FILE = "in assets/catalog/series."


def raw_suite() -> Suite:
    """Key, range, dates, unit, frequency and the last fetch of every series."""
    return Suite(TABLE, ("series_id",), TYPES, (*_dates(), *_values(), *_fetch()))


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
