"""The diagnostic tables by name, each with the function that builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.archive import Archive
from assets.compute.conditions import Readings
from assets.compute.diagnostics.attribution import regime_changes, score_attribution
from assets.compute.diagnostics.distance import distance_to_flip
from assets.compute.diagnostics.returns import forward_returns, forward_returns_by_spell
from assets.compute.diagnostics.revised import regime_revised
from assets.compute.diagnostics.sensitivity import method_variants, parameter_sensitivity
from assets.compute.diagnostics.weights import effective_weights
from assets.compute.grid import Grid
from assets.compute.regime import Regime

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

# Tables that look back from the run date: they need the archive besides the published regime.
HINDSIGHT: Mapping[str, Callable[[Archive, Grid, pd.DataFrame, Catalog, Profile], pd.DataFrame]] = {
    "regime_revised": regime_revised,
    "forward_returns": forward_returns,
    "forward_returns_by_spell": forward_returns_by_spell,
}
