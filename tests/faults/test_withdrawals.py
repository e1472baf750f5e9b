"""What a publisher withdraws: a wrong vintage, a row inside the served span, the newest figure."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.fetches import Ingested
from assets.warehouse.readers import observation_counts
from assets.warehouse.schema import open_warehouse
from tests.builders import series_as_of
from tests.fakes.fred_runs import fred_run, quick_source
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import Published, World, published

CATALOG = load_catalog()


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        yield connection


@pytest.fixture
def fred() -> Iterator[FredServer]:
    with fred_server(World(dt.date(2026, 5, 12))) as server:
        yield server


def run(
    con: duckdb.DuckDBPyConnection, fred: FredServer, day: str, series_id: str, time: str = "23:30"
) -> Ingested:
    fred.world.today = dt.date.fromisoformat(day)
    began = dt.datetime.fromisoformat(f"{day}T{time}:00+00:00")
    (done,) = fred_run(con, quick_source(fred), began, [CATALOG.series[series_id]])
    return done


def known(con: duckdb.DuckDBPyConnection, series_id: str, day: str) -> dict[str, float]:
    frame = series_as_of(con, series_id, dt.date.fromisoformat(day)).dropna(subset="value")
    return dict(zip(frame["observation_date"].astype(str), frame["value"], strict=True))


def unemployment() -> Published:
    """Thirty months to 2026-04, each published on the sixth of the next month."""
    months = np.arange("2023-11", "2026-05", dtype="datetime64[M]")
    rows = [
        (str(m.astype("datetime64[D]")), str((m + 1).astype("datetime64[D]") + 5), round(4.0 + n / 100, 2))
        for n, m in enumerate(months)
    ]
    return published("UNRATE", rows)


def yields(until: str) -> Published:
    """DGS10 of every weekday of 2026 up to a day, each public on the next."""
    dates = np.arange(np.datetime64("2026-01-02"), np.datetime64(until) + 1)
    rows = [(str(day), str(day + 1), 4.0) for day in dates[np.is_busday(dates)]]
    return published("DGS10", rows, frequency="Daily")


def drop(one: Published, day: str) -> None:
    """The publisher deletes a row."""
    one.keep(one.observation != np.datetime64(day))
    one.touch()


def test_a_wrong_vintage_that_alfred_drops_again_is_not_read(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """9.9 is posted by mistake on 13 May and ALFRED no longer lists it on the 14th."""
    fred.world.series["UNRATE"] = unemployment()
    run(con, fred, "2026-05-12", "UNRATE")
    good = copy.deepcopy(fred.world.series["UNRATE"])
    fred.world.series["UNRATE"].revise("2026-05-13", {"2026-04-01": 9.9})
    run(con, fred, "2026-05-13", "UNRATE")
    assert known(con, "UNRATE", "2026-05-13")["2026-04-01"] == 9.9
    good.last_updated = fred.world.series["UNRATE"].last_updated + dt.timedelta(days=1)
    fred.world.series["UNRATE"] = good
    days = ["2026-05-14", "2026-05-19", "2026-05-22", "2026-05-29"]
    done = [run(con, fred, day, "UNRATE") for day in days]
    assert known(con, "UNRATE", "2026-05-29") == good.as_of("2026-05-29")
    assert known(con, "UNRATE", "2026-05-13")["2026-04-01"] == 4.29, "it is not read on its own day either"
    retracting = [one for one in done if one.counts.retracted]
    assert len(retracting) == 1 and retracting[0].counts.retracted == 1 and retracting[0].status == "new"
    message = retracting[0].message or ""
    assert "UNRATE" in message and "2026-04-01" in message and "2026-05-13" in message
    assert con.execute("SELECT sum(rows_retracted) FROM raw.fetches").fetchall() == [(1,)]
    moment = dt.datetime(2026, 5, 13, 23, 45, tzinfo=dt.UTC)
    captured = series_as_of(con, "UNRATE", dt.date(2026, 5, 13), captured_until=moment)
    assert float(captured["value"].iloc[-1]) == 9.9, "a cut by capture still reads it"


def test_a_response_that_lacks_two_thirds_of_the_vintages_retracts_none(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """With the same observations it was no shorter than before: 478 of 720 vintages were retracted."""
    one = fred.world.series["UNRATE"] = unemployment()
    for day, more in (("2026-05-08", 0.1), ("2026-05-11", 0.2)):
        one.revise(day, {stamp: round(value + more, 2) for stamp, value in one.as_of(day).items()})
    run(con, fred, "2026-05-12", "UNRATE")
    rows = "SELECT * FROM raw.vintages ORDER BY ALL"
    before = con.execute(rows).fetchall()
    fred.world.series["UNRATE"] = unemployment()
    fred.world.series["UNRATE"].last_updated = one.last_updated + dt.timedelta(days=1)
    refused = run(con, fred, "2026-05-19", "UNRATE")
    assert refused.status == "refused"
    assert "vintages_missing: 60 of the 90 vintages" in (refused.message or "")
    assert con.execute(rows).fetchall() == before
    fred.world.series["UNRATE"] = one
    assert run(con, fred, "2026-05-20", "UNRATE").status == "unchanged"
    assert con.execute(rows).fetchall() == before


def test_a_row_deleted_inside_the_served_span_is_missing_from_the_day_it_was_noticed(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """DGS10 had a wrong row on Memorial Day, deleted the next day; at first it is the newest, and the file shorter."""
    one = fred.world.series["DGS10"] = yields("2026-05-25")
    one.value[-1] = 7.7
    run(con, fred, "2026-05-26", "DGS10")
    drop(one, "2026-05-25")
    done = [run(con, fred, day, "DGS10") for day in ("2026-05-27", "2026-06-03")]
    assert [one.status for one in done].count("refused") == 0
    assert observation_counts(con, ["DGS10"])["DGS10"].last_figure == dt.date(2026, 5, 22), "of what is left"
    for day in ("2026-06-04", "2026-06-05"):
        one.revise(day, {str(np.busday_offset(day, -1)): 4.0})
        done.append(run(con, fred, day, "DGS10"))
    assert known(con, "DGS10", "2026-05-26")["2026-05-25"] == 7.7, "it was public then"
    (withdrawing,) = [one for one in done if one.counts.withdrawn]
    message = withdrawing.message or ""
    assert "DGS10: withdrawn by the publisher" in message and "2026-05-25 was 7.7" in message
    assert known(con, "DGS10", "2026-06-05") == one.as_of("2026-06-05")


def test_a_withdrawal_that_is_all_that_happens_is_seen_and_a_history_cut_at_its_beginning_is_none(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """FRED ends the period of the newest figure, and no other vintage begins."""
    one = fred.world.series["UNRATE"] = unemployment()
    run(con, fred, "2026-05-12", "UNRATE")
    one.withdraw("2026-05-13", ["2026-04-01"])
    done = run(con, fred, "2026-05-13", "UNRATE")
    assert done.counts.withdrawn == 1 and "2026-04-01" in (done.message or "")
    for day in ("2026-05-12", "2026-05-13", "2026-05-29"):
        assert known(con, "UNRATE", day) == one.as_of(day), day
    before = known(con, "UNRATE", "2026-05-29")
    assert run(con, fred, "2026-05-20", "UNRATE").counts.appended == 0
    one.recorded_since("2025-01-01")
    counts = run(con, fred, "2026-05-29", "UNRATE").counts
    assert (counts.retracted, counts.withdrawn) == (0, 0)
    assert known(con, "UNRATE", "2026-05-29") == before


def dated(con: duckdb.DuckDBPyConnection, *observations: str) -> list[tuple[str, str]]:
    """First day and its origin of some figures held."""
    return con.execute(
        "SELECT realtime_start::VARCHAR, vintage_source FROM raw.observations "
        "WHERE observation_date IN (SELECT unnest($days)::DATE) ORDER BY observation_date",
        {"days": list(observations)},
    ).fetchall()


def test_a_figure_missing_from_a_partial_or_unchanged_response_counts_from_the_day_after(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    """Once only full refreshes counted: Tuesday's quote, posted on Friday, was dated on Wednesday."""
    one = fred.world.series["DGS10"] = yields("2026-05-25")
    drop(one, "2026-05-20")
    run(con, fred, "2026-05-26", "DGS10")
    unchanged = run(con, fred, "2026-05-27", "DGS10")
    one.touch()
    part = run(con, fred, "2026-05-28", "DGS10")
    one.revise("2026-05-29", {"2026-05-20": 4.1, "2026-05-26": 4.2})
    run(con, fred, "2026-05-29", "DGS10")
    kinds = [(p.is_unchanged, p.is_complete) for p in (unchanged.payload, part.payload) if p is not None]
    assert kinds == [(True, False), (False, False)]
    assert dated(con, "2026-05-26") == [("2026-05-29", "captured")]
    assert dated(con, "2026-05-20") == [("2026-05-27", "captured")], (
        "a partial response is no evidence about an earlier gap"
    )


@pytest.mark.parametrize(("day", "time"), [("2027-05-26", "23:30"), ("2026-05-27", "18:00")])
def test_an_earlier_run_on_that_day_or_by_a_clock_that_was_ahead_dates_no_later_figure_in_the_future(
    con: duckdb.DuckDBPyConnection, fred: FredServer, day: str, time: str
) -> None:
    one = fred.world.series["DGS10"] = yields("2026-05-25")
    run(con, fred, day, "DGS10", time)
    one.revise("2026-05-27", {"2026-05-26": 4.2})
    run(con, fred, "2026-05-27", "DGS10")
    assert dated(con, "2026-05-26") == [("2026-05-27", "lag_rule")]


def test_an_average_of_market_quotes_keeps_its_date_though_it_is_posted_later(
    con: duckdb.DuckDBPyConnection, fred: FredServer
) -> None:
    rows = [("2026-03-01", "2026-04-01", 4.2), ("2026-04-01", "2026-05-01", 4.3)]
    one = fred.world.series["GS10"] = published("GS10", rows)
    run(con, fred, "2026-05-31", "GS10")
    one.revise("2026-06-01", {"2026-05-01": 4.4})
    run(con, fred, "2026-06-01", "GS10")
    assert known(con, "GS10", "2026-05-31")["2026-05-01"] == 4.4
