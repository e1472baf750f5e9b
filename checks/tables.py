"""The rules of tables: those each has by its catalogue entry (ranges, values, dates, no later figure), and its own.

Types, keys and NOT NULL are the business of the warehouse's DDL, which refuses such a write; the published file has its
own audit of them (`audits/of_release.py`). What a formula gives is not computed a second time here: the recomputation
audit compares every table with the archive.
"""

import datetime as dt
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Column, Table
from assets.compute.grid import build_grid
from assets.compute.record import CELLS_OF
from checks.rules import (
    Check,
    Measure,
    Rule,
    Severity,
    Suite,
    Tables,
    days_between,
    differs,
    flag,
    missing_before,
    row_before,
    step_size,
    truth,
)

PROVENANCE = "provenance"
_NUMBERS = ("DOUBLE", "INTEGER", "BIGINT")
_READ = ("table_name", "column_name", "as_of_date", "available_on")


def checked_tables(catalog: Catalog) -> tuple[str, ...]:
    """Tables of the published file whose rows are checked: all that are computed, and what publishing adds."""
    return tuple(table.name for table in catalog.tables.values() if table.layer in ("derived", "regime"))


def suite_of(table: str, catalog: Catalog, as_of: dt.date) -> Suite:
    """All rules of a table for a run as of `as_of`."""
    declared = catalog.tables[table]
    rules = (*structural_rules(declared, as_of, catalog.method.grid.start), *RULES.get(table, ()))
    return Suite(table, declared.key, rules)


def structural_rules(table: Table, as_of: dt.date, grid_start: dt.date) -> Iterator[Rule]:
    """Rules of the table as declared; `as_of` is the run date, `grid_start` the first month-end of the grid."""
    if not table.may_be_empty:
        yield Rule("table__not_empty", (), lambda frame, _: flag(pd.Series([frame.empty])), maximum=0, of_table=True,
            statement="there is at least one row",
            what_to_do=f"Materialise {table.layer}/{table.name} again and read its log: nothing was written.",
        )  # fmt: skip
    for column in table.columns:
        yield from _column_rules(table, column)
    if "is_month_end" in table.column_names:
        yield Rule("is_month_end__by_its_date", ("as_of_date", "is_month_end"),
            lambda f, _: differs(f["is_month_end"], f["as_of_date"].dt.is_month_end),
            maximum=0, statement="a row is called a month-end when its date is the last of a month",
            what_to_do="Materialise the table again: the grid sets this column.",
        )  # fmt: skip
    if "as_of_date" in table.column_names and not table.kept:
        yield Rule("as_of_date__not_after_run", ("as_of_date",),
            lambda f, _: days_between(pd.Series(pd.Timestamp(as_of), f.index), f["as_of_date"]), maximum=0,
            statement=f"no row is dated after the run ({as_of})",
            what_to_do="Rows of a later run are in the way: check REGIME_AS_OF and the clock, then materialise again.",
        )  # fmt: skip
    if table.key == ("as_of_date",) and not table.sparse:
        yield from _grid(as_of, grid_start)
    if table.has_provenance:
        yield _not_of_the_future(table.name)


def _column_rules(table: Table, column: Column) -> Iterator[Rule]:
    name, file = column.name, f"assets/catalog/tables/{table.name}.toml"
    if column.values is not None:
        yield Rule(f"{name}__allowed_values", (name,), allowed=column.values,
            statement="the value is one the catalogue lists",
            what_to_do=f"A new value is declared in {file} before it is written; else the computation is wrong.",
        )  # fmt: skip
    if column.type in _NUMBERS and (column.minimum, column.maximum) != (None, None):
        yield Rule(f"{name}__in_range", (name,), minimum=column.minimum, maximum=column.maximum,
            check="plausibility", statement=f"the value is within the declared range ({column.unit})",
            what_to_do=f"Look at the figures behind these rows first; correct the range in {file} only if they are "
            "right.",
        )  # fmt: skip


def _grid(as_of: dt.date, start: dt.date) -> Iterator[Rule]:
    dates = build_grid(np.datetime64(start, "D"), np.datetime64(as_of, "D")).as_of
    grid = pd.Series(dates.astype("datetime64[s]"))
    yield Rule("as_of_date__on_grid", ("as_of_date",), lambda f, _: flag(~f["as_of_date"].isin(grid)),
        maximum=0, statement="every row is a month-end or the run date",
        what_to_do="A row of an earlier run date was left behind: the table must be replaced, not appended to.",
    )  # fmt: skip
    yield Rule("as_of_date__no_gap", ("as_of_date",), lambda f, _: missing_before(f["as_of_date"], grid),
        maximum=0, statement=f"no month-end is missing from {start} to {as_of}",
        what_to_do="Materialise the table again; if a month stays away, look at the grid the asset was given.",
    )  # fmt: skip


def _not_of_the_future(table: str) -> Rule:
    """The leak audit built on `provenance`. It fails closed: a figure without a day of publication counts as leaked."""

    def days_late(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        known = tables[PROVENANCE]
        known = known[known["table_name"] == table].drop_duplicates(["column_name", "as_of_date"])
        if known.empty:
            return pd.Series(np.inf, frame.index)
        wide = known.pivot(index="as_of_date", columns="column_name", values="available_on")
        wide = wide.reindex(frame["as_of_date"]).set_axis(frame.index)
        columns = [name for name in wide.columns if name in frame]
        late = [days_between(frame["as_of_date"], wide[name]).fillna(np.inf) for name in columns]
        known_late = [number.where(frame[name].notna()) for name, number in zip(columns, late, strict=True)]
        return pd.concat(known_late, axis=1).max(axis=1)

    columns = ("as_of_date", *(f"{PROVENANCE}.{name}" for name in _READ))
    return Rule("table__no_figure_of_the_future", columns, days_late, maximum=0, check="leaks",
        statement="every figure of a row was public on its date, and the day it became so is known",
        what_to_do="Do not publish. Find the column in provenance: its input was read past the date.",
    )  # fmt: skip


# ---- rules of single tables: continuity, plausibility across columns, leaks, names of series

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
