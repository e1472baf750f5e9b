"""Evidence: one row per component and date, adding up to the score.

Belongs here: the long table of contributions. Does not belong here: the scores themselves (`conditions.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.archive import SOURCES
from assets.compute.conditions import SCORED, Component
from assets.compute.reading import Floats, is_none, texts
from assets.compute.regime import Regime

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

_NOT_BINDING = "not_binding"  # the colder of the two labour-market signs decides; the other one is shown


def evidence_frame(regime: Regime, catalog: Catalog) -> pd.DataFrame:
    """Columns of `regime_evidence`. Contributions of valuation, economy and credit add up to `bubble_score`."""
    parts = []
    for name, condition in regime.conditions.items():
        share = 1.0 / len(SCORED) if name in SCORED else 0.0
        for component, weights in zip(condition.components, condition.weights, strict=True):
            parts.append(_rows(regime, catalog, name, component, weights, share))
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values("as_of_date", kind="stable", ignore_index=True)


def _rows(
    regime: Regime, catalog: Catalog, condition: str, component: Component, weights: Floats, share: float
) -> pd.DataFrame:
    reading = component.reading
    table, column = component.column.split(".")
    reason = component.absent_reason
    shown_only = is_none(reason) & (weights == 0)
    return pd.DataFrame(
        {
            "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
            "condition": condition,
            "component": component.name,
            "series_ids": reading.series_ids,
            "value": reading.value,
            "unit": catalog.tables[table].column(column).unit,
            "observation_date": reading.observation_date.astype("datetime64[s]"),
            "available_on": reading.available_on.astype("datetime64[s]"),
            "vintage_source": texts(reading.present, np.array(SOURCES, dtype=object)[reading.source]),
            "percentile": component.rank,
            "weight": weights,
            "contribution": share * weights * np.nan_to_num(component.score),
            "score": component.score,
            "absent_reason": texts(shown_only, _NOT_BINDING, reason),
        }
    )
