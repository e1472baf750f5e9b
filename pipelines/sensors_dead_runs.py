"""The daemon's look for runs whose process is gone.

Belongs here: the sensor. Does not belong here: telling dead runs from living ones (`dead_runs.py`).
"""

import dagster as dg

from pipelines.dead_runs import fail_dead_runs
from pipelines.settings import load_places, read_environment

_EVERY_SECONDS = 20


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks a run whose process was killed as failed, so that the next one in the queue starts.",
)
def dead_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Never starts a run: the queue does, once nothing dead stands before it."""
    places = load_places(read_environment())
    dead = fail_dead_runs(context.instance, places.lock_path.parent)
    return dg.SkipReason(f"closed: {', '.join(dead)}" if dead else "every unfinished run is alive")
