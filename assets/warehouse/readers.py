"""Questions to the archive and the run's books, answered in SQL.

Belongs here: reading. Does not belong here: writing, and the as-of panel itself
(`assets/compute/archive.py`): a property test says that both answer alike.

Days come out as datetime64[s] and moments as datetime64[us], so that 9999-12-31 survives; nanoseconds would
not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Profile, Table
from assets.catalog.render import (
    qualified_name,
)
from assets.compute.archive import BITS, EPOCH, STORED_SOURCES, Archive, Captures, resolve
from assets.compute.grid import Grid, build_grid
from assets.warehouse.connection import utc
from assets.warehouse.schema import REAL, resolved
from assets.warehouse.tables import registered

_VINTAGES = """
SELECT series_id, observation_date, realtime_start, value, vintage_source, captured_at
FROM raw.vintages
WHERE $all_series OR series_id IN (SELECT unnest($series_ids))
"""


# The key as `compute.archive.pack` makes it; the stored order is nearly the sorted one, and sorting is numpy's.
_CAPTURES = f"""
SELECT
  (c.code::BIGINT << {2 * BITS})
    | (((v.observation_date - DATE '1970-01-01') + {EPOCH}) << {BITS})
    | ((v.realtime_start - DATE '1970-01-01') + {EPOCH}) AS key,
  coalesce(v.value, 'nan'::DOUBLE) AS value,
  epoch_us(v.captured_at) AS captured,
  (list_position({list(STORED_SOURCES)}, v.vintage_source) - 1)::TINYINT AS source
FROM raw.vintages AS v
JOIN (
  SELECT unnest($codes) AS code, unnest($series_ids) AS series_id
) AS c USING (series_id)
WHERE $captured_until::TIMESTAMP IS NULL OR v.captured_at <= $captured_until::TIMESTAMP
"""


_CAPTURED = """
  SELECT * FROM raw.vintages
  WHERE ($all_series OR series_id IN (SELECT unnest($series_ids)))
    AND ($captured_until::TIMESTAMP IS NULL OR captured_at <= $captured_until::TIMESTAMP)
"""


_AS_OF = f"""
WITH captured AS ({_CAPTURED})
SELECT series_id, observation_date, value, realtime_start, realtime_end, vintage_source
FROM ({resolved("captured")})
WHERE realtime_start <= $as_of AND realtime_end >= $as_of
ORDER BY series_id, observation_date
"""


# the vintages the merge would retract after a complete answer, and those it would compare (`span` in `merge.py`)
_MISSING_VINTAGES = f"""
WITH served AS (
  SELECT CAST(observation_date AS DATE) AS observation_date, CAST(realtime_start AS DATE) AS realtime_start
  FROM served_vintages
), span AS (
  SELECT min(observation_date) AS first_observation, min(realtime_start) AS first_vintage FROM served
), standing AS (
  SELECT observation_date, realtime_start, arg_max(vintage_source, captured_at) AS vintage_source
  FROM raw.vintages WHERE series_id = $series_id GROUP BY observation_date, realtime_start
), held AS (
  SELECT observation_date, realtime_start FROM standing, span
  WHERE vintage_source IN ({REAL}) AND observation_date >= span.first_observation
    AND realtime_start BETWEEN span.first_vintage AND $today
)
SELECT (SELECT count(*) FROM held ANTI JOIN served USING (observation_date, realtime_start)), count(*) FROM held
"""


# aggregates instead of the windows of raw.observations: every night asks this of the whole archive
_HOLDINGS = """
WITH held AS (
  SELECT * FROM raw.vintages WHERE $all_series OR series_id IN (SELECT unnest($series_ids))
), retracted AS (
  SELECT series_id, observation_date, realtime_start, max(captured_at) AS retracted_at
  FROM held WHERE vintage_source = 'retracted' GROUP BY ALL
), current AS (
  SELECT series_id, observation_date, count(*) AS vintages,
    arg_max(struct_pack(figure := value), (realtime_start, captured_at))
      FILTER (retracted_at IS NULL OR captured_at > retracted_at) AS newest
  FROM held LEFT JOIN retracted USING (series_id, observation_date, realtime_start)
  GROUP BY series_id, observation_date
)
SELECT series_id, sum(vintages)::BIGINT, count(*), min(observation_date), max(observation_date),
  max(observation_date) FILTER (newest.figure IS NOT NULL),
  arg_max(newest.figure, observation_date) FILTER (newest.figure IS NOT NULL)
FROM current GROUP BY series_id ORDER BY series_id
"""


@dataclass(frozen=True)
class Holding:
    """What the archive holds of a series. `last_figure` is the newest observation with a value,
    `last_value` that value in the unit of the series."""

    vintages: int
    observations: int
    first_observation: dt.date
    last_observation: dt.date
    last_figure: dt.date | None
    last_value: float | None


def load_vintages(con: duckdb.DuckDBPyConnection, series_ids: Sequence[str] | None) -> pd.DataFrame:
    """Every capture of some series (None: of all), in the shape and types `Captures.from_frame` takes."""
    ids = list(series_ids or [])
    con.execute(_VINTAGES, {"all_series": series_ids is None, "series_ids": ids})
    return frame_of(con)


def load_archive(
    con: duckdb.DuckDBPyConnection, series_ids: Sequence[str], captured_until: dt.datetime | None = None
) -> Archive:
    """The vintages that are read of some series, for the as-of panel.

    `captured_until` (aware) gives the archive as it was read at that moment.
    """
    return resolve(load_captures(con, series_ids, captured_until))


def load_captures(
    con: duckdb.DuckDBPyConnection, series_ids: Sequence[str], captured_until: dt.datetime | None = None
) -> Captures:
    """Everything stored of some series, optionally up to a moment (aware); no row passes through pandas or a text."""
    codes = {series_id: code for code, series_id in enumerate(sorted(series_ids))}
    until = utc(captured_until) if captured_until is not None else None
    asked = {"codes": list(codes.values()), "series_ids": list(codes), "captured_until": until}
    con.execute(_CAPTURES, asked)
    found = con.fetchnumpy()
    key, value, captured, source = (
        np.asarray(found[name]) for name in ("key", "value", "captured", "source")
    )
    return Captures.from_keys(codes, key, value, captured, source)


def series_as_of(
    con: duckdb.DuckDBPyConnection, series_id: str, as_of: dt.date, captured_until: dt.datetime | None = None
) -> pd.DataFrame:
    """One series as it was known on a day: a row per observation, `value` NaN where it was published as
    missing.

    Columns `series_id, observation_date, value, realtime_start, realtime_end, vintage_source`.
    `captured_until` (aware) reads the archive as it was at that moment.
    """
    return _as_of(con, [series_id], as_of, captured_until)


def some_as_of(
    con: duckdb.DuckDBPyConnection,
    series_ids: Sequence[str],
    as_of: dt.date,
    captured_until: dt.datetime | None = None,
) -> pd.DataFrame:
    """Some series as they were known on a day; see `series_as_of`."""
    return _as_of(con, series_ids, as_of, captured_until)


def all_as_of(
    con: duckdb.DuckDBPyConnection, as_of: dt.date, captured_until: dt.datetime | None = None
) -> pd.DataFrame:
    """Every series as it was known on a day; see `series_as_of`."""
    return _as_of(con, None, as_of, captured_until)


def missing_vintages(
    con: duckdb.DuckDBPyConnection, series_id: str, observations: pd.DataFrame, today: dt.date
) -> tuple[int, int]:
    """How many of the real vintages held inside the span of a complete answer are not in it, and how many are held."""
    with registered(con, observations[["observation_date", "realtime_start"]], "served_vintages"):
        rows = con.execute(_MISSING_VINTAGES, {"series_id": series_id, "today": today}).fetchall()
    missing, held = rows[0]
    return missing, held


def observation_counts(
    con: duckdb.DuckDBPyConnection, series_ids: Sequence[str] | None = None
) -> dict[str, Holding]:
    """What the archive holds of some series (None: of all), by series id."""
    asked = {"all_series": series_ids is None, "series_ids": list(series_ids or [])}
    rows = con.execute(_HOLDINGS, asked).fetchall()
    return {series_id: Holding(*rest) for series_id, *rest in rows}


def first_published(con: duckdb.DuckDBPyConnection, profile: str, method_version: str) -> dict[dt.date, int]:
    """First publication of each month-end row, in microseconds UTC, for one profile and method version."""
    rows = con.execute(
        "SELECT as_of_date, epoch_us(first_published_at) FROM ops.published_rows "
        "WHERE profile = ? AND method_version = ?",
        [profile, method_version],
    ).fetchall()
    return dict(rows)


def read_table(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    """A whole table by its "schema.table" name, in stored order. LookupError for an unknown name."""
    schema, _, table = name.partition(".")
    known = con.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
        [schema, table],
    ).fetchall()
    if known != [(1,)]:
        raise LookupError(f"the warehouse has no table {name}")
    con.execute(f'SELECT * FROM "{schema}"."{table}"')
    return frame_of(con)


def content_hash(con: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Hash of the rows of a table of the warehouse in hexadecimal digits; the order of the rows does not matter.

    It adds up DuckDB's hash of every row, which another version of DuckDB may compute differently: compare hashes
    that one version made.
    """
    query = f"SELECT coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) FROM {qualified_name(table)} AS t"
    return f"{con.execute(query).fetchall()[0][0]:x}"


def _as_of(
    con: duckdb.DuckDBPyConnection,
    series_ids: Sequence[str] | None,
    as_of: dt.date,
    captured_until: dt.datetime | None,
) -> pd.DataFrame:
    con.execute(
        _AS_OF,
        {
            "all_series": series_ids is None,
            "series_ids": list(series_ids or []),
            "as_of": as_of,
            "captured_until": utc(captured_until) if captured_until is not None else None,
        },
    )
    return frame_of(con)


def frame_of(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What was just asked for: days datetime64[s], moments datetime64[us], missing numbers NaN."""
    dates = [column[0] for column in con.description or [] if str(column[1]) == "DATE"]
    frame = con.df()
    return frame.astype(dict.fromkeys(dates, "datetime64[s]"))


def run_grid(run_date: dt.date, catalog: Catalog) -> Grid:
    """Month-ends up to a run date, and the run date itself."""
    start, end = (np.datetime64(day, "D") for day in (catalog.method.grid.start, run_date))
    return build_grid(start, end)


def first_published_column(
    con: duckdb.DuckDBPyConnection, grid: Grid, profile: Profile, catalog: Catalog
) -> pd.Series:
    """First publication of every row of the grid as a UTC timestamp; NaT for rows this run publishes first."""
    known = first_published(con, profile, catalog.method.method_version)
    moments = [np.datetime64(known.get(day, "NaT"), "us") for day in grid.as_of.tolist()]
    return pd.Series(np.array(moments, dtype="datetime64[us]"))


LABEL_ROLES = ("condition", "stance")  # roles of the series without which a publication is not complete


def why_incomplete(con: duckdb.DuckDBPyConnection, profile: Profile) -> str | None:
    """One line naming series that a condition or the stance reads and of which nothing is held; None without any."""
    wanted = {s.series_id for s in load_catalog().in_profile(profile) if s.role in LABEL_ROLES}
    held = {name for (name,) in con.execute("SELECT DISTINCT series_id FROM raw.vintages").fetchall()}
    if wanted <= held:
        return None
    return (
        f"not complete, nothing was ever fetched of {', '.join(sorted(wanted - held))}; "
        "month-ends are frozen as live only after a complete publication"
    )
