"""How far the label is from another: one component moved alone, in its own unit, ranks against the same history.

Belongs here: the move each component would have to make to pass each threshold in force. Does not belong here: the
thresholds themselves (`thresholds.py`), how likely a move is: nothing here forecasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.argument.contributions import Contributions, contributions
from assets.compute.argument.moves import Mover
from assets.compute.argument.rate_distance import rate_rows
from assets.compute.argument.releases import Releases
from assets.compute.argument.thresholds import (
    Flip,
    Threshold,
    flip_holds,
    in_force,
    leads_to,
    measures_of,
    thresholds,
)
from assets.compute.calendar import NAT
from assets.compute.conditions import Readings
from assets.compute.reading import Floats, texts
from assets.compute.regime import Regime, scores_of
from assets.compute.state import BUBBLE, DEPRESSION, MID_CYCLE, fast_entry

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

Flags = np.ndarray
_STATES = (BUBBLE, DEPRESSION, MID_CYCLE)


def distance_to_flip(regime: Regime, readings: Readings, catalog: Catalog) -> pd.DataFrame:
    """Columns of `distance_to_flip`: a row per date, threshold in force and component it depends on."""
    parts, measures = contributions(regime), measures_of(regime)
    releases = Releases(regime.grid.as_of, catalog.series, readings)
    mover = Mover(regime, parts, catalog.method)
    rows = list(rate_rows(regime, readings, catalog))
    for threshold in thresholds(catalog.method.state):
        states = [state for state in _STATES if threshold.flip in in_force(state)]
        dates = np.flatnonzero(np.isin(regime.states.state, states) & ~np.isnan(regime.bubble_score))
        needed = _month_ends_needed(threshold.flip, measures, regime, readings, catalog)
        for k in _bearing(threshold, parts):
            rows.append(_rows(threshold, k, dates, regime, parts, measures, mover, releases, needed, catalog))
    frame = pd.concat(rows, ignore_index=True)
    return frame.sort_values(["as_of_date", "flip", "threshold", "component"], ignore_index=True)


def _bearing(threshold: Threshold, parts: Contributions) -> Iterator[int]:
    """Positions of the components a threshold's measure is made of."""
    for k, condition in enumerate(parts.conditions):
        if threshold.measure in ("bubble_score", f"{condition}_score"):
            yield k


def _rows(
    threshold: Threshold,
    k: int,
    dates: np.ndarray,
    regime: Regime,
    parts: Contributions,
    measures: Mapping[str, Floats],
    mover: Mover,
    releases: Releases,
    month_ends_needed: np.ndarray,
    catalog: Catalog,
) -> pd.DataFrame:
    component = parts.components[k]
    table, column = component.column.split(".")
    value, measure = component.reading.value, measures[threshold.measure]
    is_met = threshold.is_met(measure)
    required, moved_score = mover.move(k, threshold, measure)
    present = ~np.isnan(component.score)
    reachable = present & ~is_met & ~np.isnan(required)
    after = mover.measures_after(k, moved_score, measures)
    sufficient = flip_holds(threshold.flip, after, catalog.method.state)
    due, due_series = releases.next_of(component.reading.series_ids)
    reach = texts(present, texts(is_met, "met", texts(reachable, "reachable", "unreachable")), "absent")
    frame = pd.DataFrame(
        {
            "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
            "flip": threshold.flip,
            "leads_to": leads_to(threshold.flip),
            "threshold": threshold.name,
            "measure": threshold.measure,
            "measure_value": measure,
            "comparison": threshold.sign,
            "limit_value": threshold.limit,
            "condition": parts.conditions[k],
            "component": component.name,
            "component_unit": catalog.tables[table].column(column).unit,
            "component_value": value,
            "required_value": np.where(reachable, required, np.nan),
            "required_move": np.where(reachable, required - value, np.nan),
            "reachability": reach,
            "is_sufficient": texts(reachable, sufficient),
            "month_ends_needed": month_ends_needed,
            "next_release_date": np.where(reachable, due, NAT).astype("datetime64[s]"),
            "next_release_series": texts(reachable, due_series),
            "lapse_date": np.full(len(value), NAT).astype("datetime64[s]"),
        }
    )
    return frame.iloc[dates]


def _month_ends_needed(
    flip: Flip, measures: Mapping[str, Floats], regime: Regime, readings: Readings, catalog: Catalog
) -> np.ndarray:
    """Month-ends in a row on which the rule still has to hold, those it has held on up to the date left out."""
    n, rules = len(regime.grid), catalog.method.state
    if flip.startswith("leave"):
        return np.ones(n, dtype="int64")
    holds = flip_holds(flip, measures, rules)
    run, needed = 0, np.empty(n, dtype="int64")
    is_month_end = regime.grid.is_month_end
    for i in range(n):
        if is_month_end[i]:
            run = run + 1 if holds[i] else 0
        needed[i] = max(rules.confirmation_months - run, 1)
    if flip == "enter_depression":
        needed[fast_entry(scores_of(regime.bubble_score, regime.conditions, readings), rules)] = 1
    return needed
