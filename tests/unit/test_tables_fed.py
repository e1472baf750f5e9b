"""`reserve_growth` and `monetisation`: units, annualising, and dates that must be the debt's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import days
from assets.compute.lookup import View
from assets.compute.tables import monetisation, reserve_growth
from assets.compute.tables.monetisation import band
from tests.helpers import monthly, on_sample, published_after, view, vintages, weekly

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


def test_excess_growth_is_over_the_larger_of_credit_and_output() -> None:
    frames = [
        levels("WALCL", "2025-10-29", 1_000_000.0, 1_100_000.0),
        published_after("TOTBKCR", {"2024-10-16": 100.0, "2025-10-15": 105.0}, 9),
        gdp(*[29_000.0] * 4, 29_900.0, 29_870.0),
    ]
    assert value(view(frames, "2025-10-31"), "excess_growth_pp") == pytest.approx(21.0 - 5.0)
    assert value(view(frames, "2025-10-31"), "nominal_gdp_yoy_pct") == pytest.approx(3.0)


def test_net_liquidity_takes_reverse_repo_in_billions_beside_millions() -> None:
    frames = [
        levels("WALCL", "2025-10-29", 6_600_000.0),
        levels("WTREGEN", "2025-10-29", 900_000.0),
        published_after("RRPONTSYD", {"2025-10-30": 20.0}, 1),
    ]
    columns = reserve_growth.build(view(frames, "2025-10-31"))
    assert columns["net_liquidity_usd_bn"].value.tolist() == [5680.0]
    assert list(columns["net_liquidity_basis"]) == ["WTREGEN"], "a week's average, and named"


# ---- monetisation


def case(holdings: tuple[float, float], debt: tuple[float, float], monthly_balance: float) -> View:
    """Quarter-end 2025-06-30: holdings and debt now and a year before (millions), a balance every month."""
    frames = [
        vintages(
            "TREAST", [("2024-06-26", "2024-06-27", holdings[0]), ("2025-06-25", "2025-06-26", holdings[1])]
        ),
        published_after("FYGFDPUN", {"2024-04-01": debt[0], "2025-04-01": debt[1]}, 166),
        published_after("MTSDS133FMS", monthly("2024-07-01", [monthly_balance] * 14), 43),
        gdp(*[30_000.0] * 5),
    ]
    return view(frames, "2025-09-30")


def result(seen: View) -> dict[str, object]:
    columns = monetisation.build(seen)
    return {k: (c.value if hasattr(c, "value") else c)[0] for k, c in columns.items()}


def test_the_share_is_of_the_debts_change_between_the_debts_own_dates() -> None:
    found = result(case((4_000_000.0, 4_900_000.0), (27_000_000.0, 28_800_000.0), -150_000.0))
    assert str(found["debt_date"])[:10] == "2025-06-30"
    assert found["treasuries_bought_12m_usd_bn"] == 900.0
    assert found["debt_change_12m_usd_bn"] == 1800.0
    assert found["deficit_12m_to_debt_date_usd_bn"] == 1800.0, "July to June, not the newest 12 months"
    assert found["share_12m_pct"] == 50.0
    assert found["monetisation_band"] == "active"
    assert not found["is_denominator_distorted"]


def test_a_debt_limit_does_not_turn_into_monetisation() -> None:
    found = result(case((4_000_000.0, 4_900_000.0), (27_000_000.0, 28_000_000.0), -150_000.0))
    assert np.isnan(found["share_12m_pct"]), "withheld: 90 percent of a change that is no measure"  # type: ignore[call-overload]
    assert found["is_denominator_distorted"]
    assert found["share_12m_of_deficit_pct"] == 50.0
    assert found["monetisation_band"] == "active", "of the deficit, not dominant"


def test_without_a_large_deficit_there_is_nothing_to_monetise() -> None:
    found = result(case((4_000_000.0, 4_900_000.0), (27_000_000.0, 28_100_000.0), -99_000.0))
    assert found["deficit_12m_to_debt_date_pct_gdp"] == pytest.approx(3.96)
    assert found["monetisation_band"] == "not_applicable"


def test_the_quarter_known_is_the_newest_whose_debt_is_public() -> None:
    seen = case((4_000_000.0, 4_900_000.0), (27_000_000.0, 28_800_000.0), -150_000.0)
    early = View(seen.archive, days("2025-09-13"), seen.series, seen.catalog)
    assert np.isnat(np.datetime64(str(result(early)["debt_date"])))


def test_each_window_is_withheld_by_its_own_deficit() -> None:
    computed = on_sample()
    table = computed.tables["monetisation"].frame.set_index("as_of_date")
    for window in ("6m", "since_start"):
        ratio = table[f"debt_change_{window}_usd_bn"] / table[f"deficit_{window}_usd_bn"]
        outside = (ratio < 0.75) | (ratio > 1.5)
        assert outside.any()
        assert table.loc[outside, f"share_{window}_pct"].isna().all()
        measured = table[f"treasuries_bought_{window}_usd_bn"].notna() & ratio.notna() & ~outside
        assert measured.any()
        assert table.loc[measured, f"share_{window}_pct"].notna().all()
    distorted = table["is_denominator_distorted"] == True  # noqa: E712
    assert table.loc[distorted, "share_12m_pct"].isna().all()
    assert table.loc[distorted, "monetisation_band"].notna().any(), "by the share of the deficit"
    reasons = computed.readings["monetisation.share_12m_pct"].absent_reason[distorted.to_numpy()]
    assert "denominator_distorted" in set(reasons)


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
