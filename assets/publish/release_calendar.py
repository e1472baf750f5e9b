"""The published table `release_calendar`: when the next figures are expected, and how that day is known."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Series
from assets.compute.calendar import days, first_publication, period_end, stamp_before
from assets.publish.manifest import ReleaseFacts
from assets.warehouse.schema import resolved

_MONTHS = {"M": 1, "Q": 3}
# Only the few series behind the evidence are resolved, not the whole archive.
_INPUTS = f"""
WITH behind AS (
  SELECT component, unnest(string_split(series_ids, ',')) AS series_id
  FROM {{stage}}.main.regime_evidence WHERE as_of_date = $as_of
), newest AS (
  SELECT series_id, max(observation_date) AS last_observation
  FROM ({resolved("(FROM raw.vintages SEMI JOIN behind USING (series_id))")})
  WHERE realtime_start <= $as_of AND realtime_end >= $as_of AND value IS NOT NULL GROUP BY series_id
)
SELECT series_id, newest.last_observation, string_agg(DISTINCT component, ', ' ORDER BY component) AS components,
  bool_or(able.component IS NOT NULL) AS could_change_label
FROM behind JOIN newest USING (series_id)
LEFT JOIN (SELECT DISTINCT component FROM {{stage}}.main.distance_to_flip
           WHERE as_of_date = $as_of AND reachability = 'reachable' AND required_move <> 0) AS able USING (component)
GROUP BY series_id, newest.last_observation
"""
# The plan for a figure that has not come yet, as it was on the as-of date.
_PLANNED = """
SELECT series_id, max_by(next_observation, fetched_at), max_by(next_release_on, fetched_at)
FROM raw.fetches WHERE source_day <= $as_of AND next_release_on > $as_of AND profile = $profile GROUP BY series_id
"""


def calendar_frame(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, facts: ReleaseFacts, stage: str
) -> pd.DataFrame:
    """One row per series behind the evidence; `stage` is the database of the staged file, its other tables written."""
    parameters = {"as_of": facts.as_of}
    planned = {
        series_id: (about, day)
        for series_id, about, day in con.execute(
            _PLANNED, {**parameters, "profile": facts.profile}
        ).fetchall()
    }
    rows = []
    for series_id, newest, components, could_change in con.execute(
        _INPUTS.format(stage=stage), parameters
    ).fetchall():
        series = catalog.series[series_id].in_profile(facts.profile)
        about, day = planned.get(series_id, (newest, None))
        is_planned = about > newest
        usual, tomorrow = _usual(newest, series), facts.as_of + dt.timedelta(days=1)
        by_lag = "usual_lag" if usual >= tomorrow else "overdue"
        rows.append(
            {
                "series_id": series_id,
                "title": series.title,
                "release_name": series.publisher,
                "frequency": series.frequency,
                "period_end_date": period_end(_next(newest, series), series.frequency)[0].astype(object),
                "release_date": day if is_planned else max(usual, tomorrow),
                "date_basis": "publisher" if is_planned else by_lag,
                "components": components,
                "could_change_label": could_change,
            }
        )
    return pd.DataFrame(rows, columns=list(catalog.tables["release_calendar"].column_names))


def _next(newest: dt.date, series: Series) -> np.ndarray:
    """Stamp of the period after the newest one."""
    if series.frequency in _MONTHS:
        return stamp_before(days(newest), -_MONTHS[series.frequency])
    return days(newest) + (7 if series.frequency == "W" else 1)


def _usual(newest: dt.date, series: Series) -> dt.date:
    """Day of the figure after the newest one by the usual lag."""
    day: dt.date = first_publication(_next(newest, series), series, {})[0].astype(object)
    return day
