"""`regime_revised` on a night when figures changed: what every revised series costs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive
from assets.compute.diagnostics.revised import regime_revised
from assets.compute.grid import build_grid
from assets.compute.registry import Computation
from tests.benchmarks.report import record
from tests.helpers import SAMPLE_AS_OF, sample_vintages
from tests.revisions import plain_regime_revised

TIMES = 2
# those the label reads first, so that one is enough to change it; the last four are read by no label
REVISED = (
    "GDP", "UNRATE", "CPIAUCSL", "TOTBKCR", "GDPC1", "CP", "WALCL", "NFCI", "ICSA", "EBP", "GZ_SPREAD", "BOGMBASE",
    "EXPINF10YR", "NCBEILQ027S_GDP_PCT", "HQMCB10YR", "GS10", "M2SL", "PAYEMS", "INDPRO", "TREAST",
)  # fmt: skip


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_a_night_of_revisions_beside_a_whole_computation_per_series() -> None:
    catalog = load_catalog()
    series = {s.series_id: s for s in catalog.in_profile("sample")}
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64(SAMPLE_AS_OF, "D"))
    rows = []
    for n in (1, 5, len(REVISED)):
        held = Archive.from_frame(raised_after_three_months(REVISED[:n]))
        asked = (held, grid, Computation(held, grid, catalog, "sample").table("regime"), catalog)
        found, seconds = measured(lambda asked=asked: regime_revised(*asked, series))
        plain, plain_seconds = measured(lambda asked=asked: plain_regime_revised(*asked, "sample"))
        pd.testing.assert_frame_equal(found, plain, check_exact=True)
        assert found["explained_by"].notna().any()
        rows.append((n, plain_seconds, seconds, plain_seconds / seconds))
    record(
        "Revised figures",
        f"`regime_revised` on {len(grid)} dates of the sample with figures of so many series revised, against one "
        f"whole computation for every series; equal frames first, seconds of CPU, the best of {TIMES}.",
        ("series revised", "whole computations, seconds", "this project, seconds", "times"),
        rows,
    )
    assert rows[-1][1] > 4 * rows[-1][2]


def raised_after_three_months(series_ids: tuple[str, ...]) -> pd.DataFrame:
    """The sample, every figure of some series one percent higher from three months after it appeared."""
    held = sample_vintages()
    later = held[held["series_id"].isin(series_ids)].copy()
    later["realtime_start"] += pd.Timedelta(days=95)
    later["value"] *= 1.01
    return pd.concat([held, later.astype(held.dtypes)], ignore_index=True)


def measured(run: Callable[[], pd.DataFrame]) -> tuple[pd.DataFrame, float]:
    """What a run gives, and its seconds of CPU."""
    best = float("inf")
    for _ in range(TIMES):
        began = time.process_time()
        found = run()
        best = min(best, time.process_time() - began)
    return found, best
