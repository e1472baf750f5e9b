"""Gathers the rooms by explicit list.

Belongs here: which assets and checks the graph has. Does not belong here: their making.
"""

from __future__ import annotations

import warnings

import dagster as dg

from assets.catalog.loader import load_catalog
from assets.computed import COMPUTED_TABLES
from assets.publish.release import release
from assets.raw.assets import RAW_ASSETS
from checks.factories import all_checks


def _with_links(assets: list[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The same assets, each linked to its code in the UI."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's only way of linking code is beta in 1.13
        linked = dg.with_source_code_references(assets)
    return [asset for asset in linked if isinstance(asset, dg.AssetsDefinition)]


ASSETS: list[dg.AssetsDefinition] = _with_links([*RAW_ASSETS, *COMPUTED_TABLES, release])
ASSET_CHECKS: list[dg.AssetChecksDefinition] = all_checks(load_catalog())
