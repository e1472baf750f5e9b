"""The Financial Accounts (Z.1): `z1/current/z1_csv_files.zip`, a CSV file per table with a column per series.

The layout is documented and not proven live. The header is `date,<code>,...`; a quarter is written 2026:Q2, 2026-Q2 or
2026Q2; ND is no data. The files state no unit: the level is checked by the catalogue's range.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from assets.catalog.models import Series
from assets.sources.file_source import RETRIES, FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.pacing import RetryPolicy
from assets.sources.parse import Figures, Unusable, csv_rows, month_stamp, number
from assets.sources.public.shared import carrier_of, code_of, figures_in_unit, zip_member

_ADDRESS = "https://www.federalreserve.gov/releases"
_QUARTER = re.compile(r"(\d{4})\W?Q([1-4])", re.ASCII)
_LARGEST = 16 * 1024 * 1024  # bytes of one table


class FinancialAccountsSource(FileSource[bytes]):
    """The zip of the current release; a table is unpacked when a series of it is fetched."""

    variable = "BOARD_RELEASES_URL"
    limits: ClassVar[Limits] = Limits(total=300.0, size=64 * 1024 * 1024)

    def __init__(self, url: str | None = None, retries: RetryPolicy = RETRIES) -> None:
        """`url` replaces the root of the Board's releases."""
        super().__init__(f"{(url or _ADDRESS).rstrip('/')}/z1/current/z1_csv_files.zip", retries)

    def read(self, content: bytes) -> bytes:
        """The zip itself."""
        return content

    def figures(self, obtained: Obtained[bytes], series: Series) -> Figures:
        """One column of a table, dated by the first day of the quarter."""
        with zip_member(obtained.table, f"csv/{carrier_of(series).release}.csv", _LARGEST) as member:
            quarters = column(member.read(), code_of(series))
        return figures_in_unit(series, None, list(quarters), list(quarters.values()))


def column(content: bytes, code: str) -> Mapping[str, float]:
    """Figures of one code by first day of the quarter, NaN where there are no data. Raises Unusable."""
    rows = [row for row in csv_rows(content, "utf-8-sig") if row]
    header = [name.strip() for name in rows[0]] if rows else []
    if header[:1] != ["date"] or header.count(code) != 1:
        raise Unusable("missing_column", f"the header is {','.join(header)[:80]!r}: {code} is not in it once")
    at, found = header.index(code), dict[str, float]()
    for line, row in enumerate(rows[1:], start=2):
        quarter = _QUARTER.fullmatch(row[0].strip())
        if quarter is None or len(row) != len(header):
            raise Unusable(
                "not_a_date", f"line {line} is no quarter with {len(header)} cells: {row[0][:40]!r}"
            )
        day = month_stamp(int(quarter[1]), 3 * int(quarter[2]) - 2, row[0])
        if day in found:
            raise Unusable("duplicate_key", f"{row[0]} occurs twice")
        cell = row[at].strip()
        found[day] = number("" if cell == "ND" else cell, f"{code} in {row[0]}")
    return found
