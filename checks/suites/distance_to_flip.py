"""Rules of `distance_to_flip`: distances from the scores that are published, in force for the state that is.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, distance, flag, only_where
from checks.suites.rules import Rule, identity, never, within

TABLE = "distance_to_flip"
EXACT = 1e-12
_TOGETHER = "Label and distances come from different runs: materialise regime/regime again."
_AGAIN = "Look at assets/compute/diagnostics/distance.py."
_SCORES = ("bubble_score", "valuation_score", "economy_score", "credit_score")
_FROM = {
    "leave_bubble": "bubble",
    "leave_depression": "depression",
    "enter_bubble": "mid_cycle",
    "enter_depression": "mid_cycle",
}


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Agreement with `regime`, and what belongs together within a row."""
    return (
        within(
            "measure_value__as_in_regime",
            ("as_of_date", "measure", "measure_value", *(f"regime.{name}" for name in _SCORES)),
            _off_the_score,
            maximum=EXACT,
            statement="the score a limit is set on is the published one",
            what_to_do=_TOGETHER,
        ),
        never(
            "flip__possible_in_state",
            ("as_of_date", "flip", "regime.condition_state"),
            _impossible,
            statement="only thresholds in force in the state of the date are listed",
            what_to_do=_TOGETHER,
        ),
        never(
            "lapse_date__of_a_rate_coming_to_rest",
            ("as_of_date", "flip", "lapse_date"),
            lambda f, _: (
                only_where(f["lapse_date"], f["flip"] == "rate_to_unchanged")
                + flag(f["lapse_date"] <= f["as_of_date"])
            ),
            statement="a rate that comes to rest says when it does so by itself, after the date, and nothing else does",
            what_to_do="Look at assets/compute/diagnostics/distance.py.",
        ),
        identity(
            "required_move__is_the_difference",
            ("required_move", "required_value", "component_value", "reachability"),
            lambda f, _: (
                f["required_move"],
                (f["required_value"] - f["component_value"]).where(f["reachability"] == "reachable"),
            ),
            tolerance=1e-9,
            statement="the move is the required value less the present one, where there is one",
            what_to_do=_AGAIN,
        ),
        never(
            "required_value__given_where_reachable",
            ("required_value", "reachability"),
            lambda f, _: only_where(f["required_value"], f["reachability"] == "reachable"),
            statement="a value is required exactly where one suffices",
            what_to_do=_AGAIN,
        ),
        never(
            "reachability__met_as_the_limit_says",
            ("reachability", "measure_value", "comparison", "limit_value"),
            _met_misstated,
            statement="a limit is called met exactly when the measure passes it",
            what_to_do=_AGAIN,
        ),
        within(
            "next_release_date__after_as_of",
            ("as_of_date", "next_release_date"),
            lambda f, _: (f["next_release_date"] - f["as_of_date"]).dt.days.astype("float64"),
            minimum=1,
            statement="the next release is after the date",
            what_to_do="Look at assets/compute/diagnostics/distance.py.",
        ),
    )


def _off_the_score(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    expected = pd.Series(np.nan, frame.index)
    for name in _SCORES:
        rows = frame["measure"] == name
        expected[rows] = beside(frame, tables, f"regime.{name}")[rows]
    return distance(frame["measure_value"], expected).where(frame["measure"].isin(_SCORES))


def _impossible(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    needed = frame["flip"].map(_FROM)
    return flag(beside(frame, tables, "regime.condition_state") != needed, judged=needed.notna())


def _met_misstated(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    value, limit, sign = frame["measure_value"], frame["limit_value"], frame["comparison"]
    passed = (
        ((sign == ">=") & (value >= limit))
        | ((sign == "<=") & (value <= limit))
        | ((sign == ">") & (value > limit))
        | ((sign == "<") & (value < limit))
    )
    return flag((frame["reachability"] == "met") != passed, judged=frame["reachability"] != "absent")
