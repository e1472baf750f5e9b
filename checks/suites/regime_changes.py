"""Rules of `regime_changes`: every change of label, only changes, each with what did it.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, differs, flag, missing_before, only_where
from checks.suites.rules import Rule, never

TABLE = "regime_changes"
_TOGETHER = "Label and changes come from different runs: materialise regime/regime again."
_AGAIN = "Look at assets/compute/diagnostics/attribution.py: every change has a cause."
_BOTH_SCORED = ("condition_before", "condition_state", "compared_with_date")


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Complete against `regime`, and no change without a cause."""
    return (
        never(
            "as_of_date__every_change_of_label",
            ("as_of_date", "regime.as_of_date", "regime.regime"),
            _missing_changes,
            statement="every date whose label is another than on the date before has a row",
            what_to_do=_TOGETHER,
        ),
        never(
            "regime__as_in_regime",
            ("as_of_date", "regime", "regime.regime"),
            lambda f, t: differs(f["regime"], beside(f, t, "regime.regime")),
            statement="the label is that of the date",
            what_to_do=_TOGETHER,
        ),
        never(
            "regime_before__another_label",
            ("regime_before", "regime"),
            lambda f, _: flag(f["regime_before"] == f["regime"]),
            statement="the label changed",
            what_to_do=_AGAIN,
        ),
        never(
            "stance_cause__given_for_a_change_of_stance",
            ("stance_cause", "stance", "stance_before"),
            lambda f, _: only_where(f["stance_cause"], f["stance"] != f["stance_before"]),
            statement="a change of stance has a cause, and nothing else has",
            what_to_do=_AGAIN,
        ),
        never(
            "component__given_with_its_thresholds",
            (*_BOTH_SCORED, "component", "thresholds_crossed"),
            lambda f, _: flag(
                (f["component"].notna() != f["compared_with_date"].notna())
                | (f["thresholds_crossed"].notna() != f["component"].notna())
            ),
            statement="a date of comparison comes with the thresholds passed and the component that did it",
            what_to_do=_AGAIN,
        ),
        never(
            "component__given_for_a_change_between_scored_states",
            (*_BOTH_SCORED, "component"),
            _without_component,
            statement="a change from one measured state to another names the component that did it",
            what_to_do=_AGAIN,
            severity="warning",
        ),
    )


def _missing_changes(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    regime = tables["regime"].sort_values("as_of_date")
    changed = (regime["regime"] != regime["regime"].shift()) & regime["regime"].shift().notna()
    return missing_before(frame["as_of_date"], regime.loc[changed, "as_of_date"])


def _without_component(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    moved = frame["condition_state"] != frame["condition_before"]
    scored = (frame["condition_state"] != "indeterminate") & (frame["condition_before"] != "indeterminate")
    return flag(frame["component"].isna(), judged=moved & scored)
