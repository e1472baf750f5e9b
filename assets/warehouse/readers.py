"""Queries to the archive in SQL, compared by a property test with `assets/compute/archive.py`; files the user brings.

Days come as datetime64[s] and moments as datetime64[us], so that 9999-12-31 survives; in nanoseconds it would not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Profile, Table
from assets.catalog.render import qualified_name
from assets.compute.archive import BITS, EPOCH, STORED_SOURCES, Archive, Captures, resolve
from assets.compute.grid import Grid, build_grid
from assets.sources.protocol import Payload
from assets.warehouse.connection import utc
from assets.warehouse.schema import resolved
from assets.warehouse.writing import registered

if TYPE_CHECKING:
    from assets.catalog.models import Catalog
    from assets.catalog.outside import BroughtFile
    from assets.run_facts import RunFacts


LABEL_ROLES = ("condition", "stance")  # roles of the series without which a publication is not complete
BLOCKING_ROLES = (*LABEL_ROLES, "published")  # of those whose refused payload blocks the publication
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
"""
_AS_OF = f"""
WITH captured AS (
  SELECT * FROM raw.vintages
  WHERE ($all_series OR series_id IN (SELECT unnest($series_ids)))
    AND ($captured_until::TIMESTAMP IS NULL OR captured_at <= $captured_until::TIMESTAMP)
)
SELECT series_id, observation_date, value, realtime_start, realtime_end, vintage_source
FROM ({resolved("captured")})
WHERE realtime_start <= $as_of AND realtime_end >= $as_of
ORDER BY series_id, observation_date
"""
# The vintages the merge would retract after a complete payload, and those it would compare (`span` in `merge.py`).
_MISSING_VINTAGES = """
WITH served AS (
  SELECT CAST(observation_date AS DATE) AS observation_date, CAST(realtime_start AS DATE) AS realtime_start
  FROM served_vintages
), span AS (
  SELECT min(observation_date) AS first_observation, min(realtime_start) AS first_vintage FROM served
), last_captured AS (
  SELECT observation_date, realtime_start, arg_max(vintage_source, captured_at) AS vintage_source
  FROM raw.vintages WHERE series_id = $series_id GROUP BY observation_date, realtime_start
), stored AS (
  SELECT observation_date, realtime_start FROM last_captured, span
  WHERE vintage_source = $vintage_source AND observation_date >= span.first_observation
    AND realtime_start BETWEEN span.first_vintage AND $today
)
SELECT (SELECT count(*) FROM stored ANTI JOIN served USING (observation_date, realtime_start)), count(*) FROM stored
"""
# aggregates instead of the windows of raw.observations: every run queries the full archive
_HOLDINGS = """
WITH stored AS (
  SELECT * FROM raw.vintages WHERE $all_series OR series_id IN (SELECT unnest($series_ids))
), retracted AS (
  SELECT series_id, observation_date, realtime_start, max(captured_at) AS retracted_at
  FROM stored WHERE vintage_source = 'retracted' GROUP BY ALL
), current AS (
  SELECT series_id, observation_date, count(*) AS vintages,
    arg_max(struct_pack(figure := value), (realtime_start, captured_at))
      FILTER (retracted_at IS NULL OR captured_at > retracted_at) AS newest
  FROM stored LEFT JOIN retracted USING (series_id, observation_date, realtime_start)
  GROUP BY series_id, observation_date
)
SELECT series_id, sum(vintages)::BIGINT, count(*), min(observation_date), max(observation_date),
  max(observation_date) FILTER (newest.figure IS NOT NULL),
  arg_max(newest.figure, observation_date) FILTER (newest.figure IS NOT NULL)
FROM current GROUP BY series_id ORDER BY series_id
"""


@dataclass(frozen=True)
class Holding:
    """What the archive has of a series. `last_figure`: newest observation with a value, which is `last_value`."""

    vintages: int
    observations: int
    first_observation: dt.date
    last_observation: dt.date
    last_figure: dt.date | None
    last_value: float | None


def load_archive(con: duckdb.DuckDBPyConnection, series_ids: Sequence[str]) -> Archive:
    """The vintages in force of some series, for the as-of panel."""
    return resolve(load_captures(con, series_ids))


def load_captures(con: duckdb.DuckDBPyConnection, series_ids: Sequence[str]) -> Captures:
    """Everything stored of some series; no row passes through pandas or text."""
    codes = {series_id: code for code, series_id in enumerate(sorted(series_ids))}
    con.execute(_CAPTURES, {"codes": list(codes.values()), "series_ids": list(codes)})
    found = con.fetchnumpy()
    return Captures.from_keys(
        codes, *(np.asarray(found[name]) for name in ("key", "value", "captured", "source"))
    )


def vintages_as_of(
    con: duckdb.DuckDBPyConnection,
    as_of: dt.date,
    series_ids: Sequence[str] | None = None,
    captured_until: dt.datetime | None = None,
) -> pd.DataFrame:
    """Some series (None: all) as known on a day: a row per observation, `value` NaN where published as missing.

    Columns `series_id, observation_date, value, realtime_start, realtime_end, vintage_source`. `captured_until` (aware)
    reads the archive as it was at that moment.
    """
    parameters = {
        "all_series": series_ids is None,
        "series_ids": list(series_ids or []),
        "as_of": as_of,
        "captured_until": utc(captured_until) if captured_until is not None else None,
    }
    return frame_of(con, _AS_OF, parameters)


def missing_vintages(con: duckdb.DuckDBPyConnection, payload: Payload, today: dt.date) -> tuple[int, int]:
    """How many stored vintages of its source, inside its span, a complete payload lacks, and how many are there."""
    about = {"series_id": payload.series_id, "vintage_source": payload.vintage_source, "today": today}
    with registered(con, payload.observations[["observation_date", "realtime_start"]], "served_vintages"):
        ((missing, stored),) = con.execute(_MISSING_VINTAGES, about).fetchall()
    return missing, stored


def observation_counts(
    con: duckdb.DuckDBPyConnection, series_ids: Sequence[str] | None = None
) -> dict[str, Holding]:
    """What the archive has of some series (None: of all), by series id."""
    parameters = {"all_series": series_ids is None, "series_ids": list(series_ids or [])}
    rows = con.execute(_HOLDINGS, parameters).fetchall()
    return {series_id: Holding(*rest) for series_id, *rest in rows}


def why_incomplete(con: duckdb.DuckDBPyConnection, profile: Profile) -> str | None:
    """One line naming series with a role in the label of which nothing is stored; None when there are none."""
    wanted = {s.series_id for s in load_catalog().in_profile(profile) if s.role in LABEL_ROLES}
    stored = {name for (name,) in con.execute("SELECT DISTINCT series_id FROM raw.vintages").fetchall()}
    if wanted <= stored:
        return None
    return (
        f"not complete, nothing was ever fetched of {', '.join(sorted(wanted - stored))}; "
        "month-ends are frozen as live only after a complete publication"
    )


def run_grid(run_date: dt.date, catalog: Catalog) -> Grid:
    """Month-ends up to a run date, and the run date itself."""
    start, end = (np.datetime64(day, "D") for day in (catalog.method.grid.start, run_date))
    return build_grid(start, end)


def first_published_column(
    con: duckdb.DuckDBPyConnection, grid: Grid, profile: Profile, catalog: Catalog
) -> pd.Series:
    """First publication of every row of the grid as a UTC timestamp; NaT for rows this run publishes first."""
    known = dict(
        con.execute(
            "SELECT as_of_date, first_published_at FROM ops.published_rows WHERE profile = ? AND method_version = ?",
            [profile, catalog.method.method_version],
        ).fetchall()
    )
    moments = [np.datetime64(known.get(day, "NaT"), "us") for day in grid.as_of.tolist()]
    return pd.Series(np.array(moments, dtype="datetime64[us]"))


def read_table(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    """A full table by its "schema.table" name, in stored order. Raises duckdb.CatalogException for an unknown one."""
    schema, _, table = name.partition(".")
    return frame_of(con, f'SELECT * FROM "{schema}"."{table}"')


def frame_of(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> pd.DataFrame:
    """Rows of a query: days datetime64[s], moments datetime64[us], missing numbers NaN."""
    con.execute(query, parameters)
    dates = [column[0] for column in con.description or [] if str(column[1]) == "DATE"]
    return con.df().astype(dict.fromkeys(dates, "datetime64[s]"))


def content_hash(con: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Hash of the rows of a table in hexadecimal digits, whatever their order; comparable within one DuckDB version."""
    query = f"SELECT coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) FROM {qualified_name(table)} AS t"
    return f"{con.execute(query).fetchall()[0][0]:x}"


def brought_files(catalog: Catalog, facts: RunFacts) -> dict[str, pd.Series]:
    """Monthly figures by outside reference, of the files that exist. Raises ValueError, one line, for another shape."""
    folder = facts.published_path.parents[1] / "outside"
    files = {name: entry.file for name, entry in catalog.outside_references.items() if entry.file}
    return {
        name: _monthly(folder / file.name, file)
        for name, file in files.items()
        if (folder / file.name).is_file()
    }


def _monthly(path: Path, file: BroughtFile) -> pd.Series:
    """The column by first day of the month, ascending; a month without a figure is missing."""
    try:
        rows = pd.read_csv(path)
        days = pd.to_datetime(rows[["year", "month"]].assign(day=1))
        figures = pd.Series(pd.to_numeric(rows[file.column]).to_numpy(dtype="float64"), days).sort_index()
    except (KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"outside/{path.name}: not a table with the columns year, month and {file.column} ({reason}): replace it, "
            "or remove it to run without this reference"
        ) from None
    if not figures.index.is_unique:
        raise ValueError(f"outside/{path.name}: a month is there twice: replace the file, or remove it")
    return figures
