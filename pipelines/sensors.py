"""The scheduler's sensors: alerts, dead runs and old history. None of them starts a run."""

import datetime as dt

import dagster as dg

from pipelines.alerts.delivery import review
from pipelines.run_history import KEPT_DAYS, fail_dead_runs, prune
from pipelines.settings import load_folders, load_settings, read_environment


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
