"""`bubble_gauge` and `context`: every criterion named, what is not measurable absent with its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.reading import Reading
from assets.compute.tables import context
from assets.compute.tables.bubble_gauge import growth_needed
from tests.helpers import on_sample, published_after, view

NAN = float("nan")


@pytest.fixture(scope="module")
def gauge() -> pd.DataFrame:
    table = on_sample().run.table("bubble_gauge")
    return table[table["as_of_date"] == pd.Timestamp("2025-11-30")].set_index("measure")


def test_what_free_data_cannot_say_is_absent_and_says_so(gauge: pd.DataFrame) -> None:
    for measure in ("new_accounts_and_flows", "forward_purchases"):
        row = gauge.loc[measure]
        assert row["absent_reason"] == "no_free_data" and np.isnan(row["heat_rank"])
        assert row["series_ids"] is None  # an empty text would be a missing value in CSV and none in DuckDB
    assert gauge.loc["implied_volatility", "absent_reason"] == "not_in_profile"
    assert gauge.loc["cape", "absent_reason"] == "not_in_profile"
    assert gauge["note"].str.len().min() > 20


def test_growth_needed_by_hand() -> None:
    bond, shares = np.array([4.0, 5.0, 4.0, 4.5]), np.array([6.0, 6.0, 4.0, 4.0])
    found = growth_needed(bond, shares, np.array([True, True, True, False]))
    # premia 2, 1, 0: usual 2, 1.5, 1; the run date inside a month takes the usual of the month-ends
    assert found.tolist() == pytest.approx([4 + 2 - 6, 5 + 1.5 - 6, 4 + 1 - 4, 4.5 + 1 - 4])
    found = growth_needed(np.array([4.0, NAN, 4.0]), np.array([6.0, 6.0, 5.0]), np.array([True, True, True]))
    assert found.tolist() == pytest.approx([0.0, NAN, 4 + 1.5 - 5], nan_ok=True), (
        "an absent month is not in it"
    )


def test_shares_are_of_the_same_quarter() -> None:
    frames = [
        published_after("FDHBFIN", {"2025-01-01": 9000.0}, 160),
        published_after("FYGFDPUN", {"2025-01-01": 30_000_000.0, "2025-04-01": 99.0}, 165),
        published_after("B235RC1Q027SBEA", {"2025-04-01": 300.0}, 120),
        published_after("A679RC1Q027SBEA", {"2025-04-01": 1500.0}, 120),
        published_after("GDP", {"2025-04-01": 30_000.0, "2025-07-01": 31_000.0}, 120),
        published_after("BCNSDODNS", {"2024-01-01": 90.0, "2024-04-01": 100.0, "2025-04-01": 105.0}, 165),
    ]
    columns = context.build(view(frames, "2025-10-15"))
    found = {name: float(column.value[0]) for name, column in columns.items() if isinstance(column, Reading)}
    assert found["foreign_held_debt_share_pct"] == pytest.approx(30.0)
    assert found["customs_duties_pct_gdp"] == pytest.approx(1.0)
    assert found["technology_investment_pct_gdp"] == pytest.approx(5.0)
    assert found["corporate_debt_yoy_pct"] == pytest.approx(5.0)
    assert np.isnan(found["labor_share_index"])
