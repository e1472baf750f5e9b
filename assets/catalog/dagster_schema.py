"""The catalogue as Dagster sees it: column schemas for the definition metadata of an asset.

Belongs here: the translation of a declared table into Dagster's types. Does not belong here: assets, and
wording that is not in the catalogue. This is the only module of the catalogue that imports Dagster; only
asset rooms import it.
"""

from __future__ import annotations

import dagster as dg

from assets.catalog.models import Column, Series, Table


def table_schema(table: Table) -> dg.TableSchema:
    """Column schema of a table, for `dagster/column_schema`; `unit` and `from` are column tags."""
    return dg.TableSchema(
        columns=[_table_column(column, is_key=table.key == (column.name,)) for column in table.columns],
        constraints=dg.TableConstraints(other=[table.grain, f"key: {', '.join(table.key)}"]),
    )


def series_schema(series: Series, observations: Table) -> dg.TableSchema:
    """Columns of a raw series: those of the archive, its `value` in the unit of the series."""
    columns = [
        column.model_copy(
            update={"derived_from": (), **({"unit": series.unit} if column.name == "value" else {})}
        )
        for column in observations.columns
    ]
    return dg.TableSchema(
        columns=[_table_column(column, is_key=False) for column in columns],
        constraints=dg.TableConstraints(other=[f"series_id = '{series.series_id}'"]),
    )


def _table_column(column: Column, *, is_key: bool) -> dg.TableColumn:
    tags = {"unit": column.unit}
    if column.derived_from:
        tags["from"] = ", ".join(column.derived_from)
    return dg.TableColumn(
        name=column.name,
        type=column.type,
        description=column.definition,
        constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=is_key, other=_limits(column)),
        tags=tags,
    )


def _limits(column: Column) -> list[str]:
    limits = []
    if column.minimum is not None:
        limits.append(f">= {column.minimum:g}")
    if column.maximum is not None:
        limits.append(f"<= {column.maximum:g}")
    if column.values is not None:
        limits.append("one of: " + ", ".join(column.values))
    return limits
