"""The publishers beside FRED serving the bundled figures, each in its own format; Shiller's site is closed.

Belongs here: from `sample_data` to those formats. Does not belong here: the servers (one module each).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.loopback import fed_board, fiscal_data, shiller, world_bank
from tests.loopback.server import Loopback, running


@contextmanager
def publishers_of_the_sample(sample: Path) -> Iterator[dict[str, str]]:
    """The servers, answering; their addresses by the variable that gives them."""
    servers: dict[str, tuple[Loopback, str]] = {
        "FED_BOARD_URL": (fed_board.fed_board(body=_premium_file(sample)), fed_board.PATH),
        "FISCAL_DATA_URL": (fiscal_data.fiscal_data(_debt_rows(sample)), fiscal_data.PATH),
        "SHILLER_URL": (Loopback({}), shiller.FILE_PATH),
        "WORLD_BANK_URL": (world_bank.world_bank(body=_pink_sheet(sample)), world_bank.PAGE_PATH),
    }
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(running(server)).root + path for name, (server, path) in servers.items()
        }


def _figures(sample: Path, series_id: str) -> dict[str, str]:
    with (sample / f"{series_id}.csv").open(encoding="utf-8", newline="") as file:
        return {row["date"]: row["value"] for row in csv.DictReader(file)}


def _premium_file(sample: Path) -> bytes:
    premium, spread = _figures(sample, "EBP"), _figures(sample, "GZ_SPREAD")
    days = sorted(premium.keys() | spread.keys())
    lines = [f"{day},{spread.get(day, '')},{premium.get(day, '')}," for day in days]
    return "\n".join([fed_board.HEADER, *lines, ""]).encode()


def _debt_rows(sample: Path) -> list[fiscal_data.Row]:
    bills = _figures(sample, "MSPD_BILLS").items()
    total = _figures(sample, "MSPD_TOTAL_MARKETABLE").items()
    return [
        *(fiscal_data.row(day, "Marketable", "Bills", value or "null", 1) for day, value in bills),
        *(fiscal_data.row(day, "Total Marketable", "_", value or "null", 7) for day, value in total),
    ]


def _pink_sheet(sample: Path) -> bytes:
    rows = world_bank.small_sheet(months=0)
    for day, value in _figures(sample, "GOLD_WB_MONTHLY").items():
        rows.append([f"{day[:4]}M{day[5:7]}", 70.5, "..", float(value) if value else ".."])
    return world_bank.new_workbook(rows)
