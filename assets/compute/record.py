"""Live rows put over a panel: the record as it is published."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from assets.compute.calendar import days
from assets.compute.conditions import SCORED
from assets.compute.grid import LIVE
from assets.compute.regime import Regime, build_regime
from assets.compute.state import States, run_starts

Frames = Mapping[str, pd.DataFrame]


def overlaid(panel: pd.DataFrame, live: pd.DataFrame, dates: pd.Series) -> pd.DataFrame:
    """The panel without its rows of the live `dates`, and with those of `live`, in the panel's columns, by date."""
    rest = panel[~panel["as_of_date"].isin(dates)]
    if not len(live):
        return rest
    both = pd.DataFrame({name: _joined(rest[name], live[name]) for name in panel.columns})
    return both.sort_values("as_of_date", kind="stable", ignore_index=True)


def published(name: str, panel: pd.DataFrame, live: Frames) -> pd.DataFrame:
    """A table as it is published: live rows, if it can have any, in place of the computed ones."""
    record = overlaid(panel, live[name], live["regime"]["as_of_date"]) if name in live else panel
    return with_spells(record) if name == "regime" else record


def record_of(panel: Frames, live: Frames) -> dict[str, pd.DataFrame]:
    """Every table of a panel as it is published."""
    return {name: published(name, frame, live) for name, frame in panel.items()}


def with_spells(regime: pd.DataFrame) -> pd.DataFrame:
    """`regime` with `regime_since` by the labels as published; a live row keeps its own."""
    ordered = regime.sort_values("as_of_date")
    since = ordered["as_of_date"].to_numpy()[run_starts(ordered["regime"].to_numpy(dtype=object))]
    is_live = (ordered["row_kind"] == LIVE).to_numpy()
    since = np.where(is_live, ordered["regime_since"], since)
    return ordered.assign(regime_since=since).reindex(regime.index)


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
    readings, ranks = dict(regime.readings), {c.column: c.rank for c in regime.components}
    evidence = dict(list(live["regime_evidence"].groupby("component")))
    for component in regime.components:
        if component.name in evidence:  # else added after the rows were frozen
            of = evidence[component.name].set_index("as_of_date").reindex(rows["as_of_date"])
            reading, name = component.reading, component.column
            readings[name] = replace(reading, value=_put(reading.value, of["value"], at))
            ranks[name] = _put(component.rank, of["rank"], at)
    scored = build_regime(readings, regime.grid, regime.catalog, ranks)
    # attribute of the stance: column of `regime`
    of_stance = {
        "rate": "rate_direction",
        "balance_sheet_realised": "balance_sheet_direction_realised",
        "balance_sheet_announced": "balance_sheet_direction_announced",
        "stance": "stance",
        "realised": "stance_realised",
        "driver": "stance_driver",
        "is_provisional": "is_stance_provisional",
    }
    stance = {
        name: _put(getattr(regime.stance, name), rows[column], at) for name, column in of_stance.items()
    }
    states = (
        _put(regime.states.state, rows["condition_state"], at),
        _put(regime.states.provisional, rows["provisional_condition_state"], at),
    )
    scores = {
        name: _put(getattr(scored.scores, name), rows[f"{name}_score"], at) for name in ("bubble", *SCORED)
    }
    return replace(
        scored,
        scores=replace(scored.scores, **scores),
        label=_put(regime.label, rows["regime"], at),
        states=States(*states),
        stance=replace(regime.stance, **stance),
    )


def _put(values: np.ndarray, live: pd.Series, at: np.ndarray) -> np.ndarray:
    """A copy of `values` with those of live rows at their positions, in the type of `values`."""
    values = values.copy()
    if values.dtype == object:
        values[at] = [None if missing else value for value, missing in zip(live, live.isna(), strict=True)]
    elif values.dtype.kind == "f":
        values[at] = live.to_numpy(dtype="float64", na_value=np.nan)
    else:
        values[at] = live.to_numpy(dtype=values.dtype)
    return values
