"""The nightly job from the command line: one process, the same history as the UI, an outcome in words.

Belongs here: the lock, executing the job and passing its progress on. Does not belong here: arguments and exit statuses
(`commands/run.py`), the graph (`definitions.py`), what came of it (`outcome.py`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from assets.progress import progress as progress_log
from pipelines import process
from pipelines.settings import Settings

Say = Callable[[str], None]
ACCEPTS_INCOMPLETE_TAG = (
    "stimulus_regime/accept_incomplete"  # of the run, set by `run --accept-incomplete` alone
)
PUBLISHED_KEY = ["publish", "release"]
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the event log has it all


@dataclass(frozen=True)
class Outcome:
    """What came of a run. `lines` tell a person; `checks` names the rules that held the publication."""

    status: Literal["published", "held", "unreachable"]
    lines: tuple[str, ...]
    checks: tuple[str, ...]


def run_nightly(
    settings: Settings, *, wait_seconds: float, say: Say, accepts_incomplete: bool = False
) -> Outcome:
    """Run the whole job once; success is a publication, never inferred from anything else.

    `accepts_incomplete`: a first publication is made also when inputs of the label could not be reached.

    Failures of the job are outcomes. Raises LockHeld, WarehouseError or PublicationRefused where it cannot begin: the
    run's own resource looks at the same again, but these must be known before Dagster is loaded.
    """
    from assets.publish.publication import prepare
    from assets.warehouse.connection import wait_for_others
    from assets.warehouse.lock import RunLock

    with RunLock(settings.lock_path).held(wait_seconds, say):
        prepare(settings.published_path, settings.profile, settings.run_date)
        wait_for_others(settings.warehouse_path, wait_seconds, say)
        _export(settings)
        return _execute(settings, say, accepts_incomplete)


def _execute(settings: Settings, say: Say, accepts_incomplete: bool) -> Outcome:
    say("loading the pipeline")
    from pipelines.dead_runs import MARKERS_TAG, canceled_when_interrupted
    from pipelines.definitions import defs
    from pipelines.instance import open_instance
    from pipelines.outcome import outcome_of

    job = defs.resolve_job_def("nightly")
    with (
        _spoken(say),
        open_instance(settings.dagster_home) as instance,
        canceled_when_interrupted(instance) as run_id,
    ):
        result = job.execute_in_process(
            instance=instance,
            run_config=_QUIET,
            raise_on_error=False,
            tags={
                MARKERS_TAG: str(settings.lock_path.parent),
                **({ACCEPTS_INCOMPLETE_TAG: "true"} if accepts_incomplete else {}),
            },
            run_id=run_id,
        )
        return outcome_of(result, settings)


def _export(settings: Settings) -> None:
    """What the command line decided, for the resources of the run, which read the environment themselves."""
    if settings.as_of is not None:
        os.environ["REGIME_AS_OF"] = settings.as_of.isoformat()
    process.ensure_home(settings.dagster_home)


@contextmanager
def _spoken(say: Say) -> Iterator[None]:
    """Progress of the run as lines."""

    class _Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(record.getMessage())

    handler, level = _Handler(), progress_log.level
    progress_log.addHandler(handler)
    progress_log.setLevel(logging.INFO)
    try:
        yield
    finally:
        progress_log.removeHandler(handler)
        progress_log.setLevel(level)
