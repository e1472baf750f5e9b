"""What FRED may serve that is wrong or unlike before, in figures, dates, units or span: refused, or kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from tests.builders import an_archive
from tests.faults.fred_case import (
    ALWAYS,
    NIGHT,
    Case,
)
from tests.loopback import faults
from tests.loopback.build import open_value, revised_world
from tests.loopback.clients import quick_source
from tests.loopback.fred_server import fred_server
from tests.loopback.nights import fred_night
from tests.loopback.world import World


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
