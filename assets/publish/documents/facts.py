"""What every document of a release is made from, beside the staged file itself.

Belongs here: the facts and how they are gathered. Does not belong here: a document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.publish.staged_file import Export

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class DocumentFacts:
    """One release in the making.

    `manifest` is the row of release_manifest, `newest` the newest row of regime; `folder` holds what is already
    written, `exported` waits until its tables are; `before` is the folder of the release it follows, of the same
    profile, None for the first; `incomplete` is why the release is not complete, None when it is. The text of a
    document is UTF-8.
    """

    catalog: Catalog
    manifest: dict[str, Any]
    newest: dict[str, Any]
    folder: Path
    exported: Callable[[], tuple[Export, ...]]
    before: Path | None
    incomplete: str | None = None

    @property
    def is_sample(self) -> bool:
        """Whether the figures are the bundled ones, which every document must say."""
        return bool(self.manifest["profile"] == "sample")


def document_facts(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    exported: Callable[[], tuple[Export, ...]],
    before: Path | None,
    incomplete: str | None = None,
) -> DocumentFacts:
    """Facts of the release in the staged file `con`."""
    manifest = asked(con, "SELECT * FROM release_manifest")[0]
    newest = asked(con, "SELECT * FROM regime_current")[0]
    if before is not None and _profile(con, before) != manifest["profile"]:
        before = None
    return DocumentFacts(load_catalog(), manifest, newest, folder, exported, before, incomplete)


def asked(con: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> Rows:
    """Answer of a query, each row by column name."""
    con.execute(query, parameters or [])
    names = [column[0] for column in con.description or []]
    return [dict(zip(names, row, strict=True)) for row in con.fetchall()]


def _profile(con: duckdb.DuckDBPyConnection, before: Path) -> str | None:
    """Whose figures an earlier release holds; None when it cannot be read any more."""
    try:
        path = str(before / "parquet" / "release_manifest.parquet")
        return str(asked(con, "SELECT profile FROM read_parquet(?)", [path])[0]["profile"])
    except duckdb.Error:
        return None
