"""Generated vintages with the structure of real ones, and a project with ten times the catalogue that contains them.

A third of the series each: monthly with two years of monthly revisions and five annual benchmarks, weekly with three
revisions, daily without any; sixty years of history, on average 15,300 vintages a series. A depth of two doubles the
monthly and weekly revisions: 24,200 vintages a series.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.compute.calendar import Days
from assets.warehouse.schema import open_warehouse

ROOT = Path(__file__).resolve().parents[2]
FREQUENCIES = "MWD"
FIRST, LAST = np.datetime64("1966-01-01", "D"), np.datetime64("2026-01-01", "D")
SAMPLE_END = np.datetime64("2026-09-30", "D")
_DAY = np.timedelta64(1, "D")
_ROOMS = ("assets", "checks", "pipelines", "sample_data", "dagster_home")
_ENTRY = """
[{series_id}]
source = "fred"
title = "Generated series {series_id}"
publisher = "Generated"
source_url = "https://fred.stlouisfed.org/series/{series_id}"
unit = "Percent"
unit_kind = "pct"
frequency = "{frequency}"
seasonal_adjustment = "NSA"
release_lag_days = 43
staleness_limit_days = 400
is_step = false
is_revisable = true
role = "context"
profiles = ["sample", "live"]
rights = "public_domain"
citation = "Generated for a measurement."
plausible_min = 0.0
plausible_max = 1000.0
"""
_INSERT = """
INSERT INTO raw.vintages BY NAME
SELECT 'GENERATED' || code AS series_id, CAST(observation AS DATE) AS observation_date,
  CAST(start AS DATE) AS realtime_start, value, 'alfred' AS vintage_source,
  TIMESTAMP '2026-01-01' AS captured_at, 'generated-' || code AS fetch_id
FROM vintages
"""


@dataclass(frozen=True)
class Vintages:
    """Rows by series, observation and start, as the archive stores them. `series` is their number of series."""

    code: npt.NDArray[np.int64]
    observation: Days
    start: Days
    value: npt.NDArray[np.float64]
    series: int

    def __len__(self) -> int:
        return len(self.code)

    def frame(self) -> pd.DataFrame:
        """One row per vintage."""
        return pd.DataFrame(
            {
                "code": self.code,
                "observation": self.observation.astype("datetime64[s]"),
                "start": self.start.astype("datetime64[s]"),
                "value": self.value,
            }
        )


def generate(rows: int, depth: int = 1, seed: int = 20251105) -> Vintages:
    """About `rows` vintages (never fewer), the same for the same number."""
    patterns = [_monthly(depth), _weekly(depth), _daily()]
    parts = []
    total = 0
    while total < rows:
        parts.append(patterns[len(parts) % 3])
        total += len(parts[-1][0])
    code = np.repeat(np.arange(len(parts)), [len(observation) for observation, _ in parts])
    observation, start = (np.concatenate([part[n] for part in parts]) for n in (0, 1))
    value = np.random.default_rng(seed).normal(100.0, 10.0, total).round(4)
    return Vintages(code, observation, start, value, len(parts))


def large_project(folder: Path, rows: int) -> int:
    """A copy of the project with generated series in catalogue, sample files and warehouse; their number.

    The sample files contain the newest vintages, so that a nightly run finds no new data.
    """
    for room in _ROOMS:
        skip = shutil.ignore_patterns("__pycache__", "history", "schedules", "storage", "logs", ".*")
        shutil.copytree(ROOT / room, folder / room, ignore=skip)
    for name in ("pyproject.toml", "requirements.lock", "workspace.yaml"):
        shutil.copyfile(ROOT / name, folder / name)
    vintages = generate(rows, depth=2)
    entries = [
        _ENTRY.format(series_id=f"GENERATED{code}", frequency=FREQUENCIES[code % 3])
        for code in range(vintages.series)
    ]
    (folder / "assets" / "catalog" / "series" / "generated.toml").write_text("".join(entries), "utf-8")
    known = vintages.frame()
    known = known[known["start"] <= SAMPLE_END]
    newest = known.groupby(["code", "observation"], sort=False)["value"].last().reset_index()
    for code, of_series in newest.groupby("code"):
        path = folder / "sample_data" / f"GENERATED{code}.csv"
        of_series.rename(columns={"observation": "date"})[["date", "value"]].to_csv(path, index=False)
    with open_warehouse(folder / "data" / "sample.warehouse.duckdb", catalog=load_catalog()) as con:
        con.register("vintages", known)
        con.execute(_INSERT)
        con.unregister("vintages")
    return vintages.series


def month_ends() -> Days:
    """The dates of the panel: 480 month-ends."""
    months = np.arange("1986-02", "2026-02", dtype="datetime64[M]")
    return months.astype("datetime64[D]") - _DAY


def _monthly(depth: int) -> tuple[Days, Days]:
    months = np.arange(FIRST.astype("datetime64[M]"), LAST.astype("datetime64[M]"))
    monthly = 24 * depth
    lags = np.concatenate([np.arange(1, monthly + 1), monthly + 12 * np.arange(1, 6)])
    observation, lag = np.repeat(months, len(lags)), np.tile(lags, len(months))
    return observation.astype("datetime64[D]"), (observation + lag).astype("datetime64[D]") + 12 * _DAY


def _weekly(depth: int) -> tuple[Days, Days]:
    weeks = np.arange(FIRST, LAST, 7 * _DAY)
    lags = (5 + 7 * np.arange(3 * depth)) * _DAY
    observation = np.repeat(weeks, len(lags))
    return observation, observation + np.tile(lags, len(weeks))


def _daily() -> tuple[Days, Days]:
    dates = np.arange(FIRST, LAST, _DAY)
    dates = dates[np.is_busday(dates)]
    return dates, dates + _DAY
