"""How far a long reading is, and about how long it will still take, for whoever waits.

Belongs here: counting and saying. Does not belong here: fetching.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from assets.progress import progress

_SECONDS_BETWEEN_LINES = 15.0
_LONG = 120.0


class Headway:
    """One publisher's reading of `total` series; a line every quarter of a minute, none for a short one."""

    def __init__(self, name: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._total, self._clock = name, total, clock
        self._began = self._said = clock()
        self._done = self._requests = 0

    def step(self, requests: int) -> None:
        """One more series has been asked for, by so many requests."""
        self._done += 1
        self._requests += requests
        now = self._clock()
        if self._done == self._total or now - self._said < _SECONDS_BETWEEN_LINES:
            return
        self._said = now
        elapsed = now - self._began
        left = elapsed / self._done * (self._total - self._done)
        progress.info(
            f"{self._name}: {self._done} of {self._total} series, {self._requests} requests in {_span(elapsed)}, "
            f"about {_span(left)} to go"
        )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG else f"{seconds / 60:.0f} min"
