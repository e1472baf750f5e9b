"""FRED as a source: what to ask of it on a first load, on a quiet night, on a changed one and once a week.

Belongs here: that choice, and what each of FRED's failures means for a series. Does not belong here: FRED's
protocol (`fred_client.py`), the archive.

Requests: first load 2 a series (more where vintages exceed one answer), an unchanged night 1, a changed one 2.
"""

from __future__ import annotations

import datetime as dt
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.compute.calendar import Days, days
from assets.sources.fred_calendar import expected_on, is_overdue, next_stamp, publications
from assets.sources.fred_client import REQUESTS_PER_SECOND, FredClient, Release, SeriesInfo
from assets.sources.fred_errors import FredError, Garbled, KeyRefused, NotInAlfred, SeriesNotFound
from assets.sources.fred_vintages import FIRST_DAY, Periods, Unreadable, in_todays_unit, with_withdrawals
from assets.sources.pacing import Patience, RetryBudget, Transient
from assets.sources.parse import observations_frame
from assets.sources.protocol import (
    CredentialsRefused,
    Known,
    LateRelease,
    Payload,
    PayloadRefused,
    Rule,
    SeriesUnknown,
    SourceUnreachable,
)

_NEW_YORK = ZoneInfo("America/New_York")
_RECONCILE_AFTER_DAYS = 6
_NIGHTS = 5  # the schedule runs Monday to Friday
_LOOK_BACK_DAYS = 100  # a market series may correct a quote of the last weeks; older ones once a week
_CALENDAR_FAILURES = 3  # then release dates are not asked for any more: figures are dated by lag without them
_PROBE = "UNRATE"
_DAY = dt.timedelta(days=1)
_WAY_OUT = "ask again, then check FRED's page of the series"


@dataclass(frozen=True)
class _Served:
    rows: pd.DataFrame
    is_complete: bool
    notes: tuple[str, ...] = ()


class FredSource:
    """FRED behind one key; one instance a run, so that pace, request count and release dates are shared."""

    def __init__(
        self, client: FredClient, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        """`now` is an aware moment."""
        self._client = client
        self._now = now
        self._calendar_failures = 0
        self._releases: dict[str, Release] = {}
        self._dates: dict[tuple[int, bool], Days] = {}

    @classmethod
    def connect(
        cls,
        api_key: str | None,
        root_url: str | None = None,
        per_second: float | None = None,
        budget: RetryBudget | None = None,
    ) -> FredSource:
        """A source for a key, at FRED's own address and pace unless told; nothing is asked yet.

        Raises CredentialsRefused, ValueError (an address that is none).
        """
        try:
            client = FredClient(
                api_key,
                root_url,
                requests_per_second=per_second or REQUESTS_PER_SECOND,
                patience=Patience(budget=budget),
            )
        except KeyRefused as refusal:
            raise CredentialsRefused(str(refusal)) from None
        return cls(client)

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._client.requests

    def probe(self) -> None:
        """Whether FRED answers and takes the key, without patience. Raises SourceUnreachable, CredentialsRefused."""
        try:
            self._client.probe(_PROBE)
        except KeyRefused as refusal:
            raise CredentialsRefused(str(refusal)) from None
        except (FredError, Transient) as error:
            raise SourceUnreachable(str(error), error) from None

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The series with its vintages if it is revised, else its figures; with `known`, what is new to us.

        The whole history is asked for once a week. Raises SourceUnreachable, SeriesUnknown,
        CredentialsRefused, PayloadRefused (an answer that stays unreadable).
        """
        where = f"{self._client.root_url}/series/observations?series_id={series.series_id}"
        began, before = time.monotonic(), self._client.requests
        try:
            info, served = self._ask(series, known)
        except (FredError, Transient, Unreadable) as error:
            raise _meaning(error, series.series_id, where) from None
        return Payload(
            series_id=series.series_id,
            observations=served.rows,
            unit=info.units or None,
            frequency=info.frequency or None,
            last_updated=info.last_updated,
            requests=self._client.requests - before,
            seconds=time.monotonic() - began,
            where=where,
            is_complete=served.is_complete,
            is_unchanged=served.rows.empty and not served.is_complete,
            notes=(*_remarks(info), *served.notes),
        )

    def publications(self, series: Series, observations: Days) -> dict[np.datetime64, np.datetime64]:
        """First publication by period stamp, from the dates of the series' release; {} where they say nothing.

        For figures older than the first vintage. At most 2 requests a series, one of them for all series of a
        release. Never raises for FRED's sake: the lag rule serves where the dates are not to be had.
        """
        return publications(observations, series, self._release_dates(series, planned=False))

    def late_release(self, series: Series, newest_observation: dt.date) -> LateRelease | None:
        """The figure that was planned to be out and is not among ours; None when nothing is overdue.

        Asks FRED only when the lag rule says so: at most 2 requests a series, one of them for all of a release.
        """
        today = self._today()
        if not is_overdue(newest_observation, series, today):
            return None
        planned = expected_on(newest_observation, series, self._release_dates(series, planned=True))
        if np.isnat(planned) or not planned < np.datetime64(today, "D"):
            return None
        name = self._releases[series.series_id].name or "its release"
        missing = next_stamp(newest_observation, series)
        return LateRelease(series.series_id, missing.astype(object), planned.astype(object), name)

    def _ask(self, series: Series, known: Known | None) -> tuple[SeriesInfo, _Served]:
        info = self._client.series_info(series.series_id)
        is_due = known is None or is_reconciliation_due(series.series_id, known.reconciled_at, self._today())
        is_unchanged = known is not None and known.last_updated is not None
        is_unchanged = is_unchanged and known is not None and known.last_updated == info.last_updated
        if is_unchanged and not is_due:
            return info, _Served(_frame(None), is_complete=False)
        whole = known is None or is_due
        if not series.is_revisable:
            return info, self._figures(series, None if whole or known is None else known.newest_observation)
        return info, self._vintages(series, None if whole or known is None else known.newest_vintage)

    def _figures(self, series: Series, newest: dt.date | None) -> _Served:
        """Figures without vintages: all of them, or those since some time before the newest one held.

        A target range may be served on the eve of the day it holds from: such a row is left for that day.
        """
        since = None if newest is None else (newest - dt.timedelta(days=_LOOK_BACK_DAYS)).isoformat()
        rows = self._client.observations(series.series_id, since)
        if series.is_step:
            rows = rows.take(rows.observation <= np.datetime64(self._today(), "D"))
        return _Served(_frame(rows, has_vintages=False), is_complete=since is None)

    def _vintages(self, series: Series, newest: dt.date | None) -> _Served:
        """Every vintage, or those since the newest one held, that one included: its day may not have been over.

        Asking from the day before tells a period that began then or earlier, and was clipped, from a new one.
        """
        since = FIRST_DAY if newest is None else (newest - _DAY).isoformat()
        rows, steps = in_todays_unit(self._client.all_releases(series.series_id, since))
        rows = with_withdrawals(rows, np.datetime64(self._today(), "D"))
        if newest is not None:
            rows = rows.take(rows.start > np.datetime64(since, "D"))
        notes = tuple(
            f"vintages before {day} carried into today's unit (times 1e{power})" for day, power in steps
        )
        return _Served(_frame(rows), is_complete=newest is None, notes=notes)

    def _release_dates(self, series: Series, planned: bool) -> Days:
        """Days on which the series' release came out, or was planned to; none when FRED does not say."""
        if self._calendar_failures >= _CALENDAR_FAILURES:
            return days([])
        try:
            if series.series_id not in self._releases:
                self._releases[series.series_id] = self._client.release_of(series.series_id)
            asked = (self._releases[series.series_id].release_id, planned)
            if asked not in self._dates:
                self._dates[asked] = self._client.release_dates(*asked)
        except KeyRefused as refusal:
            raise CredentialsRefused(str(refusal)) from None
        except (FredError, Transient, Unreadable) as error:
            self._calendar_failures += isinstance(error, Transient)
            return days([])
        return self._dates[asked]

    def _today(self) -> dt.date:
        return self._now().astimezone(_NEW_YORK).date()


def is_reconciliation_due(series_id: str, reconciled_at: dt.datetime | None, today: dt.date) -> bool:
    """Whether the whole history should be asked for again: on the series' own weekday, or after six days.

    So it is when the last time lies in the future: the clock was ahead then, and nobody knows by how much.

    The weekday follows from the id, so that a week's work is spread over its nights even when all series were
    first loaded on the same one.
    """
    if reconciled_at is None:
        return True
    age = (today - reconciled_at.astimezone(_NEW_YORK).date()).days
    is_own_night = today.weekday() == zlib.crc32(series_id.encode()) % _NIGHTS
    return not 0 <= age <= _RECONCILE_AFTER_DAYS or (age > 0 and is_own_night)


def _meaning(error: Exception, series_id: str, where: str) -> Exception:
    """What a failure of FRED's means for a series, in the words of the protocol."""
    if isinstance(error, Garbled | Unreadable):
        may_pass = isinstance(error, Transient)
        return PayloadRefused(_rule(error), series_id, where, str(error), _WAY_OUT, may_pass)
    if isinstance(error, KeyRefused):
        return CredentialsRefused(str(error))
    if isinstance(error, SeriesNotFound):
        return SeriesUnknown(f"{series_id}: {error}")
    if isinstance(error, NotInAlfred):
        return SourceUnreachable(
            f"{series_id}: FRED serves no vintages of it today, and today's figures do not stand in: "
            f"they would be dated before their release ({error})"
        )
    return SourceUnreachable(f"{series_id}: {error}", error)


def _rule(error: Garbled | Unreadable) -> Rule:
    if isinstance(error, Unreadable):
        return "not_a_date" if error.is_date else "not_a_number"
    return "empty_file" if error.is_empty else "missing_column"


def _remarks(info: SeriesInfo) -> tuple[str, ...]:
    return ("FRED calls it discontinued",) if "DISCONTINUED" in info.title.upper() else ()


def _frame(rows: Periods | None, has_vintages: bool = True) -> pd.DataFrame:
    """The payload's rows; `realtime_end` (9999-12-31: still holds) only where FRED's periods mean vintages."""
    if rows is None:
        return observations_frame([], [])
    frame = observations_frame(rows.observation, rows.value, rows.start if has_vintages else None)
    return frame.assign(realtime_end=rows.end.astype("datetime64[s]")) if has_vintages else frame
