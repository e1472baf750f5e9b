"""`fiscal_and_debt`: the deficit, the debt, what it costs and how short it is."""

import numpy as np

from assets.compute.calendar import stamp_before
from assets.compute.lookup import View, months
from assets.compute.reading import Reading, billions, combine, percent, texts
from assets.compute.tables.assemble import Columns


def deficit_12m(view: View) -> Reading:
    """Federal deficit over the newest 12 months known, billions of dollars; a surplus is negative."""
    return view.over("MTSDS133FMS", lambda v: -v.sum(axis=1) / 1000.0, [months(n) for n in range(1, 12)])


def bill_share(view: View) -> Reading:
    """Bills over total marketable Treasury debt of the same month, percent."""
    bills, marketable = view.same_period(["MSPD_BILLS", "MSPD_TOTAL_MARKETABLE"])
    return combine(percent, bills, marketable)


def bill_share_change(view: View) -> Reading:
    """Change of the bill share over 12 months, percentage points, both ends as known that day."""
    now = bill_share(view)
    year_ago = stamp_before(now.observation_date, 12)
    then = combine(percent, view.at("MSPD_BILLS", year_ago), view.at("MSPD_TOTAL_MARKETABLE", year_ago))
    return combine(np.subtract, now, then)


def new_bills(view: View) -> tuple[Reading, Reading]:
    """Change of bills over 12 months, billions of dollars, and its share of the change of marketable debt, percent.

    The share is absent where marketable debt did not grow: there is no new debt to be a share of.
    """
    bills, marketable = view.same_period(["MSPD_BILLS", "MSPD_TOTAL_MARKETABLE"])
    year_ago = stamp_before(bills.observation_date, 12)
    flow = combine(lambda a, b: billions(a - b), bills, view.at("MSPD_BILLS", year_ago))
    debt = combine(lambda a, b: billions(a - b), marketable, view.at("MSPD_TOTAL_MARKETABLE", year_ago))
    return flow, combine(percent, flow, debt).where(debt.value > 0.0, "undefined")


def build(view: View) -> Columns:
    """One row per as-of date; levels in billions of dollars, shares in percent."""
    gdp, deficit = view.latest("GDP"), deficit_12m(view)
    public, total = view.latest("FYGFDPUN").map(billions), view.latest("GFDEBTN").map(billions)
    shorter = bill_share_change(view)
    bills, bills_of_new_debt = new_bills(view)
    interest, receipts = view.same_period(["A091RC1Q027SBEA", "FGRECPT"])
    paid, same_gdp = view.same_period(["A091RC1Q027SBEA", "GDP"])
    return {
        "deficit_12m_usd_bn": deficit,
        "deficit_12m_pct_gdp": combine(percent, deficit, gdp),
        "debt_held_by_public_usd_bn": public,
        "debt_held_by_public_pct_gdp": combine(percent, public, gdp),
        "total_debt_usd_bn": total,
        "total_debt_pct_gdp": combine(percent, total, gdp),
        "interest_pct_receipts": combine(percent, interest, receipts),
        "interest_pct_gdp": combine(percent, paid, same_gdp),
        "bill_share_pct": bill_share(view),
        "bill_share_change_12m_pp": shorter,
        "bills_change_12m_usd_bn": bills,
        "bill_share_of_new_debt_12m_pct": bills_of_new_debt,
        "is_maturity_shortening": texts(
            shorter.present, shorter.value >= view.method.maturity.shortening_from_pp
        ),
        "term_premium_10y_pct": view.latest("THREEFYTP10"),
    }
