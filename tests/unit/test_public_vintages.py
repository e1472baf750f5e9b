"""Real vintages without a key: each counts from its own day, and before it a figure is dated by lag rule.

The Treasury's statements, and the dated files of the Financial Accounts.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb
import pytest

from assets.catalog.models import Series
from assets.sources.fiscal_data import MtsSource, deficits, publication_days, vintages
from assets.sources.parse import Unusable
from assets.sources.protocol import Known, Payload, Source
from assets.sources.public.carried import Completed
from assets.sources.public.rtdsm import RealTimeDataSet
from assets.sources.public.z1 import FinancialAccountsSource, release_days
from assets.warehouse.fetches import Ingested
from assets.warehouse.live import captures_since
from assets.warehouse.readers import load_captures
from tests.builders import (
    Row,
    a_payload,
    a_series,
    an_archive,
    merge_payload,
    series_as_of,
    vintages_in_force,
)
from tests.fakes import fiscal_data
from tests.fakes.fred_runs import fred_run
from tests.fakes.public_layouts import mts_rows, zipped
from tests.fakes.publishers import FEW_RETRIES
from tests.fakes.server import Answer, Loopback, Served, running

DEFICIT, EQUITIES = a_series("MTSDS133FMS"), a_series("NCBEILQ027S")
# a fetch of the profile that was accepted, so that its vintages count as ours
FETCHED = (
    "INSERT INTO raw.fetches BY NAME SELECT 'f' AS fetch_id, 'r' AS run_id, ? AS series_id, 'fred' AS source, "
    "? AS profile, ?::TIMESTAMP AS fetched_at, 'new' AS status, ? AS is_complete, 1 AS rows_new, 0 AS rows_revised, "
    "0 AS rows_corrected, 0 AS rows_unchanged, 0 AS requests, 0.0 AS seconds"
)
ARCHIVE = "SELECT * EXCLUDE (captured_at, fetch_id) FROM raw.vintages ORDER BY ALL"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        yield connection


@pytest.fixture
def server() -> Iterator[Loopback]:
    with running(Loopback({})) as loopback:
        yield loopback


class NoBundle(Source):
    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        return a_payload([], series.series_id)


# --- the Treasury's statements: each restates earlier months ---

STATEMENTS = {
    "2026-03-31": {
        2026: {"January": "100e9", "February": "110e9", "March": "105e9"},
        2025: {"March": "90e9"},
    },
    "2026-04-30": {2026: {"January": "100e9", "February": "110e9", "March": "101e9", "April": "-50e9"}},
    "2026-05-31": {2026: {"February": "110e9", "March": "101e9", "April": "-52e9", "May": "60e9"}},
}
MARCH = [("2026-04-13", -105_000.0, "publisher"), ("2026-05-13", -101_000.0, "publisher")]
APRIL = [("2026-05-13", 50_000.0, "publisher"), ("2026-06-13", 52_000.0, "publisher")]


@dataclass
class Treasury:
    """An archive, and the API with some statements on a day."""

    con: duckdb.DuckDBPyConnection
    server: Loopback
    filters: list[str | None] = field(default_factory=list)

    def night(self, statements: Sequence[str], day: str) -> Ingested:
        """What a run of that day makes of those statements."""
        rows = mts_rows({name: STATEMENTS[name] for name in statements})

        def answer(query: dict[str, str]) -> Served:
            self.filters.append(query.get("filter"))
            first = (query.get("filter") or "").removeprefix("record_date:gte:")
            return fiscal_data.page([row for row in rows if row["record_date"] >= first], query)

        self.server.routes = {"/": answer}
        at = dt.datetime.fromisoformat(f"{day}T22:00:00+00:00")
        source = MtsSource(self.server.root + "/", FEW_RETRIES, now=lambda: at)
        (done,) = fred_run(
            self.con, Completed(source, NoBundle(), RealTimeDataSet(self.server.root)), at, [DEFICIT]
        )
        return done


@pytest.fixture
def treasury(con: duckdb.DuckDBPyConnection, server: Loopback) -> Treasury:
    return Treasury(con, server)


def test_each_statement_counts_from_its_publication(treasury: Treasury) -> None:
    held = partial(vintages_in_force, treasury.con)
    done = treasury.night([*STATEMENTS], "2026-06-20")
    assert done.status == "new" and (done.message, done.counts.differing) == (None, 0)
    assert held("2026-03-01") == MARCH and held("2026-04-01") == APRIL
    assert held("2026-05-01") == [("2026-06-13", -60_000.0, "publisher")]
    # older than the first statement: by lag rule up to it, with its figure
    assert held("2026-02-01") == [
        ("2026-03-13", -110_000.0, "lag_rule"), ("2026-04-13", -110_000.0, "publisher"),
    ]  # fmt: skip


def test_no_statement_counts_before_it_was_public() -> None:
    """Eighth business day; September's is out by the end of October; shutdowns delayed others."""
    days = {
        "2015-01-31": "2015-02-13", "2018-12-31": "2019-02-13", "2019-01-31": "2019-03-05", "2019-02-28": "2019-03-22",
        "2025-08-31": "2025-09-13", "2025-09-30": "2025-10-30", "2025-10-31": "2025-11-25",
    }  # fmt: skip
    assert publication_days([*days]).astype(str).tolist() == [*days.values()]


def test_a_statement_that_does_not_count_yet_waits(treasury: Treasury) -> None:
    held = partial(vintages_in_force, treasury.con)
    treasury.night([*STATEMENTS], "2026-06-12")
    assert held("2026-05-01") == [] and held("2026-04-01") == APRIL[:1]
    done = treasury.night([*STATEMENTS], "2026-06-13")
    assert held("2026-05-01") and held("2026-04-01") == APRIL
    assert done.counts.retracted == 0 and done.message is None


def test_a_later_night_asks_for_what_is_new(treasury: Treasury) -> None:
    treasury.night([*STATEMENTS][:2], "2026-06-01")
    assert treasury.night([*STATEMENTS][:2], "2026-06-05").status == "unchanged"
    done = treasury.night([*STATEMENTS], "2026-06-14")  # a week after the last full answer: in full
    assert treasury.filters == [None, "record_date:gte:2026-04-30", None]
    assert (done.counts.new, done.counts.revised, done.counts.retracted) == (1, 1, 0)
    in_full = treasury.con.execute(ARCHIVE).fetchall()
    with an_archive() as con:
        other = Treasury(con, treasury.server)
        other.night([*STATEMENTS][:2], "2026-06-10")
        assert other.night([*STATEMENTS], "2026-06-14").counts.new == 1
        assert other.filters[-1] == "record_date:gte:2026-04-30"
        assert other.night([*STATEMENTS], "2026-06-15").status == "unchanged"
        assert con.execute(ARCHIVE).fetchall() == in_full


def test_without_the_statement_we_have_the_answer_is_asked_for_in_full(treasury: Treasury) -> None:
    treasury.night([*STATEMENTS][:2], "2026-06-10")
    done = treasury.night(["2026-03-31", "2026-05-31"], "2026-06-14")
    assert treasury.filters[1:] == ["record_date:gte:2026-04-30", None]
    assert done.counts.retracted == 2 and "no longer listed by the publisher" in (done.message or "")
    assert vintages_in_force(treasury.con, "2026-04-01") == APRIL[1:]


def test_an_archive_without_the_vintages_gains_them_and_one_with_freds_gets_plain_figures(
    treasury: Treasury,
) -> None:
    newest: list[Row] = [
        ("2025-03-01", -90_000.0), ("2026-01-01", -100_000.0), ("2026-02-01", -109_000.0), ("2026-03-01", -101_000.0),
        ("2026-04-01", 50_000.0),
    ]  # fmt: skip
    before = dt.datetime(2026, 6, 1, 22, tzinfo=dt.UTC)
    plain = a_payload(newest, DEFICIT.series_id, unit=DEFICIT.unit)
    at_that_time = DEFICIT.model_copy(update={"release_lag_days": 12})
    merge_payload(treasury.con, at_that_time, plain, run_date=before.date(), captured_at=before)
    done = treasury.night([*STATEMENTS], "2026-06-20")
    assert done.counts.withdrawn == done.counts.retracted == done.counts.differing == 0
    held = partial(vintages_in_force, treasury.con)
    assert held("2026-03-01") == [("2026-04-12", -101_000.0, "lag_rule"), *MARCH]
    assert held("2026-04-01") == APRIL and held("2026-02-01")[0] == ("2026-03-12", -109_000.0, "lag_rule")
    codes = load_captures(treasury.con, [DEFICIT.series_id]).codes
    since = captures_since(treasury.con, before.replace(tzinfo=None), dt.date(2026, 5, 31), codes)
    assert sorted(group.cause.reason for group in since) == ["better_vintage", "late"]
    with an_archive() as con:
        of_fred = a_payload([("2026-03-01", -105_000.0, "2026-04-10")], DEFICIT.series_id, unit=DEFICIT.unit)
        con.execute(FETCHED, [DEFICIT.series_id, "live", "2026-05-01 12:00", True])
        merge_payload(con, DEFICIT, of_fred, run_date=dt.date(2026, 5, 1))
        assert Treasury(con, treasury.server).night([*STATEMENTS], "2026-06-20").counts.retracted == 0
        sources = con.execute("SELECT DISTINCT vintage_source FROM raw.vintages").fetchall()
        assert ("publisher",) not in sources
        assert vintages_in_force(con, "2026-03-01")[-1][1:] == (-101_000.0, "captured")


def test_the_real_statements_of_july_and_august_2026(realdata: Path, con: duckdb.DuckDBPyConnection) -> None:
    real = realdata / "primary" / "treasury" / "mts_table_1_2026-08_excerpt.json"
    found = vintages(deficits(json.loads(real.read_bytes())["data"]))
    rows: list[Row] = [*zip(found.dates, found.values, found.starts or (), strict=True)]
    payload = a_payload(rows, DEFICIT.series_id, unit=found.unit, vintage_source="publisher")
    merge_payload(con, DEFICIT, payload, run_date=dt.date(2026, 9, 28))
    for day, dollars in ((dt.date(2026, 8, 31), 432_307_874_621), (dt.date(2026, 9, 14), 432_285_727_964)):
        known = series_as_of(con, DEFICIT.series_id, day)
        (july,) = known[known["observation_date"] == "2026-07-01"]["value"]
        assert -july * 1e6 == pytest.approx(dollars, abs=1.0)


# --- the dated files of the Financial Accounts ---

RELEASES = {
    "20250612": {"2024:Q4": 68e6, "2025:Q1": 70e6},
    "20250911": {"2024:Q4": 68e6, "2025:Q1": 70.5e6, "2025:Q2": 71e6},
    "20251002": {"2024:Q4": 68e6, "2025:Q1": 70.5e6, "2025:Q2": 71e6},
    "20260109": {"2024:Q4": 68e6, "2025:Q1": 70.5e6, "2025:Q2": 71.5e6, "2025:Q3": 72e6},
}
THREE = ("20250612", "20250911", "20260109")
FIRST_QUARTER = [("2025-06-12", 70e6, "publisher"), ("2025-09-11", 70.5e6, "publisher")]


def a_zip(found: Mapping[str, float], code: str = "LM103164103.Q") -> bytes:
    lines = [f"{quarter},{value!r}" for quarter, value in found.items()]
    return zipped({"csv/b103.csv": "\n".join([f"date,{code}", *lines]).encode()})


def listed(*days: str) -> Served:
    found = [{"yearValue": day[:4], "Months": [{"Dates": [day]}]} for day in days[::-1]]
    return Served(json.dumps(found).encode())


def broken(query: dict[str, str]) -> Served:
    raise ConnectionError("the server hangs up")


@dataclass
class Board:
    """An archive, and the Board's site; the last release is the current one."""

    con: duckdb.DuckDBPyConnection
    server: Loopback
    nights: int = 0

    def night(self, *releases: str, **other: Answer | None) -> Ingested:
        """A run on which those releases are out; `other` replaces what is served, by the day of the release."""
        of_day = "/z1/{}/z1_csv_files.zip"
        saved = dt.datetime.strptime(releases[-1], "%Y%m%d").replace(tzinfo=dt.UTC)
        routes: dict[str, Answer] = {of_day.format(day): Served(a_zip(RELEASES[day])) for day in releases}
        routes[of_day.format("current")] = Served(a_zip(RELEASES[releases[-1]]), last_modified=saved)
        routes["/z1/releaseDates.json"] = listed(*releases)
        for name, served in other.items():
            path = of_day.format(name[1:]) if name.startswith("d") else f"/z1/{name}.json"
            routes.pop(path)
            routes |= {path: served} if served is not None else {}
        self.server.routes = routes
        self.server.requests.clear()
        self.nights += 1
        source = FinancialAccountsSource(self.server.root, FEW_RETRIES)
        at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=9 - self.nights)
        carried = Completed(source, NoBundle(), RealTimeDataSet(self.server.root))
        (done,) = fred_run(self.con, carried, at, [EQUITIES])
        return done

    @property
    def asked(self) -> list[str]:
        """What was requested in the last run, in order."""
        return [request.path.split("/")[2] for request in self.server.requests]


@pytest.fixture
def board(con: duckdb.DuckDBPyConnection, server: Loopback) -> Board:
    return Board(con, server)


def test_each_release_counts_from_its_day_and_is_fetched_once(board: Board) -> None:
    held = partial(vintages_in_force, board.con)
    first = board.night("20250612", "20250911")
    assert board.asked == ["current", "releaseDates.json", "20250612", "20250911"]
    assert (first.message, first.counts.differing, first.counts.retracted) == (None, 0, 0)
    assert held("2025-01-01")[-2:] == FIRST_QUARTER
    assert held("2025-04-01") == [("2025-09-11", 71e6, "publisher")]
    # older than the first release: by lag rule up to it, with its figure
    assert held("2024-10-01") == [("2025-03-16", 68e6, "lag_rule"), ("2025-06-12", 68e6, "publisher")]
    assert board.night("20250612", "20250911").counts.appended == 0 and board.asked == ["current"]
    board.night("20250612", "20250911", "20251002")  # changes nothing, and is known from then on
    again = board.night(*RELEASES)
    assert board.asked == [
        "current",
        "releaseDates.json",
        "20251002",
        "20260109",
    ]  # the one before, to compare
    assert (again.counts.new, again.counts.revised, again.counts.retracted) == (1, 1, 0)
    assert ("2026-01-09", 71.5e6, "publisher") in held("2025-04-01")
    # FRED's vintages stay and are not mixed: neither takes back the other's
    before = held("2025-01-01")
    of_fred: list[Row] = [("2025-01-01", 70e6, "2025-06-12"), ("2025-01-01", 70.5e6, "2025-09-11"),
                          ("2025-04-01", 71e6, "2025-09-11")]  # fmt: skip
    payload = a_payload(of_fred, EQUITIES.series_id, unit=EQUITIES.unit, frequency="Q")
    assert merge_payload(board.con, EQUITIES, payload, run_date=dt.date(2026, 2, 1)).retracted == 0
    assert held("2025-01-01") == before


def test_a_release_without_a_usable_file_is_a_note(board: Board) -> None:
    wrong = Served(a_zip({"2025:Q2": 71e6}, "FL103164103.Q"))
    done = board.night(*THREE, d20250612=None, d20250911=wrong)
    assert "no usable file of 2 releases: 2025-06-12 to 2025-09-11" in (done.message or "")
    newest = vintages_in_force(board.con, "2025-07-01")
    assert done.status == "new" and newest == [("2026-01-09", 72e6, "publisher")]


def test_vintages_end_where_the_server_is_in_trouble_and_go_on_later(board: Board) -> None:
    held = partial(vintages_in_force, board.con)
    done = board.night("20250612", "20250911", d20250911=broken)
    assert "no vintages from 2025-09-11 on: " in (done.message or "")
    assert held("2025-04-01")[0][2] == "lag_rule"  # from the current file
    board.night(*THREE)
    assert board.asked[2:] == [*THREE]
    of_releases = [row for row in held("2025-01-01") if row[2] == "publisher"]
    assert of_releases == FIRST_QUARTER and held("2025-04-01")[0] == ("2025-09-11", 71e6, "publisher")


def test_a_list_of_another_form_or_twenty_missing_files_leave_todays_figures(board: Board) -> None:
    done = board.night(*THREE, releaseDates=Served(b'{"dates": []}'))
    assert "no vintages: releaseDates.json is no list" in (done.message or "")
    assert board.asked == ["current", "releaseDates.json"]
    assert {row[2] for row in vintages_in_force(board.con, "2025-07-01")} == {"lag_rule"}
    for wrong in (b"<html>", b"[1]", b'[{"Months": [{"Dates": ["2026-06-11"]}]}]'):
        with pytest.raises(Unusable, match="no list of years"):
            release_days(wrong)
    with an_archive() as con:
        other = Board(con, board.server)
        other.night(*THREE, releaseDates=listed(*(f"{year}0612" for year in range(1990, 2020)), *THREE))
        assert len(other.asked) == 2 + 20
