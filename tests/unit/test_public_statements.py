"""The Treasury's statements as vintages: each restates earlier months and counts from its own publication."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence

import duckdb
import pytest

from assets.catalog.loader import PROJECT_ROOT
from assets.sources.public.mts import MtsSource, deficits, publication_days, vintages
from assets.sources.public.rtdsm import RealTimeDataSet, WithVintages
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
from tests.fakes.public_readers import mts_rows
from tests.fakes.publishers import FEW_RETRIES
from tests.fakes.server import Loopback, Served, running

REAL = (
    PROJECT_ROOT.parent / "shared" / "realdata" / "primary" / "treasury" / "mts_table_1_2026-08_excerpt.json"
)
SERIES = a_series("MTSDS133FMS")
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


class House:
    """An archive, and the API with some statements on a day."""

    def __init__(self, con: duckdb.DuckDBPyConnection, server: Loopback) -> None:
        self.con, self.server, self.filters = con, server, list[str | None]()

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
        (done,) = fred_run(self.con, WithVintages(source, RealTimeDataSet(self.server.root)), at, [SERIES])
        return done

    def held(self, month: str) -> list[tuple[str, float, str]]:
        """The vintages of a month that count."""
        return vintages_in_force(self.con, month)


@pytest.fixture
def house() -> Iterator[House]:
    with an_archive() as con, running(Loopback({})) as server:
        yield House(con, server)


def test_each_statement_counts_from_its_publication(house: House) -> None:
    done = house.night([*STATEMENTS], "2026-06-20")
    assert done.status == "new" and (done.message, done.counts.differing) == (None, 0)
    assert house.held("2026-03-01") == MARCH and house.held("2026-04-01") == APRIL
    assert house.held("2026-05-01") == [("2026-06-13", -60_000.0, "publisher")]
    # older than the first statement: by lag rule up to it, with its figure
    assert house.held("2026-02-01") == [
        ("2026-03-13", -110_000.0, "lag_rule"), ("2026-04-13", -110_000.0, "publisher"),
    ]  # fmt: skip


def test_no_statement_counts_before_it_was_public() -> None:
    """Eighth business day; September's is out by the end of October; shutdowns delayed others."""
    days = {
        "2015-01-31": "2015-02-13", "2018-12-31": "2019-02-13", "2019-01-31": "2019-03-05", "2019-02-28": "2019-03-22",
        "2025-08-31": "2025-09-13", "2025-09-30": "2025-10-30", "2025-10-31": "2025-11-25",
    }  # fmt: skip
    assert publication_days([*days]).astype(str).tolist() == [*days.values()]


def test_a_statement_that_does_not_count_yet_waits(house: House) -> None:
    house.night([*STATEMENTS], "2026-06-12")
    assert house.held("2026-05-01") == [] and house.held("2026-04-01") == APRIL[:1]
    done = house.night([*STATEMENTS], "2026-06-13")
    assert house.held("2026-05-01") and house.held("2026-04-01") == APRIL
    assert done.counts.retracted == 0 and done.message is None


def test_a_later_night_asks_for_what_is_new(house: House) -> None:
    house.night([*STATEMENTS][:2], "2026-06-01")
    assert house.night([*STATEMENTS][:2], "2026-06-05").status == "unchanged"
    done = house.night([*STATEMENTS], "2026-06-14")  # a week after the last full answer: in full
    assert house.filters == [None, "record_date:gte:2026-04-30", None]
    assert (done.counts.new, done.counts.revised, done.counts.retracted) == (1, 1, 0)
    in_full = house.con.execute(
        "SELECT * EXCLUDE (captured_at, fetch_id) FROM raw.vintages ORDER BY ALL"
    ).fetchall()
    with an_archive() as con:
        other = House(con, house.server)
        other.night([*STATEMENTS][:2], "2026-06-10")
        assert other.night([*STATEMENTS], "2026-06-14").counts.new == 1
        assert other.filters[-1] == "record_date:gte:2026-04-30"
        assert other.night([*STATEMENTS], "2026-06-15").status == "unchanged"
        query = "SELECT * EXCLUDE (captured_at, fetch_id) FROM raw.vintages ORDER BY ALL"
        assert con.execute(query).fetchall() == in_full


def test_without_the_statement_we_have_the_answer_is_asked_for_in_full(house: House) -> None:
    house.night([*STATEMENTS][:2], "2026-06-10")
    done = house.night(["2026-03-31", "2026-05-31"], "2026-06-14")
    assert house.filters[1:] == ["record_date:gte:2026-04-30", None]
    assert done.counts.retracted == 2 and "no longer listed by the publisher" in (done.message or "")
    assert house.held("2026-04-01") == APRIL[1:]


def test_an_archive_of_the_previous_version_gains_the_vintages(house: House) -> None:
    newest: list[Row] = [
        ("2025-03-01", -90_000.0), ("2026-01-01", -100_000.0), ("2026-02-01", -109_000.0), ("2026-03-01", -101_000.0),
        ("2026-04-01", 50_000.0),
    ]  # fmt: skip
    before = dt.datetime(2026, 6, 1, 22, tzinfo=dt.UTC)
    plain = a_payload(newest, SERIES.series_id, unit=SERIES.unit)
    at_that_time = SERIES.model_copy(update={"release_lag_days": 12})
    merge_payload(house.con, at_that_time, plain, run_date=before.date(), captured_at=before)
    done = house.night([*STATEMENTS], "2026-06-20")
    assert done.counts.withdrawn == done.counts.retracted == done.counts.differing == 0
    assert house.held("2026-03-01") == [("2026-04-12", -101_000.0, "lag_rule"), *MARCH]
    assert house.held("2026-04-01") == APRIL
    assert house.held("2026-02-01") == [
        ("2026-03-12", -109_000.0, "lag_rule"),
        ("2026-03-13", -110_000.0, "lag_rule"),
        ("2026-04-13", -110_000.0, "publisher"),
    ]
    codes = load_captures(house.con, [SERIES.series_id]).codes
    since = captures_since(house.con, before.replace(tzinfo=None), dt.date(2026, 5, 31), codes)
    assert sorted(group.cause.reason for group in since) == ["better_vintage", "late"]


def test_an_archive_with_freds_vintages_gets_plain_figures(house: House) -> None:
    of_fred = a_payload([("2026-03-01", -105_000.0, "2026-04-10")], SERIES.series_id, unit=SERIES.unit)
    house.con.execute(
        "INSERT INTO raw.fetches BY NAME SELECT 'f' AS fetch_id, 'r' AS run_id, 'MTSDS133FMS' AS series_id, "
        "'fred' AS source, 'live' AS profile, TIMESTAMP '2026-05-01 12:00' AS fetched_at, 'new' AS status, "
        "true AS is_complete, 1 AS rows_new, 0 AS rows_revised, 0 AS rows_corrected, 0 AS rows_unchanged, "
        "0 AS requests, 0.0 AS seconds"
    )
    merge_payload(house.con, SERIES, of_fred, run_date=dt.date(2026, 5, 1))
    done = house.night([*STATEMENTS], "2026-06-20")
    sources = house.con.execute("SELECT DISTINCT vintage_source FROM raw.vintages").fetchall()
    assert ("publisher",) not in sources and done.counts.retracted == 0
    assert house.held("2026-03-01")[-1][1:] == (-101_000.0, "captured")


@pytest.mark.skipif(not REAL.exists(), reason="the real answer is not here")
def test_the_real_statements_of_july_and_august_2026(house: House) -> None:
    found = vintages(deficits(json.loads(REAL.read_bytes())["data"]))
    rows: list[Row] = [*zip(found.dates, found.values, found.starts or (), strict=True)]
    payload = a_payload(rows, SERIES.series_id, unit=found.unit, vintage_source="publisher")
    merge_payload(house.con, SERIES, payload, run_date=dt.date(2026, 9, 28))
    for day, dollars in ((dt.date(2026, 8, 31), 432_307_874_621), (dt.date(2026, 9, 14), 432_285_727_964)):
        known = series_as_of(house.con, SERIES.series_id, day)
        (july,) = known[known["observation_date"] == "2026-07-01"]["value"]
        assert -july * 1e6 == pytest.approx(dollars, abs=1.0)
