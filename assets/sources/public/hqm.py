"""The Treasury's yield curve of high quality corporate bonds: monthly averages of spot rates, by five years.

A sheet has a title, months as columns (a month with its year, or with the year in the row above) and a row per
maturity in years. Par yields and rates of the end of the month have workbooks of the same form: the title tells. No
real file was at hand when this was written, so anything else is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from assets.catalog.models import Series
from assets.sources import parse
from assets.sources.file_source import Obtained, no_page
from assets.sources.parse import MONTHS, Cell, Figures, Rows, Unusable
from assets.sources.public.shared import WindowedSource, code_of

FIRST_YEAR, YEARS = 1984, 5  # of the first workbook; of one workbook
_TITLE_WITHIN = 10  # rows
_MONTH = re.compile(rf"({'|'.join(MONTHS)})[a-z]*\.?(?:[\s-]+(\d{{4}}))?", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")


def spot_rates(rows: Rows, maturity: float) -> Figures:
    """The rates of one maturity in percent, by month. Raises Unusable."""
    title = " ".join(cell for row in rows[:_TITLE_WITHIN] for cell in row if isinstance(cell, str)).lower()
    if "spot rate" not in title or "par yield" in title or "end of month" in title:
        raise Unusable(
            "unit_changed", f"the title is {title[:80]!r}, expected monthly averages of spot rates"
        )
    at = next((n for n, row in enumerate(rows) if sum(_month(cell) is not None for cell in row) > 1), None)
    if at is None:
        raise Unusable("missing_column", "no row of months")
    found = [row for row in rows[at + 1 :] if _maturity(row) == maturity]
    if len(found) != 1:
        raise Unusable("missing_column", f"{len(found)} rows for a maturity of {maturity:g} years")
    columns = dict(_columns(rows[at], rows[at - 1] if at else ()))
    dates = list(columns.values())
    return parse.until_the_last_figure(
        dates, [parse.number(found[0][n], f"{maturity:g} years in {columns[n]}") for n in columns]
    )


def _maturity(row: Sequence[Cell]) -> float | None:
    first = next((cell for cell in row if cell is not None), None)
    return float(first) if isinstance(first, int | float) else None


def _month(cell: Cell) -> re.Match[str] | None:
    return _MONTH.fullmatch(cell.strip()) if isinstance(cell, str) else None


def _columns(months: Sequence[Cell], years: Sequence[Cell]) -> Iterator[tuple[int, str]]:
    """Each column of a month with its first day; a year in the row above holds until the next one."""
    year = None
    for n, cell in enumerate(months):
        above = _YEAR.fullmatch(_text(years[n])) if n < len(years) else None
        year = above[0] if above else year
        if match := _month(cell):
            stated = match[2] or year
            if stated is None:
                raise Unusable("not_a_date", f"the month {cell!r} has no year")
            yield n, parse.month_stamp(int(stated), MONTHS.index(match[1].lower()) + 1, str(cell))


def _text(cell: Cell) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell or "").strip()


class HqmSource(WindowedSource[Sequence[Rows]]):
    """The workbooks, or only the newest two."""

    address = "https://home.treasury.gov/system/files/226"
    variable = "HQM_URL"

    def download(self, since: dt.datetime | None) -> Obtained[Sequence[Rows]]:
        """All workbooks, or those of this year and the last one."""
        this_year = self.now().year
        firsts = range(FIRST_YEAR, this_year + 1, YEARS)
        due = [first for first in firsts if self.is_full or first + YEARS > this_year - 1]
        return Obtained([self._workbook(first) for first in due], self.url, None)

    def _workbook(self, first: int) -> Rows:
        url = f"{self.url.rstrip('/')}/hqm_{first % 100:02}_{(first + YEARS - 1) % 100:02}.xls"
        return parse.sheet_rows(no_page(self.now_at(url).content), None)

    def figures(self, obtained: Obtained[Sequence[Rows]], series: Series) -> Figures:
        """The maturity of the series from all workbooks."""
        parts = [spot_rates(rows, float(code_of(series))) for rows in obtained.table]
        return parse.joined(parts, "Percent")
