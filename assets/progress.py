"""Progress lines for the terminal and Dagster's log of the run: the logger, and lines about long work."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

progress = logging.getLogger("stimulus_regime")
SECONDS_BETWEEN_LINES = 15.0
_LONG = 120.0


class Throttle:
    """At most one line every quarter of a minute, and none before the first quarter is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def info(self, line: Callable[[], str]) -> None:
        """Log the line when one is due."""
        if self._clock() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = self._clock()
            progress.info(line())


class SeriesProgress:
    """Progress through a publisher's `total` series. `waited` is the time spent on waits, which is not work."""

    def __init__(
        self,
        name: str,
        total: int,
        waited: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.total = name, total
        self._waited, self._clock, self._lines = waited, clock, Throttle(clock)
        self._began, self._waited_before = clock(), waited()
        self._fetched = self._done = self._requests = 0

    def step(self, requests: int, done: int = 1) -> None:
        """A series took so many requests; `done` is 0 when it will be tried again."""
        self._fetched += requests > 0
        self._done += done
        self._requests += requests
        if self._done < self.total:
            self._lines.info(self._line)

    def _line(self) -> str:
        elapsed, waited = self._clock() - self._began, self._waited() - self._waited_before
        each = max(elapsed - waited, 0.0) / max(self._fetched, 1)
        left = each * (self.total - self._done)
        return (
            f"{self.name}: {self._done} of {self.total} series, {self._requests} requests in {_span(elapsed)}, "
            f"about {_span(left)} to go"
        )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG else f"{seconds / 60:.0f} min"
