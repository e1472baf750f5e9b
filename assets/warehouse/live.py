"""Live rows: month-ends frozen within days of their date, used in the record in place of the panel's, and what is late.

A table of the schema `live` has the columns of the as-of table it is named after, and whose row it is. A row counts
when its release was published, or is being built: a run that was blocked or killed freezes nothing. Which dates are
frozen is in `compute/grid.py`. Late are captures that reached the archive after a row was published or frozen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Column, Profile, Table
from assets.catalog.render import literal, quoted
from assets.compute.archive import Captures, Rows, captured_by, pack, resolve
from assets.compute.calendar import days
from assets.compute.grid import LIVE
from assets.compute.record import Cause, overlaid, with_spells
from assets.compute.registry import Computation
from assets.warehouse.readers import frame_of, load_captures, read_table, run_grid, vintages_as_of
from assets.warehouse.schema import REAL
from assets.warehouse.tables import append_rows, registered, transaction

SCHEMA = "live"
PROVENANCE = "provenance"
_FRAME = "live_frame"
_OWNER = {"method_version": "VARCHAR", "frozen_release_id": "VARCHAR"}
_ROWS = """
SELECT as_of_date, frozen_at, captured_until, run_date, release_id
FROM ops.live_rows
WHERE profile = $profile AND method_version = $method_version AND as_of_date <= $until
  AND (release_id = $release_id OR release_id IN (SELECT release_id FROM ops.publications))
ORDER BY as_of_date
"""
# The rows just frozen are of kind live, with their first publication.
_FROZEN_KIND = f"UPDATE {SCHEMA}.regime SET row_kind = '{LIVE}' WHERE frozen_release_id = $release"
_FIRST_PUBLISHED = f"""
UPDATE {SCHEMA}.regime AS r SET first_published_at = p.first_published_at FROM ops.published_rows AS p
WHERE p.as_of_date = r.as_of_date AND p.profile = $profile AND p.method_version = $version
  AND r.frozen_release_id = $release
"""
# Which captures may change what is in force on $day: figures public by then, and vintages that begin later where a row
# was dated by lag rule, which gives way to a real vintage and comes back when that is retracted (`schema.py`).
REACHES_DAY = f"""(
    realtime_start <= $day OR (
      vintage_source IN ({REAL}, 'retracted') AND (series_id, observation_date) IN (
        SELECT (series_id, observation_date) FROM raw.vintages
        WHERE vintage_source = 'lag_rule' AND realtime_start <= $day
      )
    )
  )"""
# `before` is what was stored under the same key.
_SINCE = f"""
WITH new AS (
  SELECT * FROM raw.vintages WHERE captured_at > $since AND {REACHES_DAY}
), before AS (
  SELECT series_id, observation_date, realtime_start, arg_max(coalesce(value, 'nan'::DOUBLE), captured_at) AS value,
    arg_max(vintage_source, captured_at) AS vintage_source
  FROM raw.vintages SEMI JOIN new USING (series_id, observation_date, realtime_start)
  WHERE captured_at <= $since GROUP BY ALL
), replaceable AS (
  SELECT DISTINCT series_id, observation_date
  FROM raw.vintages SEMI JOIN new USING (series_id, observation_date)
  WHERE captured_at <= $since AND vintage_source = 'lag_rule'
)
SELECT n.series_id, n.observation_date, n.realtime_start, n.captured_at,
  CASE
    WHEN n.vintage_source = 'retracted' OR (n.value IS NULL AND NOT isnan(b.value)) THEN 'retracted'
    WHEN b.vintage_source <> 'lag_rule' OR n.vintage_source NOT IN ({REAL}) AND b.series_id IS NOT NULL THEN 'corrected'
    WHEN n.vintage_source IN ({REAL}) AND r.series_id IS NOT NULL THEN 'better_vintage'
    ELSE 'late'
  END AS reason
FROM new AS n
LEFT JOIN before AS b USING (series_id, observation_date, realtime_start)
LEFT JOIN replaceable AS r USING (series_id, observation_date)
ORDER BY ALL
"""
# Figures of one year: what feeds a row is at most that old.
_REACHED = f"""
SELECT series_id, observation_date, max(captured_at) AS captured_at FROM raw.vintages
WHERE captured_at > $captured_until AND observation_date > $day::DATE - INTERVAL 400 DAY
  AND series_id IN (SELECT unnest($series_ids)) AND {REACHES_DAY}
GROUP BY ALL
"""
# A figure may also move with the first real vintage of its series, which is another observation's.
_LATE = f"""
WITH reached AS ({_REACHED})
SELECT $day::DATE AS as_of_date, series_id, observation_date,
  coalesce(late.realtime_start, used.realtime_start) AS realtime_start, used.value AS value_used,
  late.value AS value_late, coalesce(r.captured_at, (SELECT max(captured_at) FROM reached)) AS captured_at,
  $captured_until::TIMESTAMP AS captured_until,
  coalesce(p.first_published_at, $captured_until::TIMESTAMP) AS first_published_at
FROM (SELECT series_id, observation_date FROM late_side UNION SELECT series_id, observation_date FROM used_side)
  AS both_sides
LEFT JOIN late_side AS late USING (series_id, observation_date)
LEFT JOIN used_side AS used USING (series_id, observation_date)
LEFT JOIN reached AS r USING (series_id, observation_date)
LEFT JOIN ops.published_rows AS p ON p.as_of_date = $day AND p.profile = $profile AND p.method_version = $version
WHERE used.value IS DISTINCT FROM late.value AND observation_date > $day::DATE - INTERVAL 400 DAY
ORDER BY ALL
"""


@dataclass(frozen=True)
class LiveRow:
    """One frozen month-end. Moments are UTC without an offset; `run_date` ends the grid it was computed on."""

    as_of_date: dt.date
    frozen_at: dt.datetime
    captured_until: dt.datetime
    run_date: dt.date
    release_id: str


def live_rows(
    con: duckdb.DuckDBPyConnection,
    profile: str,
    method_version: str,
    until: dt.date,
    release_id: str | None = None,
) -> list[LiveRow]:
    """Month-ends up to `until` frozen by a published release, or by `release_id`, which is being built; by date."""
    parameters = {
        "profile": profile, "method_version": method_version, "until": until, "release_id": release_id or "",
    }  # fmt: skip
    return [LiveRow(*row) for row in con.execute(_ROWS, parameters).fetchall()]


def as_published(
    con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, live: Sequence[LiveRow]
) -> pd.DataFrame:
    """A table as it is published, by date: live rows in place of the panel's, all others from the panel."""
    panel = read_table(con, f"{table.layer}.{table.name}")
    if (stored := _stored(con, table, live)) is None:
        return panel
    dates = pd.Series([pd.Timestamp(row.as_of_date) for row in live])
    if table.name == PROVENANCE:
        of_as_of = panel["table_name"].isin([of.name for of in catalog.as_of_tables()])
        rest = panel[~(of_as_of & panel["as_of_date"].isin(dates))]
        return pd.concat([rest, stored], ignore_index=True)
    record = overlaid(panel, stored, dates)
    return with_spells(record) if table.name == "regime" else record


def read_record(
    con: duckdb.DuckDBPyConnection, name: str, catalog: Catalog, profile: str, run_date: dt.date
) -> pd.DataFrame:
    """A table of the record as this run publishes it."""
    table = catalog.tables[name]
    if not table.is_as_of:
        return read_table(con, f"{table.layer}.{name}")
    live = live_rows(con, profile, catalog.method.method_version, run_date)
    return as_published(con, table, catalog, live)


def read_live(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, live: Sequence[LiveRow]
) -> dict[str, pd.DataFrame]:
    """The stored live rows of every as-of table that has any, by table."""
    found = {table.name: _stored(con, table, live) for table in catalog.as_of_tables()}
    return {name: frame for name, frame in found.items() if frame is not None}


def freeze(
    con: duckdb.DuckDBPyConnection, days: Sequence[dt.date], profile: str, row: LiveRow, catalog: Catalog
) -> None:
    """Store the rows of some month-ends as they are published now; `row` names the release (its date is not used).

    What a run that did not publish had stored is dropped first.
    """
    version = catalog.method.method_version
    tables = [*catalog.as_of_tables(), catalog.tables[PROVENANCE]]
    known = live_rows(con, profile, version, row.run_date)
    with transaction(con):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        _drop_unpublished(con, tables)
        if not days:
            return
        for table in tables:
            _ensure(con, table)
            frame = as_published(con, table, catalog, known)
            frame = frame[frame["as_of_date"].isin(list(map(pd.Timestamp, days)))]
            if table.name == PROVENANCE:
                frame = frame[frame["table_name"].isin([of.name for of in catalog.as_of_tables()])]
            _append(con, table, frame, version, row.release_id)
        con.execute(_FROZEN_KIND, {"release": row.release_id})
        con.execute(_FIRST_PUBLISHED, {"profile": profile, "version": version, "release": row.release_id})
        listed = [
            {**asdict(row), "profile": profile, "method_version": version, "as_of_date": day} for day in days
        ]
        append_rows(con, catalog.tables["live_rows"], pd.DataFrame(listed))


def unfilled(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, live: Sequence[LiveRow]
) -> dict[str, list[Column]]:
    """By as-of table the columns declared since the live rows were stored; empty when there is nothing to fill."""
    if not live:
        return {}
    lacking = {
        table.name: [c for c in table.columns if c.name not in _columns(con, table.name)]
        for table in catalog.as_of_tables()
    }
    return {name: columns for name, columns in lacking.items() if columns}


def complete_live_rows(
    con: duckdb.DuckDBPyConnection, profile: Profile, run_date: dt.date, catalog: Catalog
) -> None:
    """Fill columns declared since a live row was frozen, from what had been captured when it was."""
    version = catalog.method.method_version
    live = live_rows(con, profile, version, run_date)
    lacking = unfilled(con, catalog, live)
    if not lacking:
        return
    captures = load_captures(con, list(catalog.series))
    pairs = pd.MultiIndex.from_tuples(
        [(name, column.name) for name, columns in lacking.items() for column in columns]
    )
    with transaction(con):
        for name in lacking:
            _ensure(con, catalog.tables[name])
        for row in live:
            made = panel_at(captures, row.captured_until, row.run_date, catalog, profile)
            for name, columns in lacking.items():
                _fill(con, catalog.tables[name], columns, _of(made.table(name), row), row, version)
            sources = _of(made.provenance, row)
            is_new = pd.MultiIndex.from_frame(sources[["table_name", "column_name"]]).isin(pairs)
            _append(con, catalog.tables[PROVENANCE], sources[is_new], version, row.release_id)


def panel_at(
    captures: Captures, moment: dt.datetime | None, run_date: dt.date, catalog: Catalog, profile: Profile
) -> Computation:
    """The tables of a run date from what had been captured by a moment (UTC without an offset; None: all)."""
    captured = captures if moment is None else captured_by(captures, microseconds(moment))
    return Computation(resolve(captured), run_grid(run_date, catalog), catalog, profile)


def microseconds(moment: dt.datetime) -> int:
    """A moment in UTC without an offset, as archives count it."""
    return int(np.datetime64(moment, "us").astype("int64"))


def _of(frame: pd.DataFrame, row: LiveRow) -> pd.DataFrame:
    return frame[frame["as_of_date"] == pd.Timestamp(row.as_of_date)]


def _fill(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[Column],
    frame: pd.DataFrame,
    row: LiveRow,
    version: str,
) -> None:
    """New columns of the stored rows; the rows themselves where the table is new."""
    if len(columns) == len(table.columns):
        _append(con, table, frame, version, row.release_id)
        return
    with registered(con, frame, _FRAME):
        same = " AND ".join(f"t.{quoted(k)} = f.{quoted(k)}" for k in table.key)
        sets = ", ".join(f"{quoted(c.name)} = CAST(f.{quoted(c.name)} AS {c.type})" for c in columns)
        con.execute(
            f"UPDATE {_name(table)} AS t SET {sets} FROM {_FRAME} AS f WHERE {same} AND t.as_of_date = $day "
            "AND t.method_version = $version AND t.frozen_release_id = $release",
            {"version": version, "release": row.release_id, "day": row.as_of_date},
        )


def _append(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, version: str, release_id: str
) -> None:
    """Append rows of an as-of table to its live table, with their method version and release."""
    with registered(con, frame.assign(method_version=version, frozen_release_id=release_id), _FRAME):
        con.execute(f"INSERT INTO {_name(table)} BY NAME FROM {_FRAME}")


def _name(table: Table) -> str:
    return f"{SCHEMA}.{quoted(table.name)}"


def _columns(con: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    """Columns of a table of the schema `live`; none when nothing of it was ever frozen."""
    found = con.execute(
        "SELECT column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [SCHEMA, name],
    ).fetchall()
    return {column for (column,) in found}


def _ensure(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """The table in the schema `live`, with every column declared; no constraints, since versions differ."""
    types = _OWNER | {column.name: column.type for column in table.columns}
    existing = _columns(con, table.name)
    if not existing:
        columns = ", ".join(f"{quoted(name)} {type_}" for name, type_ in types.items())
        con.execute(f"CREATE TABLE {_name(table)} ({columns})")
        return
    for name in types.keys() - existing:
        con.execute(f"ALTER TABLE {_name(table)} ADD COLUMN {quoted(name)} {types[name]}")


def _drop_unpublished(con: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """Drop the rows of runs that were blocked or killed before they published."""
    unpublished = "NOT IN (SELECT release_id FROM ops.publications)"
    for table in tables:
        if _columns(con, table.name):
            con.execute(f"DELETE FROM {_name(table)} WHERE frozen_release_id {unpublished}")
    con.execute(f"DELETE FROM ops.live_rows WHERE release_id {unpublished}")


def _stored(con: duckdb.DuckDBPyConnection, table: Table, live: Sequence[LiveRow]) -> pd.DataFrame | None:
    """The stored rows of a table that count, None without any; a column declared since, and not filled, is NULL."""
    stored = _columns(con, table.name)
    if not live or not stored:
        return None
    names = ", ".join(
        quoted(c.name) if c.name in stored else f"CAST(NULL AS {c.type}) AS {quoted(c.name)}"
        for c in table.columns
    )
    owners = ", ".join(f"(DATE '{row.as_of_date}', {literal(row.release_id)})" for row in live)
    return frame_of(
        con,
        f"SELECT {names} FROM {_name(table)} WHERE (as_of_date, frozen_release_id) IN ({owners})",
    )


@dataclass(frozen=True)
class CaptureGroup:
    """Captures of one series and reason since a moment (microseconds UTC), by the keys of their vintages."""

    cause: Cause
    keys: Rows
    since: int

    def left_out_of(self, captures: Captures) -> Captures:
        """Everything captured but these."""
        is_of_group = (captures.captured > self.since) & np.isin(captures.key, self.keys)
        return captures.take(~is_of_group)


def captures_since(
    con: duckdb.DuckDBPyConnection, since: dt.datetime, last: dt.date, codes: Mapping[str, int]
) -> list[CaptureGroup]:
    """Captures after `since` (UTC without an offset) that may change a row up to `last`, by reason and series.

    `codes` are those of the captures the groups will be left out of; series without a code are left out.
    """
    found = frame_of(con, _SINCE, {"since": since, "day": last})
    groups = []
    for (reason, series_id), rows in found[found["series_id"].isin([*codes])].groupby(
        ["reason", "series_id"]
    ):
        observation, start = (days(rows[name].to_numpy()) for name in ("observation_date", "realtime_start"))
        code = np.full(len(rows), codes[str(series_id)], dtype="int64")
        cause = Cause(str(reason), str(series_id), rows["captured_at"].max().to_pydatetime())
        groups.append(CaptureGroup(cause, pack(code, observation, start), microseconds(since)))
    return groups


def late_figures(
    con: duckdb.DuckDBPyConnection, profile: str, catalog: Catalog, live: Sequence[LiveRow]
) -> pd.DataFrame:
    """Rows of `late_figures`: what live rows would have used had it come in time. Empty in most runs."""
    columns = list(catalog.tables["late_figures"].column_names)
    found = [_late(con, row, profile, catalog) for row in live]
    found = [frame for frame in found if frame is not None]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _late(
    con: duckdb.DuckDBPyConnection, row: LiveRow, profile: str, catalog: Catalog
) -> pd.DataFrame | None:
    """The late figures of one row; None when none of its series was captured since."""
    ids = _series_read(con, row, catalog)
    parameters = {"captured_until": row.captured_until, "day": row.as_of_date, "series_ids": ids}
    if not con.execute(f"{_REACHED} LIMIT 1", parameters).fetchall():
        return None
    until = row.captured_until.replace(tzinfo=dt.UTC)
    used, late = (vintages_as_of(con, row.as_of_date, ids, moment) for moment in (until, None))
    with registered(con, used, "used_side"), registered(con, late, "late_side"):
        return frame_of(
            con, _LATE, {**parameters, "profile": profile, "version": catalog.method.method_version}
        )


def _series_read(con: duckdb.DuckDBPyConnection, row: LiveRow, catalog: Catalog) -> list[str]:
    """Series a live row was computed from, by its provenance and by tables with a column `series_ids`."""
    naming = {PROVENANCE, *(t.name for t in catalog.as_of_tables() if "series_ids" in t.column_names)}
    stored = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?",
        [SCHEMA],
    ).fetchall()
    parts = " UNION ".join(
        f"SELECT series_ids FROM {SCHEMA}.{quoted(name)} "
        "WHERE as_of_date = $day AND frozen_release_id = $release"
        for (name,) in stored
        if name in naming
    )
    query = f"SELECT DISTINCT unnest(string_split(series_ids, ',')) AS id FROM ({parts}) ORDER BY id"
    parameters = {"day": row.as_of_date, "release": row.release_id}
    return [series_id for (series_id,) in con.execute(query, parameters).fetchall() if series_id]
