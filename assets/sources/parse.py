"""Cells and tables read strictly: what is not a figure or a date is refused, never repaired or guessed.

pandas is not used for this: it takes "inf", "1_000" and "2026" for figures.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from assets.sources.protocol import Rule, observations_frame

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# What publishers write where a figure is missing; the World Bank prints two dots, or the ellipsis sign.
_MISSING = {"", ".", "..", "\u2026", "na", "n/a", "nan", "null"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Unusable(Exception):
    """A response or file that is not the publisher's table, or not all of it: the broken rule and one line."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


class Figures(NamedTuple):
    """One series of a table: ISO dates in any order, values (NaN: published as missing), the publisher's unit text."""

    dates: Sequence[str]
    values: Sequence[float]
    unit: str | None = None
    notes: tuple[str, ...] = ()


def csv_rows(content: bytes, encoding: str = "utf-8") -> list[list[str]]:
    """Rows of a CSV file, blank lines as []. Raises Unusable."""
    try:
        return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unusable("missing_column", f"no text table ({error})") from None


def read_date_value(content: bytes) -> pd.DataFrame:
    """Observations of a CSV file with the header `date,value`; an empty value was published as missing.

    Raises Unusable (empty_file, missing_column, not_a_number, not_a_date) with the line's number.
    """
    rows = csv_rows(content)
    if not rows:
        raise Unusable("empty_file", "the file has no line")
    if rows[0] != ["date", "value"]:
        raise Unusable("missing_column", f"the header is {','.join(rows[0])[:60]!r}, expected 'date,value'")
    body = [(line, row) for line, row in enumerate(rows[1:], start=2) if row]
    if not body:
        raise Unusable("empty_file", "the file has a header and no figure")
    for line, row in body:
        if len(row) != 2:
            raise Unusable("missing_column", f"line {line} has {len(row)} fields, expected 2")
        if not is_iso_date(row[0]):
            raise Unusable("not_a_date", f"{row[0][:40]!r} on line {line} is no date like 2026-05-31")
        if row[1] and not (_NUMBER.fullmatch(row[1]) and math.isfinite(float(row[1]))):
            raise Unusable("not_a_number", f"{row[1][:40]!r} on {row[0]} (line {line}) is no number")
    return observations_frame([row[0] for _, row in body], [float(row[1] or "nan") for _, row in body])


def is_iso_date(text: str) -> bool:
    """Whether a text is a day of the calendar, written 2026-05-31."""
    try:
        return bool(_DATE.fullmatch(text) and dt.date.fromisoformat(text))
    except ValueError:
        return False


def number(cell: object, what: str) -> float:
    """A cell as a figure; NaN where the publisher shows none. Raises Unusable (not_a_number) naming `what`."""
    if cell is None:
        return math.nan
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        raise Unusable("not_a_number", f"{what} is {str(cell)[:40]!r}")
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in _MISSING:
            return math.nan
        if not _NUMBER.fullmatch(text):
            raise Unusable("not_a_number", f"{what} is {text[:40]!r}")
    if not math.isfinite(float(cell)):
        raise Unusable("not_a_number", f"{what} is {float(cell)}")
    return float(cell)


def month_stamp(year: int, month: int, what: str) -> str:
    """The first day of a month as ISO text. Raises Unusable (not_a_date) naming `what`."""
    if not (1 <= month <= 12 and 1700 <= year <= 2200):
        raise Unusable("not_a_date", f"{what} is no month")
    return f"{year:04d}-{month:02d}-01"


def until_the_last_figure(
    dates: Sequence[str], values: Sequence[float], unit: str | None = None, notes: tuple[str, ...] = ()
) -> Figures:
    """The figures without the rows after the newest one.

    A table has such rows before their figures are published: they are not "published as missing".
    """
    pairs = list(zip(dates, values, strict=True))
    newest = max((date for date, value in pairs if not math.isnan(value)), default="")
    kept = [pair for pair in pairs if pair[0] <= newest]
    return Figures([date for date, _ in kept], [value for _, value in kept], unit, notes)
