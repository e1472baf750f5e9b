"""The scheduler's daily tidying of its own history.

Belongs here: the sensor. Does not belong here: what is removed (`history.py`).
"""

import datetime as dt

import dagster as dg

from pipelines.history import KEPT_DAYS, prune

_DAY_SECONDS = 86_400


@dg.sensor(
    name="tidy_history",
    minimum_interval_seconds=_DAY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Once a day: removes runs older than {KEPT_DAYS} days from the history. Figures are not touched.",
)
def history_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Never starts a run: the tick says how many were removed."""
    removed = prune(context.instance, dt.datetime.now(dt.UTC))
    return dg.SkipReason(f"{removed} runs older than {KEPT_DAYS} days removed")
