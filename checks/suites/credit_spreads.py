"""Rules of `credit_spreads`: ranks need a history, the family is the mean of the ranks present.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from assets.compute.tables.credit_spreads import FAMILY
from checks.suites.measures import Tables, flag, truth
from checks.suites.rules import Rule, identity, never, within

TABLE = "credit_spreads"
SPREADS = (*FAMILY, "ig_oas_pct")
EXACT = 1e-12
_AGAIN = (
    "Materialise derived/credit_spreads again; if it stays, the percentile in assets/compute has changed."
)


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """When a rank may exist and from when it counts, the family's mean, spreads that pay something."""
    family = tuple(f"{name}_rank" for name in FAMILY)
    return (
        *(_enough_history(name, catalog.method.percentile.minimum_history) for name in SPREADS),
        *(_window(name) for name in SPREADS),
        identity(
            "spread_family_rank__mean_of_present",
            ("spread_family_rank", *family),
            lambda f, _: (f["spread_family_rank"], f[list(family)].mean(axis=1)),
            tolerance=EXACT,
            statement="the family's rank is the mean of the ranks present",
            what_to_do=_AGAIN,
        ),
        never(
            "is_spread_missing__when_no_rank",
            ("is_spread_missing", "spread_family_rank"),
            lambda f, _: flag(truth(f["is_spread_missing"]) != f["spread_family_rank"].isna()),
            statement="a spread is called missing exactly when the family has no rank",
            what_to_do=_AGAIN,
        ),
        within(
            "baa_10y_pp__above_zero",
            ("baa_10y_pp",),
            minimum=0,
            severity="warning",
            statement="Baa bonds yield more than Treasuries",
            what_to_do="Compare BAA10Y and BAA10YM with Moody's yields: a sign or a unit may have turned.",
        ),
    )


def _enough_history(name: str, minimum: int) -> Rule:
    def rank_without_history(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        ordered = frame.sort_values("as_of_date")
        known, is_month_end = ordered[name].notna(), truth(ordered["is_month_end"])
        count = (known & is_month_end).cumsum() + (known & ~is_month_end)
        return flag(ordered[f"{name}_rank"].notna() != (known & (count >= minimum))).reindex(frame.index)

    return never(
        f"{name}_rank__from_{minimum}_values",
        ("as_of_date", "is_month_end", name, f"{name}_rank"),
        rank_without_history,
        statement=f"there is a rank exactly where there is a value and {minimum} of them up to then",
        what_to_do=_AGAIN,
    )


def _window(name: str) -> Rule:
    column = f"{name}_window_start_date"

    def another_start(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        first = frame["as_of_date"].where(frame[name].notna()).min()
        started = frame["as_of_date"] >= first
        return flag(truth(frame[column] == first) != started) + flag(frame[column].notna() & ~started)

    return never(
        f"{column}__first_value",
        ("as_of_date", name, column),
        another_start,
        statement="the window of the rank starts on the first date with a value",
        what_to_do=_AGAIN,
    )
