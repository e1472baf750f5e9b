"""`qe_phases`: which days, what each verdict is, and nothing on a row that was not known on its day."""

from __future__ import annotations

import datetime as dt
from itertools import product

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.phases import (
    inflation_verdict,
    phases_until,
    verdict,
)
from tests.helpers import on_sample

CATALOG = load_catalog()
RULES = CATALOG.method.verdict
POST = dt.date(2025, 11, 5)
NAN = float("nan")


def on(run_date: str) -> list[str]:
    return list(phases_until(np.datetime64(run_date), CATALOG.policy_events.events, POST)["phase"])


def test_phases_are_the_starts_announced_by_the_run_date() -> None:
    assert on("2026-05-31") == [
        "qe1", "qe2", "qe3", "bills_2019", "qe4_2020", "post", "reserves_2025", "today",
    ]  # fmt: skip
    assert on("2012-09-12") == ["qe1", "qe2", "today"], "the day before it was announced"
    assert on("2012-09-13") == ["qe1", "qe2", "qe3", "today"]


def test_limits_of_a_verdict_belong_to_it_and_inflation_is_cold_when_low_or_falling() -> None:
    found = verdict(np.array([0.70, 0.69, 0.51, 0.50, NAN]), RULES.valuation_hot, RULES.valuation_cold)
    assert found.tolist() == ["hot", "between", "between", "cold", None]
    for core, change in product((2.8, 2.0, 1.99, NAN), (0.5, -0.29, -0.3, NAN)):
        plain = None if np.isnan(core) else "cold" if core < 2.0 or change <= -0.3 else "hot"
        assert inflation_verdict(np.array([core]), np.array([change]), RULES).tolist() == [plain], (
            core,
            change,
        )


# ---- on the sample


def phases() -> pd.DataFrame:
    return on_sample().phases.frame.set_index("phase")


@pytest.mark.parametrize(
    ("phase", "known_until", "drawdown", "change"),
    [
        # October 2008's average, 57.4156, is the newest; the high is that of October 2007, 95.1495
        ("qe1", "2008-10-31", 100 * (57.4156 / 95.1495 - 1), 100 * (57.4156 / 95.1495 - 1)),
        # Sunday, 15 March 2020: February's average, 128.6936, is the newest, of a high of 130.9052 in January. The fall
        # of March is in no average before 31 March; February 2019 was 117.2234.
        ("qe4_2020", "2020-02-29", 100 * (128.6936 / 130.9052 - 1), 100 * (128.6936 / 117.2234 - 1)),
    ],
)
def test_the_share_price_of_a_crisis_day_is_the_newest_average_known_and_dated(
    phase: str, known_until: str, drawdown: float, change: float
) -> None:
    row = phases().loc[phase]
    assert (row["equity_price_basis"], str(row["equity_price_date"].date())) == ("oecd_shares", known_until)
    assert row["equity_drawdown_pct"] == pytest.approx(drawdown, abs=1e-9)
    assert row["equity_return_12m_pct"] == pytest.approx(change, abs=1e-9)


def test_what_has_not_come_is_empty() -> None:
    after = [name for name in phases().columns if name.endswith("_after")]
    assert phases().loc["today", after].isna().all()
    assert phases().loc["reserves_2025", after].notna().all()


def test_today_is_the_newest_row_of_the_regime() -> None:
    newest = on_sample().frame.iloc[-1]
    assert phases().loc["today", "bubble_score"] == newest["bubble_score"]
    assert phases().loc["today", "condition_state_before"] == newest["condition_state"]


def test_a_phase_looks_the_same_when_computed_on_its_own_day() -> None:
    early = on_sample("2025-11-05").phases.frame.set_index("phase")
    later = [
        name for name in phases().columns if not name.endswith("_after") and name not in ("kind", "title")
    ]
    pd.testing.assert_series_equal(
        early.loc["today", later], phases().loc["post", later], check_names=False, check_dtype=False
    )
    assert early.loc["post", "date_after"] is pd.NaT
