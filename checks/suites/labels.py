"""What a row that bears a label must satisfy, in `regime` and in `regime_nightly` alike.

Belongs here: rules within one row. Does not belong here: rules that compare rows or tables (`regime.py`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, differs, distance, only_where
from checks.suites.rules import Rule, identity, never, within

EXACT = 1e-12
SCORED = ("valuation", "economy", "credit")  # in the score; inflation stands beside it
LABELS = {
    ("stimulus", "bubble"): "stimulus_into_bubble",
    ("stimulus", "depression"): "stimulus_into_depression",
    ("stimulus", "mid_cycle"): "stimulus_mid_cycle",
    ("tightening", "bubble"): "tightening_into_bubble",
    ("tightening", "depression"): "tightening_into_depression",
    ("tightening", "mid_cycle"): "tightening_mid_cycle",
    ("neutral", "bubble"): "neutral_bubble",
    ("neutral", "depression"): "neutral_depression",
    ("neutral", "mid_cycle"): "neutral_mid_cycle",
}
STANCES = {-1.0: "tightening", 0.0: "neutral", 1.0: "stimulus"}
ANNOUNCED, REALISED, RATE = (
    "balance_sheet_direction_announced", "balance_sheet_direction_realised", "rate_direction",
)  # fmt: skip
_AGAIN = "Materialise regime/regime again; if it stays, assets/compute and this rule no longer say the same."
_METHOD = "Compare assets/compute with docs/methodology.md; thresholds come from method.toml only."


def label_rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Label, score, coverage and stance of one row."""
    minimum = catalog.method.coverage.minimum
    scores = [f"{name}_score" for name in SCORED]
    coverages = [f"{name}_coverage" for name in SCORED]
    return (
        never(
            "regime__of_stance_and_condition",
            ("regime", "stance", "condition_state"),
            lambda f, _: differs(f["regime"], _label(f)),
            statement="the label is the one of its stance and condition",
            what_to_do=_AGAIN,
        ),
        identity(
            "bubble_score__mean_of_conditions",
            ("bubble_score", *scores),
            lambda f, _: (f["bubble_score"], f[scores].mean(axis=1, skipna=False)),
            tolerance=EXACT,
            statement="the score is the mean of valuation, economy and credit, and absent when one of them is",
            what_to_do=_METHOD,
        ),
        identity(
            "coverage__lowest_of_conditions",
            ("coverage", *coverages),
            lambda f, _: (f["coverage"], f[coverages].min(axis=1)),
            tolerance=EXACT,
            statement="coverage is the lowest of valuation, economy and credit",
            what_to_do=_METHOD,
        ),
        *(_needs_coverage(name, minimum) for name in SCORED),
        never(
            "indeterminate_reason__given_without_score",
            ("indeterminate_reason", "bubble_score"),
            lambda f, _: only_where(f["indeterminate_reason"], f["bubble_score"].isna()),
            statement="a row without a score says why, and only such a row",
            what_to_do=_AGAIN,
        ),
        within(
            "confidence__product_of_its_parts",
            ("confidence", "coverage", "freshness", "agreement"),
            _confidence,
            maximum=1e-9,
            statement="confidence is coverage x freshness x agreement",
            what_to_do=_METHOD,
        ),
        _stance("stance", ANNOUNCED),
        _stance("stance_realised", REALISED),
        never(
            "stance_driver__what_moved",
            ("stance_driver", RATE, ANNOUNCED),
            lambda f, _: differs(f["stance_driver"], _driver(f)),
            statement="the driver names what points the way of the stance",
            what_to_do=_METHOD,
        ),
        never(
            "is_ideal_time_to_sell_window__as_defined",
            ("is_ideal_time_to_sell_window", "condition_state", "stance", "is_melt_up"),
            lambda f, _: differs(f["is_ideal_time_to_sell_window"].astype("boolean"), _window(f)),
            statement="the window is a bubble without tightening, with a melt-up or stimulus; unknown where that is",
            what_to_do=_METHOD,
        ),
    )


def _label(frame: pd.DataFrame) -> pd.Series:
    pairs = zip(frame["stance"], frame["condition_state"], strict=True)
    names = [
        "indeterminate" if state == "indeterminate" else LABELS.get((stance, state))
        for stance, state in pairs
    ]
    return pd.Series(names, frame.index, dtype=object)


def _needs_coverage(name: str, minimum: float) -> Rule:
    score, coverage = f"{name}_score", f"{name}_coverage"
    return never(
        f"{score}__from_{minimum * 100:g}_percent_coverage",
        (score, coverage),
        lambda f, _: only_where(f[score], f[coverage] >= minimum),
        statement=f"there is a score exactly where coverage is {minimum:g} or more",
        what_to_do=_METHOD,
    )


def _confidence(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    expected = frame["coverage"] * frame["freshness"] * frame["agreement"]
    return distance(frame["confidence"], expected)


def _stance(column: str, balance_sheet: str) -> Rule:
    return never(
        f"{column}__sign_of_directions",
        (column, RATE, balance_sheet),
        lambda f, _: differs(f[column], _sign(f[RATE] + f[balance_sheet]).map(STANCES)),
        statement="the stance is the sign of the two directions together",
        what_to_do=_METHOD,
    )


def _driver(frame: pd.DataFrame) -> pd.Series:
    total = _sign(frame[RATE] + frame[ANNOUNCED])
    rate, sheet = (total != 0) & (frame[RATE] == total), (total != 0) & (frame[ANNOUNCED] == total)
    named = np.select([rate & sheet, rate, sheet], ["both", "rate", "balance_sheet"], "none")
    return pd.Series(named, frame.index, dtype=object)


def _sign(values: pd.Series) -> pd.Series:
    return pd.Series(np.sign(values.to_numpy()), values.index)


def _window(frame: pd.DataFrame) -> pd.Series:
    """Three-valued: a missing melt-up leaves a neutral stance open, and a missing state everything."""
    stance, state = frame["stance"], frame["condition_state"]
    fed = (frame["is_melt_up"].astype("boolean") & (stance == "neutral")) | (stance == "stimulus")
    window: pd.Series = fed & (state == "bubble")
    return window.mask(state == "indeterminate")
