"""What a finished table reports to the Dagster UI: rows, newest date, a preview, the version of its data."""

from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from assets.asset_specs import column_lineage
from assets.catalog.loader import load_catalog
from assets.catalog.models import Table
from assets.progress import progress
from assets.run_facts import RunFacts
from assets.warehouse.readers import content_hash
from assets.warehouse.rights import passed_on, withheld

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
