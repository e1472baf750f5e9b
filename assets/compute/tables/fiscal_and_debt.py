"""`fiscal_and_debt`: the deficit, the debt, what it costs and how short it is."""

import numpy as np

from assets.compute.calendar import stamp_before
from assets.compute.lookup import View, months
from assets.compute.reading import Reading, billions, combine, percent, texts
from assets.compute.tables.assemble import Columns


def deficit_12m(view: View) -> Reading:
    """Federal deficit over the newest 12 months known, billions of dollars; a surplus is negative."""
    return view.over("MTSDS133FMS", lambda v: -v.sum(axis=1) / 1000.0, [months(n) for n in range(1, 12)])


def bills(view: View) -> Columns:
    """Bills in marketable debt of the same month, percent, and how both changed over 12 months, as known that day.

    The share of new debt is absent where marketable debt did not grow: there is no new debt to be a share of.
    """
    names = ("MSPD_BILLS", "MSPD_TOTAL_MARKETABLE")
    now = view.same_period(names)
    year_ago = stamp_before(now[0].observation_date, 12)
    then = [view.at(series_id, year_ago) for series_id in names]
    share = combine(percent, *now)
    change = combine(np.subtract, share, combine(percent, *then))
    flow, debt = (
        combine(lambda a, b: billions(a - b), after, before) for after, before in zip(now, then, strict=True)
    )
    return {
        "bill_share_pct": share,
        "bill_share_change_12m_pp": change,
        "bills_change_12m_usd_bn": flow,
        "bill_share_of_new_debt_12m_pct": combine(percent, flow, debt).where(debt.value > 0.0, "undefined"),
        "is_maturity_shortening": texts(
            change.present, change.value >= view.method.maturity.shortening_from_pp
        ),
    }


def build(view: View) -> Columns:
    """One row per as-of date; levels in billions of dollars, shares in percent."""
    gdp, deficit = view.latest("GDP"), deficit_12m(view)
    public, total = view.latest("FYGFDPUN").map(billions), view.latest("GFDEBTN").map(billions)
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
        **bills(view),
        "term_premium_10y_pct": view.latest("THREEFYTP10"),
    }
