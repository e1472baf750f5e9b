"""The snapshots under tests/snapshots of the asset graph and of a published release, and their comparison.

Numbers are compared with a tolerance, because their last bits differ between processors. What differs between two runs
on the same figures is left out: times of the run, ids, hashes and the results of checks.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "snapshots"
WRITES = "WRITE_SNAPSHOTS"  # environment variable: write the snapshots instead of comparing with them
RELATIVE = 1e-9

LEFT_OUT_TABLES = {"check_results", "release_manifest"}
LEFT_OUT_COLUMNS = {
    "published_at", "first_published_at", "captured_at", "fetched_at",
    "release_id", "run_id", "code_version", "method_sha256",
}  # fmt: skip
REGIME_COLUMNS = ("as_of_date", "regime", "stance", "condition_state")
NUMBERS = ("DOUBLE", "FLOAT", "INTEGER", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT", "DECIMAL")

Json = Any


def graph_snapshot(defs: dg.Definitions) -> dict[str, Json]:
    """Asset keys with group and dependencies, jobs, schedules, sensors and the names of the resources."""
    specs = sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key.to_user_string())
    return {
        "assets": {
            spec.key.to_user_string(): {
                "group": spec.group_name,
                "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            }
            for spec in specs
        },
        "jobs": {job.name: {} for job in defs.jobs or ()},
        "schedules": {
            one.name: {
                "job": one.job_name,
                "cron": one.cron_schedule,
                "timezone": one.execution_timezone,
                "default_status": one.default_status.value,
            }
            for one in defs.schedules or ()
            if isinstance(one, dg.ScheduleDefinition)
        },
        "sensors": {one.name: {"default_status": one.default_status.value} for one in defs.sensors or ()},
        "resources": {name: {} for name in sorted(defs.resources or {})},
    }


def tables_snapshot(con: duckdb.DuckDBPyConnection) -> dict[str, Json]:
    """Every table and view of a published file: its row count, and per column in order its type and a digest."""
    return {name: _table(con, name) for name in _names(con) if name not in LEFT_OUT_TABLES}


def _names(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = con.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1"
    )
    return [name for (name,) in found.fetchall()]


def _table(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, Json]:
    keys = con.execute(
        "SELECT column_name FROM columns WHERE table_name = ? AND is_key ORDER BY position", [name]
    ).fetchall()
    types = con.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'main' AND table_name = ? ORDER BY ordinal_position",
        [name],
    ).fetchall()
    assert keys, f"{name} has no key in `columns`"
    frame = con.execute(f'SELECT * FROM "{name}" ORDER BY {", ".join(key for (key,) in keys)}').df()
    return {
        "(table)": {"rows": len(frame)},
        **{
            column: {"type": kind, **({} if column in LEFT_OUT_COLUMNS else _digest(frame[column], kind))}
            for column, kind in types
        },
    }


def _digest(values: pd.Series, kind: str) -> dict[str, Json]:
    """Count of non-NULL values and what identifies them in their order."""
    count = {"non_null": int(values.notna().sum())}
    if not kind.startswith(NUMBERS):
        text = "\n".join("" if pd.isna(one) else repr(str(one)) for one in values)
        return {**count, "sha256": hashlib.sha256(text.encode()).hexdigest()[:16]}
    numbers = values.fillna(0.0).to_numpy(dtype="float64")
    position = np.arange(1, len(numbers) + 1) / max(len(numbers), 1)
    return {
        **count,
        "sum": float(numbers.sum()),
        "size": float(np.abs(numbers).sum()),  # the scale of the sum, which may cancel out
        # on a logarithmic scale: a percentage must count in a column that also holds trillions of dollars
        "weighted_sum": float((position * np.arcsinh(1000 * numbers)).sum()),
    }


def regime_rows(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The regime row by row, as date, label, stance, state and every score, rounded to six decimals."""
    scores = [name for name, *_ in con.execute("DESCRIBE regime").fetchall() if name.endswith("_score")]
    rounded = [f"round({name}, 6) AS {name}" for name in scores]
    columns = ["as_of_date::VARCHAR AS as_of_date", *REGIME_COLUMNS[1:], *rounded]
    return con.execute(f"SELECT {', '.join(columns)} FROM regime ORDER BY as_of_date").df()


def without_run_facts(document: Json) -> Json:
    """A JSON document without what differs between two runs on the same figures, at any depth."""
    if isinstance(document, Mapping):
        return {k: without_run_facts(v) for k, v in document.items() if k not in LEFT_OUT_COLUMNS}
    if isinstance(document, list):
        return [without_run_facts(one) for one in document]
    return document


def check_document(name: str, found: Mapping[str, Json], depth: int) -> None:
    """Compare a document with tests/snapshots/<name>, or write it there. `depth`: levels with a line per entry."""
    path = FOLDER / name
    if os.environ.get(WRITES):
        path.write_text(_dumped(found, depth) + "\n", "utf-8")
        return
    wrong = list(differences(json.loads(path.read_text("utf-8")), json.loads(json.dumps(found))))
    assert not wrong, _report(name, wrong)


def check_regime(found: pd.DataFrame) -> None:
    """Compare the regime's rows with tests/snapshots/regime.csv, or write them there; the last digit may move."""
    path = FOLDER / "regime.csv"
    if os.environ.get(WRITES):
        found.to_csv(path, index=False)
        return
    expected = pd.read_csv(path, dtype=dict.fromkeys(REGIME_COLUMNS, object)).set_index("as_of_date")
    pd.testing.assert_frame_equal(
        expected, found.set_index("as_of_date"), check_dtype=False, rtol=0, atol=1.5e-6
    )


def _report(name: str, wrong: Sequence[str]) -> str:
    more = [f"... and {len(wrong) - 30} more"] if len(wrong) > 30 else []
    way_out = "If the change is intended, run `make snapshots` and commit the files it rewrites."
    return "\n".join([f"tests/snapshots/{name} differs in {len(wrong)} places:", *wrong[:30], *more, way_out])


def differences(old: Json, new: Json, at: str = "") -> Iterator[str]:
    """Each place in which two JSON documents differ, as `table / column / property: old -> new`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from (f"{_join(at, key)}: gone" for key in old if key not in new)
        yield from (f"{_join(at, key)}: new" for key in new if key not in old)
        both = [key for key in old if key in new]
        if both != [key for key in new if key in old]:
            yield f"{at or 'document'}: another order, {both} -> {[key for key in new if key in old]}"
        for key in both:
            scale = old.get("size") if key == "sum" else None
            if not (isinstance(scale, float) and _same(old[key], new[key], scale)):
                yield from differences(old[key], new[key], _join(at, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True), 1):
            yield from differences(before, after, _join(at, str(number)))
    elif not _same(old, new):
        yield f"{at}: {json.dumps(old)} -> {json.dumps(new)}"


def _join(at: str, key: str) -> str:
    return f"{at} / {key}" if at else key


def _same(old: Json, new: Json, scale: float = 1.0) -> bool:
    if isinstance(old, float) and isinstance(new, int | float) and not isinstance(new, bool):
        return abs(old - new) <= RELATIVE * max(abs(old), abs(new), scale)
    return bool(old == new) and type(old) is type(new)


def _dumped(document: Json, depth: int, indent: int = 0) -> str:
    """JSON with one line per entry down to `depth`, so that a change shows as the lines it concerns."""
    if depth == 0 or not isinstance(document, Mapping) or not document:
        return json.dumps(document, ensure_ascii=False)
    pad = " " * (indent + 1)
    entries = [
        f"{pad}{json.dumps(key)}: {_dumped(value, depth - 1, indent + 1)}" for key, value in document.items()
    ]
    return "{\n" + ",\n".join(entries) + "\n" + " " * indent + "}"
