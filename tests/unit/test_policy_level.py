"""The level of policy next to its direction: the band, the output gap, and no decision announced later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import days
from assets.compute.policy_level import level_of_policy
from assets.compute.stance import policy_stance
from assets.compute.tables.activity_inflation import output_gap
from tests.helpers import on_real_series, on_sample, published_after, view, vintages

CATALOG = load_catalog()
RULES = CATALOG.method.policy_level
NAN = float("nan")
QUARTERS = ("2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01")


def level(rate: float, core: float, gap: float = 0.0, as_of: str = "2026-09-30") -> dict[str, object]:
    columns = level_of_policy(np.array([rate]), np.array([core]), np.array([gap]), days(as_of), RULES)
    return {name: values[0] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("rate", "word", "distance"),
    [(2.25, "accommodative", 0.25), (2.5, "neutral", 0.0), (3.25, "neutral", 0.25),
     (3.5, "neutral", 0.0), (5.0, "restrictive", 1.5)],
)  # fmt: skip
def test_the_band_includes_its_limits(rate: float, word: str, distance: float) -> None:
    found = level(rate, 2.0)
    assert (found["policy_level"], found["policy_level_distance_pp"]) == (word, distance)


def test_there_are_no_words_before_2010_and_none_for_a_missing_input() -> None:
    early = level(5.0, 2.0, as_of="2009-12-31")
    assert early["policy_level"] is None
    assert np.isnan(early["policy_level_distance_pp"])
    assert early["real_policy_rate_pct"] == 3.0
    assert level(5.0, 2.0, as_of="2010-01-31")["policy_level"] == "restrictive"
    assert level(5.0, NAN)["policy_level"] is None
    no_gap = level(5.0, 2.0, NAN)
    assert no_gap["policy_level"] == "restrictive"
    assert np.isnan(no_gap["policy_gap_r10_pp"])


def quarters(series_id: str, *values: float, lag: int = 120) -> pd.DataFrame:
    return published_after(series_id, dict(zip(QUARTERS, values, strict=False)), lag)


def test_the_output_gap_is_of_one_quarter() -> None:
    """Potential output of the fourth quarter is known, GDP is not."""
    seen = view(
        [quarters("GDPC1", 100.0, 101.0, 102.0), quarters("GDPPOT", 100.0, 100.0, 100.0, 80.0)], "2024-02-28"
    )
    found = output_gap(seen)
    assert found.value.tolist() == pytest.approx([2.0])
    assert str(found.observation_date[0]) == "2023-07-01"


def test_dollars_of_two_base_years_give_no_output_gap() -> None:
    """BEA went from dollars of 2012 to 2017 in September 2023, CBO in February 2024: all ratios rose by a tenth."""
    old, new = (100.0, 100.0, 101.0), (110.0, 110.0, 111.1)
    frames = [
        vintages("GDPC1", [
            *((quarter, "2023-09-27", value) for quarter, value in zip(QUARTERS, old, strict=False)),
            *((quarter, "2023-09-28", value) for quarter, value in zip(QUARTERS, new, strict=False)),
        ]),
        vintages("GDPPOT", [
            *((quarter, "2023-02-15", 100.0) for quarter in QUARTERS),
            *((quarter, "2024-02-07", 110.0) for quarter in QUARTERS),
        ]),
    ]  # fmt: skip
    found = output_gap(view(frames, ["2023-09-27", "2023-09-30", "2024-02-06", "2024-02-07"]))
    assert found.value.tolist() == pytest.approx([1.0, NAN, NAN, 1.0], nan_ok=True)
    assert found.absent_reason.tolist() == [None, "different_base_years", "different_base_years", None]


def test_the_longer_series_agree_on_the_level_of_policy(realdata: Path) -> None:
    sample, real = on_sample().frame, on_real_series(realdata).frame
    names = [name for name in real if name.startswith(("policy_gap", "real_policy"))]
    apart = (sample.loc[real.index, names] - real[names]).abs()
    assert len(names) == 4
    assert apart.max().max() < 0.5
    same = sample.loc["2010":"2026-05", "policy_level"] == real.loc["2010":"2026-05", "policy_level"]
    assert same.mean() > 0.97


def test_no_reading_of_a_row_counts_a_decision_announced_after_it() -> None:
    """With the ledger as it was on each row's date the stances are the same."""
    run, events = on_sample(), CATALOG.policy_events.events
    rate = run.readings["real_yields.policy_rate_change_6m_pp"].value
    impulse = run.readings["reserve_growth.balance_sheet_impulse_pct_gdp"].value
    known_until = np.datetime64(CATALOG.policy_events.last_checked, "D")
    whole, as_of = run.regime.stance, run.grid.as_of
    for row in np.flatnonzero(as_of >= np.datetime64("2008-10-31")):
        known = [event for event in events if event.announced_on <= as_of[row].astype(object)]
        at = slice(row, row + 1)
        then = policy_stance(rate[at], impulse[at], as_of[at], known, known_until, CATALOG.method.stance)
        for name in ("stance", "realised", "purchases_technical", "effective_dates"):
            assert getattr(then, name)[0] == getattr(whole, name)[row], (name, as_of[row])
