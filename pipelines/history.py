"""Keeping Dagster's history small: runs that nobody looks at any more.

Belongs here: which runs are removed. Does not belong here: when (`sensors_history.py`, `commands/prune.py`).
The figures and the books of publications are in the warehouse and are never touched.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from shutil import rmtree

import dagster as dg

KEPT_DAYS = 90
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def prune(instance: dg.DagsterInstance, now: dt.datetime, days: int = KEPT_DAYS) -> int:
    """Remove finished runs created more than `days` ago, all but the newest, with what they logged; their number."""
    before = now - dt.timedelta(days=days)
    newest = instance.get_run_records(limit=1)
    kept = newest[0].dagster_run.run_id if newest else None
    old = dg.RunsFilter(statuses=_FINISHED, created_before=before)
    removed = 0
    for record in instance.get_run_records(old):
        run_id = record.dagster_run.run_id
        if run_id == kept:
            continue
        instance.delete_run(run_id)
        for path in _leftovers(Path(instance.root_directory), run_id):
            rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        removed += 1
    return removed


def _leftovers(home: Path, run_id: str) -> list[Path]:
    """Files of a run that Dagster leaves: its own event log file, and the output of its steps."""
    runs = home / "history" / "runs"
    return [*(runs / f"{run_id}.db{end}" for end in ("", "-wal", "-shm")), home / "storage" / run_id]
