"""Wrong or changed figures, dates, units and spans from FRED: refused, or stored without losing a row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from tests.builders import an_archive
from tests.fakes import faults
from tests.fakes.fred_runs import fred_run, quick_source
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import World, published, revised_world
from tests.faults.fred_case import ALWAYS, ASKED_IN, NIGHT, Case

NO_NUMBERS = (b"4,3", b"nan", b"", b"inf", b"1_000", b"4.3%", b"0x1")
NO_DATES = (b"2026-13-01", b"yesterday", b"2026-02-30", b"")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        *((b'value="4.3"', b'value="' + text + b'"', "not_a_number") for text in NO_NUMBERS),
        *((b'date="2026-04-01"', b'date="' + text + b'"', "not_a_date") for text in NO_DATES),
    ],
)
def test_one_wrong_figure_or_date_refuses_the_series(old: bytes, new: bytes, rule: str) -> None:
    world = World(NIGHT.date(), {"UNRATE": published("UNRATE", [("2026-04-01", "2026-05-08", 4.3)])})
    with fred_server(world) as server, an_archive() as con:
        server.script.add("observations", faults.replaced(old, new), ALWAYS)
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


def garbled(case: Case) -> None:
    spoilt = faults.replaced(b'value="', b'value="4,')
    case.server.script.add("observations?series_id=UNRATE", spoilt, ALWAYS)


# What FRED serves of UNRATE from this run on: its status in each kind of run, and the message.
SERVED: dict[str, tuple[Callable[[Case], None], dict[str, str], str]] = {
    "no such series": (unknown, dict.fromkeys(ASKED_IN, "unreachable"), "does not exist"),
    "discontinued": (discontinued, dict.fromkeys(ASKED_IN, "new"), "FRED calls it discontinued"),
    "another unit": (in_another_unit, dict.fromkeys(ASKED_IN, "refused"), "unit_changed"),
    "three years": (
        cut_to_three_years,
        # a first load takes what there is, and a nightly run requests only what changed
        {"first load": "new", "nightly": "new", "weekly": "refused"},
        "shorter_than_before",
    ),
    "60 months rewritten": (sixty_months_rewritten, dict.fromkeys(ASKED_IN, "new"), ""),
    "malformed numbers": (garbled, dict.fromkeys(ASKED_IN, "refused"), "not_a_number"),
}


@pytest.mark.parametrize("when", ASKED_IN)
@pytest.mark.parametrize("name", SERVED)
def test_a_change_of_what_is_served_costs_no_stored_row(case: Case, name: str, when: str) -> None:
    spoil, status, text = SERVED[name]
    hours, before = case.until(when), case.rows()
    spoil(case)
    done = case.run(hours)
    assert (done["UNRATE"].status, done["ICSA"].status) == (status[when], "new")
    message = done["UNRATE"].message or ""
    assert "\n" not in message and (text in message or status[when] == "new" != status["weekly"])
    assert not case.lost(before)
    if name == "60 months rewritten" and when != "first load":
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
        (done,) = fred_run(con, quick_source(server), NIGHT, [load_catalog().series["WRESBAL"]])
        assert done.status == "new" and "converted to today's unit (times 1e3)" in (done.message or "")
        held = con.execute(
            "SELECT observation_date::VARCHAR, value FROM raw.observations WHERE series_id = 'WRESBAL' "
            "AND realtime_start <= DATE '2025-05-01' AND realtime_end >= DATE '2025-05-01'"
        ).fetchall()
    assert dict(held) == pytest.approx({str(stamp): value for stamp, value in truth.items()}, abs=0.01)
