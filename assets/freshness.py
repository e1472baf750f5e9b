"""By when the nightly run must have been here: the freshness policy of what is fetched and of what is published.

Belongs here: the deadline, once. Does not belong here: whether figures are recent (the staleness checks), the schedule
(`pipelines/schedules.py`).
"""

from __future__ import annotations

import datetime as dt

import dagster as dg

# an hour after the nightly run begins; a run by hand since 20:30 counts as well
NIGHTLY_FRESHNESS = dg.FreshnessPolicy.cron(
    deadline_cron="30 22 * * 1-5",
    lower_bound_delta=dt.timedelta(hours=2),
    timezone="America/New_York",
)
