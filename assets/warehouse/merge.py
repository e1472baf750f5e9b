"""Appending what a source served to the archive: never an update or a delete (methodology, "Point in time").

A source with vintages is believed about its dates: those of ALFRED and of a publisher begin with the first publication,
those of the real-time data set (rtdsm) later, so that each of its figures is dated once more by lag rule. A source
without vintages dates a figure once by lag rule, and a later different value counts from the day we saw it. What a
complete payload no longer has is appended as retracted (a vintage) or as missing from the day we saw it (a figure).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.models import Series
from assets.compute.calendar import Days, days, first_publication
from assets.sources.protocol import Known, Payload
from assets.warehouse.connection import utc
from assets.warehouse.schema import LISTED, REAL, resolved
from assets.warehouse.writing import registered, transaction

ReleasedOn = Mapping[np.datetime64, np.datetime64]
_NEVER = np.datetime64("9999-12-31", "D")

# `listed`: per key the row captured last, without vintages the publisher took back. `newest`: per observation the
# current value. `earliest`: of observations served as before the first vintage, in one row: joined vintage by vintage,
# a history of hundreds of vintages is squared. Windows are of a series, which is faster than of an observation.
# `span`: what a complete payload covers; one that begins later takes nothing back, and none another source's vintage.
# `before_first` is written once, and again only when an earlier first vintage arrives, or, before a vintage that is not
# ALFRED's, in place of a figure captured after that vintage.
# A changed figure without vintage counts from the run date, but never before the row it replaces.
# A correction is captured after what it corrects, and everything after the last publication, whatever the clock says:
# a release made before it would be recomputed with it otherwise.
_CHANGES = f"""
CREATE OR REPLACE TEMP TABLE merge_changes AS
WITH served AS (
  SELECT
    series_id, CAST(observation_date AS DATE) AS observation_date, CAST(realtime_start AS DATE) AS
    realtime_start, CASE WHEN isfinite(value) THEN value END AS value, fetch_id, origin, is_first_seen, is_repeated,
    real_source,
    CAST(first_vintage AS DATE) AS first_vintage, is_complete
  FROM served_rows
), stored AS (
  SELECT * EXCLUDE (fetch_id) FROM raw.vintages WHERE series_id IN (SELECT DISTINCT series_id FROM served_rows)
), {LISTED.format(captures="stored")}, newest AS (
  SELECT * FROM listed
  QUALIFY lead(observation_date) OVER (PARTITION BY series_id ORDER BY observation_date, realtime_start)
    IS DISTINCT FROM observation_date
), earliest AS (
  SELECT series_id, observation_date, min(realtime_start) AS first_start,
    min(realtime_start) FILTER (vintage_source IN ({REAL})) AS first_real,
    bool_or(vintage_source = 'lag_rule') AS is_dated_by_rule,
    min(captured_at) FILTER (vintage_source = 'lag_rule') AS dated_at
  FROM listed SEMI JOIN (FROM served WHERE origin = 'before_first') USING (series_id, observation_date)
  GROUP BY series_id, observation_date
), span AS (
  SELECT series_id, any_value(fetch_id) AS fetch_id, min(observation_date) AS first_observation,
    min(realtime_start) FILTER (origin = 'vintage') AS first_vintage, any_value(real_source) AS real_source
  FROM served WHERE is_complete AND origin <> 'before_first' GROUP BY series_id
), placed AS (
  SELECT
    s.series_id, s.observation_date, s.value, s.fetch_id, s.origin,
    n.series_id IS NOT NULL AS is_known,
    n.value IS NOT DISTINCT FROM s.value AS is_same,
    n.value AS value_before,
    CASE WHEN s.origin = 'plain' AND n.series_id IS NOT NULL
      THEN greatest($run_date, n.realtime_start) ELSE s.realtime_start END AS realtime_start,
    CASE WHEN s.origin = 'vintage' THEN s.real_source
      WHEN s.origin = 'plain' AND (n.series_id IS NOT NULL OR s.is_first_seen) THEN 'captured'
      ELSE 'lag_rule' END AS vintage_source,
    CASE WHEN s.value IS NULL AND n.value IS NOT NULL AND s.origin <> 'before_first'
      AND (s.origin = 'plain' OR s.realtime_start >= n.realtime_start) THEN 'withdrawn' END AS taken_back
  FROM served s
  LEFT JOIN newest n USING (series_id, observation_date)
  LEFT JOIN earliest e USING (series_id, observation_date)
  WHERE CASE
    WHEN s.origin = 'plain' THEN n.series_id IS NOT NULL OR NOT s.is_repeated
    WHEN s.origin = 'vintage' THEN true
    WHEN coalesce(e.is_dated_by_rule, false)
      THEN coalesce(s.first_vintage < e.first_real, s.real_source <> 'alfred' AND e.dated_at >= s.first_vintage)
    ELSE e.series_id IS NULL OR (s.real_source = 'alfred' AND e.first_start > s.realtime_start) END
  UNION ALL
  SELECT l.series_id, l.observation_date, NULL, span.fetch_id, 'gone', true, false, l.value, l.realtime_start,
    'retracted', 'retracted'
  FROM listed l JOIN span USING (series_id)
  ANTI JOIN (SELECT * FROM served WHERE origin = 'vintage') s USING (series_id, observation_date, realtime_start)
  WHERE l.vintage_source = span.real_source AND l.observation_date >= span.first_observation
    AND l.realtime_start BETWEEN span.first_vintage AND $run_date
  UNION ALL
  SELECT n.series_id, n.observation_date, NULL, span.fetch_id, 'gone', true, false, n.value,
    greatest($run_date, n.realtime_start), 'captured', 'withdrawn'
  FROM newest n JOIN span USING (series_id)
  ANTI JOIN served s USING (series_id, observation_date)
  WHERE span.first_vintage IS NULL AND n.vintage_source NOT IN ({REAL}) AND n.value IS NOT NULL
    AND n.observation_date >= span.first_observation
)
SELECT
  p.series_id, p.observation_date, p.realtime_start, p.value, p.vintage_source, p.fetch_id, p.value_before,
  greatest(
    $captured_at, v.captured_at + INTERVAL 1 MICROSECOND,
    (SELECT max(greatest(published_at, captured_until)) + INTERVAL 1 MICROSECOND FROM ops.publications)
  ) AS captured_at,
  CASE
    WHEN p.origin = 'plain' AND p.is_known AND p.is_same THEN 'unchanged'
    WHEN v.value IS NOT DISTINCT FROM p.value AND v.series_id IS NOT NULL AND p.origin <> 'gone'
      AND v.vintage_source <> 'retracted'
      AND (v.vintage_source IN ({REAL}) OR p.vintage_source NOT IN ({REAL})) THEN 'unchanged'
    WHEN p.taken_back IS NOT NULL THEN p.taken_back
    WHEN v.series_id IS NOT NULL AND v.value IS DISTINCT FROM p.value THEN 'corrected'
    WHEN p.is_known THEN 'revised'
    ELSE 'new'
  END AS change
FROM placed p
LEFT JOIN last_captured v USING (series_id, observation_date, realtime_start)
"""
_APPEND = """
INSERT INTO raw.vintages BY NAME
SELECT series_id, observation_date, realtime_start, value, vintage_source, captured_at, fetch_id
FROM merge_changes WHERE change <> 'unchanged'
ORDER BY series_id, observation_date, realtime_start
"""
_COUNTS = "SELECT series_id, change, count(*) FROM merge_changes GROUP BY ALL"
_TAKEN_BACK = """
SELECT series_id, change, observation_date, realtime_start, value_before
FROM merge_changes WHERE change IN ('withdrawn', 'retracted') ORDER BY ALL
"""


# after a complete answer: the current value of every observation it covers, in the archive and as served
_DISAGREEING = f"""
WITH served AS (
  SELECT series_id, CAST(observation_date AS DATE) AS observation_date,
    CASE WHEN isfinite(value) THEN value END AS value
  FROM served_rows WHERE is_complete AND origin <> 'before_first'
  QUALIFY row_number() OVER (PARTITION BY series_id, observation_date ORDER BY realtime_start DESC) = 1
), span AS (
  SELECT series_id, min(observation_date) AS first_observation FROM served GROUP BY series_id
), captured AS (
  SELECT v.* FROM raw.vintages v JOIN span USING (series_id) WHERE v.observation_date >= span.first_observation
), ours AS (
  SELECT series_id, observation_date, value FROM ({resolved("captured")})
  WHERE realtime_end = DATE '9999-12-31'
)
SELECT series_id, 'differing', observation_date, ours.value, served.value
FROM ours FULL JOIN served USING (series_id, observation_date)
WHERE ours.value IS DISTINCT FROM served.value ORDER BY ALL
"""
_MEANING = {
    "withdrawn": "withdrawn by the publisher, missing from now on",
    "retracted": "no longer listed by the publisher, no longer read",
    "differing": "current value in the archive differs from the publisher's",
}
_SHOWN = 3


@dataclass(frozen=True)
class MergeCounts:
    """Rows of one series in one merge. `unchanged` were served and already stored, all others were appended.

    `new`: of an observation not stored before. `revised`: a further vintage of a stored one. `corrected`: a stored
    vintage, served with another value. `withdrawn`: a stored figure that is missing now. `retracted`: a stored vintage
    the publisher no longer lists. `differing`: observations whose current value is not the one served, after the merge.
    `warnings`: a sentence about each withdrawal, and about values that differ.
    """

    new: int = 0
    revised: int = 0
    corrected: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    retracted: int = 0
    differing: int = 0
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def as_columns(self) -> dict[str, int]:
        """The numbers by the name of their column in `raw.fetches`."""
        return {f"rows_{name}": count for name, count in vars(self).items() if name != "warnings"}

    @property
    def changed(self) -> int:
        """Rows appended about observations stored before."""
        return self.revised + self.corrected + self.withdrawn + self.retracted

    @property
    def appended(self) -> int:
        """Rows the archive gained."""
        return self.new + self.changed


def merge_source(
    con: duckdb.DuckDBPyConnection,
    fetched: Sequence[tuple[Series, Payload, str]],
    *,
    run_date: dt.date,
    captured_at: dt.datetime,
    released_on: Mapping[str, ReleasedOn],
    known: Mapping[str, Known] | None = None,
) -> dict[str, MergeCounts]:
    """Append what one source served for its series, in one transaction; counts by series id.

    `fetched` has (series, payload, fetch id). `run_date` is the source's own day (today, or the sample's last day),
    never an --as-of date: a changed figure is dated by it. `captured_at` is aware. `released_on` gives, by series,
    first publications that replace the lag rule; NaT: never published. `known` is of earlier fetches, by series: a
    figure seen now for the first time counts from the day after them at the earliest, but never after `run_date`.
    """
    if not fetched:
        return {}
    series = {one.series_id: one for one, _, _ in fetched}
    first_vintages = _first_vintages(
        con, [one.series_id for one, payload, _ in fetched if payload.has_vintages]
    )
    rows = [
        _served_rows(one, payload, fetch_id, run_date, released_on.get(one.series_id, {}),
                     first_vintages.get(one.series_id), (known or {}).get(one.series_id))
        for one, payload, fetch_id in fetched
    ]  # fmt: skip
    with registered(con, pd.concat(rows, ignore_index=True), "served_rows"), transaction(con):
        con.execute(_CHANGES, {"run_date": run_date, "captured_at": utc(captured_at)})
        con.execute(_APPEND)
        counted = con.execute(_COUNTS).fetchall()
        found = con.execute(_TAKEN_BACK).fetchall() + con.execute(_DISAGREEING).fetchall()
        con.execute("DROP TABLE merge_changes")
    warnings = _warnings(found, series)
    counts: dict[str, Counter[str]] = {name: Counter() for name in series}
    for name, change, rows_of_change in counted:
        counts[name][change] = rows_of_change
    for name, kind, *_ in found:
        counts[name]["differing"] += kind == "differing"
    return {name: MergeCounts(**counts[name], warnings=warnings.get(name, ())) for name in series}


def _first_vintages(con: duckdb.DuckDBPyConnection, series_ids: list[str]) -> dict[str, np.datetime64]:
    """The first real vintage stored and not taken back, by series."""
    if not series_ids:
        return {}
    captured = "(SELECT * FROM raw.vintages WHERE series_id IN (SELECT unnest(?)))"
    rows = con.execute(
        f"SELECT series_id, min(realtime_start) FROM ({resolved(captured)}) "
        f"WHERE vintage_source IN ({REAL}) GROUP BY series_id",
        [series_ids],
    ).fetchall()
    return {series_id: np.datetime64(day, "D") for series_id, day in rows}


def _served_rows(
    series: Series,
    payload: Payload,
    fetch_id: str,
    run_date: dt.date,
    released_on: ReleasedOn,
    first_stored: np.datetime64 | None,
    known: Known | None,
) -> pd.DataFrame:
    """What was served, each row with the day it could first be known and the origin of that date.

    `vintage`: as served. `plain`: no vintage served, dated by lag rule. `before_first`: once more, by lag rule, what
    the first vintage (of rtdsm: of each figure) says of figures older than it. `is_first_seen`: a plain figure that
    counts from the day we saw it, because the calendar says it was never published, because an earlier fetch did not
    have it, or because it differs from the vintages served with it (`is_repeated`: it does not).
    """
    observations = payload.observations
    observation = days(observations["observation_date"].to_numpy())
    start = days(observations["realtime_start"].to_numpy())
    value = observations["value"].to_numpy(dtype="float64")
    published = first_publication(observation, series, released_on)
    by_rule = first_publication(observation, series, {})
    never, has_vintage = np.isnat(published), ~np.isnat(start)
    unannounced = never & ~np.isnan(value)
    by_calendar = np.where(never, np.where(unannounced, np.datetime64(run_date, "D"), by_rule), published)
    seen = by_calendar
    if known is not None and not payload.is_bundled and not series.posts_late:
        seen = _not_before(by_calendar, observation, known, run_date)
    first = np.append(start[has_vintage], first_stored or _NEVER).min()
    own, last, is_repeated = _own_vintages(observation, start, value)
    if payload.vintage_source != "rtdsm":
        own = np.full(own.shape, first)
    seen = np.where(~np.isnat(last) & ~has_vintage, np.datetime64(run_date, "D"), seen)
    frame = pd.DataFrame(
        {
            "series_id": series.series_id,
            "observation_date": observation.astype("datetime64[s]"),
            "realtime_start": np.where(has_vintage, start, seen).astype("datetime64[s]"),
            "value": value,
            "fetch_id": fetch_id,
            "origin": np.where(has_vintage, "vintage", "plain"),
            "real_source": payload.vintage_source,
            "is_first_seen": unannounced | (seen > by_calendar),
            "is_repeated": is_repeated,
            "is_complete": payload.is_complete,
            "first_vintage": own.astype("datetime64[s]"),
        }
    )
    older = has_vintage & (start == own) & (published < own)  # NaT, never published, compares false
    # of a vintage and a figure seen on one day the vintage is kept; a figure that differs counts from the next day
    kept = frame[has_vintage | ~(last >= np.datetime64(run_date, "D"))]
    if not older.any():
        return kept
    before = frame[older].assign(
        realtime_start=published[older].astype("datetime64[s]"), origin="before_first", is_first_seen=False
    )
    return pd.concat([kept, before], ignore_index=True)


def _own_vintages(
    observation: Days, start: Days, value: npt.NDArray[np.float64]
) -> tuple[Days, Days, npt.NDArray[np.bool_]]:
    """Per row: the first and the last vintage served of its observation (NaT without one), and whether a row without
    a vintage repeats the last.
    """
    if np.isnat(start).all():  # most series, and the longest
        return start, start, np.zeros(start.shape, dtype="bool")
    rows = pd.DataFrame({"observation": observation.astype("datetime64[s]"), "start": start, "value": value})
    dated = rows[rows["start"].notna()].sort_values("start")
    first = dated.drop_duplicates("observation").set_index("observation")["start"]
    newest = dated.drop_duplicates("observation", keep="last").set_index("observation")
    last, repeated = (rows["observation"].map(newest[name]) for name in ("start", "value"))
    is_same = (rows["value"] == repeated) | (rows["value"].isna() & repeated.isna())
    own = days(rows["observation"].map(first).to_numpy(dtype="datetime64[s]"))
    is_repeated = (last.notna() & is_same).to_numpy() & np.isnat(start)
    return own, days(last.to_numpy(dtype="datetime64[s]")), is_repeated


def _not_before(by_calendar: Days, observation: Days, known: Known, run_date: dt.date) -> Days:
    """Dates moved past the days on which the publisher did not have the figure; what we have today was public today.

    A partial fetch, or "nothing changed", shows nothing of a gap before the newest observation in the archive.
    """
    seen = by_calendar
    is_newer = observation > np.datetime64(known.newest_observation or dt.date.max, "D")
    for day, is_absent in ((known.complete_on, True), (known.asked_on, is_newer)):
        if day is not None:
            next_day = min(np.datetime64(day, "D") + 1, np.datetime64(run_date, "D"))
            seen = np.where(is_absent, np.maximum(seen, next_day), seen)
    return seen


def _warnings(found: list[tuple], series: Mapping[str, Series]) -> dict[str, tuple[str, ...]]:
    """Sentences by series: what was taken back, and what differs from the publisher; no value of a restricted one."""
    rows: dict[tuple[str, str], list[str]] = {}
    for series_id, kind, observation, first, second in found:
        is_shown = series[series_id].rights != "restricted"
        text = str(observation)
        if kind == "differing":
            text += f" (archive {first}, publisher {second})" if is_shown else ""
        else:
            text += f" (vintage of {first})" if kind == "retracted" else ""
            text += f" was {second}" if is_shown else ""
        rows.setdefault((series_id, kind), []).append(text)
    sentences: dict[str, tuple[str, ...]] = {}
    for (series_id, kind), texts in rows.items():
        shown = ", ".join(texts[:_SHOWN]) + (f", ... ({len(texts)} in all)" if len(texts) > _SHOWN else "")
        sentence = f"{series_id}: {_MEANING[kind]}: {shown}"
        sentences[series_id] = (*sentences.get(series_id, ()), sentence)
    return sentences
