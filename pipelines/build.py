"""Gathers the rooms by explicit list.

Belongs here: which assets and checks the graph has. Does not belong here: their making.
"""

from __future__ import annotations

import dagster as dg

from assets.derived.ledgers import LEDGERS
from assets.derived.tables import DERIVED_TABLES
from assets.publish.release import release
from assets.raw.assets import RAW_ASSETS
from assets.regime.late import late_figures_table
from assets.regime.regime import regime_tables
from checks.assets import CHECKS

ASSETS: list[dg.AssetsDefinition] = [
    *RAW_ASSETS,
    *DERIVED_TABLES,
    *LEDGERS,
    regime_tables,
    late_figures_table,
    release,
]
ASSET_CHECKS: list[dg.AssetChecksDefinition] = CHECKS
