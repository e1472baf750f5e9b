"""The Chicago Fed's financial conditions indexes: one CSV file with a row per week, dated by its Friday.

The whole history is estimated anew every week: the archive dates a change by the day it was seen.
"""

from __future__ import annotations

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.parse import Figures, american_day, csv_column, number
from assets.sources.public.shared import code_of


def column(content: bytes, name: str) -> Figures:
    """One column of the file. Raises Unusable."""
    dates, values = [], []
    for _, day, cell in csv_column(content, "Friday_of_Week", name):
        dates.append(american_day(day))
        values.append(number(cell, f"{name} on {day}"))
    return Figures(dates, values)


class NfciSource(FileSource[bytes]):
    """The Chicago Fed's file."""

    address = "https://api.data.chicagofed.org/NFCI/nfci-data-series-csv.csv"
    variable = "CHICAGO_FED_URL"
    limits = Limits(size=8 * 1024 * 1024)

    def read(self, content: bytes) -> bytes:
        """The file itself."""
        return content

    def figures(self, obtained: Obtained[bytes], series: Series) -> Figures:
        """The column of the series."""
        return column(obtained.table, code_of(series))
