"""The publishers of files on a good day: every series they serve, downloaded once, and only if it changed."""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from assets.sources import fed_board as board_module
from assets.sources import fiscal_data as fiscal_module
from assets.sources import shiller as shiller_module
from assets.sources import world_bank as bank_module
from assets.sources.file_source import FileSource
from assets.sources.http import Limits, checked_address
from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.publishers import PUBLISHERS, SHORT, Held, accepted, figures, refused, source_of
from tests.fakes.server import Loopback, Served, running

NOW = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
SERVES = {
    "fed_board": board_module.COLUMNS,
    "fiscal_data": fiscal_module.CLASSES,
    "shiller": shiller_module.COLUMNS,
    "world_bank": bank_module.COLUMNS,
}


@contextmanager
def source_at(name: SourceKey, server: Loopback, limits: Limits = SHORT) -> Iterator[FileSource]:
    with running(server):
        yield source_of(name, server, limits, NOW)


def figures_of(name: SourceKey, series_id: str, server: Loopback) -> dict[str, float]:
    with source_at(name, server) as source:
        return figures(accepted(source, series_id))


@pytest.mark.parametrize("source", SERVES)
def test_every_series_of_the_catalogue_is_served_by_its_publisher(source: SourceKey) -> None:
    assert set(SERVES[source]) == {series.series_id for series in load_catalog().by_source(source)}


def test_excess_bond_premium_and_spread_come_from_one_download() -> None:
    server = fed_board.fed_board()
    with source_at("fed_board", server) as source:
        premium, spread = accepted(source, "EBP"), accepted(source, "GZ_SPREAD")
        assert source.requests == len(server.requests) == 1
    assert figures(premium)["2024-05-01"] == -0.2
    assert figures(spread)["2026-04-01"] == pytest.approx(1.23)
    assert premium.last_updated == fed_board.SAVED


@pytest.mark.parametrize(
    "written",
    ["2025-01", "2025-01-31", "2025-01-01 00:00:00", "2025-01-01T00:00:00Z", "JAN2025", "Jan2025", "01jan2025",
     "1/31/2025"],
)  # fmt: skip
def test_month_is_read_as_statistical_packages_write_it(written: str) -> None:
    plain = fed_board.small_file()
    body = plain.replace(b"2025-01-01", written.encode())
    assert body != plain
    expected = figures_of("fed_board", "EBP", fed_board.fed_board(body=plain))
    assert figures_of("fed_board", "EBP", fed_board.fed_board(body=body)) == expected


def test_debt_classes_come_with_their_unit_from_all_pages() -> None:
    server = fiscal_data.fiscal_data(largest_page=7)
    with source_at("fiscal_data", server) as source:
        bills, total = accepted(source, "MSPD_BILLS"), accepted(source, "MSPD_TOTAL_MARKETABLE")
        assert source.requests == len(server.requests) == 11
    assert figures(bills)["2025-01-31"] == 6_000_000.5
    assert figures(total)["2025-12-31"] == 28_000_046.0
    assert bills.unit == "Millions of Dollars" and bills.unit_kind == "usd_mn"


def test_old_tips_are_the_sum_of_both_halves_and_missing_where_one_half_is() -> None:
    rows = []
    for month in range(1, 13):
        date = f"2025-{month:02}-28"
        rows.append(fiscal_data.row(date, "Marketable", "Inflation-Indexed Notes", "100000", 5))
        if month not in (6, 12):
            rows.append(fiscal_data.row(date, "Marketable", "Inflation-Indexed Bonds", "60000", 6))
    with source_at("fiscal_data", fiscal_data.fiscal_data(rows)) as source:
        payload = accepted(source, "MSPD_TIPS")
    found = figures(payload)
    assert math.isnan(found.pop("2025-06-28"))
    assert set(found.values()) == {160000.0} and max(found) == "2025-11-28"
    assert payload.notes[0] == "2025-06-28 has only Inflation-Indexed Notes"


def test_tips_listed_in_both_ways_are_not_added_up() -> None:
    extra = fiscal_data.row("2025-06-30", "Marketable", "Inflation-Indexed Notes", "100000", 9)
    with source_at("fiscal_data", fiscal_data.fiscal_data([*fiscal_data.small_table(), extra])) as source:
        assert refused(source, "MSPD_TIPS").rule == "duplicate_key"
        assert len(figures(accepted(source, "MSPD_BILLS"))) == 12


def test_newest_months_without_earnings_are_not_published_and_not_zero() -> None:
    zeros = shiller.changed(lambda rows: [row.__setitem__(slice(2, 4), [0, 0]) for row in rows[-3:-1]])
    with source_at("shiller", shiller.shiller()) as source:
        earnings = figures(accepted(source, "SHILLER_EARNINGS"))
        assert max(earnings) == max(figures(accepted(source, "SHILLER_DIVIDEND"))) == "2026-03-01"
    assert figures_of("shiller", "SHILLER_EARNINGS", shiller.shiller(body=zeros)) == earnings


def test_october_is_not_january_and_the_close_of_an_unfinished_month_is_left_out() -> None:
    prices = figures_of("shiller", "SHILLER_PRICE", shiller.shiller())
    assert prices["2025-10-01"] == 5016.0 and prices["2025-01-01"] == 5007.0
    assert max(prices) == "2026-04-01"


def test_note_about_a_close_leaves_the_price_out_even_when_the_server_gives_no_date() -> None:
    server = shiller.shiller()
    server.routes[shiller.FILE_PATH] = Served(shiller.old_workbook(shiller.small_sheet()))
    with source_at("shiller", server) as source:
        payload = accepted(source, "SHILLER_PRICE")
    assert max(figures(payload)) == "2026-04-01"
    assert payload.notes == ("note: May price is May 5th close",)


@pytest.mark.parametrize(
    ("note", "column", "months"),
    [
        ("May CPI estimated", 4, {"2026-05-01"}),
        ("May CPI estimated", 0, {"2026-05-01"}),
        ("Oct '25/Apr/May CPI estimated", 4, {"2025-10-01", "2026-04-01", "2026-05-01"}),
        ("Mar-May CPI interpolated", 4, {"2026-03-01", "2026-04-01", "2026-05-01"}),
        ("September 2025 CPI Estimated", 4, {"2025-09-01"}),
        ("last values are estimated", 4, {"2026-04-01", "2026-05-01"}),
        ("May CPI is from the Bureau of Labor Statistics", 4, set()),
    ],
)
def test_index_the_sheet_calls_estimated_is_left_out(note: str, column: int, months: set[str]) -> None:
    def noted(rows: list[list[object]]) -> None:
        rows[-1] = [None] * 8
        rows[-1][column] = note

    plain = figures_of("shiller", "SHILLER_CPI", shiller.shiller()).keys() | {"2026-05-01"}
    found = figures_of("shiller", "SHILLER_CPI", shiller.shiller(body=shiller.changed(noted)))
    assert {month for month in plain if math.isnan(found.get(month, math.nan))} == months


def test_note_about_a_month_the_sheet_lacks_is_refused() -> None:
    body = shiller.changed(lambda rows: rows[-1].__setitem__(4, "Oct '31 CPI estimated"))
    with source_at("shiller", shiller.shiller(body=body)) as source:
        assert refused(source, "SHILLER_CPI").rule == "not_a_date"
        assert max(figures(accepted(source, "SHILLER_PRICE"))) == "2026-04-01"


def test_moved_columns_and_headings_are_found_by_name() -> None:
    def move(rows: list[list[object]]) -> None:
        for row in rows:
            row[1:1] = ["another column"] if len(row) > 1 and isinstance(row[1], str) else [1.0]
        rows[0:0] = [["a line more"], []]

    moved_sheet = shiller.shiller(body=shiller.changed(move))
    expected = figures_of("shiller", "SHILLER_EARNINGS", shiller.shiller())
    assert figures_of("shiller", "SHILLER_EARNINGS", moved_sheet) == expected
    moved_gold = world_bank.world_bank(body=world_bank.changed(move))
    expected = figures_of("world_bank", "GOLD_WB_MONTHLY", world_bank.world_bank())
    assert figures_of("world_bank", "GOLD_WB_MONTHLY", moved_gold) == expected


def test_gold_comes_with_its_unit_and_without_months_not_published_yet() -> None:
    server = world_bank.world_bank()
    with source_at("world_bank", server) as source:
        gold = accepted(source, "GOLD_WB_MONTHLY")
    assert gold.unit_kind == "usd_per_oz"
    assert max(figures(gold)) == "2026-03-01" and figures(gold)["2026-03-01"] == 2300.0 + 40 * 22
    assert [request.path for request in server.requests] == [world_bank.PAGE_PATH, world_bank.FILE_PATH]
    assert gold.where == server.root + world_bank.FILE_PATH


def test_figure_missing_inside_the_history_is_missing() -> None:
    body = world_bank.changed(lambda rows: rows[12].__setitem__(3, "…"))
    gold = figures_of("world_bank", "GOLD_WB_MONTHLY", world_bank.world_bank(body=body))
    assert [day for day, value in gold.items() if math.isnan(value)] == ["2024-10-01"]


def known(saved: dt.datetime, days_ago: int = 2) -> Held:
    return Held(last_updated=saved, reconciled_at=NOW - dt.timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("name", "saved", "requests"),
    [("fed_board", fed_board.SAVED, 1), ("shiller", shiller.SAVED, 2), ("world_bank", world_bank.SAVED, 2)],
)
def test_unchanged_file_is_not_sent_again(name: SourceKey, saved: dt.datetime, requests: int) -> None:
    series_id = PUBLISHERS[name].series_id
    with running(PUBLISHERS[name].serve()) as server:
        payload = accepted(source_of(name, server, now=NOW), series_id, known(saved))
        assert payload.is_unchanged and not payload.is_complete and payload.observations.empty
        assert payload.last_updated == saved and len(server.requests) == requests
        older = known(saved - dt.timedelta(days=1))
        assert not accepted(source_of(name, server, now=NOW), series_id, older).is_unchanged


def test_one_request_serves_all_series_of_an_unchanged_file_and_a_refused_one_gets_it_in_full() -> None:
    server = fed_board.fed_board()
    with source_at("fed_board", server) as source:
        assert accepted(source, "EBP", known(fed_board.SAVED)).is_unchanged
        assert accepted(source, "GZ_SPREAD", known(fed_board.SAVED)).is_unchanged
        assert len(server.requests) == 1
        assert len(figures(accepted(source, "GZ_SPREAD", Held()))) == 24


@pytest.mark.parametrize("days_ago", [7, -300])  # in the future: the clock was ahead at the last full fetch
def test_file_is_downloaded_once_a_week_whatever_its_server_or_a_clock_says(days_ago: int) -> None:
    with source_at("fed_board", fed_board.fed_board()) as source:
        assert len(figures(accepted(source, "EBP", known(fed_board.SAVED, days_ago)))) == 24


@pytest.mark.parametrize(
    "address",
    ["", "ftp://example.org/f", "https://user:word@example.org/f", "example.org", "http://example.org/f"],
)
def test_address_that_is_none_or_unencrypted_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="SHILLER_URL"):
        checked_address(address, "SHILLER_URL")


def test_real_files_are_accepted_and_equal_the_copies_kept_beside_them(realdata: Path) -> None:
    names = {"SHILLER_PRICE": "SHILLER_SP_PRICE"}
    servers: dict[SourceKey, Loopback] = {
        "fed_board": fed_board.fed_board(realdata),
        "fiscal_data": fiscal_data.fiscal_data(fiscal_data.real_table(realdata), 2000),
        "shiller": shiller.shiller(realdata),
        "world_bank": world_bank.world_bank(realdata),
    }
    payloads = {}
    for key, server in servers.items():
        with source_at(key, server, Limits()) as source:
            payloads.update({series_id: accepted(source, series_id) for series_id in SERVES[key]})
    read = {series_id: figures(payload) for series_id, payload in payloads.items()}
    for series_id, found in read.items():
        copy = realdata / f"{names.get(series_id, series_id)}.csv"
        if copy.exists():
            with copy.open(encoding="utf-8", newline="") as file:
                kept = {row["date"]: float(row["value"]) for row in csv.DictReader(file) if row["value"]}
            shared = {day for day in found.keys() & kept.keys() if not math.isnan(found[day])}
            assert len(shared) >= len(found) - 1 and len(shared) > 300, series_id
            assert all(found[day] == pytest.approx(kept[day], abs=0.51) for day in shared), series_id
    assert len(read["MSPD_TIPS"]) == 305 and payloads["MSPD_TIPS"].notes == ()
    assert not any(math.isnan(value) for value in read["MSPD_TIPS"].values())
    cpi = read["SHILLER_CPI"]
    assert max(cpi) == max(read["SHILLER_EARNINGS"]) == "2026-03-01" and len(cpi) == 1863
    assert [month for month, value in cpi.items() if math.isnan(value)] == ["2025-10-01"]
