"""The project's definitions with a schedule that is due every minute, for the test of a scheduled run after a kill."""

import dagster as dg

from pipelines import definitions
from pipelines.definitions import nightly

SCHEDULE = "due_every_minute"

defs = dg.Definitions.merge(
    definitions.defs,
    dg.Definitions(
        schedules=[
            dg.ScheduleDefinition(
                name=SCHEDULE,
                job=nightly,
                cron_schedule="* * * * *",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
        ]
    ),
)
