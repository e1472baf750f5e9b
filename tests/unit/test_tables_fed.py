"""`reserve_growth` and `monetisation`: which series serves, and every edge of the bands."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.tables import reserve_growth
from assets.compute.tables.monetisation import band
from tests.helpers import monthly, published_after, view, weekly

RULES = load_catalog().method.monetisation
NAN = float("nan")


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
    for share, deficit, name in zip(shares, deficits, band(shares, deficits, RULES), strict=True):
        of_share = (
            "none" if share < 10 else "building" if share < 25 else "active" if share < 75 else "dominant"
        )
        plain = "not_applicable" if deficit < 4.0 else of_share
        assert name == (None if np.isnan(share) or np.isnan(deficit) else plain), (share, deficit)
