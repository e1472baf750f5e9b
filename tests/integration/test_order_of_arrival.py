"""Whatever order payloads arrive in, the archive is read the same; so a source that was down heals completely."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.sources.protocol import Payload
from tests.builders import NOON, Row, a_payload, a_series, an_archive, merge_payload

pytestmark = pytest.mark.slow

FIRST = np.datetime64("2020-01-01", "D")
MONTHS = np.arange("2019-06", "2020-06", dtype="datetime64[M]")
Vintage = tuple[str, int, float | None]  # observation, day of its start since FIRST, value
vintages = st.lists(
    st.tuples(
        st.sampled_from([f"{month}-01" for month in MONTHS]),
        st.integers(0, 200),
        st.one_of(st.none(), st.integers(1, 9).map(float)),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
)
# what an answer covers: starts after the first day, up to the second; complete answers begin with the history
windows = st.lists(st.tuples(st.integers(-1, 150), st.integers(1, 200)), min_size=1, max_size=4)


@dataclass(frozen=True)
class Arriving:
    payload: Payload
    day: dt.date


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        yield connection


def read_after(con: duckdb.DuckDBPyConnection, arriving: Sequence[Arriving]) -> list[tuple]:
    """What is read of the archive once the payloads have come in this order."""
    con.execute("DELETE FROM raw.vintages")
    for n, one in enumerate(arriving):
        series, moment = a_series(one.payload.series_id, first_public_on=None), NOON + dt.timedelta(hours=n)
        merge_payload(con, series, one.payload, run_date=one.day, captured_at=moment, fetch_id=f"f{n}")
    return con.execute("SELECT * EXCLUDE captured_at FROM raw.observations ORDER BY ALL").fetchall()


def answers(truth: list[Vintage], asked: list[tuple[int, int]]) -> list[Arriving]:
    """What the publisher serves of its vintages for each window, the last time everything."""
    arriving = []
    for since, until in [*asked, (-1, 200)]:
        rows: list[Row] = [
            (stamp, value, str(FIRST + start)) for stamp, start, value in truth if since < start <= until
        ]
        if rows:
            payload = a_payload(rows, is_complete=since < 0)
            arriving.append(Arriving(payload, (FIRST + until).astype(object)))
    return arriving


@settings(max_examples=30, deadline=None)
@given(vintages, windows, st.randoms())
def test_real_vintages_are_read_the_same_in_whatever_order_they_came(
    con: duckdb.DuckDBPyConnection, truth: list[Vintage], asked: list[tuple[int, int]], random: Random
) -> None:
    arriving = answers(truth, asked)
    expected = read_after(con, arriving[-1:])
    assert read_after(con, arriving) == expected, "healing ends where one complete answer would have"
    shuffled = random.sample(arriving, len(arriving))
    assert read_after(con, shuffled) == expected


plain_days = st.lists(
    st.dictionaries(
        st.sampled_from(["GS10", "TB3MS", "FEDFUNDS"]), st.lists(st.integers(1, 9), min_size=1, max_size=4)
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=20, deadline=None)
@given(plain_days, st.randoms())
def test_the_order_within_a_day_means_nothing_for_series_without_vintages(
    con: duckdb.DuckDBPyConnection, served: list[dict[str, list[int]]], random: Random
) -> None:
    """The day itself is information there: a changed or deleted figure counts from the day we saw it."""
    in_order, shuffled = [], []
    for n, day in enumerate(served):
        today = dt.date(2020, 6, 1) + dt.timedelta(days=n)
        came = [
            Arriving(
                a_payload([(f"2020-0{m}-01", float(v)) for m, v in enumerate(values, 1)], series_id), today
            )
            for series_id, values in day.items()
        ]
        in_order += came
        shuffled += random.sample(came, len(came))
    assert read_after(con, shuffled) == read_after(con, in_order)
