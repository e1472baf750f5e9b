"""Gathers the rooms by explicit list.

Belongs here: which assets and checks the graph has. Does not belong here: their making.
"""

from __future__ import annotations

import warnings

import dagster as dg

from assets.derived.ledgers import LEDGERS
from assets.derived.tables import DERIVED_TABLES
from assets.publish.release import release
from assets.raw.assets import RAW_ASSETS
from assets.regime.caveats import caveats_table
from assets.regime.hindsight import hindsight_tables
from assets.regime.late import late_figures_table
from assets.regime.phases import qe_phases_table
from assets.regime.regime import regime_tables
from checks.assets import CHECKS


def _with_links(assets: list[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The same assets, each linked to its code in the UI."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's only way of linking code is beta in 1.13
        linked = dg.with_source_code_references(assets)
    return [asset for asset in linked if isinstance(asset, dg.AssetsDefinition)]


ASSETS: list[dg.AssetsDefinition] = _with_links(
    [
        *RAW_ASSETS,
        *DERIVED_TABLES,
        *LEDGERS,
        regime_tables,
        hindsight_tables,
        caveats_table,
        qe_phases_table,
        late_figures_table,
        release,
    ]
)
ASSET_CHECKS: list[dg.AssetChecksDefinition] = CHECKS
