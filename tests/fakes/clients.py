"""Clients of the loopback FRED that wait for nothing.

Belongs here: how tests connect. Does not belong here: the server.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from assets.sources.fred import FredSource
from assets.sources.fred_client import FredClient
from assets.sources.http import Limits
from assets.sources.pacing import Clock, Patience, RetryBudget
from tests.fakes.fred_server import FredServer
from tests.fakes.world import KEY

CALM = Limits(silence=10.0, whole=20.0)  # the machine may be busy with something else
QUICK = Limits(silence=0.4, whole=0.8)  # for servers that are silent on purpose


@dataclass
class Naps:
    """A clock that does not wait but remembers how long it was asked to, and moves on by it.

    `until` maps a moment (seconds slept in all) to what happens then, once: a server that comes back.
    """

    slept: list[float] = field(default_factory=list)
    until: dict[float, Callable[[], None]] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: time.monotonic() + sum(self.slept), self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for moment in [moment for moment in self.until if moment <= sum(self.slept)]:
            self.until.pop(moment)()


def quick_client(
    server: FredServer,
    naps: Naps | None = None,
    key: str = KEY,
    attempts: int = 6,
    limits: Limits = CALM,
    budget: RetryBudget | None = None,
) -> FredClient:
    """A client without waits."""
    patience = Patience(attempts, clock=(naps or Naps()).clock, budget=budget)
    return FredClient(key, server.url, requests_per_second=1000, patience=patience, limits=limits)


def quick_source(
    server: FredServer,
    now: Callable[[], dt.datetime] | None = None,
    naps: Naps | None = None,
    attempts: int = 6,
    limits: Limits = CALM,
    budget: RetryBudget | None = None,
) -> FredSource:
    """FRED as a source over such a client; its day is the server's."""
    day = dt.datetime.combine(server.world.today, dt.time(22), dt.UTC)
    client = quick_client(server, naps, attempts=attempts, limits=limits, budget=budget)
    return FredSource(client, now or (lambda: day))
