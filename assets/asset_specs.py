"""What an asset states about itself in the Dagster UI: key, schema, metadata and deadline."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg

from assets.catalog.loader import CATALOG_DIR, PROJECT_ROOT, load_catalog
from assets.catalog.models import Catalog, Column, Series, Table

# an hour after the nightly run begins; a run by hand since 20:30 counts as well
NIGHTLY_FRESHNESS = dg.FreshnessPolicy.cron(
    deadline_cron="30 22 * * 1-5",
    lower_bound_delta=dt.timedelta(hours=2),
    timezone="America/New_York",
)
# The team that answers for a layer.
OWNERS = {"raw": "team:data", "derived": "team:macro", "regime": "team:macro", "publish": "team:data"}


def asset_key(name: str) -> dg.AssetKey:
    """Asset key of a table of the catalogue."""
    return dg.AssetKey([load_catalog().tables[name].layer, name])


def raw_keys(table: Table, catalog: Catalog) -> dict[str, tuple[str, str, str]]:
    """Series a table is computed from, through other tables' columns too, with their asset keys."""
    origins = (origin for column in table.columns for origin in column.derived_from)
    return {series_id: catalog.series[series_id].asset_key for series_id in catalog.source_series(origins)}


def column_lineage(table: Table, catalog: Catalog) -> dg.TableColumnLineage:
    """Columns or series each column comes from."""
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for column in table.columns:
        for source in column.derived_from:
            if "." in source:
                name, of = source.split(".")
                key, of_column = dg.AssetKey([catalog.tables[name].layer, name]), of
            else:
                key, of_column = dg.AssetKey(list(catalog.series[source].asset_key)), "value"
            deps.setdefault(column.name, []).append(dg.TableColumnDep(asset_key=key, column_name=of_column))
    return dg.TableColumnLineage(deps)


def table_metadata(table: Table, schema: str) -> dict[str, Any]:
    """Definition metadata of a table asset: storage name, columns, grain, key."""
    return {
        "dagster/table_name": f"{schema}.{table.name}",
        "dagster/column_schema": table_schema(table),
        "grain": table.grain,
        "key": ", ".join(table.key),
    }


def series_metadata(series: Series) -> dict[str, Any]:
    """Definition metadata of a raw series: what it is, whose it is, how it may be used."""
    return {
        "dagster/table_name": "raw.observations",
        "dagster/column_schema": series_schema(series, load_catalog().tables["observations"]),
        "dagster/uri": series.source_url,
        "title": series.title,
        "unit": series.unit,
        "frequency": series.frequency,
        "seasonal_adjustment": series.seasonal_adjustment,
        "publisher": series.publisher,
        "publisher_url": dg.MetadataValue.url(series.source_url),
        "rights": series.rights,
        "citation": series.citation,
        "release_lag_days": series.release_lag_days,
        "staleness_limit_days": series.staleness_limit_days,
        "role": series.role,
        "profiles": ", ".join(series.profiles),
    }


def catalogue_entry(key: dg.AssetKey) -> tuple[Path, int] | None:
    """File of the catalogue, and line in it, that declares a series or a table; None for the release."""
    catalog, (layer, *_, name) = load_catalog(), key.path
    if layer == "raw":
        file = CATALOG_DIR / "series" / f"{catalog.series[name].group}.toml"
        lines = (PROJECT_ROOT / file).read_text(encoding="utf-8").splitlines()
        return PROJECT_ROOT / file, 1 + lines.index(f"[{name}]")
    if name in catalog.tables:
        return PROJECT_ROOT / CATALOG_DIR / "tables" / f"{name}.toml", 1
    return None


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
