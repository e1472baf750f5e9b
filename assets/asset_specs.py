"""What an asset says of itself in the Dagster UI, rendered from the catalogue.

Belongs here: keys, metadata and dependencies of specs. Does not belong here: anything that runs.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from assets.catalog.dagster_schema import series_schema, table_schema
from assets.catalog.lineage import source_series
from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Series, Table


def asset_key(name: str) -> dg.AssetKey:
    """Asset key of a table of the catalogue."""
    return dg.AssetKey([load_catalog().tables[name].layer, name])


def raw_keys(table: Table, catalog: Catalog) -> dict[str, tuple[str, str, str]]:
    """Series a table is computed from, through other tables' columns too, with their asset keys."""
    origins = (origin for column in table.columns for origin in column.derived_from)
    return {series_id: catalog.series[series_id].asset_key for series_id in source_series(catalog, origins)}


def table_description(table: Table) -> str:
    """What a table holds, and one row of it, as two sentences."""
    return " ".join(f"{text.rstrip('.')}." for text in (table.title, table.grain))


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
