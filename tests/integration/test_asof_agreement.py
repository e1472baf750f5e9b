"""What was known when: the vectorised archive, the SQL readers and a plain loop give one answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.catalog.render import insert_by_name
from assets.compute.archive import ABSENT, SOURCES, STORED_SOURCES, Archive, Captures, captured_by, resolve
from assets.compute.calendar import days
from assets.warehouse.readers import load_captures, read_table, vintages_as_of
from assets.warehouse.writing import registered
from tests.builders import NOON, an_archive, series_as_of

SERIES = ("AAA", "BBB")
FIRST = dt.date(2024, 1, 1)
Answer = dict[dt.date, tuple[float, dt.date, str]]


@dataclass(frozen=True, order=True)
class Vintage:
    """One row of the archive. Equal keys are drawn often, so that corrections and late captures happen."""

    series_id: str
    observation: dt.date
    start: dt.date
    captured: dt.datetime
    value: float | None
    source: str

    @property
    def key(self) -> tuple[str, dt.date, dt.date, dt.datetime]:
        return (self.series_id, self.observation, self.start, self.captured)


near_days = st.integers(0, 12).map(lambda n: FIRST + dt.timedelta(days=n))
moments = st.integers(0, 4).map(lambda n: NOON + dt.timedelta(microseconds=n))
vintages = st.builds(
    Vintage,
    st.sampled_from(SERIES),
    st.integers(0, 3).map(lambda n: FIRST + dt.timedelta(days=3 * n)),
    near_days,
    moments,
    st.one_of(st.none(), st.integers(-3, 3).map(float)),
    st.sampled_from(STORED_SOURCES[1:]),
)
archives = st.lists(vintages, max_size=40, unique_by=lambda vintage: vintage.key)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        yield connection


def store(con: duckdb.DuckDBPyConnection, rows: list[Vintage]) -> None:
    """The rows alone in the archive."""
    table = load_catalog().tables["vintages"]
    frame = pd.DataFrame(
        {
            "series_id": [row.series_id for row in rows],
            "observation_date": np.array([row.observation for row in rows], dtype="datetime64[s]"),
            "realtime_start": np.array([row.start for row in rows], dtype="datetime64[s]"),
            "value": np.array([np.nan if row.value is None else row.value for row in rows]),
            "vintage_source": [row.source for row in rows],
            "captured_at": np.array(
                [row.captured.replace(tzinfo=None) for row in rows], dtype="datetime64[us]"
            ),
            "fetch_id": "f",
        }
    )
    con.execute("DELETE FROM raw.vintages")
    with registered(con, frame):
        con.execute(insert_by_name(table, "incoming_frame"))


def read_by_loop(rows: list[Vintage], series_id: str, captured_until: dt.datetime | None) -> list[Vintage]:
    """What is read of a series, word by word as the methodology has it."""
    stored: dict[tuple[dt.date, dt.date], Vintage] = {}
    for row in sorted(rows, key=lambda row: row.captured):
        if row.series_id == series_id and (captured_until is None or row.captured <= captured_until):
            stored[row.observation, row.start] = row
    listed = [row for row in stored.values() if row.source != "retracted"]
    real = [row for row in listed if row.source in ("alfred", "rtdsm", "publisher")]
    read = []
    for row in listed:
        of_observation = [other for other in real if other.observation == row.observation]
        if row.source == "lag_rule" and of_observation:
            begins, first = (
                min(other.start for other in real),
                min(of_observation, key=lambda other: other.start),
            )
            is_before_the_history = first.start == begins and row.start < begins
            is_before_a_late_vintage = first.source == "rtdsm" and row.start < first.start
            if not (is_before_the_history or is_before_a_late_vintage):
                continue
        read.append(row)
    return read


def by_loop(
    rows: list[Vintage], series_id: str, as_of: dt.date, captured_until: dt.datetime | None
) -> Answer:
    """Of what is read, the greatest start on or before the day; a missing value is missing."""
    read = read_by_loop(rows, series_id, captured_until)
    answer: Answer = {}
    for observation in {row.observation for row in read}:
        known = [row for row in read if row.observation == observation and row.start <= as_of]
        if known:
            newest = max(known, key=lambda row: row.start)
            if newest.value is not None:
                answer[observation] = (newest.value, newest.start, newest.source)
    return answer


def by_archive(archive: Archive, series_id: str, as_of: dt.date) -> Answer:
    observations = archive.observations(series_id).dates
    rows = archive.rows_as_of(series_id, observations, days(as_of))
    return {
        day.item(): (
            float(archive.value[row]),
            archive.realtime_start(row).item(),
            SOURCES[archive.source[row]],
        )
        for day, row in zip(observations, rows, strict=True)
        if row != ABSENT
    }


def by_sql(frame: pd.DataFrame) -> Answer:
    return {
        row.observation_date.date(): (row.value, row.realtime_start.date(), row.vintage_source)
        for row in frame.itertuples()
        if not np.isnan(row.value)
    }


@given(archives, near_days, st.one_of(st.none(), moments))
def test_archive_sql_and_rule_agree(
    con: duckdb.DuckDBPyConnection, rows: list[Vintage], as_of: dt.date, captured_until: dt.datetime | None
) -> None:
    store(con, rows)
    both = (Captures.from_frame(read_table(con, "raw.vintages")), load_captures(con, SERIES))
    if captured_until is not None:
        moment = int(captured_until.timestamp() * 1e6)
        both = tuple(captured_by(captures, moment) for captures in both)
    every = vintages_as_of(con, as_of, None, captured_until)
    for series_id in SERIES:
        expected = by_loop(rows, series_id, as_of, captured_until)
        assert by_sql(series_as_of(con, series_id, as_of, captured_until)) == expected
        assert by_sql(every[every["series_id"] == series_id]) == expected
        for archive in map(resolve, both):
            assert by_archive(archive, series_id, as_of) == expected
            assert archive.has(series_id) == bool(read_by_loop(rows, series_id, captured_until))
            assert max(archive.source, default=0) < len(SOURCES)


@settings(max_examples=40)
@given(archives, near_days)
def test_interval_of_the_view_agrees_with_the_newest_start(
    con: duckdb.DuckDBPyConnection, rows: list[Vintage], as_of: dt.date
) -> None:
    """The published macros filter on the interval; the readers take the newest start. No two intervals hold a day."""
    store(con, rows)
    seen = con.execute(
        "SELECT series_id, observation_date, value, realtime_start, realtime_end, vintage_source "
        "FROM raw.observations WHERE realtime_start <= ? AND realtime_end >= ? ORDER BY ALL",
        [as_of, as_of],
    ).fetchall()
    frame = vintages_as_of(con, as_of)
    assert len(seen) == len(frame)
    for series_id in SERIES:
        of_series = [row for row in seen if row[0] == series_id and row[2] is not None]
        assert {row[1]: (row[2], row[3], row[5]) for row in of_series} == by_loop(
            rows, series_id, as_of, None
        )
