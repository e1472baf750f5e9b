"""The checked tables, and the rules every table has by its catalogue entry: ranges, values, dates, no later figure.

Types, keys and NOT NULL are the business of the warehouse's DDL, which refuses such a write; the published file has its
own audit of them (`audits/of_release.py`).
"""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Column, Table
from assets.compute.grid import build_grid
from checks.suites.measures import Tables, days_between, differs, flag, missing_before
from checks.suites.rules import Rule, Suite
from checks.suites.tables import RULES

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
