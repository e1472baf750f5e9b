"""The future changes nothing in the past of any table, and an early run has every table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive
from assets.compute.calendar import days
from assets.compute.grid import Grid
from assets.compute.registry import REGISTRY, Computation
from tests.helpers import on_sample, sample_vintages

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


@pytest.mark.parametrize(
    "table",
    ["score_attribution", "regime_changes", "distance_to_flip", "parameter_sensitivity", "method_variants"],
)
def test_diagnostics_of_the_past_are_the_same_in_a_later_run(table: str) -> None:
    early, late = on_sample("2015-06-30"), on_sample()
    built = [c.run.table(table) for c in (early, late)]
    past = built[1][built[1]["as_of_date"] <= "2015-06-30"].reset_index(drop=True)
    pd.testing.assert_frame_equal(built[0].reset_index(drop=True), past, check_dtype=False)


def test_a_run_before_the_first_score_has_every_table_and_nothing_to_explain() -> None:
    early = on_sample("1990-06-15")
    tables = {
        name: early.run.built(name).frame for name, one in REGISTRY.items() if one.build and name != "caveats"
    }
    for name, frame in tables.items():
        declared = early.catalog.tables[name]
        assert len(frame) or declared.may_be_empty, name
        assert set(declared.column_names) - set(frame) <= {"profile", "first_published_at"}, name
    for name in ("score_attribution", "regime_changes", "parameter_sensitivity"):
        assert tables[name].empty, name
    assert set(tables["distance_to_flip"]["condition"]) <= {"stance"}
    assert set(tables["effective_weights"]["era"]) == {"all"}
    without_score = {
        "regime": "score_p05", "effective_weights": "effective_weight", "base_rates": "share",
        "recession_overlap": "recession_share",
    }  # fmt: skip
    for name, column in without_score.items():
        assert len(tables[name]) and tables[name][column].isna().all(), name
