"""The Federal Reserve Board's excess bond premium: `ebp_csv.csv` of its FEDS Notes.

Belongs here: that file's layout. Does not belong here: HTTP and what is common to files (`file_source.py`).

Columns are found by name: `date`, `gz_spread`, `ebp`, `est_prob`. A date is 2026-05-01, in some copies 5/1/2026, or
what statistical packages write for a month: 2026-05, 01may2026, MAY2026. The Board estimates the whole history anew
every month, so every figure may differ from last month's; the archive dates each change by the day it was seen. No
unit is stated: percentage points.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Sequence

from assets.sources.download import Downloader, Unusable
from assets.sources.file_source import Figures, FileSource, Obtained, Publisher, one_file
from assets.sources.http import Limits
from assets.sources.pacing import Patience
from assets.sources.tabular import month_stamp, number, until_the_last_figure

ADDRESS = "https://www.federalreserve.gov/econres/notes/feds-notes/ebp_csv.csv"
VARIABLE = "FED_BOARD_URL"
COLUMNS = {"EBP": "ebp", "GZ_SPREAD": "gz_spread"}
_LIMITS = Limits(size=4 * 1024 * 1024)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = [
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})-(?P<month>\d{2})(-(?P<day>\d{2})([T ]00:00(:00(\.0+)?)?Z?)?)?",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",  # American
        r"(?P<day>\d{1,2})?(?P<month>[A-Za-z]{3})(?P<year>\d{4})",
    )
]

Rows = Sequence[Sequence[str]]


def fed_board_source(
    address: str | None = None, patience: Patience | None = None, limits: Limits = _LIMITS
) -> FileSource[Rows]:
    """The Board's file at an address, by default the Board's own. Raises ValueError for an unsafe address."""
    downloader = Downloader(address or ADDRESS, VARIABLE, patience, limits)
    return FileSource(Publisher(downloader, one_file(downloader, _rows, "ebp_csv.csv"), _figures))


def _rows(content: bytes) -> Rows:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unusable("missing_column", f"no text table ({error})") from None
    return [row for row in rows if any(cell.strip() for cell in row)]


def _figures(obtained: Obtained[Rows], series_id: str) -> Figures:
    column = COLUMNS[series_id]
    header = [name.strip().lower() for name in obtained.table[0]]
    missing = [name for name in ("date", column) if header.count(name) != 1]
    if missing:
        raise Unusable(
            "missing_column", f"the header is {','.join(header)[:80]!r}: {missing[0]!r} is not there once"
        )
    at, of = header.index("date"), header.index(column)
    dates, values = [], []
    for line, row in enumerate(obtained.table[1:], start=2):
        if len(row) != len(header):
            raise Unusable("missing_column", f"line {line} has {len(row)} fields, the header {len(header)}")
        dates.append(_month(row[at].strip(), line))
        values.append(number(row[of], f"{column} on line {line}"))
    return until_the_last_figure(dates, values)


def _month(text: str, line: int) -> str:
    """The month's stamp, its first day."""
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if match is not None:
        named = match["month"].lower()
        month = _MONTHS.index(named) + 1 if named in _MONTHS else int(named) if named.isdigit() else 0
        try:
            day = dt.date(int(match["year"]), month, int(match["day"] or 1))
        except ValueError:
            pass
        else:
            return month_stamp(day.year, day.month, f"{text!r} on line {line}")
    raise Unusable("not_a_date", f"{text[:40]!r} on line {line} is no date like 2026-05-01")
