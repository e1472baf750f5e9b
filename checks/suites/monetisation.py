"""Rules of `monetisation`: shares of the debt's own year, and the band they fall into.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.method import Method, Monetisation
from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, differs, flag, truth
from checks.suites.rules import Rule, identity, never

TABLE = "monetisation"
EXACT = 1e-9
BOUGHT, DEBT, DEFICIT = (
    "treasuries_bought_12m_usd_bn",
    "debt_change_12m_usd_bn",
    "deficit_to_quarter_end_usd_bn",
)
SHARE, OF_DEFICIT = "monetisation_share_pct", "monetisation_share_of_deficit_pct"
THREE = (
    "reserve_growth.balance_sheet_impulse_pct_gdp", "real_yields.policy_rate_change_6m_pp",
    "fiscal_and_debt.deficit_12m_pct_gdp",
)  # fmt: skip
_AGAIN = "Materialise derived/monetisation again; if it stays, assets/compute or method.toml has changed."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Shares, the distortion of the denominator, the band, the quarter they are about."""
    limits = catalog.method.monetisation
    return (
        _share(SHARE, DEBT),
        _share(OF_DEFICIT, DEFICIT),
        never(
            "is_denominator_distorted__by_debt_over_deficit",
            ("is_denominator_distorted", DEBT, DEFICIT),
            lambda f, _: differs(f["is_denominator_distorted"], _distorted(f, limits)),
            statement="the denominator is distorted when the change of debt is far from the deficit",
            what_to_do=_AGAIN,
        ),
        never(
            "monetisation_band__of_its_share",
            (
                "monetisation_band", "is_denominator_distorted", "deficit_to_quarter_end_pct_gdp", SHARE, OF_DEFICIT,
            ),
            lambda f, _: differs(f["monetisation_band"], _band(f, limits)),
            statement="the band is the one its share falls into",
            what_to_do=_AGAIN,
        ),
        never(
            "is_coordinated__of_the_three",
            ("as_of_date", "is_coordinated", *THREE),
            lambda f, t: differs(f["is_coordinated"], _coordinated(f, t, catalog.method)),
            statement="the balance sheet grows, the rate is cut and the deficit is large, all three",
            what_to_do="The tables come from different runs: materialise all of derived again.",
        ),
        never(
            "debt_quarter_end_date__a_past_quarter_end",
            ("as_of_date", "debt_quarter_end_date"),
            lambda f, _: flag(
                ~f["debt_quarter_end_date"].dt.is_quarter_end | (f["debt_quarter_end_date"] > f["as_of_date"]),
                judged=f["debt_quarter_end_date"].notna(),
            ),
            statement="the debt is that of a quarter that has ended",
            what_to_do="Look at the stamps of FYGFDPUN in the archive: a quarter is stamped on its first day.",
        ),
    )  # fmt: skip


def _coordinated(frame: pd.DataFrame, tables: Tables, method: Method) -> pd.Series:
    limits = method.monetisation
    impulse, change, deficit = (beside(frame, tables, name) for name in THREE)
    cut = change.round(9) <= -method.stance.rate_change_pp
    together = (
        (impulse >= limits.coordination_impulse_pct_gdp)
        & cut
        & (deficit >= limits.coordination_deficit_pct_gdp)
    )
    known = impulse.notna() & change.notna() & deficit.notna()
    return together.astype("boolean").where(known)


def _share(column: str, whole: str) -> Rule:
    return identity(
        f"{column}__bought_over_whole",
        (column, BOUGHT, whole),
        lambda f, _: (f[column], (100.0 * f[BOUGHT] / f[whole]).replace([np.inf, -np.inf], np.nan)),
        tolerance=EXACT,
        statement=f"the share is what the Fed bought over {whole}",
        what_to_do=_AGAIN,
    )


def _distorted(frame: pd.DataFrame, limits: Monetisation) -> pd.Series:
    ratio = frame[DEBT] / frame[DEFICIT]
    outside = (ratio < limits.distortion_low) | (ratio > limits.distortion_high)
    return outside.astype("boolean").mask(~np.isfinite(ratio))


def _band(frame: pd.DataFrame, limits: Monetisation) -> pd.Series:
    share = frame[SHARE].mask(truth(frame["is_denominator_distorted"]), frame[OF_DEFICIT])
    deficit = frame["deficit_to_quarter_end_pct_gdp"]
    named = pd.Series("none", frame.index, dtype=object)
    named = named.mask(share >= limits.building_from_pct, "building").mask(
        share >= limits.active_from_pct, "active"
    )
    named = named.mask(share >= limits.dominant_from_pct, "dominant")
    named = named.mask(deficit < limits.minimum_deficit_pct_gdp, "not_applicable")
    return named.mask(share.isna() | deficit.isna())
