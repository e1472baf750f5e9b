"""`liquidity_destination` and the overlays made of it: changes in plain pandas, every edge, nothing mixed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.tables import fiscal_and_debt, monetisation
from assets.compute.tables.liquidity_destination import build, destination, signals
from assets.compute.tables.real_yields import nominal_change, real_change
from tests.helpers import SAMPLE_AS_OF, monthly, on_sample, published_after, reading, view
from tests.plain_method import growth, known, latest

CATALOG = load_catalog()
METHOD = CATALOG.method
NAN = float("nan")


# ---- yields


def test_where_no_quote_is_old_enough_the_months_average_is_the_earlier_end() -> None:
    frames = [
        published_after("DGS10", {"2023-01-31": 3.5}, 1),
        published_after("GS10", {"2022-01-01": 1.8, "2023-01-01": 3.6}, 30),
    ]
    found = nominal_change(view(frames, "2023-02-01"), 12)
    assert found.value.tolist() == pytest.approx([1.7])
    assert found.series_ids.tolist() == ["DGS10,GS10"]


def test_a_real_yield_never_changes_from_one_basis_to_the_other() -> None:
    frames = [
        published_after("FII10", monthly("2003-01-01", [2.3] * 12 + [1.9] * 2), 30),
        published_after("GS10", monthly("2002-01-01", [5.0] * 12 + [4.0] * 14), 30),
        published_after("EXPINF10YR", monthly("2002-01-01", [2.5] * 12 + [2.0] * 14), 31),
    ]
    seen = view(frames, ["2003-06-30", "2004-01-31"])
    found = real_change(seen, 12)
    assert found.value.tolist() == pytest.approx([-0.5, -0.4])
    assert found.series_ids.tolist() == ["GS10,EXPINF10YR", "FII10"]


# ---- where it went


def quote_change(series_id: str, at: pd.Timestamp) -> tuple[float, float]:
    """The newest quote known, and the last one up to the same day three months before it."""
    quotes = known(series_id, at)
    return quotes.iloc[-1], quotes[: quotes.index[-1] - pd.DateOffset(months=3)].iloc[-1]


def profit_multiple(at: pd.Timestamp, years_back: int) -> float:
    """Market value over profits of the newest quarter with both, or of one some years before."""
    stored = pd.concat([known(s, at) for s in ("CP", "NCBEILQ027S_GDP_PCT", "GDP")], axis=1).dropna()
    profits, ratio, gdp = stored.iloc[-1 - 4 * years_back]
    return float(ratio * gdp / profits)


@pytest.mark.parametrize("date", ["2025-11-30", SAMPLE_AS_OF])
def test_the_sample_says_the_same_in_plain_pandas(date: str) -> None:
    at = pd.Timestamp(date)
    (nominal, nominal_before), (tips, tips_before) = (quote_change(s, at) for s in ("DGS10", "DFII10"))
    coupons = sum(nominal_before / 2 / (1 + nominal / 200) ** n for n in range(1, 21))
    plain = {
        "nominal_10y_change_3m_pp": nominal - nominal_before,
        "real_10y_change_3m_pp": tips - tips_before,
        "breakeven_change_3m_pp": nominal - nominal_before - (tips - tips_before),
        "bond_price_change_3m_pct": coupons + 100 / (1 + nominal / 200) ** 20 - 100,
        "gold_return_12m_pct": growth("GOLD_WB_MONTHLY", at),
        "gold_less_core_inflation_12m_pp": growth("GOLD_WB_MONTHLY", at) - growth("PCEPILFE", at),
        "real_gold_usd_per_oz": 100 * latest("GOLD_WB_MONTHLY", at) / latest("CPIAUCSL", at),
        "earnings_multiple_change_12m_pct": 100 * (profit_multiple(at, 0) / profit_multiple(at, 1) - 1),
    }
    found = on_sample().tables["liquidity_destination"].frame.set_index("as_of_date").loc[at, list(plain)]
    assert found.to_dict() == pytest.approx(plain)


def test_five_signals_count_in_their_own_direction() -> None:
    hot = [np.array([1.0]), np.array([-1.0]), np.array([1.0]), np.array([-1.0]), np.array([1.0])]
    assert [int(n[0]) for n in signals(*hot)] == [5, 5]
    assert [int(n[0]) for n in signals(*(-each for each in hot))] == [0, 5]
    assert [int(n[0]) for n in signals(*hot[:4], np.array([NAN]))] == [4, 4], "missing is not neutral"
    assert [int(n[0]) for n in signals(*(0 * each for each in hot))] == [0, 5]


def test_the_word_follows_from_the_changes() -> None:
    seen = view(published_after("DGS10", {"2025-11-28": 4.0}), "2025-11-30")
    for (up, of), core, change in product(
        ((3, 5), (2, 5), (2, 4), (3, 4), (2, 2), (5, 5)), (1.99, 2.0, NAN), (-0.1, 0.0, 0.1, NAN)
    ):
        to_assets, to_goods = up > of / 2, core >= 2.0 and change >= 0.0
        plain = {(1, 1): "both", (1, 0): "asset_prices", (0, 1): "goods", (0, 0): "neither"}[
            to_assets, to_goods
        ]
        found = destination(np.array([up]), np.array([of]), np.array([core]), np.array([change]), seen)
        unknown = of < METHOD.destination.signals_needed or np.isnan(core) or np.isnan(change)
        assert found.tolist() == [None if unknown else plain], (up, of, core, change)


def test_leadership_is_relative_and_only_where_both_indices_are() -> None:
    frames = [
        published_after("NASDAQ100", {"2024-11-27": 20_000.0, "2025-11-28": 25_200.0}, 1),
        published_after("SP500", {"2024-11-27": 6000.0, "2025-11-28": 7200.0}, 1),
    ]
    live, sample = view(frames, "2025-11-30", profile="live"), view(frames, "2025-11-30", profile="sample")
    assert build(live)["nasdaq100_relative_return_12m_pct"].value.tolist() == pytest.approx([5.0])
    assert build(live)["is_long_duration_leading"].tolist() == [True]
    assert build(sample)["is_long_duration_leading"].tolist() == [None]


def warning_case(nominal: float, tips: float, price: float) -> list[pd.DataFrame]:
    """Three months from 4.0 (nominal), 2.0 (TIPS) and 100 (equities) to what is given."""
    return [
        published_after("DGS10", {"2025-08-28": 4.0, "2025-11-28": nominal}, 1),
        published_after("DFII10", {"2025-08-28": 2.0, "2025-11-28": tips}, 1),
        published_after("SHILLER_PRICE", {"2025-08-01": 100.0, "2025-11-01": price}, 29),
    ]


@pytest.mark.parametrize(
    ("nominal", "tips", "price", "is_case"),
    [
        (4.5, 2.2, 95.0, True),
        (4.5, 2.6, 95.0, False),
        (4.5, 2.2, 101.0, False),
        (3.9, 1.5, 95.0, False),
    ],
)
def test_the_warning_case_needs_all_four(nominal: float, tips: float, price: float, is_case: bool) -> None:
    seen = view(warning_case(nominal, tips, price), "2025-11-30", profile="live")
    assert build(seen)["is_inflation_hitting_stocks_and_bonds"].tolist() == [is_case]


def test_a_market_value_months_old_is_not_set_beside_yields_of_today() -> None:
    computed = on_sample().tables["liquidity_destination"].frame
    assert computed["equity_return_3m_pct"].notna().sum() > 400
    is_case = computed["is_inflation_hitting_stocks_and_bonds"]
    of_market_value = (on_sample().frame["equity_price_basis"] == "z1_market_value_usd_bn").to_numpy()
    assert of_market_value.any() and is_case[of_market_value].isna().all()
    assert is_case[~of_market_value].notna().any(), "the monthly index is young enough"


# ---- overlays


def test_the_three_together() -> None:
    for impulse, change, deficit in product((0.5, 0.49, NAN), (-0.20, -0.19, 0.25, NAN), (4.0, 3.99, NAN)):
        found = monetisation.is_coordinated(reading([impulse]), reading([change]), reading([deficit]), METHOD)
        unknown = np.isnan([impulse, change, deficit]).any()
        plain = impulse >= 0.5 and change <= -0.2 and deficit >= 4.0
        assert found.tolist() == [None if unknown else plain], (impulse, change, deficit)


@pytest.mark.parametrize(("bills", "answer"), [(210.0, True), (209.0, False)])
def test_maturities_shorten_from_one_point_on(bills: float, answer: bool) -> None:
    frames = [
        published_after("MSPD_BILLS", {"2024-10-31": 200.0, "2025-10-31": bills}, 6),
        published_after("MSPD_TOTAL_MARKETABLE", {"2024-10-31": 1000.0, "2025-10-31": 1000.0}, 6),
    ]
    columns = fiscal_and_debt.build(view(frames, "2025-11-30"))
    assert columns["is_maturity_shortening"].tolist() == [answer]
