"""The code location: everything Dagster loads.

Belongs here: the `defs` object. Does not belong here: reading the environment; resources do, when a run starts.
"""

from __future__ import annotations

import dagster as dg

from pipelines.build import ASSET_CHECKS, ASSETS
from pipelines.jobs import nightly
from pipelines.resources import RESOURCES
from pipelines.schedules import nightly_schedule
from pipelines.sensors_alerts import alerts_sensor
from pipelines.sensors_dead_runs import dead_runs_sensor
from pipelines.sensors_history import history_sensor

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=ASSET_CHECKS,
    jobs=[nightly],
    schedules=[nightly_schedule],
    sensors=[alerts_sensor, dead_runs_sensor, history_sensor],
    resources=RESOURCES,
    executor=dg.in_process_executor,  # about nine times faster than a process per step, and there is one writer anyway
)
