"""Everything that may go wrong between FRED and us, at each stage: what the run does, what it says, what it keeps."""

from __future__ import annotations

import logging

import pytest

from assets.catalog.loader import load_catalog
from assets.sources.protocol import CredentialsRefused
from tests.faults.fred_case import (
    ALWAYS,
    CALENDAR,
    DATES,
    INFO,
    NIGHT,
    OBSERVATIONS,
    RELEASE,
    SERIES,
    STAGES,
    Case,
)
from tests.loopback import faults
from tests.loopback.build import open_value
from tests.loopback.clients import quick_source
from tests.loopback.faults import Fault
from tests.loopback.nights import fred_night
from tests.loopback.world import KEY

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


@pytest.mark.parametrize("stage", [INFO, OBSERVATIONS, DATES, RELEASE])
def test_a_key_that_is_refused_ends_the_run_and_keeps_what_was_fetched(case: Case, stage: str) -> None:
    body = b'<error code="400" message="Bad Request.  The value for variable api_key is not registered."/>'
    case.server.script.add(stage, faults.status(400, body=body), ALWAYS)
    with pytest.raises(CredentialsRefused, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        case.night()
    assert KEY not in str(caught.value)
    assert case.held().keys() == {"UNRATE"}  # asked before ICSA
    assert [row[2] for row in case.fetches()] == ["UNRATE"]


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
