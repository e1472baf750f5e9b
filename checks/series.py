"""The archive checked: every series by itself, and series against each other.

Figures of a restricted series never leave through a finding: it names series and days alone. A series that nothing
published depends on never blocks the publication, and neither does a relation it is part of. SQL counts the vintages of
a series into one row, since there may be tens of millions of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import duckdb
import pandas as pd

from assets.catalog.models import Catalog, Series
from assets.warehouse.readers import BLOCKING_ROLES, vintages_as_of
from assets.warehouse.schema import resolved
from assets.warehouse.writing import registered
from checks.identities import IDENTITIES, Identity, Known, identities_suite, relations
from checks.results import without_figures
from checks.rules import Measure, Rule, Suite, Tables, differs, flag
from checks.runner import RuleResult, run_by_row, run_suite

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
    return Suite("observations", ("series_id",), _RULES)


_KNOWN_SERIES = (
    "SELECT DISTINCT series_id FROM raw.vintages WHERE realtime_start <= $run_date AND value IS NOT NULL"
)
_STORED = "SELECT series_id, count(*) FROM raw.vintages GROUP BY series_id"


_DECLARED = "declared_series"
_DIFFERENCES = ("pct", "pp", "indicator")  # their changes are differences; those of levels are percent
# a period, and what holidays and a release some days late take beyond the lag
_PERIOD_AND_GRACE_DAYS = {"D": (1, 6), "W": (7, 7), "M": (31, 14), "Q": (92, 30)}
_ENOUGH = 60  # figures a series needs before a change can be called unlike its history
_LATELY_DAYS = 31  # a revision is new for so long
# One pass over the archive; what is wrong with a row is counted per series, so that nothing else leaves the database.
_SUMMARY = f"""
WITH read AS MATERIALIZED (
  SELECT o.*, d.is_level, d.is_step
  FROM ({resolved(f"(FROM raw.vintages SEMI JOIN {_DECLARED} USING (series_id))")}) AS o
  JOIN {_DECLARED} AS d USING (series_id)
), held AS (
  SELECT
    o.series_id,
    count(*) AS rows_held,
    min(o.value) AS value_min,
    max(o.value) AS value_max,
    count(*) FILTER (o.realtime_start <= $run_date AND o.observation_date > $run_date) AS rows_after_run,
    count(*) FILTER (o.observation_date > CAST(o.captured_at AS DATE)) AS rows_after_capture,
    count(*) FILTER (o.vintage_source = 'lag_rule' AND o.realtime_start < o.observation_date)
      AS rows_before_observation
  FROM read AS o GROUP BY o.series_id
), known AS (
  SELECT o.series_id, o.observation_date, o.realtime_start, o.realtime_end >= $run_date AS is_current,
    CASE WHEN o.is_level AND o.value > 0 THEN 100 * ln(o.value) ELSE o.value END AS size, o.is_step
  FROM read AS o
  WHERE o.realtime_start <= $run_date AND o.value IS NOT NULL
), change AS (
  SELECT *, abs(size - lag(size) OVER of_series) AS by_size, lead(series_id) OVER of_series IS NULL AS is_newest
  FROM known WHERE is_current WINDOW of_series AS (PARTITION BY series_id ORDER BY observation_date)
), pace AS (
  SELECT series_id, max(observation_date) AS newest,
    CASE WHEN count(*) >= {_ENOUGH} AND NOT any_value(is_step)
      THEN max(by_size) FILTER (is_newest) END AS newest_change,
    max(by_size) FILTER (NOT is_newest) AS largest_change,
    median(by_size) AS median_change
  FROM change GROUP BY series_id
), revision AS (
  SELECT series_id, realtime_start,
    CASE WHEN lag(observation_date) OVER of_series = observation_date
      THEN abs(size - lag(size) OVER of_series) END AS by_size
  FROM known WHERE NOT is_step
  WINDOW of_series AS (PARTITION BY series_id ORDER BY observation_date, realtime_start)
), revised AS (
  SELECT series_id,
    max(by_size) FILTER (realtime_start > $run_date - {_LATELY_DAYS}) AS newest_revision,
    max(by_size) FILTER (realtime_start <= $run_date - {_LATELY_DAYS}) AS largest_revision
  FROM revision GROUP BY series_id
), last_fetch AS (
  SELECT series_id, status, message, unit, unit_kind, frequency,
    rows_withdrawn + rows_retracted + coalesce(rows_differing, 0) AS rows_contradicted
  FROM raw.fetches
  QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY fetched_at DESC, fetch_id DESC) = 1
)
SELECT
  d.series_id,
  coalesce(h.rows_held, 0) AS rows_held,
  h.value_min, h.value_max, d.plausible_min, d.plausible_max,
  coalesce(h.rows_after_run, 0) AS rows_after_run,
  coalesce(h.rows_after_capture, 0) AS rows_after_capture,
  coalesce(h.rows_before_observation, 0) AS rows_before_observation,
  f.status AS fetch_status, f.message AS fetch_message, f.rows_contradicted,
  f.unit AS unit_stated, f.unit_kind AS unit_kind_stated, d.unit_kind,
  f.frequency AS frequency_stated, d.frequency,
  CASE WHEN NOT d.is_step AND f.status <> 'not_in_profile' THEN $run_date - CASE d.frequency
    WHEN 'M' THEN last_day(p.newest)
    WHEN 'Q' THEN last_day(CAST(date_trunc('quarter', p.newest) + INTERVAL 2 MONTH AS DATE))
    ELSE p.newest
  END END AS days_since_period, d.due_after_days, d.staleness_limit_days,
  p.newest_change, p.largest_change, p.median_change, r.newest_revision, r.largest_revision
FROM {_DECLARED} AS d
LEFT JOIN held AS h USING (series_id)
LEFT JOIN last_fetch AS f USING (series_id)
LEFT JOIN pace AS p USING (series_id)
LEFT JOIN revised AS r USING (series_id)
ORDER BY d.position
"""


@dataclass(frozen=True)
class IdentityResult:
    """What an identity found; `absent` names its series of which nothing is known, so that nothing was checked."""

    identity: Identity
    result: RuleResult
    absent: tuple[str, ...]


def load_archive(con: duckdb.DuckDBPyConnection, series: Sequence[Series], run_date: dt.date) -> pd.DataFrame:
    """One row per series, in the order given: what the archive holds next to what the catalogue declares."""
    declared = pd.DataFrame(
        [
            (
                n, s.series_id, s.plausible_min, s.plausible_max, s.unit_kind, s.frequency, s.is_step,
                s.plausible_min >= 0 and s.unit_kind not in _DIFFERENCES, _due_after(s),
                s.staleness_limit_days or None,
            )
            for n, s in enumerate(series)
        ],
        columns=[
            "position", "series_id", "plausible_min", "plausible_max", "unit_kind", "frequency", "is_step",
            "is_level", "due_after_days", "staleness_limit_days",
        ],
    ).astype({"staleness_limit_days": "Int64"})  # fmt: skip
    with registered(con, declared, _DECLARED):
        return con.execute(_SUMMARY, {"run_date": run_date}).df()[list(COLUMNS)]


def _due_after(series: Series) -> int:
    """Days after the end of the newest period by which the next one should have been published."""
    lag = max([series.release_lag_days, *(lag for _, lag in series.release_lag_by_month)])
    period, grace = _PERIOD_AND_GRACE_DAYS[series.frequency]
    return lag + period + grace


def check_series(
    con: duckdb.DuckDBPyConnection, series: Sequence[Series], run_date: dt.date
) -> list[tuple[int, list[RuleResult]]]:
    """For each series, in order: rows stored, and what every rule of the archive found."""
    found = run_by_row(load_archive(con, series, run_date), raw_suite())
    stored = dict(con.execute(_STORED).fetchall())
    return [
        (stored.get(one.series_id, 0), [by_role(_with_reason(result), [one]) for result in results])
        for results, one in zip(found, series, strict=True)
    ]


def check_identities(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    run_date: dt.date,
    identities: Sequence[Identity] = IDENTITIES,
) -> list[IdentityResult]:
    """For each identity, in order: what it found in the archive as known on the run date."""
    names = sorted({name for identity in identities for name in identity.series})
    figures = Known.from_frame(vintages_as_of(con, run_date, names))
    found = run_suite(relations(figures, identities), identities_suite(identities))
    known = {name for (name,) in con.execute(_KNOWN_SERIES, {"run_date": run_date}).fetchall()}
    return [
        IdentityResult(
            identity,
            by_role(result, [catalog.series[name] for name in identity.series]),
            tuple(name for name in identity.series if name not in known),
        )
        for identity, result in zip(identities, found.results, strict=True)
    ]


def check_archive(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, run_date: dt.date
) -> Mapping[str, list[RuleResult]]:
    """Critical failures in the archive by asset key (`raw/fred/DGS10`), of the series that can block."""
    series = [one for one in catalog.series.values() if one.role in BLOCKING_ROLES]
    found: dict[str, list[RuleResult]] = {}
    for one, (_, results) in zip(series, check_series(con, series, run_date), strict=True):
        found["/".join(one.asset_key)] = results
    for checked in check_identities(con, catalog, run_date):
        key = "/".join(catalog.series[checked.identity.series[0]].asset_key)
        found.setdefault(key, []).append(checked.result)
    blocking = {key: [r for r in results if is_critical(r)] for key, results in found.items()}
    return {key: results for key, results in blocking.items() if results}


def _with_reason(result: RuleResult) -> RuleResult:
    """A failed rule about the last fetch, with the message of the fetch in place of the values of the row."""
    reason = next((example.get("fetch_message") for example in result.examples), None)
    return replace(result, message=str(reason)) if reason else result


def by_role(result: RuleResult, series: Sequence[Series]) -> RuleResult:
    """A series that nothing published depends on warns, whatever the rule; a restricted one shows no figure."""
    if any(one.rights == "restricted" for one in series):
        names = {one.series_id for one in series}
        result = without_figures(result, lambda _, value: value in names)
    if all(one.role in BLOCKING_ROLES for one in series):
        return result
    return replace(result, severity="warning")


def is_critical(result: RuleResult) -> bool:
    """Whether a result blocks the publication."""
    return not result.passed and result.severity == "critical"
