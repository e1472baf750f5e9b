"""The derived tables with one row per date, by name, and the view of the archive they are computed from."""

from __future__ import annotations

from collections.abc import Callable

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import Archive
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.tables import (
    activity_inflation,
    context,
    credit_spreads,
    equity_risk_premium,
    fiscal_and_debt,
    gold_and_inflation,
    liquidity_destination,
    monetisation,
    money_and_rates,
    real_yields,
    reserve_growth,
)
from assets.compute.tables.assemble import Columns

BUILDERS: dict[str, Callable[[View, Grid], Columns]] = {
    "real_yields": lambda view, grid: real_yields.build(view),
    "equity_risk_premium": lambda view, grid: equity_risk_premium.build(view),
    "credit_spreads": credit_spreads.build,
    "reserve_growth": lambda view, grid: reserve_growth.build(view),
    "activity_inflation": lambda view, grid: activity_inflation.build(view),
    "fiscal_and_debt": lambda view, grid: fiscal_and_debt.build(view),
    "monetisation": lambda view, grid: monetisation.build(view),
    "money_and_rates": lambda view, grid: money_and_rates.build(view),
    "gold_and_inflation": lambda view, grid: gold_and_inflation.build(view),
    "liquidity_destination": liquidity_destination.build,
    "context": lambda view, grid: context.build(view),
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
    return View(archive, grid.as_of, series, catalog.method, catalog.policy_events.events)
