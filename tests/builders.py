"""Small series, payloads and archives for tests, with everything a test does not care about filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.sources.protocol import Payload, observations_frame
from assets.warehouse.connection import CONFIG
from assets.warehouse.merge import MergeCounts, ReleasedOn, merge_source
from assets.warehouse.readers import vintages_as_of
from assets.warehouse.schema import create_schema

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
TODAY = NOON.date()
# observation date, value (None: published as missing), and, where the source gives it, the vintage's first day
Row = tuple[str, float | None] | tuple[str, float | None, str]


def a_series(series_id: str = "UNRATE", **changes: object) -> Series:
    """A series of the catalogue, with other keys where a test needs them."""
    return load_catalog().series[series_id].model_copy(update=changes)


def a_payload(rows: Sequence[Row], series_id: str = "UNRATE", **changes: object) -> Payload:
    """What a source served, from rows of text and numbers."""
    starts = [row[2] if len(row) == 3 else "NaT" for row in rows]
    values = [np.nan if row[1] is None else row[1] for row in rows]
    stated: dict[str, object] = {
        "unit": "Percent",
        "frequency": "M",
        "where": f"sample_data/{series_id}.csv",
    }
    observations = observations_frame([row[0] for row in rows], values, starts)
    return Payload(series_id=series_id, observations=observations, **{**stated, **changes})


@contextmanager
def an_archive() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse in memory, with its tables."""
    with duckdb.connect(":memory:", config=CONFIG) as con:
        create_schema(con, load_catalog())
        yield con


def vintages_in_force(con: duckdb.DuckDBPyConnection, observation: str) -> list[tuple[str, float, str]]:
    """Start, value and source of the vintages of an observation that count."""
    return con.execute(
        "SELECT realtime_start::VARCHAR, value, vintage_source FROM raw.observations "
        "WHERE observation_date = ?::DATE ORDER BY 1",
        [observation],
    ).fetchall()


def merge_payload(
    con: duckdb.DuckDBPyConnection,
    series: Series,
    payload: Payload,
    *,
    run_date: dt.date = TODAY,
    captured_at: dt.datetime = NOON,
    fetch_id: str = "f",
    released_on: ReleasedOn | None = None,
) -> MergeCounts:
    """Append what was served for one series."""
    counts = merge_source(
        con,
        [(series, payload, fetch_id)],
        run_date=run_date,
        captured_at=captured_at,
        released_on={series.series_id: released_on or {}},
    )
    return counts[series.series_id]


def series_as_of(
    con: duckdb.DuckDBPyConnection, series_id: str, as_of: dt.date, captured_until: dt.datetime | None = None
) -> pd.DataFrame:
    """One series as it was known on a day, from the archive as it was at a moment."""
    return vintages_as_of(con, as_of, [series_id], captured_until)
