"""Rules of `relative_attractiveness`: the post's arithmetic, done again from other tables.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside
from checks.suites.provenance_in_rows import provenance_rules
from checks.suites.rules import Rule, identity

TABLE = "relative_attractiveness"
EXACT = 1e-9
HURDLE = "price_change_to_match_10y_pp"
NOMINAL_10Y, BREAKEVEN = "real_yields.nominal_10y_pct", "real_yields.breakeven_10y_pp"
_AGAIN = "Materialise derived/relative_attractiveness and derived/real_yields again: they come from different runs."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Hurdles of gold and TIPS, what inflation leaves, provenance."""
    scenarios = catalog.method.attractiveness.inflation_scenarios_pct
    return (
        _of_asset(
            "gold",
            f"{HURDLE}__gold_is_the_nominal_10y",
            (HURDLE, NOMINAL_10Y),
            lambda f, t: (f[HURDLE], beside(f, t, NOMINAL_10Y)),
            "what gold must gain to match the 10-year Treasury is the 10-year yield",
        ),
        _of_asset(
            "tips_10y",
            f"{HURDLE}__tips_is_the_breakeven",
            (HURDLE, BREAKEVEN),
            lambda f, t: (f[HURDLE], beside(f, t, BREAKEVEN)),
            "what inflation must be for TIPS to match the 10-year Treasury is the breakeven",
        ),
        *(rule for i in scenarios for rule in _scenario(i)),
        *provenance_rules(catalog, "yield_pct", "asset"),
    )


def _scenario(inflation: float) -> tuple[Rule, ...]:
    left = f"real_return_at_{inflation:g}pct_inflation_pct"
    needed = f"price_rise_needed_at_{inflation:g}pct_inflation_pct"
    return (
        _of_asset(
            ("treasury_10y", "cash"),
            f"{left}__yield_less_inflation",
            (left, "yield_pct"),
            lambda f, _: (f[left], f["yield_pct"] - inflation),
            f"at {inflation:g} percent inflation a nominal yield leaves the yield less that",
        ),
        _of_asset(
            ("gold", "equities"),
            f"{needed}__inflation_less_yield",
            (needed, "yield_pct"),
            lambda f, _: (f[needed], inflation - f["yield_pct"]),
            f"at {inflation:g} percent inflation the price must rise by that less the yield",
        ),
    )


def _of_asset(
    asset: str | tuple[str, ...],
    name: str,
    columns: tuple[str, ...],
    pair: Callable[[pd.DataFrame, Tables], tuple[pd.Series, pd.Series]],
    statement: str,
) -> Rule:
    """An identity of the rows of some assets only."""
    names = (asset,) if isinstance(asset, str) else asset

    def of_those(frame: pd.DataFrame, tables: Tables) -> tuple[pd.Series, pd.Series]:
        actual, expected = pair(frame, tables)
        concerned = frame["asset"].isin(names)
        return actual.where(concerned), expected.where(concerned)

    return identity(
        name,
        ("as_of_date", "asset", *columns),
        of_those,
        tolerance=EXACT,
        statement=statement,
        what_to_do=_AGAIN,
    )
