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
