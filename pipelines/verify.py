"""Whether a release is what it was: its hashes, and its computed tables once more from the warehouse.

The archive is taken as it was when the release was made, which its manifest states; a live row comes from the archive
it was frozen from, which the warehouse states. A figure the release withholds is compared as withheld.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Profile, Table
from assets.compute.archive import captured_by, resolve
from assets.compute.grid import LIVE, Grid
from assets.compute.record import ADDED_BY_PUBLICATION, record_of, unequal
from assets.compute.registry import REGISTRY, Computation
from assets.publish.folder import damaged
from assets.publish.manifest import drift
from assets.warehouse.connection import opened, query_rows
from assets.warehouse.live import live_rows, microseconds, panel_at
from assets.warehouse.readers import frame_of, load_captures
from assets.warehouse.rights import passed_on, withheld
from pipelines.resources import code_version

_SHOWN = 10


@dataclass(frozen=True)
class Verified:
    """What was found; empty lists are good. `files`, `numbers`: differences. `drift`: of the environment, no fault.

    `rows` is the number of rows computed again by table, empty when they could not be: `numbers` or `files`
    says why.
    """

    release_id: str
    files: list[str]
    drift: list[str]
    numbers: list[str]
    rows: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether the release is intact and reproduced."""
        return not self.files and not self.numbers


def verify(release: Path, warehouse: duckdb.DuckDBPyConnection, root: Path) -> Verified:
    """Prove the release in a folder against its hashes and the open warehouse of its profile. Raises duckdb.Error."""
    files, catalog = damaged(release), load_catalog()
    with opened(release / "regime.duckdb") as con:
        manifest = query_rows(con, "SELECT * FROM release_manifest")[0]
        changed = drift(manifest, root, code_version())
        if manifest["method_sha256"] != catalog.method.method_sha256:
            version, code = manifest["method_version"], manifest["code_version"]
            reason = f"made with method {version}: check out {code} to reproduce it"
            return Verified(release.name, files, changed, [reason], {})
        numbers, rows = [], {}
        withholds = _withholds(con, manifest)
        for name, again in _computed_again(warehouse, con, catalog, manifest).items():
            table, stated = catalog.tables[name], _read(con, name)
            cells = withheld(table, catalog, manifest["profile"]) if withholds else {}
            numbers += _differences(table, stated, passed_on(again, cells))
            rows[name] = len(stated)
    return Verified(release.name, files, changed, numbers, rows)


def _computed_again(
    warehouse: duckdb.DuckDBPyConnection,
    release: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    manifest: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """Every table for the dates of the release, from what had been captured when it and its live rows were made."""
    profile: Profile = manifest["profile"]
    moment = manifest.get("captured_until") or manifest["published_at"]
    captures = load_captures(warehouse, list(catalog.series))
    stated = _read(release, "regime")
    known = live_rows(
        warehouse, profile, manifest["method_version"], manifest["as_of_date"], manifest["release_id"]
    )
    days = set(stated.loc[stated["row_kind"] == LIVE, "as_of_date"]) if "row_kind" in stated else set()
    rows = [row for row in known if pd.Timestamp(row.as_of_date) in days]
    live: dict[str, pd.DataFrame] = {}
    for row in rows:  # oldest first: each has a grid and an archive of its own, and the live rows before it
        made = panel_at(captures, row.captured_until, row.run_date, catalog, profile)
        record = record_of(made.panel, live)
        record["regime"] = record["regime"].assign(row_kind=LIVE)
        for name, frame in record.items():
            own = frame[frame["as_of_date"] == pd.Timestamp(row.as_of_date)]
            live[name] = pd.concat([live[name], own]) if name in live else own
    grid = Grid(stated["as_of_date"].to_numpy(dtype="datetime64[D]"))
    archive = resolve(captured_by(captures, microseconds(moment)))
    run = Computation(archive, grid, catalog, profile, live)
    return {
        name: run.record(name)
        for name, table in REGISTRY.items()
        if table.build and not table.repeats_catalogue
    }


def _withholds(release: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> bool:
    """Whether the release leaves out what repeats restricted series: made without the switch, as is the rule now."""
    dictionary = release.execute("SELECT * FROM columns LIMIT 0").description or []
    return manifest["restricted_series_count"] == 0 and "repeats" in [column[0] for column in dictionary]


def _read(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    return frame_of(con, f'SELECT * FROM "{name}"')


def _differences(table: Table, stated: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    """One line per row that comes out differently, the first ten of a table; nothing within a tolerance."""
    names = [name for name in table.column_names if name not in ADDED_BY_PUBLICATION]
    stated, again = (
        frame.reindex(columns=names).set_index(list(table.key), drop=False).sort_index()
        for frame in (stated, again)
    )
    if not stated.index.equals(again.index):
        one_sided = stated.index.symmetric_difference(again.index)
        return [f"{table.name}: {len(one_sided)} rows are on one side only, the first {_text(one_sided[:1])}"]
    differs = np.column_stack([unequal(stated[name], again[name]) for name in names])
    lines = []
    for row in np.flatnonzero(differs.any(axis=1)):
        name = names[int(differs[row].argmax())]
        was, now = stated[name].iloc[row], again[name].iloc[row]
        lines.append(
            f"{table.name} {_text(stated.index[int(row) :])} {name}: published {was}, computed again {now}"
        )
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"{table.name}: and {more} more rows"] if more > 0 else lines


def _text(row: pd.Index) -> str:
    """A row's key in words."""
    parts = row[0] if isinstance(row, pd.MultiIndex) else (row[0],)
    return " ".join(f"{part:%Y-%m-%d}" if isinstance(part, pd.Timestamp) else str(part) for part in parts)
