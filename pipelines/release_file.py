"""The published file for the command line and the alerts: opening it, and its figures as text.

Without the report's words and templates, whose import would take longer than most queries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from assets.warehouse.connection import CONFIG, query_rows, readable
from pipelines.settings import PROFILE_WORDS, ConfigurationError

Row = dict[str, Any]
rows = query_rows  # what every command reads the file with

_NAMED = 5


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
