"""When the nightly job runs.

Belongs here: cron strings and time zones. Does not belong here: what runs (`jobs.py`).
"""

from __future__ import annotations

import dagster as dg

from pipelines.jobs import nightly

nightly_schedule = dg.ScheduleDefinition(
    name="nightly_schedule",
    job=nightly,
    cron_schedule="30 21 * * 1-5",  # after H.15 and the day's releases, before midnight in New York
    execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Weekdays at 21:30 New York time.",
)
