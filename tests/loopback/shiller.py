"""Shiller's site: a page that links the workbook, and the workbook, real where it is beside the project."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.loopback.server import Loopback, Served

FILE_PATH = "/blobby/go/e5e7/downloads/70fe/ie_data.xls"
PAGE = (
    '<!DOCTYPE html><html><a href="{root}{path}?ver=1788371540009">US Stock Markets 1871-Present</a></html>'
)
SAVED = dt.datetime(2026, 5, 5, 12, tzinfo=dt.UTC)
HEADING = ("Date", "P", "D", "E", "CPI", "Fraction", "Rate GS10", "Price")
Sheet = list[list[object]]


def small_sheet(months: int = 24) -> Sheet:
    """Two years to April 2026 and a fifth of May; the last two months have no earnings, and a note stands below."""
    rows: Sheet = [
        ["Stock Market Data Used in Irrational Exuberance"],
        ["", "S&P", "", "", "Consumer"],
        list(HEADING),
    ]
    for n in range(months):
        year, month = divmod(2024 * 12 + 5 + n, 12)
        is_new = n >= months - 2
        paid = [None, None] if is_new else [75.0 + n / 10, 220.0 + n]
        rows.append(
            [year + (month + 1) / 100, 5000.0 + n, *paid, 310.0 + n / 2, year + month / 12, 4.2, 5000.0]
        )
    rows.append([None, "May price is May 5th close", None, None, "May CPI estimated"])
    return rows


def old_workbook(rows: Sequence[Sequence[object]], name: str = "Data") -> bytes:
    """A workbook of the old format with one sheet of that name."""
    import xlwt

    book = xlwt.Workbook()
    book.add_sheet("Disclaimer").write(0, 0, "For information only")
    sheet = book.add_sheet(name)
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell is not None and cell != "":
                sheet.write(at, column, cell)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def changed(change: Callable[[Sheet], object]) -> bytes:
    """The small workbook after a change of its rows in place."""
    rows = small_sheet()
    change(rows)
    return old_workbook(rows)


def shiller(realdata: Path | None = None, body: bytes | None = None, page: str = PAGE) -> Loopback:
    """The site; its page stands at "/"."""
    if body is None:
        real = realdata / "composite" / "ie_data_2026-05.xls" if realdata else None
        body = real.read_bytes() if real else old_workbook(small_sheet())
    server = Loopback({FILE_PATH: Served(body, "application/vnd.ms-excel", SAVED)})
    server.routes["/"] = Served(page.format(root=server.root, path=FILE_PATH).encode(), "text/html")
    return server
