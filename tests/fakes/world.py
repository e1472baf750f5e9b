"""What a loopback FRED knows: series with every period in which each value was the known one, and releases.

Belongs here: that knowledge, how it changes, and the truth about any day. Does not belong here: HTTP
(`fred_server.py`), where figures come from (`build.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assets.compute.calendar import Days, days

OPEN = np.datetime64("9999-12-31", "D")
_DAY = np.timedelta64(1, "D")
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Published:
    """One series; the arrays hold a row per observation and period, by observation, then start. NaN: missing."""

    series_id: str
    title: str
    units: str
    frequency: str
    release_id: int
    observation: Days
    start: Days
    end: Days
    value: np.ndarray
    last_updated: dt.datetime
    is_in_alfred: bool = True

    def as_of(self, day: str) -> dict[str, float]:
        """Every observation known on a day, with its value then (NaN: published as missing)."""
        then = np.datetime64(day, "D")
        rows = (self.start <= then) & (self.end >= then)
        return dict(zip(self.observation[rows].astype(str), self.value[rows].tolist(), strict=True))

    @property
    def vintage_dates(self) -> Days:
        """Days on which a figure appeared, changed or went."""
        ended = self.end[self.end < OPEN] + _DAY
        return np.unique(np.concatenate([self.start, ended]))

    def revise(self, day: str, values: Mapping[str, float]) -> None:
        """From a day on these observations have these values; what did not change stays."""
        today = np.datetime64(day, "D")
        for stamp, value in values.items():
            at = np.datetime64(stamp, "D")
            standing = (self.observation == at) & (self.end == OPEN)
            if standing.any() and self.value[standing][0] == value:
                continue
            self.end[standing & (self.start < today)] = today - _DAY
            keep = ~(standing & (self.start == today))
            self.observation = np.append(self.observation[keep], at)
            self.start = np.append(self.start[keep], today)
            self.end = np.append(self.end[keep], OPEN)
            self.value = np.append(self.value[keep], float(value))
        order = np.lexsort((self.start, self.observation))
        for name in ("observation", "start", "end", "value"):
            setattr(self, name, getattr(self, name)[order])
        self.touch()

    def withdraw(self, day: str, stamps: Sequence[str]) -> None:
        """From a day on these observations have no figure any more."""
        named = np.isin(self.observation, days(list(stamps))) & (self.end == OPEN)
        self.end[named] = np.datetime64(day, "D") - _DAY
        self.touch()

    def truncate(self, first: str) -> None:
        """The publisher serves nothing before a day any more."""
        keep = self.observation >= np.datetime64(first, "D")
        for name in ("observation", "start", "end", "value"):
            setattr(self, name, getattr(self, name)[keep])
        self.touch()

    def recorded_since(self, first: str) -> None:
        """The archive of vintages begins on a day: what held then is all it says of the time before."""
        day = np.datetime64(first, "D")
        keep = self.end >= day
        for name in ("observation", "start", "end", "value"):
            setattr(self, name, getattr(self, name)[keep])
        self.start = np.maximum(self.start, day)

    def touch(self) -> None:
        """Something changed: another `last_updated`."""
        self.last_updated += dt.timedelta(hours=1, seconds=1)


@dataclass
class ReleaseDates:
    """One release: the days it brought figures, and those it was planned for beside them."""

    name: str
    with_figures: Days
    planned: Days = field(default_factory=lambda: days([]))


@dataclass
class World:
    """All a server knows. `today` is what FRED takes for today."""

    today: dt.date
    series: dict[str, Published] = field(default_factory=dict)
    releases: dict[int, ReleaseDates] = field(default_factory=dict)
    key: str = KEY


def published(
    series_id: str,
    rows: list[tuple[str, str, float]],
    *,
    units: str = "Percent",
    frequency: str = "Monthly",
    release_id: int = 10,
    title: str = "",
) -> Published:
    """A series from (observation, first day, value): each value holds until the next one of its observation."""
    observation = days([row[0] for row in rows])
    start = days([row[1] for row in rows])
    value = np.array([row[2] for row in rows], dtype="float64")
    return from_starts(
        series_id,
        observation,
        start,
        value,
        units=units,
        frequency=frequency,
        release_id=release_id,
        title=title,
    )


def from_starts(
    series_id: str,
    observation: Days,
    start: Days,
    value: np.ndarray,
    *,
    units: str,
    frequency: str,
    release_id: int,
    title: str = "",
    is_in_alfred: bool = True,
) -> Published:
    """A series from the first day of each value."""
    order = np.lexsort((start, observation))
    observation, start, value = observation[order], start[order], value[order]
    last_of_observation = np.append(observation[1:] != observation[:-1], True)
    end = np.where(last_of_observation, OPEN, np.append(start[1:], OPEN) - _DAY)
    at = dt.datetime(2026, 5, 29, 14, 16, 2, tzinfo=dt.UTC)
    return Published(
        series_id, title or f"{series_id} (test)", units, frequency, release_id,
        observation, start, end, value, at, is_in_alfred,
    )  # fmt: skip
