"""The as-of panel by five engines: for every series and month-end the newest figure, and those half a year and a year
before it, each as known that day.

Belongs here: each engine at its best. Does not belong here: generating (`vintages.py`), timing (`test_asof_panel.py`).

Every engine is given rows in the archive's own order and answers with an array of (series, date, lag), NaN where
nothing was known. Whatever it must sort or index first is part of its work.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from assets.compute.archive import Archive
from assets.compute.calendar import Days, stamp_before
from tests.benchmarks.vintages import HALF_YEAR, YEAR, Vintages, archive_of

Panel = npt.NDArray[np.float64]
_DAY = np.timedelta64(1, "D")
_NAT = np.datetime64("NaT", "D")


def house(vintages: Vintages, as_of: Days) -> Panel:
    """The project's own: packed keys, one binary search an answer."""
    archive = archive_of(vintages)
    return np.stack([_of_series(archive, code, vintages, as_of) for code in range(vintages.series)])


def _of_series(archive: Archive, code: int, vintages: Vintages, as_of: Days) -> Panel:
    held = archive.observations(str(code))
    at = held.newest_position(as_of)
    newest = np.where(at >= 0, held.dates[np.maximum(at, 0)], _NAT)
    rows = archive.rows_as_of(str(code), _targets(newest, vintages.is_monthly[code]), as_of[:, None])
    return archive.take(archive.value, rows, np.nan)


def _targets(newest: Days, is_monthly: bool) -> Days:
    """The newest observation and those two lags before it, one column each."""
    if is_monthly:
        return np.stack([newest, stamp_before(newest, 6), stamp_before(newest, 12)], axis=1)
    return np.stack([newest, newest - HALF_YEAR * _DAY, newest - YEAR * _DAY], axis=1)


def pandas_merge_asof(vintages: Vintages, as_of: Days) -> Panel:
    """`merge_asof` written well: sorted once, one integer as `by`, running maximum for the newest observation."""
    rows = vintages.frame().sort_values("start", kind="stable")
    rows["day"] = rows["observation"].to_numpy().astype("datetime64[D]").astype("int64")
    rows["newest"] = rows.groupby("code")["day"].cummax()
    asked = pd.DataFrame(
        {
            "as_of": np.repeat(as_of.astype("datetime64[s]"), vintages.series),
            "code": np.tile(np.arange(vintages.series), len(as_of)),
        }
    )
    seen = pd.merge_asof(
        asked, rows[["start", "code", "newest"]], left_on="as_of", right_on="start", by="code"
    )
    newest = seen["newest"].to_numpy(dtype="float64")
    target = _targets_of(newest, asked["code"].to_numpy(), vintages)
    rows["key"] = (rows["code"].to_numpy() << 32) | rows["day"].to_numpy() + 2**20
    left = pd.DataFrame(
        {
            "as_of": np.repeat(asked["as_of"].to_numpy(), 3),
            "key": (np.repeat(asked["code"].to_numpy(), 3) << 32) | target.ravel() + 2**20,
        }
    )
    found = pd.merge_asof(left, rows[["start", "key", "value"]], left_on="as_of", right_on="start", by="key")
    return _shaped(found["value"].to_numpy(), len(as_of), vintages.series)


def loop_over_dates(vintages: Vintages, as_of: Days) -> Panel:
    """A filter per date, as `fredapi.Fred.get_series_as_of_date` has it."""
    rows = vintages.frame()
    out = np.full((vintages.series, len(as_of), 3), np.nan)
    for n, date in enumerate(as_of):
        known = rows[rows["start"] <= pd.Timestamp(date)]
        last = known.groupby(["code", "observation"])["value"].last()
        for code, of_series in last.groupby(level="code"):
            values = of_series.droplevel("code")
            newest = values.index[-1].to_datetime64().astype("datetime64[D]")
            targets = _targets(np.array([newest]), vintages.is_monthly[code])[0]
            out[code, n] = values.reindex(pd.DatetimeIndex(targets.astype("datetime64[s]"))).to_numpy()
    return out


def duckdb_asof(vintages: Vintages, as_of: Days) -> Panel:
    """DuckDB's ASOF JOIN, twice."""
    rows = vintages.frame()
    grid = pd.DataFrame({"as_of": as_of.astype("datetime64[s]")})
    kinds = pd.DataFrame({"code": np.arange(vintages.series), "is_monthly": vintages.is_monthly})
    with duckdb.connect() as con:
        con.register("vintages", rows)
        con.register("grid", grid)
        con.register("kinds", kinds)
        found = con.execute(_DUCKDB).fetchnumpy()
    return np.asarray(np.ma.filled(found["value"], np.nan)).reshape(vintages.series, len(as_of), 3)


_DUCKDB = f"""
WITH v AS (SELECT code, observation::DATE AS observation, start::DATE AS start, value FROM vintages),
running AS (
  SELECT code, start, max(observation) OVER (PARTITION BY code ORDER BY start) AS newest FROM v
), asked AS (
  SELECT k.code, k.is_monthly, g.as_of::DATE AS as_of FROM kinds k CROSS JOIN grid g
), seen AS (
  SELECT a.*, r.newest FROM asked a
  ASOF LEFT JOIN (SELECT code, start, max(newest) AS newest FROM running GROUP BY ALL) r
    ON a.code = r.code AND a.as_of >= r.start
), targets AS (
  SELECT code, as_of, lag, CASE
    WHEN is_monthly THEN (newest - to_months(6 * lag))::DATE
    ELSE newest - lag * {HALF_YEAR} END AS observation
  FROM seen CROSS JOIN (SELECT unnest([0, 1, 2])::INTEGER AS lag)
)
SELECT t.code, t.as_of, t.lag, v.value
FROM targets t ASOF LEFT JOIN v ON t.code = v.code AND t.observation = v.observation AND t.as_of >= v.start
ORDER BY t.code, t.as_of, t.lag
"""


def polars_join_asof(vintages: Vintages, as_of: Days) -> Panel:
    """`join_asof` written well: sorted once, one integer as `by`."""
    rows = pl.DataFrame(
        {
            "code": vintages.code,
            "day": vintages.observation.astype("int64"),
            "start": vintages.start.astype("int64"),
            "value": vintages.value,
        }
    ).sort("start", maintain_order=True)
    running = rows.with_columns(pl.col("day").cum_max().over("code").alias("newest"))
    asked = pl.DataFrame(
        {
            "as_of": np.repeat(as_of.astype("int64"), vintages.series),
            "code": np.tile(np.arange(vintages.series), len(as_of)),
        }
    )
    seen = asked.join_asof(
        running.select("start", "code", "newest"), left_on="as_of", right_on="start", by="code"
    )
    codes = asked["code"].to_numpy()
    target = _targets_of(seen["newest"].cast(pl.Float64).to_numpy(), codes, vintages)
    keyed = rows.with_columns(((pl.col("code") * 2**32) + pl.col("day") + 2**20).alias("key"))
    left = pl.DataFrame(
        {
            "as_of": np.repeat(asked["as_of"].to_numpy(), 3),
            "key": np.repeat(codes, 3) * 2**32 + target.ravel() + 2**20,
        }
    )
    found = left.join_asof(keyed.select("start", "key", "value"), left_on="as_of", right_on="start", by="key")
    return _shaped(found["value"].to_numpy(), len(as_of), vintages.series)


def _targets_of(newest: Panel, code: npt.NDArray[np.int64], vintages: Vintages) -> npt.NDArray[np.int64]:
    """Days since 1970 of the three observations asked for; a day no figure is about where nothing was known."""
    known = ~np.isnan(newest)
    days = np.where(known, newest, 0).astype("int64").astype("datetime64[D]")
    monthly = _targets(days, is_monthly=True)
    by_days = _targets(days, is_monthly=False)
    target = np.where(vintages.is_monthly[code][:, None], monthly, by_days).astype("int64")
    return np.where(known[:, None], target, -(2**19))


def _shaped(values: Panel, dates: int, series: int) -> Panel:
    return values.reshape(dates, series, 3).transpose(1, 0, 2)
