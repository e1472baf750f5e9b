"""`context`: what the post names next to its argument, as far as the profile has it. No score reads it."""

from assets.compute.lookup import View, months
from assets.compute.reading import billions, combine, percent
from assets.compute.tables.assemble import Columns


def build(view: View) -> Columns:
    """One row per as-of date; shares in percent."""
    duties, gdp = view.same_period(["B235RC1Q027SBEA", "GDP"])
    technology, same_gdp = view.same_period(["A679RC1Q027SBEA", "GDP"])
    foreign, public = view.same_period(["FDHBFIN", "FYGFDPUN"])
    return {
        "net_worth_share_top_1_pct": view.latest("WFRBST01134"),
        "net_worth_share_bottom_50_pct": view.latest("WFRBSB50215"),
        "labor_share_index": view.latest("PRS85006173"),
        "customs_duties_pct_gdp": combine(percent, duties, gdp),
        "technology_investment_pct_gdp": combine(percent, technology, same_gdp),
        "foreign_held_debt_share_pct": combine(percent, foreign, public.map(billions)),
        "corporate_debt_yoy_pct": view.change_pct("BCNSDODNS", months(12)),
    }
