"""From an empty archive to a full one, and the runs after: what is asked, what is kept, and that it is the truth."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest

from assets.catalog.loader import PROJECT_ROOT
from assets.sources.fred import is_reconciliation_due
from assets.warehouse.fetches import Ingested, known_series
from tests.builders import an_archive, series_as_of
from tests.fakes.fred_runs import fred_run, quick_source, statuses
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import OPEN, World, open_value, revised_world

TUESDAY = dt.datetime(2026, 6, 2, 22, tzinfo=dt.UTC)
CHANGED = {"UNRATE": "2026-04-01", "ICSA": "2026-05-23", "GDP": "2026-01-01"}


def world_of(day: dt.date) -> World:
    return revised_world(day, PROJECT_ROOT.parent / "shared" / "realdata")


@pytest.fixture(scope="module")
def loaded() -> Iterator[tuple[FredServer, duckdb.DuckDBPyConnection, list[Ingested], int]]:
    """The whole catalogue loaded once; the tests of this module only add runs."""
    with fred_server(world_of(TUESDAY.date())) as server, an_archive() as con:
        done = fred_run(con, quick_source(server), TUESDAY)
        yield server, con, done, len(server.asked)


def test_first_load_brings_every_series(loaded: tuple) -> None:
    server, _, done, asked = loaded
    assert statuses(done)["new"] == len(done) == len(server.world.series)
    assert sum(one.requests for one in done) == asked
    # two for each, one more for the release of a revisable one, one a release, and the windows of weekly series
    assert asked <= 5 * len(done)


def test_200_as_of_answers_are_the_servers_own(loaded: tuple) -> None:
    server, con, _, _ = loaded
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
        np.testing.assert_array_equal(
            [known[stamp] for stamp in truth], list(truth.values()), f"{series_id} {day}"
        )
        pairs += 1


def test_a_quiet_night_asks_once_a_series_and_a_changed_series_twice(loaded: tuple) -> None:
    server, con, _, _ = loaded
    server.asked.clear()
    night = TUESDAY + dt.timedelta(hours=1)  # the same day: nothing is due for its weekly reconciliation
    for series_id, observation in CHANGED.items():
        one = server.world.series[series_id]
        one.revise("2026-06-02", {observation: round(open_value(one, latest(one, observation)) * 1.01, 4)})
    done = fred_run(con, quick_source(server), night)
    assert statuses(done)["new"] == len(CHANGED)
    assert {one.series.series_id for one in done if one.counts.appended} == set(CHANGED)
    assert sum(one.counts.appended for one in done) == len(CHANGED)
    assert server.count("observations") == len(CHANGED)
    overdue = server.count("series/release") + server.count(
        "release/dates"
    )  # planned days of what is overdue
    assert len(server.asked) == len(done) + len(CHANGED) + overdue
    assert overdue <= len(done) / 3
    # a figure of a new period (GDP, in the longer files): its release, and the day planned for the one after it
    most = {**dict.fromkeys(CHANGED, 3), "GDP": 4}
    assert all(one.requests <= most[one.series.series_id] for one in done if one.series.series_id in CHANGED)
    rows = con.execute(
        "SELECT sum(requests) FROM raw.fetches WHERE fetched_at = ?", [night.replace(tzinfo=None)]
    )
    assert rows.fetchall() == [(len(server.asked),)]


def latest(one: object, observation: str) -> str:
    """The observation itself, or the newest one the series has."""
    held = one.observation[one.end == OPEN].astype(str)
    return observation if observation in held else max(held)


@pytest.mark.slow
def test_a_week_of_nights_reconciles_every_series_once(loaded: tuple) -> None:
    """Spread over the nights, and nothing is appended when nothing changed."""
    server, con, done, _ = loaded
    whole: dict[str, int] = dict.fromkeys((one.series.series_id for one in done), 0)
    before = con.execute("SELECT count(*) FROM raw.vintages").fetchall()
    share = []
    for later in (1, 2, 3, 6, 7):  # Wednesday to Friday, Monday, Tuesday
        night = TUESDAY + dt.timedelta(days=later)
        server.world.today = night.date()
        nightly = fred_run(con, quick_source(server), night)
        complete = [
            one.series.series_id for one in nightly if one.payload is not None and one.payload.is_complete
        ]
        share.append(len(complete))
        for series_id in complete:
            whole[series_id] += 1
    server.world.today = TUESDAY.date()
    assert set(whole.values()) == {1}
    assert max(share) < len(whole) / 2
    assert con.execute("SELECT count(*) FROM raw.vintages").fetchall() == before


@pytest.mark.parametrize(
    ("days_ago", "expected"), [(None, True), (0, False), (7, True), (12, True), (-300, True)]
)
def test_reconciliation_is_due_after_six_days_at_the_latest_and_when_the_last_one_lies_in_the_future(
    days_ago: int | None, expected: bool
) -> None:
    moment = None if days_ago is None else TUESDAY - dt.timedelta(days=days_ago)
    assert is_reconciliation_due("UNRATE", moment, TUESDAY.date()) is expected


def test_what_is_known_is_the_newest_of_everything_accepted(loaded: tuple) -> None:
    server, con, _, _ = loaded
    known = known_series(con, dt.date.max)["UNRATE"]
    assert known.newest_vintage == dt.date(2026, 6, 2)
    assert known.last_updated == server.world.series["UNRATE"].last_updated
    assert known_series(con, dt.date.max)["DGS10"].newest_vintage is None
    assert known_series(con, dt.date.max)["DGS10"].newest_observation == dt.date(2026, 5, 29)
