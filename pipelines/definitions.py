"""The code location: everything Dagster loads. The environment is read by resources when a run starts, not here."""

from __future__ import annotations

import dagster as dg

from pipelines.build import ASSET_CHECKS, ASSETS
from pipelines.resources import RESOURCES
from pipelines.sensors import alerts_sensor, dead_runs_sensor, history_sensor

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Fetch every series, compute the tables, check them, and publish the regime. "
    "A failed check blocks the publication.",
)

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_schedule",
    job=nightly,
    cron_schedule="30 21 * * 1-5",  # after H.15 and the day's releases, before midnight in New York
    execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Weekdays at 21:30 New York time.",
)

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=ASSET_CHECKS,
    jobs=[nightly],
    schedules=[nightly_schedule],
    sensors=[alerts_sensor, dead_runs_sensor, history_sensor],
    resources=RESOURCES,
    executor=dg.in_process_executor,  # about nine times faster than a process per step, and there is one writer anyway
)
