"""Words and number formats for codes and figures of the published file, shared by the report and the command line.

Imports the standard library only: `show` must start fast.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

MINUS = "\u2212"
THIN = "\u202f"  # narrow no-break space, between a figure and its unit
ABSENT = "\u2013"
WITHHELD = "withheld, restricted rights"

CONDITIONS = ("valuation", "economy", "credit", "inflation")
REGIME_WORDS = {
    "stimulus_into_bubble": "Stimulus into a bubble",
    "stimulus_into_depression": "Stimulus into a depression",
    "stimulus_mid_cycle": "Stimulus in mid-cycle",
    "tightening_into_bubble": "Tightening into a bubble",
    "tightening_into_depression": "Tightening into a depression",
    "tightening_mid_cycle": "Tightening in mid-cycle",
    "neutral_bubble": "Neutral policy in a bubble",
    "neutral_depression": "Neutral policy in a depression",
    "neutral_mid_cycle": "Neutral policy in mid-cycle",
    "indeterminate": "Indeterminate",
}
GRADE_WORDS = {
    "real_time": "every figure as first published",
    "pseudo": "some revised figures in place of first publications (pseudo point in time)",
}
UNIT_SIGNS = {
    "percent": "%",
    "percentage points": "pp",
    "percent of GDP": "% of GDP",
    "index, standard deviations": "sd",
    "ratio": "times",
    "none": "",
}
# Component: its name, how it reads inside a sentence, and the side of its own history that is hot.
COMPONENTS = {
    "earnings_yield": ("Earnings yield", "", "low"),
    "erp_vs_nominal_10y": ("Premium over the 10-year yield", "", "low"),
    "erp_vs_real_10y": ("Premium over the real 10-year yield", "", "low"),
    "equity_value_to_gdp": ("Equity value to GDP", "", "high"),
    "cape": ("Price to ten years' earnings (CAPE)", "CAPE", "high"),
    "equity_drawdown": ("Equity drawdown", "", "small"),
    "equity_return_12m": ("Equity price, 12 months", "equity price over 12 months", "high"),
    "unemployment": ("Unemployment rate", "", "low"),
    "real_gdp_growth": ("Real GDP, year on year", "real GDP growth", "high"),
    "sahm_gap": ("Sahm gap", "Sahm gap", "low"),
    "claims_change": ("Jobless claims, year on year", "jobless claims over a year", "low"),
    "excess_bond_premium": ("Excess bond premium", "", "low"),
    "gz_spread": ("Gilchrist-Zakrajsek spread", "Gilchrist-Zakrajsek spread", "low"),
    "baa_10y_spread": ("Baa less 10-year yield", "Baa less 10-year yield", "low"),
    "hy_oas": ("High-yield spread (OAS)", "", "low"),
    "hqm_10y_spread": ("High-quality less 10-year yield", "", "low"),
    "nfci": ("Financial conditions (NFCI)", "financial conditions", "low"),
    "real_bank_credit": ("Real bank credit, year on year", "real bank credit growth", "high"),
    "core_pce_inflation": ("Core PCE inflation", "", "high"),
}
# Of several components from one ratio, the one that names the ratio.
PRICED_ONCE = ("equity_value_to_gdp",)
REASONS = {
    "not_in_profile": "not in this profile",
    "stale": "too old to count",
    "denominator_distorted": "the debt limit distorts the change of debt",
    "no_programme": "no purchases under way that the newest debt figures cover",
    "different_base_years": "GDP and its potential are in dollars of different base years",
    "level_not_comparable": "its level is not comparable with a market yield",
    "horizon_not_over": "the horizon is not over",
    "basis_changed": "the two figures are not on one basis",
    "no_later_figure": "no figure of a later month",
    "history_too_short": "history too short to rank",
    "no_free_data": "no free source",
    "not_binding": "does not count today: the milder of two",
    "not_yet_published": "not published yet on this date",
    "no_base": "no earlier figure to compare with",
    "not_held": "not fetched",
    "not_applicable": "not applicable on this date",
    "absent": "no figure on this date",
}
# Start of a publisher's name, and its short name.
PUBLISHERS = {
    "Board of Governors of the Federal Reserve System": "Federal Reserve Board",
    "U.S. Bureau of Economic Analysis": "BEA",
    "U.S. Bureau of Labor Statistics": "BLS",
    "U.S. Employment and Training Administration": "US Labor Department",
    "U.S. Department of the Treasury": "US Treasury",
    "World Bank": "World Bank",
    "Organisation for Economic Co-operation and Development": "OECD",
    "Robert J. Shiller": "Shiller",
    "ICE Data Indices": "ICE",
    "S&P Dow Jones": "S&P",
    "Chicago Board Options Exchange": "Cboe",
    "NASDAQ OMX": "Nasdaq",
}
_RESERVE_BANK = "Federal Reserve Bank of "
RIGHTS_WORDS = {
    "public_domain": "public domain",
    "cc_by_4": "CC BY 4.0",
    "credit_required": "free with credit",
    "reserve_bank": "Reserve Bank terms",
    "restricted": "restricted",
}


def regime_words(regime: str, stance_driver: str | None = None) -> str:
    """The label in words; "the prick" only where the rate drives the tightening."""
    words = REGIME_WORDS.get(regime, regime)
    if regime == "tightening_into_bubble" and stance_driver in ("rate", "both"):
        words += ": the prick"
    return words


def label_words(value: str | None) -> str:
    """A label, state or stance inside a sentence."""
    words = REGIME_WORDS.get(str(value), str(value)).replace("_", "-")
    return words[:1].lower() + words[1:]


def component_words(component: str) -> str:
    """Name of a component of the evidence, at the start of a cell."""
    return COMPONENTS[component][0] if component in COMPONENTS else component.replace("_", " ")


def component_inside(component: str) -> str:
    """Name of a component inside a sentence."""
    name, inside, _ = COMPONENTS.get(component, (component_words(component), "", ""))
    return inside or name[:1].lower() + name[1:]


def reason_words(reason: str | None) -> str:
    """Why a figure is absent."""
    return REASONS.get(str(reason), str(reason).replace("_", " "))


def publisher_words(publisher: str) -> str:
    """Short name of a publisher: "Federal Reserve Board", "BEA", "Chicago Fed"."""
    if publisher.startswith(_RESERVE_BANK):
        return f"{publisher.removeprefix(_RESERVE_BANK).split(',')[0].strip()} Fed"
    return next((short for start, short in PUBLISHERS.items() if publisher.startswith(start)), publisher)


def number(value: float | None, decimals: int = 2, sign: bool = False) -> str:
    """A number with a true minus and thousands marked; an en dash for a missing one. Never minus zero."""
    if value is None:
        return ABSENT
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def with_unit(value: float | None, unit: str, decimals: int = 2, sign: bool = False) -> str:
    """A number and its unit as the file names it."""
    text = number(value, decimals, sign)
    mark = UNIT_SIGNS.get(unit, unit)
    return f"{text}{THIN}{mark}" if mark and value is not None else text


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a whole percentage."""
    return with_unit(None if share is None else 100 * share, "percent", 0)


def withheld_or(figure: str, row: Mapping[str, Any]) -> str:
    """A figure of a row; that it is withheld, where the row has its vintage and no value."""
    return WITHHELD if row["value"] is None and row["vintage_source"] is not None else figure


def day(value: dt.date | None) -> str:
    """A date as 31 May 2026."""
    return ABSENT if value is None else f"{value.day} {value:%b %Y}"


def month(value: dt.date | None) -> str:
    """A month as May 2026."""
    return ABSENT if value is None else f"{value:%b %Y}"


def full_month(value: dt.date | None) -> str:
    """A month as September 2026, inside a sentence."""
    return ABSENT if value is None else f"{value:%B %Y}"


def period(value: dt.date | None, frequency: str) -> str:
    """The period that a figure is of: Q4 2025, Apr 2026, or the day of a week or a day.

    `value` is any day of the period: publishers stamp a quarter by its first day or its last one.
    """
    if value is None or frequency not in "QM":
        return day(value)
    return f"Q{(value.month + 2) // 3} {value.year}" if frequency == "Q" else month(value)


def period_end(value: dt.date, frequency: str) -> dt.date:
    """Last day of the period that a figure is of."""
    if frequency not in "QM":
        return value
    last = (value.month + 2) // 3 * 3 if frequency == "Q" else value.month
    after = dt.date(value.year + last // 12, last % 12 + 1, 1)
    return after - dt.timedelta(days=1)


def listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""


def in_words(count: int, nothing: str = "none") -> str:
    """A count in words up to nine."""
    small = (nothing, "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return small[count] if 0 <= count < len(small) else f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun, in words up to nine."""
    return f"{in_words(count, 'no')} {one if count == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """First letter upper case, the rest unchanged."""
    return text[:1].upper() + text[1:]


def be(count: int, one: str = "is", many: str = "are") -> str:
    """The verb for a count."""
    return one if count <= 1 else many


def signs(comparison: str) -> str:
    """Comparisons with the signs for at least and at most."""
    return comparison.replace("<=", "≤").replace(">=", "≥")


def without_brackets(text: str) -> str:
    """A text without what it adds in brackets."""
    return re.sub(r" \([^)]*\)", "", text)
