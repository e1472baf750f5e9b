"""The Treasury's Fiscal Data API as far as table 1 of the debt statement goes: fields, pages, counts, labels."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from tests.fakes.server import Answer, Loopback, Served

PATH = "/services/api/fiscal_service/v1/debt/mspd/mspd_table_1"
LABEL = "Total Public Debt Outstanding (in Millions)"
SMALL = {"Bills": 6_000_000, "Notes": 15_000_000, "Bonds": 5_000_000}
TIPS = "Treasury Inflation-Protected Securities"
Row = dict[str, str]


def row(date: str, kind: str, of: str, amount: str, line: int = 1) -> Row:
    """One row as the API gives it: every value a text."""
    return {
        "record_date": date,
        "security_type_desc": kind,
        "security_class_desc": of,
        "total_mil_amt": amount,
        "src_line_nbr": str(line),
    }


def small_table(months: int = 12) -> list[Row]:
    """A year of statements with made-up amounts."""
    ends = ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30",
            "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"]  # fmt: skip
    rows = []
    for n in range(months):
        date = f"{2024 + n // 12 + (n // 12 == 0)}-{ends[n % 12]}"
        amounts = {**{of: amount + n for of, amount in SMALL.items()}, TIPS: 2_000_000 + n}
        rows += [
            row(date, "Marketable", of, f"{amount}.5", line)
            for line, (of, amount) in enumerate(amounts.items(), 1)
        ]
        rows.append(row(date, "Total Marketable", "_", str(sum(amounts.values()) + 2), 7))
        rows.append(row(date, "Nonmarketable", "Hope Bonds", "null", 8))
    return rows


def real_table(realdata: Path) -> list[Row]:
    """The whole table, of which Hope Bonds and the like are not read."""
    path = realdata / "composite" / "mspd_table_1_2001-01_2026-05.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            row(r["record_date"], r["security_type"], r["security_class"], r["total_mil"] or "null", n % 30)
            for n, r in enumerate(csv.DictReader(file))
        ]


def fiscal_data(
    rows: Sequence[Row] | None = None,
    largest_page: int = 10_000,
    lost_page: int | None = None,
    label: str = LABEL,
) -> Loopback:
    """The API over some rows, giving no more than `largest_page` of them at once; one page may come empty."""
    return Loopback({PATH: answer(small_table() if rows is None else rows, largest_page, lost_page, label)})


def answer(
    rows: Sequence[Row], largest_page: int = 10_000, lost_page: int | None = None, label: str = LABEL
) -> Answer:
    """What the API says to a query."""

    return lambda query: page(rows, query, largest_page, lost_page, label)


def page(
    rows: Sequence[Row],
    query: dict[str, str],
    largest_page: int = 10_000,
    lost_page: int | None = None,
    label: str = LABEL,
) -> Served:
    """One page of some rows."""
    fields = query["fields"].split(",")
    size = min(int(query["page[size]"]), largest_page)
    number = int(query["page[number]"])
    ordered = sorted(rows, key=lambda r: [r[name] for name in query["sort"].split(",")])
    found = [] if number == lost_page else ordered[(number - 1) * size : number * size]
    meta = {
        "count": len(found),
        "labels": {"record_date": "Record Date", "total_mil_amt": label},
        "dataTypes": {"total_mil_amt": "CURRENCY"},
        "total-count": len(rows),
        "total-pages": -(-len(rows) // size),
    }
    data = [{name: r[name] for name in fields} for r in found]
    return Served(json.dumps({"data": data, "meta": meta, "links": {}}).encode(), "application/json")
