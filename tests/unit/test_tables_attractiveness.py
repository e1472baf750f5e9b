"""`relative_attractiveness`: the post's own arithmetic, and which of it is meant for which asset."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.tables import relative_attractiveness
from assets.compute.tables.relative_attractiveness import after_inflation
from tests.helpers import on_sample, published_after, view

TABLE = load_catalog().tables["relative_attractiveness"]
NAN = float("nan")


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
