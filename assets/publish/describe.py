"""What a publication says of itself in the Dagster UI: verdict, change, file, pictures, first queries.

Belongs here: metadata of `publish/release`. Does not belong here: publishing (`release.py`), drawing
(`assets/plots.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import dagster as dg
import duckdb

from assets.catalog.loader import load_catalog
from assets.materialized import VERDICT_COLUMNS, preview, scores
from assets.plots import conditions_plot, score_plot
from assets.publish.documents.texts import first_queries
from assets.run_facts import RunFacts
from assets.warehouse.ledger import Recorded
from assets.warehouse.publication import Published
from assets.warehouse.readers import read_table

_BEFORE = """
SELECT regime, as_of_date FROM ops.publications
WHERE profile = ? AND release_id < ? ORDER BY release_id DESC LIMIT 1
"""
_FILE = "SELECT file_bytes, file_sha256 FROM ops.publications WHERE release_id = ?"
_QUERIES = """Open the file read-only, with `python -m pipelines open` or any DuckDB client:
```sql
{queries}
```
"""


def release_metadata(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, published: Published, recorded: Recorded
) -> dict[str, Any]:
    """Metadata of `publish/release`; `con` is the warehouse, its books written."""
    regime = read_table(con, "regime.regime").sort_values("as_of_date")
    newest = regime.iloc[-1]
    kept = con.execute(_FILE, [published.release_id]).fetchall()
    bytes_, sha256 = kept[0] if kept else (facts.published_path.stat().st_size, "")
    seconds = (dt.datetime.now(dt.UTC) - facts.started_at).total_seconds()
    return {
        "verdict": dg.MetadataValue.md(f"**{newest['regime']}** since {newest['regime_since']:%Y-%m-%d}"),
        "changed": _changed(con, published, str(newest["regime"])),
        "profile": published.profile,
        "as_of_date": published.as_of.isoformat(),
        "release_id": published.release_id,
        "path": dg.MetadataValue.path(str(facts.published_path)),
        "sha256": f"{sha256[:16]} (first 16 digits)",
        "bytes": int(bytes_),
        "seconds": round(seconds, 1),
        **scores(newest),
        "new_month_ends": recorded.month_ends,
        "preview": preview(regime[VERDICT_COLUMNS]),
        "conditions": conditions_plot(regime),
        "history": score_plot(regime, load_catalog().method),
        "first_queries": dg.MetadataValue.md(_QUERIES.format(queries="\n\n".join(first_queries()))),
    }


def _changed(con: duckdb.DuckDBPyConnection, published: Published, label: str) -> str:
    """What became of the label since the release before this one."""
    before = con.execute(_BEFORE, [published.profile, published.release_id]).fetchall()
    if not before:
        return "first release of this profile"
    regime, as_of = before[0]
    return (
        f"unchanged since the release as of {as_of}"
        if regime == label
        else f"{regime} -> {label}, since {as_of}"
    )
