"""Whether a release is what it was: its hashes, and its regime table computed again from the warehouse.

Belongs here: the three answers (files, environment, numbers). Does not belong here: printing (`commands/verify.py`).

The archive is taken as it was when the release was published, and every row sees what had reached us when that row was
first published: both are stated in the release itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.compute.computation import compute
from assets.compute.cut import captured_by
from assets.compute.grid import Grid
from assets.publish.documents.facts import asked
from assets.warehouse import environment
from assets.warehouse.connection import CONFIG
from assets.warehouse.readers import frame_of, load_archive
from assets.warehouse.release_folder import damaged
from checks.audits.recompute import ADDED_BY_PUBLICATION
from checks.suites.measures import unequal
from pipelines.resources import code_version

_SHOWN = 10


@dataclass(frozen=True)
class Verified:
    """What was found; empty lists are good. `files`, `numbers`: differences. `drift`: of the environment, no fault.

    `rows` is the number of rows computed again, 0 when they could not be: `numbers` says why.
    """

    release_id: str
    files: list[str]
    drift: list[str]
    numbers: list[str]
    rows: int

    @property
    def holds(self) -> bool:
        """Whether the release is intact and reproduced."""
        return not self.files and not self.numbers


def verify(release: Path, warehouse: duckdb.DuckDBPyConnection, root: Path) -> Verified:
    """Prove the release in a folder against its hashes and the open warehouse of its profile. Raises duckdb.Error."""
    files, catalog = damaged(release), load_catalog()
    with duckdb.connect(str(release / "regime.duckdb"), read_only=True, config=CONFIG) as con:
        manifest = asked(con, "SELECT * FROM release_manifest")[0]
        con.execute("SELECT * FROM regime ORDER BY as_of_date")
        regime = frame_of(con)
    drift = environment.drift(manifest, root, code_version())
    if manifest["method_sha256"] != catalog.method.method_sha256:
        said = f"made with method {manifest['method_version']}: check out {manifest['code_version']} to reproduce it"
        return Verified(release.name, files, drift, [said], 0)
    moment = int(pd.Timestamp(manifest["published_at"]).value // 1000)
    again = _computed_again(warehouse, regime, catalog, manifest["profile"], moment)
    return Verified(release.name, files, drift, _differences(regime, again), len(regime))


def _computed_again(
    warehouse: duckdb.DuckDBPyConnection, regime: pd.DataFrame, catalog: Catalog, profile: str, moment: int
) -> pd.DataFrame:
    """The frame of the regime for the dates of `regime`, from what had been captured by a moment (microseconds)."""
    series = {s.series_id: s for s in catalog.series.values() if profile in s.profiles}
    archive = captured_by(load_archive(warehouse, list(catalog.series)), moment)
    known_by = regime["first_published_at"].to_numpy(dtype="datetime64[us]").astype("int64")
    grid = Grid(regime["as_of_date"].to_numpy(dtype="datetime64[D]"), known_by)
    return compute(archive, grid, catalog, series).frame


def _differences(regime: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    """One line per row that comes out differently, the first ten; nothing within a tolerance."""
    names = [name for name in regime.columns if name in again.columns and name not in ADDED_BY_PUBLICATION]
    differs = np.column_stack([unequal(regime[name], again[name]) for name in names])
    lines = []
    for row in np.flatnonzero(differs.any(axis=1)):
        name = names[int(differs[row].argmax())]
        day, stated, now = regime["as_of_date"].iloc[row], regime[name].iloc[row], again[name].iloc[row]
        lines.append(f"{day:%Y-%m-%d} {name}: published {stated}, computed again {now}")
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"and {more} more rows"] if more > 0 else lines
