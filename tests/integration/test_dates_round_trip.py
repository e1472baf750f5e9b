"""Dates survive DuckDB, pandas, polars and Arrow; an open end is 9999-12-31 everywhere, never a nanosecond."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.readers import read_table
from assets.warehouse.schema import KEPT_TABLES, open_warehouse
from tests.builders import NOON, Row, a_payload, a_series, merge_payload, series_as_of

OPEN_END = dt.date(9999, 12, 31)
MOMENT = NOON.replace(microsecond=123_457)
# before and after what fits in nanoseconds (1677-09-21 to 2262-04-11), a leap day, a year's ends
ROWS: list[Row] = [
    ("1600-03-01", 1.0, "1600-04-03"),
    ("1999-12-31", 2.0, "2000-02-29"),
    ("1999-12-31", 2.1, "2024-12-31"),
    ("2024-02-29", None, "2024-03-01"),
    ("2025-01-01", 3.0, "2500-01-01"),
]
EXPECTED = [
    (dt.date(1600, 3, 1), dt.date(1600, 4, 3), OPEN_END),
    (dt.date(1999, 12, 31), dt.date(2000, 2, 29), dt.date(2024, 12, 30)),
    (dt.date(1999, 12, 31), dt.date(2024, 12, 31), OPEN_END),
    (dt.date(2024, 2, 29), dt.date(2024, 3, 1), OPEN_END),
    (dt.date(2025, 1, 1), dt.date(2500, 1, 1), OPEN_END),
]
QUERY = (
    "SELECT observation_date, realtime_start, realtime_end, captured_at FROM raw.observations "
    "WHERE vintage_source = 'alfred' ORDER BY ALL"
)
Leg = Callable[[duckdb.DuckDBPyConnection], Any]
LEGS: dict[str, Leg] = {
    "pandas": lambda con: con.execute(QUERY).df(),
    "polars": lambda con: con.sql(QUERY).pl(),
    "arrow": lambda con: con.sql(QUERY).to_arrow_table(),
    "pandas through arrow": lambda con: con.sql(QUERY).to_arrow_table().to_pandas(),
    "polars through arrow to pandas": lambda con: con.sql(QUERY).pl().to_pandas(),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse on disk, closed after it was filled."""
    path = tmp_path_factory.mktemp("dates") / "warehouse.duckdb"
    with open_warehouse(path) as con:
        merge_payload(con, a_series(), a_payload(ROWS), run_date=dt.date(2500, 1, 1), captured_at=MOMENT)
    return path


@pytest.fixture
def con(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(path) as connection:
        yield connection


@pytest.mark.parametrize("leg", LEGS)
def test_dates_come_back_from_every_library(con: duckdb.DuckDBPyConnection, leg: str) -> None:
    """Out into the library and back into DuckDB: the same days, the same moment, the same types."""
    frame = LEGS[leg](con)
    con.register("came_back", frame)
    rows = con.execute(
        "SELECT observation_date::DATE, realtime_start::DATE, realtime_end::DATE, captured_at::TIMESTAMP "
        "FROM came_back ORDER BY ALL"
    ).fetchall()
    con.unregister("came_back")
    assert [row[:3] for row in rows] == EXPECTED
    assert {row[3] for row in rows} == {MOMENT.replace(tzinfo=None)}


def test_nothing_the_readers_give_is_in_nanoseconds(con: duckdb.DuckDBPyConnection) -> None:
    tables = load_catalog().tables
    frames = [
        read_table(con, "raw.vintages"),
        series_as_of(con, "UNRATE", dt.date(2500, 1, 1)),
        read_table(con, "raw.observations"),
        *(read_table(con, f"{tables[name].layer}.{name}") for name in KEPT_TABLES),
    ]
    for frame in frames:
        assert not [name for name, dtype in frame.dtypes.items() if str(dtype) == "datetime64[ns]"]


def test_open_end_reaches_pandas_as_it_is(con: duckdb.DuckDBPyConnection) -> None:
    frame = series_as_of(con, "UNRATE", dt.date(2500, 1, 1))
    assert (frame["realtime_end"] == np.datetime64("9999-12-31", "s")).all()
    with pytest.raises(pd.errors.OutOfBoundsDatetime):  # what this house must never ask for
        frame["realtime_end"].astype("datetime64[ns]")
