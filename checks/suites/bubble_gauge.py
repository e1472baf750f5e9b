"""Rules of `bubble_gauge`: all six criteria on every date, heat that follows from the rank, nothing made up.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import beside, distance, flag, once_per
from checks.suites.provenance_in_rows import provenance_rules
from checks.suites.rules import Rule, never, within

TABLE = "bubble_gauge"
EXACT = 1e-12
EARNINGS = "equity_risk_premium.earnings_yield_pct"
CRITERIA = 6
_AGAIN = (
    "Materialise derived/bubble_gauge again; if it stays, assets/compute/tables/bubble_gauge.py has changed."
)


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Criteria, heat, what an absent measure may still hold, the earnings yield of the other table, provenance."""
    return (
        never(
            "criterion__all_six_on_every_date",
            ("as_of_date", "criterion"),
            lambda f, _: once_per(
                f,
                ["as_of_date"],
                flag(f.groupby("as_of_date")["criterion"].transform("nunique") != CRITERIA),
            ),
            statement="every date has all six criteria, absent ones included",
            what_to_do=_AGAIN,
        ),
        within(
            "heat__of_its_percentile",
            ("heat", "percentile", "hot_when"),
            lambda f, _: distance(
                f["heat"], f["percentile"].where(f["hot_when"] == "high", 1 - f["percentile"])
            ),
            maximum=EXACT,
            statement="heat is the percentile, or one less it where low is hot",
            what_to_do=_AGAIN,
        ),
        never(
            "value__absent_has_no_rank",
            ("value", "percentile"),
            lambda f, _: flag(f["percentile"].notna(), judged=f["value"].isna()),
            statement="an absent measure has no rank: absent is not neutral",
            what_to_do=_AGAIN,
        ),
        within(
            "value__earnings_yield_as_in_its_table",
            ("as_of_date", "measure", "value", EARNINGS),
            lambda f, t: distance(f["value"], beside(f, t, EARNINGS)).where(_is(f, "earnings_yield")),
            maximum=EXACT,
            statement="the earnings yield is that of equity_risk_premium",
            what_to_do="The two tables come from different runs: materialise both again.",
        ),
        *provenance_rules(catalog, "value", "measure"),
    )


def _is(frame: pd.DataFrame, measure: str) -> pd.Series:
    return frame["measure"] == measure
