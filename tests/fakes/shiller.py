"""Shiller's site: a page that links the workbook, and the workbook, real where it is beside the project."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.fakes.server import Answer, Loopback, Served

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


def long_sheet(
    day: dt.date, price: Mapping[str, float], earnings: Mapping[str, float], index: Mapping[str, float]
) -> Sheet:
    """The sheet as it stands on a day, from monthly figures by ISO month of the prices.

    Earnings and dividends (a third of them) come with the third month after their own. Consumer prices that `index`
    lacks are repeated, and a note calls them estimated.
    """
    rows: Sheet = [["Stock Market Data Used in Irrational Exuberance"], list(HEADING)]
    months = [month for month in sorted(price) if month <= f"{day:%Y-%m}"]
    last_index, estimated = 0.0, []
    for month in months:
        year, number = int(month[:4]), int(month[5:])
        is_paid = 12 * day.year + day.month - 12 * year - number > 3
        paid = [earnings[month] / 3, earnings[month]] if is_paid else [None, None]
        if month in index:
            last_index = index[month]
        else:
            estimated.append(f"{dt.date(year, number, 1):%b '%y}")
        rows.append(
            [year + number / 100, price[month], *paid, last_index, year + (number - 0.5) / 12, 4.2, 1.0]
        )
    note = f"{'/'.join(estimated)} CPI estimated" if estimated else None
    rows.append([None, f"{day:%b} price is {day:%b %d} close", None, None, note])
    return rows


def old_workbook(rows: Sequence[Sequence[object]], name: str = "Data", has_cover: bool = True) -> bytes:
    """A workbook of the old format with a sheet of that name, after a sheet without figures if it has a cover."""
    import xlwt

    book = xlwt.Workbook()
    if has_cover:
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
    server = Loopback({})
    server.routes.update(served(body, server.root, SAVED, page))
    return server


def served(body: bytes, root: str, saved: dt.datetime, page: str = PAGE) -> dict[str, Answer]:
    """What stands at the site's paths; the site is at `root`."""
    return {
        FILE_PATH: Served(body, "application/vnd.ms-excel", saved),
        "/": Served(page.format(root=root, path=FILE_PATH).encode(), "text/html"),
    }
