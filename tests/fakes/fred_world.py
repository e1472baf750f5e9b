"""What the fake FRED knows: series with every period in which each value was the known one, and releases."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Series
from assets.compute.calendar import Days, days, first_publication, released_on

OPEN = np.datetime64("9999-12-31", "D")
END = np.datetime64("2026-05-31", "D")  # no fake publisher knows anything later, unless a test revises it
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
        self.keep(np.lexsort((self.start, self.observation)))
        self.touch()

    def withdraw(self, day: str, stamps: Sequence[str]) -> None:
        """From a day on these observations have no figure any more."""
        named = np.isin(self.observation, days(list(stamps))) & (self.end == OPEN)
        self.end[named] = np.datetime64(day, "D") - _DAY
        self.touch()

    def truncate(self, first: str) -> None:
        """The publisher serves nothing before a day any more."""
        self.keep(self.observation >= np.datetime64(first, "D"))
        self.touch()

    def recorded_since(self, first: str) -> None:
        """The archive of vintages begins on a day: what held then is all it says of the time before."""
        day = np.datetime64(first, "D")
        self.keep(self.end >= day)
        self.start = np.maximum(self.start, day)

    def keep(self, rows: np.ndarray) -> None:
        """Only these rows, by mask or position."""
        for name in ("observation", "start", "end", "value"):
            setattr(self, name, getattr(self, name)[rows])

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
) -> Published:
    """A series from (observation, first day, value): each value holds until the next one of its observation."""
    value = np.array([row[2] for row in rows], dtype="float64")
    empty = _without_rows(series_id, f"{series_id} (test)", units, frequency, release_id)
    return with_rows(empty, days([row[0] for row in rows]), days([row[1] for row in rows]), value)


def _without_rows(series_id: str, title: str, units: str, frequency: str, release_id: int) -> Published:
    at = dt.datetime(2026, 5, 29, 14, 16, 2, tzinfo=dt.UTC)
    return Published(
        series_id, title, units, frequency, release_id, days([]), days([]), days([]), np.empty(0), at
    )


def with_rows(one: Published, observation: Days, start: Days, value: np.ndarray) -> Published:
    """The series with other figures, by the first day of each value."""
    order = np.lexsort((start, observation))
    observation, start, value = observation[order], start[order], value[order]
    last_of_observation = np.append(observation[1:] != observation[:-1], True)
    end = np.where(last_of_observation, OPEN, np.append(start[1:], OPEN) - _DAY)
    return replace(one, observation=observation, start=start, end=end, value=value)


SAMPLE = PROJECT_ROOT / "sample_data"
FREQUENCIES = {"D": "Daily", "W": "Weekly, Ending Wednesday", "M": "Monthly", "Q": "Quarterly"}
_GROUPS = sorted({series.group for series in load_catalog().series.values()})


def figures(series_id: str) -> tuple[Days, np.ndarray]:
    """Observation dates and values (NaN: published as missing) of a sample file."""
    with (SAMPLE / f"{series_id}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = [float(row["value"]) if row["value"] else np.nan for row in rows]
    return days([row["date"] for row in rows]), np.array(values)


def first_known(series: Series, observation: Days) -> Days:
    """First publication as the sample dates it; a figure that never came out, by its lag."""
    listed = first_publication(
        observation, series, released_on(load_catalog().release_delays, series.series_id)
    )
    return np.where(np.isnat(listed), first_publication(observation, series, {}), listed)


def as_published(
    series: Series, observation: Days, value: np.ndarray, start: Days | None = None
) -> Published:
    """A series of the catalogue with these figures, known from their first publication on."""
    release_id, first = 10 + _GROUPS.index(series.group), start
    empty = _without_rows(
        series.series_id, series.title, series.unit, FREQUENCIES[series.frequency], release_id
    )
    if first is None:
        first = first_known(series, observation)
    return with_rows(empty, observation, first, value)


def sample_world(today: dt.date) -> World:
    """FRED's series of the sample, each figure known from its first publication on and never revised."""
    world = World(today)
    for series in load_catalog().in_profile("sample"):
        if series.source == "fred":
            observation, value = figures(series.series_id)
            known = first_known(series, observation) <= END
            world.series[series.series_id] = as_published(series, observation[known], value[known])
    add_releases(world)
    return world


def live_world(today: dt.date) -> World:
    """Every series FRED serves in live: the sample's, and for the others a made-up walk of plausible figures."""
    world, live = sample_world(today), load_catalog().in_profile("live")
    world.series = {s.series_id: world.series[s.series_id] for s in live if s.series_id in world.series}
    for series in live:
        if series.source == "fred" and series.series_id not in world.series:
            observation = _grid(series)
            known = first_known(series, observation) <= END
            walk = _walk(series, len(observation))
            world.series[series.series_id] = as_published(series, observation[known], walk[known])
    add_releases(world)
    return world


def revised_world(today: dt.date, realdata: Path | None = None) -> World:
    """The live world with each revisable figure revised after a month and in the autumn after; GDP as it really was."""
    world = live_world(today)
    catalog = load_catalog()
    for series_id, one in world.series.items():
        if catalog.series[series_id].is_revisable:
            world.series[series_id] = _revised(one, catalog.series[series_id])
    real = realdata / "vintages" / "quarterly_realtime_2005m4_2022m10.parquet" if realdata else None
    if real is not None and real.exists():
        world.series["GDP"] = _real_vintages(catalog.series["GDP"], real)
    add_releases(world)
    return world


def add_releases(world: World) -> None:
    """One release per group of the catalogue, with the days its monthly and quarterly series appeared."""
    for number, name in enumerate(_GROUPS, start=10):
        inside = [one for one in world.series.values() if one.release_id == number]
        dates = [one.start[one.start <= np.datetime64(world.today, "D")] for one in inside]
        found = np.unique(np.concatenate(dates)) if dates else days([])
        world.releases[number] = ReleaseDates(f"Release of {name}", found)


def _revised(one: Published, series: Series) -> Published:
    """First print, a month later a little higher, next September (benchmark) lower again."""
    last = one.observation.astype("datetime64[Y]") + 1
    benchmark = last.astype("datetime64[D]") + np.timedelta64(243, "D")
    benchmark = np.maximum(benchmark, one.start + np.timedelta64(60, "D"))
    starts = [one.start, one.start + np.timedelta64(31, "D"), benchmark]
    factors = (1.0, 1.001, 0.9995)
    values = [
        np.clip(np.round(one.value * f, 6), series.plausible_min, series.plausible_max) for f in factors
    ]
    start = np.concatenate(starts)
    known = start <= END
    return merged(
        with_rows(one, np.tile(one.observation, 3)[known], start[known], np.concatenate(values)[known])
    )


def _real_vintages(series: Series, file: Path) -> Published:
    """71 real quarterly vintages of a series, each dated the last day of its month."""
    frame = pd.read_parquet(file)
    frame = frame[(frame["series_id"] == series.series_id) & frame["value"].notna()]
    month = frame["vintage"].str.slice(0, 7).to_numpy().astype("datetime64[M]")
    start = (month + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    observation = frame["date"].to_numpy().astype("datetime64[D]")
    return merged(as_published(series, observation, frame["value"].to_numpy(dtype="float64"), start))


def merged(one: Published) -> Published:
    """The same with neighbouring periods of one value made one, as FRED keeps them."""
    same = (one.value[1:] == one.value[:-1]) | (np.isnan(one.value[1:]) & np.isnan(one.value[:-1]))
    repeats = (one.observation[1:] == one.observation[:-1]) & same
    keep = np.append(True, ~repeats)
    return with_rows(one, one.observation[keep], one.start[keep], one.value[keep])


def _grid(series: Series) -> Days:
    first, last = np.datetime64("1996-12-01", "D"), np.datetime64("2026-03-01", "D")
    if series.frequency == "D":
        every = np.arange(np.datetime64("2016-06-01"), np.datetime64("2026-05-30"))
        return every[np.is_busday(every)]
    if series.frequency == "W":
        return np.arange(np.datetime64("2002-12-18"), np.datetime64("2026-05-28"), 7)
    months = np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
    step = 3 if series.frequency == "Q" else 1
    return months[1 if step == 3 else 0 :: step].astype("datetime64[D]")


def _walk(series: Series, size: int) -> np.ndarray:
    """Figures that wander about the middle of what is plausible, the same on every run."""
    seed = sum(ord(letter) for letter in series.series_id)
    noise = np.random.default_rng(seed).normal(0, 1, size).cumsum()
    middle = (series.plausible_min + series.plausible_max) / 2
    width = (series.plausible_max - series.plausible_min) / 8
    return np.round(middle + width * noise / max(np.abs(noise).max(), 1), 4)


def open_value(one: Published, observation: str) -> float:
    """What stands today for an observation."""
    rows = (one.observation == np.datetime64(observation, "D")) & (one.end == OPEN)
    return float(one.value[rows][0])
