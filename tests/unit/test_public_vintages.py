"""Real vintages without a key: each counts from its own day, and before it a figure is dated by lag rule.

The Treasury's statements, the dated files of the Financial Accounts, and the workbooks of the real-time data set.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series
from assets.compute.calendar import released_on
from assets.compute.diagnostics.revised import regime_of
from assets.compute.grid import build_grid
from assets.compute.tables.build import build_view
from assets.sources.parse import Unusable
from assets.sources.protocol import Known, Payload, PayloadRefused, Source
from assets.sources.public.mts import MtsSource, deficits, publication_days, vintages
from assets.sources.public.rtdsm import (
    RealTimeDataSet,
    Vintages,
    WithVintages,
    changes,
    read_workbook,
    vintage_days,
)
from assets.sources.public.shared import carrier_of
from assets.sources.public.z1 import FinancialAccountsSource, release_days
from assets.sources.sample import SampleSource
from assets.sources.validate import validate
from assets.warehouse.fetches import Ingested, known_series
from assets.warehouse.late import captures_since
from assets.warehouse.merge import merge_source
from assets.warehouse.readers import load_archive, load_captures, missing_vintages
from tests.builders import (
    NOON,
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
from tests.fakes.public_layouts import mts_rows, workbook, zipped
from tests.fakes.publishers import FEW_RETRIES, HTML
from tests.fakes.server import Answer, Loopback, Served, running

DEFICIT, EQUITIES = a_series("MTSDS133FMS"), a_series("NCBEILQ027S")
PAGE = (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8")
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
        (done,) = fred_run(self.con, WithVintages(source, RealTimeDataSet(self.server.root)), at, [DEFICIT])
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
        carried = WithVintages(source, RealTimeDataSet(self.server.root))
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


# --- the workbooks of the real-time data set ---

MONTHS = ["2023:10", "2023:11", "2023:12", "2024:01", "2024:02"]
SMALL = workbook("ruc", MONTHS, {"RUC23Q4": [3.9], "RUC24Q1": [3.8, 3.7, 3.7, 3.7]})
TODAY = dt.date(2024, 3, 20)
UNRATE = a_series("UNRATE")
MARCH_5 = dt.datetime(2024, 3, 5, tzinfo=dt.UTC)


def days_of(found: Vintages, series: Series) -> list[str]:
    published = released_on(load_catalog().release_delays, series.series_id)
    return vintage_days(found, series, published).astype(str).tolist()


class Today(Source):
    """The publisher of today's figures; `known` is what it was last asked with."""

    def __init__(self, payload: Payload) -> None:
        self._payload, self.known = payload, list[Known | None]()

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        self.known.append(known)
        return self._payload


def with_vintages(plain: Payload, content: bytes, known: Known | None = None, **served: object) -> Payload:
    with running(Loopback({"/rucQvMd.xlsx": Served(content, **served)})) as server:
        return WithVintages(Today(plain), RealTimeDataSet(server.root, FEW_RETRIES)).fetch(UNRATE, known)


def test_columns_are_vintages_of_their_middle_month_and_a_figure_left_out_is_missing_from_then_on() -> None:
    found = read_workbook(SMALL, "rucQvMd")
    assert found.own_days.astype(str).tolist() == ["2023-11-15", "2024-02-15"]
    assert found.observations.astype(str).tolist()[0] == "2023-10-01" and len(found.observations) == 5
    np.testing.assert_array_equal(found.values[:, 0], [3.9, np.nan, np.nan, np.nan, np.nan])
    content = workbook("employ", MONTHS, {"EMPLOY99M12": [1.0], "EMPLOY00M1": [2.0]})  # years from 1962 on
    assert read_workbook(content, "employMvMd").own_days.astype(str).tolist() == ["1999-12-15", "2000-01-15"]
    content = workbook("ruc", MONTHS[:2], {"RUC23Q4": [3.9, 1.0], "RUC24Q1": ["#N/A", 3.7]})
    rows = changes(found := read_workbook(content, "rucQvMd"), found.own_days)
    october = rows[rows["observation_date"] == pd.Timestamp("2023-10-01")]["value"].tolist()
    assert october[0] == 3.9 and np.isnan(october[1])


def test_a_figure_counts_by_lag_rule_until_its_vintage_and_a_differing_one_of_today_from_today(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows: list[Row] = [("2023-12-01", 3.7), ("2024-01-01", 3.6), ("2024-02-01", 3.9)]
    payload = with_vintages(a_payload(rows), SMALL)
    for _ in range(2):  # the second time adds nothing
        merge_payload(con, UNRATE, payload, run_date=TODAY)
        assert {month: vintages_in_force(con, f"{month.replace(':', '-')}-01") for month in MONTHS} == {
            "2023:10": [
                ("2023-11-10", 3.9, "lag_rule"), ("2023-11-15", 3.9, "rtdsm"), ("2024-02-15", 3.8, "rtdsm"),
            ],
            "2023:11": [("2023-12-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm")],
            "2023:12": [("2024-01-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm")],
            "2024:01": [
                ("2024-02-10", 3.7, "lag_rule"), ("2024-02-15", 3.7, "rtdsm"), (str(TODAY), 3.6, "captured"),
            ],
            "2024:02": [("2024-03-10", 3.9, "lag_rule")],
        }  # fmt: skip


def test_before_its_vintage_a_figure_is_what_we_saw_or_else_its_first_vintage(
    con: duckdb.DuckDBPyConnection,
) -> None:
    noon = dt.datetime(2024, 2, 11, 12, tzinfo=dt.UTC)
    plain = a_payload([("2023-10-01", 4.4), ("2024-01-01", 3.6)])
    merge_payload(con, UNRATE, plain, run_date=noon.date(), captured_at=noon)
    merge_payload(con, UNRATE, with_vintages(plain, SMALL), run_date=TODAY, fetch_id="g")
    assert vintages_in_force(con, "2023-10-01")[0] == ("2023-11-10", 3.9, "lag_rule")
    assert vintages_in_force(con, "2024-01-01")[:2] == [
        ("2024-02-10", 3.6, "lag_rule"),
        ("2024-02-15", 3.7, "rtdsm"),
    ]


def test_vintages_of_first_estimates_count_from_the_release_and_those_without_a_new_figure_from_their_own() -> (
    None
):
    """The shutdown moved September's release to 22 October: that vintage cannot count from the 15th."""
    for periods, columns, expected in (
        (
            ["2013:06", "2013:07", "2013:08", "2013:09"],
            {"EMPLOY13M8": [1.0, 2.0], "EMPLOY13M9": [1.0, 2.0, 3.0], "EMPLOY13M10": [1.0, 2.0, 3.0, 4.0]},
            ["2013-08-10", "2013-09-10", "2013-10-22"],
        ),
        (
            ["2013:07", "2013:08"],
            {"EMPLOY13M9": [2.0, 3.0], "EMPLOY13M10": [2.5, 3.0]},
            ["2013-09-10", "2013-10-15"],
        ),
    ):
        found = read_workbook(workbook("employ", periods, columns), "employMvMd")
        assert days_of(found, a_series("PAYEMS")) == expected


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (HTML, "missing_column"),
        (SMALL[:-300], "missing_column"),
        (workbook("cpi", MONTHS, {"CPI24Q1": [1.0]}), "missing_column"),
        (workbook("ruc", MONTHS, {"RUC23Q3": [1.0], "RUC24Q1": [1.0]}), "missing_column"),
        (workbook("ruc", MONTHS, {"CPI24Q1": [1.0]}), "missing_column"),
        (workbook("ruc", ["2023:13", "2024:01"], {"RUC24Q1": [1.0, 1.0]}), "not_a_date"),
        (workbook("ruc", MONTHS[::-1], {"RUC24Q1": [1.0, 1.0]}), "not_a_date"),
        (workbook("ruc", MONTHS, {"RUC24Q1": ["3,7"]}), "not_a_number"),
        (workbook("ruc", MONTHS, {"RUC24Q1": []}), "empty_file"),
        (workbook("ruc", MONTHS, {"RUC24Q1": [3900.0]}), "unit_changed"),  # in thousandths
    ],
)
def test_another_layout_or_unit_is_refused_by_name(content: bytes, rule: str) -> None:
    with pytest.raises(PayloadRefused) as refused:
        with_vintages(a_payload([("2023-10-01", 3.9)]), content)
    assert refused.value.rule == rule


def test_an_unchanged_workbook_brings_no_vintage() -> None:
    known = Known(None, None, dt.date(2024, 2, 1), None, MARCH_5)
    plain = a_payload([("2024-02-01", 3.9)])
    saved = dt.datetime(2024, 2, 28, tzinfo=dt.UTC)
    assert with_vintages(plain, SMALL, known, last_modified=saved) == plain
    assert with_vintages(plain, SMALL, known, last_modified=MARCH_5).has_vintages


def test_the_archive_knows_when_it_gained_its_newest_vintage(con: duckdb.DuckDBPyConnection) -> None:
    noon = dt.datetime(2024, 3, 20, 12, tzinfo=dt.UTC)
    payload = with_vintages(a_payload([("2024-02-01", 3.9)]), SMALL)
    merge_payload(con, UNRATE, payload, run_date=TODAY, captured_at=noon)
    con.execute(FETCHED, ["UNRATE", "public", "2024-03-20 12:00", False])
    known = known_series(con, dt.date.max)["UNRATE"]
    assert (known.newest_vintage, known.vintages_at) == (None, noon)  # the first is ALFRED's


def test_a_source_takes_back_only_its_own_vintages(con: duckdb.DuckDBPyConnection) -> None:
    """ALFRED's stay when a complete payload of the real-time data set has none of them, and the reverse."""
    plain = a_payload([("2023-10-01", 3.9), ("2024-02-01", 3.9)])
    of_alfred = a_payload([("2023-10-01", 3.9, "2023-11-03"), ("2024-01-01", 3.7, "2024-03-08")])
    merge_payload(con, UNRATE, of_alfred, run_date=TODAY)
    counts = merge_payload(con, UNRATE, with_vintages(plain, SMALL), run_date=TODAY, fetch_id="g")
    assert counts.retracted == 0 and counts.new > 0
    assert merge_payload(con, UNRATE, of_alfred, run_date=TODAY, fetch_id="h").retracted == 0
    assert missing_vintages(con, of_alfred, TODAY) == (0, 2)
    assert not with_vintages(plain, SMALL, Known(None, dt.date(2024, 3, 8), None, None)).has_vintages


def test_a_new_vintage_comes_alone_on_a_night_without_new_figures(con: duckdb.DuckDBPyConnection) -> None:
    first = workbook("ruc", MONTHS, {"RUC23Q4": [3.9]})
    merge_payload(con, UNRATE, with_vintages(a_payload([("2023-10-01", 3.9)]), first), run_date=TODAY)
    payload = with_vintages(replace(a_payload([]), is_unchanged=True, is_complete=False), SMALL)
    assert not payload.is_unchanged and validate(payload, UNRATE, TODAY, None) == []
    merge_payload(con, UNRATE, payload, run_date=TODAY, fetch_id="g")
    assert [row[1:] for row in vintages_in_force(con, "2023-10-01")] == [
        (3.9, "lag_rule"), (3.9, "rtdsm"), (3.8, "rtdsm"),
    ]  # fmt: skip


def test_a_workbook_that_cannot_be_reached_does_not_make_the_publisher_send_everything_again() -> None:
    """The figures of the night are complete; only the first vintages need all of today's figures once more."""
    today = Today(a_payload([("2024-02-01", 3.9)]))
    known = Known(None, None, dt.date(2024, 2, 1), MARCH_5)
    with running(Loopback({})) as server:
        without = WithVintages(today, RealTimeDataSet(server.root, FEW_RETRIES)).fetch(UNRATE, known)
        server.routes = {"/rucQvMd.xlsx": Served(SMALL)}
        with_first = WithVintages(today, RealTimeDataSet(server.root, FEW_RETRIES))
        with_first.fetch(UNRATE, known)
        with_first.fetch(UNRATE, replace(known, vintages_at=MARCH_5))
    assert without.is_complete and not without.has_vintages and "no vintages" in without.notes[0]
    assert [one is None for one in today.known] == [False, True, False]


# --- the publisher's own workbooks of March 2024 ---

REALDATA = PROJECT_ROOT.parent / "shared" / "realdata"
needs_files = pytest.mark.skipif(not REALDATA.exists(), reason="the real workbooks are not here")
# Advance estimates of real output, percent at annual rate, as reported in April 2009 and August 2006; the estimates
# a month later differed by up to 2.4 points.
ADVANCE = {
    "2004:Q4": 3.1, "2005:Q4": 1.1, "2006:Q2": 2.5, "2006:Q4": 3.5, "2007:Q1": 1.2, "2007:Q2": 3.4, "2007:Q3": 3.9,
    "2007:Q4": 0.6, "2008:Q1": 0.6, "2008:Q2": 1.9, "2008:Q3": -0.3, "2008:Q4": -3.8, "2009:Q1": -6.1,
}  # fmt: skip


@cache
def real(series_id: str) -> Vintages:
    file = carrier_of(a_series(series_id)).vintages or ""
    return read_workbook((REALDATA / "primary" / "philadelphia" / f"{file}.xlsx").read_bytes(), file)


def real_rows(series_id: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The changes of a workbook, and the day each vintage counts from."""
    published = released_on(load_catalog().release_delays, series_id)
    starts = vintage_days(real(series_id), a_series(series_id), published)
    return changes(real(series_id), starts), starts


@needs_files
@pytest.mark.parametrize("series_id", ["UNRATE", "GDPC1"])
def test_what_was_known_on_random_dates_is_the_column_of_the_workbook(
    series_id: str, con: duckdb.DuckDBPyConnection
) -> None:
    book, (rows, starts) = real(series_id), real_rows(series_id)
    payload = replace(a_payload([], series_id), observations=rows, vintage_source="rtdsm")
    merge_payload(con, a_series(series_id), payload, run_date=dt.date(2024, 3, 31))
    first = starts[0].astype(object)
    picked = random.Random(18).sample(range((dt.date(2024, 3, 1) - first).days), 20)
    for day in [first + dt.timedelta(days=n) for n in picked]:
        known = series_as_of(con, series_id, day).dropna(subset="value")
        column = pd.Series(book.values[:, np.searchsorted(starts, np.datetime64(day), side="right") - 1])
        expected = column.set_axis(pd.DatetimeIndex(book.observations.astype("datetime64[s]"))).dropna()
        is_dated = known["vintage_source"] == "rtdsm"
        found = known[is_dated].set_index("observation_date")["value"]
        assert found.to_dict() == expected.to_dict(), day
        assert (known[~is_dated]["observation_date"] > expected.index.max()).all()


@needs_files
def test_the_newest_figure_of_real_output_is_the_advance_estimate() -> None:
    """The check that lets its vintages count from the release."""
    book = real("GDPC1")
    for period, advance in ADVANCE.items():
        stamp = np.datetime64(f"{period[:4]}-{3 * int(period[-1]) - 2:02}-01", "D")
        row = int(np.flatnonzero(book.observations == stamp)[0])
        column = int(np.flatnonzero(~np.isnan(book.values[row]))[0])
        growth = 100.0 * ((book.values[row, column] / book.values[row - 1, column]) ** 4 - 1.0)
        assert growth == pytest.approx(advance, abs=0.065), period


@needs_files
@pytest.mark.slow
@pytest.mark.parametrize(
    ("series_id", "name", "months_later", "tolerance", "fred_md"),
    [
        ("UNRATE", "unemployment", 1, 0.0005, {"2008-11": 598, "2020-05": 736}),
        ("PAYEMS", "payrolls", 0, 0.5, {"2008-11": 598, "2024-03": 782}),
        ("CPIAUCSL", "consumer prices", 1, 0.002, {"2008-11": 597, "2020-05": 736}),
        ("INDPRO", "industrial production", 0, 0.0501, {"2024-03": 782}),
        ("M2SL", "M2", 1, 0.06, {"2008-11": 598}),
    ],
)
def test_the_page_states_the_agreement_with_other_records(
    series_id: str, name: str, months_later: int, tolerance: float, fred_md: Mapping[str, int]
) -> None:
    """Quarterly means of 71 vintages of FRED, from April 2005 to October 2022, and files of FRED-MD."""
    record = pd.read_parquet(REALDATA / "vintages" / "quarterly_realtime_2005m4_2022m10.parquet")
    book, both, equal = real(series_id), 0, 0
    months = pd.PeriodIndex(book.observations.astype(str), freq="M")
    of_column = {str(day)[:7]: book.values[:, n] for n, day in enumerate(book.own_days)}
    for month, theirs in record[record["series_id"] == series_id].groupby("vintage"):
        column = of_column[str(np.datetime64(str(month), "M") + months_later)]
        quarters = pd.Series(column, months.asfreq("Q")).groupby(level=0)
        mean = quarters.mean().where(quarters.count() == 3)
        other = theirs.set_index(pd.PeriodIndex(theirs["date"], freq="Q"))["value"]
        apart = (mean - other).dropna().abs()
        both, equal = both + len(apart), equal + int((apart <= tolerance).sum())
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name}, FRED's vintages")]
    assert [cell.strip() for cell in row.split("|")[2:4]] == [f"{both:,}", f"{equal:,}"]
    for month, count in fred_md.items():
        table = pd.read_csv(REALDATA / "primary" / "fred_md" / f"fred-md_{month}.csv", dtype=str)
        table = table[table["sasdate"].str.contains("/", na=False)]
        stamps = pd.PeriodIndex(pd.to_datetime(table["sasdate"].str.strip()), freq="M")
        theirs = pd.Series(pd.to_numeric(table[series_id].str.strip()).to_numpy(), stamps)
        apart = (pd.Series(of_column[month], months) - theirs).dropna().abs()
        assert (len(apart), int((apart > max(tolerance, 0.002)).sum())) == (count, 0), month


@needs_files
@pytest.mark.slow
def test_the_page_lists_the_month_ends_whose_state_differs_in_real_time() -> None:
    dates, plain = _states(with_vintages_of=())
    _, real_time = _states(with_vintages_of=("UNRATE", "CPIAUCSL", "GDPC1", "CP"))
    differs = np.flatnonzero(plain != real_time)
    found: dict[str, list[str]] = {}
    for n in differs:
        change = f"{real_time[n].replace('_', '-')} instead of {plain[n].replace('_', '-')}"
        found.setdefault(change, []).append(str(dates[n])[:7])
    assert f"on {len(differs)} of {len(dates)} month-ends" in PAGE
    for change, months in found.items():
        line = next(line for line in PAGE.splitlines() if line.startswith(f"- {change}: "))
        spans = [part.split(" to ") for part in line.split(": ")[1].rstrip(";.").split(", ")]
        stated = [
            month for span in spans for month in pd.period_range(span[0], span[-1], freq="M").astype(str)
        ]
        assert stated == months, change


def _states(with_vintages_of: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
    """Month-ends to March 2024, and the state on each, from the bundle and the vintages of some series."""
    catalog, bundle = load_catalog(), SampleSource(PROJECT_ROOT)
    fetched, published = [], {}
    for series in catalog.in_profile("sample"):
        payload, series_id = bundle.fetch(series), series.series_id
        published[series_id] = released_on(catalog.release_delays, series_id)
        if series_id in with_vintages_of:
            both = pd.concat([payload.observations, real_rows(series_id)[0]], ignore_index=True)
            payload = replace(payload, observations=both, vintage_source="rtdsm")
        fetched.append((series, payload, "f"))
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64("2024-03-31", "D"))
    with an_archive() as con:
        merge_source(con, fetched, run_date=bundle.as_of, captured_at=NOON, released_on=published)
        archive = load_archive(con, list(published))
    return grid.as_of, regime_of(build_view(archive, grid, catalog, "sample")).states.state
