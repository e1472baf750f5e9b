"""Relations between series that can fail, computed from the archive as known on one day.

A relation compares two publishers, or two series of one accounting. Limits come from figures since 1985: critical
limits lie well outside anything seen, crises included; those that warn lie just outside it. A relation that holds by
construction (T10YIE is DGS10 less DFII10) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from checks.known import WEEKS_OF_A_MONTH, Known, at_quarter_end, correlation, growth_pct, rank
from checks.suites.rules import Rule, Severity, Suite, within

FIRST_YEAR = 1985
_COMPARE = (
    "Compare both series with their publishers around these periods: one of them has a wrong figure or unit."
)
_UNIT = "A unit or scale changed in one of the two: compare both with their publishers and with assets/catalog/series."
_MEANS_OF_A_DAILY_RATE = 0.02
_CORRELATED_MONTHS = 120


@dataclass(frozen=True)
class Identity:
    """A relation between series: one number per period, and its limits.

    `name` is that of the check on `series[0]`; `relation` gives the number by period, in the unit `statement` names.
    """

    name: str
    series: tuple[str, ...]
    low: float
    high: float
    statement: str
    relation: Callable[[Known], pd.Series]
    what_to_do: str = _COMPARE
    severity: Severity = "critical"


def key_of(identity: Identity) -> str:
    """Name of an identity among all: the series the check is on, and its name there."""
    return f"{identity.series[0]}__{identity.name}"


def identities_suite(identities: Sequence[Identity]) -> Suite:
    """One rule per identity, on the frame `relations` gives."""
    return Suite("identities", ("period",), tuple(map(_rule, identities)))


def relations(known: Known, identities: Sequence[Identity]) -> pd.DataFrame:
    """One row per identity and period for which all its figures are known; none where a series is missing."""
    parts = [pd.DataFrame(columns=["identity", "period", "relation"])]
    for identity in identities:
        if all(len(known.of(name)) for name in identity.series):
            values = identity.relation(known).dropna()
            values = values[[period.year >= FIRST_YEAR for period in values.index]]
            periods = [str(p.date()) if isinstance(p, pd.Timestamp) else str(p) for p in values.index]
            parts.append(
                pd.DataFrame({"identity": key_of(identity), "period": periods, "relation": values.to_numpy()})
            )
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _rule(identity: Identity) -> Rule:
    name = key_of(identity)
    return within(
        name,
        ("identity", "relation"),
        lambda f, _: f["relation"].where(f["identity"] == name),
        minimum=identity.low,
        maximum=identity.high,
        statement=identity.statement,
        what_to_do=identity.what_to_do,
        severity=identity.severity,
    )


def _mean_of(monthly: str, daily: str, tolerance: float) -> Identity:
    return Identity(
        f"mean_of_{daily}".lower(),
        (monthly, daily),
        -tolerance,
        tolerance,
        f"{monthly} is the mean of {daily} over the month, within {tolerance:g} percentage points of rounding",
        lambda k: k.months(monthly) - k.month_mean(daily),
    )


def _share(
    part: str, whole: str, low: float, high: float, statement: str, relation: Callable[[Known], pd.Series]
) -> Identity:
    return Identity(f"within_{whole}".lower(), (part, whole), low, high, statement, relation, _UNIT)


def _warn(
    name: str,
    series: tuple[str, ...],
    low: float,
    high: float,
    statement: str,
    relation: Callable[[Known], pd.Series],
) -> Identity:
    """A relation just outside its history warns: an event may do that too."""
    return Identity(name, series, low, high, statement, relation, _COMPARE, "warning")


def _weeks(known: Known, series_id: str) -> pd.Series:
    return known.month_mean(series_id, WEEKS_OF_A_MONTH)


def _deflator(known: Known) -> pd.Series:
    return known.quarters("GDP") / known.quarters("GDPC1")


def _breakeven_beyond_expected(known: Known) -> pd.Series:
    return known.month_last("DGS10") - known.month_last("DFII10") - known.months("EXPINF10YR")


def _since(year: int, values: pd.Series) -> pd.Series:
    return values[[period.year >= year for period in values.index]]


def _ranks_apart(a: pd.Series, b: pd.Series) -> pd.Series:
    common = a.index.intersection(b.index)
    return rank(a[common]) - rank(b[common])


def _borrowed_beyond_deficit(known: Known) -> pd.Series:
    deficit = at_quarter_end(-known.months("MTSDS133FMS").rolling(12).sum())
    debt = known.quarters("FYGFDPUN")
    return (debt - debt.shift(4) - deficit) / debt


RATES: tuple[Identity, ...] = (
    _mean_of("GS10", "DGS10", _MEANS_OF_A_DAILY_RATE),
    _mean_of("FII10", "DFII10", _MEANS_OF_A_DAILY_RATE),
    _mean_of("FEDFUNDS", "DFF", _MEANS_OF_A_DAILY_RATE),
    _mean_of("BAA10YM", "BAA10Y", 0.03),
    Identity(
        "below_dfedtaru", ("FEDFUNDS", "DFEDTARU"), -0.35, 0.05,
        "the effective rate lies in the target range: at most 0.35 points below its upper limit, 0.05 above",
        lambda k: k.months("FEDFUNDS") - k.in_force_mean("DFEDTARU"),
    ),
    Identity(
        "near_dgs3mo", ("TB3MS", "DGS3MO"), -0.75, 0.15,
        "the bill's discount rate is 0.75 points below its yield at most, 0.15 above",
        lambda k: k.months("TB3MS") - k.month_mean("DGS3MO"),
    ),
    Identity(
        "near_fedfunds", ("TB3MS", "FEDFUNDS"), -2.25, 1.25,
        "bills yield 2.25 points less than federal funds at most, 1.25 more",
        lambda k: k.months("TB3MS") - k.months("FEDFUNDS"),
    ),
    _warn(
        "usual_to_fedfunds", ("TB3MS", "FEDFUNDS"), -1.65, 0.9,
        "bills yield between 1.65 points less and 0.9 more than federal funds, as they have since 1985",
        lambda k: k.months("TB3MS") - k.months("FEDFUNDS"),
    ),
    Identity(
        "near_expinf10yr", ("DFII10", "DGS10", "EXPINF10YR"), -2.5, 2.0,
        "the breakeven lies 2.5 points below modelled expected inflation at most, 2 above",
        _breakeven_beyond_expected,
    ),
    _warn(
        "usual_to_expinf10yr", ("DFII10", "DGS10", "EXPINF10YR"), -0.75, 1.45,
        "the breakeven lies between 0.75 points below modelled expected inflation and 1.45 above, as since 2010",
        lambda k: _since(2010, _breakeven_beyond_expected(k)),
    ),
    Identity(
        "near_gs10", ("HQMCB10YR", "GS10"), 0.0, 7.0,
        "high-quality corporate bonds yield 0 to 7 points more than Treasuries",
        lambda k: k.months("HQMCB10YR") - k.months("GS10"),
    ),
    _warn(
        "near_gz_spread", ("HQMCB10YR", "GS10", "GZ_SPREAD"), -3.6, 0.8,
        "the high-quality spread is 3.6 points narrower than the GZ spread at most, 0.8 wider",
        lambda k: k.months("HQMCB10YR") - k.months("GS10") - k.months("GZ_SPREAD"),
    ),
    Identity(
        "near_aaa10ym", ("BAA10YM", "AAA10YM"), 0.2, 5.0,
        "Baa bonds yield 0.2 to 5 points more than Aaa bonds",
        lambda k: k.months("BAA10YM") - k.months("AAA10YM"),
    ),
    _warn(
        "near_gz_spread", ("BAA10YM", "GZ_SPREAD"), -2.7, 1.4,
        "the Baa spread is 2.7 points narrower than the GZ spread at most, 1.4 wider",
        lambda k: k.months("BAA10YM") - k.months("GZ_SPREAD"),
    ),
    Identity(
        "above_bamlc0a0cm", ("BAMLH0A0HYM2", "BAMLC0A0CM"), 1.0, 18.0,
        "the high-yield spread is 1 to 18 points wider than the investment-grade one",
        lambda k: k.of("BAMLH0A0HYM2") - k.of("BAMLC0A0CM"),
    ),
    Identity(
        "near_ebp", ("GZ_SPREAD", "EBP"), 0.5, 5.4,
        "the GZ spread is 0.5 to 5.4 points wider than its excess bond premium",
        lambda k: k.months("GZ_SPREAD") - k.months("EBP"),
    ),
    _warn(
        "rank_near_bamlh0a0hym2", ("EBP", "BAMLH0A0HYM2"), -0.8, 0.8,
        "the excess bond premium ranks within 0.8 of the high-yield spread over their common months",
        lambda k: _ranks_apart(k.months("EBP"), k.month_mean("BAMLH0A0HYM2")),
    ),
    Identity(
        "moves_with_gz_spread", ("NFCI", "GZ_SPREAD"), 0.1, 1.0,
        "over ten years tight financial conditions go with wide credit spreads: a correlation of 0.1 at least",
        lambda k: correlation(_weeks(k, "NFCI"), k.months("GZ_SPREAD"), _CORRELATED_MONTHS, FIRST_YEAR),
        "The sign of one of the two is turned, or its figures are those of another series.",
    ),
)  # fmt: skip
REAL_ECONOMY: tuple[Identity, ...] = (
    Identity(
        "deflator_growth", ("GDP", "GDPC1"), -2.0, 12.0,
        "nominal over real GDP, the deflator, grows by -2 to 12 percent a year",
        lambda k: growth_pct(_deflator(k), 4), _UNIT,
    ),
    Identity(
        "deflator_near_cpiaucsl", ("GDPC1", "GDP", "CPIAUCSL"), -5.0, 4.0,
        "the deflator grows by 5 points less a year than consumer prices at most, 4 more",
        lambda k: growth_pct(_deflator(k), 4) - growth_pct(k.quarter_mean("CPIAUCSL"), 4),
    ),
    Identity(
        "deflator_near_pcepilfe", ("GDP", "GDPC1", "PCEPILFE"), -2.6, 3.6,
        "the deflator grows by 2.6 points less a year than core PCE prices at most, 3.6 more",
        lambda k: growth_pct(_deflator(k), 4) - growth_pct(k.quarter_mean("PCEPILFE"), 4),
    ),
    _warn(
        "level_of_pcepilfe", ("GDP", "GDPC1", "PCEPILFE"), 0.94, 1.06,
        "the deflator is 0.94 to 1.06 times core PCE prices, both with the same base year",
        lambda k: 100 * _deflator(k) / k.quarter_mean("PCEPILFE"),
    ),
    Identity(
        "near_cpiaucsl", ("PCEPILFE", "CPIAUCSL"), -4.6, 3.6,
        "core PCE inflation is 4.6 points below CPI inflation at most, 3.6 above",
        lambda k: growth_pct(k.months("PCEPILFE"), 12) - growth_pct(k.months("CPIAUCSL"), 12),
    ),
    Identity(
        "month_near_cpiaucsl", ("PCEPILFE", "CPIAUCSL"), -1.9, 2.4,
        "in a month core PCE prices grow by 1.9 points less than consumer prices at most, 2.4 more",
        lambda k: growth_pct(k.months("PCEPILFE"), 1) - growth_pct(k.months("CPIAUCSL"), 1),
        "The level of one of the two shifts in this month, as with another base year: compare with its publisher.",
    ),
    _warn(
        "near_cpiaucsl", ("PCEPI", "CPIAUCSL"), -2.4, 1.1,
        "PCE inflation is 2.4 points below CPI inflation at most, 1.1 above",
        lambda k: growth_pct(k.months("PCEPI"), 12) - growth_pct(k.months("CPIAUCSL"), 12),
    ),
    _share(
        "CP", "GDP", 2.0, 18.0, "profits are 2 to 18 percent of GDP",
        lambda k: 100 * k.quarters("CP") / k.quarters("GDP"),
    ),
    _warn(
        "usual_to_gdp", ("CP", "GDP"), 3.2, 14.5,
        "profits are 3.2 to 14.5 percent of GDP, as they have been since 1985",
        lambda k: 100 * k.quarters("CP") / k.quarters("GDP"),
    ),
    _warn(
        "over_profits", ("NCBEILQ027S_GDP_PCT", "GDP", "CP"), 6.5, 32.0,
        "the market value of equity is 6.5 to 32 times a year's profits",
        lambda k: 0.01 * k.quarters("NCBEILQ027S_GDP_PCT") * k.quarters("GDP") / k.quarters("CP"),
    ),
    _warn(
        "over_profits", ("NCBEILQ027S", "CP"), 6.5, 32.0,
        "the market value of equity is 6.5 to 32 times a year's profits",
        lambda k: 0.001 * k.quarters("NCBEILQ027S") / k.quarters("CP"),
    ),
    Identity(
        "within_payems", ("ICSA", "PAYEMS"), 0.05, 6.0, "weekly claims are 0.05 to 6 percent of payrolls",
        lambda k: 0.1 * _weeks(k, "ICSA") / k.months("PAYEMS"), _UNIT,
    ),
    Identity(
        "near_icsa", ("UNRATE", "ICSA"), 1.0, 35.0,
        "the unemployment rate is 1 to 35 points per million weekly claims",
        lambda k: 1e6 * k.months("UNRATE") / _weeks(k, "ICSA"),
    ),
    _warn(
        "usual_to_icsa", ("UNRATE", "ICSA"), 1.6, 24.5,
        "the unemployment rate is 1.6 to 24.5 points per million weekly claims, as it has been since 1985",
        lambda k: 1e6 * k.months("UNRATE") / _weeks(k, "ICSA"),
    ),
    _warn(
        "labour_force", ("UNRATE", "PAYEMS"), -3.5, 1.25,
        "payrolls over the share of employed, a labour force, change by -3.5 to 1.25 percent in a month",
        lambda k: growth_pct(k.months("PAYEMS") / (100 - k.months("UNRATE")), 1),
    ),
    Identity(
        "growth_near_gdpc1", ("PAYEMS", "GDPC1"), -12.0, 6.0,
        "payrolls grow by 12 points less a year than real GDP at most, 6 more",
        lambda k: growth_pct(k.quarter_mean("PAYEMS"), 4) - growth_pct(k.quarters("GDPC1"), 4),
    ),
    Identity(
        "growth_near_gdpc1", ("INDPRO", "GDPC1"), -18.0, 10.0,
        "industrial production grows by 18 points less a year than real GDP at most, 10 more",
        lambda k: growth_pct(k.quarter_mean("INDPRO"), 4) - growth_pct(k.quarters("GDPC1"), 4),
    ),
    _warn(
        "month_near_payems", ("INDPRO", "PAYEMS"), -5.5, 4.5,
        "in a month industrial production grows by 5.5 points less than payrolls at most, 4.5 more",
        lambda k: growth_pct(k.months("INDPRO"), 1) - growth_pct(k.months("PAYEMS"), 1),
    ),
    _warn(
        "mean_of_sp500", ("SHILLER_PRICE", "SP500"), -5.0, 5.0,
        "Shiller's price is the mean of the month's closes, within 5 percent",
        lambda k: 100 * (k.months("SHILLER_PRICE") / k.month_mean("SP500") - 1),
    ),
    Identity(
        "near_cpiaucsl", ("SHILLER_CPI", "CPIAUCSL"), -2.0, 2.0,
        "the unadjusted CPI is within 2 percent of the adjusted one",
        lambda k: 100 * (k.months("SHILLER_CPI") / k.months("CPIAUCSL") - 1),
    ),
    _warn(
        "real_price", ("GOLD_WB_MONTHLY", "CPIAUCSL"), 1.1, 24.0,
        "an ounce of gold costs 1.1 to 24 times the index of consumer prices",
        lambda k: k.months("GOLD_WB_MONTHLY") / k.months("CPIAUCSL"),
    ),
    _warn(
        "leaves_room", ("WFRBST01134", "WFRBSB50215"), 0.0, 100.0,
        "the wealth of the top 1 percent and of the bottom 50 percent is no more than all wealth",
        lambda k: k.quarters("WFRBST01134") + k.quarters("WFRBSB50215"),
    ),
)  # fmt: skip
MONEY_AND_DEBT: tuple[Identity, ...] = (
    Identity(
        "covers_parts", ("WALCL", "TREAST", "WSHOMCB"), 0.15, 1.0,
        "Treasuries and mortgage bonds are 0.15 to 1 of total assets",
        lambda k: (k.of("TREAST") + k.of("WSHOMCB")) / k.of("WALCL"), _UNIT,
    ),
    Identity(
        "over_bogmbase", ("WALCL", "BOGMBASE"), 0.99, 1.75,
        "total assets of the Fed are 0.99 to 1.75 times the monetary base",
        lambda k: 0.001 * _weeks(k, "WALCL") / k.months("BOGMBASE"), _UNIT,
    ),
    Identity(
        "of_liabilities", ("WALCL", "BOGMBASE", "WTREGEN", "RRPONTSYD"), 0.015, 0.13,
        "base, Treasury account and reverse repos leave 0.015 to 0.13 of total assets to other liabilities",
        lambda k: 1 - (
            _weeks(k, "WTREGEN") + 1000 * (k.month_mean("RRPONTSYD") + k.months("BOGMBASE"))
        ) / _weeks(k, "WALCL"),
        _UNIT,
    ),
    _share(
        "TREAST", "WALCL", 0.15, 1.0, "Treasuries are 0.15 to 1 of assets",
        lambda k: k.of("TREAST") / k.of("WALCL"),
    ),
    _warn(
        "within_mspd_total_marketable", ("TREAST", "MSPD_TOTAL_MARKETABLE"), 0.06, 0.27,
        "the Fed holds 0.06 to 0.27 of marketable debt, as it has since 2002",
        lambda k: _weeks(k, "TREAST") / k.months("MSPD_TOTAL_MARKETABLE"),
    ),
    _share(
        "WRESBAL", "WALCL", 0.002, 0.8, "reserves are 0.002 to 0.8 of assets",
        lambda k: k.of("WRESBAL") / k.of("WALCL"),
    ),
    Identity(
        "within_bogmbase", ("WRESBAL", "BOGMBASE"), 0.004, 0.9, "reserves are 0.004 to 0.9 of the monetary base",
        lambda k: 0.001 * _weeks(k, "WRESBAL") / k.months("BOGMBASE"), _UNIT,
    ),
    Identity(
        "near_wresbal", ("TOTRESNS", "WRESBAL"), 0.9, 9.0,
        "total reserves are 0.9 to 9 times reserve balances, which left vault cash out until 2020",
        lambda k: k.months("TOTRESNS") / (0.001 * _weeks(k, "WRESBAL")), _UNIT,
    ),
    Identity(
        "near_wtregen", ("WDTGAL", "WTREGEN"), 0.25, 4.0,
        "the Treasury's balance on Wednesdays is 0.25 to 4 times its mean over the weeks",
        lambda k: _weeks(k, "WDTGAL") / _weeks(k, "WTREGEN"), _UNIT,
    ),
    _share(
        "BOGMBASE", "M2SL", 0.05, 0.5, "the base is 0.05 to 0.5 of M2",
        lambda k: k.months("BOGMBASE") / k.months("M2SL"),
    ),
    _warn(
        "currency_within_m2sl", ("BOGMBASE", "WRESBAL", "M2SL"), 0.0975, 0.129,
        "the base less reserves, currency, is 0.0975 to 0.129 of M2, as it has been since 2002",
        lambda k: (k.months("BOGMBASE") - 0.001 * _weeks(k, "WRESBAL")) / k.months("M2SL"),
    ),
    _warn(
        "month_near_totbkcr", ("M2SL", "TOTBKCR"), -5.0, 5.5,
        "in a month M2 grows by 5 points less than bank credit at most, 5.5 more",
        lambda k: growth_pct(k.months("M2SL"), 1) - growth_pct(_weeks(k, "TOTBKCR"), 1),
    ),
    _share(
        "BUSLOANS", "TOTBKCR", 0.08, 0.4, "business loans are 0.08 to 0.4 of bank credit",
        lambda k: k.months("BUSLOANS") / _weeks(k, "TOTBKCR"),
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
        "within_gfdebtn", ("MSPD_TOTAL_MARKETABLE", "GFDEBTN"), 0.35, 0.95,
        "marketable debt is 0.35 to 0.95 of federal debt",
        lambda k: k.month_last_of_quarter("MSPD_TOTAL_MARKETABLE") / k.quarters("GFDEBTN"), _UNIT,
    ),
    Identity(
        "near_fygfdpun", ("MSPD_TOTAL_MARKETABLE", "FYGFDPUN"), 0.84, 1.03,
        "marketable debt is 0.84 to 1.03 of what the public holds",
        lambda k: k.month_last_of_quarter("MSPD_TOTAL_MARKETABLE") / k.quarters("FYGFDPUN"), _UNIT,
    ),
    _warn(
        "covers_parts", ("MSPD_TOTAL_MARKETABLE", "MSPD_BILLS", "MSPD_NOTES", "MSPD_BONDS"), 0.85, 1.0,
        "bills, notes and bonds are 0.85 to 1 of marketable debt; the rest is indexed or floating",
        lambda k: sum((k.months(f"MSPD_{kind}") for kind in ("BILLS", "NOTES", "BONDS")), start=0.0)
        / k.months("MSPD_TOTAL_MARKETABLE"),
    ),
    Identity(
        "near_fygfdpun", ("MTSDS133FMS", "FYGFDPUN"), -0.15, 0.15,
        "over a year the public's debt grows by the deficit, within 15 percent of the debt",
        _borrowed_beyond_deficit, _UNIT,
    ),
    _warn(
        "interest_on_fygfdpun", ("A091RC1Q027SBEA", "FYGFDPUN"), 1.5, 16.0,
        "federal interest is 1.5 to 16 percent of the debt the public holds",
        lambda k: 1e5 * k.quarters("A091RC1Q027SBEA") / k.quarters("FYGFDPUN"),
    ),
)  # fmt: skip
IDENTITIES: tuple[Identity, ...] = (*RATES, *REAL_ECONOMY, *MONEY_AND_DEBT)
