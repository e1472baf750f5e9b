"""Who fetches what: the profile swaps the publishers' modules, the graph stays the same.

Belongs here: the choice of source per profile, one instance of each a run. Does not belong here: reading any of them,
the environment (`pipelines/settings.py` reads it, an `Access` carries what it says).

A publisher beside FRED is one line of `_PUBLISHERS`: a module of this room and the function in it that makes the
source of an address, None for the publisher's own. Nothing is imported before it is used.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from assets.catalog.models import Profile, SourceKey
from assets.sources.file_source import FileSource
from assets.sources.pacing import BUDGET_SECONDS, RetryBudget
from assets.sources.protocol import Probed, Source, SourceUnreachable
from assets.sources.sample import SampleSource

_NEW_YORK = ZoneInfo("America/New_York")
_PUBLISHERS: dict[SourceKey, tuple[str, str]] = {
    "fed_board": ("assets.sources.fed_board", "fed_board_source"),
    "fiscal_data": ("assets.sources.fiscal_data", "fiscal_data_source"),
    "shiller": ("assets.sources.shiller", "shiller_source"),
    "world_bank": ("assets.sources.world_bank", "world_bank_source"),
}


class Hidden(Protocol):
    """A text nothing shows but `reveal`."""

    def reveal(self) -> str: ...


@dataclass(frozen=True)
class Access:
    """How a run reaches its publishers: what was given for it, None or absent where their own values serve.

    `urls` holds the addresses of publishers beside FRED. `retry_budget_seconds` is for waiting and asking again.
    """

    profile: Profile
    project_root: Path
    fred_api_key: Hidden | None = None
    fred_root_url: str | None = None
    fred_requests_per_second: float | None = None
    urls: Mapping[SourceKey, str] = field(default_factory=dict)
    retry_budget_seconds: float = BUDGET_SECONDS


class Sources:
    """The publishers of one run: each is made when it is first needed, and only once. `budget` is shared by them."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.budget = RetryBudget(access.retry_budget_seconds)
        self._made: dict[SourceKey, Source] = {}

    def __repr__(self) -> str:
        return f"Sources({self._access.profile})"

    def of(self, key: SourceKey) -> Source:
        """The module that serves a publisher's series. Raises CredentialsRefused, ValueError (an address)."""
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def check(self) -> str | None:
        """Ask FRED one thing before any work, so that a wrong key is told at once. Raises CredentialsRefused.

        An unreachable FRED is no reason to stop: what is absent is a matter of coverage. It is returned as one line.
        """
        if self._access.profile != "live":
            return None
        fred = self.of("fred")
        try:
            if isinstance(fred, Probed):
                fred.probe()
                self.budget.has_answered = True
        except SourceUnreachable as failure:
            if failure.nothing_listens and not any(self._is_there(key) for key in _PUBLISHERS):
                return f"no publisher can be reached ({failure})"
            return f"FRED cannot be reached ({failure})"
        return None

    def _is_there(self, key: SourceKey) -> bool:
        source = self.of(key)
        return isinstance(source, FileSource) and source.is_there()

    def last_day(self, started_at: dt.datetime) -> dt.date:
        """The sources' own day: no figure can be about a later one. The sample's last, or New York's at the start."""
        if self._access.profile == "sample":
            return SampleSource(self._access.project_root).as_of
        return started_at.astimezone(_NEW_YORK).date()

    def _make(self, key: SourceKey) -> Source:
        access = self._access
        if access.profile == "sample":
            return SampleSource(access.project_root)
        if key == "fred":
            from assets.sources.fred import FredSource

            secret = access.fred_api_key.reveal() if access.fred_api_key is not None else None
            return FredSource.connect(
                secret, access.fred_root_url, access.fred_requests_per_second, self.budget
            )
        if key not in _PUBLISHERS:
            raise ValueError(f"no publisher serves {key!r} in the profile {access.profile}")
        module, name = _PUBLISHERS[key]
        from assets.sources.download import PATIENCE

        patience = replace(PATIENCE, budget=self.budget)
        return cast(Source, getattr(importlib.import_module(module), name)(access.urls.get(key), patience))
