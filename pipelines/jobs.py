"""The nightly job.

Belongs here: the selection a job runs. Does not belong here: when it runs (`schedules.py`).
"""

from __future__ import annotations

import dagster as dg

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Fetch every series, derive, judge, and publish the regime. Holds the publication when a check fails.",
)
