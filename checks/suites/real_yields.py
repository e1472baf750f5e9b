"""Rules of `real_yields`: a real yield is a nominal one less what is said to be taken off it.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, differs, distance, row_before, step_size, truth
from checks.suites.rules import Rule, identity, never, within

TABLE = "real_yields"
EXACT = 1e-9  # percentage points: the same subtraction, done again
LARGEST_STEP_PP = (
    3.0  # the 10-year yield has not moved this much between two month-ends since the grid begins
)
TIPS, BEFORE_TIPS = "tips", "nominal_less_expected_inflation"
_RECOMPUTE = "Materialise derived/real_yields again; if it stays, the formula in assets/compute has changed."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Identities between the yields, what their basis says, and steps too large to be true."""
    return (
        identity(
            "breakeven_10y_pp__nominal_less_tips",
            ("breakeven_10y_pp", "nominal_10y_pct", "tips_10y_pct"),
            lambda f, _: (f["breakeven_10y_pp"], f["nominal_10y_pct"] - f["tips_10y_pct"]),
            tolerance=EXACT,
            statement="the breakeven is the nominal yield less the TIPS yield, and there when both are",
            what_to_do=_RECOMPUTE,
        ),
        identity(
            "real_short_rate_pct__short_rate_less_cpi",
            ("real_short_rate_pct", "short_rate_pct", "cpi_yoy_pct"),
            lambda f, _: (f["real_short_rate_pct"], f["short_rate_pct"] - f["cpi_yoy_pct"]),
            tolerance=EXACT,
            statement="the real short rate is the short rate less CPI inflation, and there when both are",
            what_to_do=_RECOMPUTE,
        ),
        within(
            "real_10y_pct__as_its_basis_says",
            (
                "real_10y_pct",
                "real_10y_basis",
                "tips_10y_pct",
                "nominal_10y_pct",
                "expected_inflation_10y_pct",
            ),
            _from_basis,
            maximum=EXACT,
            statement="the real yield is the TIPS yield, or nominal less expected inflation, as its basis says",
            what_to_do=_RECOMPUTE,
        ),
        never(
            "real_10y_basis__never_back",
            ("as_of_date", "real_10y_basis"),
            _back_from_tips,
            statement="once the real yield is the TIPS yield it stays so",
            what_to_do="TIPS yields were lost from the archive, or the splice changed: compare DFII10 and FII10.",
        ),
        within(
            "nominal_10y_pct__step",
            ("as_of_date", "nominal_10y_pct"),
            lambda f, _: step_size(f, "nominal_10y_pct"),
            maximum=LARGEST_STEP_PP,
            severity="warning",
            statement="the nominal yield moves by no more than 3 percentage points between two rows",
            what_to_do="Compare DGS10 and GS10 with the Board's H.15 page around these dates.",
        ),
    )


def _from_basis(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    basis = frame["real_10y_basis"]
    before = (frame["nominal_10y_pct"] - frame["expected_inflation_10y_pct"]).where(
        truth(basis == BEFORE_TIPS)
    )
    return distance(frame["real_10y_pct"], frame["tips_10y_pct"].where(truth(basis == TIPS), before))


def _back_from_tips(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    known = frame[frame["real_10y_basis"].notna()]
    before = row_before(known, "real_10y_basis")
    is_back = truth(before == TIPS) & (differs(known["real_10y_basis"], before) > 0)
    return is_back.astype("float64").reindex(frame.index)
