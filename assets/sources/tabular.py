"""Cells of publishers' tables read strictly: what is no figure and no month is refused, never guessed at.

Belongs here: what csv, JSON and workbook readers share. Does not belong here: any publisher's layout, rules about the
figures themselves (`validate.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from assets.sources.download import Unusable
from assets.sources.file_source import Figures

# What publishers write where a figure is missing; the World Bank prints two dots, or the sign for them.
_MISSING = {"", ".", "..", "\u2026", "na", "n/a", "nan", "null"}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def number(cell: object, what: str) -> float:
    """A cell as a figure; NaN where the publisher shows none. Raises Unusable (not_a_number) naming `what`."""
    if cell is None:
        return math.nan
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        raise Unusable("not_a_number", f"{what} is {str(cell)[:40]!r}")
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in _MISSING:
            return math.nan
        if not _NUMBER.fullmatch(text):
            raise Unusable("not_a_number", f"{what} is {text[:40]!r}")
    figure = float(cell)
    if not math.isfinite(figure):
        raise Unusable("not_a_number", f"{what} is {figure}")
    return figure


def month_stamp(year: int, month: int, what: str) -> str:
    """The first day of a month as ISO text. Raises Unusable (not_a_date) naming `what`."""
    if not (1 <= month <= 12 and 1700 <= year <= 2200):
        raise Unusable("not_a_date", f"{what} is no month")
    return f"{year:04d}-{month:02d}-01"


def until_the_last_figure(
    dates: Sequence[str], values: Sequence[float], unit: str | None = None, notes: tuple[str, ...] = ()
) -> Figures:
    """The figures without the rows after the newest one: a table lays rows out before their figures are published.

    Such a figure is not published as missing, it is not published at all.
    """
    newest = max(
        (date for date, value in zip(dates, values, strict=True) if not math.isnan(value)), default=""
    )
    kept = [n for n, date in enumerate(dates) if date <= newest]
    return Figures([dates[n] for n in kept], [values[n] for n in kept], unit, notes)
