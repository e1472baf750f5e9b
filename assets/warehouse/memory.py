"""What came of work that depends on its inputs alone, so that the same work is not done twice.

Belongs here: fingerprints of tables and of the code, keeping outcomes in `ops.remembered` and finding them again.
Does not belong here: the work (`assets/derived`, `assets/regime`, `checks`).

An outcome is found again only under the very same inputs: the contents of every table read, the dates of the run, and
the code and declarations themselves. One changed figure, parameter or line, and the work is done anew. Why:
docs/decisions/0011-outcomes-remembered-by-content.md.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from assets.catalog.models import Table
from assets.catalog.render import qualified_name
from assets.compute.grid import Grid

if TYPE_CHECKING:
    import duckdb

_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("assets", "checks")  # what computes and what judges; how a run is started changes no outcome
_FINGERPRINT = "count(*), bit_xor(hash(t)), sum(CAST(hash(t) AS HUGEINT))"
_ARCHIVE = "WHERE t.series_id IN (SELECT unnest($series_ids))"


def content(con: duckdb.DuckDBPyConnection, name: str, where: str = "", values: object = None) -> str:
    """Fingerprint of the rows of a table or view (its quoted name), whatever their order."""
    row = con.execute(f"SELECT {_FINGERPRINT} FROM {name} AS t {where}", values).fetchall()[0]
    return "-".join(map(str, row))


def contents(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """Fingerprints of several, in order, asked for together."""
    parts = [f"SELECT {n}, {_FINGERPRINT} FROM {name} AS t" for n, name in enumerate(names)]
    rows = con.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1").fetchall()
    return ["-".join(map(str, row)) for _, *row in rows]


def archive_content(con: duckdb.DuckDBPyConnection, series_ids: Iterable[str]) -> str:
    """Fingerprint of everything the archive holds of some series."""
    return content(con, "raw.vintages", _ARCHIVE, {"series_ids": sorted(series_ids)})


def tables_content(con: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> str:
    """Fingerprint of tables of the warehouse with what `derived.provenance` says of them."""
    said = con.execute(
        f"SELECT table_name, {_FINGERPRINT} FROM derived.provenance AS t "
        "WHERE table_name IN (SELECT unnest(?)) GROUP BY 1 ORDER BY 1",
        [[table.name for table in tables]],
    ).fetchall()
    return json.dumps([contents(con, [qualified_name(table) for table in tables]), said], default=str)


def grid_content(grid: Grid) -> str:
    """Fingerprint of the dates of a run."""
    return hashlib.sha256(grid.as_of.tobytes()).hexdigest()


def inputs_sha256(*parts: str) -> str:
    """One hash over what work depends on; the code is always part of it."""
    return hashlib.sha256(json.dumps([_code_sha256(), *parts]).encode()).hexdigest()


def recall(con: duckdb.DuckDBPyConnection, work: str, inputs: str) -> str | None:
    """The outcome of a piece of work under these inputs; None when the last outcome kept had others."""
    query = "SELECT outcome FROM ops.remembered WHERE work = ? AND inputs_sha256 = ?"
    found = con.execute(query, [work, inputs]).fetchall()
    return str(found[0][0]) if found else None


def keep(con: duckdb.DuckDBPyConnection, work: str, inputs: str, outcome: str) -> None:
    """Keep an outcome in place of the last one of the same work."""
    con.execute("INSERT OR REPLACE INTO ops.remembered VALUES (?, ?, ?)", [work, inputs, outcome])


def once(
    con: duckdb.DuckDBPyConnection,
    work: str,
    inputs: str,
    make: Callable[[], str],
    *,
    is_worth_keeping: Callable[[str], bool] = bool,
) -> str:
    """The outcome of a piece of work under these inputs: found again, or made and kept."""
    if (found := recall(con, work, inputs)) is not None:
        return found
    outcome = make()
    if is_worth_keeping(outcome):
        keep(con, work, inputs, outcome)
    return outcome


def stand(con: duckdb.DuckDBPyConnection, tables: Sequence[Table], inputs: str) -> bool:
    """Whether tables stand as they were built from these inputs; one that somebody wrote to since does not."""
    kept = recall(con, _building(tables), inputs)
    return kept is not None and kept == tables_content(con, tables)


def built(con: duckdb.DuckDBPyConnection, tables: Sequence[Table], inputs: str) -> None:
    """Keep that tables, as they stand now, were built from these inputs."""
    keep(con, _building(tables), inputs, tables_content(con, tables))


def _building(tables: Sequence[Table]) -> str:
    return "build " + ", ".join(table.name for table in tables)


@cache
def _code_sha256() -> str:
    """Hash of the sources and declarations that make an outcome, the lock and Python's version."""
    digest = hashlib.sha256(platform.python_version().encode())
    files = [path for room in _CODE for path in (_ROOT / room).rglob("*") if path.suffix != ".pyc"]
    for path in sorted([*files, _ROOT / "requirements.lock"]):
        if path.is_file():
            digest.update(str(path.relative_to(_ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()
