"""The publishers of a run: the sample, the public or the live ones, each imported and made once when first needed.

A run on the sample imports none of the others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from assets.catalog.models import Profile, ReaderKey, SourceKey
from assets.sources.file_source import RETRIES
from assets.sources.pacing import BUDGET_SECONDS, RetryBudget, RetryPolicy
from assets.sources.protocol import Source, SourceUnreachable
from assets.sources.sample import SampleSource

if TYPE_CHECKING:
    from assets.sources.public.carried import CarriedSource

_NEW_YORK = ZoneInfo("America/New_York")


class Hidden(Protocol):
    """A text that only `reveal` shows."""

    def reveal(self) -> str: ...


@dataclass(frozen=True)
class Access:
    """How a run reaches its publishers; None or missing where the publishers' own values apply.

    `urls` are addresses of publishers other than FRED, by reader. `retry_budget_seconds` is for waits and retries.
    `prefers_publishers`: live, FRED is asked only for what its publisher does not serve as well.
    """

    profile: Profile
    project_root: Path
    fred_api_key: Hidden | None = None
    fred_root_url: str | None = None
    fred_requests_per_second: float | None = None
    urls: Mapping[ReaderKey, str] = field(default_factory=dict)
    retry_budget_seconds: float = BUDGET_SECONDS
    prefers_publishers: bool = False


class Sources:
    """The publishers of one run; they share one `budget`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.budget = RetryBudget(access.retry_budget_seconds)
        self._made: dict[SourceKey, Source] = {}

    def __repr__(self) -> str:
        return f"Sources({self._access.profile})"

    def of(self, key: SourceKey) -> Source:
        """The source of a publisher's series. Raises CredentialsRefused, ValueError (an address)."""
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def check(self) -> str | None:
        """Send FRED one request before any work, so that a wrong key is reported at once. Raises CredentialsRefused.

        If FRED cannot be reached, the run goes on, and this returns one line.
        """
        if self._access.profile != "live":
            return None
        try:
            self.of("fred").probe()
            self.budget.has_answered = True
        except SourceUnreachable as failure:
            return f"FRED cannot be reached ({failure})"
        return None

    def last_day(self, started_at: dt.datetime) -> dt.date:
        """The last day a figure can be about: the sample's end, or the day in New York at the start of the run."""
        if self._access.profile == "sample":
            return SampleSource(self._access.project_root).as_of
        return started_at.astimezone(_NEW_YORK).date()

    def _make(self, key: SourceKey) -> Source:
        access = self._access
        if access.profile == "sample":
            return SampleSource(access.project_root)
        if access.profile == "public":
            return self._carried
        if key == "fred":
            from assets.sources.fred import FredSource
            from assets.sources.fred_client import REQUESTS_PER_SECOND, FredClient

            secret = access.fred_api_key.reveal() if access.fred_api_key is not None else None
            pace, retries = (
                access.fred_requests_per_second or REQUESTS_PER_SECOND,
                RetryPolicy(budget=self.budget),
            )
            fred = FredSource(
                FredClient(secret, access.fred_root_url, requests_per_second=pace, retries=retries)
            )
            return self._carried.preferred_to(fred) if access.prefers_publishers else fred
        from assets.sources.public.carried import READERS

        return READERS[key](access.urls.get(key), replace(RETRIES, budget=self.budget))

    @cached_property
    def _carried(self) -> CarriedSource:
        from assets.sources.public.carried import CarriedSource

        return CarriedSource(self._access.urls, self.budget, self._access.project_root)
