"""What FRED does not serve: figures that were planned and have not come, and histories cut to a window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.raw.assets import _result, _summary
from assets.sources.protocol import LateRelease
from assets.warehouse.fetches import Ingested
from pipelines.outcome import fetch_lines
from tests.builders import an_archive, series_as_of
from tests.fakes.fred_runs import fred_run, live_facts, quick_source
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import ReleaseDates, World, published

EVENING = dt.datetime(2026, 6, 12, 22, tzinfo=dt.UTC)  # by its lag, May's unemployment is out since the 10th
SERIES = load_catalog().series
HIGH_YIELD = "BAMLH0A0HYM2"
LATE = LateRelease("UNRATE", dt.date(2026, 5, 1), dt.date(2026, 6, 5), "Employment Situation")


def quotes(first: str) -> list[tuple[str, str, float]]:
    days = np.arange(np.datetime64(first), np.datetime64("2026-06-11"))
    return [(str(day), str(day + 1), 3.5) for day in days[np.is_busday(days)]]


@pytest.fixture
def fred() -> Iterator[FredServer]:
    months = [(f"2026-{month:02}-01", f"2026-{month + 1:02}-06", 4.3) for month in range(1, 5)]
    world = World(EVENING.date(), {
        "UNRATE": published("UNRATE", months),
        HIGH_YIELD: published(HIGH_YIELD, quotes("2020-01-01"), frequency="Daily", release_id=11),
    })  # fmt: skip
    calendar = np.array(["2026-06-05", "2026-07-02"], "datetime64[D]")
    world.releases[10] = ReleaseDates("Employment Situation", world.series["UNRATE"].start, calendar)
    with fred_server(world) as server:
        yield server


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as archive:
        yield archive


def run(con: duckdb.DuckDBPyConnection, fred: FredServer, series_id: str, days: int = 0) -> Ingested:
    moment = EVENING + dt.timedelta(days=days)
    fred.world.today = moment.date()
    (done,) = fred_run(con, quick_source(fred), moment, [SERIES[series_id]])
    return done


def fetch_rows(con: duckdb.DuckDBPyConnection, columns: str) -> list[tuple]:
    return con.execute(f"SELECT {columns} FROM raw.fetches ORDER BY fetched_at").fetchall()


def test_a_planned_figure_that_has_not_come_is_late_and_not_stale(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    run(con, fred, "UNRATE")
    fred.asked.clear()
    done = run(con, fred, "UNRATE", days=1)
    assert done.late == LATE and done.status == "unchanged", "late is no status, and stale is another matter"
    assert done.requests == len(fred.asked) == 3  # the series, its release, the release's days
    metadata = _result(done, live_facts(EVENING)).metadata or {}
    assert (
        metadata["late_release"]
        == "the figure of 2026-05-01 was expected on 2026-06-05 (Employment Situation)"
    )
    assert "1 late" in _summary([done])
    fetches = fetch_rows(con, "status, series_id, message, late_observation, late_since")
    (line,) = [line for line in fetch_lines(fetches[-1:], None) if "late" in line]
    assert (
        line
        == "late, its release was planned but has no figure yet: UNRATE (2026-05-01, planned for 2026-06-05)"
    )
    assert not [line for line in fetch_lines(fetches[-1:], None) if "stale" in line]


def test_a_late_figure_that_comes_is_late_no_more(con: duckdb.DuckDBPyConnection, fred: FredServer) -> None:
    assert run(con, fred, "UNRATE").late == LATE
    fred.world.series["UNRATE"].revise("2026-06-13", {"2026-05-01": 4.4})
    assert run(con, fred, "UNRATE", days=1).late is None
    assert fetch_rows(con, "late_since") == [(dt.date(2026, 6, 5),), (None,)]


def test_a_release_moved_to_a_later_day_is_not_late_before_it(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    fred.world.releases[10].planned = np.array(["2026-06-18"], "datetime64[D]")
    assert run(con, fred, "UNRATE").late is None
    assert run(con, fred, "UNRATE", days=6).late is None, "on the day itself it may still come"
    late = run(con, fred, "UNRATE", days=7).late
    assert late is not None and late.expected_on == dt.date(2026, 6, 18)


def test_the_day_planned_for_the_next_figure_is_asked_for_once(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    fred.world.releases[10].planned = np.array(["2026-06-18"], "datetime64[D]")
    planned = (dt.date(2026, 5, 1), dt.date(2026, 6, 18))
    assert run(con, fred, "UNRATE").planned == planned
    done = run(con, fred, "UNRATE", days=1)
    assert done.planned is None and fetch_rows(con, "next_observation, next_release_on") == [
        planned,
        (None, None),
    ]
    assert run(con, fred, "UNRATE", days=7).planned == planned, "a week later it may have been moved"
    fred.world.series["UNRATE"].revise("2026-06-19", {"2026-05-01": 4.4})
    assert run(con, fred, "UNRATE", days=8).planned == (dt.date(2026, 6, 1), None), "nothing is planned yet"


def test_a_calendar_of_every_day_plans_no_monthly_figure(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    fred.world.releases[10].planned = np.arange(np.datetime64("2026-06-05"), np.datetime64("2026-09-01"))
    assert run(con, fred, "UNRATE").planned == (dt.date(2026, 5, 1), None)


def test_a_provider_that_cuts_its_history_takes_nothing_of_ours_and_its_window_is_recorded(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    assert run(con, fred, HIGH_YIELD).status == "new"
    before = con.execute("FROM raw.vintages").fetchall()
    fred.world.series[HIGH_YIELD].truncate("2023-06-12")
    done = run(con, fred, HIGH_YIELD, days=7)  # everything is asked for again
    assert done.status == "unchanged"
    assert "served from 2023-06-12 only; the archive keeps its figures since 2020-01-01" in (
        done.message or ""
    )
    assert con.execute("FROM raw.vintages").fetchall() == before
    window = fetch_rows(con, "served_first, is_complete")
    assert window == [(dt.date(2020, 1, 1), True), (dt.date(2023, 6, 12), True)]


@pytest.mark.parametrize("when", ["before the first load", "between two runs", "before a weekly one"])
def test_a_figure_fred_withdraws_is_known_no_longer_and_one_it_restores_is(
    con: duckdb.DuckDBPyConnection, fred: FredServer, when: str
) -> None:
    """A benchmark leaves out the first decades until they are computed again; what was known before stays known."""
    one = fred.world.series["UNRATE"]
    if when != "before the first load":
        run(con, fred, "UNRATE")
    one.revise("2026-06-13", {"2026-04-01": 4.4})
    one.withdraw("2026-06-13", ["2026-01-01", "2026-02-01"])
    assert run(con, fred, "UNRATE", days=7 if when == "before a weekly one" else 1).status == "new"
    one.revise("2026-06-20", {"2026-01-01": 4.2})
    assert run(con, fred, "UNRATE", days=8).status == "new"
    for day in ("2026-06-12", "2026-06-13", "2026-06-19", "2026-06-20"):
        found = series_as_of(con, "UNRATE", dt.date.fromisoformat(day)).dropna(subset="value")
        ours = dict(zip(found["observation_date"].astype(str), found["value"], strict=True))
        assert ours == one.as_of(day), day


def test_a_target_range_served_on_its_eve_waits_for_its_day(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """Refused as a figure of the future, the whole series would block the publication on the day of a decision."""
    rows = [
        ("2026-06-11", "2026-06-11", 4.0),
        ("2026-06-12", "2026-06-12", 4.0),
        ("2026-06-13", "2026-06-12", 4.25),
    ]
    fred.world.series["DFEDTARU"] = published("DFEDTARU", rows, frequency="Daily, 7-Day", release_id=11)
    done = run(con, fred, "DFEDTARU")
    assert done.status == "new" and done.counts.new == 2
    fred.world.series["DFEDTARU"].touch()
    assert run(con, fred, "DFEDTARU", days=1).counts.new == 1


def test_projections_wait_until_their_quarter_has_begun(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """Refused as figures of the future, potential output would never be fetched; it keeps its own vintages."""
    quarters = [f"{year}-{month:02}-01" for year in range(2020, 2037) for month in (1, 4, 7, 10)]
    rows = [
        (quarter, first, value)
        for first, value in (("2026-01-12", 23000.0), ("2026-03-02", 23100.0))
        for quarter in quarters
    ]
    fred.world.series["GDPPOT"] = published(
        "GDPPOT", rows, units="Billions of Chained 2017 Dollars", frequency="Quarterly", release_id=12
    )
    assert run(con, fred, "GDPPOT").status == "new"
    stored = (
        "SELECT max(observation_date), count(*), min(realtime_start) FROM raw.vintages "
        "WHERE vintage_source = 'alfred'"
    )
    assert con.execute(stored).fetchone() == (dt.date(2026, 4, 1), 52, dt.date(2026, 1, 12))
    run(con, fred, "GDPPOT", days=19)  # 1 July
    newest = "SELECT realtime_start, value FROM raw.vintages WHERE observation_date = '2026-07-01'"
    assert con.execute(newest).fetchall() == [(dt.date(2026, 1, 12), 23000.0), (dt.date(2026, 3, 2), 23100.0)]
