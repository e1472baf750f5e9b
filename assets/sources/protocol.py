"""What every publisher looks like to the rest of the project: one base class, one payload, four ways to fail.

Also a publisher's words for unit, base year and frequency, in the catalogue's terms; None for what is not understood.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from assets.catalog.models import Frequency, Series, UnitKind
from assets.compute.calendar import Days
from assets.sources.pacing import NothingListens, Transient

Rule = Literal[
    "empty_file", "missing_column", "not_a_number", "not_a_date", "duplicate_key", "future_date",
    "impossible_date", "implausible_value", "unit_changed", "frequency_changed", "shorter_than_before",
    "vintages_missing",
]  # fmt: skip
VintageSource = Literal["alfred", "rtdsm", "publisher"]
# The result of a fetch, as `raw.fetches` records it.
FetchStatus = Literal["new", "unchanged", "stale", "unreachable", "not_in_profile", "refused"]


class SourceUnreachable(Exception):
    """No response, or no file: one line with what was requested and what happened.

    `may_pass`: a retry may help. `nothing_listens`: there is no server. `retry_after`: the wait (seconds) it requests.
    """

    def __init__(self, message: str, failure: Exception | None = None) -> None:
        """`failure` is the cause; only a Transient one may pass."""
        super().__init__(message)
        self.failure = failure
        self.may_pass = isinstance(failure, Transient)
        self.nothing_listens = isinstance(failure, NothingListens)
        self.retry_after = failure.retry_after if isinstance(failure, Transient) else None


class SeriesUnknown(Exception):
    """The source does not know the series: one line naming both."""


class CredentialsRefused(Exception):
    """The key is missing or refused: one line with the way to get one, never the key. Ends the run."""


class PayloadRefused(Exception):
    """The source responded, and what it served is wrong; nothing of it enters the warehouse.

    One line: "sample_data/UNRATE.csv: UNRATE: implausible_value: 4300.0 on 2026-03-01 is outside 0..30; check the
    file". `where` is a file relative to the project, or a URL without secrets. `may_pass`: it was no table at all,
    like the error page of a proxy.
    """

    def __init__(
        self, rule: Rule, series_id: str, where: str, detail: str, way_out: str, may_pass: bool = False
    ) -> None:
        self.rule, self.where, self.detail, self.may_pass = rule, where, detail, may_pass
        super().__init__(" ".join(f"{where}: {series_id}: {rule}: {detail}; {way_out}".split()))


@dataclass(frozen=True)
class Payload:
    """What a source served for one series, before validation.

    `observations`: one row per observation and vintage, with `observation_date` (datetime64[s]), `value` (float64, in
    the publisher's unit, NaN where it published none), `realtime_start` (datetime64[s], NaT without vintages) and, from
    FRED, `realtime_end`; `vintage_source` names whose vintages the dated rows are. `unit` and `frequency` are the
    publisher's own texts, None where it states none. `where` is the file or URL without secrets. `is_complete`: the
    full history, not only the part since our newest vintage.
    `rows_expected`: the number of rows the source states. `is_unchanged`: no change since the last fetch, and no rows.
    `is_bundled`: from the files of the project. `notes` are the source's remarks.
    """

    series_id: str
    observations: pd.DataFrame
    where: str
    unit: str | None = None
    frequency: str | None = None
    last_updated: dt.datetime | None = None
    is_complete: bool = True
    rows_expected: int | None = None
    is_unchanged: bool = False
    is_bundled: bool = False
    notes: tuple[str, ...] = ()
    vintage_source: VintageSource = "alfred"

    @property
    def has_vintages(self) -> bool:
        """Whether the source dates at least one row."""
        return bool(self.observations["realtime_start"].notna().any())

    @property
    def host(self) -> str:
        """The server, or the folder of the bundle."""
        return urlsplit(self.where).hostname or self.where.split("/")[0]

    @property
    def unit_kind(self) -> UnitKind | None:
        """Scale and kind of the unit text; None when there is none or it is not understood."""
        return parse_unit(self.unit)

    @property
    def frequency_code(self) -> Frequency | None:
        """Frequency of the publisher's text; None when there is none or it is not understood."""
        return parse_frequency(self.frequency)


def observations_frame(
    dates: Sequence[str] | np.ndarray,
    values: Sequence[float] | np.ndarray,
    starts: Sequence[str] | np.ndarray | None = None,
) -> pd.DataFrame:
    """The frame of a payload, with exact types; `starts` is None where the source has no vintages."""
    observation = np.asarray(dates, dtype="datetime64[s]")
    start = np.full(len(observation), "NaT") if starts is None else np.asarray(starts)
    return pd.DataFrame(
        {
            "observation_date": observation,
            "value": np.asarray(values, dtype="float64"),
            "realtime_start": start.astype("datetime64[s]"),
        }
    )


@dataclass(frozen=True)
class Known:
    """What archive and accepted fetches state about a series (`assets/warehouse` reads it). Moments are UTC.

    `last_updated`: the publisher's stamp at the last fetch. `newest_vintage`: newest first day among ALFRED's vintages.
    `held_first`, `newest_observation`: of any stored row. `reconciled_at`: the last complete fetch, which stated
    `unit_kind` and had `rows_served` observations. `vintages_at`: when the archive last gained a vintage of the
    real-time data set. `newest_of_publisher`: newest first day among the vintages the publisher keeps.
    `complete_on`, `asked_on`: the publisher's day at the last complete fetch, and at the last one of any kind.
    `planned`: the observation whose release day was requested in the last days.
    """

    last_updated: dt.datetime | None
    newest_vintage: dt.date | None
    newest_observation: dt.date | None
    reconciled_at: dt.datetime | None
    vintages_at: dt.datetime | None = None
    newest_of_publisher: dt.date | None = None
    held_first: dt.date | None = None
    unit_kind: str | None = None
    rows_served: int | None = None
    complete_on: dt.date | None = None
    asked_on: dt.date | None = None
    planned: dt.date | None = None


@dataclass(frozen=True)
class LateRelease:
    """A figure that was planned to be published by now and has not arrived."""

    series_id: str
    observation_date: dt.date
    expected_on: dt.date
    release_name: str

    def __str__(self) -> str:
        return (
            f"the figure of {self.observation_date} was expected on {self.expected_on} ({self.release_name})"
        )


class PlannedRelease(NamedTuple):
    """The figure after the newest one, and the day its publisher plans to release it; None where none is planned."""

    observation_date: dt.date
    day: dt.date | None


class Part(NamedTuple):
    """The series of a run that one source serves; `name` is for progress lines."""

    name: str
    source: Source
    series: list[Series]


class Source:
    """One publisher during one run. A publisher with vintages and a release calendar overrides the last three."""

    serves_vintages: ClassVar[bool] = False  # whether a first load fetches every vintage, request by request

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """What the publisher serves today, not validated; with `known`, only what is new to us.

        Raises SourceUnreachable, SeriesUnknown, CredentialsRefused, PayloadRefused (no table of figures at all).
        """
        raise NotImplementedError

    def parts(self, series: list[Series]) -> list[Part]:
        """The series by the source that fetches them; what is down in one part does not delay another."""
        return [Part(f"raw/{series[0].source}", self, series)]

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return 0

    def probe(self) -> None:
        """One request: is the publisher available? Raises SourceUnreachable, CredentialsRefused."""

    def publications(self, series: Series, observations: Days) -> dict[np.datetime64, np.datetime64]:
        """First publication by period stamp, for figures older than the first vintage; {} where it is not known."""
        return {}

    def planned_release(self, series: Series, newest_observation: dt.date) -> PlannedRelease | None:
        """The next figure in the publisher's release calendar; None without a calendar."""
        return None

    def late_release(self, series: Series, newest_observation: dt.date) -> LateRelease | None:
        """The next figure, when the day planned for it has passed; None when none is overdue."""
        return None


_DOLLARS = re.compile(r"\b(dollars?|usd)\b|\$")
_PER_OUNCE = re.compile(r"(per|/)\s*(troy\s+)?(ounces?|oz)\b")
_PER_HOUR = re.compile(r"(per|/)\s*(hours?|hr)\b")
_OTHER_SCALE = re.compile(r"\b(trillions?|hundreds?|basis points?|bps?)\b")
_SCALES = {
    "bn": re.compile(r"\b(billions?|bn|bil)\b"),
    "mn": re.compile(r"\b(millions?|mn|mil)\b"),
    "thousands": re.compile(r"\bthousands?\b"),
}
_PLAIN: tuple[tuple[UnitKind, re.Pattern[str]], ...] = (  # the first that fits
    ("pp", re.compile(r"\bpercentage points?\b|\bpp\b")),
    ("pct", re.compile(r"\bper ?cent(age)?\b|\bpct\b|%")),
    ("index", re.compile(r"\bindex\b")),
    ("indicator", re.compile(r"\+?1 or 0|\bindicator\b|\b0/1\b")),
    ("count", re.compile(r"\b(persons?|number|claims|units?|count)\b")),
)
_MONEY: dict[str | None, UnitKind] = {None: "usd", "mn": "usd_mn", "bn": "usd_bn"}
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d{2}(?!\d)")
_SHORT_RANGE = re.compile(r"(?<!\d)((?:18|19|20)\d{2})\s*-\s*(\d{2})(?!\d)")
_FREQUENCIES: dict[str, Frequency] = {
    "d": "D", "daily": "D", "w": "W", "weekly": "W", "m": "M", "monthly": "M", "q": "Q", "quarterly": "Q",
}  # fmt: skip


def parse_unit(text: str | None) -> UnitKind | None:
    """Scale and kind a unit text states ("Millions of U.S. Dollars" is usd_mn); None when not understood."""
    if text is None:
        return None
    words = text.lower().replace("u.s.", "us").replace("us$", "usd")
    if _OTHER_SCALE.search(words):
        return None
    scale = next((name for name, pattern in _SCALES.items() if pattern.search(words)), None)
    if _DOLLARS.search(words):
        per_ounce, per_hour = _PER_OUNCE.search(words), _PER_HOUR.search(words)
        if per_ounce or per_hour:
            return None if scale else "usd_per_oz" if per_ounce else "usd_per_hour"
        return _MONEY.get(scale)
    if scale is not None:
        return "thousands" if scale == "thousands" else None
    return next((kind for kind, pattern in _PLAIN if pattern.search(words)), None)


def base_years(text: str | None) -> tuple[str, ...]:
    """Base years in a unit text: ("2017",) for "Index 2017=100" and "Chained 2017 Dollars"; () for none."""
    if text is None:
        return ()
    written_out = _SHORT_RANGE.sub(lambda match: f"{match[1]}-{match[1][:2]}{match[2]}", text)
    return tuple(_YEAR.findall(written_out))


def parse_frequency(text: str | None) -> Frequency | None:
    """Frequency a text states by its first word ("Weekly, Ending Friday" is W); None when not understood."""
    words = re.findall(r"[a-z]+", (text or "").lower())
    return _FREQUENCIES.get(words[0]) if words else None
