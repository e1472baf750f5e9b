"""Robert Shiller's stock market data since 1871: the sheet "Data" of `ie_data.xls`.

The heading is in one of the first rows, one short name a column (Date, P, D, E, CPI), and has moved over the years. A
month is a number: 2025.1 is October, 2025.01 January. The newest rows have a price and no earnings, shown as blank or
as zero: such a figure is not published, not zero. Notes are below the last row: one under the prices states that the
newest price is a close, so it is left out until it is a monthly average; one about consumer prices names the months
whose index is Shiller's estimate, which are left out until the index is published.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.parse import (
    MONTHS,
    Cell,
    Figures,
    Rows,
    Unusable,
    month_stamp,
    number,
    sheet_rows,
    until_the_last_figure,
)

SHEET = "Data"
COLUMNS = {"SHILLER_PRICE": "p", "SHILLER_DIVIDEND": "d", "SHILLER_EARNINGS": "e", "SHILLER_CPI": "cpi"}
_HEADING_WITHIN = 30  # rows
_ESTIMATED = re.compile(r"estimat|interpolat|extrapolat|forecast|project|assum", re.IGNORECASE)
_NAMED = re.compile(
    rf"\b({'|'.join(MONTHS)})[a-z]*\.?(?:\s*['\u2018\u2019]?(\d{{4}}|\d{{2}}))?\b", re.IGNORECASE
)
_UNTIL = re.compile(r"\s*(-|\u2013|to|until|thru|through)\s*", re.IGNORECASE)
_UNNAMED = 2  # months meant by a note that names none: the current one, and the last one without an index yet


class ShillerSource(FileSource[Rows]):
    """The workbook, or a page that links it."""

    address = "https://shillerdata.com/"  # links the newest workbook, whose own address changes
    variable = "SHILLER_URL"
    file_name = "ie_data.xls"

    def read(self, content: bytes) -> Rows:
        """Rows of the sheet."""
        return sheet_rows(content, SHEET)

    def figures(self, obtained: Obtained[Rows], series: Series) -> Figures:
        """One column of the sheet, without closes and estimates."""
        name = COLUMNS[series.series_id]
        heading, columns = _heading(obtained.table)
        if name not in columns:
            detail = f"the heading has {', '.join(columns)[:80]}, and {name.upper()!r} not exactly once"
            raise Unusable("missing_column", detail)
        at, of = columns["date"], columns[name]
        dates, values, notes = [], [], []
        for line, row in enumerate(obtained.table[heading + 1 :], start=heading + 2):
            if _is_note(row[at], row[columns["p"]]):
                notes += _notes(row, of, name)
            else:
                dates.append(_month(row[at], line))
                values.append(number(row[of], f"column {name.upper()} on row {line}"))
        if name == "p":
            _leave_out_closes(dates, values, notes, obtained.last_modified)
        else:
            _blank_trailing_zeros(values)
        if name == "cpi":
            _leave_out_estimates(dates, values, notes)
        return until_the_last_figure(dates, values, notes=tuple(f"note: {note}"[:120] for note in notes))


def _heading(rows: Rows) -> tuple[int, dict[str, int]]:
    """The heading's row, and the column of each name that occurs in it once."""
    for at, row in enumerate(rows[:_HEADING_WITHIN]):
        names = [cell.strip().lower() if isinstance(cell, str) else "" for cell in row]
        if names.count("date") == 1 and names.count("p") == 1:
            return at, {name: column for column, name in enumerate(names) if name and names.count(name) == 1}
    raise Unusable("missing_column", f"no heading with Date and P in the first {_HEADING_WITHIN} rows")


def _is_note(date: Cell, price: Cell) -> bool:
    """Whether a row is below the table: nothing or words for a date, and no price."""
    return not isinstance(date, int | float) and not isinstance(price, int | float)


def _month(cell: Cell, line: int) -> str:
    """The month a row is about."""
    figure = number(cell, f"the date on row {line}")
    if math.isnan(figure):
        raise Unusable("not_a_date", f"{cell!r} on row {line} is no month like 2025.10")
    hundredths = round(figure * 100)
    if abs(figure * 100 - hundredths) > 1e-3:
        raise Unusable("not_a_date", f"{figure} on row {line} is no month like 2025.10")
    return month_stamp(*divmod(hundredths, 100), f"{figure} on row {line}")


def _notes(row: Sequence[Cell], of: int, name: str) -> list[str]:
    """Notes about a column in a row below the table: under it, or anywhere if they name consumer prices."""
    texts = {
        column: cell.strip() for column, cell in enumerate(row) if isinstance(cell, str) and cell.strip()
    }
    return [
        text for column, text in texts.items() if column == of or (name == "cpi" and name in text.lower())
    ]


def _leave_out_closes(
    dates: Sequence[str], values: list[float], notes: Sequence[str], saved: dt.datetime | None
) -> None:
    """The price of a month that was not over when the sheet was saved is a close, as is one with a note about it."""
    if not dates:
        return
    newest = max(range(len(dates)), key=lambda n: dates[n])
    is_early = saved is not None and dates[newest][:7] >= f"{saved:%Y-%m}"
    if is_early or any("close" in note.lower() for note in notes):
        values[newest] = math.nan


def _leave_out_estimates(dates: Sequence[str], values: list[float], notes: Sequence[str]) -> None:
    """An index that a note calls an estimate was never published."""
    estimated = {month for note in notes if _ESTIMATED.search(note) for month in _named_months(note, dates)}
    for n, date in enumerate(dates):
        if date in estimated:
            values[n] = math.nan


def _named_months(note: str, dates: Sequence[str]) -> list[str]:
    """Rows a note is about, as in "Oct '25/Apr/May" or "Mar-May"; a month without a year is the sheet's newest."""
    ordered, last_end = sorted(dates), 0
    found: list[str] = []
    for match in _NAMED.finditer(note):
        month = f"{MONTHS.index(match[1].lower()) + 1:02}"
        ending = f"{match[2][-2:] if match[2] else ''}-{month}-01"
        newest = next((date for date in reversed(ordered) if date.endswith(ending)), None)
        if newest is None:
            raise Unusable("not_a_date", f"{match[0]!r} in {note[:60]!r} is no month of the sheet")
        if found and _UNTIL.fullmatch(note[last_end : match.start()]):
            found += [date for date in ordered if found[-1] < date < newest]
        found.append(newest)
        last_end = match.end()
    return found or ordered[-_UNNAMED:]


def _blank_trailing_zeros(values: list[float]) -> None:
    for n in reversed(range(len(values))):
        if not (values[n] == 0 or math.isnan(values[n])):
            return
        values[n] = math.nan
