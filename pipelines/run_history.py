"""Dagster's history of runs: runs whose process is gone are closed, old runs are removed. Figures are not touched."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import dagster as dg
import sqlalchemy as sa

from assets.warehouse.lock import ended_runs, forget_run
from pipelines import process

KEPT_DAYS = 90
DATA_DIR_TAG = "stimulus_regime/data_dir"  # the marker of a run is in its data directory
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def fail_dead_runs(instance: dg.DagsterInstance, data_dir: Path) -> list[str]:
    """Mark the unfinished runs whose process has ended as failed, or the queue would wait for them; their ids.

    Only where the marker proves it. About a run of another host, or one killed before it set its marker, Dagster's
    `run_monitoring` decides.
    """
    dead = []
    unfinished = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
    for folder in {data_dir, *(Path(run.tags.get(DATA_DIR_TAG, data_dir)) for run in unfinished)}:
        for run_id in ended_runs(folder):
            run = instance.get_run_by_id(run_id)
            if run is None:  # of another instance, which needs the marker
                continue
            if run.status in _UNFINISHED:
                instance.report_run_failed(
                    run, "The process of this run is gone; anything it published is valid."
                )
                dead.append(run_id)
            forget_run(folder, run_id)
    return dead


@contextmanager
def canceled_when_interrupted(instance: dg.DagsterInstance) -> Iterator[dict[str, str]]:
    """Tags for a run of this process. An interrupted run becomes cancelled in the history, not failed."""
    tags = {"stimulus_regime/command": str(uuid.uuid4())}
    try:
        yield tags
    except BaseException as error:
        if process.is_interrupted() or isinstance(error, KeyboardInterrupt):
            process.finish_undisturbed()
            for run in instance.get_runs(dg.RunsFilter(tags=tags)):
                if run.status != dg.DagsterRunStatus.SUCCESS:
                    instance.report_run_canceled(run, "The run was interrupted.")
        raise


def prune(instance: dg.DagsterInstance, now: dt.datetime, days: int = KEPT_DAYS) -> int:
    """Remove finished runs created more than `days` ago, except the newest, with their logs; their number."""
    newest = instance.get_run_records(limit=1)
    kept = newest[0].dagster_run.run_id if newest else None
    before = now - dt.timedelta(days=days)
    old = instance.get_run_records(dg.RunsFilter(statuses=_FINISHED, created_before=before))
    removed = [record.dagster_run.run_id for record in old if record.dagster_run.run_id != kept]
    home = Path(instance.root_directory)
    for run_id in removed:
        instance.delete_run(run_id)
        _forget_checks(instance, run_id)
        for end in (
            "",
            "-wal",
            "-shm",
        ):  # files that Dagster leaves: the run's event log, and the output of its steps
            (home / "history" / "runs" / f"{run_id}.db{end}").unlink(missing_ok=True)
        rmtree(home / "storage" / run_id, ignore_errors=True)
    return len(removed)


def _forget_checks(instance: dg.DagsterInstance, run_id: str) -> None:
    """Dagster's `delete_run` leaves the results of the run's checks: without this the history grows for ever."""
    connect = getattr(instance.event_log_storage, "index_connection", None)
    if connect is not None:  # of a storage in SQL, as both of Dagster's are
        with connect() as connection:
            connection.execute(
                sa.text("DELETE FROM asset_check_executions WHERE run_id = :run"), {"run": run_id}
            )
