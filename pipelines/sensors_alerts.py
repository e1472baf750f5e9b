"""The scheduler's sensor for alerts: looks every few minutes, from another process than the runs it looks at.

Belongs here: the sensor. Does not belong here: what is told, and when (`alerts`).
"""

import dagster as dg

from pipelines.alerts.review import review
from pipelines.settings import load_settings

_EVERY_SECONDS = 120


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the addresses of REGIME_ALERT_URLS of failed, held, overdue and hanging runs, "
    "stale inputs and a change of regime. Each thing once; nothing without an address.",
)
def alerts_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Never starts a run: the tick says what was told."""
    told = review(load_settings(), context.instance)
    return dg.SkipReason("; ".join(one.line for one in told) or "nothing to tell, or nobody to tell it to")
