"""What an asset states in the Dagster UI: key, schema, metadata and deadline; a finished table its rows and version."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from assets.catalog.loader import CATALOG_DIR, PROJECT_ROOT, load_catalog
from assets.catalog.models import Catalog, Column, Series, Table
from assets.progress import progress
from assets.run_facts import RunFacts
from assets.warehouse.readers import content_hash
from assets.warehouse.rights import passed_on, withheld

# an hour after the nightly run begins; a run by hand since 20:30 counts as well
NIGHTLY_FRESHNESS = dg.FreshnessPolicy.cron(
    deadline_cron="30 22 * * 1-5",
    lower_bound_delta=dt.timedelta(hours=2),
    timezone="America/New_York",
)
# The team that answers for a layer.
OWNERS = {"raw": "team:data", "derived": "team:macro", "regime": "team:macro", "publish": "team:data"}
_PREVIEW_ROWS, _PREVIEW_COLUMNS = 5, 6
_SCORES = ("bubble_score", "coverage", "confidence", "distance_to_threshold")
VERDICT_COLUMNS = ["as_of_date", "regime", "bubble_score", "coverage"]
EVIDENCE_COLUMNS = [
    "condition",
    "component",
    "value",
    "unit",
    "observation_date",
    "rank",
    "contribution",
]


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


def table_result(
    con: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame, facts: RunFacts, **extra: Any
) -> dg.MaterializeResult:
    """Row count, profile, newest as-of date, share of missing values and the last rows of `frame`.

    The data version is the content hash of the table in the warehouse `con`, so that Dagster shows which runs changed
    the table.
    """
    progress.info(f"{table.layer}/{table.name}: {len(frame)} rows")
    missing = frame.isna().mean().mul(100.0).round(1)
    metadata: dict[str, Any] = {
        "dagster/row_count": len(frame),
        "dagster/column_lineage": column_lineage(table, load_catalog()),
        **extra,  # what is particular to a table stands on top, its longest entry at the end
    }
    metadata.setdefault("preview", preview(shown(table, frame, facts)))
    if "as_of_date" in frame and len(frame):
        metadata["newest_as_of_date"] = frame["as_of_date"].max().strftime("%Y-%m-%d")
    metadata["profile"] = facts.profile
    metadata["missing_pct"] = dg.MetadataValue.json(
        {str(name): float(pct) for name, pct in missing.items() if pct > 0}
    )
    return dg.MaterializeResult(
        asset_key=dg.AssetKey([table.layer, table.name]),
        metadata=metadata,
        data_version=dg.DataVersion(content_hash(con, table)),
    )


def shown(table: Table, frame: pd.DataFrame, facts: RunFacts) -> pd.DataFrame:
    """The frame as Dagster may show it: without figures of restricted series, whatever the operator has published."""
    return passed_on(frame, withheld(table, load_catalog(), facts.profile))


def scores(row: pd.Series) -> dict[str, float]:
    """Numbers of a verdict that the UI plots over runs; what is absent is left out."""
    return {name: round(float(row[name]), 4) for name in _SCORES if pd.notna(row[name])}


def preview(frame: pd.DataFrame, rows: int = _PREVIEW_ROWS) -> dg.TableMetadataValue:
    """The last rows and first columns, as text."""
    last = frame.iloc[-rows:, :_PREVIEW_COLUMNS]
    records = [dg.TableRecord({str(k): _text(v) for k, v in row.items()}) for row in last.to_dict("records")]
    return dg.MetadataValue.table(
        records, dg.TableSchema([dg.TableColumn(str(name)) for name in last.columns])
    )


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    return "" if value is None or value is pd.NaT else str(value)
