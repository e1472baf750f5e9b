"""The derived tables: which series serves when, every edge, what is absent and why, and the sample in plain pandas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import month_ends
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.tables import context, reserve_growth
from assets.compute.tables.activity_inflation import output_gap, sahm_gap
from assets.compute.tables.correlations import correlation, gold_and_inflation
from assets.compute.tables.debt import band, deficit_12m, fiscal_and_debt, is_coordinated
from assets.compute.tables.gauges import after_inflation, growth_needed, relative_attractiveness
from assets.compute.tables.liquidity_destination import build, destination, signals
from assets.compute.tables.yields import credit_spreads, nominal_change, real_change, real_yields
from tests.helpers import (
    SAMPLE_AS_OF,
    archive,
    monthly,
    on_sample,
    published_after,
    reading,
    view,
    vintages,
    weekly,
)
from tests.plain_method import growth, known, latest

METHOD = load_catalog().method
NAN = float("nan")
QUARTERS = ("2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01")
DATES = month_ends(np.datetime64("2014-01-31", "D"), np.datetime64("2024-12-31", "D"))
YIELDS = [
    published_after("DGS10", {"2025-11-04": 4.10}, 1),
    published_after("DFII10", {"2025-11-03": 1.81}, 1),
    published_after("TB3MS", {"2025-10-01": 3.82}, 30),
]


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


def test_once_there_are_tips_their_absence_is_an_absence() -> None:
    frames = [
        published_after("GS10", monthly("2003-01-01", [4.0] * 6), 27),
        published_after("EXPINF10YR", monthly("2003-01-01", [2.0] * 6), 27),
        published_after("FII10", {"2003-01-01": 2.3}, 27),
    ]
    columns = real_yields(view(frames, ["2003-01-31", "2003-06-30"]))
    assert columns["real_10y_pct"].absent_reason.tolist() == [None, "stale"]
    assert list(columns["real_10y_basis"]) == ["tips", None]


def test_a_difference_of_yields_carries_both_series_and_the_older_of_their_dates() -> None:
    breakeven = real_yields(view(YIELDS, "2025-11-05"))["breakeven_10y_pp"]
    assert breakeven.series_ids.tolist() == ["DGS10,DFII10"]
    assert str(breakeven.observation_date[0]) == "2025-11-03"
    assert str(breakeven.available_on[0]) == "2025-11-05"


# ---- credit spreads


def spreads(*frames: pd.DataFrame) -> dict:
    catalog = load_catalog()
    return credit_spreads(View(archive(*frames), DATES, catalog.series, catalog))


def quotes(series_id: str, first: str, captured_at: str = "2014-01-01") -> pd.DataFrame:
    """A quote on every month-end of the grid from `first` on, ever wider, public that day."""
    days = [str(day) for day in DATES if str(day) >= first]
    return vintages(series_id, [(day, day, 1.0 + n) for n, day in enumerate(days)], captured_at=captured_at)


def test_ranks_have_the_window_they_are_a_rank_of_beside_them() -> None:
    columns = spreads(quotes("BAA10Y", "2014-01-31"))
    assert columns["baa_10y_pp_rank"][-1] == pytest.approx((len(DATES) - 0.5) / len(DATES))
    assert np.isnan(columns["baa_10y_pp_rank"][118])
    assert str(columns["baa_10y_pp_window_start_date"][-1])[:10] == "2014-01-31"


def test_a_whole_history_gives_one_though_its_beginning_was_loaded_later() -> None:
    start = vintages("BAMLH0A0HYM2", [("1996-12-31", "1997-01-01", 3.1)], captured_at="2024-06-01")
    truncated = quotes("BAMLH0A0HYM2", "2014-01-31")
    whole = spreads(start, truncated)
    assert whole["hy_oas_pct"].present.all()
    assert not whole["is_spread_missing"][-1]
    assert not spreads(truncated)["hy_oas_pct"].present.any()


def test_the_family_is_the_mean_of_the_ranks_present_and_investment_grade_is_not_in_it() -> None:
    family = spreads(quotes("EBP", "2014-01-31"), quotes("BAA10Y", "2014-01-31"))
    assert family["spread_family_rank"][-1] == family["ebp_pp_rank"][-1]
    assert np.isnan(family["spread_family_rank"][118])
    assert family["is_spread_missing"][118]
    start = vintages("BAMLC0A0CM", [("1996-12-31", "1997-01-01", 1.0)])
    graded = spreads(start, quotes("BAMLC0A0CM", "2014-01-31"))
    assert graded["ig_oas_pct"].present.all()
    assert graded["is_spread_missing"].all()


# ---- economy, budget, the Fed


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


def test_a_missing_month_leaves_the_newest_twelve_that_are_whole() -> None:
    balance = monthly("2024-01-01", [-100_000.0] * 12 + [None] + [-900_000.0])
    seen = view(published_after("MTSDS133FMS", balance, 43), "2025-03-31")
    found = deficit_12m(seen)
    assert found.value.tolist() == [1200.0]
    assert str(found.observation_date[0]) == "2024-12-01"


@pytest.mark.parametrize(("bills", "answer"), [(210.0, True), (209.0, False)])
def test_the_bill_share_compares_month_ends_and_shortens_from_one_point_on(
    bills: float, answer: bool
) -> None:
    """The public debt statement is stamped on the last day of a month, of 28 days as of 29."""
    frames = [
        published_after("MSPD_BILLS", {"2024-02-29": 200.0, "2025-02-28": bills}, 6),
        published_after("MSPD_TOTAL_MARKETABLE", {"2024-02-29": 1000.0, "2025-02-28": 1000.0}, 6),
    ]
    columns = fiscal_and_debt(view(frames, "2025-03-31"))
    assert columns["bill_share_change_12m_pp"].value.tolist() == pytest.approx([(bills - 200.0) / 10.0])
    assert columns["is_maturity_shortening"].tolist() == [answer]


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
    edges = product((NAN, -91.0, 9.99, 10.0, 24.99, 25.0, 74.99, 75.0, 140.0), (NAN, 3.99, 4.0, 6.0))
    shares, deficits = np.array([*edges]).T
    found = band(shares, deficits, METHOD.monetisation)
    for share, deficit, name in zip(shares, deficits, found, strict=True):
        of_share = (
            "none" if share < 10 else "building" if share < 25 else "active" if share < 75 else "dominant"
        )
        plain = "not_applicable" if deficit < 4.0 else of_share
        assert name == (None if np.isnan(share) or np.isnan(deficit) else plain), (share, deficit)


def test_the_three_together() -> None:
    for impulse, change, deficit in product((0.5, 0.49, NAN), (-0.20, -0.19, 0.25, NAN), (4.0, 3.99, NAN)):
        found = is_coordinated(reading([impulse]), reading([change]), reading([deficit]), METHOD)
        unknown = np.isnan([impulse, change, deficit]).any()
        plain = impulse >= 0.5 and change <= -0.2 and deficit >= 4.0
        assert found.tolist() == [None if unknown else plain], (impulse, change, deficit)


# ---- where the money went


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


# ---- assets next to each other, context


def test_what_free_data_cannot_say_is_absent_and_says_so() -> None:
    table = on_sample().run.table("bubble_gauge")
    gauge = table[table["as_of_date"] == pd.Timestamp("2025-11-30")].set_index("measure")
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


def built(*frames: pd.DataFrame) -> pd.DataFrame:
    return relative_attractiveness(view(list(frames), "2025-11-05")).set_index("asset")


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


# ---- correlations


def test_money_and_gold_of_the_sample_are_the_same_in_plain_pandas() -> None:
    at, tables = pd.Timestamp(SAMPLE_AS_OF), on_sample().tables
    names = ("M2SL", "CPIAUCSL", "TB3MS", "GOLD_WB_MONTHLY")
    money, prices, bills, gold = (known(name, at).asfreq("MS") for name in names)
    growth, inflation = (100.0 * of.pct_change(12, fill_method=None) for of in (money, prices))
    pairs = pd.concat([growth, bills - inflation], axis=1).dropna()  # October 2025 has no prices
    row = tables["money_and_rates"].frame.iloc[-1]
    assert row["m2_yoy_pct"] == pytest.approx(growth.dropna().iloc[-1])
    assert row["m2_real_rate_correlation_full"] == pytest.approx(pairs.corr().iloc[0, 1])
    ten_years = pairs[pairs.index > pairs.index[-1] - pd.DateOffset(months=120)]
    assert row["m2_real_rate_correlation_10y"] == pytest.approx(ten_years.corr().iloc[0, 1])
    row, levels = tables["gold_and_inflation"].frame.iloc[-1], pd.concat([gold, prices], axis=1)["1985":]
    for months, column in ((12, "gold_cpi_correlation_1y"), (120, "gold_cpi_correlation_10y")):
        change = (levels / levels.shift(months)) ** (12 / months)
        assert row[column] == pytest.approx(change.corr().iloc[0, 1])
    multiple = levels.dropna().iloc[-1] / levels.dropna().iloc[0]
    assert row["gold_over_cpi_multiple"] == pytest.approx(multiple.iloc[0] / multiple.iloc[1])
    assert row["separate_10y_windows"] == 4


def test_pearson_by_hand() -> None:
    x, y = np.array([[1.0, 2.0, 4.0, np.nan]]), np.array([[2.0, 1.0, 3.0, 9.0]])
    assert correlation(x, y, None, 3)[0] == pytest.approx(np.corrcoef([1, 2, 4], [2, 1, 3])[0, 1])
    assert correlation(x, y, 2, 2)[0] == pytest.approx(1.0), "the two newest pairs"
    assert np.isnan(correlation(x, y, None, 4)[0])
    assert np.isnan(correlation(np.ones((1, 3)), y[:, :3], None, 2)[0]), "money that never moves"


def test_a_correlation_of_the_past_keeps_its_last_digit_when_months_are_appended() -> None:
    """The sum of numpy depends on the number of columns, also of empty ones; a published row may not."""
    random = np.random.default_rng(20260930)
    x, y = random.normal(size=(2, 40, 400))
    expected = correlation(x, y, None, 120)
    for months in range(1, 60):
        longer = [np.hstack([one, np.full((40, months), np.nan)]) for one in (x, y)]
        np.testing.assert_array_equal(correlation(*longer, None, 120), expected)


def test_gold_before_1975_does_not_count_and_a_month_without_prices_is_left_out() -> None:
    gold = [35.0] * 60 + [100.0 + n for n in range(24)]
    prices: list[float | None] = [40.0] * 60 + [50.0 + n for n in range(24)]
    prices[-1] = None
    frames = [
        published_after("GOLD_WB_MONTHLY", monthly("1970-01-01", gold), 36),
        published_after("CPIAUCSL", monthly("1970-01-01", prices), 45),
    ]
    found = gold_and_inflation(view(frames, "1977-02-28"))
    assert str(found["history_start_date"][0])[:10] == "1975-01-01"
    multiples = [found[f"{name}_multiple"].value[0] for name in ("gold", "cpi")]
    assert multiples == pytest.approx([1.22, 1.44]), "November 1976, the last month with both"
    assert found["gold_cpi_correlation_1y"].absent_reason.tolist() == ["history_too_short"], "ten changes"
