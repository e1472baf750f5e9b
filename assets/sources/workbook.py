"""Rows of a sheet of an untrusted workbook, xls (read by xlrd) or xlsx (read by openpyxl), within bounds.

An xlsx file is a zip of XML: its unpacked size is checked before anything is unpacked, and openpyxl reads XML with
defusedxml, which refuses entities.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence

from assets.sources.parse import Unusable

Cell = object
Rows = Sequence[Sequence[Cell]]
_LONGEST = 20_000  # rows
_WIDEST = 256  # columns
_UNPACKED = 256 * 1024 * 1024
_MOST_MEMBERS = 2000
# What the two libraries raise on a damaged or forged file; both were written for trusted files.
_BROKEN = (ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
           OSError, TypeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error)  # fmt: skip


def sheet_rows(content: bytes, name: str) -> Rows:
    """All rows of the sheet of that name (case and blanks aside), equally long, cells as numbers, texts and None.

    Raises Unusable: no workbook, no such sheet, or too large.
    """
    rows = _new_rows(content, name) if content[:2] == b"PK" else _old_rows(content, name)
    width = max(map(len, rows), default=0)
    return [[*row, *[None] * (width - len(row))] for row in rows]


def _within(row: Sequence[Cell], at: int) -> list[Cell]:
    """A row without the empty cells beyond the bound. A column beyond it could be the one that is needed."""
    if any(cell is not None for cell in row[_WIDEST:]):
        raise Unusable("missing_column", f"the sheet is wider than {_WIDEST} columns in row {at}")
    return list(row[:_WIDEST])


def _old_rows(content: bytes, name: str) -> Rows:
    import xlrd

    try:
        with xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True) as book:
            sheet = book.sheet_by_name(_chosen(book.sheet_names(), name))
            rows = (sheet.row(at) for at in range(min(sheet.nrows, _LONGEST)))
            return [
                _within([_old_cell(cell.ctype, cell.value) for cell in row], at)
                for at, row in enumerate(rows, start=1)
            ]
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *_BROKEN) as error:
        raise _no_workbook(error) from None


def _old_cell(kind: int, value: object) -> Cell:
    """1 is text, 2 a number; an error or a date where a figure belongs stays a text and is refused as one."""
    if kind in (0, 6):
        return None
    return value if kind in (1, 2) else f"cell of type {kind}: {value}"


def _new_rows(content: bytes, name: str) -> Rows:
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
            return [_within(row, at) for at, row in enumerate(rows, start=1)]
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


def _chosen(names: Sequence[str], wanted: str) -> str:
    found = [name for name in names if name.strip().lower() == wanted.lower()]
    if not found:
        raise Unusable("missing_column", f"no sheet {wanted!r}, but {', '.join(names)[:100]}")
    return found[0]


def _no_workbook(error: Exception) -> Unusable:
    first: BaseException = error
    while (cause := first.__cause__ or first.__context__) is not None:
        first = cause  # openpyxl wraps it
    reason = " ".join(f"{type(first).__name__}: {first}".split())[:150]
    return Unusable("missing_column", f"no workbook that can be read ({reason})")
