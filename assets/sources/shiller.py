"""Robert Shiller's stock market data since 1871: the sheet "Data" of `ie_data.xls`.

Belongs here: that sheet's layout. Does not belong here: opening workbooks (`workbook.py`), the rule that only
quarter-end earnings count (`assets/compute/tables/shiller.py`: the months between are the sheet's interpolation).

The heading stands somewhere in the first rows, one short name a column (Date, P, D, E, CPI), and has moved over the
years. A month is a number: 2025.1 is October, 2025.01 January. The newest rows have a price and no earnings, shown
as blank or as zero: such a figure is not published, and not nought. Notes stand under the last row: one under the
prices says that the newest price is a close, no monthly average, so that figure is left out until it is one; one
under the consumer prices names the months whose index is Shiller's estimate, which are left out until it is published.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

from assets.sources.download import Downloader, Unusable
from assets.sources.file_source import Figures, FileSource, Obtained, Publisher, one_file
from assets.sources.http import Limits
from assets.sources.pacing import Patience
from assets.sources.tabular import month_stamp, number, until_the_last_figure
from assets.sources.workbook import Cell, Rows, sheet_rows

ADDRESS = (
    "https://shillerdata.com/"  # the page that links the newest workbook; the file's own address changes
)
VARIABLE = "SHILLER_URL"
FILE_NAME = "ie_data.xls"
SHEET = "Data"
COLUMNS = {"SHILLER_PRICE": "p", "SHILLER_DIVIDEND": "d", "SHILLER_EARNINGS": "e", "SHILLER_CPI": "cpi"}
_HEADING_WITHIN = 30  # rows
_ESTIMATED = re.compile(r"estimat|interpolat|extrapolat|forecast|project|assum", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    rf"\b({'|'.join(_MONTHS)})[a-z]*\.?(?:\s*['\u2018\u2019]?(\d{{4}}|\d{{2}}))?\b", re.IGNORECASE
)
_UNTIL = re.compile(r"\s*(-|\u2013|to|until|thru|through)\s*", re.IGNORECASE)
_UNNAMED = (
    2  # months a note may mean that names none: the one under way, and the last one without an index yet
)


def shiller_source(
    address: str | None = None, patience: Patience | None = None, limits: Limits | None = None
) -> FileSource[Rows]:
    """The workbook, or a page that links it. Raises ValueError for an unsafe address."""
    downloader = Downloader(address or ADDRESS, VARIABLE, patience, limits)
    opened = one_file(downloader, lambda content: sheet_rows(content, SHEET), FILE_NAME)
    return FileSource(Publisher(downloader, opened, _figures))


def _figures(obtained: Obtained[Rows], series_id: str) -> Figures:
    name = COLUMNS[series_id]
    heading, columns = _heading(obtained.table)
    at, of = columns["date"], _column(columns, name)
    dates, values, notes = [], [], []
    for line, row in enumerate(obtained.table[heading + 1 :], start=heading + 2):
        stamp = None if _is_note(row[at], row[columns["p"]]) else _month(row[at], line)
        if stamp is not None:
            dates.append(stamp)
            values.append(number(row[of], f"column {name.upper()} on row {line}"))
        else:
            notes += _notes(row, of, name)
    if name == "p":
        _leave_out_closes(dates, values, notes, obtained.last_modified)
    else:
        _blank_trailing_zeros(values)
    if name == "cpi":
        _leave_out_estimates(dates, values, notes)
    return until_the_last_figure(
        dates, values, notes=tuple(f"the sheet says: {note}"[:120] for note in notes)
    )


def _heading(rows: Rows) -> tuple[int, dict[str, int]]:
    """The heading's row, and the column of each of its names that stands there once."""
    for at, row in enumerate(rows[:_HEADING_WITHIN]):
        names = [cell.strip().lower() if isinstance(cell, str) else "" for cell in row]
        if names.count("date") == 1 and names.count("p") == 1:
            return at, {name: column for column, name in enumerate(names) if name and names.count(name) == 1}
    raise Unusable("missing_column", f"no heading with Date and P in the first {_HEADING_WITHIN} rows")


def _column(columns: dict[str, int], name: str) -> int:
    if name not in columns:
        raise Unusable(
            "missing_column", f"the heading has {', '.join(columns)[:80]}, and {name.upper()!r} not once"
        )
    return columns[name]


def _is_note(date: Cell, price: Cell) -> bool:
    """Whether a row stands below the table: nothing or words for a date, and no price."""
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
    """What a row below the table says of a column: under it, or anywhere by the name of consumer prices."""
    texts = {
        column: cell.strip() for column, cell in enumerate(row) if isinstance(cell, str) and cell.strip()
    }
    return [
        text for column, text in texts.items() if column == of or (name == "cpi" and name in text.lower())
    ]


def _leave_out_closes(
    dates: Sequence[str], values: list[float], notes: Sequence[str], saved: dt.datetime | None
) -> None:
    """A price of a month that was not over when the sheet was saved is a close, as is one with a note under it."""
    if not dates:
        return
    newest = max(range(len(dates)), key=lambda n: dates[n])
    is_early = saved is not None and dates[newest][:7] >= f"{saved:%Y-%m}"
    if is_early or any("close" in note.lower() for note in notes):
        values[newest] = math.nan


def _leave_out_estimates(dates: Sequence[str], values: list[float], notes: Sequence[str]) -> None:
    """An index that a note calls estimated was never published."""
    estimated = {month for note in notes if _ESTIMATED.search(note) for month in _named_months(note, dates)}
    for n, date in enumerate(dates):
        if date in estimated:
            values[n] = math.nan


def _named_months(note: str, dates: Sequence[str]) -> list[str]:
    """Rows a note speaks of, as in "Oct '25/Apr/May" or "Mar-May"; a month without a year is the sheet's newest."""
    ordered, last_end = sorted(dates), 0
    found: list[str] = []
    for match in _NAMED.finditer(note):
        month = f"{_MONTHS.index(match[1].lower()) + 1:02}"
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
