"""Runs that Dagster believes are going on although their process is gone.

Belongs here: telling dead runs from living ones by the marker a run holds, and closing them. Without it the queue would
wait for a killed run for ever.
"""

import datetime as dt
from pathlib import Path

import dagster as dg

from assets.warehouse.lock import run_is_alive

_GRACE_SECONDS = 30.0  # a run needs this long from its start to its first marker
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def fail_dead_runs(instance: dg.DagsterInstance, folder: Path, own_run_id: str | None = None) -> list[str]:
    """Mark every unfinished run whose process is gone as failed; their ids. `folder` holds the runs' markers."""
    dead = []
    now = dt.datetime.now(dt.UTC)
    for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED)):
        run = record.dagster_run
        age = (now - record.create_timestamp).total_seconds()
        if run.run_id == own_run_id or age < _GRACE_SECONDS or run_is_alive(folder, run.run_id):
            continue
        instance.report_run_failed(run, "The process of this run is gone; what it had published stands.")
        dead.append(run.run_id)
    return dead
