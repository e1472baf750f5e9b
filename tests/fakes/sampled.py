"""The publishers beside FRED serving the bundled figures, each in its own format; Shiller's are made up.

Belongs here: from `sample_data` to those formats. Does not belong here: the servers (one module each).
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.server import Loopback, running

SAMPLE_END = dt.date(2026, 5, 31)
Found = Callable[[str], Mapping[str, str]]  # figures of a series by ISO day, as text


@contextmanager
def publishers_of_the_sample(sample: Path) -> Iterator[dict[str, str]]:
    """The servers, answering; their addresses by the variable that gives them."""
    found = functools.partial(_figures, sample)
    gold = world_bank.new_workbook(pink_sheet(found))
    servers: dict[str, tuple[Loopback, str]] = {
        "FED_BOARD_URL": (fed_board.fed_board(body=premium_file(found)), fed_board.PATH),
        "FISCAL_DATA_URL": (fiscal_data.fiscal_data(debt_rows(found)), fiscal_data.PATH),
        "SHILLER_URL": (shiller.shiller(body=shiller_workbook(found, SAMPLE_END)), "/"),
        "WORLD_BANK_URL": (world_bank.world_bank(body=gold), world_bank.PAGE_PATH),
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(running(server)).root + path for name, (server, path) in servers.items()
        }


def _figures(sample: Path, series_id: str) -> dict[str, str]:
    with (sample / f"{series_id}.csv").open(encoding="utf-8", newline="") as file:
        return {row["date"]: row["value"] for row in csv.DictReader(file)}


def premium_file(found: Found) -> bytes:
    """The Board's file."""
    premium, spread = found("EBP"), found("GZ_SPREAD")
    days = sorted(premium.keys() | spread.keys())
    lines = [f"{day},{spread.get(day, '')},{premium.get(day, '')}," for day in days]
    return "\n".join([fed_board.HEADER, *lines, ""]).encode()


def debt_rows(found: Found) -> list[fiscal_data.Row]:
    """Rows of the debt table."""
    bills = found("MSPD_BILLS").items()
    total = found("MSPD_TOTAL_MARKETABLE").items()
    return [
        *(fiscal_data.row(day, "Marketable", "Bills", value or "null", 1) for day, value in bills),
        *(fiscal_data.row(day, "Total Marketable", "_", value or "null", 7) for day, value in total),
    ]


def pink_sheet(found: Found) -> world_bank.Sheet:
    """Rows of the Pink Sheet."""
    rows = world_bank.small_sheet(months=0)
    for day, value in found("GOLD_WB_MONTHLY").items():
        rows.append([f"{day[:4]}M{day[5:7]}", 70.5, "..", float(value) if value else ".."])
    return rows


@functools.cache
def share_prices() -> pd.Series:
    """A share price of every business day to the sample's end: eight percent a year, and slumps."""
    days = pd.bdate_range("1975-01-01", "2026-05-29")
    years = np.arange(len(days)) / 261.0
    noise = np.random.default_rng(11).normal(0, 0.007, len(days)).cumsum()
    return pd.Series(90.0 * np.exp(0.08 * years + 0.25 * np.sin(years / 1.3) + 0.3 * noise), days)


def shiller_workbook(found: Found, day: dt.date) -> bytes:
    """Shiller's sheet as it stands on a day: made-up prices and earnings, the sample's consumer prices."""
    price = share_prices()
    monthly = price.groupby(price.index.strftime("%Y-%m")).mean().round(2)  # type: ignore[attr-defined]
    years = np.arange(len(monthly)) / 12.0
    earnings = (monthly * (0.055 + 0.02 * np.sin(years / 2.1))).round(3)
    index = {at[:7]: float(value) for at, value in found("CPIAUCSL").items() if value}
    return shiller.old_workbook(shiller.long_sheet(day, monthly.to_dict(), earnings.to_dict(), index))
