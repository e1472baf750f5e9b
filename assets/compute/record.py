"""Live rows put over a panel: the record as it is published.

Belongs here: replacing the rows of live dates, in frames and in a computed regime. Does not belong here: storing live
rows, the same for the published file in SQL (`assets/warehouse/live.py`). A panel itself never reads live rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from assets.compute.calendar import days
from assets.compute.conditions import Component, Condition
from assets.compute.grid import LIVE
from assets.compute.reading import Floats, Texts
from assets.compute.regime import Regime
from assets.compute.stance import PolicyStance
from assets.compute.state import States, spells

Frames = Mapping[str, pd.DataFrame]


def overlaid(panel: pd.DataFrame, live: pd.DataFrame | None) -> pd.DataFrame:
    """The panel with its rows of live dates replaced by `live`, in the panel's columns, by date."""
    if live is None or not len(live):
        return panel
    rest = panel[~panel["as_of_date"].isin(live["as_of_date"])]
    both = pd.DataFrame({name: _joined(rest[name], live[name]) for name in panel.columns})
    return both.sort_values("as_of_date", kind="stable", ignore_index=True)


def record_of(panel: Frames, live: Frames) -> dict[str, pd.DataFrame]:
    """Every table of a panel as it is published."""
    tables = {name: overlaid(frame, live.get(name)) for name, frame in panel.items()}
    return {**tables, "regime": with_spells(tables["regime"])}


def with_spells(regime: pd.DataFrame) -> pd.DataFrame:
    """`regime` with `regime_since` by the labels as published; a live row keeps what it said."""
    ordered = regime.sort_values("as_of_date")
    since = ordered["as_of_date"].to_numpy().copy()
    for first, last in spells(ordered["regime"].to_numpy(dtype=object)):
        since[first : last + 1] = since[first]
    is_live = (ordered["row_kind"] == LIVE).to_numpy()
    said = ordered["regime_since"].to_numpy()
    return ordered.assign(regime_since=np.where(is_live, said, since)).reindex(regime.index)


def _joined(rest: pd.Series, live: pd.Series) -> np.ndarray:
    """Two columns in one array: texts and missing flags make it one of objects."""
    if rest.dtype == live.dtype:
        return np.concatenate([rest.to_numpy(), live.to_numpy()])
    if pd.api.types.is_numeric_dtype(rest) and pd.api.types.is_numeric_dtype(live):
        return np.concatenate([s.to_numpy(dtype="float64", na_value=np.nan) for s in (rest, live)])
    return np.concatenate([s.to_numpy(dtype=object) for s in (rest, live)])


def overlaid_regime(regime: Regime, live: Frames) -> Regime:
    """The computed regime with the figures of live rows on their dates, from their `regime` and `regime_evidence`."""
    rows = live.get("regime")
    if rows is None or not len(rows):
        return regime
    at = np.searchsorted(regime.grid.as_of, days(rows["as_of_date"].to_numpy()))
    evidence = live["regime_evidence"]
    stance, states = regime.stance, regime.states
    return replace(
        regime,
        conditions={
            name: _condition(condition, rows, evidence[evidence["condition"] == name], at)
            for name, condition in regime.conditions.items()
        },
        bubble_score=_number(regime.bubble_score, rows["bubble_score"], at),
        agreement=_number(regime.agreement, rows["agreement"], at),
        label=_text(regime.label, rows["regime"], at),
        states=States(
            _text(states.state, rows["condition_state"], at),
            _text(states.provisional, rows["provisional_condition"], at),
        ),
        stance=PolicyStance(
            _whole(stance.rate, rows["rate_direction"], at),
            _whole(stance.balance_sheet_realised, rows["balance_sheet_direction_realised"], at),
            _whole(stance.balance_sheet_announced, rows["balance_sheet_direction_announced"], at),
            _text(stance.stance, rows["stance"], at),
            _text(stance.realised, rows["stance_realised"], at),
            _text(stance.driver, rows["stance_driver"], at),
            _whole(stance.is_provisional, rows["is_stance_provisional"], at),
        ),
    )


def _condition(condition: Condition, rows: pd.DataFrame, evidence: pd.DataFrame, at: np.ndarray) -> Condition:
    by_component = {
        str(name): of.set_index("as_of_date").reindex(rows["as_of_date"])
        for name, of in evidence.groupby("component")
    }
    components = {c.name: _component(c, by_component.get(c.name), at) for c in condition.components}
    weights = condition.weights.copy()
    for n, component in enumerate(condition.components):
        if component.name in by_component:
            weights[n, at] = by_component[component.name]["weight"].to_numpy(dtype="float64")
    coverage = f"{condition.name}_coverage"
    return replace(
        condition,
        blocks=[replace(b, components=[components[c.name] for c in b.components]) for b in condition.blocks],
        components=[components[c.name] for c in condition.components],
        weights=weights,
        coverage=_number(condition.coverage, rows[coverage], at) if coverage in rows else condition.coverage,
        score=_number(condition.score, rows[f"{condition.name}_score"], at),
    )


def _component(component: Component, evidence: pd.DataFrame | None, at: np.ndarray) -> Component:
    if (
        evidence is None
    ):  # it came later, without a weight: with one, the version of the method would be another
        return component
    return replace(
        component,
        reading=replace(component.reading, value=_number(component.reading.value, evidence["value"], at)),
        score=_number(component.score, evidence["score"], at),
        rank=_number(component.rank, evidence["percentile"], at),
    )


def _number(values: Floats, live: pd.Series, at: np.ndarray) -> Floats:
    values = values.copy()
    values[at] = live.to_numpy(dtype="float64", na_value=np.nan)
    return values


def _whole(values: np.ndarray, live: pd.Series, at: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[at] = live.to_numpy(dtype=values.dtype)
    return values


def _text(values: Texts, live: pd.Series, at: np.ndarray) -> Texts:
    values = values.copy()
    values[at] = [None if missing else value for value, missing in zip(live, live.isna(), strict=True)]
    return values
