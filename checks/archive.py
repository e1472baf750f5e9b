"""The archive checked: every series by itself, and series against each other.

Figures of a restricted series never leave through a finding: it names series and days alone. A series that nothing
published depends on never blocks the publication, and neither does a relation it is part of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from assets.catalog.models import Catalog, Series
from assets.warehouse.readers import BLOCKING_ROLES, vintages_as_of
from assets.warehouse.schema import resolved
from assets.warehouse.tables import registered
from checks.identities import IDENTITIES, Identity, identities_suite, relations
from checks.known import Known
from checks.results import without_figures
from checks.runner import RuleResult, run_by_row, run_suite
from checks.suites.raw import COLUMNS, raw_suite

if TYPE_CHECKING:
    import duckdb

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
