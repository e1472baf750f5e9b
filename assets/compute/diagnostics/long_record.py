"""`long_record`: the label since 1963 by the same rule, with ranks among months since 1953, and its cases.

It is apart from the published record: own grid, own ranks. FEDFUNDS stands for the target where there is none.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import Archive
from assets.compute.calendar import Days, month_ends
from assets.compute.conditions import SCORED
from assets.compute.diagnostics.base_rates import in_recession
from assets.compute.diagnostics.returns import asset_paths, forward
from assets.compute.diagnostics.revised import readings_of_labels
from assets.compute.grid import Grid
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, Texts, splice, texts
from assets.compute.regime import Regime, build_regime, indeterminate_reason, pit_grade
from assets.compute.stance import policy_rate_change
from assets.compute.state import BUBBLE, DEPRESSION, INDETERMINATE, spells
from assets.compute.tables.build import build_view

HIT, FALSE_ALARM, MISSED, NEITHER = "hit", "false_alarm", "missed", "neither"
RECESSION = "recession"
_RATE = "real_yields.policy_rate_change_6m_pp"
_OF_CASE = [
    "kind", "first_date", "last_date", "month_ends", "overlap_month_ends", "is_recession_after",
    "price_after_start_pct", "price_after_end_pct", "is_miss",
]  # fmt: skip
Flags = npt.NDArray[np.bool_]


def long_record(
    archive: Archive, catalog: Catalog, profile: Profile, run_date: np.datetime64
) -> pd.DataFrame:
    """Columns of `long_record`. Without a scored month before the published record it ends where that begins."""
    rules = catalog.method.long_record
    grid = Grid(month_ends(np.datetime64(rules.start, "D"), run_date))
    regime, rate = _labels(archive, grid, catalog, profile)
    unseen = grid.as_of < np.datetime64(catalog.method.robustness.era_starts[0], "D")
    scored = ~np.isnan(regime.bubble_score)
    shown = (grid.as_of >= np.datetime64(rules.first_label, "D")) & (unseen | (scored & unseen).any())
    return _frame(regime, rate, unseen)[shown].reset_index(drop=True)


def _labels(archive: Archive, grid: Grid, catalog: Catalog, profile: Profile) -> tuple[Regime, Reading]:
    """The regime on the long grid, and the change of the policy rate that it reads."""
    method = catalog.method
    equity = method.equity.model_copy(update={"price_history_start": method.long_record.start})
    long_ = replace(catalog, method=method.model_copy(update={"equity": equity}))
    view = build_view(archive, grid, long_, profile)
    effective = view.difference("FEDFUNDS", months(method.stance.rate_window_months))
    rate = splice(policy_rate_change(view), effective)
    return build_regime({**readings_of_labels(view), _RATE: rate}, grid, long_), rate


def _frame(regime: Regime, rate: Reading, unseen: Flags) -> pd.DataFrame:
    catalog, conditions, grid, state = regime.catalog, regime.conditions, regime.grid, regime.states.state
    scored = [conditions[name] for name in SCORED]
    has_stance = rate.present
    inside = in_recession(grid.as_of, catalog.recessions)
    is_checked = grid.as_of <= np.datetime64(catalog.recessions.checked_until, "D")
    outcome = np.where(
        state == DEPRESSION,
        np.where(inside, HIT, FALSE_ALARM),
        np.where(inside, MISSED, NEITHER),
    )
    return pd.DataFrame(
        {
            "month_end_date": grid.as_of.astype("datetime64[s]"),
            "regime": texts(has_stance, regime.label, INDETERMINATE),
            "condition_state": state,
            "stance": texts(has_stance, regime.stance.stance),
            "bubble_score": regime.bubble_score,
            **{f"{name}_score": conditions[name].score for name in SCORED},
            "coverage": np.min([c.coverage for c in scored], axis=0),
            "indeterminate_reason": indeterminate_reason(scored, catalog.method),
            "absent_inputs": _absent_inputs(regime),
            "rate_change_6m_pp": rate.value,
            "rate_series": texts(has_stance, rate.series_ids),
            "pit_grade": pit_grade(scored),
            "is_before_published_record": unseen,
            "recession_outcome": texts((state != INDETERMINATE) & is_checked, outcome),
        }
    )


def _absent_inputs(regime: Regime) -> Texts:
    """Inputs of the score without a value or a rank, each with its reason; None where none is absent."""
    absent: list[list[str]] = [[] for _ in regime.grid.as_of]
    for name in SCORED:
        for component in regime.conditions[name].components:
            for i in np.flatnonzero(np.isnan(component.score)):
                absent[i].append(f"{component.name} {component.absent_reason[i]}")
    return np.array([", ".join(names) or None for names in absent], dtype=object)


def cases(record: pd.DataFrame, today: View) -> pd.DataFrame:
    """Columns of `long_record_cases`, the misses first. `today`: what is known on the run date."""
    catalog = today.catalog
    dates = record["month_end_date"].to_numpy().astype("datetime64[D]")
    state = record["condition_state"].to_numpy(dtype=object)
    inside = in_recession(dates, catalog.recessions)
    equities = asset_paths(today, dates)[0]
    after = forward(equities.level, catalog.method.long_record.months_after)
    rows = [*_recessions(dates, state, inside), *_spells(dates, state, inside, after, catalog)]
    frame = pd.DataFrame(rows, columns=_OF_CASE)
    published = pd.Timestamp(catalog.method.robustness.era_starts[0])
    frame = frame.assign(
        is_before_published_record=frame["first_date"] < published,
        equity_basis=equities.basis,
        order=frame["is_miss"].map({True: 0, False: 1}).fillna(2),
    )
    return frame.sort_values(["kind", "order", "first_date"], ignore_index=True).drop(columns="order")


def _recessions(dates: Days, state: Texts, inside: Flags) -> Iterator[dict[str, Any]]:
    for first, last in spells(inside.astype(object)):
        if inside[first] and (state[first : last + 1] != INDETERMINATE).any():
            in_state = int((state[first : last + 1] == DEPRESSION).sum())
            yield _case(RECESSION, dates[first : last + 1], in_state) | {"is_miss": in_state == 0}


def _spells(
    dates: Days, state: Texts, inside: Flags, after: Floats, catalog: Catalog
) -> Iterator[dict[str, Any]]:
    within = catalog.method.long_record.recession_within_months
    dated_until = int((dates <= np.datetime64(catalog.recessions.checked_until, "D")).sum())
    begins = inside & ~np.concatenate([[False], inside[:-1]])
    for first, last in spells(state):
        if state[first] not in (BUBBLE, DEPRESSION):
            continue
        in_recession_ = int(inside[first : last + 1].sum())
        until = last + 1 + within
        recession: bool | None = bool(begins[first:until].any())
        if not recession and until > dated_until:
            recession = None
        fell: bool | None = None if np.isnan(after[first]) else bool(after[first] < 0.0)
        is_false = in_recession_ == 0
        yield _case(state[first], dates[first : last + 1], in_recession_) | {
            "is_recession_after": recession,
            "price_after_start_pct": after[first],
            "price_after_end_pct": after[last],
            "is_miss": is_false if state[first] == DEPRESSION else _nothing_followed(recession, fell),
        }


def _case(kind: str, dates: Days, overlap: int) -> dict[str, Any]:
    span = {"first_date": dates[0], "last_date": dates[-1]}
    return {"kind": kind, **span, "month_ends": len(dates), "overlap_month_ends": overlap}


def _nothing_followed(*events: bool | None) -> bool | None:
    """True when none of them happened, None while one is open and none happened."""
    return False if any(events) else None if None in events else True
