"""The World Bank's Pink Sheet: the sheet "Monthly Prices" of `CMO-Historical-Data-Monthly.xlsx`.

Names are in one row, units in the next, months in the first column as 1960M01. Rows and columns have moved over time:
both are found by their content. Two dots mean a missing figure.
"""

from __future__ import annotations

import re

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.parse import (
    Cell,
    Figures,
    Rows,
    Unusable,
    month_stamp,
    number,
    sheet_rows,
    until_the_last_figure,
)

SHEET = "Monthly Prices"
COLUMNS = {"GOLD_WB_MONTHLY": "gold"}
_MONTH = re.compile(r"(\d{4})M(\d{2})")
_HEADING_WITHIN = 20  # rows


class WorldBankSource(FileSource[Rows]):
    """The workbook, or a page that links it."""

    address = "https://www.worldbank.org/en/research/commodity-markets"  # the workbook's own address changes
    variable = "WORLD_BANK_URL"
    file_name = "CMO-Historical-Data-Monthly.xlsx"

    def read(self, content: bytes) -> Rows:
        """Rows of the sheet."""
        return sheet_rows(content, SHEET)

    def figures(self, obtained: Obtained[Rows], series: Series) -> Figures:
        """One column of the sheet."""
        rows, name = obtained.table, COLUMNS[series.series_id]
        of, at = _column(rows, name), _month_column(rows)
        dates, values = [], []
        for line, row in enumerate(rows, start=1):
            match = _MONTH.fullmatch(_text(row[at]))
            if match:
                dates.append(month_stamp(int(match[1]), int(match[2]), f"{match[0]} on row {line}"))
                values.append(number(row[of], f"{name} in {match[0]}"))
            elif dates and row[of] is not None and _text(row[at]):
                raise Unusable(
                    "not_a_date", f"{_text(row[at])[:40]!r} on row {line} is no month like 1960M01"
                )
        return until_the_last_figure(dates, values, unit=_unit(rows, of))


def _column(rows: Rows, name: str) -> int:
    """The only column of that name; a row of codes may repeat it. Stars refer to notes."""
    found = {
        column
        for row in rows[:_HEADING_WITHIN]
        for column, cell in enumerate(row)
        if _text(cell).rstrip("* ").lower() == name
    }
    if len(found) != 1:
        raise Unusable(
            "missing_column", f"{len(found)} columns named {name!r} in the first {_HEADING_WITHIN} rows"
        )
    return found.pop()


def _unit(rows: Rows, column: int) -> str | None:
    """The text in brackets above the figures, "($/troy oz)"."""
    texts = [_text(row[column]) for row in rows[:_HEADING_WITHIN]]
    return next((text[1:-1] for text in texts if text.startswith("(") and text.endswith(")")), None)


def _month_column(rows: Rows) -> int:
    for row in rows:
        for column, cell in enumerate(row):
            if _MONTH.fullmatch(_text(cell)):
                return column
    raise Unusable("not_a_date", "no month like 1960M01 in the sheet")


def _text(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)
