"""Rows of a command on standard output: as text, or with --json or --csv for a program."""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pipelines.release_file import Row, aligned

_WIDEST = 60


def print_rows(
    args: argparse.Namespace,
    rows: Sequence[Row],
    text: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Print rows in the format asked for: --json a list of objects, --csv with a header, else `text` or a table.

    `names`: the columns, for the header of no rows. Dates are ISO 8601, a missing value is null or an empty cell.
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
