"""Live rows: frozen within days of their date, stored, and put over the panel wherever the record is read.

Belongs here: storing them, and the one query that puts them over a table. Does not belong here: which dates are frozen
(`compute/grid.py`), the same overlay for tables in memory (`compute/record.py`).

A table of the schema `live` has the columns of the as-of table it is named after, and whose row it is. A row counts
when its release was published, or is the one being made: a run that was blocked or killed freezes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Column, Profile, Table
from assets.catalog.render import literal, qualified_name, quoted
from assets.compute.archive import Captures, captured_by, resolve
from assets.compute.grid import LIVE
from assets.compute.registry import Computation
from assets.warehouse.readers import frame_of, load_captures, read_table, run_grid
from assets.warehouse.tables import append_rows, registered, transaction

SCHEMA = "live"


PROVENANCE = "provenance"


_WHOSE = {"method_version": "VARCHAR", "frozen_release_id": "VARCHAR"}


_FROZEN = "filled_frame"


_ROWS = """
SELECT as_of_date, frozen_at, captured_until, run_date, release_id
FROM ops.live_rows
WHERE profile = $profile AND method_version = $method_version AND as_of_date <= $until
  AND (release_id = $release_id OR release_id IN (SELECT release_id FROM ops.publications))
ORDER BY as_of_date
"""


@dataclass(frozen=True)
class LiveRow:
    """One frozen month-end. Moments are UTC without an offset; `run_date` ends the grid it was computed on."""

    as_of_date: dt.date
    frozen_at: dt.datetime
    captured_until: dt.datetime
    run_date: dt.date
    release_id: str


@dataclass(frozen=True)
class LiveRows:
    """The frozen month-ends of a profile and method version that count, by date."""

    method_version: str
    rows: tuple[LiveRow, ...]

    @property
    def dates(self) -> list[dt.date]:
        """Their month-ends, ascending."""
        return [row.as_of_date for row in self.rows]


def live_rows(
    con: duckdb.DuckDBPyConnection,
    profile: str,
    method_version: str,
    until: dt.date,
    release_id: str | None = None,
) -> LiveRows:
    """Month-ends up to `until` that are frozen: by a published release, or by `release_id`, which is being made."""
    asked = {
        "profile": profile, "method_version": method_version, "until": until, "release_id": release_id or "",
    }  # fmt: skip
    found = con.execute(_ROWS, asked).fetchall()
    return LiveRows(method_version, tuple(LiveRow(*row) for row in found))


def overlay_query(con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, live: LiveRows) -> str:
    """Query giving a table as it is published: live rows in place of the panel's, all others from the panel."""
    names = ", ".join(quoted(name) for name in table.column_names)
    panel = f"SELECT {names} FROM {qualified_name(table)}"
    if not live.rows or not (table.is_as_of or table.name == PROVENANCE):
        return panel
    frozen = _columns(con, table.name)
    if frozen:
        dates = ", ".join(f"DATE '{day}'" for day in live.dates)
        of_table = _tables_listed(catalog) if table.name == PROVENANCE else "true"
        panel += f" WHERE NOT (as_of_date IN ({dates}) AND {of_table}) UNION ALL BY NAME {_live(table, live, frozen)}"
    return _with_spells(panel, table) if table.name == "regime" else panel


def read_overlaid(
    con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, live: LiveRows
) -> pd.DataFrame:
    """A table as it is published, by key."""
    key = ", ".join(map(quoted, table.key))
    con.execute(f"SELECT * FROM ({overlay_query(con, table, catalog, live)}) ORDER BY {key}")
    return frame_of(con)


def read_record(
    con: duckdb.DuckDBPyConnection, name: str, catalog: Catalog, profile: str, run_date: dt.date
) -> pd.DataFrame:
    """A table as it is published tonight, for what is about the record."""
    table, live = catalog.tables[name], live_rows(con, profile, catalog.method.method_version, run_date)
    if not live.rows or not table.is_as_of:
        return read_table(con, f"{table.layer}.{name}")
    return read_overlaid(con, table, catalog, live)


def read_live(con: duckdb.DuckDBPyConnection, catalog: Catalog, live: LiveRows) -> dict[str, pd.DataFrame]:
    """The stored live rows of every as-of table that has any, by table."""
    frames = {}
    for table in catalog.as_of_tables():
        if live.rows and (frozen := _columns(con, table.name)):
            con.execute(_live(table, live, frozen))
            frames[table.name] = frame_of(con)
    return frames


def freeze(
    con: duckdb.DuckDBPyConnection,
    days: Sequence[dt.date],
    profile: str,
    row: LiveRow,
    catalog: Catalog,
) -> None:
    """Store the rows of some month-ends as they are published now; `row` says by which release (its date is not read).

    What a run that did not publish had stored is dropped first.
    """
    version = catalog.method.method_version
    tables = [*catalog.as_of_tables(), catalog.tables[PROVENANCE]]
    known = live_rows(con, profile, version, row.run_date)
    with transaction(con):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        _drop_unpublished(con, tables)
        for table in tables if days else ():
            _ensure(con, table)
            query = overlay_query(con, table, catalog, known)
            if table.name == "regime":
                query = _as_live(query, profile, version)
            elif table.name == PROVENANCE:
                query = f"SELECT * FROM ({query}) WHERE {_tables_listed(catalog)}"
            con.execute(
                f"INSERT INTO {_name(table)} BY NAME SELECT *, "
                f"{'' if 'method_version' in table.column_names else '$version AS method_version, '}"
                f"$release AS frozen_release_id FROM ({query}) WHERE as_of_date IN (SELECT unnest($days))",
                {"release": row.release_id, "days": list(days)}
                | ({} if "method_version" in table.column_names else {"version": version}),
            )
        listed = [
            {
                "profile": profile,
                "method_version": version,
                "as_of_date": day,
                "frozen_at": row.frozen_at,
                "captured_until": row.captured_until,
                "run_date": row.run_date,
                "release_id": row.release_id,
            }
            for day in days
        ]
        if listed:
            append_rows(con, catalog.tables["live_rows"], pd.DataFrame(listed))


def unfilled(con: duckdb.DuckDBPyConnection, catalog: Catalog, live: LiveRows) -> dict[str, list[Column]]:
    """By as-of table the columns declared since the live rows were stored; empty when there is nothing to fill."""
    if not live.rows:
        return {}
    lacking = {
        table.name: [c for c in table.columns if c.name not in _columns(con, table.name)]
        for table in catalog.as_of_tables()
    }
    return {name: columns for name, columns in lacking.items() if columns}


def fill(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    live: LiveRows,
    recompute: Callable[[LiveRow], tuple[Mapping[str, pd.DataFrame], pd.DataFrame]],
) -> None:
    """Fill the columns declared since on every live row; `recompute` gives a row's panel and its provenance."""
    lacking = unfilled(con, catalog, live)
    if not lacking:
        return
    with transaction(con):
        for name in lacking:
            _ensure(con, catalog.tables[name])
        for row in live.rows:
            tables, provenance = recompute(row)
            for name, columns in lacking.items():
                _fill(con, catalog.tables[name], columns, _of(tables[name], row), row, live.method_version)
            _fill_provenance(con, _of(provenance, row), lacking, row, live.method_version)


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
    whose = {"version": version, "release": row.release_id, "day": row.as_of_date}
    with registered(con, frame, _FROZEN):
        if len(columns) == len(table.columns):
            con.execute(
                f"INSERT INTO {_name(table)} BY NAME SELECT *, $version AS method_version, "
                f"$release AS frozen_release_id FROM {_FROZEN} WHERE as_of_date = $day",
                whose,
            )
            return
        same = " AND ".join(f"t.{quoted(k)} = f.{quoted(k)}" for k in table.key)
        sets = ", ".join(f"{quoted(c.name)} = CAST(f.{quoted(c.name)} AS {c.type})" for c in columns)
        con.execute(
            f"UPDATE {_name(table)} AS t SET {sets} FROM {_FROZEN} AS f WHERE {same} AND t.as_of_date = $day "
            "AND t.method_version = $version AND t.frozen_release_id = $release",
            whose,
        )


def _fill_provenance(
    con: duckdb.DuckDBPyConnection,
    frame: pd.DataFrame,
    lacking: Mapping[str, Sequence[Column]],
    row: LiveRow,
    version: str,
) -> None:
    pairs = {(name, column.name) for name, columns in lacking.items() for column in columns}
    is_new = [pair in pairs for pair in zip(frame["table_name"], frame["column_name"], strict=True)]
    with registered(con, frame[is_new], _FROZEN):
        con.execute(
            f"INSERT INTO {SCHEMA}.{PROVENANCE} BY NAME SELECT *, $version AS method_version, "
            f"$release AS frozen_release_id FROM {_FROZEN}",
            {"version": version, "release": row.release_id},
        )


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
    types: dict[str, str] = {column.name: column.type for column in table.columns}
    types |= {name: kind for name, kind in _WHOSE.items() if name not in types}
    there = _columns(con, table.name)
    if not there:
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
        con.execute(f"CREATE TABLE {_name(table)} ({columns})")
        return
    for name, kind in types.items():
        if name not in there:
            con.execute(f"ALTER TABLE {_name(table)} ADD COLUMN {quoted(name)} {kind}")


def _drop_unpublished(con: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """What runs had stored that were blocked or killed before they published."""
    for table in tables:
        if _columns(con, table.name):
            con.execute(
                f"DELETE FROM {_name(table)} WHERE frozen_release_id NOT IN (SELECT release_id FROM ops.publications)"
            )
    con.execute("DELETE FROM ops.live_rows WHERE release_id NOT IN (SELECT release_id FROM ops.publications)")


def _live(table: Table, live: LiveRows, frozen: set[str]) -> str:
    """The stored rows of a table that count; a column declared since, and not filled yet, is NULL."""
    names = ", ".join(
        quoted(c.name) if c.name in frozen else f"CAST(NULL AS {c.type}) AS {quoted(c.name)}"
        for c in table.columns
    )
    whose = ", ".join(f"(DATE '{row.as_of_date}', {literal(row.release_id)})" for row in live.rows)
    return (
        f"SELECT {names} FROM {_name(table)} WHERE method_version = {literal(live.method_version)} "
        f"AND (as_of_date, frozen_release_id) IN ({whose})"
    )


def _tables_listed(catalog: Catalog) -> str:
    listed = ", ".join(literal(table.name) for table in catalog.as_of_tables())
    return f"table_name IN ({listed})"


def _with_spells(query: str, table: Table) -> str:
    """`regime` with `regime_since` by the labels as published; a live row keeps what it said."""
    names = ", ".join(quoted(name) for name in table.column_names)
    return f"""
SELECT {names} FROM (
  SELECT * REPLACE (
    CASE WHEN row_kind = '{LIVE}' THEN regime_since ELSE min(as_of_date) OVER (PARTITION BY spell) END AS regime_since
  )
  FROM (
    SELECT *, sum(is_change) OVER (ORDER BY as_of_date) AS spell
    FROM (
      SELECT *, CAST(regime IS DISTINCT FROM lag(regime) OVER (ORDER BY as_of_date) AS INTEGER) AS is_change
      FROM ({query})
    )
  )
)"""


def _as_live(query: str, profile: str, version: str) -> str:
    """`regime` as its live rows are stored: of their kind, with their first publication."""
    return f"""
SELECT r.* REPLACE ('{LIVE}' AS row_kind, coalesce(p.first_published_at, r.first_published_at) AS first_published_at)
FROM ({query}) AS r
LEFT JOIN ops.published_rows AS p
  ON p.as_of_date = r.as_of_date AND p.profile = {literal(profile)} AND p.method_version = {literal(version)}"""


def panel_at(
    captures: Captures, moment: dt.datetime | None, run_date: dt.date, catalog: Catalog, profile: Profile
) -> Computation:
    """The tables of a run date from what had been captured by a moment (UTC without an offset; None: all)."""
    held = captures if moment is None else captured_by(captures, microseconds(moment))
    return Computation(resolve(held), run_grid(run_date, catalog), catalog, profile)


def panel_of(captures: Captures, row: LiveRow, catalog: Catalog, profile: Profile) -> Computation:
    """The tables a live row was frozen from."""
    return panel_at(captures, row.captured_until, row.run_date, catalog, profile)


def microseconds(moment: dt.datetime) -> int:
    """A moment in UTC without an offset, as archives count it."""
    return int(np.datetime64(moment, "us").astype("int64"))


def complete_live_rows(
    con: duckdb.DuckDBPyConnection, profile: Profile, run_date: dt.date, catalog: Catalog
) -> None:
    """Fill columns declared since a live row was frozen, from what had been captured when it was."""
    live = live_rows(con, profile, catalog.method.method_version, run_date)
    if not unfilled(con, catalog, live):
        return
    captures = load_captures(con, list(catalog.series))

    def recompute(row: LiveRow) -> tuple[Mapping[str, pd.DataFrame], pd.DataFrame]:
        made = panel_of(captures, row, catalog, profile)
        return made.panel, made.provenance

    fill(con, catalog, live, recompute)
