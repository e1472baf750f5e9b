"""The four publishers of files: what they serve is read, downloaded once and only if it changed; the rest is refused.

What may pass is retried, and no fault changes the archive.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from assets.raw import ingest
from assets.run_facts import RunFacts
from assets.sources import fed_board as board_module
from assets.sources import fiscal_data as fiscal_module
from assets.sources import shiller as shiller_module
from assets.sources import world_bank as bank_module
from assets.sources.file_source import FileSource
from assets.sources.http import Limits, checked_address
from assets.sources.registry import Access, Sources
from assets.warehouse.fetches import Ingested
from tests.builders import an_archive
from tests.fakes import faults, fed_board, fiscal_data, shiller, world_bank
from tests.fakes.publishers import (
    FEW_RETRIES,
    HTML,
    PUBLISHERS,
    SHORT,
    Held,
    accepted,
    figures,
    refused,
    serving,
    source_of,
    unreachable,
)
from tests.fakes.server import Loopback, Served, running

NOW = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
SERVES = {
    "fed_board": board_module.COLUMNS,
    "fiscal_data": fiscal_module.CLASSES,
    "shiller": shiller_module.COLUMNS,
    "world_bank": bank_module.COLUMNS,
}
EACH = pytest.mark.parametrize("name", PUBLISHERS)


@contextmanager
def source_at(name: SourceKey, server: Loopback, limits: Limits = SHORT) -> Iterator[FileSource]:
    with running(server):
        yield source_of(name, server, limits, NOW)


def earnings_of(body: bytes) -> dict[str, float]:
    return figures(accepted(serving("shiller", body), "SHILLER_EARNINGS"))


def gold_of(body: bytes) -> dict[str, float]:
    return figures(accepted(serving("world_bank", body), "GOLD_WB_MONTHLY"))


# --- a good day ---


@pytest.mark.parametrize("source", SERVES)
def test_every_series_of_the_catalogue_is_served_by_its_publisher(source: SourceKey) -> None:
    assert set(SERVES[source]) == {series.series_id for series in load_catalog().by_source(source)}


def test_both_series_of_a_file_come_from_one_download_with_its_date() -> None:
    server = fed_board.fed_board()
    with source_at("fed_board", server) as source:
        premium, spread = accepted(source, "EBP"), accepted(source, "GZ_SPREAD")
        assert source.requests == len(server.requests) == 1
    assert figures(premium)["2024-05-01"] == -0.2
    assert figures(spread)["2026-04-01"] == pytest.approx(1.23)
    assert premium.last_updated == fed_board.SAVED


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
        found = figures(accepted(source, "MSPD_TIPS"))
    assert math.isnan(found.pop("2025-06-28"))
    assert set(found.values()) == {160000.0} and max(found) == "2025-11-28"


def test_tips_listed_in_both_ways_are_not_added_up() -> None:
    extra = fiscal_data.row("2025-06-30", "Marketable", "Inflation-Indexed Notes", "100000", 9)
    with source_at("fiscal_data", fiscal_data.fiscal_data([*fiscal_data.small_table(), extra])) as source:
        assert refused(source, "MSPD_TIPS").rule == "duplicate_key"
        assert len(figures(accepted(source, "MSPD_BILLS"))) == 12


def test_october_is_not_january_and_what_is_not_published_yet_is_neither_zero_nor_a_close() -> None:
    zeros = shiller.changed(lambda rows: [row.__setitem__(slice(2, 4), [0, 0]) for row in rows[-3:-1]])
    with source_at("shiller", shiller.shiller()) as source:
        earnings, prices = (figures(accepted(source, f"SHILLER_{name}")) for name in ("EARNINGS", "PRICE"))
        assert max(earnings) == max(figures(accepted(source, "SHILLER_DIVIDEND"))) == "2026-03-01"
    assert earnings_of(zeros) == earnings
    assert prices["2025-10-01"] == 5016.0 and prices["2025-01-01"] == 5007.0
    assert max(prices) == "2026-04-01"  # May was not over when the sheet was saved
    undated = accepted(serving("shiller", shiller.old_workbook(shiller.small_sheet())), "SHILLER_PRICE")
    assert max(figures(undated)) == "2026-04-01" and undated.notes == ("note: May price is May 5th close",)


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

    def index(body: bytes) -> dict[str, float]:
        return figures(accepted(serving("shiller", body), "SHILLER_CPI"))

    plain = index(shiller.old_workbook(shiller.small_sheet())).keys() | {"2026-05-01"}
    found = index(shiller.changed(noted))
    assert {month for month in plain if math.isnan(found.get(month, math.nan))} == months


def test_moved_columns_and_headings_are_found_by_name() -> None:
    def move(rows: list[list[object]]) -> None:
        for row in rows:
            row[1:1] = ["another column"] if len(row) > 1 and isinstance(row[1], str) else [1.0]
        rows[0:0] = [["a line more"], []]

    assert earnings_of(shiller.changed(move)) == earnings_of(shiller.old_workbook(shiller.small_sheet()))
    assert gold_of(world_bank.changed(move)) == gold_of(world_bank.new_workbook(world_bank.small_sheet()))


def test_gold_comes_with_its_unit_and_without_months_not_published_yet() -> None:
    server = world_bank.world_bank(body=world_bank.changed(lambda rows: rows[12].__setitem__(3, "…")))
    with source_at("world_bank", server) as source:
        payload = accepted(source, "GOLD_WB_MONTHLY")
    gold = figures(payload)
    assert payload.unit_kind == "usd_per_oz" and payload.where == server.root + world_bank.FILE_PATH
    assert max(gold) == "2026-03-01" and gold["2026-03-01"] == 2300.0 + 40 * 22
    assert [day for day, value in gold.items() if math.isnan(value)] == ["2024-10-01"]
    assert [request.path for request in server.requests] == [world_bank.PAGE_PATH, world_bank.FILE_PATH]


def test_real_files_are_accepted_and_equal_the_copies_kept_beside_them(realdata: Path) -> None:
    names = {"SHILLER_PRICE": "SHILLER_SP_PRICE"}
    servers: dict[SourceKey, Loopback] = {
        "fed_board": fed_board.fed_board(realdata),
        "fiscal_data": fiscal_data.fiscal_data(fiscal_data.real_table(realdata), 2000),
        "shiller": shiller.shiller(realdata),
        "world_bank": world_bank.world_bank(realdata),
    }
    read = dict[str, dict[str, float]]()
    for key, server in servers.items():
        with source_at(key, server, Limits()) as source:
            read |= {series_id: figures(accepted(source, series_id)) for series_id in SERVES[key]}
    for series_id, found in read.items():
        copy = realdata / f"{names.get(series_id, series_id)}.csv"
        if copy.exists():
            with copy.open(encoding="utf-8", newline="") as file:
                kept = {row["date"]: float(row["value"]) for row in csv.DictReader(file) if row["value"]}
            shared = {day for day in found.keys() & kept.keys() if not math.isnan(found[day])}
            assert len(shared) >= len(found) - 1 and len(shared) > 300, series_id
            assert all(found[day] == pytest.approx(kept[day], abs=0.51) for day in shared), series_id
    tips, cpi = read["MSPD_TIPS"], read["SHILLER_CPI"]
    assert len(tips) == 305 and not any(map(math.isnan, tips.values()))
    assert max(cpi) == max(read["SHILLER_EARNINGS"]) == "2026-03-01" and len(cpi) == 1863
    assert [month for month, value in cpi.items() if math.isnan(value)] == ["2025-10-01"]


# --- only if it changed ---


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


def night(con: duckdb.DuckDBPyConnection, key: SourceKey, server: Loopback, number: int) -> list[Ingested]:
    """The results of one run; requests are counted from zero."""
    server.requests.clear()
    started = dt.datetime(2026, 6, 15 + number, 1, 30, tzinfo=dt.UTC)
    facts = RunFacts(f"run-{number}", "live", started.date(), started, Path(), Path(), "test")
    sources = Sources(Access("live", Path(), urls={key: server.root + PUBLISHERS[key].path}))
    catalog, source = load_catalog(), sources.of(key)
    assert isinstance(source, FileSource)
    source.now = lambda: started  # the weekly refresh counts on this clock
    return list(ingest(con, catalog.by_source(key), source, sources.last_day(started), facts, catalog))


@EACH
def test_unchanged_and_broken_runs_leave_the_archive_as_it_was(name: SourceKey) -> None:
    path, table = PUBLISHERS[name].path, PUBLISHERS[name].table_path
    rows = "SELECT * FROM raw.vintages ORDER BY ALL"
    with an_archive() as con, running(PUBLISHERS[name].serve()) as server:
        assert {done.status for done in night(con, name, server, 0)} == {"new"}
        requests, stored, good = len(server.requests), con.execute(rows).fetchall(), server.routes[table]
        unchanged = night(con, name, server, 1)
        assert {done.status for done in unchanged} <= {"unchanged", "stale"}
        sent_again = all(done.payload is not None and done.payload.is_complete for done in unchanged)
        assert sent_again == (name == "fiscal_data")
        written = con.execute("SELECT run_id, sum(requests) FROM raw.fetches GROUP BY 1 ORDER BY 1")
        assert written.fetchall() == [("run-0", requests), ("run-1", requests)]
        for number, body in enumerate((HTML, b""), start=2):
            server.routes[table] = Served(body)
            assert {done.status for done in night(con, name, server, number)} == {"refused"}
        server.routes.clear()
        assert {done.status for done in night(con, name, server, 4)} == {"unreachable"}
        server.routes[path] = Served(f'<a href="{table}">the file</a>'.encode(), "text/html")
        server.routes[table] = good
        assert {done.status for done in night(con, name, server, 5)} <= {"unchanged", "stale"}
        assert con.execute(rows).fetchall() == stored


# --- on the way ---


PASSING = {
    "500": (faults.status(500), "the server responds 500"),
    "503 with a page": (faults.status(503, "1", HTML), "the server responds 503"),
    "429": (faults.status(429), "the server responds 429"),
    "hang": (faults.hang(0.5), "no response for 0.3 s"),
    "dropped": (faults.dropped(), "connection dropped"),
    "cut short": (faults.truncated(), "peer closed connection"),
    "drip": (faults.drip(0.05, 20), "no complete response within 0.6 s"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_retried_and_else_unreachable_and_not_requested_for_each_series(fault: str) -> None:
    with running(fed_board.fed_board()) as server:
        server.faults = [PASSING[fault][0]]
        assert figures(accepted(source_of("fed_board", server), "EBP"))
        server.requests.clear()
        server.faults = [PASSING[fault][0]] * 9
        source = source_of("fed_board", server)
        assert PASSING[fault][1] in unreachable(source, "EBP")
        assert PASSING[fault][1] in unreachable(source, "GZ_SPREAD")
        assert len(server.requests) == 2


@EACH
def test_a_closed_port_and_a_moved_or_closed_file_are_unreachable_at_once(name: SourceKey) -> None:
    """Also when the page of the refusal breaks off."""
    publisher = PUBLISHERS[name]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = publisher.source(f"http://127.0.0.1:{port}{publisher.path}", FEW_RETRIES, SHORT)
    assert "ConnectError" in unreachable(source, publisher.series_id)
    for status, fault in (
        (403, faults.status(403, body=HTML)),
        (404, faults.status(404, body=HTML)),
        (404, faults.truncated(404, HTML)),
    ):
        with running(publisher.serve()) as server:
            server.faults = [fault]
            line = unreachable(source_of(name, server), publisher.series_id)
            assert f"the server responds {status}" in line and len(server.requests) == 1
            assert re.search("if (the file has moved|it only admits browsers), set [A-Z_]+_URL", line)


def test_redirect_is_followed_but_not_out_of_encryption() -> None:
    with running(fed_board.fed_board()) as server:
        server.faults = [faults.redirected(fed_board.PATH)]
        assert figures(accepted(source_of("fed_board", server), "EBP"))
        server.faults = [faults.redirected("http://example.org/ebp_csv.csv")]
        assert "without https" in unreachable(source_of("fed_board", server), "EBP")
        server.faults = [faults.redirected(fed_board.PATH)] * 9
        assert "TooManyRedirects" in unreachable(source_of("fed_board", server), "EBP")


@EACH
def test_something_else_under_the_address_is_refused_by_one_download(name: SourceKey) -> None:
    publisher = PUBLISHERS[name]
    with running(publisher.serve()) as server:
        for body in (b"", b" \n", b"\x00" * 64, b"PK\x03\x04 and no more", b"{", b"[1]", b"a,b\n1,2\n"):
            server.routes[publisher.table_path] = Served(body)
            error = refused(source_of(name, server), publisher.series_id)
            assert error.rule in ("missing_column", "empty_file") and publisher.series_id in str(error), body
        server.routes[publisher.table_path] = Served(HTML)
        source = source_of(name, server)
        refused(source, publisher.series_id)
        sent = len(server.requests)
        assert server.root in refused(source, publisher.series_id).where
        assert len(server.requests) == sent
        server.routes[publisher.table_path] = Served(b"1" * 300_000)
        error = refused(source_of(name, server, SHORT._replace(size=200_000)), publisher.series_id)
        assert "larger than 200000 bytes" in str(error)


def test_a_page_without_the_workbook_is_a_matter_of_coverage_and_names_the_setting() -> None:
    """A redesigned page is no evidence about the table: refused, it would block every publication from then on."""
    with running(shiller.shiller(page="<html>We have moved {root}{path}</html>")) as server:
        line = unreachable(source_of("shiller", server), "SHILLER_CPI")
        assert "a page without a link to ie_data.xls; set SHILLER_URL" in line
    with running(shiller.shiller()) as server:
        del server.routes[shiller.FILE_PATH]
        assert "404" in unreachable(source_of("shiller", server), "SHILLER_CPI")


@pytest.mark.parametrize(
    "address",
    ["", "ftp://example.org/f", "https://user:word@example.org/f", "example.org", "http://example.org/f"],
)
def test_address_that_is_none_or_unencrypted_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="SHILLER_URL"):
        checked_address(address, "SHILLER_URL")
