"""The published file for the command line and the alerts: opening it, its figures as text, and rows printed.

Without the report's words and templates, whose import would take longer than most queries.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from assets.warehouse.connection import CONFIG, query_rows, readable
from pipelines.settings import PROFILE_WORDS, ConfigurationError

Row = dict[str, Any]
rows = query_rows  # what every command reads the file with

_NAMED = 5
_WIDEST = 60


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
        try:
            yield connection
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            reason = str(error).splitlines()[0]
            raise ConfigurationError(
                f"{path} is not a release of this version ({reason}): run `make run`"
            ) from None


def _connected(path: Path, stack: ExitStack) -> duckdb.DuckDBPyConnection:
    """The file itself, or a copy of it while another program has it open for writing."""
    try:
        connection = duckdb.connect(str(path), read_only=True, config=CONFIG)
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        copy = stack.enter_context(readable(path))
        connection = duckdb.connect(str(copy), read_only=True, config=CONFIG)
    return stack.enter_context(connection)


def aligned(header: Sequence[str], lines: Sequence[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    """A table with columns as wide as their content; columns named in `right` are right-aligned."""
    table = [list(header), *map(list, lines)]
    widths = [max(len(line[i]) for line in table) for i in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(line, widths, header, strict=True)
        ).rstrip()
        for line in table
    ]


def some(names: Sequence[str], separator: str = ", ") -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{separator.join(names[:_NAMED])}{more}"


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
    reason = " ".join(str(error).split())
    if "WAL" in reason:
        return f"another program's write-ahead log is next to it: remove {path.name}.wal"
    if "Permission denied" in reason:
        return "no permission to read it: check its owner and permissions"
    return f"cannot be opened ({reason[:160]}): move it away and run `make run`"


def profile_words(manifest: Row) -> str:
    """The profile in words."""
    return PROFILE_WORDS[manifest["profile"]]


def print_rows(
    args: argparse.Namespace,
    rows: Sequence[Row],
    text: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Print a command's rows in the format asked for: --json a list of objects, --csv with a header, else `text`.

    Without `text` they are a table. `names`: the columns, for the header of no rows. Dates are ISO 8601, a missing
    value is null or an empty cell.
    """
    names = list(names or (rows[0] if rows else ()))
    if args.json:
        print(
            json.dumps(
                [{name: _plain(row[name]) for name in names} for row in rows], indent=1, ensure_ascii=False
            )
        )
    elif args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_plain(row[name]) for name in names] for row in rows)
    else:
        print("\n".join(table_lines(names, rows) if text is None else text))


def table_lines(names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """An aligned table: numbers to the right with up to six significant digits, long texts cut."""
    numeric = [
        n for n in names if any(isinstance(row[n], int | float) and row[n] is not True for row in rows)
    ]
    return aligned(names, [[_cell(row[name]) for name in names] for row in rows], numeric)


def _plain(value: Any) -> Any:
    """A value as JSON and CSV have it."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _cell(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return "-"
    if isinstance(plain, float):
        return f"{plain:,.0f}" if abs(plain) >= 1e6 else f"{plain:.6g}"
    text = " ".join(str(plain).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
