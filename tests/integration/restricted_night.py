"""A live night with made-up figures of every restricted series, each to be recognised wherever it turns up.

Belongs here: the figures, planting and recognising them, the releases made of them. Does not belong here: what may be
found where.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.publish.documents.fill import fill_release
from assets.publish.folder import releases
from assets.publish.gate import blocking_rules
from assets.publish.manifest import release_facts
from assets.publish.publication import publish, staged_path
from assets.publish.staged_file import build_release
from assets.run_facts import RunFacts
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import open_warehouse
from assets.warehouse.writing import registered
from tests.integration.conftest import STARTED_AT
from tests.integration.sample_night import SAMPLE_END, fill, night_facts

FIRST, LAST = "1962-01-01", "2026-09-28"
RESTRICTED = tuple(s.series_id for s in load_catalog().series.values() if s.rights == "restricted")
_INSERT = """
INSERT INTO raw.vintages BY NAME
SELECT series_id, CAST(day AS DATE) AS observation_date, CAST(known AS DATE) AS realtime_start, value,
  'alfred' AS vintage_source, $captured_at::TIMESTAMP AS captured_at, 'planted' AS fetch_id
FROM planted WHERE known <= DATE '2026-09-30'
"""
_LATE = """
INSERT INTO regime.late_figures BY NAME
SELECT DATE '2026-08-31' AS as_of_date, 'VIXCLS' AS series_id, DATE '2026-08-28' AS observation_date,
  DATE '2026-08-29' AS realtime_start, ?::DOUBLE AS value_used, ?::DOUBLE AS value_late,
  now()::TIMESTAMP AS captured_at, TIMESTAMP '2026-09-01' AS first_published_at,
  TIMESTAMP '2026-09-01' AS captured_until
"""
_CPI = """
SELECT observation_date, arg_max(value, realtime_start) AS value FROM raw.vintages
WHERE series_id = 'CPIAUCSL' AND value IS NOT NULL GROUP BY observation_date ORDER BY observation_date
"""
_NEAR = 4e-15  # of its size: a figure is recognised by all of its digits
Floats = npt.NDArray[np.float64]


def plant(con: duckdb.DuckDBPyConnection, captured_at: dt.datetime) -> None:
    """The figures of every restricted series, known the day after their day or after the end of their month."""
    cpi = con.execute(_CPI).df().set_index("observation_date")["value"]
    rows = pd.concat(
        pd.DataFrame({"series_id": name, "day": values.index, "value": values.to_numpy()})
        for name, values in {**figures(), "SHILLER_CPI": cpi * _marks("SHILLER_CPI", len(cpi), 1e-4)}.items()
    )
    monthly = [s.series_id for s in load_catalog().series.values() if s.frequency == "M"]
    lag = pd.to_timedelta(np.where(rows["series_id"].isin(monthly), 35, 1), unit="D")
    rows["known"] = (rows["day"] + lag).astype("datetime64[s]")
    rows["day"] = rows["day"].astype("datetime64[s]")
    with registered(con, rows, "planted"):
        con.execute(_INSERT, {"captured_at": captured_at.replace(tzinfo=None)})


@cache
def figures() -> dict[str, pd.Series]:
    """Figures by series and day, all but the consumer prices: plausible, and no two alike."""
    days = pd.bdate_range(FIRST, LAST)
    months = pd.date_range(FIRST, LAST, freq="MS")
    steps = np.random.default_rng(7).normal(0, 1, (4, len(days)))
    cycle = np.sin(np.arange(len(days)) / 25.0)  # quick, so that a spread decides a label now and then
    baa = pd.Series(2.2 + 1.2 * cycle + 0.02 * steps[0], days)
    high_grade = pd.Series(1.5 + 0.8 * cycle + 0.02 * steps[1], days)
    price = pd.Series(600.0 * np.exp(np.cumsum(0.0001 + 0.006 * steps[2])), days)
    by_month = price.groupby(days.to_period("M")).mean().set_axis(months)
    found = {
        "BAA10Y": baa,
        "BAA10YM": baa.groupby(days.to_period("M")).mean().set_axis(months),
        "AAA10YM": 0.5 * baa.groupby(days.to_period("M")).mean().set_axis(months),
        "BAMLC0A0CM": high_grade,
        "BAMLH0A0HYM2": high_grade + 3.0 + 1.5 * cycle,
        "SP500": price["2016-06":],  # its provider serves ten years
        "NASDAQ100": price * (1.4 + 0.2 * cycle),
        "VIXCLS": pd.Series(20.0 + 6.0 * cycle + 0.5 * steps[3], days),
        "SHILLER_PRICE": by_month,
        "SHILLER_EARNINGS": 0.05 * by_month,
        "SHILLER_DIVIDEND": 0.02 * by_month,
    }
    return {name: values * _marks(name, len(values), 1e-5) for name, values in found.items()}


def _marks(name: str, n: int, size: float) -> Floats:
    """Factors next to 1 that give every figure digits of its own."""
    return 1.0 + size * np.random.default_rng(list(name.encode())).uniform(0.1, 1.0, n)


@cache
def _planted() -> Floats:
    """Every figure as it may turn up: itself, and in another unit."""
    own = np.concatenate([values.to_numpy() for values in figures().values()])
    return np.sort(np.concatenate([own, 100.0 * own, own / 100.0]))


def are_planted(numbers: npt.ArrayLike, decimals: int | None = None) -> npt.NDArray[np.bool_]:
    """Which numbers are planted figures, whatever the series; `decimals` where they were rounded on the way."""
    values = np.asarray(numbers, dtype="float64")
    if decimals is not None:
        return np.isin(values, np.round(_planted(), decimals))
    planted = _planted()
    after = np.clip(np.searchsorted(planted, values), 1, len(planted) - 1)
    apart = np.minimum(np.abs(planted[after] - values), np.abs(planted[after - 1] - values))
    return apart <= _NEAR * np.abs(values)


class Place:
    """The live night: its warehouse, and the release made with (`shown`) or without (`kept`) the switch."""

    def __init__(self, root: Path) -> None:
        self.root, self.warehouse = root, root / "warehouse.duckdb"

    def facts(self, name: str) -> RunFacts:
        facts = night_facts(self.root / name, SAMPLE_END, STARTED_AT, name, "live")
        return replace(facts, publishes_restricted=name == "shown")

    def held_by(self, name: str) -> list[str]:
        """What the gate found when the release was made."""
        found: list[str] = json.loads((self.root / f"{name}.json").read_text(encoding="utf-8"))
        return found

    def folder(self, name: str) -> Path:
        return releases(self.facts(name).published_path)[0]

    def open(self, name: str) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.folder(name) / "regime.duckdb"), read_only=True, config=CONFIG)

    def stage(self, name: str) -> Path:
        """Once more the staged file, to be changed by a test."""
        staged = staged_path(self.facts(name).published_path)
        shutil.copyfile(self.folder(name) / "regime.duckdb", staged)
        staged.chmod(0o644)
        return staged


def make_place(root: Path) -> None:
    place = Place(root)
    with open_warehouse(place.warehouse) as con:
        fill(con, place.facts("kept"), lambda filled: plant(filled, STARTED_AT))
        con.execute(_LATE, list(figures()["VIXCLS"].iloc[-2:]))
        for name in ("kept", "shown"):
            facts = place.facts(name)
            facts.published_path.parent.mkdir(parents=True)
            staged = staged_path(facts.published_path)
            build_release(con, staged, load_catalog(), release_facts(con, facts, STARTED_AT))
            with duckdb.connect(str(staged), read_only=True, config=CONFIG) as file:
                (root / f"{name}.json").write_text(
                    json.dumps(blocking_rules(file, con, facts)), encoding="utf-8"
                )
            publish(staged, facts.published_path, gate=lambda _: None, fill=fill_release)
