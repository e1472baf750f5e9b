"""The derived tables with one row per date, by name, and the view of the archive they are computed from."""

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import Archive
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.tables import activity_inflation, context, liquidity_destination, reserve_growth
from assets.compute.tables.correlations import gold_and_inflation, money_and_rates
from assets.compute.tables.debt import fiscal_and_debt, monetisation
from assets.compute.tables.equity import equity_risk_premium
from assets.compute.tables.yields import credit_spreads, real_yields

BUILDERS = {
    "real_yields": real_yields,
    "equity_risk_premium": equity_risk_premium,
    "credit_spreads": credit_spreads,
    "reserve_growth": reserve_growth.build,
    "activity_inflation": activity_inflation.build,
    "fiscal_and_debt": fiscal_and_debt,
    "monetisation": monetisation,
    "money_and_rates": money_and_rates,
    "gold_and_inflation": gold_and_inflation,
    "liquidity_destination": liquidity_destination.build,
    "context": context.build,
}
REGIME_INPUTS = (  # derived tables whose columns the regime reads; the others change no label
    "real_yields",
    "equity_risk_premium",
    "credit_spreads",
    "reserve_growth",
    "activity_inflation",
    "monetisation",
    "fiscal_and_debt",
    "liquidity_destination",
)


def build_view(archive: Archive, grid: Grid, catalog: Catalog, profile: Profile) -> View:
    """The archive as seen from the grid, with the profile's series only."""
    series = {s.series_id: s for s in catalog.in_profile(profile)}
    return View(archive, grid.as_of, series, catalog)
