"""Cells and tables read strictly: what is not a figure or a date is refused, never repaired or guessed.

pandas does not check cells: it takes "inf", "1_000" and "2026" for figures. A workbook is untrusted: an xls file is
read by xlrd, an xlsx file by openpyxl, both within bounds. An xlsx file is a zip of XML: its unpacked size is checked
before anything is unpacked, and openpyxl reads XML with defusedxml, which refuses entities.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from assets.sources.protocol import Rule, observations_frame

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# What publishers write where a figure is missing; the World Bank prints two dots, or the ellipsis sign.
_MISSING = {"", ".", "..", "\u2026", "na", "n/a", "nan", "null"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
Cell = object
Rows = Sequence[Sequence[Cell]]
_LONGEST = 20_000  # rows
_WIDEST = 256  # columns
_UNPACKED = 256 * 1024 * 1024
_MOST_MEMBERS = 2000
# What the two libraries raise on a damaged or forged file; both were written for trusted files.
_BROKEN = (ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
           OSError, TypeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error)  # fmt: skip


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
    starts: Sequence[str] | None = (
        None  # the day each row was published, where the publisher keeps its vintages
    )


def csv_rows(content: bytes, encoding: str = "utf-8") -> list[list[str]]:
    """Rows of a CSV file, blank lines as []. Raises Unusable."""
    try:
        return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unusable("missing_column", f"no text table ({error})") from None


def csv_column(content: bytes, dated_by: str, name: str) -> Iterator[tuple[int, str, str]]:
    """Line, date and cell of one column; columns are found by name. Raises Unusable."""
    lines = enumerate(csv_rows(content, "utf-8-sig"), start=1)
    rows = [(line, row) for line, row in lines if any(cell.strip() for cell in row)]
    if not rows:
        raise Unusable("empty_file", "the file has only blank cells")
    header = [cell.strip().lower() for cell in rows[0][1]]
    for wanted in (dated_by, name):
        if header.count(wanted.lower()) != 1:
            detail = f"the header is {','.join(header)[:80]!r}: {wanted!r} is not in it exactly once"
            raise Unusable("missing_column", detail)
    at, of = header.index(dated_by.lower()), header.index(name.lower())
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise Unusable("missing_column", f"line {line} has {len(row)} fields, the header {len(header)}")
        yield line, row[at].strip(), row[of].strip()


def json_of(content: bytes) -> Any:
    """A response in JSON. Raises Unusable."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unusable("missing_column", f"no JSON ({type(error).__name__})") from None


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
        iso_day(row[0], f" on line {line}")
        if row[1] and not is_number(row[1]):
            raise Unusable("not_a_number", f"{row[1][:40]!r} on {row[0]} (line {line}) is no number")
    return observations_frame([row[0] for _, row in body], [float(row[1] or "nan") for _, row in body])


def is_iso_date(text: str) -> bool:
    """Whether a text is a day of the calendar, written 2026-05-31."""
    try:
        return bool(_DATE.fullmatch(text) and dt.date.fromisoformat(text))
    except ValueError:
        return False


def iso_day(text: str, what: str = "") -> str:
    """A day written 2026-05-31, as it is. Raises Unusable (not_a_date), naming `what`."""
    if not is_iso_date(text):
        raise Unusable("not_a_date", f"{text[:40]!r}{what} is no date like 2026-05-31")
    return text


def american_day(text: str) -> str:
    """A day written 9/19/2026, as ISO text. Raises Unusable (not_a_date)."""
    match = _AMERICAN.fullmatch(text)
    if match is None:
        raise Unusable("not_a_date", f"{text[:40]!r} is no day like 09/19/2026")
    return iso_day(f"{match[3]}-{match[1]:0>2}-{match[2]:0>2}")


def is_number(text: str) -> bool:
    """Whether a text is a finite number in decimal notation."""
    return bool(_NUMBER.fullmatch(text) and math.isfinite(float(text)))


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


def joined(parts: Sequence[Figures], unit: str | None = None) -> Figures:
    """The figures of several files or responses."""
    dates = [date for part in parts for date in part.dates]
    return Figures(dates, [value for part in parts for value in part.values], unit)


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


def sheet_rows(content: bytes, name: str | None, widest: int = _WIDEST) -> Rows:
    """All rows of a sheet, equally long, cells as numbers, texts and None.

    The sheet has that name, case and blanks aside; None: it is the first one. `widest` is the most columns. Raises
    Unusable: no workbook, no such sheet, or too large.
    """
    rows = (_new_rows if content[:2] == b"PK" else _old_rows)(content, name, widest)
    width = max(map(len, rows), default=0)
    return [[*row, *[None] * (width - len(row))] for row in rows]


def _within(row: Sequence[Cell], at: int, widest: int) -> list[Cell]:
    """A row without the empty cells beyond the bound. A column beyond it could be the one that is needed."""
    if any(cell is not None for cell in row[widest:]):
        raise Unusable("missing_column", f"the sheet is wider than {widest} columns in row {at}")
    return list(row[:widest])


def _old_rows(content: bytes, name: str | None, widest: int) -> Rows:
    import xlrd

    try:
        with xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True) as book:
            sheet = book.sheet_by_name(_chosen(book.sheet_names(), name))
            rows = (sheet.row(at) for at in range(min(sheet.nrows, _LONGEST)))
            return [
                _within([_old_cell(cell.ctype, cell.value) for cell in row], at, widest)
                for at, row in enumerate(rows, start=1)
            ]
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *_BROKEN) as error:
        raise _no_workbook(error) from None


def _old_cell(kind: int, value: object) -> Cell:
    """1 is text, 2 a number; an error or a date where a figure belongs stays a text and is refused as one."""
    if kind in (0, 6):
        return None
    return value if kind in (1, 2) else f"cell of type {kind}: {value}"


def _new_rows(content: bytes, name: str | None, widest: int) -> Rows:
    import openpyxl

    try:
        _bounded(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about styles and extensions
            book = openpyxl.load_workbook(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False
            )
        try:
            sheet = book[_chosen(book.sheetnames, name)]
            sheet.reset_dimensions()  # the stated width need not be true
            rows = sheet.iter_rows(max_row=_LONGEST, values_only=True)
            return [_within(row, at, widest) for at, row in enumerate(rows, start=1)]
        finally:
            book.close()
    except (SyntaxError, *_BROKEN) as error:  # ParseError is a SyntaxError
        raise _no_workbook(error) from None


def _bounded(content: bytes) -> None:
    """Refuse what unpacks to too much; no member unpacks to more than the zip directory states."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > _UNPACKED:
            raise Unusable("missing_column", f"the workbook unpacks to more than {_UNPACKED} bytes")


def _chosen(names: Sequence[str], wanted: str | None) -> str:
    if wanted is None and names:
        return names[0]
    found = [name for name in names if name.strip().lower() == (wanted or "").lower()]
    if not found:
        raise Unusable("missing_column", f"no sheet {wanted!r}, but {', '.join(names)[:100]}")
    return found[0]


def _no_workbook(error: Exception) -> Unusable:
    first: BaseException = error
    while (cause := first.__cause__ or first.__context__) is not None:
        first = cause  # openpyxl wraps it
    reason = " ".join(f"{type(first).__name__}: {first}".split())[:150]
    return Unusable("missing_column", f"no workbook that can be read ({reason})")
