"""Runs that Dagster believes are going on although their process is gone.

Belongs here: telling dead runs from living ones by the marker a run holds, and closing them. Without it the queue would
wait for a killed run for ever. Does not belong here: when one looks (`sensors_dead_runs.py`, and each run that starts).
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from assets.warehouse.lock import run_is_alive
from pipelines import process

MARKERS_TAG = (
    "stimulus_regime/markers"  # folder of the run's marker, where it is not the one of whoever looks
)
# Seconds since the last change of status after which a living run has its marker: a run that is being started has yet
# to load the pipeline; one that has started sets its marker at once, before it waits for the lock.
_GRACE_SECONDS = {
    dg.DagsterRunStatus.STARTING: 90.0,
    dg.DagsterRunStatus.STARTED: 15.0,
    dg.DagsterRunStatus.CANCELING: 15.0,
}


def fail_dead_runs(instance: dg.DagsterInstance, folder: Path, own_run_id: str | None = None) -> list[str]:
    """Mark every unfinished run whose process is gone as failed; their ids. `folder` holds the runs' markers."""
    dead = []
    now = dt.datetime.now(dt.UTC)
    for record in instance.get_run_records(dg.RunsFilter(statuses=list(_GRACE_SECONDS))):
        run = record.dagster_run
        quiet = (now - record.update_timestamp).total_seconds()
        place = Path(run.tags.get(MARKERS_TAG, folder))
        if run.run_id == own_run_id or quiet < _GRACE_SECONDS[run.status] or run_is_alive(place, run.run_id):
            continue
        instance.report_run_failed(run, "The process of this run is gone; what it had published stands.")
        dead.append(run.run_id)
    return dead


@contextmanager
def canceled_when_interrupted(instance: dg.DagsterInstance) -> Iterator[str]:
    """The id for a run of this process. An interrupted run is cancelled in the history, which is no failure."""
    run_id = str(uuid.uuid4())
    try:
        yield run_id
    except BaseException as error:
        if process.is_interrupted() or isinstance(error, KeyboardInterrupt):
            process.finish_undisturbed()
            run = instance.get_run_by_id(run_id)
            if run is not None and run.status != dg.DagsterRunStatus.SUCCESS:
                instance.report_run_canceled(run, "The run was interrupted.")
        raise
