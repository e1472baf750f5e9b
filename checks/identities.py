"""Relations between series that can fail, computed from the archive as known on one day.

A relation compares two publishers, or two series of one accounting. Limits come from figures since 1985: critical
limits lie well outside anything seen, crises included; those that warn lie just outside it. A relation that holds by
construction (T10YIE is DGS10 less DFII10) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from checks.rules import Rule, Severity, Suite

# ---- the archive as known on one day, as series by period

MOST_OF_A_MONTH = 15  # daily quotes without which a month's mean is not that of the month
WEEKS_OF_A_MONTH = 4


@dataclass(frozen=True)
class Known:
    """Figures by series id, each indexed by observation date, missing ones left out, in the unit of the series."""

    figures: Mapping[str, pd.Series]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Known:
        """From `series_id, observation_date, value`, one row an observation."""
        held = frame.dropna(subset=["value"])
        return cls(
            {
                str(name): rows.set_index("observation_date")["value"]
                for name, rows in held.groupby("series_id")
            }
        )

    def of(self, series_id: str) -> pd.Series:
        """Every figure at its own date; empty when the series is not held."""
        return self.figures.get(series_id, _NOTHING)

    def months(self, series_id: str) -> pd.Series:
        """A monthly series by month; of another one the last figure of each month."""
        return self._by(series_id, "M").last()

    def quarters(self, series_id: str) -> pd.Series:
        """A quarterly series by quarter."""
        return self._by(series_id, "Q").last()

    def month_mean(self, series_id: str, at_least: int = MOST_OF_A_MONTH) -> pd.Series:
        """Mean of the quotes of a month that has most of them."""
        quotes = self._by(series_id, "M")
        return quotes.mean()[quotes.count() >= at_least]

    def month_last_of_quarter(self, series_id: str) -> pd.Series:
        """A monthly series' figure for the last month of each quarter, by quarter."""
        return at_quarter_end(self.months(series_id))

    def quarter_mean(self, series_id: str) -> pd.Series:
        """Mean of a monthly series over a quarter that has two months at least."""
        months = self._by(series_id, "Q")
        return months.mean()[months.count() >= 2]

    def in_force_mean(self, series_id: str) -> pd.Series:
        """Mean over the days of each whole month of what a step series had in force."""
        steps = self.of(series_id)
        if not len(steps):
            return _NOTHING
        days = steps.resample("D").ffill()
        days = days[days.index >= (days.index[0] + pd.offsets.MonthBegin(0))]
        by_month = days.groupby(days.index.to_period("M"))
        return by_month.mean()[by_month.count() >= 28]

    def _by(self, series_id: str, frequency: str) -> pd.api.typing.SeriesGroupBy:
        figures = self.of(series_id)
        return figures.groupby(pd.DatetimeIndex(figures.index).to_period(frequency))


_NOTHING = pd.Series([], index=pd.DatetimeIndex([]), dtype="float64")


def growth_pct(values: pd.Series, periods: int) -> pd.Series:
    """Percent change over so many periods; only where both ends are there."""
    if not len(values):
        return values
    before = values.set_axis(pd.PeriodIndex(values.index).shift(periods))
    return 100.0 * (values / before.reindex(values.index) - 1.0)


def at_quarter_end(months: pd.Series) -> pd.Series:
    """Monthly figures of the last month of each quarter, by quarter."""
    periods = pd.PeriodIndex(months.index, freq="M")
    is_last = periods.month % 3 == 0
    return months[is_last].set_axis(periods[is_last].asfreq("Q"))


def rank(values: pd.Series) -> pd.Series:
    """Share of the values that are lower or equal, 0 to 1."""
    return values.rank(pct=True)


def correlation(a: pd.Series, b: pd.Series, periods: int, first_year: int) -> pd.Series:
    """Correlation of two series over so many common periods up to each, from `first_year` on."""
    common = [period for period in a.index.intersection(b.index) if period.year >= first_year]
    return a[common].rolling(periods).corr(b[common])


# ---- relations

FIRST_YEAR = 1985
_COMPARE = (
    "Compare both series with their publishers around these periods: one of them has a wrong figure or unit."
)
_UNIT = "A unit or scale changed in one of the two: compare both with their publishers and with assets/catalog/series."


@dataclass(frozen=True)
class Identity:
    """A relation between series: one number per period, and its limits.

    `name` is that of the check on `series[0]`; `relation` gives the number by period, from what is known and the ids of
    `series`, in the unit `statement` names.
    """

    name: str
    series: tuple[str, ...]
    low: float
    high: float
    statement: str
    relation: Callable[..., pd.Series]
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
    rows = [
        (key_of(identity), str(period.date()) if isinstance(period, pd.Timestamp) else str(period), value)
        for identity in identities
        if all(len(known.of(name)) for name in identity.series)
        for period, value in identity.relation(known, *identity.series).dropna().items()
        if period.year >= FIRST_YEAR  # type: ignore[attr-defined]  # a period or a day
    ]
    return pd.DataFrame(rows, columns=["identity", "period", "relation"])


def _rule(identity: Identity) -> Rule:
    name = key_of(identity)
    return Rule(
        name,
        ("identity", "relation"),
        lambda f, _: f["relation"].where(f["identity"] == name),
        minimum=identity.low,
        maximum=identity.high,
        statement=identity.statement,
        what_to_do=identity.what_to_do,
        severity=identity.severity,
    )


def _points(k: Known, one: str, other: str) -> pd.Series:
    return k.months(one) - k.months(other)


def _ratio(k: Known, one: str, other: str) -> pd.Series:
    return k.months(one) / k.months(other)


def _ratio_of_day(k: Known, one: str, other: str) -> pd.Series:
    return k.of(one) / k.of(other)


def _ratio_of_quarter(k: Known, one: str, other: str) -> pd.Series:
    return k.quarters(one) / k.quarters(other)


def _ratio_of_quarter_end(k: Known, monthly: str, quarterly: str) -> pd.Series:
    return k.month_last_of_quarter(monthly) / k.quarters(quarterly)


def _in_a_year(k: Known, one: str, other: str) -> pd.Series:
    return growth_pct(k.months(one), 12) - growth_pct(k.months(other), 12)


def _in_a_month(k: Known, one: str, other: str) -> pd.Series:
    return growth_pct(k.months(one), 1) - growth_pct(k.months(other), 1)


def _against_output(k: Known, monthly: str, output: str) -> pd.Series:
    return growth_pct(k.quarter_mean(monthly), 4) - growth_pct(k.quarters(output), 4)


def _deflator_against(k: Known, nominal: str, real: str, prices: str) -> pd.Series:
    deflator = _ratio_of_quarter(k, nominal, real)
    return growth_pct(deflator, 4) - growth_pct(k.quarter_mean(prices), 4)


def _weeks(known: Known, series_id: str) -> pd.Series:
    return known.month_mean(series_id, WEEKS_OF_A_MONTH)


def _breakeven_beyond_expected(k: Known, real: str, nominal: str, expected: str) -> pd.Series:
    return k.months(nominal) - k.months(real) - k.months(expected)


def _since_2010(values: pd.Series) -> pd.Series:
    return values[[period.year >= 2010 for period in values.index]]


def _ranks_apart(k: Known, monthly: str, daily: str) -> pd.Series:
    a, b = k.months(monthly), k.month_mean(daily)
    common = a.index.intersection(b.index)
    return rank(a[common]) - rank(b[common])


def _other_liabilities(k: Known, assets: str, base: str, account: str, repos: str) -> pd.Series:
    named = _weeks(k, account) + 1000 * (k.month_mean(repos) + k.months(base))
    return 1 - named / _weeks(k, assets)


def _borrowed_beyond_deficit(k: Known, balance: str, debt: str) -> pd.Series:
    deficit, owed = at_quarter_end(-k.months(balance).rolling(12).sum()), k.quarters(debt)
    return (owed - owed.shift(4) - deficit) / owed


def _mean_of(monthly: str, daily: str, tolerance: float = 0.02) -> Identity:
    return Identity(
        f"mean_of_{daily}".lower(), (monthly, daily), -tolerance, tolerance,
        f"{monthly} is the mean of {daily} over the month, within {tolerance:g} percentage points of rounding",
        lambda k, a, b: k.months(a) - k.month_mean(b),
    )  # fmt: skip


_usual = partial(Identity, severity="warning")  # just outside its history: an event may do that too
_scale = partial(Identity, what_to_do=_UNIT)

IDENTITIES: tuple[Identity, ...] = (
    # rates and spreads
    _mean_of("GS10", "DGS10"),
    _mean_of("FII10", "DFII10"),
    _mean_of("FEDFUNDS", "DFF"),
    _mean_of("BAA10YM", "BAA10Y", 0.03),
    Identity("below_dfedtaru", ("FEDFUNDS", "DFEDTARU"), -0.35, 0.05,
        "the effective rate lies in the target range: at most 0.35 points below its upper limit, 0.05 above",
        lambda k, a, b: k.months(a) - k.in_force_mean(b)),
    Identity("near_dgs3mo", ("TB3MS", "DGS3MO"), -0.75, 0.15,
        "the bill's discount rate is 0.75 points below its yield at most, 0.15 above",
        lambda k, a, b: k.months(a) - k.month_mean(b)),
    Identity("near_fedfunds", ("TB3MS", "FEDFUNDS"), -2.25, 1.25,
        "bills yield 2.25 points less than federal funds at most, 1.25 more", _points),
    _usual("usual_to_fedfunds", ("TB3MS", "FEDFUNDS"), -1.65, 0.9,
        "bills yield between 1.65 points less and 0.9 more than federal funds, as they have since 1985", _points),
    Identity("near_expinf10yr", ("DFII10", "DGS10", "EXPINF10YR"), -2.5, 2.0,
        "the breakeven lies 2.5 points below modelled expected inflation at most, 2 above",
        _breakeven_beyond_expected),
    _usual("usual_to_expinf10yr", ("DFII10", "DGS10", "EXPINF10YR"), -0.75, 1.45,
        "the breakeven lies between 0.75 points below modelled expected inflation and 1.45 above, as since 2010",
        lambda *known: _since_2010(_breakeven_beyond_expected(*known))),
    Identity("near_gs10", ("HQMCB10YR", "GS10"), 0.0, 7.0,
        "high-quality corporate bonds yield 0 to 7 points more than Treasuries", _points),
    _usual("near_gz_spread", ("HQMCB10YR", "GS10", "GZ_SPREAD"), -3.6, 0.8,
        "the high-quality spread is 3.6 points narrower than the GZ spread at most, 0.8 wider",
        lambda k, a, b, gz: _points(k, a, b) - k.months(gz)),
    Identity("near_aaa10ym", ("BAA10YM", "AAA10YM"), 0.2, 5.0,
        "Baa bonds yield 0.2 to 5 points more than Aaa bonds", _points),
    _usual("near_gz_spread", ("BAA10YM", "GZ_SPREAD"), -2.7, 1.4,
        "the Baa spread is 2.7 points narrower than the GZ spread at most, 1.4 wider", _points),
    Identity("above_bamlc0a0cm", ("BAMLH0A0HYM2", "BAMLC0A0CM"), 1.0, 18.0,
        "the high-yield spread is 1 to 18 points wider than the investment-grade one",
        lambda k, a, b: k.of(a) - k.of(b)),
    Identity("near_ebp", ("GZ_SPREAD", "EBP"), 0.5, 5.4,
        "the GZ spread is 0.5 to 5.4 points wider than its excess bond premium", _points),
    _usual("rank_near_bamlh0a0hym2", ("EBP", "BAMLH0A0HYM2"), -0.8, 0.8,
        "the excess bond premium ranks within 0.8 of the high-yield spread over their common months", _ranks_apart),
    Identity("moves_with_gz_spread", ("NFCI", "GZ_SPREAD"), 0.1, 1.0,
        "over ten years tight financial conditions go with wide credit spreads: a correlation of 0.1 at least",
        lambda k, a, b: correlation(_weeks(k, a), k.months(b), 120, FIRST_YEAR),
        "The sign of one of the two is turned, or its figures are those of another series."),
    # output, prices, work, equity
    _scale("deflator_growth", ("GDP", "GDPC1"), -2.0, 12.0,
        "nominal over real GDP, the deflator, grows by -2 to 12 percent a year",
        lambda *known: growth_pct(_ratio_of_quarter(*known), 4)),
    Identity("deflator_near_cpiaucsl", ("GDPC1", "GDP", "CPIAUCSL"), -5.0, 4.0,
        "the deflator grows by 5 points less a year than consumer prices at most, 4 more",
        lambda k, real, nominal, prices: _deflator_against(k, nominal, real, prices)),
    Identity("deflator_near_pcepilfe", ("GDP", "GDPC1", "PCEPILFE"), -2.6, 3.6,
        "the deflator grows by 2.6 points less a year than core PCE prices at most, 3.6 more", _deflator_against),
    _usual("level_of_pcepilfe", ("GDP", "GDPC1", "PCEPILFE"), 0.94, 1.06,
        "the deflator is 0.94 to 1.06 times core PCE prices, both with the same base year",
        lambda k, a, b, prices: 100 * _ratio_of_quarter(k, a, b) / k.quarter_mean(prices)),
    Identity("near_cpiaucsl", ("PCEPILFE", "CPIAUCSL"), -4.6, 3.6,
        "core PCE inflation is 4.6 points below CPI inflation at most, 3.6 above", _in_a_year),
    Identity("month_near_cpiaucsl", ("PCEPILFE", "CPIAUCSL"), -1.9, 2.4,
        "in a month core PCE prices grow by 1.9 points less than consumer prices at most, 2.4 more", _in_a_month,
        "The level of one of the two shifts in this month, as with another base year: compare with its publisher."),
    _usual("near_cpiaucsl", ("PCEPI", "CPIAUCSL"), -2.4, 1.1,
        "PCE inflation is 2.4 points below CPI inflation at most, 1.1 above", _in_a_year),
    _scale("within_gdp", ("CP", "GDP"), 2.0, 18.0, "profits are 2 to 18 percent of GDP",
        lambda *known: 100 * _ratio_of_quarter(*known)),
    _usual("usual_to_gdp", ("CP", "GDP"), 3.2, 14.5,
        "profits are 3.2 to 14.5 percent of GDP, as they have been since 1985",
        lambda *known: 100 * _ratio_of_quarter(*known)),
    _usual("over_profits", ("NCBEILQ027S_GDP_PCT", "GDP", "CP"), 6.5, 32.0,
        "the market value of equity is 6.5 to 32 times a year's profits",
        lambda k, share, gdp, profits: 0.01 * k.quarters(share) * _ratio_of_quarter(k, gdp, profits)),
    _usual("over_profits", ("NCBEILQ027S", "CP"), 6.5, 32.0,
        "the market value of equity is 6.5 to 32 times a year's profits",
        lambda *known: 0.001 * _ratio_of_quarter(*known)),
    _scale("within_payems", ("ICSA", "PAYEMS"), 0.05, 6.0, "weekly claims are 0.05 to 6 percent of payrolls",
        lambda k, a, b: 0.1 * _weeks(k, a) / k.months(b)),
    Identity("near_icsa", ("UNRATE", "ICSA"), 1.0, 35.0,
        "the unemployment rate is 1 to 35 points per million weekly claims",
        lambda k, a, b: 1e6 * k.months(a) / _weeks(k, b)),
    _usual("usual_to_icsa", ("UNRATE", "ICSA"), 1.6, 24.5,
        "the unemployment rate is 1.6 to 24.5 points per million weekly claims, as it has been since 1985",
        lambda k, a, b: 1e6 * k.months(a) / _weeks(k, b)),
    _usual("labour_force", ("UNRATE", "PAYEMS"), -3.5, 1.25,
        "payrolls over the share of employed, a labour force, change by -3.5 to 1.25 percent in a month",
        lambda k, a, b: growth_pct(k.months(b) / (100 - k.months(a)), 1)),
    Identity("growth_near_gdpc1", ("PAYEMS", "GDPC1"), -12.0, 6.0,
        "payrolls grow by 12 points less a year than real GDP at most, 6 more", _against_output),
    Identity("growth_near_gdpc1", ("INDPRO", "GDPC1"), -18.0, 10.0,
        "industrial production grows by 18 points less a year than real GDP at most, 10 more", _against_output),
    _usual("month_near_payems", ("INDPRO", "PAYEMS"), -5.5, 4.5,
        "in a month industrial production grows by 5.5 points less than payrolls at most, 4.5 more", _in_a_month),
    _usual("mean_of_sp500", ("SHILLER_PRICE", "SP500"), -5.0, 5.0,
        "Shiller's price is the mean of the month's closes, within 5 percent",
        lambda k, a, b: 100 * (k.months(a) / k.month_mean(b) - 1)),
    Identity("near_cpiaucsl", ("SHILLER_CPI", "CPIAUCSL"), -2.0, 2.0,
        "the unadjusted CPI is within 2 percent of the adjusted one", lambda *known: 100 * (_ratio(*known) - 1)),
    _usual("real_price", ("GOLD_WB_MONTHLY", "CPIAUCSL"), 1.1, 24.0,
        "an ounce of gold costs 1.1 to 24 times the index of consumer prices", _ratio),
    _usual("leaves_room", ("WFRBST01134", "WFRBSB50215"), 0.0, 100.0,
        "the wealth of the top 1 percent and of the bottom 50 percent is no more than all wealth",
        lambda k, a, b: k.quarters(a) + k.quarters(b)),
    # money, banks, public debt
    _scale("covers_parts", ("WALCL", "TREAST", "WSHOMCB"), 0.15, 1.0,
        "Treasuries and mortgage bonds are 0.15 to 1 of total assets",
        lambda k, assets, a, b: (k.of(a) + k.of(b)) / k.of(assets)),
    _scale("over_bogmbase", ("WALCL", "BOGMBASE"), 0.99, 1.75,
        "total assets of the Fed are 0.99 to 1.75 times the monetary base",
        lambda k, a, b: 0.001 * _weeks(k, a) / k.months(b)),
    _scale("of_liabilities", ("WALCL", "BOGMBASE", "WTREGEN", "RRPONTSYD"), 0.015, 0.13,
        "base, Treasury account and reverse repos leave 0.015 to 0.13 of total assets to other liabilities",
        _other_liabilities),
    _scale("within_walcl", ("TREAST", "WALCL"), 0.15, 1.0, "Treasuries are 0.15 to 1 of assets", _ratio_of_day),
    _usual("within_mspd_total_marketable", ("TREAST", "MSPD_TOTAL_MARKETABLE"), 0.06, 0.27,
        "the Fed holds 0.06 to 0.27 of marketable debt, as it has since 2002",
        lambda k, a, b: _weeks(k, a) / k.months(b)),
    _scale("within_walcl", ("WRESBAL", "WALCL"), 0.002, 0.8, "reserves are 0.002 to 0.8 of assets", _ratio_of_day),
    _scale("within_bogmbase", ("WRESBAL", "BOGMBASE"), 0.004, 0.9,
        "reserves are 0.004 to 0.9 of the monetary base", lambda k, a, b: 0.001 * _weeks(k, a) / k.months(b)),
    _scale("near_wresbal", ("TOTRESNS", "WRESBAL"), 0.9, 9.0,
        "total reserves are 0.9 to 9 times reserve balances, which left vault cash out until 2020",
        lambda k, a, b: k.months(a) / (0.001 * _weeks(k, b))),
    _scale("near_wtregen", ("WDTGAL", "WTREGEN"), 0.25, 4.0,
        "the Treasury's balance on Wednesdays is 0.25 to 4 times its mean over the weeks",
        lambda k, a, b: _weeks(k, a) / _weeks(k, b)),
    _scale("within_m2sl", ("BOGMBASE", "M2SL"), 0.05, 0.5, "the base is 0.05 to 0.5 of M2", _ratio),
    _usual("currency_within_m2sl", ("BOGMBASE", "WRESBAL", "M2SL"), 0.0975, 0.129,
        "the base less reserves, currency, is 0.0975 to 0.129 of M2, as it has been since 2002",
        lambda k, base, reserves, m2: (k.months(base) - 0.001 * _weeks(k, reserves)) / k.months(m2)),
    _usual("month_near_totbkcr", ("M2SL", "TOTBKCR"), -5.0, 5.5,
        "in a month M2 grows by 5 points less than bank credit at most, 5.5 more",
        lambda k, a, b: growth_pct(k.months(a), 1) - growth_pct(_weeks(k, b), 1)),
    _scale("within_totbkcr", ("BUSLOANS", "TOTBKCR"), 0.08, 0.4, "business loans are 0.08 to 0.4 of bank credit",
        lambda k, a, b: k.months(a) / _weeks(k, b)),
    _scale("within_totbkcr", ("TOTLL", "TOTBKCR"), 0.5, 0.95, "loans are 0.5 to 0.95 of bank credit",
        _ratio_of_day),
    _scale("within_gfdebtn", ("FYGFDPUN", "GFDEBTN"), 0.45, 0.95,
        "the public holds 0.45 to 0.95 of federal debt", _ratio_of_quarter),
    _scale("within_mspd_total_marketable", ("MSPD_BILLS", "MSPD_TOTAL_MARKETABLE"), 0.05, 0.5,
        "bills are 0.05 to 0.5 of marketable debt", _ratio),
    _scale("within_gfdebtn", ("MSPD_TOTAL_MARKETABLE", "GFDEBTN"), 0.35, 0.95,
        "marketable debt is 0.35 to 0.95 of federal debt", _ratio_of_quarter_end),
    _scale("near_fygfdpun", ("MSPD_TOTAL_MARKETABLE", "FYGFDPUN"), 0.84, 1.03,
        "marketable debt is 0.84 to 1.03 of what the public holds", _ratio_of_quarter_end),
    _usual("covers_parts", ("MSPD_TOTAL_MARKETABLE", "MSPD_BILLS", "MSPD_NOTES", "MSPD_BONDS"), 0.85, 1.0,
        "bills, notes and bonds are 0.85 to 1 of marketable debt; the rest is indexed or floating",
        lambda k, whole, *parts: sum((k.months(part) for part in parts), start=0.0) / k.months(whole)),
    _scale("near_fygfdpun", ("MTSDS133FMS", "FYGFDPUN"), -0.15, 0.15,
        "over a year the public's debt grows by the deficit, within 15 percent of the debt",
        _borrowed_beyond_deficit),
    _usual("interest_on_fygfdpun", ("A091RC1Q027SBEA", "FYGFDPUN"), 1.5, 16.0,
        "federal interest is 1.5 to 16 percent of the debt the public holds",
        lambda *known: 1e5 * _ratio_of_quarter(*known)),
)  # fmt: skip
