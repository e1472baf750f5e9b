"""The Federal Reserve Board's excess bond premium: `ebp_csv.csv` of its FEDS Notes.

Columns are found by name: `date`, `gz_spread`, `ebp`, `est_prob`. A date is a day of the month it is about. The Board
re-estimates the full history every month, so every figure may differ from last month's; the archive dates a change by
the day it was seen. The file states no unit: percentage points.
"""

from __future__ import annotations

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.parse import Figures, csv_column, iso_day, number, until_the_last_figure

COLUMNS = {"EBP": "ebp", "GZ_SPREAD": "gz_spread"}


class FedBoardSource(FileSource[bytes]):
    """The Board's file."""

    address = "https://www.federalreserve.gov/econres/notes/feds-notes/ebp_csv.csv"
    variable = "FED_BOARD_URL"
    file_name = "ebp_csv.csv"
    limits = Limits(size=4 * 1024 * 1024)

    def read(self, content: bytes) -> bytes:
        """The file itself."""
        return content

    def figures(self, obtained: Obtained[bytes], series: Series) -> Figures:
        """One column of the file."""
        column, dates, values = COLUMNS[series.series_id], [], []
        for line, day, cell in csv_column(obtained.table, "date", column):
            dates.append(f"{iso_day(day, f' on line {line}')[:7]}-01")
            values.append(number(cell, f"{column} on line {line}"))
        return until_the_last_figure(dates, values)
