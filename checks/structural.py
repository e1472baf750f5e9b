"""The rules every table has, generated from its catalogue entry.

Belongs here: columns, types, key, missing values, ranges, listed values, dates of the grid.
Does not belong here: judgement (`checks/suites`), the declarations themselves (`assets/catalog/tables`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from assets.catalog.models import Column, Table
from assets.compute.grid import build_grid
from checks.suites.measures import Tables, days_between, differs, flag, missing_before
from checks.suites.rules import BETWEEN, IN_SET, LARGEST, NOT_NULL, Rule, never, within
from checks.suites.types import NUMBERS


def structural_rules(table: Table, as_of: dt.date, grid_start: dt.date) -> tuple[Rule, ...]:
    """Rules of the table as declared; `as_of` is the run date, `grid_start` the first month-end of the grid."""
    rules = [_columns(table), _unique_key(table)]
    if not table.may_be_empty:
        rules.append(_not_empty(table))
    for column in table.columns:
        rules += _column_rules(table, column)
    if "is_month_end" in table.column_names:
        rules.append(_month_end())
    if "as_of_date" in table.column_names and not table.kept:
        rules.append(_not_after_run(as_of))
    if table.key == ("as_of_date",) and not table.sparse:
        rules += _grid(as_of, grid_start)
    return tuple(rules)


def _columns(table: Table) -> Rule:
    return Rule(
        "table__columns_in_order",
        "critical",
        "ExpectTableColumnsToMatchOrderedList",
        {"column_list": list(table.column_names)},
        "the columns are those of the catalogue, in its order",
        f"Write the table as declared; a new column belongs in assets/catalog/tables/{table.name}.toml first.",
    )


def _not_empty(table: Table) -> Rule:
    return Rule(
        "table__not_empty",
        "critical",
        "ExpectTableRowCountToBeBetween",
        {"min_value": 1},
        "there is at least one row",
        f"Materialise {table.layer}/{table.name} again and read its log: nothing was written.",
    )


def _unique_key(table: Table) -> Rule:
    one = len(table.key) == 1
    return Rule(
        "key__unique",
        "critical",
        "ExpectColumnValuesToBeUnique" if one else "ExpectCompoundColumnsToBeUnique",
        {"column": table.key[0]} if one else {"column_list": list(table.key)},
        f"{', '.join(table.key)} names one row",
        f"Rows were written twice: find the write that did it, then materialise {table.layer}/{table.name} again.",
        table.key,
    )


def _column_rules(table: Table, column: Column) -> Iterator[Rule]:
    name, file = column.name, f"assets/catalog/tables/{table.name}.toml"
    yield Rule(
        f"{name}__type",
        "critical",
        BETWEEN,
        {"column": f"{name}__type", "max_value": 0},
        f"every value is a {column.type}",
        f"Cast {name} where {table.name} is written; the type is declared in {file}.",
        (name,),
        judges_type=True,
    )
    if not column.nullable:
        yield Rule(
            f"{name}__not_null",
            "critical",
            NOT_NULL,
            {"column": name},
            "a value is there",
            f"{name} must always be known: look at what {table.name} was computed from on these rows.",
            (name,),
        )
    if column.values is not None:
        yield Rule(
            f"{name}__allowed_values",
            "critical",
            IN_SET,
            {"column": name, "value_set": list(column.values)},
            "the value is one the catalogue lists",
            f"A new value is declared in {file} before it is written; anything else is a fault of the computation.",
            (name,),
        )
    if column.type in NUMBERS:
        low = -LARGEST if column.minimum is None else column.minimum
        high = LARGEST if column.maximum is None else column.maximum
        yield Rule(
            f"{name}__in_range",
            "critical",
            BETWEEN,
            {"column": name, "min_value": low, "max_value": high},
            f"the value is finite and within the declared range ({column.unit})",
            f"Look at the figures behind these rows first; correct the range in {file} only if they are right.",
            (name,),
        )


def _month_end() -> Rule:
    return never(
        "is_month_end__by_its_date",
        ("as_of_date", "is_month_end"),
        lambda f, _: differs(f["is_month_end"], f["as_of_date"].dt.is_month_end),
        statement="a row is called a month-end when its date is the last of a month",
        what_to_do="Materialise the table again: the grid sets this column.",
    )


def _not_after_run(as_of: dt.date) -> Rule:
    def days_after(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        return days_between(pd.Series(pd.Timestamp(as_of), frame.index), frame["as_of_date"])

    return within(
        "as_of_date__not_after_run",
        ("as_of_date",),
        days_after,
        maximum=0,
        statement=f"no row is dated after the run ({as_of})",
        what_to_do="Rows of a later run are in the way: check REGIME_AS_OF and the clock, then materialise again.",
    )


def _grid(as_of: dt.date, start: dt.date) -> list[Rule]:
    dates = build_grid(np.datetime64(start, "D"), np.datetime64(as_of, "D")).as_of
    grid = pd.Series(dates.astype("datetime64[s]"))

    def off_grid(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        return flag(~frame["as_of_date"].isin(grid))

    def absent(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        return missing_before(frame["as_of_date"], grid)

    return [
        never(
            "as_of_date__on_grid",
            ("as_of_date",),
            off_grid,
            statement="every row is a month-end or the run date",
            what_to_do="A row of an earlier run date was left behind: the table must be replaced, not appended to.",
        ),
        within(
            "as_of_date__no_gap",
            ("as_of_date",),
            absent,
            maximum=0,
            statement=f"no month-end is missing from {start} to {as_of}",
            what_to_do="Materialise the table again; if a month stays away, look at the grid the asset was given.",
        ),
    ]
