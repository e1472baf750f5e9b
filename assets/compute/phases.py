"""`qe_phases`: one row per start of purchases, the post's day and the run date."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from assets.catalog.method import Verdict
from assets.catalog.models import PolicyEvent
from assets.compute.calendar import NAT, Days, days, last_month_end, month_end_after, value_on
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Floats, Texts, texts
from assets.compute.regime import Regime, build_regime
from assets.compute.tables.assemble import DerivedTable, provenance_of, readings_of
from assets.compute.tables.build import BUILDERS

QE_START, POST, TODAY = "qe_start", "post", "today"
HOT, COLD, BETWEEN = "hot", "cold", "between"
TABLE = "qe_phases"
CONDITIONS = ("valuation", "economy", "inflation", "credit")
EQUITY, PRICE_COLUMNS = "equity_risk_premium", ("equity_price_basis", "equity_price_date")
CORE, CORE_CHANGE = "core_pce_yoy_pct", "core_pce_yoy_change_6m_pp"
FIGURES = {  # shown next to the verdicts, by the table they come from
    EQUITY: (
        "earnings_yield_pct", "erp_vs_nominal_10y_pp", "erp_vs_real_10y_pp", "equity_value_pct_gdp", "cape",
        "equity_drawdown_pct", "equity_return_12m_pct",
    ),
    "real_yields": ("nominal_10y_pct", "real_10y_pct", "policy_rate_pct"),
    "activity_inflation": (
        "unemployment_rate_pct", "real_gdp_yoy_pct", "sahm_gap_pp", CORE, CORE_CHANGE, "cpi_yoy_pct",
    ),
    "credit_spreads": ("ebp_pp", "gz_spread_pp", "baa_10y_pp", "hy_oas_pct", "hqm_10y_spread_pp", "nfci_index"),
    "reserve_growth": ("real_bank_credit_yoy_pct", "fed_assets_pct_gdp"),
    "fiscal_and_debt": ("deficit_12m_pct_gdp", "bill_share_pct"),
}  # fmt: skip


def build_phases(known: View, regime: pd.DataFrame) -> DerivedTable:
    """Table and provenance. `regime`: label, state and score of every date of the view, in its order.

    Figures and scores are as known on the day itself: its ranks are taken among the month-ends before it and itself, as
    for a run date inside a month. States are those of month-ends.
    """
    catalog, grid, rules = known.catalog, known.grid, known.method.qe_phases
    phases = phases_until(grid.as_of[-1], known.events, rules.post_published_on)
    day = days(phases["as_of_date"].to_numpy())
    before, after = last_month_end(day), month_end_after(day, rules.months_after)
    extended = Grid(np.union1d(grid.as_of, day))
    view = replace(known, as_of=extended.as_of)
    columns = {table: BUILDERS[table](view) for table in FIGURES}
    readings = readings_of(columns)
    shown = {name: readings[f"{table}.{name}"] for table, names in FIGURES.items() for name in names}
    on_day = build_regime(readings, extended, catalog)
    at = np.searchsorted(extended.as_of, day)
    frame = pd.DataFrame(
        {
            **phases,
            **_of_regime(regime, grid, before, "before"),
            **_of_regime(regime, grid, after, "after"),
            "bubble_score": on_day.bubble_score[at],
            **_of_conditions(on_day, day, ""),
            **_of_conditions(on_day, after, "_after"),
            **{name: reading.value[at] for name, reading in shown.items()},
            **{name: np.asarray(columns[EQUITY][name])[at] for name in PRICE_COLUMNS},
        }
    )
    provenance = [
        provenance_of(TABLE, name, extended, reading).iloc[np.unique(at)] for name, reading in shown.items()
    ]
    return DerivedTable(frame, pd.concat(provenance, ignore_index=True))


def phases_until(
    run_date: np.datetime64, events: Sequence[PolicyEvent], post_published_on: dt.date
) -> pd.DataFrame:
    """Every start of purchases announced by the run date, the post's day if it is past, and the run date last."""
    rows = [(e.announced_on, e.starts_phase, QE_START, e.what) for e in events if e.starts_phase is not None]
    rows.append((post_published_on, POST, POST, "The day the post speaks for"))
    past = sorted((row for row in rows if row[0] <= run_date), key=lambda row: row[0])
    today = (run_date.astype(dt.date), TODAY, TODAY, "The run date")
    frame = pd.DataFrame([*past, today], columns=["as_of_date", "phase", "kind", "title"])
    return frame.astype({"as_of_date": "datetime64[s]"})


def verdict(value: Floats, hot_from: float, cold_to: float) -> Texts:
    """hot at or above one limit, cold at or below the other, between; None without a value."""
    named = np.select([value >= hot_from, value <= cold_to], [HOT, COLD], BETWEEN)
    return texts(~np.isnan(value), named)


def verdicts(
    scores: Mapping[str, Floats], core_pce_pct: Floats, change_pp: Floats, limits: Verdict
) -> dict[str, Texts]:
    """Verdict of each of the four conditions."""
    return {
        "valuation": verdict(scores["valuation"], limits.valuation_hot, limits.valuation_cold),
        "economy": verdict(scores["economy"], limits.economy_hot, limits.economy_cold),
        "inflation": inflation_verdict(core_pce_pct, change_pp, limits),
        "credit": verdict(scores["credit"], limits.credit_hot, limits.credit_cold),
    }


def inflation_verdict(core_pce_pct: Floats, change_pp: Floats, rules: Verdict) -> Texts:
    """cold below the target or when it has fallen by enough over the window, else hot; None without a figure.

    Where the earlier figures for the change are absent, the level alone decides.
    """
    fell = np.round(change_pp, 9) <= -rules.inflation_fall_pp
    named = np.where((core_pce_pct < rules.inflation_target_pct) | fell, COLD, HOT)
    return texts(~np.isnan(core_pce_pct), named)


def _of_conditions(regime: Regime, days: Days, suffix: str) -> dict[str, object]:
    """Score and verdict of each condition on some days, and how many of the four are hot and cold."""
    as_of, readings = regime.grid.as_of, regime.readings
    core, change = (
        value_on(as_of, readings[f"activity_inflation.{c}"].value, days) for c in (CORE, CORE_CHANGE)
    )
    score = {name: value_on(as_of, regime.conditions[name].score, days) for name in CONDITIONS}
    found = verdicts(score, core, change, regime.catalog.method.verdict)
    come = np.isin(days, as_of)
    count = {
        named: pd.Series(sum(verdict_ == named for verdict_ in found.values())).astype("Int64").where(come)
        for named in (HOT, COLD)
    }
    return {
        **{f"{name}_score{suffix}": score[name] for name in CONDITIONS},
        **{f"{name}_verdict{suffix}": found[name] for name in CONDITIONS},
        **{f"{named}_conditions{suffix}": of_named for named, of_named in count.items()},
    }


def _of_regime(regime: pd.DataFrame, grid: Grid, dates: Days, suffix: str) -> dict[str, object]:
    """Label, state and score of the regime on month-ends; empty where they have not come."""
    come = np.isin(dates, grid.as_of)
    at = np.minimum(np.searchsorted(grid.as_of, dates), len(grid) - 1)
    return {
        f"date_{suffix}": np.where(come, dates, NAT).astype("datetime64[s]"),
        **{
            f"{name}_{suffix}": texts(come, regime[name].to_numpy(dtype=object)[at])
            for name in ("regime", "condition_state")
        },
        f"bubble_score_{suffix}": np.where(
            come, regime["bubble_score"].to_numpy(dtype="float64")[at], np.nan
        ),
    }
