"""The whole computation in memory: an archive in, every derived table and the regime of every grid date out.

Belongs here: the order of the steps, for whoever needs all of them at once (a second run on other figures, tests).
Does not belong here: formulas, storage. The nightly assets take the same steps one by one, through the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.archive import Archive
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.regime import Regime, build_regime, regime_frame
from assets.compute.tables.assemble import assemble, readings_of
from assets.compute.tables.build import BUILDERS

if TYPE_CHECKING:
    from assets.catalog.models import Catalog, Series

# tables whose columns the regime reads; the others describe, and change no label
REGIME_INPUTS = (
    "real_yields",
    "equity_risk_premium",
    "credit_spreads",
    "reserve_growth",
    "activity_inflation",
    "monetisation",
    "fiscal_and_debt",
    "liquidity_destination",
)


@dataclass(frozen=True)
class Computation:
    """Everything computed for a grid. `readings` by "table.column", `tables` by name."""

    readings: Mapping[str, Reading]
    tables: Mapping[str, pd.DataFrame]
    regime: Regime
    frame: pd.DataFrame


def compute(archive: Archive, grid: Grid, catalog: Catalog, series: Mapping[str, Series]) -> Computation:
    """Tables the regime reads, the regime, and its frame; `series` are the catalogue's entries in use."""
    view = View(archive, grid.as_of, series, catalog.method)
    columns = {name: BUILDERS[name](view, grid) for name in REGIME_INPUTS}
    tables = {name: assemble(catalog.tables[name], grid, of).frame for name, of in columns.items()}
    readings = readings_of(columns)
    regime = build_regime(readings, grid, catalog)
    return Computation(readings, tables, regime, regime_frame(regime, readings, tables, catalog))
