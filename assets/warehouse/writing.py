"""Writing a frame into a declared table: explicit types, by name, in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakSet

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Table
from assets.catalog.render import (
    comment_statements,
    create_table,
    insert_by_name,
    qualified_name,
    quoted,
    schema_name,
)
from assets.warehouse.connection import WarehouseError, explained, is_about_the_file

_INCOMING = "incoming_frame"
_INTEGERS = ("INTEGER", "BIGINT")
# DuckDB does not say whether a transaction is open, and a second BEGIN breaks the first.
_open_transactions: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()


class FrameRefused(WarehouseError):
    """A frame does not fit its table; the table is unchanged."""


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of a block or nothing; inside another it joins it. A full or damaged disk raises WarehouseError."""
    if con in _open_transactions:
        yield
        return
    con.execute("BEGIN TRANSACTION")
    _open_transactions.add(con)
    try:
        yield
        con.execute("COMMIT")
    except BaseException as error:
        with suppress(duckdb.TransactionException):  # a failed COMMIT has already rolled back
            con.execute("ROLLBACK")
        if isinstance(error, duckdb.Error) and is_about_the_file(error):
            raise explained(error, _path(con)) from None
        raise
    finally:
        _open_transactions.discard(con)


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame, name: str = _INCOMING) -> Iterator[None]:
    """A frame under a name SQL can read, for the length of a block."""
    con.register(name, frame)
    try:
        yield
    finally:
        con.unregister(name)


def replace_table(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, *, may_be_empty: bool = False
) -> int:
    """Replace a table by a frame; the number of rows written.

    Raises FrameRefused for an empty frame (unless it may be empty), other columns than declared, or fractions in a
    whole-number column; duckdb.Error for a broken key or NOT NULL. The old table is unchanged then.
    """
    _refuse_misfit(table, frame, may_be_empty=may_be_empty)
    with registered(con, frame), transaction(con):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema_name(table))}")
        con.execute(create_table(table, replace=True))
        con.execute(insert_by_name(table, _INCOMING))
        for statement in comment_statements(table):
            con.execute(statement)
    return len(frame)


def append_rows(con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame) -> int:
    """Append a frame to an existing table; the number of rows. An empty frame appends nothing.

    Raises as `replace_table` does, and duckdb.Error for a key that exists already.
    """
    _refuse_misfit(table, frame, may_be_empty=True)
    with registered(con, frame), transaction(con):
        con.execute(insert_by_name(table, _INCOMING))
    return len(frame)


def replace_slice(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, column: str, value: str
) -> int:
    """Replace the rows of a table with `value` in `column` by a frame that has only such rows."""
    _refuse_misfit(table, frame)
    if not (frame[column] == value).all():
        raise FrameRefused(f"{qualified_name(table)}: rows with another {column} than {value!r}")
    with registered(con, frame), transaction(con):
        ensure_tables(con, table)
        con.execute(f"DELETE FROM {qualified_name(table)} WHERE {quoted(column)} = ?", [value])
        con.execute(insert_by_name(table, _INCOMING))
    return len(frame)


def ensure_tables(con: duckdb.DuckDBPyConnection, *tables: Table) -> None:
    """Create missing tables with their comments; rename columns of existing ones, and add nullable ones, as declared.

    Raises WarehouseError when an existing table cannot become the declared one.
    """
    existing: dict[tuple[str, str], dict[str, str]] = {}
    for schema, name, column, type_ in con.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal ORDER BY table_oid, column_index"
    ).fetchall():
        existing.setdefault((schema, name), {})[column] = type_
    for table in tables:
        schema = schema_name(table)
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        if (types := existing.get((schema, table.name))) is None:
            con.execute(create_table(table))
        elif not _migrated(con, table, types):
            continue
        for statement in comment_statements(table):
            con.execute(statement)


def _migrated(con: duckdb.DuckDBPyConnection, table: Table, types: dict[str, str]) -> bool:
    """Rename and add columns, given the type of every column the table has; whether there were any."""
    declared = {column.name: column.type for column in table.columns}
    renamed = {
        column.renamed_from: column.name
        for column in table.columns
        if column.renamed_from in types and column.name not in types
    }
    for before, now in renamed.items():
        con.execute(f"ALTER TABLE {qualified_name(table)} RENAME COLUMN {quoted(before)} TO {quoted(now)}")
    types = {renamed.get(name, name): type_ for name, type_ in types.items()}
    lacking = [column for column in table.columns if column.name not in types]
    odd = [name for name, type_ in types.items() if declared.get(name) != type_]
    odd += [column.name for column in lacking if not column.nullable]
    if odd:
        raise WarehouseError(
            f"{_path(con)}: {qualified_name(table)}.{odd[0]} is not as declared; move the file away, or migrate it"
        )
    for column in lacking:
        con.execute(f"ALTER TABLE {qualified_name(table)} ADD COLUMN {quoted(column.name)} {column.type}")
    return bool(lacking or renamed)


def as_declared(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that an earlier version wrote, in the columns of today: renamed, and empty where the column is newer."""
    before = {column.renamed_from: column.name for column in table.columns if column.renamed_from}
    return frame.rename(columns=before).reindex(columns=list(table.column_names))


def _refuse_misfit(table: Table, frame: pd.DataFrame, *, may_be_empty: bool = False) -> None:
    name = f"{schema_name(table)}.{table.name}"
    if odd := sorted(set(table.column_names) ^ set(map(str, frame.columns))):
        raise FrameRefused(f"{name}: columns differ from the catalogue: {', '.join(odd)}")
    if frame.empty and not may_be_empty:
        raise FrameRefused(f"{name}: the frame is empty, the table is unchanged")
    for column in table.columns:
        given = frame[column.name]
        if column.type in _INTEGERS and pd.api.types.is_float_dtype(given):
            finite = given[np.isfinite(given)]
            if (finite != np.floor(finite)).any():  # DuckDB would round them silently
                raise FrameRefused(f"{name}.{column.name}: fractions in a whole-number column")


def _path(con: duckdb.DuckDBPyConnection) -> Path:
    """File of a connection's database, for messages."""
    try:
        rows = con.execute(
            "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchall()
    except duckdb.Error:
        return Path("the warehouse")
    return Path(rows[0][0]) if rows and rows[0][0] else Path("the warehouse")
