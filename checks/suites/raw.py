"""Rules of the archive: one row per series, what the archive holds of it next to what the catalogue declares.

SQL counts the vintages of a series into one row (`checks/archive.py`), since there may be tens of millions of them.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from checks.suites.measures import Tables, differs, flag
from checks.suites.rules import Check, Rule, Severity, Suite, never, within

TABLE = "observations"
COLUMNS = (
    "series_id", "rows_held", "value_min", "value_max", "plausible_min", "plausible_max",
    "rows_after_run", "rows_after_capture", "rows_before_observation", "fetch_status", "fetch_message",
    "rows_contradicted", "unit_stated", "unit_kind_stated", "unit_kind", "frequency_stated", "frequency",
    "days_since_period", "due_after_days", "staleness_limit_days", "newest_change", "largest_change", "median_change",
    "newest_revision", "largest_revision",
)  # fmt: skip
# times the largest earlier change; since 1985 a series went beyond it once or twice, in 2008 or 2020
LARGEST_JUMP = 1.5
USUAL_REVISION = 5  # median changes, where a series has no larger revision behind it
_SOURCE = (
    "Compare the figure with its publisher. What is wrong there stays out; what is right needs a wider range "
)
_IN_FILE = "in assets/catalog/series."


def raw_suite() -> Suite:
    """The rules of every series: `validity` of dates, range, unit, frequency and payload; `anomalies`, which warn."""
    rules = (*_dates(), *_values(), *_fetch(), *_ages(), *_steps())
    of_check: dict[Severity, Check] = {"critical": "validity", "warning": "anomalies"}
    return Suite(TABLE, ("series_id",), tuple(replace(rule, check=of_check[rule.severity]) for rule in rules))


def _dates() -> tuple[Rule, ...]:
    return (
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
        within(
            "value__not_below_plausible",
            ("value_min", "plausible_min"),
            lambda f, _: f["value_min"] - f["plausible_min"],
            minimum=0,
            statement="no figure is below its range",
            what_to_do=_SOURCE + _IN_FILE,
        ),
        within(
            "value__not_above_plausible",
            ("value_max", "plausible_max"),
            lambda f, _: f["value_max"] - f["plausible_max"],
            maximum=0,
            statement="no figure is above its range",
            what_to_do=_SOURCE + _IN_FILE,
        ),
    )


def _fetch() -> tuple[Rule, ...]:
    return (
        _as_declared(
            "unit_kind",
            "the stated unit is the declared one",
            "The publisher changed scale or kind: convert nothing by hand; correct unit and unit_kind ",
        ),
        _as_declared(
            "frequency",
            "the frequency is the declared one",
            "The publisher changed the frequency: correct it, with its lag and limits, ",
        ),
        never(
            "unit__understood",
            ("unit_stated", "unit_kind_stated"),
            lambda f, _: flag(f["unit_kind_stated"].isna(), f["unit_stated"].notna()),
            severity="warning",
            statement="the publisher's text for the unit is understood",
            what_to_do="Read the text, then teach it to the parser of units in assets/sources.",
        ),
        never(
            "fetch_status__not_refused",
            ("fetch_status", "fetch_message"),
            lambda f, _: flag(f["fetch_status"] == "refused", f["fetch_status"].notna()),
            statement="the last payload was accepted",
            what_to_do="Read the message: the payload was reached but wrong, and nothing of it entered the archive.",
        ),
        never(
            "fetch_status__reached",
            ("fetch_status", "fetch_message"),
            lambda f, _: flag(f["fetch_status"] == "unreachable", f["fetch_status"].notna()),
            severity="warning",
            statement="the publisher responded with the series",
            what_to_do="Read the message; the next run tries again. Coverage decides whether a label is given.",
        ),
        within(
            "fetch__agrees_with_archive",
            ("rows_contradicted", "fetch_message"),
            maximum=0,
            severity="warning",
            statement="the last fetch withdrew nothing and has the current values of the archive",
            what_to_do="Read the message, and compare the figures with their publisher.",
        ),
    )


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


def _as_declared(column: str, statement: str, what_to_do: str) -> Rule:
    stated = f"{column}_stated"
    return never(
        f"{column}__as_declared",
        (stated, column),
        lambda f, _: differs(f[stated], f[column]).where(f[stated].notna()),
        statement=statement,
        what_to_do=what_to_do + _IN_FILE,
    )
