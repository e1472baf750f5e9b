"""Rules of the archive: one row per series, what the archive holds of it next to what the catalogue declares.

SQL counts the vintages of a series into one row (`checks/archive.py`), since there may be tens of millions of them.
"""

from functools import partial

import pandas as pd

from checks.suites.measures import Tables, differs, flag
from checks.suites.rules import Measure, Rule, Suite

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
    "Compare the figure with its publisher. What is wrong there stays out; what is right needs a wider range in "
    "assets/catalog/series."
)
_FUTURE = "A date in the future: look at the source's file, and at the clock of this machine."


def _as_declared(column: str) -> Measure:
    stated = f"{column}_stated"
    return lambda f, _: differs(f[stated], f[column]).where(f[stated].notna())


def _status(name: str) -> Measure:
    return lambda f, _: flag(f["fetch_status"] == name, f["fetch_status"].notna())


def _overdue(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    """Days beyond the day the next figure was due; NULL for a stale one, which has a rule of its own."""
    age = frame["days_since_period"]
    return (age - frame["due_after_days"]).where(age <= frame["staleness_limit_days"])


def _revision_size(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    """The newest revision in units of what is usual for the series; NULL without one."""
    usual = pd.concat([frame["largest_revision"], USUAL_REVISION * frame["median_change"]], axis=1).max(
        axis=1
    )
    return frame["newest_revision"] / usual.where(usual > 0)


_warn = partial(Rule, severity="warning", check="anomalies")
_refuse = partial(Rule, check="validity")
_RULES = (
    _refuse("observation_date__not_after_run", ("rows_after_run", "series_id"), maximum=0,
        statement="nothing known by the run date is about a later day", what_to_do=_FUTURE),
    _refuse("observation_date__not_after_capture", ("rows_after_capture", "series_id"), maximum=0,
        statement="nothing was captured before the day it is about", what_to_do=_FUTURE),
    _refuse("realtime_start__not_before_observation", ("rows_before_observation", "series_id"), maximum=0,
        statement="a first publication by lag rule follows the observation",
        what_to_do="Look at the series' release lag and at release_delays.toml: a date there is too early."),
    _refuse("value__not_below_plausible", ("value_min", "plausible_min"),
        lambda f, _: f["value_min"] - f["plausible_min"], minimum=0,
        statement="no figure is below its range", what_to_do=_SOURCE),
    _refuse("value__not_above_plausible", ("value_max", "plausible_max"),
        lambda f, _: f["value_max"] - f["plausible_max"], maximum=0,
        statement="no figure is above its range", what_to_do=_SOURCE),
    _refuse("unit_kind__as_declared", ("unit_kind_stated", "unit_kind"), _as_declared("unit_kind"), maximum=0,
        statement="the stated unit is the declared one",
        what_to_do="The publisher changed scale or kind: convert nothing by hand; correct unit and unit_kind in "
        "assets/catalog/series."),
    _refuse("frequency__as_declared", ("frequency_stated", "frequency"), _as_declared("frequency"), maximum=0,
        statement="the frequency is the declared one",
        what_to_do="The publisher changed the frequency: correct it, with its lag and limits, in "
        "assets/catalog/series."),
    _warn("unit__understood", ("unit_stated", "unit_kind_stated"),
        lambda f, _: flag(f["unit_kind_stated"].isna(), f["unit_stated"].notna()), maximum=0,
        statement="the publisher's text for the unit is understood",
        what_to_do="Read the text, then teach it to the parser of units in assets/sources."),
    _refuse("fetch_status__not_refused", ("fetch_status", "fetch_message"), _status("refused"), maximum=0,
        statement="the last payload was accepted",
        what_to_do="Read the message: the payload was reached but wrong, and nothing of it entered the archive."),
    _warn("fetch_status__reached", ("fetch_status", "fetch_message"), _status("unreachable"), maximum=0,
        statement="the publisher responded with the series",
        what_to_do="Read the message; the next run tries again. Coverage decides whether a label is given."),
    _warn("fetch__agrees_with_archive", ("rows_contradicted", "fetch_message"), maximum=0,
        statement="the last fetch withdrew nothing and has the current values of the archive",
        what_to_do="Read the message, and compare the figures with their publisher."),
    # a step series has no age: its last value is in force until the next
    _warn("last_observation__not_overdue",
        ("days_since_period", "due_after_days", "staleness_limit_days", "series_id"), _overdue, maximum=0,
        statement="the figure after the newest is not overdue by its release lag",
        what_to_do="Look at the publisher's calendar: late, discontinued, or no longer served. A release put off "
        "belongs in assets/catalog/release_delays.toml."),
    _warn("last_observation__not_stale", ("days_since_period", "staleness_limit_days", "series_id"),
        lambda f, _: f["days_since_period"] - f["staleness_limit_days"], maximum=0,
        statement="the newest figure is young enough to count",
        what_to_do="Its components are absent until a figure comes, and coverage decides whether a label is given. "
        "Look for a successor series if it was discontinued."),
    _warn("value__jump_within_history", ("newest_change", "largest_change", "series_id"),
        lambda f, _: f["newest_change"] / f["largest_change"].where(f["largest_change"] > 0), maximum=LARGEST_JUMP,
        statement=f"the newest change is no larger than {LARGEST_JUMP:g} times the largest before it",
        what_to_do="Compare the newest figure with its publisher: a wrong unit or digit, or an event such as 2020."),
    _warn("value__revision_within_history",
        ("newest_revision", "largest_revision", "median_change", "series_id"), _revision_size, maximum=1,
        statement=f"the newest revision is no larger than earlier ones, or {USUAL_REVISION} usual changes",
        what_to_do="Look for a benchmark or another base year in the publisher's notes; live rows do not change."),
)  # fmt: skip


def raw_suite() -> Suite:
    """The rules of every series: `validity` of dates, range, unit, frequency and payload; `anomalies`, which warn."""
    return Suite(TABLE, ("series_id",), _RULES)
