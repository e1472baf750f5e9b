"""The World Bank's site: a page that links the Pink Sheet, and the workbook, real where it is beside the project."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.fakes.server import Answer, Loopback, Served

PAGE_PATH = "/en/research/commodity-markets"
FILE_PATH = "/en/doc/74e8-0050012026/related/CMO-Historical-Data-Monthly.xlsx"
PAGE = '<!DOCTYPE html><html><a href="{path}">Monthly prices</a></html>'
SAVED = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
Sheet = list[list[object]]


def small_sheet(months: int = 24) -> Sheet:
    """Two years of oil and gold; the newest month has a price of oil only."""
    rows: Sheet = [
        ["World Bank Commodity Price Data (The Pink Sheet)"],
        ["monthly prices in nominal US dollars, 1960 to present"],
        [],
        ["Updated on May 04, 2026"],
        [None, "Crude oil, average", "Coal, South African **", "Gold"],
        [None, "($/bbl)", "($/mt)", "($/troy oz)"],
        [None, "CRUDE_PETRO", "COAL_SAFRICA", "GOLD"],
    ]
    for n in range(months):
        year, month = divmod(2024 * 12 + 4 + n, 12)
        gold = ".." if n == months - 1 else 2300.0 + 40 * n
        rows.append([f"{year}M{month + 1:02}", 70.5, "..", gold])
    return rows


def new_workbook(rows: Sequence[Sequence[object]], name: str = "Monthly Prices") -> bytes:
    """A workbook of today with one sheet of that name."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "AFOSHEET"
    sheet = book.create_sheet(name)
    for row in rows:
        sheet.append(list(row))
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def changed(change: Callable[[Sheet], object]) -> bytes:
    """The small workbook after a change of its rows in place."""
    rows = small_sheet()
    change(rows)
    return new_workbook(rows)


def world_bank(realdata: Path | None = None, body: bytes | None = None) -> Loopback:
    """The site; its page stands at PAGE_PATH."""
    if body is None:
        real = realdata / "composite" / "CMO-Historical-Data-Monthly_2022-05.xlsx" if realdata else None
        body = real.read_bytes() if real else new_workbook(small_sheet())
    return Loopback(served(body, SAVED))


def served(body: bytes, saved: dt.datetime) -> dict[str, Answer]:
    """What stands at the site's paths."""
    return {
        PAGE_PATH: Served(PAGE.format(path=FILE_PATH).encode(), "text/html"),
        FILE_PATH: Served(body, "application/vnd.openxmlformats-officedocument", saved),
    }
