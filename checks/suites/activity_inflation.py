"""Rules of `activity_inflation`: figures the United States has not left in modern times, one CPI everywhere.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.measures import beside
from checks.suites.rules import Rule, identity, within

TABLE = "activity_inflation"
EXACT = 1e-9
# percent, wider than anything since 1985 and far tighter than the declared ranges: a unit gone wrong falls outside
PLAUSIBLE = {
    "unemployment_rate_pct": (0.0, 30.0),
    "real_gdp_yoy_pct": (-20.0, 25.0),
    "core_pce_yoy_pct": (-5.0, 20.0),
    "cpi_yoy_pct": (-10.0, 25.0),
}


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Plausible levels, and agreement with the CPI inflation of `real_yields`."""
    return (
        *(_plausible(column, *limits) for column, limits in PLAUSIBLE.items()),
        identity(
            "cpi_yoy_pct__same_as_real_yields",
            ("as_of_date", "cpi_yoy_pct", "real_yields.cpi_yoy_pct"),
            lambda f, t: (f["cpi_yoy_pct"], beside(f, t, "real_yields.cpi_yoy_pct")),
            tolerance=EXACT,
            statement="CPI inflation is the one real_yields has for the date",
            what_to_do="The two tables come from different runs: materialise both again.",
        ),
    )


def _plausible(column: str, low: float, high: float) -> Rule:
    return within(
        f"{column}__plausible",
        (column,),
        minimum=low,
        maximum=high,
        statement=f"the figure is between {low:g} and {high:g} percent",
        what_to_do="Compare the series behind it with its publisher: a wrong unit or base shows like this.",
    )
