"""Why the score moved: its change since the month-end before, component by component.

Belongs here: the decomposition. Does not belong here: why the label changed (`changes.py`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.compute.argument.contributions import contributions
from assets.compute.calendar import previous_month_end
from assets.compute.regime import Regime


def score_attribution(regime: Regime) -> pd.DataFrame:
    """Columns of `score_attribution`: a row per date and component, where both dates have a score.

    The change of a contribution is split at the midpoint: mean weight x change of score, plus mean score x change of
    weight. The two add up to it exactly, whichever moved first; a component that appears or goes is all weight.
    """
    grid, parts = regime.grid, contributions(regime)
    before = previous_month_end(grid.is_month_end)
    scored = ~np.isnan(regime.bubble_score)
    now = np.flatnonzero((before >= 0) & scored & scored[before])
    then = before[now]
    weight, score, total = parts.weight, parts.score, parts.contribution
    mean_weight = (weight[:, now] + weight[:, then]) / 2.0
    mean_score = (score[:, now] + score[:, then]) / 2.0
    both = (weight[:, now] > 0) & (weight[:, then] > 0)
    score_effect = np.where(both, mean_weight * (score[:, now] - score[:, then]), 0.0)
    weight_effect = np.where(
        both, mean_score * (weight[:, now] - weight[:, then]), total[:, now] - total[:, then]
    )
    k = len(parts.components)
    return pd.DataFrame(
        {
            "as_of_date": np.repeat(grid.as_of[now], k).astype("datetime64[s]"),
            "compared_with_date": np.repeat(grid.as_of[then], k).astype("datetime64[s]"),
            "condition": np.tile(np.array(parts.conditions, dtype=object), len(now)),
            "component": np.tile(np.array([c.name for c in parts.components], dtype=object), len(now)),
            "contribution": total[:, now].T.ravel(),
            "contribution_before": total[:, then].T.ravel(),
            "contribution_change": (total[:, now] - total[:, then]).T.ravel(),
            "score_effect": score_effect.T.ravel(),
            "weight_effect": weight_effect.T.ravel(),
        }
    )
