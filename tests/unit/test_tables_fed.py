"""`reserve_growth` and `monetisation`: which series serves, and every edge of the bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.lookup import View
from assets.compute.tables import reserve_growth
from assets.compute.tables.monetisation import band
from tests.helpers import monthly, published_after, view, weekly

RULES = load_catalog().method.monetisation
NAN = float("nan")


def levels(series_id: str, last: str, *values: float, weeks: int = 26) -> pd.DataFrame:
    """Wednesday levels that many weeks apart, ending on `last`, public the day after."""
    end = np.datetime64(last, "D")
    n = len(values)
    dates = [str(end - np.timedelta64(7 * weeks * (n - 1 - k), "D")) for k in range(n)]
    return published_after(series_id, dict(zip(dates, values, strict=True)), 1)


def gdp(*values: float, first: str = "2024-01-01") -> pd.DataFrame:
    quarters = np.datetime64(first, "M") + 3 * np.arange(len(values))
    return published_after(
        "GDP", {str(q.astype("datetime64[D]")): v for q, v in zip(quarters, values, strict=True)}, 121
    )


def value(seen: View, name: str) -> float:
    return float(reserve_growth.build(seen)[name].value[0])


def test_the_monetary_base_serves_only_before_the_balance_sheet_has_a_half_year() -> None:
    base = published_after("BOGMBASE", monthly("2002-09-01", [700.0] * 6 + [770.0] * 10), 58)
    assets = published_after("WALCL", weekly("2002-12-18", [700_000.0] * 26 + [735_000.0]), 1)
    seen = view([base, assets], ["2003-04-30", "2003-06-30", "2003-12-31"])
    columns = reserve_growth.build(seen)
    assert list(columns["balance_sheet_basis"]) == ["BOGMBASE", "WALCL", None]
    growth = columns["fed_assets_growth_26w_pct"]
    assert growth.value[:2] == pytest.approx([21.0, 100 * (1.05**2 - 1)])
    assert growth.absent_reason[2] == "stale", "no way back to the base"


def test_net_liquidity_takes_reverse_repo_in_billions_beside_millions() -> None:
    frames = [
        levels("WALCL", "2025-10-29", 6_600_000.0),
        levels("WTREGEN", "2025-10-29", 900_000.0),
        published_after("RRPONTSYD", {"2025-10-30": 20.0}, 1),
    ]
    columns = reserve_growth.build(view(frames, "2025-10-31"))
    assert columns["net_liquidity_usd_bn"].value.tolist() == [5680.0]
    assert list(columns["net_liquidity_basis"]) == ["WTREGEN"], "a week's average, and named"


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (-91.0, "none"),
        (9.99, "none"),
        (10.0, "building"),
        (24.99, "building"),
        (25.0, "active"),
        (74.99, "active"),
        (75.0, "dominant"),
        (140.0, "dominant"),
        (NAN, None),
    ],
)
def test_every_edge_of_the_bands_belongs_to_the_band_above(share: float, name: str | None) -> None:
    assert band(np.array([share]), np.array([6.0]), RULES).tolist() == [name]


@pytest.mark.parametrize(("deficit", "name"), [(3.99, "not_applicable"), (4.0, "active"), (NAN, None)])
def test_the_band_applies_from_a_deficit_of_four_percent_on(deficit: float, name: str | None) -> None:
    assert band(np.array([50.0]), np.array([deficit]), RULES).tolist() == [name]
