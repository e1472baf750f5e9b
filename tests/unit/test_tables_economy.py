"""Economy, budget, balance sheet and monetisation: holes, which series serves, and every edge."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.reading import Reading
from assets.compute.tables import fiscal_and_debt, reserve_growth
from assets.compute.tables.activity_inflation import output_gap, sahm_gap
from assets.compute.tables.monetisation import band
from tests.helpers import monthly, published_after, view, vintages, weekly


def gap(rates: Sequence[float | None], last: str, as_of: str) -> Reading:
    """Sahm gap of months that end with `last`, each public 40 days after its first day."""
    start = str((np.datetime64(last, "M") - (len(rates) - 1)).astype("datetime64[D]"))
    return sahm_gap(view(published_after("UNRATE", monthly(start, rates), 40), as_of))


def test_two_missing_months_of_three_are_too_few() -> None:
    found = gap([4.0] * 12 + [None, None, 4.6], "2025-11-01", "2025-12-31")
    assert not found.present[0]
    assert found.absent_reason[0] == "undefined"


def test_the_lowest_average_needs_ten_of_the_twelve_before() -> None:
    holes = [None] * 3
    assert gap([*holes, *[4.0] * 9, 4.2, 4.4, 4.6], "2025-08-01", "2025-09-30").present[0]
    assert not gap([*holes, None, *[4.0] * 8, 4.2, 4.4, 4.6], "2025-08-01", "2025-09-30").present[0]


NAN = float("nan")
QUARTERS = ("2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01")


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


# ---- fiscal


def test_a_missing_month_leaves_the_newest_twelve_that_are_whole() -> None:
    balance = monthly("2024-01-01", [-100_000.0] * 12 + [None] + [-900_000.0])
    seen = view(published_after("MTSDS133FMS", balance, 43), "2025-03-31")
    found = fiscal_and_debt.deficit_12m(seen)
    assert found.value.tolist() == [1200.0]
    assert str(found.observation_date[0]) == "2024-12-01"


def test_the_bill_share_compares_month_ends_a_year_apart() -> None:
    """The public debt statement is stamped on the last day of a month, of 28 days as of 29."""
    bills = {"2024-02-29": 20.0, "2025-02-28": 22.0}
    whole = {"2024-02-29": 100.0, "2025-02-28": 100.0}
    frames = [published_after("MSPD_BILLS", bills, 6), published_after("MSPD_TOTAL_MARKETABLE", whole, 6)]
    found = fiscal_and_debt.bills(view(frames, "2025-03-31"))
    assert found["bill_share_change_12m_pp"].value.tolist() == pytest.approx([2.0])


# ---- the Fed


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
        published_after("WALCL", {"2025-10-29": 6_600_000.0}, 1),
        published_after("WTREGEN", {"2025-10-29": 900_000.0}, 1),
        published_after("RRPONTSYD", {"2025-10-30": 20.0}, 1),
    ]
    columns = reserve_growth.build(view(frames, "2025-10-31"))
    assert columns["net_liquidity_usd_bn"].value.tolist() == [5680.0]
    assert list(columns["net_liquidity_basis"]) == ["WTREGEN"], "a week's average, and named"


def test_every_edge_of_a_band_belongs_to_the_band_above() -> None:
    shares, deficits = np.array(
        [*product((NAN, -91.0, 9.99, 10.0, 24.99, 25.0, 74.99, 75.0, 140.0), (NAN, 3.99, 4.0, 6.0))]
    ).T
    found = band(shares, deficits, load_catalog().method.monetisation)
    for share, deficit, name in zip(shares, deficits, found, strict=True):
        of_share = (
            "none" if share < 10 else "building" if share < 25 else "active" if share < 75 else "dominant"
        )
        plain = "not_applicable" if deficit < 4.0 else of_share
        assert name == (None if np.isnan(share) or np.isnan(deficit) else plain), (share, deficit)
