"""From an empty archive to a full one, and the runs after: what is asked, what is kept, and that it is the truth.

Also what FRED does not serve: figures that were planned and have not come, and histories cut to a window.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.raw import _result, _summary
from assets.sources.fred import is_reconciliation_due
from assets.sources.protocol import LateRelease
from assets.warehouse.fetches import Ingested, known_series
from pipelines.outcome import fetch_lines
from tests.builders import an_archive, series_as_of
from tests.fakes.fred_runs import fred_run, live_facts, quick_source, statuses
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import OPEN, ReleaseDates, World, open_value, published, revised_world

TUESDAY = dt.datetime(2026, 6, 2, 22, tzinfo=dt.UTC)
CHANGED = {"UNRATE": "2026-04-01", "ICSA": "2026-05-23", "GDP": "2026-01-01"}
SERIES = load_catalog().series


@pytest.fixture(scope="module")
def loaded() -> Iterator[tuple[FredServer, duckdb.DuckDBPyConnection, list[Ingested], int]]:
    """The whole catalogue loaded once; the tests of this module only add runs."""
    world = revised_world(TUESDAY.date(), PROJECT_ROOT.parent / "shared" / "realdata")
    with fred_server(world) as server, an_archive() as con:
        done = fred_run(con, quick_source(server), TUESDAY)
        yield server, con, done, len(server.asked)


def test_first_load_brings_every_series_and_200_as_of_answers_are_the_servers_own(loaded: tuple) -> None:
    server, con, done, asked = loaded
    assert statuses(done)["new"] == len(done) == len(server.world.series)
    assert sum(one.requests for one in done) == asked
    # two for each, one more for the release of a revisable one, one a release, and the windows of weekly series
    assert asked <= 5 * len(done)
    chance = random.Random(20261124)
    pairs = 0
    while pairs < 200:
        series_id, one = chance.choice(sorted(server.world.series.items()))
        day = np.datetime64("1996-01-01") + chance.randrange(11_000)
        if day < one.start.min():
            continue
        found = series_as_of(con, series_id, day.astype(object))
        ours = dict(zip(found["observation_date"].astype(str), found["value"].tolist(), strict=True))
        truth = one.as_of(str(day))
        # figures older than the first vintage are dated by rule: the server has no vintage to compare them with
        known = {stamp: value for stamp, value in ours.items() if stamp in truth}
        assert set(known) == set(truth), (series_id, day)
        in_order = [known[stamp] for stamp in truth]
        np.testing.assert_array_equal(in_order, list(truth.values()), f"{series_id} {day}")
        pairs += 1


def test_a_quiet_night_asks_once_a_series_and_a_changed_series_twice(loaded: tuple) -> None:
    server, con, _, _ = loaded
    server.asked.clear()
    night = TUESDAY + dt.timedelta(hours=1)  # the same day: nothing is due for its weekly reconciliation
    for series_id, observation in CHANGED.items():
        one = server.world.series[series_id]
        newest = min(observation, str(one.observation[one.end == OPEN].max()))  # the longer files end earlier
        one.revise("2026-06-02", {observation: round(open_value(one, newest) * 1.01, 4)})
    done = fred_run(con, quick_source(server), night)
    assert statuses(done)["new"] == len(CHANGED)
    assert {
        one.series.series_id: one.counts.appended for one in done if one.counts.appended
    } == dict.fromkeys(CHANGED, 1)
    assert server.count("observations") == len(CHANGED)
    # planned days of what is overdue
    overdue = server.count("series/release") + server.count("release/dates")
    assert len(server.asked) == len(done) + len(CHANGED) + overdue and overdue <= len(done) / 3
    # a figure of a new period (GDP, in the longer files): its release, and the day planned for the one after it
    most = {**dict.fromkeys(CHANGED, 3), "GDP": 4}
    assert all(one.requests <= most[one.series.series_id] for one in done if one.series.series_id in CHANGED)
    rows = con.execute(
        "SELECT sum(requests) FROM raw.fetches WHERE fetched_at = ?", [night.replace(tzinfo=None)]
    )
    assert rows.fetchall() == [(len(server.asked),)]
    known = known_series(con, dt.date.max)
    assert known["UNRATE"].newest_vintage == dt.date(2026, 6, 2)
    assert known["UNRATE"].last_updated == server.world.series["UNRATE"].last_updated
    newest = known["DGS10"].newest_observation
    assert known["DGS10"].newest_vintage is None and newest == dt.date(2026, 5, 29)


def test_a_full_history_is_due_once_a_week_spread_over_the_nights_and_after_a_wrong_clock() -> None:
    today = TUESDAY.date()
    for days_ago, expected in ((None, True), (0, False), (7, True), (12, True), (-300, True)):
        moment = None if days_ago is None else TUESDAY - dt.timedelta(days=days_ago)
        assert is_reconciliation_due("UNRATE", moment, today) is expected, days_ago
    times, share = dict.fromkeys(SERIES, 0), []
    last = dict.fromkeys(SERIES, TUESDAY)
    for later in (1, 2, 3, 6, 7):  # Wednesday to Friday, Monday, Tuesday
        night = TUESDAY + dt.timedelta(days=later)
        due = [name for name in SERIES if is_reconciliation_due(name, last[name], night.date())]
        share.append(len(due))
        for name in due:
            times[name], last[name] = times[name] + 1, night
    assert set(times.values()) == {1} and max(share) < len(SERIES) / 2


# --- one series at a time ---

EVENING = dt.datetime(2026, 6, 12, 22, tzinfo=dt.UTC)  # by its lag, May's unemployment is out since the 10th
HIGH_YIELD = "BAMLH0A0HYM2"
LATE = LateRelease("UNRATE", dt.date(2026, 5, 1), dt.date(2026, 6, 5), "Employment Situation")


@pytest.fixture
def fred() -> Iterator[FredServer]:
    months = [(f"2026-{month:02}-01", f"2026-{month + 1:02}-06", 4.3) for month in range(1, 5)]
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2026-06-11"))
    quotes = [(str(day), str(day + 1), 3.5) for day in days[np.is_busday(days)]]
    world = World(EVENING.date(), {
        "UNRATE": published("UNRATE", months),
        HIGH_YIELD: published(HIGH_YIELD, quotes, frequency="Daily", release_id=11),
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


def test_a_planned_figure_that_has_not_come_is_late_and_not_stale_until_it_comes(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    run(con, fred, "UNRATE")
    fred.asked.clear()
    done = run(con, fred, "UNRATE", days=1)
    assert done.late == LATE and done.status == "unchanged", "late is no status, and stale is another matter"
    assert done.requests == len(fred.asked) == 3  # the series, its release, the release's days
    metadata, said = _result(done, live_facts(EVENING)).metadata or {}, str(LATE)
    assert metadata["late_release"] == said and "1 late" in _summary([done])
    fetches = fetch_rows(con, "status, series_id, message, late_observation, late_since")
    lines = fetch_lines(fetches[-1:], None)
    assert any("UNRATE (2026-05-01, planned for 2026-06-05)" in line for line in lines)
    assert not [line for line in lines if "stale" in line]
    fred.world.series["UNRATE"].revise("2026-06-14", {"2026-05-01": 4.4})
    assert run(con, fred, "UNRATE", days=2).late is None
    assert fetch_rows(con, "late_since")[1:] == [(dt.date(2026, 6, 5),), (None,)]


def test_a_planned_day_is_asked_for_once_a_week_and_a_moved_release_is_not_late_before_it(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    fred.world.releases[10].planned = np.array(["2026-06-18"], "datetime64[D]")
    planned = (dt.date(2026, 5, 1), dt.date(2026, 6, 18))
    first = run(con, fred, "UNRATE")
    assert first.late is None and first.planned == planned
    assert run(con, fred, "UNRATE", days=1).planned is None
    assert fetch_rows(con, "next_observation, next_release_on") == [planned, (None, None)]
    on_the_day, done = (run(con, fred, "UNRATE", days=days) for days in (6, 7))
    assert on_the_day.late is None, "it may still come"
    assert planned in (on_the_day.planned, done.planned), "a week later it may have been moved"
    assert done.late is not None and done.late.expected_on == dt.date(2026, 6, 18)
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
    assert "served from 2023-06-12 only; the archive keeps its figures since 2020-01-01" in str(done.message)
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


def test_a_target_range_served_on_its_eve_and_projections_wait_for_their_day(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """Refused as figures of the future, the series would block the publication on the day of a decision or for ever."""
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

    quarters = [f"{year}-{month:02}-01" for year in range(2020, 2037) for month in (1, 4, 7, 10)]
    starts = {"2026-01-12": 23000.0, "2026-03-02": 23100.0}
    rows = [(quarter, first, value) for first, value in starts.items() for quarter in quarters]
    unit = "Billions of Chained 2017 Dollars"
    fred.world.series["GDPPOT"] = published("GDPPOT", rows, units=unit, frequency="Quarterly", release_id=12)
    assert run(con, fred, "GDPPOT").status == "new"
    stored = (
        "SELECT max(observation_date), count(*), min(realtime_start) FROM raw.vintages "
        "WHERE vintage_source = 'alfred'"
    )
    assert con.execute(stored).fetchone() == (dt.date(2026, 4, 1), 52, dt.date(2026, 1, 12))
    run(con, fred, "GDPPOT", days=19)  # 1 July
    newest = "SELECT realtime_start::VARCHAR, value FROM raw.vintages WHERE observation_date = '2026-07-01'"
    assert con.execute(newest).fetchall() == [*starts.items()]
