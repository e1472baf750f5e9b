"""What must hold between series of different releases: identities that can fail, computed from the archive as known.

Belongs here: which series, how they relate, and how far apart real figures have been. Does not belong here: reading the
archive (`known.py`, `checks/archive.py`), rules within one series (`checks/suites/raw.py`).

Limits come from real figures since 1984: those between series that say the same are rounding, the others lie well
outside what was seen, crises included. T10YIE is DGS10 less DFII10 by construction and is no identity that can fail.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from checks.audits.identity import COMPARE, Identity
from checks.audits.known import WEEKS_OF_A_MONTH, Known, at_quarter_end, growth_pct, rank

_UNIT = "A unit or scale changed in one of the two: compare both with their publishers and with assets/catalog/series."


def _difference(a: str, b: str, low: float, high: float, statement: str) -> Identity:
    return Identity(f"near_{b}".lower(), (a, b), lambda k: k.months(a) - k.months(b), low, high, statement)


def _mean_of(monthly: str, daily: str, tolerance: float) -> Identity:
    return Identity(
        f"mean_of_{daily}".lower(),
        (monthly, daily),
        lambda k: k.months(monthly) - k.month_mean(daily),
        -tolerance,
        tolerance,
        f"{monthly} is the mean of {daily} over the month, within {tolerance:g} percentage points of rounding",
    )


def _share(
    part: str, whole: str, low: float, high: float, statement: str, pair: Callable[[Known], pd.Series]
) -> Identity:
    return Identity(f"within_{whole}".lower(), (part, whole), pair, low, high, statement, _UNIT)


def _ranks_apart(a: pd.Series, b: pd.Series) -> pd.Series:
    common = a.index.intersection(b.index)
    return rank(a[common]) - rank(b[common])


def _borrowed_beyond_deficit(known: Known) -> pd.Series:
    deficit = at_quarter_end(-known.months("MTSDS133FMS").rolling(12).sum())
    debt = known.quarters("FYGFDPUN")
    return (debt - debt.shift(4) - deficit) / debt


RATES: tuple[Identity, ...] = (
    _mean_of("GS10", "DGS10", 0.02),
    _mean_of("FII10", "DFII10", 0.02),
    _mean_of("FEDFUNDS", "DFF", 0.02),
    _mean_of("BAA10YM", "BAA10Y", 0.03),
    Identity(
        "below_dfedtaru",
        ("FEDFUNDS", "DFEDTARU"),
        lambda k: k.months("FEDFUNDS") - k.in_force_mean("DFEDTARU"),
        -0.35,
        0.05,
        "the effective rate lies in the target range: at most 0.35 points below its upper limit, 0.05 above",
    ),
    Identity(
        "near_dgs3mo",
        ("TB3MS", "DGS3MO"),
        lambda k: k.months("TB3MS") - k.month_mean("DGS3MO"),
        -0.75,
        0.15,
        "the bill's discount rate is 0.75 points below its yield at most, 0.15 above",
    ),
    _difference(
        "TB3MS", "FEDFUNDS", -2.25, 1.25, "bills yield 2.25 points less than federal funds at most, 1.25 more"
    ),
    Identity(
        "near_expinf10yr",
        ("DFII10", "DGS10", "EXPINF10YR"),
        lambda k: k.month_last("DGS10") - k.month_last("DFII10") - k.months("EXPINF10YR"),
        -2.5,
        2.0,
        "the breakeven lies 2.5 points below modelled expected inflation at most, 2 above",
    ),
    _difference(
        "HQMCB10YR", "GS10", 0.0, 7.0, "high-quality corporate bonds yield 0 to 7 points more than Treasuries"
    ),
    _difference("BAA10YM", "AAA10YM", 0.2, 5.0, "Baa bonds yield 0.2 to 5 points more than Aaa bonds"),
    Identity(
        "above_bamlc0a0cm",
        ("BAMLH0A0HYM2", "BAMLC0A0CM"),
        lambda k: k.of("BAMLH0A0HYM2") - k.of("BAMLC0A0CM"),
        1.0,
        18.0,
        "the high-yield spread is 1 to 18 points wider than the investment-grade one",
    ),
    _difference(
        "GZ_SPREAD", "EBP", 0.3, 7.0, "the GZ spread is 0.3 to 7 points wider than its excess bond premium"
    ),
    Identity(
        "rank_near_bamlh0a0hym2",
        ("EBP", "BAMLH0A0HYM2"),
        lambda k: _ranks_apart(k.months("EBP"), k.month_mean("BAMLH0A0HYM2")),
        -0.8,
        0.8,
        "the excess bond premium ranks within 0.8 of the high-yield spread over their common months",
        "Two measures of one market disagree by most of their range: compare both with their publishers.",
        "warning",
    ),
)
REAL_ECONOMY: tuple[Identity, ...] = (
    Identity(
        "deflator_growth",
        ("GDP", "GDPC1"),
        lambda k: growth_pct(k.quarters("GDP") / k.quarters("GDPC1"), 4),
        -2.0,
        12.0,
        "nominal over real GDP, the deflator, grows by -2 to 12 percent a year",
        _UNIT,
    ),
    Identity(
        "deflator_near_cpiaucsl",
        ("GDPC1", "GDP", "CPIAUCSL"),
        lambda k: (
            growth_pct(k.quarters("GDP") / k.quarters("GDPC1"), 4) - growth_pct(k.quarter_mean("CPIAUCSL"), 4)
        ),
        -5.0,
        4.0,
        "the deflator grows by 5 points less a year than consumer prices at most, 4 more",
    ),
    Identity(
        "near_cpiaucsl",
        ("PCEPILFE", "CPIAUCSL"),
        lambda k: growth_pct(k.months("PCEPILFE"), 12) - growth_pct(k.months("CPIAUCSL"), 12),
        -5.5,
        4.5,
        "core PCE inflation is 5.5 points below CPI inflation at most, 4.5 above",
    ),
    _share(
        "CP",
        "GDP",
        2.0,
        18.0,
        "profits are 2 to 18 percent of GDP",
        lambda k: 100 * k.quarters("CP") / k.quarters("GDP"),
    ),
    Identity(
        "within_payems",
        ("ICSA", "PAYEMS"),
        lambda k: 0.1 * k.month_mean("ICSA", WEEKS_OF_A_MONTH) / k.months("PAYEMS"),
        0.05,
        6.0,
        "weekly claims are 0.05 to 6 percent of payrolls",
        _UNIT,
    ),
    Identity(
        "near_icsa",
        ("UNRATE", "ICSA"),
        lambda k: 1e6 * k.months("UNRATE") / k.month_mean("ICSA", WEEKS_OF_A_MONTH),
        1.0,
        35.0,
        "the unemployment rate is 1 to 35 points per million weekly claims",
    ),
    Identity(
        "growth_near_gdpc1",
        ("PAYEMS", "GDPC1"),
        lambda k: growth_pct(k.quarter_mean("PAYEMS"), 4) - growth_pct(k.quarters("GDPC1"), 4),
        -12.0,
        6.0,
        "payrolls grow by 12 points less a year than real GDP at most, 6 more",
    ),
    Identity(
        "growth_near_gdpc1",
        ("INDPRO", "GDPC1"),
        lambda k: growth_pct(k.quarter_mean("INDPRO"), 4) - growth_pct(k.quarters("GDPC1"), 4),
        -18.0,
        10.0,
        "industrial production grows by 18 points less a year than real GDP at most, 10 more",
    ),
    Identity(
        "mean_of_sp500",
        ("SHILLER_PRICE", "SP500"),
        lambda k: 100 * (k.months("SHILLER_PRICE") / k.month_mean("SP500") - 1),
        -5.0,
        5.0,
        "Shiller's price is the mean of the month's closes, within 5 percent",
        COMPARE,
        "warning",
    ),
    Identity(
        "near_cpiaucsl",
        ("SHILLER_CPI", "CPIAUCSL"),
        lambda k: 100 * (k.months("SHILLER_CPI") / k.months("CPIAUCSL") - 1),
        -2.0,
        2.0,
        "the unadjusted CPI is within 2 percent of the adjusted one",
    ),
)
MONEY_AND_DEBT: tuple[Identity, ...] = (
    Identity(
        "covers_parts",
        ("WALCL", "TREAST", "WSHOMCB"),
        lambda k: (k.of("TREAST") + k.of("WSHOMCB")) / k.of("WALCL"),
        0.15,
        1.0,
        "Treasuries and mortgage bonds are 0.15 to 1 of total assets",
        _UNIT,
    ),
    _share(
        "TREAST", "WALCL", 0.15, 1.0, "Treasuries are 0.15 to 1 of assets",
        lambda k: k.of("TREAST") / k.of("WALCL"),
    ),
    _share(
        "WRESBAL", "WALCL", 0.002, 0.8, "reserves are 0.002 to 0.8 of assets",
        lambda k: k.of("WRESBAL") / k.of("WALCL"),
    ),
    Identity(
        "within_bogmbase",
        ("WRESBAL", "BOGMBASE"),
        lambda k: 0.001 * k.month_mean("WRESBAL", WEEKS_OF_A_MONTH) / k.months("BOGMBASE"),
        0.004,
        0.9,
        "reserves are 0.004 to 0.9 of the monetary base",
        _UNIT,
    ),
    Identity(
        "near_wresbal",
        ("TOTRESNS", "WRESBAL"),
        lambda k: k.months("TOTRESNS") / (0.001 * k.month_mean("WRESBAL", WEEKS_OF_A_MONTH)),
        0.9,
        9.0,
        "total reserves are 0.9 to 9 times reserve balances, which left vault cash out until 2020",
        _UNIT,
    ),
    Identity(
        "near_wtregen",
        ("WDTGAL", "WTREGEN"),
        lambda k: k.month_mean("WDTGAL", WEEKS_OF_A_MONTH) / k.month_mean("WTREGEN", WEEKS_OF_A_MONTH),
        0.25,
        4.0,
        "the Treasury's balance on Wednesdays is 0.25 to 4 times its mean over the weeks",
        _UNIT,
    ),
    _share(
        "BOGMBASE", "M2SL", 0.05, 0.5, "the base is 0.05 to 0.5 of M2",
        lambda k: k.months("BOGMBASE") / k.months("M2SL"),
    ),
    _share(
        "BUSLOANS", "TOTBKCR", 0.08, 0.4, "business loans are 0.08 to 0.4 of bank credit",
        lambda k: k.months("BUSLOANS") / k.month_mean("TOTBKCR", WEEKS_OF_A_MONTH),
    ),
    _share(
        "TOTLL", "TOTBKCR", 0.5, 0.95, "loans are 0.5 to 0.95 of bank credit",
        lambda k: k.of("TOTLL") / k.of("TOTBKCR"),
    ),
    _share(
        "FYGFDPUN", "GFDEBTN", 0.45, 0.95, "the public holds 0.45 to 0.95 of federal debt",
        lambda k: k.quarters("FYGFDPUN") / k.quarters("GFDEBTN"),
    ),
    _share(
        "MSPD_BILLS", "MSPD_TOTAL_MARKETABLE", 0.05, 0.5, "bills are 0.05 to 0.5 of marketable debt",
        lambda k: k.months("MSPD_BILLS") / k.months("MSPD_TOTAL_MARKETABLE"),
    ),
    Identity(
        "within_gfdebtn",
        ("MSPD_TOTAL_MARKETABLE", "GFDEBTN"),
        lambda k: k.month_last_of_quarter("MSPD_TOTAL_MARKETABLE") / k.quarters("GFDEBTN"),
        0.35,
        0.95,
        "marketable debt is 0.35 to 0.95 of federal debt",
        _UNIT,
    ),
    Identity(
        "near_fygfdpun",
        ("MTSDS133FMS", "FYGFDPUN"),
        _borrowed_beyond_deficit,
        -0.15,
        0.15,
        "over a year the public's debt grows by the deficit, within 15 percent of the debt",
        _UNIT,
    ),
)  # fmt: skip
IDENTITIES: tuple[Identity, ...] = (*RATES, *REAL_ECONOMY, *MONEY_AND_DEBT)
