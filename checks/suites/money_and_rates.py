"""Rules of `money_and_rates`: the rate is that of `real_yields`, the correlation is there once it can be.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, days_between, flag, row_before, step_size
from checks.suites.rules import Rule, identity, never, within

TABLE = "money_and_rates"
EXACT = 1e-9
LARGEST_STEP = 0.25  # of the full correlation, from one month to the next
ROLLING, FULL = "m2_real_rate_correlation_10y", "m2_real_rate_correlation_full"
_AGAIN = "Materialise derived/money_and_rates and derived/real_yields again: they come from different runs."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """The same rate as in `real_yields`, correlations present together, no jump."""
    return (
        identity(
            "real_short_rate_pct__as_in_real_yields",
            ("as_of_date", "real_short_rate_pct", "real_yields.real_short_rate_pct"),
            lambda f, t: (f["real_short_rate_pct"], beside(f, t, "real_yields.real_short_rate_pct")),
            tolerance=EXACT,
            statement="the real short rate is that of real_yields",
            what_to_do=_AGAIN,
        ),
        identity(
            "real_short_rate_pct__short_rate_less_cpi",
            ("real_short_rate_pct", "short_rate_pct", "cpi_yoy_pct"),
            lambda f, _: (f["real_short_rate_pct"], f["short_rate_pct"] - f["cpi_yoy_pct"]),
            tolerance=EXACT,
            statement="the real short rate is the short rate less CPI inflation, and there when both are",
            what_to_do=_AGAIN,
        ),
        never(
            f"{ROLLING}__only_with_the_full_one",
            (ROLLING, FULL),
            lambda f, _: flag(f[ROLLING].notna() & f[FULL].isna()),
            statement="where ten years give a correlation, all years do",
            what_to_do="The window reaches outside the months known: look at assets/compute/tables/money_and_rates.py.",
        ),
        within(
            "correlation_start_date__never_later",
            ("as_of_date", "correlation_start_date"),
            _start_moves_forward,
            maximum=0,
            statement="the months known begin no later than on the row before",
            what_to_do="History was lost from the archive: compare the first observations of M2SL, TB3MS and CPIAUCSL.",
        ),
        within(
            f"{FULL}__step",
            ("as_of_date", FULL),
            lambda f, _: step_size(f, FULL),
            maximum=LARGEST_STEP,
            severity="warning",
            statement="a correlation over all years moves little from one row to the next",
            what_to_do="Look for a revision of M2SL or CPIAUCSL as a whole, or a wrong figure.",
        ),
    )


def _start_moves_forward(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    return days_between(row_before(frame, "correlation_start_date"), frame["correlation_start_date"])
