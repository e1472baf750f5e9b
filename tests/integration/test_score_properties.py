"""The future changes nothing in the past, neither in the labels nor in their diagnostics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.diagnostics.distance import distance_to_flip
from tests.helpers import SAMPLE_AS_OF, compute, on_sample, sample_vintages


@pytest.mark.parametrize(("month", "factor"), [(160, 0.6), (300, 1.4), (480, 1.9)])
def test_the_future_changes_nothing_in_the_past(month: int, factor: float) -> None:
    """After a month-end every figure is revised at random and every later one invented."""
    frame = sample_vintages()
    limit = pd.Timestamp(on_sample().frame.index[month])
    drawn = np.random.default_rng(month).uniform(0.5, 1.5, len(frame))
    later = frame.assign(value=frame["value"] * factor * drawn)
    later["realtime_start"] = later["realtime_start"].where(
        later["realtime_start"] > limit, limit + pd.Timedelta(days=1)
    ).astype(frame["realtime_start"].dtype)  # fmt: skip
    known = frame[frame["realtime_start"] <= limit]
    changed = compute(
        pd.concat([known, later], ignore_index=True), SAMPLE_AS_OF, on_sample().catalog, "sample"
    ).frame
    honest = on_sample().frame
    pd.testing.assert_frame_equal(changed.iloc[: month + 1], honest.iloc[: month + 1])
    assert not changed["bubble_score"].iloc[month + 1 :].equals(honest["bubble_score"].iloc[month + 1 :])


@pytest.mark.parametrize(
    "table",
    ["score_attribution", "regime_changes", "distance_to_flip", "parameter_sensitivity", "method_variants"],
)
def test_diagnostics_of_the_past_are_the_same_in_a_later_run(table: str) -> None:
    early, late = on_sample("2015-06-30"), on_sample()
    built = [c.run.table(table) for c in (early, late)]
    past = built[1][built[1]["as_of_date"] <= "2015-06-30"].reset_index(drop=True)
    pd.testing.assert_frame_equal(built[0].reset_index(drop=True), past, check_dtype=False)


def test_a_run_before_the_first_score_has_distances_of_the_rate_only() -> None:
    early = on_sample("1990-06-15")
    frame = distance_to_flip(early.regime)
    assert set(frame["condition"]) <= {"stance"}
