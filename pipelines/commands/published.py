"""Opening the published file to read it, for the commands that do, and printing aligned tables.

Belongs here: one way of opening it and its faults in one line. Does not belong here: questions to the file.
DuckDB is the heaviest import: `show` starts in a fraction of a second.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from assets.warehouse.connection import CONFIG, readable
from pipelines.settings import ConfigurationError

Row = dict[str, Any]


@contextmanager
def open_published(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file. Raises ConfigurationError, one line with the way out."""
    if not path.exists():
        raise ConfigurationError(f"nothing is published yet at {path}: run `make run`")
    with ExitStack() as stack:
        try:
            connection = _connected(path, stack)
        except (OSError, duckdb.Error) as error:
            raise ConfigurationError(f"{path}: {_way_out(error, path)}") from None
        with _told(path):
            yield connection


def _connected(path: Path, stack: ExitStack) -> duckdb.DuckDBPyConnection:
    """In place, or of a copy while somebody has the file open for writing."""
    try:
        connection = duckdb.connect(str(path), read_only=True, config=CONFIG)
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        copy = stack.enter_context(readable(path))
        connection = duckdb.connect(str(copy), read_only=True, config=CONFIG)
    return stack.enter_context(connection)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A question the file cannot answer, as one line."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        said = str(error).splitlines()[0]
        raise ConfigurationError(
            f"{path} is not a release of this version ({said}): run `make run`"
        ) from None


def rows(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()) -> list[Row]:
    """Answer of a query, each row by column name."""
    con.execute(query, list(parameters))
    names = [column[0] for column in con.description or []]
    return [dict(zip(names, row, strict=True)) for row in con.fetchall()]


def aligned(header: Sequence[str], lines: Sequence[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    """A table in columns wide enough for their content; columns named in `right` stand at the right edge."""
    table = [list(header), *map(list, lines)]
    widths = [max(len(line[i]) for line in table) for i in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(line, widths, header, strict=True)
        ).rstrip()
        for line in table
    ]


def number(value: float | None, decimals: int = 2) -> str:
    """A number with thousands marked; "-" for a missing one."""
    if value is None:
        return "-"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def day(value: dt.date | None) -> str:
    """A date as YYYY-MM-DD; "-" for a missing one."""
    return "-" if value is None else value.isoformat()


def _way_out(error: Exception, path: Path) -> str:
    said = " ".join(str(error).split())
    if "WAL" in said:
        return f"a write-ahead log that is not ours stands beside it: remove {path.name}.wal"
    if "Permission denied" in said:
        return "no permission to read it: check its owner and permissions"
    return f"cannot be opened ({said[:160]}): move it away and run `make run`"
