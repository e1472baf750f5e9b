"""What every publisher looks like from inside the house: one protocol, one payload, three ways to fail.

Belongs here: the shapes a source hands on. Does not belong here: reading a publisher (one module each),
judging what was read (`validate.py`), storing it (`assets/warehouse`, which knows these shapes by their
attributes only).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
import pandas as pd

from assets.catalog.models import Frequency, Series, UnitKind
from assets.compute.calendar import Days
from assets.sources.pacing import NothingListens, Transient
from assets.sources.units import parse_frequency, parse_unit

Rule = Literal[
    "empty_file", "missing_column", "not_a_number", "not_a_date", "duplicate_key", "future_date",
    "impossible_date", "implausible_value", "unit_changed", "frequency_changed", "shorter_than_before",
    "vintages_missing",
]  # fmt: skip
RULES: tuple[Rule, ...] = get_args(Rule)
# What came of a fetch, as `raw.fetches` records it.
FetchStatus = Literal["new", "unchanged", "stale", "unreachable", "not_in_profile", "refused"]


class SourceUnreachable(Exception):
    """The source gave no answer, or there is no file: one line saying what was asked and what happened.

    `may_pass`: asking again later may help. `nothing_listens`: no server is there. `retry_after`: seconds the source
    asks us to wait.
    """

    def __init__(self, message: str, failure: Exception | None = None) -> None:
        """`failure` is what happened below; only what is Transient may pass."""
        super().__init__(message)
        self.may_pass = isinstance(failure, Transient)
        self.nothing_listens = isinstance(failure, NothingListens)
        self.retry_after = failure.retry_after if isinstance(failure, Transient) else None


class SeriesUnknown(Exception):
    """The source answered that it does not know the series: one line naming both."""


class CredentialsRefused(Exception):
    """The source refuses who we are, or was told nobody: one line with the way to get a key, never the key.

    A matter of configuration, not of coverage: it ends the run instead of one series.
    """


class PayloadRefused(Exception):
    """The source was reached but what it served is wrong; nothing of it enters the warehouse.

    `where` is a file relative to the project, or a URL without secrets. One line: "sample_data/UNRATE.csv:
    UNRATE: implausible_value: 4300.0 on 2026-03-01 is outside 0..30; check the file". `may_pass`: it was no table at
    all, as the page of a proxy that answers for the source.
    """

    def __init__(
        self, rule: Rule, series_id: str, where: str, detail: str, way_out: str, may_pass: bool = False
    ) -> None:
        self.rule = rule
        self.series_id = series_id
        self.where = where
        self.detail = detail
        self.way_out = way_out
        self.may_pass = may_pass
        super().__init__(" ".join(f"{where}: {series_id}: {rule}: {detail}; {way_out}".split()))

    def __reduce__(self) -> tuple[type[PayloadRefused], tuple[str | bool, ...]]:
        arguments = (self.rule, self.series_id, self.where, self.detail, self.way_out, self.may_pass)
        return type(self), arguments


@dataclass(frozen=True)
class Payload:
    """What a source served for one series, before it is judged.

    `observations` has one row per observation and vintage: `observation_date` (datetime64[s]), `value`
    (float64, in the publisher's unit, NaN where it published none) and `realtime_start` (datetime64[s], NaT
    where the source gives no vintage). `unit` and `frequency` are the publisher's own texts, None where it
    states none. `where` is the file or URL without secrets. `is_complete` is false when only the part since
    our newest vintage was asked for. `rows_expected` is what the source itself says it holds, None where it
    does not say. `is_unchanged`: the source says that nothing changed since the last fetch, and there are no
    rows. `is_bundled`: from the files shipped with the project, which are all there at once. `notes` are the
    source's own remarks, for the book of fetches. Further columns of `observations` (`realtime_end` of FRED)
    are for whoever needs them.
    """

    series_id: str
    observations: pd.DataFrame
    unit: str | None
    frequency: str | None
    last_updated: dt.datetime | None
    requests: int
    seconds: float
    where: str
    is_complete: bool = True
    rows_expected: int | None = None
    is_unchanged: bool = False
    is_bundled: bool = False
    notes: tuple[str, ...] = ()

    @property
    def unit_kind(self) -> UnitKind | None:
        """Scale and kind of the publisher's unit text; None when there is none or it is not understood."""
        return parse_unit(self.unit)

    @property
    def frequency_code(self) -> Frequency | None:
        """Frequency of the publisher's text; None when there is none or it is not understood."""
        return parse_frequency(self.frequency)


class Known(Protocol):
    """What the archive already holds of a series (`assets/warehouse/fetches.py`), so that less is asked for.

    Moments are aware UTC. `last_updated`: the publisher's own stamp at our last accepted fetch.
    `newest_vintage`: newest first day among rows with a vintage of the source's own. `reconciled_at`: our
    last accepted fetch of the whole history.
    """

    @property
    def last_updated(self) -> dt.datetime | None: ...
    @property
    def newest_vintage(self) -> dt.date | None: ...
    @property
    def newest_observation(self) -> dt.date | None: ...
    @property
    def reconciled_at(self) -> dt.datetime | None: ...


class Source(Protocol):
    """One publisher."""

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """What the publisher serves for a series today, unjudged; with `known`, only what is new to us.

        Raises SourceUnreachable, SeriesUnknown, CredentialsRefused, or PayloadRefused when the answer is not
        a table of figures at all.
        """
        ...


@runtime_checkable
class CountsRequests(Protocol):
    """A source that counts what it sends, repeated requests included."""

    @property
    def requests(self) -> int: ...


@runtime_checkable
class Probed(Protocol):
    """A source that can be asked whether it is there and lets us in, by one request."""

    def probe(self) -> None:
        """Raises SourceUnreachable, CredentialsRefused."""
        ...


@dataclass(frozen=True)
class LateRelease:
    """A figure whose release was planned and which has not come. Days are calendar days."""

    series_id: str
    observation_date: dt.date
    expected_on: dt.date
    release_name: str

    def __str__(self) -> str:
        return (
            f"the figure of {self.observation_date} was expected on {self.expected_on} ({self.release_name})"
        )


@runtime_checkable
class KnowsReleases(Protocol):
    """A source that knows its publishers' calendars. Neither question raises for the publisher's sake."""

    def publications(self, series: Series, observations: Days) -> dict[np.datetime64, np.datetime64]:
        """First publication by period stamp, for figures older than the first vintage; {} where it is not known."""
        ...

    def late_release(self, series: Series, newest_observation: dt.date) -> LateRelease | None:
        """The figure after the newest one held, when the day planned for it has passed; None when none is overdue."""
        ...
