"""Rules of `liquidity_destination`: counts follow from the changes, the decomposition adds up.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.method import Method
from assets.catalog.models import Catalog
from checks.suites.measures import beside, differs, distance, flag, truth
from checks.suites.rules import Rule, identity, never, within

TABLE = "liquidity_destination"
EXACT = 1e-9
HOT_WHEN_UP = (
    "equity_real_return_12m_pct", "earnings_multiple_change_12m_pct", "gold_less_core_inflation_12m_pp",
)  # fmt: skip
HOT_WHEN_DOWN = ("real_10y_change_12m_pp", "spread_change_12m_pp")
MOVES = (*HOT_WHEN_UP, *HOT_WHEN_DOWN)
_AGAIN = (
    "Materialise derived/liquidity_destination again; if it stays, assets/compute or method.toml has changed."
)


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Signals, the word they make, three months of yields, one core inflation for all tables."""
    method = catalog.method
    core, equity = "activity_inflation.core_pce_yoy_pct", "equity_risk_premium.is_equity_at_high"
    return (
        within(
            "asset_signals_known__counts_its_changes",
            ("asset_signals_known", *MOVES),
            lambda f, _: distance(f["asset_signals_known"], f[list(MOVES)].notna().sum(axis=1)),
            maximum=0,
            statement="it counts the five changes that are known",
            what_to_do=_AGAIN,
        ),
        within(
            "asset_signals_up__counts_its_changes",
            ("asset_signals_up", *MOVES),
            lambda f, _: distance(f["asset_signals_up"], _up(f)),
            maximum=0,
            statement="it counts the changes that say assets were bid up",
            what_to_do=_AGAIN,
        ),
        never(
            "destination__of_its_signals",
            (
                "destination", "asset_signals_up", "asset_signals_known", "core_pce_yoy_pct",
                "core_pce_yoy_change_12m_pp",
            ),
            lambda f, _: differs(f["destination"], _destination(f, method)),
            statement="the destination is the one its changes name",
            what_to_do=_AGAIN,
        ),
        identity(
            "nominal_10y_change_3m_pp__real_and_breakeven",
            ("nominal_10y_change_3m_pp", "real_10y_change_3m_pp", "breakeven_change_3m_pp"),
            lambda f, _: (
                f["nominal_10y_change_3m_pp"].where(f["breakeven_change_3m_pp"].notna()),
                f["real_10y_change_3m_pp"] + f["breakeven_change_3m_pp"],
            ),
            tolerance=EXACT,
            statement="the nominal yield moves by what the real yield and the breakeven move",
            what_to_do=_AGAIN,
        ),
        never(
            "bond_price_change_3m_pct__against_the_yield",
            ("bond_price_change_3m_pct", "nominal_10y_change_3m_pp"),
            lambda f, _: flag(
                f["bond_price_change_3m_pct"] * f["nominal_10y_change_3m_pp"] > 0,
                judged=f["bond_price_change_3m_pct"].notna(),
            ),
            statement="a bond's price falls when its yield rises",
            what_to_do=_AGAIN,
        ),
        identity(
            "core_pce_yoy_pct__as_in_activity_inflation",
            ("as_of_date", "core_pce_yoy_pct", core),
            lambda f, t: (f["core_pce_yoy_pct"], beside(f, t, core)),
            tolerance=EXACT,
            statement="core inflation is that of activity_inflation",
            what_to_do="The two tables come from different runs: materialise both again.",
        ),
        never(
            "is_equity_at_high__as_in_equity_risk_premium",
            ("as_of_date", "is_equity_at_high", equity),
            lambda f, t: differs(f["is_equity_at_high"], beside(f, t, equity)),
            statement="a record high is one in equity_risk_premium too",
            what_to_do="The two tables come from different runs: materialise both again.",
        ),
    )  # fmt: skip


def _up(frame: pd.DataFrame) -> pd.Series:
    return (frame[list(HOT_WHEN_UP)] > 0).sum(axis=1) + (frame[list(HOT_WHEN_DOWN)] < 0).sum(axis=1)


def _destination(frame: pd.DataFrame, method: Method) -> pd.Series:
    core, change = frame["core_pce_yoy_pct"], frame["core_pce_yoy_change_12m_pp"]
    assets = truth(frame["asset_signals_up"] > frame["asset_signals_known"] / 2)
    goods = truth((core >= method.verdict.inflation_target_pct) & (change >= 0))
    named = np.select([assets & goods, assets, goods], ["both", "asset_prices", "goods"], "neither")
    enough = truth(frame["asset_signals_known"] >= method.destination.signals_needed)
    return pd.Series(named, frame.index, dtype=object).where(enough & core.notna() & change.notna())
