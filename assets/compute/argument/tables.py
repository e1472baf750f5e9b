"""The tables that argue with the label, by name, each a function of the computed regime and its readings.

Belongs here: the list. Does not belong here: formulas, tables that need the archive or other tables as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.argument.attribution import score_attribution
from assets.compute.argument.changes import regime_changes
from assets.compute.argument.distance import distance_to_flip
from assets.compute.argument.sensitivity import method_variants, parameter_sensitivity
from assets.compute.argument.weights import effective_weights
from assets.compute.conditions import Readings
from assets.compute.regime import Regime

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

# `regime_changes` is about the record: it is built from the regime with the live rows in it, all others from the panel.
ARGUMENT: Mapping[str, Callable[[Regime, Readings, Catalog], pd.DataFrame]] = {
    "score_attribution": lambda regime, readings, catalog: score_attribution(regime),
    "regime_changes": lambda regime, readings, catalog: regime_changes(regime, catalog),
    "distance_to_flip": distance_to_flip,
    "parameter_sensitivity": parameter_sensitivity,
    "method_variants": method_variants,
    "effective_weights": lambda regime, readings, catalog: effective_weights(regime, catalog),
}
