"""Of every derived table: the order of the archive, its other series, and the future change nothing in the past."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive
from assets.compute.calendar import days
from assets.compute.grid import Grid
from assets.compute.registry import Computation
from tests.helpers import on_sample, sample_vintages, vintages

CATALOG = load_catalog()
# month-ends of every second year and the newest ones, so that a whole computation costs little
DATES = days([*(f"{year}-06-30" for year in range(1986, 2026, 2)), "2025-11-05", "2026-02-28"])
RECENT = np.datetime64("2024-06-30")


def thin_regime() -> pd.DataFrame:
    """The labels of the sample, on the thin grid."""
    regime = on_sample().frame
    return regime.reindex(pd.DatetimeIndex(DATES)).reset_index(names="as_of_date")


REGIME = thin_regime()
TABLES = [*(t.name for t in CATALOG.as_of_tables() if t.layer == "derived"), "qe_phases"]


def tables(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every derived table, and the phases, on a thin grid."""
    run = Computation(Archive.from_frame(frame), Grid(DATES), CATALOG, "sample", stored={"regime": REGIME})
    return {name: run.table(name) for name in TABLES}


@cache
def as_it_is() -> Mapping[str, pd.DataFrame]:
    return tables(sample_vintages())


def assert_past_stands(found: Mapping[str, pd.DataFrame], until: np.datetime64) -> None:
    """Rows up to a date are the same in every table."""
    for name, expected in as_it_is().items():
        actual = found[name]
        rows = [
            frame[frame["as_of_date"].to_numpy() <= until].reset_index(drop=True)
            for frame in (actual, expected)
        ]
        if name == "qe_phases":  # what came after a day stands on its row, and may be of the future
            rows = [frame[[c for c in frame if not c.endswith("_after")]] for frame in rows]
        pd.testing.assert_frame_equal(*rows, obj=name)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    shuffled = sample_vintages().sample(frac=1.0, random_state=seed)
    assert_past_stands(tables(shuffled), DATES[-1])


@given(names=st.lists(st.text("ABZ09", min_size=1, max_size=6), min_size=1, max_size=4, unique=True))
@settings(max_examples=3)
def test_other_series_in_the_archive_do_not_matter(names: list[str]) -> None:
    """Codes inside the archive follow the names: every series of the sample gets another one."""
    others = [vintages(f"{name}_OTHER", [("2020-01-01", "2020-02-01", 1.0)]) for name in names]
    assert_past_stands(tables(pd.concat([sample_vintages(), *others], ignore_index=True)), DATES[-1])


@given(
    series_id=st.sampled_from(sorted(sample_vintages()["series_id"].unique())),
    factor=st.sampled_from([0.1, 0.9, 3.0]),
    days_later=st.integers(1, 400),
)
@settings(max_examples=8)
def test_figures_of_the_future_change_nothing_in_the_past(
    series_id: str, factor: float, days_later: int
) -> None:
    """The whole of a series is revised and prolonged after a date: rows up to it stand."""
    held = sample_vintages()
    later = held[held["series_id"] == series_id].copy()
    later["value"] *= factor
    later["realtime_start"] = (RECENT + np.timedelta64(days_later, "D")).astype("datetime64[s]")
    ahead = later.tail(1).assign(observation_date=np.datetime64("2026-05-01", "s"))
    changed = pd.concat([held, later, ahead], ignore_index=True)
    changed = changed.drop_duplicates(["series_id", "observation_date", "realtime_start"], keep="last")
    assert_past_stands(tables(changed), RECENT)
