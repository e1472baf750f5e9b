"""What a release states about itself: its facts, its manifest, and the environment it was made in."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.run_facts import RunFacts
from assets.warehouse.connection import time_in_name
from assets.warehouse.readers import why_incomplete

_SHOWN = 12


@dataclass(frozen=True)
class ReleaseFacts:
    """What the manifest states. `published_at` and `captured_until` are UTC without an offset.

    `publishes_restricted`: raw figures of restricted series are published too. `captured_until`: the newest capture it
    was computed from. `is_complete`: the archive has every series with a role in the label.
    """

    profile: Profile
    as_of: dt.date
    run_id: str
    published_at: dt.datetime
    code_version: str
    lock_sha256: str | None
    publishes_restricted: bool = False
    captured_until: dt.datetime | None = None
    is_complete: bool = False

    @property
    def release_id(self) -> str:
        """Identifier of the release, fit for the name of a folder: its UTC moment."""
        return time_in_name(self.published_at)


def release_facts(con: duckdb.DuckDBPyConnection, run: RunFacts, now: dt.datetime) -> ReleaseFacts:
    """Facts of the release a run makes at `now` (UTC)."""
    return ReleaseFacts(
        profile=run.profile,
        as_of=run.run_date,
        run_id=run.run_id,
        published_at=publication_time(con, now),
        code_version=run.code_version,
        lock_sha256=_lock_sha256(run.project_root),
        publishes_restricted=run.publishes_restricted,
        captured_until=con.execute("SELECT max(captured_at) FROM raw.vintages").fetchall()[0][0],
        is_complete=why_incomplete(con, run.profile) is None,
    )


def publication_time(con: duckdb.DuckDBPyConnection, now: dt.datetime) -> dt.datetime:
    """`now` in UTC without an offset; later, when the clock went backwards, than all captures and publications."""
    moment = now.astimezone(dt.UTC).replace(tzinfo=None) if now.tzinfo else now
    rows = con.execute(
        "SELECT max(captured_at) FROM raw.vintages "
        "UNION ALL SELECT max(published_at) + INTERVAL 1 MICROSECOND FROM ops.publications"
    ).fetchall()
    return max([moment, *(latest for (latest,) in rows if latest is not None)])


def manifest_frame(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, facts: ReleaseFacts, stage: str, tables: int, rows: int
) -> pd.DataFrame:
    """The one row about the file; `tables` and `rows` count those of the database `stage`."""
    method = catalog.method
    seeds = {  # of every random draw, by what is drawn
        "audit_dates": facts.release_id,
        "bootstrap": method.forward_returns.bootstrap_seed,
        "score_range": method.robustness.weight_draw_seed,
    }
    restricted = [series.series_id for series in catalog.series.values() if series.rights == "restricted"]
    disclosed = con.execute(
        f"SELECT count(DISTINCT series_id) FROM {stage}.pit.observations WHERE series_id IN (SELECT unnest(?))",
        [restricted],
    ).fetchall()[0][0]
    row = {
        "release_id": facts.release_id,
        "published_at": facts.published_at,
        "profile": facts.profile,
        "as_of_date": facts.as_of,
        "ledger_last_checked": catalog.policy_events.last_checked,
        "desk_notices_until": catalog.policy_events.desk_notices_until,
        "method_version": method.method_version,
        "method_sha256": method.method_sha256,
        "code_version": facts.code_version,
        **_versions(),
        "lock_sha256": facts.lock_sha256,
        "packages": json.dumps(packages()),
        "seeds": json.dumps(seeds),
        "run_id": facts.run_id,
        "restricted_series_count": disclosed,
        "table_count": tables,
        "row_count": rows + 1,
        "captured_until": facts.captured_until,
        "is_complete": facts.is_complete,
    }
    return pd.DataFrame([row])


def packages() -> dict[str, str]:
    """Version of every installed package by name, sorted by name; the first one found is the one imported."""
    found: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        found.setdefault(_canonical(package.name), package.version)
    return dict(sorted(found.items()))


def drift(manifest: Mapping[str, Any], root: Path, code_version: str) -> list[str]:
    """What differs here from the environment the release was made in, one line each."""
    now = _versions() | {"lock_sha256": _lock_sha256(root), "code_version": code_version}
    lines = [f"{name}: {manifest[name]} -> {value}" for name, value in now.items() if manifest[name] != value]
    made = {_canonical(name): text for name, text in json.loads(manifest.get("packages") or "{}").items()}
    here = packages() if made else {}
    changed = [
        f"package {name}: {made.get(name, 'absent')} -> {here.get(name, 'absent')}"
        for name in sorted(made.keys() | here.keys())
        if made.get(name) != here.get(name)
    ]
    more = len(changed) - _SHOWN
    return [*lines, *changed[:_SHOWN], *([f"and {more} more packages"] if more > 0 else [])]


def _versions() -> dict[str, str]:
    return {
        "python_version": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "duckdb_version": duckdb.__version__,
    }


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lock_sha256(root: Path) -> str | None:
    lock = root / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None
