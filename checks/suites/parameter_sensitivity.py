"""Rules of `parameter_sensitivity`: every scored date, every parameter once, ranked.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, flag, missing_before, once_per, truth
from checks.suites.rules import Rule, never

TABLE = "parameter_sensitivity"
_TOGETHER = "Materialise regime/regime again: its tables come from different runs."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Complete, ranked, and at rest where every parameter set agrees."""
    return (
        never(
            "as_of_date__every_scored_date",
            ("as_of_date", "regime.as_of_date", "regime.bubble_score"),
            _missing_dates,
            statement="every date with a score is there",
            what_to_do=_TOGETHER,
        ),
        never(
            "importance__ranks_the_shares",
            ("as_of_date", "importance", "disagreement_share"),
            _out_of_rank,
            statement="a parameter of smaller importance has no larger share",
            what_to_do="Look at assets/compute/diagnostics/sensitivity.py.",
        ),
        never(
            "disagreement_share__zero_in_full_agreement",
            ("as_of_date", "disagreement_share", "regime.agreement"),
            _moves_in_agreement,
            statement="where all parameter sets agree, no parameter changes anything",
            what_to_do=_TOGETHER,
        ),
    )


def _missing_dates(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    regime = tables["regime"]
    return missing_before(frame["as_of_date"], regime.loc[regime["bubble_score"].notna(), "as_of_date"])


def _out_of_rank(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    ranked = frame.sort_values(["as_of_date", "importance"])
    rises = ranked.groupby("as_of_date")["disagreement_share"].diff() > 1e-12
    return flag(rises.reindex(frame.index))


def _moves_in_agreement(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    regime = tables["regime"].set_index("as_of_date")["agreement"]
    agreed = frame["as_of_date"].map(regime) == 1.0
    largest = frame.groupby("as_of_date")["disagreement_share"].transform("max")
    return once_per(frame, ["as_of_date"], flag(largest > 0, judged=truth(agreed)))
