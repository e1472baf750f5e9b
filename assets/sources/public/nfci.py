"""The Chicago Fed's financial conditions indexes: one CSV file with a row per week, dated by its Friday.

The whole history is estimated anew every week: the archive dates a change by the day it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.parse import Figures, Unusable, csv_rows, number
from assets.sources.public.shared import code_of

_DATE_COLUMN = "Friday_of_Week"
_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{4})")
Rows = Sequence[Sequence[str]]


def parse_file(content: bytes) -> Rows:
    """Rows with the heading first. Raises Unusable."""
    rows = [row for row in csv_rows(content, "utf-8-sig") if row]
    if not rows or rows[0][0].strip() != _DATE_COLUMN or len({len(row) for row in rows}) != 1:
        raise Unusable(
            "missing_column", f"no table that begins with {_DATE_COLUMN} and has rows of one length"
        )
    return rows


def column(rows: Rows, name: str) -> Figures:
    """One column of the file. Raises Unusable."""
    heading = [cell.strip() for cell in rows[0]]
    if heading.count(name) != 1:
        raise Unusable(
            "missing_column", f"the heading is {','.join(heading)[:80]!r}: {name!r} is not in it once"
        )
    at, dates, values = heading.index(name), [], []
    for row in rows[1:]:
        match = _DATE.fullmatch(row[0].strip())
        if match is None:
            raise Unusable("not_a_date", f"{row[0][:40]!r} is no day like 01/08/1971")
        dates.append(f"{match[3]}-{match[1]}-{match[2]}")
        values.append(number(row[at], f"{name} on {row[0]}"))
    return Figures(dates, values)


class NfciSource(FileSource[Rows]):
    """The Chicago Fed's file."""

    address = "https://api.data.chicagofed.org/NFCI/nfci-data-series-csv.csv"
    variable = "CHICAGO_FED_URL"
    limits = Limits(size=8 * 1024 * 1024)

    def read(self, content: bytes) -> Rows:
        """The rows of the file."""
        return parse_file(content)

    def figures(self, obtained: Obtained[Rows], series: Series) -> Figures:
        """The column of the series."""
        return column(obtained.table, code_of(series))
