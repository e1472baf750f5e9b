"""What FRED may serve that is wrong or unlike before, in figures, dates, units or span: refused, or kept apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from tests.builders import an_archive
from tests.fakes import faults
from tests.fakes.fred_runs import fred_night, quick_source
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import World, open_value, revised_world
from tests.faults.fred_case import ALWAYS, ASKED_IN, NIGHT, Case


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


def garbled(case: Case) -> None:
    spoilt = faults.replaced(b'value="', b'value="4,')
    case.server.script.add("observations?series_id=UNRATE", spoilt, ALWAYS)


# By what FRED serves of UNRATE from tonight on: what becomes of it on each kind of night, and the words for it.
SERVED: dict[str, tuple[Callable[[Case], None], dict[str, str], str]] = {
    "no such series": (unknown, dict.fromkeys(ASKED_IN, "unreachable"), "does not exist"),
    "discontinued": (discontinued, dict.fromkeys(ASKED_IN, "new"), "FRED calls it discontinued"),
    "another unit": (in_another_unit, dict.fromkeys(ASKED_IN, "refused"), "unit_changed"),
    "three years": (
        cut_to_three_years,
        # a first load takes what there is, and a night asks for no more than what changed
        {"first load": "new", "nightly": "new", "weekly": "refused"},
        "shorter_than_before",
    ),
    "60 months rewritten": (sixty_months_rewritten, dict.fromkeys(ASKED_IN, "new"), ""),
    "malformed numbers": (garbled, dict.fromkeys(ASKED_IN, "refused"), "not_a_number"),
}


@pytest.mark.parametrize("when", ASKED_IN)
@pytest.mark.parametrize("name", SERVED)
def test_what_is_served_costs_no_row_that_is_held_whenever_it_comes(case: Case, name: str, when: str) -> None:
    spoil, status, said = SERVED[name]
    hours, before = case.until(when), case.rows()
    spoil(case)
    done = case.night(hours)
    assert (done["UNRATE"].status, done["ICSA"].status) == (status[when], "new")
    message = done["UNRATE"].message or ""
    assert "\n" not in message and (said in message or status[when] == "new" != status["weekly"])
    assert not case.lost(before)
    if name == "60 months rewritten" and when != "first load":
        assert done["UNRATE"].counts.revised >= 59 and done["UNRATE"].counts.corrected == 0


def test_todays_figures_never_stand_in_for_vintages_that_fred_does_not_serve(case: Case) -> None:
    """Dated by lag rule they would count before their release, and no later night would remove them."""
    case.server.world.series["UNRATE"].is_in_alfred = False
    done = case.night()["UNRATE"]
    assert done.status == "unreachable" and "no vintages" in (done.message or "")
    assert "UNRATE" not in case.held()
    case.server.world.series["UNRATE"].is_in_alfred = True
    assert case.night(24)["UNRATE"].status == "new"
    sources = case.con.execute(
        "SELECT DISTINCT vintage_source FROM raw.observations WHERE series_id = 'UNRATE' "
        "AND observation_date >= DATE '2026-01-01'"
    )
    assert sources.fetchall() == [("alfred",)]


def test_a_changed_unit_names_the_file_to_look_at(case: Case) -> None:
    in_another_unit(case)
    assert "assets/catalog/series/activity.toml" in (case.night()["UNRATE"].message or "")


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
