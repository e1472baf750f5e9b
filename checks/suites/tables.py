"""Rules of single tables beyond their declaration: continuity, plausibility across columns, leaks, names of series.

What a formula gives is not computed a second time here: the recomputation audit compares every table with the archive.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.compute.record import CELLS_OF
from checks.suites.measures import Tables, days_between, differs, flag, row_before, step_size, truth
from checks.suites.rules import Check, Measure, Rule, Severity

LARGEST_YIELD_STEP_PP = 3.0  # no two month-ends of the grid are that far apart
LARGEST_ASSETS_STEP = 0.75  # share of the level: in October 2008 assets rose by 62 percent
LARGEST_CORRELATION_STEP = 0.25
LARGEST_SCORE_STEP = 0.25  # since 1995 at most 0.12 in the sample, 0.22 on real figures (2020-03)
LARGEST_COVERAGE_FALL = 0.1  # less than the weight of the smallest block
PLAUSIBLE_PCT = {  # wider than anything since 1985, far tighter than the declared ranges
    "unemployment_rate_pct": (0.0, 30.0),
    "real_gdp_yoy_pct": (-20.0, 25.0),
    "core_pce_yoy_pct": (-5.0, 20.0),
    "cpi_yoy_pct": (-10.0, 25.0),
}
_LEAK = "Do not publish. Find the input whose realtime_start is after the date and how it was read."
_PUBLIC = "every figure was public on its date, and the day it became so is known"
_INPUTS = "Compare the evidence of the two rows: a real shock moves several components, a wrong figure one."
_RENAMED = (
    "A series was renamed: declare it in assets/catalog/series or correct the table that reads it; in row_corrections "
    "its former name stays."
)


def _step(
    column: str, largest: float, statement: str, what_to_do: str, measure: Measure | None = None
) -> Rule:
    """A warning where a figure moves further from one row to the next than history ever did."""
    return Rule(f"{column}__step", ("as_of_date", column), measure or (lambda f, _: step_size(f, column)),
        maximum=largest, severity="warning", check="continuity", statement=statement, what_to_do=what_to_do,
    )  # fmt: skip


def _not_after_its_date(value: str) -> Rule:
    """Of a table whose rows state the provenance of `value` themselves."""
    return _days_late("available_on__not_after_as_of", ("as_of_date", "available_on", value), _PUBLIC,
        lambda f, _: _days_after(f["available_on"], f["as_of_date"], f[value].notna()),
    )  # fmt: skip


def _series_known(severity: Severity = "critical", check: Check = "structure") -> Rule:
    return Rule("series_ids__in_catalogue", ("series_ids",), _unknown, maximum=0, severity=severity, check=check,
        statement="the series named are in the catalogue", what_to_do=_RENAMED,
    )  # fmt: skip


def _days_late(name: str, columns: tuple[str, ...], statement: str, measure: Measure) -> Rule:
    return Rule(name, columns, measure, maximum=0, check="leaks", statement=statement, what_to_do=_LEAK)


def _coverage_fall(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    fall = row_before(frame, "coverage") - frame["coverage"]
    return fall.where(frame["as_of_date"] == frame["as_of_date"].max())


def _days_after(known: pd.Series, limit: pd.Series, is_figure: pd.Series) -> pd.Series:
    """Days by which a figure is after the limit; infinite where a day is unknown: the audit fails closed."""
    return days_between(limit, known).fillna(np.inf).where(is_figure)


def _unknown(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    named, known = frame["series_ids"], set(load_catalog().series)
    strange = {ids for ids in named.dropna().unique() if not set(filter(None, ids.split(","))) <= known}
    return flag(named.isin(strange), named.notna())


def _walcl_too_early(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    first = pd.Timestamp(load_catalog().method.balance_sheet.first_change_date)
    return flag((frame["as_of_date"] < first) & truth(frame["balance_sheet_basis"] == "WALCL"))


def _back_from_tips(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    known = frame[frame["real_10y_basis"].notna()]
    is_back = truth(row_before(known, "real_10y_basis") == "tips") & (known["real_10y_basis"] != "tips")
    return is_back.astype("float64").reindex(frame.index)


def _not_its_cell(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    is_cell = frame["table_name"] == CELLS_OF
    is_named = frame["as_of_date"].notna() & frame["column_name"].notna()
    is_partly_named = frame["as_of_date"].notna() | frame["column_name"].notna()
    is_counted = frame["cells"].notna()
    return flag((is_cell & (~is_named | is_counted)) | (~is_cell & (is_partly_named | ~is_counted)))


def _leap(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    ends = {"bubble", "depression"}
    now, before = frame["condition_state"], row_before(frame, "condition_state")
    return flag(now.isin(ends) & before.isin(ends) & (now != before))


def _from_the_future(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    newest = tables["regime"]["as_of_date"].max()
    start, horizon = frame["spell_start_date"], frame["horizon_months"].astype("float64")
    months = (newest.year - start.dt.year) * 12 + newest.month - start.dt.month
    return flag(months < horizon, frame["return_pct"].notna())


_OWN_FILE = "Look at assets/compute/record.py."
RULES: Mapping[str, tuple[Rule, ...]] = {
    "real_yields": (
        Rule("real_10y_basis__never_back", ("as_of_date", "real_10y_basis"), _back_from_tips, maximum=0,
            statement="once the real yield is the TIPS yield it stays so",
            what_to_do="TIPS yields were lost from the archive, or the splice changed: compare DFII10 and FII10."),
        _step("nominal_10y_pct", LARGEST_YIELD_STEP_PP,
            "the nominal yield moves by no more than 3 percentage points between two rows",
            "Compare DGS10 and GS10 with the Board's H.15 page around these dates."),
    ),
    "credit_spreads": (
        Rule("baa_10y_pp__above_zero", ("baa_10y_pp",), minimum=0, severity="warning", check="continuity",
            statement="Baa bonds yield more than Treasuries",
            what_to_do="Compare BAA10Y and BAA10YM with Moody's yields: a sign or a unit may have turned."),
    ),
    "reserve_growth": (
        Rule("balance_sheet_basis__not_before_walcl", ("as_of_date", "balance_sheet_basis"), _walcl_too_early,
            maximum=0, statement="growth rests on WALCL only from its first 26-week change on",
            what_to_do="The archive holds WALCL before it existed: look at its first rows."),
        _step("fed_assets_usd_bn", LARGEST_ASSETS_STEP,
            "total assets change by no more than 75 percent between two rows",
            "Compare WALCL, TREAST and WSHOMCB with the Board's H.4.1: one of them may be in another unit.",
            lambda f, _: (f["fed_assets_usd_bn"] / row_before(f, "fed_assets_usd_bn") - 1.0).abs()),
    ),
    "activity_inflation": tuple(
        Rule(f"{column}__plausible", (column,), minimum=low, maximum=high, check="plausibility",
            statement=f"the figure is between {low:g} and {high:g} percent",
            what_to_do="Compare the series behind it with its publisher: a wrong unit or base shows like this.")
        for column, (low, high) in PLAUSIBLE_PCT.items()
    ),
    "money_and_rates": (
        Rule("correlation_start_date__never_later", ("as_of_date", "correlation_start_date"),
            lambda f, _: days_between(row_before(f, "correlation_start_date"), f["correlation_start_date"]), maximum=0,
            statement="the months known begin no later than on the row before",
            what_to_do="History was lost from the archive: compare the first figures of M2SL, TB3MS and CPIAUCSL."),
        _step("m2_real_rate_correlation_full", LARGEST_CORRELATION_STEP,
            "a correlation over all years moves little from one row to the next",
            "Look for a revision of M2SL or CPIAUCSL as a whole, or a wrong figure."),
    ),
    "relative_attractiveness": (_not_after_its_date("yield_pct"), _series_known()),
    "bubble_gauge": (_not_after_its_date("value"), _series_known()),
    "provenance": (
        _days_late("available_on__not_after_as_of", ("as_of_date", "available_on", "absent_reason"), _PUBLIC,
            lambda f, _: _days_after(f["available_on"], f["as_of_date"], f["absent_reason"].isna())),
        Rule("observation_date__where_a_figure_is", ("observation_date", "absent_reason"),
            lambda f, _: flag(f["observation_date"].notna() != f["absent_reason"].isna()), maximum=0,
            statement="a figure states the period it is about, an absence states its reason",
            what_to_do="Materialise the derived table again; if the rule fails again, its readings have changed."),
    ),
    "regime": (
        _step("bubble_score", LARGEST_SCORE_STEP, "the score moves by no more than 0.25 between two rows", _INPUTS),
        Rule("condition_state__no_leap", ("as_of_date", "condition_state"), _leap,
            maximum=0, severity="warning", check="continuity",
            statement="between a bubble and a depression lies a month of something else", what_to_do=_INPUTS),
        Rule("coverage__not_fallen", ("as_of_date", "coverage"), _coverage_fall,
            maximum=LARGEST_COVERAGE_FALL, severity="warning", check="continuity",
            statement="the newest row rests on no less than the one before",
            what_to_do="Look which component became absent, and why its series brought nothing."),
    ),
    "regime_evidence": (
        _not_after_its_date("value"),
        _series_known(),
        _days_late("observation_date__not_after_publication", ("observation_date", "value", "available_on"),
            "a figure is published after the period it is about begins",
            lambda f, _: _days_after(f["observation_date"], f["available_on"], f["value"].notna())),
    ),
    "late_figures": (
        Rule("realtime_start__not_after_as_of", ("as_of_date", "realtime_start"),
            lambda f, _: days_between(f["realtime_start"], f["as_of_date"]), minimum=0, check="leaks",
            statement="the figure was public on the date",
            what_to_do="A figure of the future is no late figure: look at the query in assets/warehouse/late.py."),
        Rule("captured_at__after_freezing", ("captured_at", "captured_until"),
            lambda f, _: flag(~(f["captured_at"] > f["captured_until"])), maximum=0, check="leaks",
            statement="the figure was captured after the row was frozen",
            what_to_do="A figure captured in time belongs in the row: look at the query in assets/warehouse/late.py."),
    ),
    "row_corrections": (
        Rule("column_name__a_cell_of_regime", ("table_name", "as_of_date", "column_name", "cells"), _not_its_cell,
            maximum=0, statement="a change of regime names its cell, a change of another table counts its cells",
            what_to_do=_OWN_FILE),
        Rule("value_after__differs_from_before", ("table_name", "value_before", "value_after"),
            lambda f, _: flag(differs(f["value_before"], f["value_after"]) == 0, f["table_name"] == CELLS_OF),
            maximum=0, statement="a corrected cell differs from its previous value", what_to_do=_OWN_FILE),
        Rule("first_date__not_after_last", ("first_date", "last_date"),
            lambda f, _: flag(f["first_date"] > f["last_date"]),
            maximum=0, statement="the first changed date is not after the last", what_to_do=_OWN_FILE),
        # its rows are permanent and keep the former name of a series
        _series_known(severity="warning", check="continuity"),
    ),
    "forward_returns_by_spell": (
        Rule("return_pct__not_from_the_future",
            ("spell_start_date", "horizon_months", "return_pct", "regime.as_of_date"), _from_the_future,
            maximum=0, check="leaks", statement="no return ends after the newest month-end",
            what_to_do="Do not publish. Look at assets/compute/diagnostics/returns.py."),
    ),
}  # fmt: skip
