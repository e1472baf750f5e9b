"""One line per finished piece of work, for whoever waits: the terminal, and Dagster's log of the run.

Belongs here: the logger's name, once, and how often it is used. Does not belong here: where the lines go
(`dagster_home/dagster.yaml`, `pipelines/nightly.py`).
"""

import logging
import time
from collections.abc import Callable

progress = logging.getLogger("stimulus_regime")
SECONDS_BETWEEN_LINES = 15.0


class NowAndThen:
    """Lines about long work: at most one every quarter of a minute, and none before the first quarter is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said = clock()

    def say(self, line: Callable[[], str]) -> None:
        """Say the line when it is time for one."""
        if self._clock() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = self._clock()
            progress.info(line())
