"""The publishers beside FRED as they answer on a good day: every series they carry, read once, and only if new."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
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
from assets.sources.http import checked_address
from assets.sources.protocol import SeriesUnknown
from tests.builders import a_series
from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.reading import IMPATIENT, SHORT, Held, accepted, figures, refused
from tests.fakes.server import Loopback, Served, running

NOW = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
CARRIES = {
    "fed_board": board_module.COLUMNS,
    "fiscal_data": fiscal_module.CLASSES,
    "shiller": shiller_module.COLUMNS,
    "world_bank": bank_module.COLUMNS,
}


@contextmanager
def fed_board_on(server: Loopback) -> Iterator[FileSource]:
    with running(server):
        yield board_module.fed_board_source(server.root + fed_board.PATH, IMPATIENT, SHORT)


@contextmanager
def fiscal_data_on(server: Loopback) -> Iterator[FileSource]:
    with running(server):
        yield fiscal_module.fiscal_data_source(server.root + fiscal_data.PATH, IMPATIENT, SHORT)


@contextmanager
def shiller_on(server: Loopback) -> Iterator[FileSource]:
    with running(server):
        yield shiller_module.shiller_source(server.root + "/", IMPATIENT, SHORT)


@contextmanager
def world_bank_on(server: Loopback) -> Iterator[FileSource]:
    with running(server):
        yield bank_module.world_bank_source(server.root + world_bank.PAGE_PATH, IMPATIENT, SHORT)


@pytest.mark.parametrize("source", CARRIES)
def test_every_series_of_the_catalogue_is_among_its_publishers(source: SourceKey) -> None:
    assert set(CARRIES[source]) == {series.series_id for series in load_catalog().by_source(source)}


def test_excess_bond_premium_and_spread_come_from_one_download() -> None:
    server = fed_board.fed_board()
    with fed_board_on(server) as source:
        premium, spread = accepted(source, "EBP"), accepted(source, "GZ_SPREAD")
    assert figures(premium)["2024-05-01"] == -0.2
    assert figures(spread)["2026-04-01"] == pytest.approx(1.23)
    assert (premium.requests, spread.requests, len(server.requests)) == (1, 0, 1)
    assert premium.last_updated == fed_board.SAVED


def test_american_dates_and_dates_within_the_month_mean_the_month() -> None:
    body = fed_board.small_file().replace(b"2024-05-01", b"5/31/2024")
    with fed_board_on(fed_board.fed_board(body=body)) as source:
        assert "2024-05-01" in figures(accepted(source, "EBP"))


@pytest.mark.parametrize(
    "written",
    ["2025-01", "2025-01-31", "2025-01-01 00:00:00", "2025-01-01T00:00:00Z", "JAN2025", "Jan2025", "01jan2025",
     "1/31/2025"],
)  # fmt: skip
def test_month_is_read_as_statistical_packages_write_it(written: str) -> None:
    plain = fed_board.small_file()
    with fed_board_on(fed_board.fed_board(body=plain)) as source:
        expected = figures(accepted(source, "EBP"))
    body = plain.replace(b"2025-01-01", written.encode())
    assert body != plain
    with fed_board_on(fed_board.fed_board(body=body)) as source:
        assert figures(accepted(source, "EBP")) == expected


def test_debt_classes_come_with_their_unit_from_all_pages() -> None:
    server = fiscal_data.fiscal_data(fiscal_data.small_table(), largest_page=7)
    with fiscal_data_on(server) as source:
        bills, total = accepted(source, "MSPD_BILLS"), accepted(source, "MSPD_TOTAL_MARKETABLE")
    assert figures(bills)["2025-01-31"] == 6_000_000.5
    assert figures(total)["2025-12-31"] == 28_000_046.0
    assert bills.unit == "Millions of Dollars" and bills.unit_kind == "usd_mn"
    assert bills.requests == len(server.requests) == 11


def test_indexed_notes_and_bonds_of_old_statements_are_todays_tips() -> None:
    rows = [row for row in fiscal_data.small_table() if row["security_class_desc"] != fiscal_data.TIPS]
    for of, amount in (("Inflation-Indexed Notes", "100000"), ("Inflation-Indexed Bonds", "60000")):
        rows += [
            fiscal_data.row(f"2025-{month:02}-28", "Marketable", of, amount, 5) for month in range(1, 13)
        ]
    with fiscal_data_on(fiscal_data.fiscal_data(rows)) as source:
        assert set(figures(accepted(source, "MSPD_TIPS")).values()) == {160000.0}


def test_month_with_one_half_of_the_old_tips_has_no_figure_and_no_half_one() -> None:
    rows = []
    for month in range(1, 13):
        date = f"2025-{month:02}-28"
        rows.append(fiscal_data.row(date, "Marketable", "Inflation-Indexed Notes", "100000", 5))
        if month not in (6, 12):
            rows.append(fiscal_data.row(date, "Marketable", "Inflation-Indexed Bonds", "60000", 6))
    with fiscal_data_on(fiscal_data.fiscal_data(rows)) as source:
        payload = accepted(source, "MSPD_TIPS")
    found = figures(payload)
    assert math.isnan(found.pop("2025-06-28"))
    assert set(found.values()) == {160000.0} and max(found) == "2025-11-28"
    assert payload.notes[0] == "2025-06-28 has Inflation-Indexed Notes alone"


def test_tips_listed_in_both_ways_are_not_added_up() -> None:
    extra = fiscal_data.row("2025-06-30", "Marketable", "Inflation-Indexed Notes", "100000", 9)
    with fiscal_data_on(fiscal_data.fiscal_data([*fiscal_data.small_table(), extra])) as source:
        assert refused(source, "MSPD_TIPS").rule == "duplicate_key"
        assert len(figures(accepted(source, "MSPD_BILLS"))) == 12


def test_real_statements_have_all_parts_of_tips_in_every_month(realdata: Path) -> None:
    with fiscal_data_on(fiscal_data.fiscal_data(fiscal_data.real_table(realdata))) as source:
        tips = accepted(source, "MSPD_TIPS")
    assert len(figures(tips)) == 305 and tips.notes == ()
    assert not any(math.isnan(value) for value in figures(tips).values())


def test_newest_months_without_earnings_are_not_there_and_not_zero() -> None:
    with shiller_on(shiller.shiller()) as source:
        earnings, dividend = (
            figures(accepted(source, "SHILLER_EARNINGS")),
            accepted(source, "SHILLER_DIVIDEND"),
        )
        cpi = figures(accepted(source, "SHILLER_CPI"))
    assert max(earnings) == "2026-03-01" and max(figures(dividend)) == "2026-03-01"
    assert max(cpi) == "2026-04-01", "the sheet calls May's index estimated"

    zeros = shiller.changed(lambda rows: [row.__setitem__(slice(2, 4), [0, 0]) for row in rows[-3:-1]])
    with shiller_on(shiller.shiller(body=zeros)) as source:
        assert figures(accepted(source, "SHILLER_EARNINGS")) == earnings


def test_october_is_not_january() -> None:
    with shiller_on(shiller.shiller()) as source:
        prices = figures(accepted(source, "SHILLER_PRICE"))
    assert prices["2025-10-01"] == 5016.0 and prices["2025-01-01"] == 5007.0


def test_close_of_an_unfinished_month_is_no_monthly_average() -> None:
    with shiller_on(shiller.shiller()) as source:
        assert max(figures(accepted(source, "SHILLER_PRICE"))) == "2026-04-01"


def test_note_about_a_close_leaves_the_price_out_even_when_the_server_gives_no_date() -> None:
    server = shiller.shiller()
    server.routes[shiller.FILE_PATH] = Served(shiller.old_workbook(shiller.small_sheet()))
    with shiller_on(server) as source:
        payload = accepted(source, "SHILLER_PRICE")
    assert max(figures(payload)) == "2026-04-01"
    assert payload.notes == ("the sheet says: May price is May 5th close",)


def estimated(note: str, column: int = 4) -> set[str]:
    """Months of the small sheet that are left out for a note below it."""

    def noted(rows: list[list[object]]) -> None:
        rows[-1] = [None] * 8
        rows[-1][column] = note

    with shiller_on(shiller.shiller()) as source:
        plain = figures(accepted(source, "SHILLER_CPI")).keys() | {"2026-05-01"}
    with shiller_on(shiller.shiller(body=shiller.changed(noted))) as source:
        found = figures(accepted(source, "SHILLER_CPI"))
    return {month for month in plain if math.isnan(found.get(month, math.nan))}


@pytest.mark.parametrize(
    ("note", "months"),
    [
        ("May CPI estimated", {"2026-05-01"}),
        ("Oct '25/Apr/May CPI estimated", {"2025-10-01", "2026-04-01", "2026-05-01"}),
        ("Nov, Dec 2024 CPI are estimates", {"2024-12-01", "2025-11-01"}),
        ("Mar-May CPI interpolated", {"2026-03-01", "2026-04-01", "2026-05-01"}),
        ("September 2025 CPI Estimated", {"2025-09-01"}),
        ("last values are estimated", {"2026-04-01", "2026-05-01"}),
        ("May CPI is from the Bureau of Labor Statistics", set()),
    ],
)
def test_index_the_sheet_calls_estimated_was_never_published(note: str, months: set[str]) -> None:
    assert estimated(note) == months


def test_note_about_consumer_prices_counts_wherever_it_stands_and_no_other_note_does() -> None:
    assert estimated("May CPI estimated", column=0) == {"2026-05-01"}
    assert estimated("May earnings estimated", column=3) == set()


def test_note_about_a_month_the_sheet_lacks_is_refused() -> None:
    body = shiller.changed(lambda rows: rows[-1].__setitem__(4, "Oct '31 CPI estimated"))
    with shiller_on(shiller.shiller(body=body)) as source:
        assert refused(source, "SHILLER_CPI").rule == "not_a_date"
        assert max(figures(accepted(source, "SHILLER_PRICE"))) == "2026-04-01"


def test_real_sheet_gives_no_estimated_index(realdata: Path) -> None:
    with shiller_on(shiller.shiller(realdata)) as source:
        cpi = figures(accepted(source, "SHILLER_CPI"))
        earnings = figures(accepted(source, "SHILLER_EARNINGS"))
    assert max(cpi) == max(earnings) == "2026-03-01" and len(cpi) == 1863
    assert [month for month, value in cpi.items() if math.isnan(value)] == ["2025-10-01"]


def test_moved_columns_and_headings_are_found_by_name() -> None:
    expected_price, expected_gold = {}, {}
    with shiller_on(shiller.shiller()) as source:
        expected_price = figures(accepted(source, "SHILLER_EARNINGS"))
    with world_bank_on(world_bank.world_bank()) as source:
        expected_gold = figures(accepted(source, "GOLD_WB_MONTHLY"))

    def move(rows: list[list[object]]) -> None:
        for row in rows:
            row[1:1] = ["another column"] if len(row) > 1 and isinstance(row[1], str) else [1.0]
        rows[0:0] = [["a line more"], []]

    with shiller_on(shiller.shiller(body=shiller.changed(move))) as source:
        assert figures(accepted(source, "SHILLER_EARNINGS")) == expected_price
    with world_bank_on(world_bank.world_bank(body=world_bank.changed(move))) as source:
        assert figures(accepted(source, "GOLD_WB_MONTHLY")) == expected_gold


def test_gold_comes_with_its_unit_and_without_months_not_published_yet() -> None:
    server = world_bank.world_bank()
    with world_bank_on(server) as source:
        gold = accepted(source, "GOLD_WB_MONTHLY")
    assert gold.unit_kind == "usd_per_oz"
    assert max(figures(gold)) == "2026-03-01" and figures(gold)["2026-03-01"] == 2300.0 + 40 * 22
    assert [request.path for request in server.requests] == [world_bank.PAGE_PATH, world_bank.FILE_PATH]
    assert gold.where == server.root + world_bank.FILE_PATH


def test_figure_missing_inside_the_history_is_missing() -> None:
    body = world_bank.changed(lambda rows: rows[12].__setitem__(3, "…"))
    with world_bank_on(world_bank.world_bank(body=body)) as source:
        gold = figures(accepted(source, "GOLD_WB_MONTHLY"))
    assert [day for day, value in gold.items() if math.isnan(value)] == ["2024-10-01"]


def known_now(saved: dt.datetime) -> Held:
    return Held(last_updated=saved, reconciled_at=NOW - dt.timedelta(days=2))


bank, bank_source = world_bank, bank_module.world_bank_source
CONDITIONAL: list[tuple[Callable[[], Loopback], str, str, Callable[..., FileSource], dt.datetime, int]] = [
    (fed_board.fed_board, fed_board.PATH, "EBP", board_module.fed_board_source, fed_board.SAVED, 1),
    (shiller.shiller, "/", "SHILLER_CPI", shiller_module.shiller_source, shiller.SAVED, 2),
    (bank.world_bank, bank.PAGE_PATH, "GOLD_WB_MONTHLY", bank_source, bank.SAVED, 2),
]  # fmt: skip


@pytest.mark.parametrize(("serve", "path", "series_id", "make", "saved", "requests"), CONDITIONAL)
def test_unchanged_file_is_not_sent_again(
    serve: Callable[[], Loopback], path: str, series_id: str, make: Callable[..., FileSource], saved: dt.datetime,
    requests: int,
) -> None:  # fmt: skip
    with running(serve()) as server:
        source = make(server.root + path, IMPATIENT, SHORT)
        source._now = lambda: NOW
        payload = accepted(source, series_id, known_now(saved))
        assert payload.is_unchanged and not payload.is_complete and payload.observations.empty
        assert payload.last_updated == saved and payload.requests == requests

        changed = make(server.root + path, IMPATIENT, SHORT)
        changed._now = lambda: NOW
        assert not accepted(changed, series_id, known_now(saved - dt.timedelta(days=1))).is_unchanged


def test_one_question_answers_for_all_series_of_a_file_that_did_not_change() -> None:
    server = fed_board.fed_board()
    with fed_board_on(server) as source:
        source._now = lambda: NOW
        assert accepted(source, "EBP", known_now(fed_board.SAVED)).is_unchanged
        assert accepted(source, "GZ_SPREAD", known_now(fed_board.SAVED)).is_unchanged
    assert len(server.requests) == 1


def test_series_whose_last_fetch_was_refused_gets_the_whole_file_beside_an_unchanged_one() -> None:
    server = fed_board.fed_board()
    with fed_board_on(server) as source:
        source._now = lambda: NOW
        assert accepted(source, "EBP", known_now(fed_board.SAVED)).is_unchanged
        assert len(figures(accepted(source, "GZ_SPREAD", Held()))) == 24


@pytest.mark.parametrize("days_ago", [7, -300])  # in the future: the clock was ahead at the last whole fetch
def test_whole_file_is_read_once_a_week_whatever_its_server_or_a_clock_says(days_ago: int) -> None:
    with fed_board_on(fed_board.fed_board()) as source:
        source._now = lambda: NOW
        old = Held(last_updated=fed_board.SAVED, reconciled_at=NOW - dt.timedelta(days=days_ago))
        assert len(figures(accepted(source, "EBP", old))) == 24


def test_series_that_is_not_the_publishers_is_unknown() -> None:
    with fed_board_on(fed_board.fed_board()) as source, pytest.raises(SeriesUnknown, match="UNRATE"):
        source.fetch(a_series("UNRATE"))


@pytest.mark.parametrize(
    "address",
    ["", "ftp://example.org/f", "https://user:word@example.org/f", "example.org", "http://example.org/f"],
)
def test_address_that_is_none_or_unencrypted_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="SHILLER_URL"):
        checked_address(address, "SHILLER_URL")


def test_default_addresses_are_encrypted() -> None:
    for module in (board_module, fiscal_module, shiller_module, bank_module):
        assert checked_address(module.ADDRESS, module.VARIABLE).startswith("https://")


def test_real_files_are_read_whole_and_accepted(realdata: Path) -> None:
    """Every figure of the real files, against the copies kept beside them."""
    import csv

    names = {"SHILLER_PRICE": "SHILLER_SP_PRICE"}
    servers: list[tuple[Loopback, str, Callable[..., FileSource], SourceKey]] = [
        (fed_board.fed_board(realdata), fed_board.PATH, board_module.fed_board_source, "fed_board"),
        (fiscal_data.fiscal_data(fiscal_data.real_table(realdata), 2000), fiscal_data.PATH,
         fiscal_module.fiscal_data_source, "fiscal_data"),
        (shiller.shiller(realdata), "/", shiller_module.shiller_source, "shiller"),
        (world_bank.world_bank(realdata), world_bank.PAGE_PATH, bank_source, "world_bank"),
    ]  # fmt: skip
    for server, path, make, key in servers:
        with running(server):
            source = make(server.root + path, IMPATIENT)
            for series_id in CARRIES[key]:
                read = figures(accepted(source, series_id))
                copy = realdata / f"{names.get(series_id, series_id)}.csv"
                if not copy.exists():
                    continue
                with copy.open(encoding="utf-8", newline="") as file:
                    kept = {row["date"]: float(row["value"]) for row in csv.DictReader(file) if row["value"]}
                shared = {day for day in set(read) & set(kept) if not math.isnan(read[day])}
                assert len(shared) >= len(read) - 1 and len(shared) > 300, series_id
                assert all(read[day] == pytest.approx(kept[day], abs=0.51) for day in shared), series_id
