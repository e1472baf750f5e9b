"""`monetisation`: how much of the new public debt the Fed took, on the debt's own dates.

Sources: H.4.1 (TREAST), Treasury (FYGFDPUN, MTSDS133FMS), BEA (GDP). The debt limit distorts the change of debt, in
both directions; then the share of the deficit decides the band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assets.compute.calendar import Days, month_end, stamp_before
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, combine, texts
from assets.compute.stance import direction, policy_rate_change
from assets.compute.tables.assemble import Columns
from assets.compute.tables.fiscal_and_debt import deficit_12m
from assets.compute.tables.reserve_growth import impulse

if TYPE_CHECKING:
    from assets.catalog.method import Method, Monetisation

HOLDINGS, DEBT, BALANCE = "TREAST", "FYGFDPUN", "MTSDS133FMS"
_WEDNESDAY = 2
_YEAR_OF_WEEKS = np.timedelta64(364, "D")


def quarter_end(debt: Reading) -> Days:
    """Last day of the quarter of each debt figure, which FRED stamps on its first."""
    return month_end((debt.observation_date.astype("datetime64[M]") + 2).astype("datetime64[D]"))


def wednesday_on_or_before(dates: Days) -> Days:
    """The last Wednesday up to each date: the day the Fed's holdings are stated for."""
    weekday = (dates.astype("int64") + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return dates - ((weekday - _WEDNESDAY) % 7).astype("timedelta64[D]")


def build(view: View) -> Columns:
    """One row per as-of date; flows of a year in billions of dollars, shares in percent."""
    rules = view.method.monetisation
    debt_change = view.difference(DEBT, months(12)).map(lambda millions: millions / 1000.0)
    quarter = quarter_end(debt_change)
    bought = _purchases(view, quarter, debt_change)
    deficit = _deficit_to(view, quarter, debt_change)
    share, share_of_deficit = combine(_percent, bought, debt_change), combine(_percent, bought, deficit)
    deficit_pct = combine(_percent, deficit, view.latest("GDP"))
    ratio = combine(np.divide, debt_change, deficit).value
    is_distorted = (ratio < rules.distortion_low) | (ratio > rules.distortion_high)
    deciding = np.where(is_distorted, share_of_deficit.value, share.value)
    return {
        "debt_quarter_end_date": quarter.astype("datetime64[s]"),
        "treasuries_bought_12m_usd_bn": bought,
        "debt_change_12m_usd_bn": debt_change,
        "deficit_to_quarter_end_usd_bn": deficit,
        "deficit_to_quarter_end_pct_gdp": deficit_pct,
        "monetisation_share_pct": share,
        "monetisation_share_of_deficit_pct": share_of_deficit,
        "is_denominator_distorted": texts(np.isnan(ratio), None, is_distorted),
        "monetisation_band": band(deciding, deficit_pct.value, rules),
        "is_coordinated": is_coordinated(
            impulse(view),
            policy_rate_change(view),
            combine(_percent, deficit_12m(view), view.latest("GDP")),
            view.method,
        ),
    }


def is_coordinated(
    impulse_pct_gdp: Reading, rate_change: Reading, deficit: Reading, method: Method
) -> np.ndarray:
    """The post's three together: balance sheet growing, rate cut, large deficit; None where one is not measurable."""
    rules, cut = (
        method.monetisation,
        direction(-rate_change.value, method.stance.rate_change_pp, inclusive=True) == 1,
    )
    together = (
        (impulse_pct_gdp.value >= rules.coordination_impulse_pct_gdp)
        & cut
        & (deficit.value >= rules.coordination_deficit_pct_gdp)
    )
    return texts(impulse_pct_gdp.present & rate_change.present & deficit.present, together)


def band(share_pct: Floats, deficit_pct_gdp: Floats, rules: Monetisation) -> np.ndarray:
    """none, building, active, dominant; `not_applicable` below the minimum deficit; None where not measurable."""
    limits = [rules.building_from_pct, rules.active_from_pct, rules.dominant_from_pct]
    names = np.array(["none", "building", "active", "dominant"], dtype=object)[
        np.searchsorted(limits, share_pct, side="right") % 4
    ]
    applicable = texts(deficit_pct_gdp < rules.minimum_deficit_pct_gdp, "not_applicable", names)
    return texts(np.isnan(share_pct) | np.isnan(deficit_pct_gdp), None, applicable)


def _purchases(view: View, quarter: Days, like: Reading) -> Reading:
    wednesday = wednesday_on_or_before(quarter)
    now, then = view.at(HOLDINGS, wednesday), view.at(HOLDINGS, wednesday - _YEAR_OF_WEEKS)
    return combine(lambda _, a, b: (a - b) / 1000.0, like, now, then)


def _deficit_to(view: View, quarter: Days, like: Reading) -> Reading:
    last = quarter.astype("datetime64[M]").astype("datetime64[D]")
    flows = [view.at(BALANCE, stamp_before(last, n)) for n in range(12)]
    return combine(lambda _, *months_: -np.sum(months_, axis=0) / 1000.0, like, *flows)


def _percent(part: Floats, whole: Floats) -> Floats:
    return 100.0 * part / whole
