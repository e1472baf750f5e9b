"""Dagster's history of runs: dead runs are closed, old ones removed, alerts sent; and the sensors that do so.

No sensor starts a run, and no figure is touched.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import dagster as dg
import sqlalchemy as sa

from assets.warehouse.lock import ended_runs, forget_run, mark_run_alive
from pipelines import process
from pipelines.alerts import review
from pipelines.settings import load_folders, load_settings, read_environment

KEPT_DAYS = 90
DATA_DIR_TAG = "stimulus_regime/data_dir"  # the marker of a run is in its data directory
COMMAND_TAG = "stimulus_regime/command"  # known before the run is in the history, where its id is not
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def fail_dead_runs(instance: dg.DagsterInstance, data_dir: Path) -> list[str]:
    """Mark the unfinished runs whose process has ended as failed, or the queue would wait for them; their ids.

    Only where the marker of the run, or of the command that executed it, proves it. About a run of another host, or
    one of Dagster's launcher that was killed before it set its marker, Dagster's `run_monitoring` decides.
    """
    dead = []
    unfinished = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
    for folder in {data_dir, *(Path(run.tags.get(DATA_DIR_TAG, data_dir)) for run in unfinished)}:
        for ended in ended_runs(folder):
            run = instance.get_run_by_id(ended) or _run_of_command(instance, ended)
            if run is None:  # of another instance, which needs the marker
                continue
            if run.status in _UNFINISHED:
                instance.report_run_failed(
                    run, "The process of this run is gone; anything it published is valid."
                )
                dead.append(run.run_id)
            forget_run(folder, ended)
    return dead


def _run_of_command(instance: dg.DagsterInstance, command: str) -> dg.DagsterRun | None:
    return next(iter(instance.get_runs(dg.RunsFilter(tags={COMMAND_TAG: command}), limit=1)), None)


@contextmanager
def run_of_this_process(instance: dg.DagsterInstance, data_dir: Path) -> Iterator[dict[str, str]]:
    """Tags for a run of this process. Interrupted, it becomes cancelled in the history; killed at any moment, failed.

    The marker is set before the run begins: Dagster's launcher watches its own runs only.
    """
    command = str(uuid.uuid4())
    mark_run_alive(data_dir, command)
    tags = {COMMAND_TAG: command}
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


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends alerts to the addresses of REGIME_ALERT_URLS about failed, blocked, overdue and hanging runs, "
    "stale inputs and a change of regime. Each problem once; nothing without an address.",
)
def alerts_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """The tick lists the alerts sent."""
    sent = review(load_settings(), context.instance)
    return dg.SkipReason("; ".join(one.line for one in sent) or "no alert is due, or no address is set")


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=20,  # a killed run is closed within a minute, also when its code server was killed
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks a run whose process was killed as failed, so that the next one in the queue starts.",
)
def dead_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """The tick lists the runs marked as failed."""
    folders = load_folders(read_environment())
    dead = fail_dead_runs(context.instance, folders.data_dir)
    return dg.SkipReason(f"closed: {', '.join(dead)}" if dead else "no unfinished run was killed")


@dg.sensor(
    name="tidy_history",
    minimum_interval_seconds=86_400,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Once a day: removes runs older than {KEPT_DAYS} days from the history. Figures are not touched.",
)
def history_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """The tick reports how many runs were removed."""
    removed = prune(context.instance, dt.datetime.now(dt.UTC))
    return dg.SkipReason(f"{removed} runs older than {KEPT_DAYS} days removed")
