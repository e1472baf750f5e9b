"""The diagnostic tables by name, each with the function that builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.archive import Archive
from assets.compute.conditions import Readings
from assets.compute.diagnostics.attribution import regime_changes, score_attribution
from assets.compute.diagnostics.distance import distance_to_flip
from assets.compute.diagnostics.returns import asset_paths, returns_by_regime, returns_by_spell
from assets.compute.diagnostics.revised import regime_revised
from assets.compute.diagnostics.sensitivity import method_variants, parameter_sensitivity
from assets.compute.diagnostics.weights import effective_weights
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Texts
from assets.compute.regime import Regime
from assets.compute.tables.build import build_view

if TYPE_CHECKING:
    from assets.catalog.models import Catalog, Profile

# `regime_changes` is about the record: it is built from the regime with the live rows in it, all others from the panel.
DIAGNOSTICS: Mapping[str, Callable[[Regime, Readings, Catalog], pd.DataFrame]] = {
    "score_attribution": lambda regime, readings, catalog: score_attribution(regime),
    "regime_changes": lambda regime, readings, catalog: regime_changes(regime, catalog),
    "distance_to_flip": distance_to_flip,
    "parameter_sensitivity": parameter_sensitivity,
    "method_variants": method_variants,
    "effective_weights": lambda regime, readings, catalog: effective_weights(regime, catalog),
}

Build = Callable[[Archive, Grid, pd.DataFrame, "Catalog", "Profile"], pd.DataFrame]


def _revised(
    archive: Archive, grid: Grid, regime: pd.DataFrame, catalog: Catalog, profile: Profile
) -> pd.DataFrame:
    return regime_revised(build_view(archive, grid, catalog, profile), grid, regime, catalog)


def _by_spell(
    archive: Archive, grid: Grid, regime: pd.DataFrame, catalog: Catalog, profile: Profile
) -> pd.DataFrame:
    month_ends = grid.as_of[grid.is_month_end]
    paths = asset_paths(_today(archive, grid, catalog, profile), month_ends)
    frame = returns_by_spell(month_ends, _labels(regime), paths, catalog.method.forward_returns)
    return frame.reindex(columns=list(catalog.tables["forward_returns_by_spell"].column_names))


def _by_regime(
    archive: Archive, grid: Grid, regime: pd.DataFrame, catalog: Catalog, profile: Profile
) -> pd.DataFrame:
    paths = asset_paths(_today(archive, grid, catalog, profile), grid.as_of[grid.is_month_end])
    frame = returns_by_regime(_labels(regime), paths, catalog.method.forward_returns)
    return frame.reindex(columns=list(catalog.tables["forward_returns"].column_names))


def _labels(regime: pd.DataFrame) -> Texts:
    return regime.loc[regime["is_month_end"], "regime"].to_numpy(dtype=object)


def _today(archive: Archive, grid: Grid, catalog: Catalog, profile: Profile) -> View:
    return replace(build_view(archive, grid, catalog, profile), as_of=grid.as_of[-1:])


HINDSIGHT: Mapping[str, Build] = {
    "regime_revised": _revised,
    "forward_returns": _by_regime,
    "forward_returns_by_spell": _by_spell,
}
