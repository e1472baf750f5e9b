"""Writing a frame into a declared table: explicit types, by name, in one transaction, or not at all.

Belongs here: the four ways a table is written. Does not belong here: which tables exist (`schema.py`), the
archive's own rules (`merge.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
# DuckDB does not say whether a transaction is open, and asking for a second one breaks the first.
_open_transactions: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()


class FrameRefused(WarehouseError):
    """A frame does not fit its table; what stood before still stands."""


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
        _roll_back(con)
        if isinstance(error, duckdb.Error) and is_about_the_file(error):
            raise explained(error, _path(con)) from None
        raise
    finally:
        _open_transactions.discard(con)


def replace_table(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, *, may_be_empty: bool = False
) -> int:
    """Replace a table by a frame; the number of rows written.

    Creates the schema when it is not there. Raises FrameRefused for an empty frame (unless it may be), other
    columns than declared, or fractions in a whole-number column; duckdb.Error for a broken key or NOT NULL.
    The old table stands then.
    """
    _refuse_misfit(table, frame, allow_empty=may_be_empty)
    with registered(con, frame), transaction(con):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema_name(table))}")
        con.execute(create_table(table, replace=True))
        con.execute(insert_by_name(table, _INCOMING))
        for statement in comment_statements(table):
            con.execute(statement)
    return len(frame)


def append_rows(con: duckdb.DuckDBPyConnection, table: Table, *frames: pd.DataFrame) -> int:
    """Append frames to a table that only grows, together; the number of rows written.

    The table is there: those that only grow are made when a warehouse is opened. An empty frame appends nothing. Raises
    as `replace_table` does, and duckdb.Error for a key already there.
    """
    for frame in frames:
        _refuse_misfit(table, frame, allow_empty=True)
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    with registered(con, frame), transaction(con):
        con.execute(insert_by_name(table, _INCOMING))
    return len(frame)


def replace_slice(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, column: str, value: str
) -> int:
    """Replace the rows of a table whose `column` holds `value` by a frame that holds only such rows."""
    _refuse_misfit(table, frame, allow_empty=False)
    if not (frame[column] == value).all():
        raise FrameRefused(f"{qualified_name(table)}: rows with another {column} than {value!r}")
    with registered(con, frame), transaction(con):
        ensure_table(con, table)
        con.execute(f"DELETE FROM {qualified_name(table)} WHERE {quoted(column)} = ?", [value])
        con.execute(insert_by_name(table, _INCOMING))
    return len(frame)


def ensure_tables(con: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """Create those that are not there, with their comments; add nullable columns declared since.

    Raises WarehouseError when a table there cannot become the declared one.
    """
    there = _columns(con)
    for table in tables:
        _ensure(con, table, there.get((schema_name(table), table.name), {}))


def ensure_table(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """The same for one table."""
    ensure_tables(con, [table])


def _ensure(con: duckdb.DuckDBPyConnection, table: Table, there: dict[str, str]) -> None:
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema_name(table))}")
    declared = {column.name: column.type for column in table.columns}
    if not there:
        con.execute(create_table(table))
    elif there != declared:
        _migrate(con, table, there)
    if there != declared:
        for statement in comment_statements(table):
            con.execute(statement)


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame, name: str = _INCOMING) -> Iterator[None]:
    """A frame under a name SQL can read, for the length of a block."""
    con.register(name, frame)
    try:
        yield
    finally:
        con.unregister(name)


def _columns(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    """Type of every column by schema and table; asked for once for many tables, since DuckDB looks through all."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    rows = con.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal ORDER BY table_oid, column_index"
    ).fetchall()
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), {})[column] = kind
    return found


def _migrate(con: duckdb.DuckDBPyConnection, table: Table, there: dict[str, str]) -> None:
    name = qualified_name(table)
    declared = {column.name: column.type for column in table.columns}
    odd = [c for c, type_ in there.items() if declared.get(c) != type_]
    odd += [c.name for c in table.columns if c.name not in there and not c.nullable]
    if odd:
        path = _path(con)
        raise WarehouseError(f"{path}: {name}.{odd[0]} is not as declared; move the file away, or migrate it")
    for column in table.columns:
        if column.name not in there:
            con.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(column.name)} {column.type}")


def _refuse_misfit(table: Table, frame: pd.DataFrame, *, allow_empty: bool) -> None:
    name = f"{schema_name(table)}.{table.name}"
    if odd := sorted(set(table.column_names) ^ set(map(str, frame.columns))):
        raise FrameRefused(f"{name}: columns differ from the catalogue: {', '.join(odd)}")
    if not frame.columns.is_unique:
        raise FrameRefused(f"{name}: a column comes twice")
    if frame.empty and not allow_empty:
        raise FrameRefused(f"{name}: the frame is empty, the table stays as it was")
    for column in table.columns:
        given = frame[column.name]
        if column.type in _INTEGERS and pd.api.types.is_float_dtype(given):
            whole = given[np.isfinite(given)]
            if (whole != np.floor(whole)).any():  # DuckDB would round them without a word
                raise FrameRefused(f"{name}.{column.name}: fractions in a whole-number column")


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.TransactionException:
        return  # a failed COMMIT has rolled back by itself


def _path(con: duckdb.DuckDBPyConnection) -> Path:
    """File of a connection's database, for messages."""
    try:
        rows = con.execute(
            "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchall()  # to the end: a result left open refuses whatever the connection is asked next
    except duckdb.Error:
        return Path("the warehouse")
    return Path(rows[0][0]) if rows and rows[0][0] else Path("the warehouse")
