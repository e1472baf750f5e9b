"""What the documents of a release are made from: facts of the staged file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.publish.staged_file import Export
from assets.warehouse.connection import query_rows


@dataclass(frozen=True)
class DocumentFacts:
    """One release in the making.

    `manifest` is the row of release_manifest, `newest` the newest row of regime. `folder` has what is already written;
    `exported` waits until the tables are exported. `before` is the folder of the previous release of the same profile,
    None for the first. `incomplete` is why the release is not complete, None when it is.
    """

    catalog: Catalog
    manifest: dict[str, Any]
    newest: dict[str, Any]
    folder: Path
    exported: Callable[[], tuple[Export, ...]]
    before: Path | None
    incomplete: str | None = None


def document_facts(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    exported: Callable[[], tuple[Export, ...]],
    before: Path | None,
    incomplete: str | None = None,
) -> DocumentFacts:
    """Facts of the release in the staged file `con`."""
    manifest = query_rows(con, "SELECT * FROM release_manifest")[0]
    newest = query_rows(con, "SELECT * FROM regime_current")[0]
    if before is not None and _profile(con, before) != manifest["profile"]:
        before = None
    return DocumentFacts(load_catalog(), manifest, newest, folder, exported, before, incomplete)


def _profile(con: duckdb.DuckDBPyConnection, before: Path) -> str | None:
    """The profile of an earlier release; None when it cannot be read any more."""
    path = str(before / "parquet" / "release_manifest.parquet")
    try:
        return str(query_rows(con, "SELECT profile FROM read_parquet(?)", [path])[0]["profile"])
    except duckdb.Error:
        return None
