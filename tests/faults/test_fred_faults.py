"""Everything that may go wrong between FRED and us, at each stage: what the run does, what it says, what it keeps."""

from __future__ import annotations

import copy
import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.raw.keeping import Ingested
from assets.sources import fred_client
from assets.sources.protocol import CredentialsRefused
from tests.builders import an_archive
from tests.loopback import faults
from tests.loopback import fred_server as fred_server_module
from tests.loopback.build import add_releases, open_value, revised_world
from tests.loopback.clients import Naps, quick_source
from tests.loopback.faults import Fault
from tests.loopback.fred_server import FredServer, fred_server
from tests.loopback.nights import fred_night
from tests.loopback.world import KEY, World

NIGHT = dt.datetime(2026, 6, 2, 22, tzinfo=dt.UTC)
ALWAYS = 1_000_000
IDS = ("UNRATE", "ICSA", "DGS10")  # vintages in one answer; in several windows; none
INFO, OBSERVATIONS = "/fred/series?series_id=ICSA", "series/observations?series_id=ICSA"
DATES, RELEASE, CALENDAR = (
    "series/vintagedates?series_id=ICSA",
    "series/release?series_id=ICSA",
    "release/dates?",
)
STAGES = (INFO, OBSERVATIONS, DATES, RELEASE, CALENDAR)
SERIES = [load_catalog().series[series_id] for series_id in IDS]


@dataclass
class Case:
    """A server, an archive, and nights between them."""

    server: FredServer
    con: duckdb.DuckDBPyConnection
    naps: Naps
    attempts: int = 6

    def night(self, hours: int = 0) -> dict[str, Ingested]:
        night = NIGHT + dt.timedelta(hours=hours)
        self.server.world.today = night.date()
        source = quick_source(self.server, naps=self.naps, attempts=self.attempts)
        done = fred_night(self.con, source, night, SERIES)
        return {one.series.series_id: one for one in done}

    def held(self) -> dict[str, int]:
        rows = self.con.execute("SELECT series_id, count(*) FROM raw.vintages GROUP BY ALL").fetchall()
        return dict(rows)

    def fetches(self) -> list[tuple]:
        return self.con.execute("SELECT * FROM raw.fetches").fetchall()


@pytest.fixture(scope="module")
def _three() -> World:
    """Three series since 2021, whose vintages are on record since 2022: the years before are dated by the calendar."""
    whole = revised_world(NIGHT.date())
    world = World(NIGHT.date(), {series_id: whole.series[series_id] for series_id in IDS})
    for series_id, one in world.series.items():
        one.truncate("2021-01-01")
        if series_id != "DGS10":
            one.recorded_since("2022-01-03")
    add_releases(world)
    return world


@pytest.fixture
def case(_three: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setattr(fred_server_module, "MOST_VINTAGES", 200)
    monkeypatch.setattr(fred_client, "VINTAGES_PER_ANSWER", 190)
    with fred_server(copy.deepcopy(_three)) as server, an_archive() as con:
        yield Case(server, con, Naps())


PASSING: dict[str, Fault] = {
    "429": faults.too_many(),
    "429 with Retry-After": faults.too_many("7"),
    "429 with a date": faults.too_many("Fri, 01 Jan 2027 00:00:00 GMT"),
    "500": faults.status(500),
    "503 in HTML": faults.html(503),
    "502 in HTML": faults.html(502),
    "200 in HTML": faults.html(200),
    "empty": faults.empty(),
    "broken off": faults.truncated(),
    "cut short": faults.cut_short(),
    "dropped": faults.dropped(),
    "hang": faults.hang(0.3),
    "drip": faults.drip(0.05, 12),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_by_itself_is_asked_again_and_nothing_is_lost(case: Case, name: str) -> None:
    """At each of the five stages of one load."""
    clean = len(case.night()) and len(case.server.asked)
    truth = case.held()
    for table in ("raw.vintages", "raw.fetches"):
        case.con.execute(f"DELETE FROM {table}")
    case.server.asked.clear()
    for stage in STAGES:
        case.server.script.add(stage, PASSING[name])
    done = case.night()
    assert {one.status for one in done.values()} == {"new"} and case.held() == truth
    assert case.server.script.plans == [], "each stage was reached"
    assert len(case.server.asked) == clean + len(STAGES) == sum(one.requests for one in done.values())


def test_a_wait_the_server_asks_for_is_kept_and_none_is_endless(case: Case) -> None:
    case.server.script.add(INFO, faults.too_many("7"))
    case.server.script.add(OBSERVATIONS, faults.too_many("86400"))
    case.night()
    assert 7.0 in case.naps.slept and max(case.naps.slept) == 120.0


LASTING: dict[str, tuple[Fault, str, str]] = {
    "429": (faults.too_many(), "unreachable", "429: Too Many Requests"),
    "429 with Retry-After": (faults.too_many("1"), "unreachable", "429: Too Many Requests"),
    "500": (faults.status(500), "unreachable", "answered 500"),
    "503 in HTML": (faults.html(503), "unreachable", "answered 503"),
    "empty": (faults.empty(), "refused", "empty_file"),
    "200 in HTML": (faults.html(200), "refused", "no complete XML"),
    "broken off": (faults.truncated(), "unreachable", "the answer broke off"),
    "cut short": (faults.cut_short(), "refused", "no complete XML"),
    "dropped": (faults.dropped(), "unreachable", "connection dropped"),
    "hang": (faults.hang(0.3), "unreachable", "silence"),
    "drip": (faults.drip(0.05, 12), "unreachable", "no complete answer within"),
}


@pytest.mark.parametrize("stage", [INFO, OBSERVATIONS, DATES])
@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_costs_one_series_and_is_told(case: Case, stage: str, name: str) -> None:
    fault, status, said = LASTING[name]
    case.attempts = 2
    case.server.script.add(stage, fault, ALWAYS)
    done = case.night()
    assert (done["ICSA"].status, done["UNRATE"].status, done["DGS10"].status) == (status, "new", "new")
    message = done["ICSA"].message or ""
    assert said in message and "ICSA" in message and "\n" not in message
    assert "ICSA" not in case.held()
    assert done["ICSA"].requests == len(
        [1 for _, _, asked in case.server.asked if asked.get("series_id") == "ICSA"]
    )
    case.server.script.plans.clear()
    assert case.night(hours=1)["ICSA"].status == "new"


@pytest.mark.parametrize("stage", [RELEASE, CALENDAR])
@pytest.mark.parametrize("name", ["500", "empty", "hang", "cut short"])
def test_a_calendar_that_is_not_to_be_had_costs_no_series(case: Case, stage: str, name: str) -> None:
    case.attempts = 2
    case.server.script.add(stage, PASSING[name], ALWAYS)
    assert {one.status for one in case.night().values()} == {"new"}


@pytest.mark.parametrize("fault", ["500", "dropped", "empty", "cut short"])
def test_a_night_that_fails_keeps_what_the_archive_holds(case: Case, fault: str) -> None:
    case.night()
    before = case.held()
    one = case.server.world.series["ICSA"]
    one.revise("2026-06-02", {"2026-05-23": open_value(one, "2026-05-23") + 1000})
    case.server.script.add(OBSERVATIONS, PASSING[fault], ALWAYS)
    failed = case.night(hours=1)
    assert failed["ICSA"].status in ("unreachable", "refused") and case.held() == before
    case.server.script.plans.clear()
    assert case.night(hours=2)["ICSA"].counts.revised == 1


@pytest.mark.parametrize("text", [b"4,3", b"nan", b"", b"inf", b"1_000", b"4.3%", b"0x1"])
def test_a_figure_that_is_no_number_refuses_the_whole_series(case: Case, text: bytes) -> None:
    value = str(open_value(case.server.world.series["UNRATE"], "2026-04-01")).encode()
    case.server.script.add(
        "observations?series_id=UNRATE", faults.replaced(b'value="' + value, b'value="' + text), ALWAYS
    )
    done = case.night()["UNRATE"]
    assert done.status == "refused" and "not_a_number" in (done.message or "")
    assert "UNRATE" not in case.held()


@pytest.mark.parametrize("date", [b"2026-13-01", b"yesterday", b"2026-02-30", b""])
def test_a_date_that_is_none_refuses_the_whole_series(case: Case, date: bytes) -> None:
    case.server.script.add(
        "observations?series_id=UNRATE",
        faults.replaced(b'date="2026-04-01"', b'date="' + date + b'"'),
        ALWAYS,
    )
    done = case.night()["UNRATE"]
    assert done.status == "refused" and "not_a_date" in (done.message or "")


@pytest.mark.parametrize("stage", [INFO, OBSERVATIONS, DATES, RELEASE])
def test_a_key_that_is_refused_ends_the_run_and_keeps_what_was_fetched(case: Case, stage: str) -> None:
    body = b'<error code="400" message="Bad Request.  The value for variable api_key is not registered."/>'
    case.server.script.add(stage, faults.status(400, body=body), ALWAYS)
    with pytest.raises(CredentialsRefused, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        case.night()
    assert KEY not in str(caught.value)
    assert case.held().keys() == {"UNRATE"}  # asked before ICSA
    assert [row[2] for row in case.fetches()] == ["UNRATE"]


def test_an_unknown_series_is_absent_and_not_wrong(case: Case) -> None:
    del case.server.world.series["ICSA"]
    done = case.night()
    assert done["ICSA"].status == "unreachable" and "does not exist" in (done["ICSA"].message or "")
    assert done["ICSA"].requests == 1


def test_a_discontinued_series_stays_and_is_told(case: Case) -> None:
    case.server.world.series["UNRATE"].title = "Unemployment Rate (DISCONTINUED)"
    done = case.night()["UNRATE"]
    assert done.status == "new" and "discontinued" in (done.message or "")


def test_a_series_without_vintages_is_dated_by_rule(case: Case) -> None:
    case.server.world.series["UNRATE"].is_in_alfred = False
    done = case.night()["UNRATE"]
    assert done.status == "new" and "no vintages" in (done.message or "")
    sources = case.con.execute("SELECT DISTINCT vintage_source FROM raw.vintages WHERE series_id = 'UNRATE'")
    assert sources.fetchall() == [("lag_rule",)]


def test_a_changed_unit_refuses_the_series_and_keeps_the_former_figures(case: Case) -> None:
    case.night()
    before, one = case.held(), case.server.world.series["UNRATE"]
    one.units = "Billions of Dollars"
    one.touch()
    done = case.night(hours=1)["UNRATE"]
    assert done.status == "refused" and "unit_changed" in (done.message or "")
    assert "assets/catalog/series/activity.toml" in (done.message or "") and case.held() == before


def test_a_unit_that_changed_in_the_past_is_carried_into_todays() -> None:
    """Reserve balances: billions until 2025, millions since; the vintages of before are a thousand times smaller."""
    world = revised_world(NIGHT.date())
    reserves = world.series["WRESBAL"]
    truth = reserves.as_of("2025-05-01")
    day = np.datetime64("2025-07-16", "D")
    standing = (reserves.start < day) & (reserves.end >= day)
    now = {
        str(d): float(v)
        for d, v in zip(reserves.observation[standing], reserves.value[standing], strict=True)
    }
    reserves.value = np.where(reserves.start < day, reserves.value / 1000, reserves.value)
    reserves.revise("2025-07-16", now)
    with (
        fred_server(World(NIGHT.date(), {"WRESBAL": reserves}, world.releases)) as server,
        an_archive() as con,
    ):
        (done,) = fred_night(con, quick_source(server), NIGHT, [load_catalog().series["WRESBAL"]])
        assert done.status == "new" and "carried into today's unit (times 1e3)" in (done.message or "")
        held = con.execute(
            "SELECT observation_date::VARCHAR, value FROM raw.observations WHERE series_id = 'WRESBAL' "
            "AND realtime_start <= DATE '2025-05-01' AND realtime_end >= DATE '2025-05-01'"
        ).fetchall()
    assert dict(held) == pytest.approx({str(stamp): value for stamp, value in truth.items()}, abs=0.01)


def test_a_history_cut_to_three_years_is_refused_and_ours_stays(case: Case) -> None:
    case.night()
    before = case.held()
    for one in case.server.world.series.values():
        one.truncate("2023-06-01")
    done = case.night(hours=24 * 7)  # the weekly reconciliation asks for everything
    assert {d.status for d in done.values()} == {"refused"}
    assert all("shorter_than_before" in (d.message or "") for d in done.values()) and case.held() == before


def test_three_silent_series_in_a_row_spare_the_others_the_wait(case: Case) -> None:
    case.server.script.add("/fred/", faults.status(500), ALWAYS)
    extra = [*SERIES, load_catalog().series["GDP"], load_catalog().series["PAYEMS"]]
    done = fred_night(case.con, quick_source(case.server), NIGHT, extra)
    assert [one.status for one in done] == ["unreachable"] * 5
    assert [one.requests for one in done] == [6, 6, 6, 0, 0]
    assert "did not answer for 3 series" in (done[-1].message or "")


def test_no_message_of_any_fault_holds_the_key(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    case.attempts = 1
    for fault, _, _ in LASTING.values():
        case.server.script.plans.clear()
        case.server.script.add("ICSA", fault, ALWAYS)
        case.night(hours=len(case.fetches()))
    echo = f'<error code="400" message="Bad Request. api_key={KEY} {KEY} unknown"/>'.encode()
    case.server.script.plans.clear()
    case.server.script.add("ICSA", faults.status(400, body=echo), ALWAYS)
    with pytest.raises(CredentialsRefused) as caught:
        case.night(hours=99)
    assert KEY not in f"{caught.value} {caught.value.args} {case.fetches()} {caplog.text}"
