"""The Federal Reserve Board's excess bond premium: `ebp_csv.csv` of its FEDS Notes.

Columns are found by name: `date`, `gz_spread`, `ebp`, `est_prob`. A date is a day of the month it is about. The Board
re-estimates the full history every month, so every figure may differ from last month's; the archive dates a change by
the day it was seen. The file states no unit: percentage points.
"""

from __future__ import annotations

from collections.abc import Sequence

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.parse import Figures, Unusable, csv_rows, is_iso_date, number, until_the_last_figure

COLUMNS = {"EBP": "ebp", "GZ_SPREAD": "gz_spread"}
Rows = Sequence[Sequence[str]]


class FedBoardSource(FileSource[Rows]):
    """The Board's file."""

    address = "https://www.federalreserve.gov/econres/notes/feds-notes/ebp_csv.csv"
    variable = "FED_BOARD_URL"
    file_name = "ebp_csv.csv"
    limits = Limits(size=4 * 1024 * 1024)

    def read(self, content: bytes) -> Rows:
        """Rows that are not blank, at least one. Raises Unusable."""
        rows = [row for row in csv_rows(content, "utf-8-sig") if any(cell.strip() for cell in row)]
        if not rows:
            raise Unusable("empty_file", "the file has only blank cells")
        return rows

    def figures(self, obtained: Obtained[Rows], series: Series) -> Figures:
        """One column of the file."""
        column = COLUMNS[series.series_id]
        header = [name.strip().lower() for name in obtained.table[0]]
        for name in ("date", column):
            if header.count(name) != 1:
                detail = f"the header is {','.join(header)[:80]!r}: {name!r} is not in it exactly once"
                raise Unusable("missing_column", detail)
        at, of = header.index("date"), header.index(column)
        dates, values = [], []
        for line, row in enumerate(obtained.table[1:], start=2):
            if len(row) != len(header):
                raise Unusable(
                    "missing_column", f"line {line} has {len(row)} fields, the header {len(header)}"
                )
            day = row[at].strip()
            if not is_iso_date(day):
                raise Unusable("not_a_date", f"{day[:40]!r} on line {line} is no date like 2026-05-01")
            dates.append(f"{day[:7]}-01")
            values.append(number(row[of], f"{column} on line {line}"))
        return until_the_last_figure(dates, values)
