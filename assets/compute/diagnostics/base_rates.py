"""How often the limits of the verdicts are met, and how much of each state is recession: counts of the record."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.method import Verdict
from assets.catalog.models import RecessionLedger
from assets.compute.calendar import Days
from assets.compute.phases import COLD, CONDITIONS, CORE, CORE_CHANGE, HOT, verdicts
from assets.compute.state import BUBBLE, DEPRESSION, MID_CYCLE


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
