"""`bubble_gauge`, `relative_attractiveness`, `context`: what is meant for which asset; what is absent says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.reading import Reading
from assets.compute.tables import context, relative_attractiveness
from assets.compute.tables.bubble_gauge import growth_needed
from assets.compute.tables.relative_attractiveness import after_inflation
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


def built(*frames: pd.DataFrame, as_of: str = "2025-11-05") -> pd.DataFrame:
    return relative_attractiveness.build(view(list(frames), as_of)).set_index("asset")


YIELDS = [
    published_after("DGS10", {"2025-11-04": 4.10}, 1),
    published_after("DFII10", {"2025-11-04": 1.81}, 1),
    published_after("TB3MS", {"2025-10-01": 3.82}, 30),
]


def test_tips_need_the_breakeven_and_the_ten_year_nothing() -> None:
    table = built(*YIELDS)["price_change_to_match_10y_pp"]
    assert table["tips_10y"] == pytest.approx(2.29)
    assert table["treasury_10y"] == 0.0
    assert table["cash"] == pytest.approx(0.28)


@pytest.mark.parametrize(
    ("asset", "left", "needed"),
    [("cash", -1.0, NAN), ("tips_10y", 4.0, NAN), ("gold", NAN, 1.0), ("equities", NAN, 1.0)],
)
def test_inflation_takes_from_each_asset_what_it_can(asset: str, left: float, needed: float) -> None:
    found = after_inflation(asset, np.array([4.0]), 5.0)
    np.testing.assert_array_equal([found[0][0], found[1][0]], [left, needed])


def test_the_equity_yield_of_the_national_accounts_is_ranked_and_its_level_withheld() -> None:
    """Its level had the wrong sign against the 10-year yield."""
    grid = on_sample().grid
    table = on_sample().run.table("relative_attractiveness")
    equities = table[table["asset"] == "equities"]
    assert len(equities) == len(grid) and set(equities["yield_basis"].dropna()) == {"nipa"}
    level = [name for name in equities if name == "yield_pct" or "match" in name or "inflation" in name]
    assert equities[level].isna().all(axis=None)
    assert equities["yield_pct_rank"].iloc[-1] < 0.5


def test_an_asset_that_is_not_known_is_a_row_with_a_reason() -> None:
    table = built(YIELDS[0])
    assert list(table.index) == ["gold", "treasury_10y", "tips_10y", "equities", "cash"]
    assert table.loc["cash", "absent_reason"] == "not_held"
    assert np.isnan(table.loc["cash", "real_return_at_5pct_inflation_pct"])
    assert table.loc["gold", "absent_reason"] is None
