"""Dated files of the Financial Accounts as vintages: each counts from the day of its release, and is fetched once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping

import duckdb
import pytest

from assets.sources.parse import Unusable
from assets.sources.public.rtdsm import RealTimeDataSet, WithVintages
from assets.sources.public.z1 import FinancialAccountsSource, release_days
from assets.warehouse.fetches import Ingested
from tests.builders import Row, a_payload, a_series, an_archive, merge_payload, vintages_in_force
from tests.fakes.fred_runs import fred_run
from tests.fakes.public_board import zipped
from tests.fakes.publishers import FEW_RETRIES
from tests.fakes.server import Answer, Loopback, Served, running

SERIES = a_series("NCBEILQ027S")
QUARTERS = {"2025:Q1": 70e6, "2025:Q2": 71e6}
RELEASES = {
    "20250612": {"2024:Q4": 68e6, "2025:Q1": 70e6},
    "20250911": {"2024:Q4": 68e6, "2025:Q1": 70.5e6, "2025:Q2": 71e6},
    "20260109": {"2024:Q4": 68e6, "2025:Q1": 70.5e6, "2025:Q2": 71.5e6, "2025:Q3": 72e6},
}
FIRST_QUARTER = [("2025-06-12", 70e6, "publisher"), ("2025-09-11", 70.5e6, "publisher")]


def a_zip(figures: Mapping[str, float], code: str = "LM103164103.Q") -> bytes:
    lines = [f"{quarter},{value!r}" for quarter, value in figures.items()]
    return zipped({"csv/b103.csv": "\n".join([f"date,{code}", *lines]).encode()})


def _broken(query: dict[str, str]) -> Served:
    raise ConnectionError("the server hangs up")


def listed(*days: str) -> bytes:
    return json.dumps([{"yearValue": day[:4], "Months": [{"Dates": [day]}]} for day in days[::-1]]).encode()


class House:
    """An archive, and the Board's site; the last release is the current one."""

    def __init__(self, con: duckdb.DuckDBPyConnection, server: Loopback) -> None:
        self.con, self.server, self.nights = con, server, 0

    def night(self, *releases: str, **other: Answer | None) -> Ingested:
        """A run on which those releases are out; `other` replaces what is served, by the day of the release."""
        routes: dict[str, Answer] = {
            f"/z1/{day}/z1_csv_files.zip": Served(a_zip(RELEASES[day])) for day in releases
        }
        saved = dt.datetime.strptime(releases[-1], "%Y%m%d").replace(tzinfo=dt.UTC)
        routes["/z1/current/z1_csv_files.zip"] = Served(a_zip(RELEASES[releases[-1]]), last_modified=saved)
        routes["/z1/releaseDates.json"] = Served(listed(*releases))
        for day, served in other.items():
            path = (
                f"/z1/{day.removeprefix('d')}/z1_csv_files.zip" if day.startswith("d") else f"/z1/{day}.json"
            )
            routes.pop(path)
            routes |= {path: served} if served is not None else {}
        self.server.routes = routes
        self.server.requests.clear()
        source = FinancialAccountsSource(self.server.root, FEW_RETRIES)
        carried = WithVintages(source, RealTimeDataSet(self.server.root))
        self.nights += 1
        at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=9 - self.nights)
        (done,) = fred_run(self.con, carried, at, [SERIES])
        return done

    @property
    def asked(self) -> list[str]:
        """What was requested in the last run, in order."""
        return [request.path.split("/")[2] for request in self.server.requests]

    def held(self, quarter: str) -> list[tuple[str, float, str]]:
        """The vintages of a quarter that count."""
        return vintages_in_force(self.con, quarter)


@pytest.fixture
def house() -> Iterator[House]:
    with an_archive() as con, running(Loopback({})) as server:
        yield House(con, server)


def test_each_release_counts_from_its_day_and_is_fetched_once(house: House) -> None:
    first = house.night("20250612", "20250911")
    assert house.asked == ["current", "releaseDates.json", "20250612", "20250911"]
    assert (first.message, first.counts.differing, first.counts.retracted) == (None, 0, 0)
    assert house.held("2025-01-01")[-2:] == FIRST_QUARTER
    assert house.held("2025-04-01") == [("2025-09-11", 71e6, "publisher")]
    # older than the first release: by lag rule up to it, with its figure
    assert house.held("2024-10-01") == [("2025-03-16", 68e6, "lag_rule"), ("2025-06-12", 68e6, "publisher")]
    assert house.night("20250612", "20250911").counts.appended == 0 and house.asked == ["current"]
    again = house.night(*RELEASES)
    assert house.asked == [
        "current",
        "releaseDates.json",
        "20250911",
        "20260109",
    ]  # the one before, to compare
    assert (again.counts.new, again.counts.revised, again.counts.retracted) == (1, 1, 0)
    assert house.held("2025-04-01")[1:] == [("2026-01-09", 71.5e6, "publisher")]
    assert house.held("2025-01-01")[-2:] == FIRST_QUARTER


def test_a_release_without_a_usable_file_is_a_note(house: House) -> None:
    done = house.night(*RELEASES, d20250612=None, d20250911=Served(a_zip({"2025:Q2": 71e6}, "FL103164103.Q")))
    assert "no usable file of 2 releases: 2025-06-12 to 2025-09-11" in (done.message or "")
    assert done.status == "new" and house.held("2025-07-01") == [("2026-01-09", 72e6, "publisher")]


def test_vintages_end_where_the_server_is_in_trouble_and_go_on_later(house: House) -> None:
    done = house.night("20250612", "20250911", d20250911=_broken)
    assert "no vintages from 2025-09-11 on: " in (done.message or "")
    assert house.held("2025-04-01")[0][2] == "lag_rule"  # from the current file
    house.night(*RELEASES)
    assert house.asked[2:] == ["20250612", "20250911", "20260109"]
    of_releases = [row for row in house.held("2025-01-01") if row[2] == "publisher"]
    assert of_releases == FIRST_QUARTER and house.held("2025-04-01")[0] == ("2025-09-11", 71e6, "publisher")


def test_a_list_of_another_form_leaves_todays_figures(house: House) -> None:
    done = house.night(*RELEASES, releaseDates=Served(b'{"dates": []}'))
    assert "no vintages: releaseDates.json is no list" in (done.message or "") and house.asked == [
        "current",
        "releaseDates.json",
    ]
    assert {row[2] for row in house.held("2025-07-01")} == {"lag_rule"}
    for wrong in (b"<html>", b"[1]", b'[{"Months": [{"Dates": ["2026-06-11"]}]}]'):
        with pytest.raises(Unusable, match="no list of years"):
            release_days(wrong)


def test_after_twenty_missing_files_no_further_one_is_requested(house: House) -> None:
    days = [f"{year}0612" for year in range(1990, 2020)]
    house.night(*RELEASES, releaseDates=Served(listed(*days, *RELEASES)))
    assert len(house.asked) == 2 + 20


def test_freds_vintages_stay_and_are_not_mixed(house: House) -> None:
    """A new archive takes the Board's vintages, then FRED's; then neither takes back the other's."""
    house.night("20250612", "20250911")
    board = house.held("2025-01-01")
    of_fred: list[Row] = [("2025-01-01", 70e6, "2025-06-12"), ("2025-01-01", 70.5e6, "2025-09-11"),
                          ("2025-04-01", 71e6, "2025-09-11")]  # fmt: skip
    payload = a_payload(of_fred, SERIES.series_id, unit=SERIES.unit, frequency="Q")
    assert merge_payload(house.con, SERIES, payload, run_date=dt.date(2025, 10, 1)).retracted == 0
    assert house.held("2025-01-01") == board


def test_a_release_that_changes_nothing_is_not_fetched_every_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RELEASES, "20251002", RELEASES["20250911"])
    house.night("20250612", "20250911", "20251002")
    house.night("20250612", "20250911", "20251002", "20260109")
    assert house.asked[2:] == ["20251002", "20260109"]
