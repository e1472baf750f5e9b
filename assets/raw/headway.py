"""How far a long reading is, and about how long it will still take, for whoever waits.

Belongs here: counting and saying. Does not belong here: fetching.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from assets.progress import NowAndThen
from assets.sources.pacing import RetryBudget

_LONG = 120.0


class Headway:
    """One publisher's reading of `total` series; a line every quarter of a minute, none for a short one."""

    def __init__(
        self, name: str, total: int, budget: RetryBudget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name, self.total = name, total
        self._budget, self._clock, self._lines = budget, clock, NowAndThen(clock)
        self._began, self._spent = clock(), budget.spent
        self._asked = self._done = self._requests = 0

    def step(self, requests: int, done: int = 1) -> None:
        """A series has been asked for, by so many requests, and so many are done: none when it is asked again."""
        self._asked += requests > 0
        self._done += done
        self._requests += requests
        if self._done < self.total:
            self._lines.say(self._line)

    def _line(self) -> str:
        elapsed, waited = self._clock() - self._began, self._budget.spent - self._spent
        each = max(elapsed - waited, 0.0) / max(self._asked, 1)
        left = each * (self.total - self._done)
        return (
            f"{self.name}: {self._done} of {self.total} series, {self._requests} requests in {_span(elapsed)}, "
            f"about {_span(left)} to go"
        )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG else f"{seconds / 60:.0f} min"
