"""Faults between FRED and us, and wrong or changed figures from it: what the run does, reports and keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.sources.protocol import CredentialsRefused
from tests.builders import an_archive
from tests.fakes import faults
from tests.fakes.faults import Fault
from tests.fakes.fred_runs import (
    ALWAYS,
    ASKED_IN,
    CALENDAR,
    DATES,
    INFO,
    NIGHT,
    OBSERVATIONS,
    RELEASE,
    STAGES,
    Case,
    fred_run,
    quick_source,
)
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import KEY, World, open_value, published, revised_world

_TODAY = (
    "SELECT value FROM raw.observations WHERE series_id = 'ICSA' AND observation_date = DATE '2026-05-23' "
    "AND realtime_end = DATE '9999-12-31'"
)
# Servers that are silent or drip: test_http_client.
FAULTS: dict[str, tuple[Fault, str, str]] = {  # and the status and message of a series when it lasts
    "429": (faults.too_many(), "unreachable", "429: Too Many Requests"),
    "429 with a date": (
        faults.too_many("Fri, 01 Jan 2027 00:00:00 GMT"),
        "unreachable",
        "429: Too Many Requests",
    ),
    "500": (faults.status(500), "unreachable", "responded 500"),
    "503 in HTML": (faults.html(503), "unreachable", "responded 503"),
    "200 in HTML": (faults.html(200), "refused", "no complete XML"),
    "empty": (faults.empty(), "refused", "empty_file"),
    "broken off": (faults.truncated(), "unreachable", "the response broke off"),
    "cut short": (faults.cut_short(), "refused", "no complete XML"),
    "dropped": (faults.dropped(), "unreachable", "connection dropped"),
}


@pytest.mark.parametrize("when", ["first load", "nightly"])
@pytest.mark.parametrize("name", ["429", "500", "200 in HTML", "broken off", "cut short"])
def test_a_passing_fault_is_retried_and_nothing_is_lost(case: Case, name: str, when: str) -> None:
    """One fault at each address the run requests, in a first load also those of the calendar."""
    hours, before = case.until(when), case.rows()
    case.server.asked.clear()
    for stage in STAGES if when == "first load" else ASKED_IN[when]:
        case.server.script.add(stage, FAULTS[name][0])
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


@pytest.mark.parametrize(("name", "when"), [*((name, "nightly") for name in FAULTS), ("500", "first load")])
def test_a_lasting_fault_costs_one_series_is_reported_and_loses_nothing(
    case: Case, name: str, when: str
) -> None:
    fault, status, text = FAULTS[name]
    hours, before, case.attempts = case.until(when), case.rows(), 2
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


@pytest.mark.parametrize(("stage", "name"), [(RELEASE, "500"), (CALENDAR, "cut short")])
def test_a_calendar_that_cannot_be_fetched_costs_no_series(case: Case, stage: str, name: str) -> None:
    case.attempts = 2
    case.server.script.add(stage, FAULTS[name][0], ALWAYS)
    assert {one.status for one in case.run().values()} == {"new"}


# --- the key; the fixture checks after every test that it is in no file, table or log ---

REFUSED_KEY = faults.status(
    400, body=b'<error code="400" message="Bad Request.  The value for variable api_key is not registered."/>'
)


def test_a_key_that_was_never_accepted_ends_the_run(case: Case) -> None:
    case.server.script.add("/fred/", REFUSED_KEY, ALWAYS)
    with pytest.raises(CredentialsRefused, match=r"fredaccount\.stlouisfed\.org/apikeys") as caught:
        case.run()
    assert KEY not in str(caught.value) and len(case.server.asked) == 1
    assert not case.held() and not case.fetches()


def test_a_key_refused_after_it_was_accepted_is_tried_again_and_costs_what_stays_refused(case: Case) -> None:
    for stage in (OBSERVATIONS, DATES, RELEASE):
        case.server.script.add(stage, REFUSED_KEY)
    assert {one.status for one in case.run().values()} == {"new"} and case.server.script.plans == []
    case.server.script.add(INFO, REFUSED_KEY, ALWAYS)
    done = case.run(hours=1)
    assert {name: one.status for name, one in done.items()} == {
        "UNRATE": "unchanged", "ICSA": "unreachable", "DGS10": "unchanged",
    }  # fmt: skip
    assert "FRED refuses the key" in (done["ICSA"].message or "") and KEY not in (done["ICSA"].message or "")


def test_a_key_that_fred_repeats_is_masked_in_messages(case: Case) -> None:
    echo = f'<error code="500" message="Internal Error. api_key={KEY} {KEY}"/>'.encode()
    case.server.script.add("ICSA", faults.status(500, body=echo), ALWAYS)
    assert "Internal Error. api_key=*** ***" in (case.run()["ICSA"].message or "")
    case.server.script.plans.clear()
    echo = f'<error code="400" message="Bad Request. api_key={KEY} {KEY} unknown"/>'.encode()
    case.server.script.add("/fred/", faults.status(400, body=echo), ALWAYS)
    with pytest.raises(CredentialsRefused) as caught:
        case.run(hours=1)
    assert KEY not in f"{caught.value} {caught.value.args}"


# --- what is served is wrong, or has changed ---


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        *(
            (b"4.3", text, "not_a_number")
            for text in (b"4,3", b"nan", b"", b"inf", b"1_000", b"4.3%", b"0x1")
        ),
        *((b"2026-04-01", text, "not_a_date") for text in (b"2026-13-01", b"yesterday", b"2026-02-30", b"")),
    ],
)
def test_one_wrong_figure_or_date_refuses_the_series(old: bytes, new: bytes, rule: str) -> None:
    world = World(NIGHT.date(), {"UNRATE": published("UNRATE", [("2026-04-01", "2026-05-08", 4.3)])})
    with fred_server(world) as server, an_archive() as con:
        server.script.add("observations", faults.replaced(b'="' + old, b'="' + new), ALWAYS)
        (done,) = fred_run(con, quick_source(server), NIGHT, [load_catalog().series["UNRATE"]])
        assert done.status == "refused" and rule in (done.message or "")
        assert con.execute("SELECT count(*) FROM raw.vintages").fetchall() == [(0,)]


def unknown(case: Case) -> None:
    del case.server.world.series["UNRATE"]


def discontinued(case: Case) -> None:
    case.server.world.series["UNRATE"].title = "Unemployment Rate (DISCONTINUED)"


def in_another_unit(case: Case) -> None:
    case.server.world.series["UNRATE"].units = "Billions of Dollars"


def cut_to_three_years(case: Case) -> None:
    case.server.world.series["UNRATE"].truncate("2023-06-01")


def sixty_months_rewritten(case: Case) -> None:
    one = case.server.world.series["UNRATE"]
    standing = sorted(one.as_of("2026-06-02").items())[-60:]
    one.revise("2026-06-02", {stamp: value + 0.1 for stamp, value in standing if value == value})


@pytest.mark.parametrize(
    ("spoil", "when", "status", "text"),
    [
        (unknown, "nightly", "unreachable", "does not exist"),
        (discontinued, "nightly", "new", "FRED calls it discontinued"),
        (in_another_unit, "nightly", "refused", "unit_changed"),
        # a first load takes what there is, and a nightly run requests only what changed
        (cut_to_three_years, "first load", "new", ""),
        (cut_to_three_years, "nightly", "new", ""),
        (cut_to_three_years, "weekly", "refused", "shorter_than_before"),
        (sixty_months_rewritten, "nightly", "new", ""),
    ],
)
def test_a_change_of_what_is_served_costs_no_stored_row(
    case: Case, spoil: Callable[[Case], None], when: str, status: str, text: str
) -> None:
    hours, before = case.until(when), case.rows()
    spoil(case)
    done = case.run(hours)
    assert (done["UNRATE"].status, done["ICSA"].status) == (status, "new")
    message = done["UNRATE"].message or ""
    assert "\n" not in message and text in message and not case.lost(before)
    if spoil is sixty_months_rewritten:
        assert done["UNRATE"].counts.revised >= 59 and done["UNRATE"].counts.corrected == 0


def test_todays_figures_never_replace_vintages_that_fred_does_not_serve(case: Case) -> None:
    """Dated by lag rule they would count before their release, and no later run would remove them."""
    case.server.world.series["UNRATE"].is_in_alfred = False
    done = case.run()["UNRATE"]
    assert done.status == "unreachable" and "no vintages" in (done.message or "")
    assert "UNRATE" not in case.held()
    case.server.world.series["UNRATE"].is_in_alfred = True
    assert case.run(24)["UNRATE"].status == "new"
    sources = case.con.execute(
        "SELECT DISTINCT vintage_source FROM raw.observations WHERE series_id = 'UNRATE' "
        "AND observation_date >= DATE '2026-01-01'"
    )
    assert sources.fetchall() == [("alfred",)]


def test_vintages_in_a_former_unit_are_converted() -> None:
    """Reserve balances: billions until 2025, millions since; the vintages of before are a thousand times smaller."""
    world = revised_world(NIGHT.date())
    reserves = world.series["WRESBAL"]
    truth, now = reserves.as_of("2025-05-01"), reserves.as_of("2025-07-15")
    reserves.truncate("2015-01-01")
    reserves.value = np.where(
        reserves.start < np.datetime64("2025-07-16"), reserves.value / 1000, reserves.value
    )
    reserves.revise("2025-07-16", {stamp: value for stamp, value in now.items() if stamp >= "2015"})
    only = World(NIGHT.date(), {"WRESBAL": reserves}, world.releases)
    with fred_server(only) as server, an_archive() as con:
        (done,) = fred_run(con, quick_source(server), NIGHT, [load_catalog().series["WRESBAL"]])
        assert done.status == "new" and "converted to today's unit (times 1e3)" in (done.message or "")
        held = con.execute(
            "SELECT observation_date::VARCHAR, value FROM raw.observations WHERE series_id = 'WRESBAL' "
            "AND realtime_start <= DATE '2025-05-01' AND realtime_end >= DATE '2025-05-01'"
        ).fetchall()
    assert dict(held) == pytest.approx({at: v for at, v in truth.items() if at >= "2015"}, abs=0.01)
