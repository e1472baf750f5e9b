"""The archive only grows: what each served figure becomes, and what it never does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import pytest

from assets.publish.manifest import publication_time
from assets.sources.protocol import Payload, observations_frame
from assets.warehouse.merge import MergeCounts, merge_source
from tests.builders import NOON, Row, a_payload, a_series, an_archive, merge_payload

DAY = dt.date(2026, 6, 1)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        yield connection


def merge(
    con: duckdb.DuckDBPyConnection,
    rows: Sequence[Row],
    run_date: dt.date = DAY,
    *,
    days_later: int = 0,
    series_id: str = "UNRATE",
    released_on: dict[np.datetime64, np.datetime64] | None = None,
) -> MergeCounts:
    return merge_payload(
        con,
        a_series(series_id),
        a_payload(rows, series_id),
        run_date=run_date,
        captured_at=NOON + dt.timedelta(days=days_later),
        fetch_id=f"fetch-{days_later}",
        released_on=released_on,
    )


def held(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, float | None, str]]:
    """Observation, start, value and source of every row, in the order of the archive's key."""
    return con.execute(
        "SELECT observation_date::VARCHAR, realtime_start::VARCHAR, value, vintage_source FROM raw.vintages "
        "ORDER BY observation_date, realtime_start, captured_at"
    ).fetchall()


def test_figures_without_vintages_over_some_days(con: duckdb.DuckDBPyConnection) -> None:
    """By lag rule at first; a change counts from its day, a second one on that day corrects it, and no row goes."""
    april, later = ("2026-04-01", None), DAY + dt.timedelta(days=7)
    assert merge(con, [("2026-03-01", 4.2), april]) == MergeCounts(2, 0, 0, 0)
    assert merge(con, [("2026-03-01", 4.2), april], days_later=1) == MergeCounts(0, 0, 0, 2)
    assert merge(con, [("2026-03-01", 4.4), april], later, days_later=7) == MergeCounts(0, 1, 0, 1)
    assert merge(con, [("2026-03-01", 4.5)], later, days_later=8) == MergeCounts(0, 0, 1, 0), (
        "April is not served"
    )
    next_day = later + dt.timedelta(days=1)
    assert merge(con, [("2026-03-01", 4.2)], next_day, days_later=9) == MergeCounts(0, 1, 0, 0), "as at first"
    assert held(con) == [
        ("2026-03-01", "2026-04-10", 4.2, "lag_rule"),
        ("2026-03-01", "2026-06-08", 4.4, "captured"),
        ("2026-03-01", "2026-06-08", 4.5, "captured"),
        ("2026-03-01", "2026-06-09", 4.2, "captured"),
        ("2026-04-01", "2026-05-10", None, "lag_rule"),
    ]


def test_real_vintages_over_some_days(con: duckdb.DuckDBPyConnection) -> None:
    """They keep their dates; a withdrawal is one of them, and a correction counts even when the clock went back."""
    rows: list[Row] = [("2026-03-01", 4.2, "2026-04-03"), ("2026-03-01", 4.3, "2026-05-08")]
    assert merge(con, rows, days_later=5) == MergeCounts(2, 0, 0, 0)
    assert merge(con, [("2026-03-01", 4.4, "2026-05-08")], days_later=0) == MergeCounts(0, 0, 1, 0)
    assert con.execute("SELECT value FROM raw.observations ORDER BY ALL").fetchall() == [(4.2,), (4.4,)]
    assert merge(con, [rows[0], ("2026-03-01", 4.4, "2026-05-08")], days_later=6) == MergeCounts(0, 0, 0, 2)
    withdrawn: list[Row] = [("2026-03-01", None, "2026-06-05")]
    assert merge(con, withdrawn, days_later=7) == MergeCounts(0, 0, 0, 0, withdrawn=1)
    assert [row[1:3] for row in held(con)][-1] == ("2026-06-05", None)
    assert {row[3] for row in held(con)} == {"alfred"}


def test_change_before_first_publication_by_rule_replaces_it_then(con: duckdb.DuckDBPyConnection) -> None:
    """A row dated ahead must not bring the former value back on its day."""
    merge(con, [("2026-05-01", 4.2)])  # public on 2026-06-10 by rule
    assert merge(con, [("2026-05-01", 4.4)], days_later=1) == MergeCounts(0, 0, 1, 0)
    assert [row[1:3] for row in held(con)] == [("2026-06-10", 4.2), ("2026-06-10", 4.4)]


@pytest.mark.parametrize(
    ("value", "published", "start", "source"),
    [
        (None, None, "2025-11-10", "lag_rule"),  # published as missing
        (4.4, "2025-11-20", "2025-11-20", "lag_rule"),  # a delayed release replaces the rule
        (None, "NaT", "2025-11-10", "lag_rule"),  # never published
        (4.5, "NaT", "2026-06-01", "captured"),  # never published yet served: not known in its own past
    ],
)
def test_a_figure_is_dated_by_rule_by_its_release_or_by_the_run(
    con: duckdb.DuckDBPyConnection, value: float | None, published: str | None, start: str, source: str
) -> None:
    releases = {np.datetime64("2025-10-01"): np.datetime64(published, "D")} if published else {}
    assert merge(con, [("2025-10-01", value)], released_on=releases) == MergeCounts(1, 0, 0, 0)
    assert held(con) == [("2025-10-01", start, value, source)]


def test_only_the_first_vintage_speaks_by_rule_for_the_time_before_it(con: duckdb.DuckDBPyConnection) -> None:
    """One fetched later does not reach back, even alone; what ALFRED dates later stands next to what we captured."""
    first: list[Row] = [("2000-01-01", 4.0, "2005-03-01"), ("2005-01-01", 5.3, "2005-03-01")]
    expected = [
        ("2000-01-01", "2000-02-10", 4.0, "lag_rule"),
        ("2000-01-01", "2005-03-01", 4.0, "alfred"),
        ("2005-01-01", "2005-02-10", 5.3, "lag_rule"),
        ("2005-01-01", "2005-03-01", 5.3, "alfred"),
    ]
    for run, counts in enumerate((MergeCounts(4, 0, 0, 0), MergeCounts(0, 0, 0, 2))):
        assert merge(con, first, days_later=run) == counts
        assert held(con) == expected
    later: list[Row] = [("2000-01-01", 4.1, "2006-03-01"), ("1999-01-01", 3.9, "2006-03-01")]
    merge(con, later, days_later=2)
    assert sorted(set(held(con)) - set(expected)) == [
        ("1999-01-01", "2006-03-01", 3.9, "alfred"),
        ("2000-01-01", "2006-03-01", 4.1, "alfred"),
    ]
    merge(con, [("2026-03-01", 4.2)], days_later=3, series_id="GS10")
    merge(con, [("2026-03-01", 4.4)], days_later=4, series_id="GS10")
    seen: list[Row] = [("2026-03-01", 4.4, "2026-05-08")]
    assert merge(con, seen, days_later=5, series_id="GS10") == MergeCounts(0, 1, 0, 0)
    assert [row[3] for row in held(con)[-3:]] == ["lag_rule", "alfred", "captured"]


def test_of_a_vintage_and_a_figure_of_one_day_the_vintage_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    """The key of the archive has one place for a day: both at once failed the whole source."""

    def night(figure: float, day: int) -> MergeCounts:
        rows: list[Row] = [("2026-03-01", 4.2, "2026-05-15"), ("2026-03-01", 4.3, "2026-06-15")]
        payload = a_payload([*rows, ("2026-03-01", figure)], vintage_source="rtdsm")
        return merge_payload(
            con,
            a_series("UNRATE"),
            payload,
            run_date=dt.date(2026, 6, day),
            captured_at=NOON + dt.timedelta(days=day),
            fetch_id=f"fetch-{day}",
        )

    night(4.4, 15)
    assert [row[1:] for row in held(con)[-2:]] == [("2026-05-15", 4.2, "rtdsm"), ("2026-06-15", 4.3, "rtdsm")]
    assert night(4.4, 16).appended == 1
    assert held(con)[-1][1:] == ("2026-06-16", 4.4, "captured")
    assert night(4.3, 17).appended == 1, "it went back"


def test_figure_seen_by_us_first_keeps_both_dates(con: duckdb.DuckDBPyConnection) -> None:
    """What ALFRED dates later is appended next to what we captured."""
    merge(con, [("2026-03-01", 4.2)])
    merge(con, [("2026-03-01", 4.4)], days_later=1)
    assert merge(con, [("2026-03-01", 4.4, "2026-05-08")], days_later=2) == MergeCounts(0, 1, 0, 0)
    assert [row[3] for row in held(con)] == ["lag_rule", "alfred", "captured"]


def test_one_bad_series_leaves_nothing_of_its_source_and_a_good_one_touches_no_other(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """One transaction per source: what cannot be written takes the others with it."""
    good = (a_series("GS10"), a_payload([("2026-03-01", 4.5), ("2026-04-01", 4.6)], "GS10"), "f1")
    twice = a_payload([("2026-03-01", 4.2), ("2026-03-01", 4.3)])
    with pytest.raises(duckdb.ConstraintException):
        merge_source(con, [good, (a_series(), twice, "f2")], run_date=DAY, captured_at=NOON, released_on={})
    assert held(con) == []
    fetched = [good, (a_series(), a_payload([("2026-03-01", 4.2)]), "f2")]
    counts = merge_source(con, fetched, run_date=DAY, captured_at=NOON, released_on={})
    assert counts == {"UNRATE": MergeCounts(1, 0, 0, 0), "GS10": MergeCounts(2, 0, 0, 0)}
    assert merge(con, [("2026-03-01", 4.3)], days_later=1) == MergeCounts(0, 1, 0, 0)
    assert con.execute("SELECT count(*) FROM raw.vintages WHERE series_id = 'GS10'").fetchall() == [(2,)]


def test_a_history_estimated_anew_every_week_is_merged_again_within_little_memory(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Joined vintage by vintage, 300 figures in 300 vintages are 27 million pairs: a real NFCI took 20 GB."""
    stamps = np.arange(np.datetime64("2005-01-07"), np.datetime64("2005-01-07") + 300 * 7, 7)
    days = np.arange(np.datetime64("2012-01-04"), np.datetime64("2012-01-04") + 300 * 7, 7)
    observations = observations_frame(
        np.tile(stamps, len(days)), np.arange(300.0 * 300) / 1e5, np.repeat(days, len(stamps))
    )
    payload = Payload("NFCI", observations, "sample_data/NFCI.csv")
    con.execute("SET memory_limit = '200MB'; SET max_temp_directory_size = '0KB'")
    for run in range(2):
        counts = merge_source(
            con, [(a_series("NFCI"), payload, f"fetch-{run}")], run_date=DAY,
            captured_at=NOON + dt.timedelta(days=run), released_on={},
        )["NFCI"]  # fmt: skip
    assert counts == MergeCounts(0, 0, 0, 90_000)


def test_what_comes_while_the_clock_is_behind_counts_as_later_than_the_last_publication() -> None:
    """Else a release could not be recomputed without what came after it."""
    with an_archive() as con:
        con.execute(
            "INSERT INTO ops.publications (release_id, run_id, profile, method_version, as_of_date, published_at, "
            "regime, condition_state, new_month_ends, file_bytes, file_sha256, captured_until) "
            "VALUES ('r', 'r', 'live', '2', '2026-06-01', '2026-06-02', 'x', 'bubble', 0, 0, '0', '2026-06-02')"
        )
        merge_payload(con, a_series(), a_payload([("2026-04-01", 4.3)]))
        captured = con.execute("SELECT captured_at > TIMESTAMP '2026-06-02' FROM raw.vintages").fetchall()
        assert captured == [(True,)]
        assert publication_time(con, NOON) > dt.datetime(2026, 6, 2), "and so does the next publication"
