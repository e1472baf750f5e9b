"""Appending what a source served to the archive: new, revised, corrected, unchanged; never an update or a
delete.

Belongs here: the rules by which a served figure becomes a vintage (methodology, section 1). Does not belong
here: judging what was served (`assets/sources/validate.py`), reading the archive (`readers.py`).

A source with vintages (ALFRED) is believed about its dates. A source without gives a figure once by lag
rule, and a later different value counts from the day we saw it. A row the source no longer serves stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.compute.calendar import Days, days, first_publication
from assets.warehouse.tables import registered, transaction

ReleasedOn = Mapping[np.datetime64, np.datetime64]
_SERVED = "served_rows"

# `standing`: per vintage the value captured last. `newest`: per observation the value that stands today.
# `earliest`: per observation, in one row: joined vintage by vintage, a history of hundreds of vintages is squared.
# A changed figure without vintage counts from the run date, but never before the row it replaces.
# A correction is captured after what it corrects, and everything after the last publication, whatever the clock says:
# a published row would see it otherwise.
_CHANGES = """
CREATE OR REPLACE TEMP TABLE merge_changes AS
WITH served AS (
  SELECT
    series_id, CAST(observation_date AS DATE) AS observation_date, CAST(realtime_start AS DATE) AS
    realtime_start, CASE WHEN isfinite(value) THEN value END AS value, fetch_id, origin, is_unannounced
  FROM served_rows
), held AS (
  SELECT * FROM raw.vintages WHERE series_id IN (SELECT DISTINCT series_id FROM served_rows)
), standing AS (
  SELECT series_id, observation_date, realtime_start, value, captured_at FROM held
  QUALIFY row_number() OVER (
    PARTITION BY series_id, observation_date, realtime_start ORDER BY captured_at DESC
  ) = 1
), newest AS (
  SELECT * FROM standing
  QUALIFY row_number() OVER (PARTITION BY series_id, observation_date ORDER BY realtime_start DESC) = 1
), earliest AS (
  SELECT series_id, observation_date, min(realtime_start) AS first_start,
    bool_or(vintage_source = 'lag_rule') AS is_dated_by_rule
  FROM held GROUP BY series_id, observation_date
), placed AS (
  SELECT
    s.series_id, s.observation_date, s.value, s.fetch_id, s.origin,
    n.series_id IS NOT NULL AS is_held,
    n.value IS NOT DISTINCT FROM s.value AS is_as_it_stands,
    CASE WHEN s.origin = 'plain' AND n.series_id IS NOT NULL
      THEN greatest($run_date, n.realtime_start) ELSE s.realtime_start END AS realtime_start,
    CASE WHEN s.origin = 'alfred' THEN 'alfred'
      WHEN s.origin = 'plain' AND (n.series_id IS NOT NULL OR s.is_unannounced) THEN 'captured'
      ELSE 'lag_rule' END AS vintage_source
  FROM served s
  LEFT JOIN newest n USING (series_id, observation_date)
  LEFT JOIN earliest e USING (series_id, observation_date)
  WHERE s.origin <> 'before_first' OR NOT coalesce(e.is_dated_by_rule OR e.first_start <= s.realtime_start, false)
)
SELECT
  p.series_id, p.observation_date, p.realtime_start, p.value, p.vintage_source, p.fetch_id,
  greatest(
    $captured_at, v.captured_at + INTERVAL 1 MICROSECOND,
    (SELECT max(published_at) + INTERVAL 1 MICROSECOND FROM ops.publications)
  ) AS captured_at,
  CASE
    WHEN p.origin = 'plain' AND p.is_held AND p.is_as_it_stands THEN 'unchanged'
    WHEN v.series_id IS NOT NULL AND v.value IS NOT DISTINCT FROM p.value THEN 'unchanged'
    WHEN v.series_id IS NOT NULL THEN 'corrected'
    WHEN p.is_held THEN 'revised'
    ELSE 'new'
  END AS change
FROM placed p
LEFT JOIN standing v USING (series_id, observation_date, realtime_start)
"""
_APPEND = """
INSERT INTO raw.vintages BY NAME
SELECT series_id, observation_date, realtime_start, value, vintage_source, captured_at, fetch_id
FROM merge_changes WHERE change <> 'unchanged'
ORDER BY series_id, observation_date, realtime_start
"""
_COUNTS = """
SELECT series_id,
  count(*) FILTER (change = 'new'), count(*) FILTER (change = 'revised'),
  count(*) FILTER (change = 'corrected'), count(*) FILTER (change = 'unchanged')
FROM merge_changes GROUP BY series_id
"""


class Served(Protocol):
    """What the merge needs of a payload: `observation_date`, `value`, `realtime_start` (NaT: no vintage)."""

    @property
    def observations(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class MergeCounts:
    """Rows of one series in one merge. The first three were appended; `unchanged` were served and already
    held.

    `new`: about an observation not held before. `revised`: a further vintage of a held one. `corrected`: a
    vintage that is held, served with another value.
    """

    new: int
    revised: int
    corrected: int
    unchanged: int

    @property
    def appended(self) -> int:
        """Rows the archive gained."""
        return self.new + self.revised + self.corrected


def merge_source(
    con: duckdb.DuckDBPyConnection,
    fetched: Sequence[tuple[Series, Served, str]],
    *,
    run_date: dt.date,
    captured_at: dt.datetime,
    released_on: Mapping[str, ReleasedOn],
) -> dict[str, MergeCounts]:
    """Append what one source served for its series, in one transaction; counts by series id.

    `fetched` holds (series, payload, fetch id). `run_date` is the source's own day (the sample's last day,
    or today), never an --as-of date: a changed figure is dated by it. `captured_at` must know its time
    zone. `released_on` gives, by series, first publications that replace the lag rule; NaT: never
    published.
    """
    if not fetched:
        return {}
    first_vintages = _first_vintages(con, [series.series_id for series, _, _ in fetched])
    rows = [
        _served_rows(series, payload.observations, fetch_id, run_date, released_on.get(series.series_id, {}),
                     first_vintages.get(series.series_id))
        for series, payload, fetch_id in fetched
    ]  # fmt: skip
    with registered(con, pd.concat(rows, ignore_index=True), _SERVED), transaction(con):
        con.execute(_CHANGES, {"run_date": run_date, "captured_at": utc(captured_at)})
        con.execute(_APPEND)
        counted = con.execute(_COUNTS).fetchall()
        con.execute("DROP TABLE merge_changes")
    counts = {series_id: MergeCounts(*numbers) for series_id, *numbers in counted}
    return {
        series.series_id: counts.get(series.series_id, MergeCounts(0, 0, 0, 0)) for series, _, _ in fetched
    }


def merge_payload(
    con: duckdb.DuckDBPyConnection,
    series: Series,
    payload: Served,
    *,
    run_date: dt.date,
    captured_at: dt.datetime,
    fetch_id: str,
    released_on: ReleasedOn,
) -> MergeCounts:
    """Append what was served for one series; see `merge_source`."""
    counts = merge_source(
        con,
        [(series, payload, fetch_id)],
        run_date=run_date,
        captured_at=captured_at,
        released_on={series.series_id: released_on},
    )
    return counts[series.series_id]


def utc(moment: dt.datetime) -> dt.datetime:
    """An aware moment as the naive UTC the warehouse stores; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} says no time zone")
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def _first_vintages(con: duckdb.DuckDBPyConnection, series_ids: list[str]) -> dict[str, np.datetime64]:
    """The first ALFRED vintage held, by series."""
    rows = con.execute(
        "SELECT series_id, min(realtime_start) FROM raw.vintages "
        "WHERE vintage_source = 'alfred' AND series_id IN (SELECT unnest(?)) GROUP BY series_id",
        [series_ids],
    ).fetchall()
    return {series_id: np.datetime64(day, "D") for series_id, day in rows}


def _served_rows(
    series: Series,
    observations: pd.DataFrame,
    fetch_id: str,
    run_date: dt.date,
    released_on: ReleasedOn,
    first_held: np.datetime64 | None,
) -> pd.DataFrame:
    """What was served, each row with the day it could first be known and the origin of that date.

    `alfred`: as served. `plain`: no vintage served, dated by lag rule. `before_first`: once more, by lag
    rule, what the first vintage says of figures older than it. `is_unannounced`: a figure that was never
    published, yet served.
    """
    observation = days(observations["observation_date"].to_numpy())
    start = days(observations["realtime_start"].to_numpy())
    value = observations["value"].to_numpy(dtype="float64")
    published = first_publication(observation, series, released_on)
    by_rule = first_publication(observation, series, {})
    never = np.isnat(published)
    has_vintage = ~np.isnat(start)
    unannounced = never & ~np.isnan(value)
    fallback = np.where(unannounced, np.datetime64(run_date, "D"), by_rule)
    dated = np.where(has_vintage, start, np.where(never, fallback, published))
    frame = _frame(series, observation, dated, value, fetch_id, np.where(has_vintage, "alfred", "plain"))
    frame["is_unannounced"] = unannounced
    starts = start[has_vintage]
    if not len(starts):
        return frame
    first = starts.min() if first_held is None else min(starts.min(), first_held)
    older = (
        has_vintage & (start == first) & (published < first)
    )  # NaT compares false: never published stays out
    if not older.any():
        return frame
    before = _frame(series, observation[older], published[older], value[older], fetch_id, "before_first")
    before["is_unannounced"] = False
    return pd.concat([frame, before], ignore_index=True)


def _frame(
    series: Series,
    observation: Days,
    start: Days,
    value: np.ndarray,
    fetch_id: str,
    origin: np.ndarray | str,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "series_id": series.series_id,
            "observation_date": observation.astype("datetime64[s]"),
            "realtime_start": start.astype("datetime64[s]"),
            "value": value,
            "fetch_id": fetch_id,
            "origin": origin,
        }
    )
