"""`base_rates` and `recession_overlap`: counts of the record. `long_record`: the label since 1963, and its cases.

The long record is apart from the published one: own grid, ranks among months since 1953. FEDFUNDS stands for the target
where there is none.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.method import Verdict
from assets.catalog.models import Catalog, Profile, RecessionLedger
from assets.compute.archive import Archive
from assets.compute.calendar import Days, month_ends
from assets.compute.conditions import SCORED
from assets.compute.diagnostics.returns import asset_paths, forward
from assets.compute.diagnostics.revised import readings_of_labels
from assets.compute.grid import Grid
from assets.compute.lookup import View, months
from assets.compute.phases import COLD, CONDITIONS, CORE, CORE_CHANGE, HOT, verdicts
from assets.compute.reading import Floats, Reading, Texts, splice, texts
from assets.compute.regime import Regime, build_regime, indeterminate_reason, pit_grade
from assets.compute.stance import policy_rate_change
from assets.compute.state import BUBBLE, DEPRESSION, INDETERMINATE, MID_CYCLE, spells
from assets.compute.tables.build import build_view


def base_rates(regime: pd.DataFrame, activity: pd.DataFrame, limits: Verdict) -> pd.DataFrame:
    """Columns of `base_rates`, over the scored month-ends. `activity`: the table `activity_inflation`."""
    scored = _scored_month_ends(regime)
    core = activity.set_index("as_of_date").loc[scored["as_of_date"], [CORE, CORE_CHANGE]].to_numpy()
    scores = {name: scored[f"{name}_score"].to_numpy(dtype="float64") for name in CONDITIONS}
    found = verdicts(scores, core[:, 0], core[:, 1], limits)
    rows = []
    for condition in CONDITIONS:
        is_inflation = condition == "inflation"
        for named in (HOT, COLD):
            limit = limits.inflation_target_pct if is_inflation else getattr(limits, f"{condition}_{named}")
            rows.append(
                {
                    "condition": condition,
                    "verdict": named,
                    "measure": CORE if is_inflation else f"{condition}_score",
                    "limit_value": limit,
                    "limit_unit": "percent" if is_inflation else "score 0 to 1",
                    **_share(int((found[condition] == named).sum()), len(scored)),
                    **_span(scored),
                }
            )
    return pd.DataFrame(rows)


def recession_overlap(regime: pd.DataFrame, ledger: RecessionLedger) -> pd.DataFrame:
    """Columns of `recession_overlap`, over the scored month-ends for which the recessions were checked."""
    scored = _scored_month_ends(regime)
    scored = scored[scored["as_of_date"] <= pd.Timestamp(ledger.checked_until)]
    inside = in_recession(scored["as_of_date"].to_numpy().astype("datetime64[D]"), ledger)
    rows = []
    for state in (BUBBLE, DEPRESSION, MID_CYCLE):
        in_state = (scored["condition_state"] == state).to_numpy()
        found = _share(int((in_state & inside).sum()), int(in_state.sum()))
        rows.append(
            {
                "condition_state": state,
                "month_ends": found["of_month_ends"],
                "recession_month_ends": found["month_ends"],
                "recession_share": found["share"],
                "all_recession_month_ends": int(inside.sum()),
                **_span(scored),
            }
        )
    return pd.DataFrame(rows)


def in_recession(month_ends: Days, ledger: RecessionLedger) -> npt.NDArray[np.bool_]:
    """Whether the month of each date is in a recession: after the month of a peak, to that of the trough."""
    month, inside = month_ends.astype("datetime64[M]"), np.zeros(len(month_ends), dtype=bool)
    for one in ledger.recessions:
        peak, trough = np.datetime64(one.peak_month, "M"), np.datetime64(one.trough_month, "M")
        inside |= (month > peak) & (month <= trough)
    return inside


def _scored_month_ends(regime: pd.DataFrame) -> pd.DataFrame:
    return regime[regime["is_month_end"] & regime["bubble_score"].notna()]


def _share(count: int, of: int) -> dict[str, float]:
    return {"month_ends": count, "of_month_ends": of, "share": count / of if of else float("nan")}


def _span(rows: pd.DataFrame) -> dict[str, pd.Timestamp]:
    return {"first_date": rows["as_of_date"].min(), "last_date": rows["as_of_date"].max()}


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
