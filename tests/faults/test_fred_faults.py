"""Faults between FRED and us, at each stage: what the run does, what it reports, what it keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from assets.sources.protocol import CredentialsRefused
from tests.fakes import faults
from tests.fakes.faults import Fault
from tests.fakes.fred_runs import CALM, QUICK
from tests.fakes.fred_world import KEY, open_value
from tests.faults.fred_case import (
    ALWAYS,
    ASKED_IN,
    CALENDAR,
    DATES,
    INFO,
    OBSERVATIONS,
    RELEASE,
    STAGES,
    Case,
)

_TODAY = (
    "SELECT value FROM raw.observations WHERE series_id = 'ICSA' AND observation_date = DATE '2026-05-23' "
    "AND realtime_end = DATE '9999-12-31'"
)
SILENT, DRIPPING = faults.hang(0.6), faults.drip(0.1, 12)
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
    "hang": SILENT,
    "drip": DRIPPING,
}


FIRST = ("first load", "nightly")
IN_ALL = dict.fromkeys(("500", "200 in HTML", "broken off"), tuple(ASKED_IN)) | dict.fromkeys(
    ("429", "empty", "cut short"), FIRST
)


def _cases(names: Iterable[str]) -> list[Any]:
    """Every fault in a nightly run, some also in a first load, three of those also (slow) in a weekly full refresh.

    Faults that take waiting are slow.
    """
    found = []
    for name in names:
        for when in IN_ALL.get(name, ("nightly",)):
            is_slow = when == "weekly" or name in ("hang", "drip")
            found.append(pytest.param(name, when, marks=[pytest.mark.slow] if is_slow else []))
    return found


@pytest.mark.parametrize(("name", "when"), _cases(PASSING))
def test_a_passing_fault_is_retried_and_nothing_is_lost(case: Case, name: str, when: str) -> None:
    """One fault at each address the run requests, in a first load also those of the calendar."""
    hours, before = case.until(when), case.rows()
    case.limits = QUICK if PASSING[name] in (SILENT, DRIPPING) else CALM
    stages = STAGES if when == "first load" else ASKED_IN[when]
    case.server.asked.clear()
    for stage in stages:
        case.server.script.add(stage, PASSING[name])
    done = case.run(hours)
    assert case.server.script.plans == [], "each stage was reached"
    assert len(case.server.asked) == sum(one.requests for one in done.values())
    assert {done["ICSA"].status, done["UNRATE"].status} == {"new"} and not case.lost(before)
    served = case.server.world.series["ICSA"]
    assert case.con.execute(_TODAY).fetchall() == [(open_value(served, "2026-05-23"),)]


def test_a_wait_the_server_requests_is_kept_up_to_a_limit(case: Case) -> None:
    case.server.script.add(INFO, faults.too_many("7"))
    case.server.script.add(OBSERVATIONS, faults.too_many("86400"))
    case.run()
    assert 7.0 in case.naps.slept and max(case.naps.slept) == 120.0


LASTING: dict[str, tuple[str, str]] = {
    "429": ("unreachable", "429: Too Many Requests"),
    "429 with Retry-After": ("unreachable", "429: Too Many Requests"),
    "500": ("unreachable", "responded 500"),
    "503 in HTML": ("unreachable", "responded 503"),
    "empty": ("refused", "empty_file"),
    "200 in HTML": ("refused", "no complete XML"),
    "broken off": ("unreachable", "the response broke off"),
    "cut short": ("refused", "no complete XML"),
    "dropped": ("unreachable", "connection dropped"),
    "hang": ("unreachable", "silence"),
    "drip": ("unreachable", "no complete response within"),
}


@pytest.mark.parametrize(("name", "when"), _cases(LASTING))
def test_a_lasting_fault_costs_one_series_is_reported_and_loses_nothing(
    case: Case, name: str, when: str
) -> None:
    fault, (status, text) = PASSING[name], LASTING[name]
    hours, before = case.until(when), case.rows()
    case.attempts, case.limits = 2, QUICK if fault in (SILENT, DRIPPING) else CALM
    for later, stage in enumerate(ASKED_IN[when]):
        case.server.asked.clear()
        case.server.script.add(stage, fault, ALWAYS)
        done = case.run(hours + later)
        assert done["ICSA"].status == status, stage
        assert done["UNRATE"].status in ("new", "unchanged", "stale") and done["DGS10"].counts.corrected == 0
        message = done["ICSA"].message or ""
        assert text in message and "ICSA" in message and "\n" not in message
        about_it = [1 for _, _, asked in case.server.asked if asked.get("series_id") == "ICSA"]
        assert done["ICSA"].requests == len(about_it)
        assert not case.lost(before)
        case.server.script.plans.clear()
    assert case.run(hours + 3)["ICSA"].status == "new"


@pytest.mark.parametrize("stage", [RELEASE, CALENDAR])
@pytest.mark.parametrize("name", ["500", "cut short"])
def test_a_calendar_that_cannot_be_fetched_costs_no_series(case: Case, stage: str, name: str) -> None:
    case.attempts = 2
    case.server.script.add(stage, PASSING[name], ALWAYS)
    assert {one.status for one in case.run().values()} == {"new"}


REFUSED_KEY = faults.status(
    400, body=b'<error code="400" message="Bad Request.  The value for variable api_key is not registered."/>'
)


def test_a_key_that_was_never_accepted_ends_the_run(case: Case) -> None:
    case.server.script.add("/fred/", REFUSED_KEY, ALWAYS)
    with pytest.raises(CredentialsRefused, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        case.run()
    assert KEY not in str(caught.value) and len(case.server.asked) == 1
    assert not case.held() and not case.fetches()


@pytest.mark.parametrize("stage", [INFO, OBSERVATIONS, DATES, RELEASE])
def test_a_key_refused_once_after_it_was_accepted_is_retried(case: Case, stage: str) -> None:
    case.server.script.add(stage, REFUSED_KEY)
    assert {one.status for one in case.run().values()} == {"new"}


def test_a_key_refused_for_good_after_it_was_accepted_costs_what_is_refused(case: Case) -> None:
    case.server.script.add(INFO, REFUSED_KEY, ALWAYS)
    done = case.run()
    assert {name: one.status for name, one in done.items()} == {
        "UNRATE": "new", "ICSA": "unreachable", "DGS10": "new",
    }  # fmt: skip
    assert "FRED refuses the key" in (done["ICSA"].message or "") and KEY not in (done["ICSA"].message or "")


def test_a_key_that_fred_repeats_is_masked_in_messages(case: Case) -> None:
    """The fixture checks after every test that it is in no file, table or log."""
    echo = f'<error code="500" message="Internal Error. api_key={KEY} {KEY}"/>'.encode()
    case.server.script.add("ICSA", faults.status(500, body=echo), ALWAYS)
    assert "Internal Error. api_key=*** ***" in (case.run()["ICSA"].message or "")
    case.server.script.plans.clear()
    echo = f'<error code="400" message="Bad Request. api_key={KEY} {KEY} unknown"/>'.encode()
    case.server.script.add("/fred/", faults.status(400, body=echo), ALWAYS)
    with pytest.raises(CredentialsRefused) as caught:
        case.run(hours=1)
    assert KEY not in f"{caught.value} {caught.value.args}"
