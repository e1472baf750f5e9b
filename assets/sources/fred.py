"""FRED as a source: what to request on a first load, on a run with no new data, on a changed series and once a week.

Requests: first load 2 a series (more where vintages exceed one response), unchanged 1, changed 2.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.compute.calendar import NAT, Days, days, first_publication, period_end, stamp_before
from assets.sources.fred_client import (
    DAY,
    FIRST_DAY,
    LAST_DAY,
    ORDER,
    FredClient,
    FredError,
    Garbled,
    NotInAlfred,
    Release,
    SeriesNotFound,
)
from assets.sources.pacing import Transient
from assets.sources.parse import Unusable
from assets.sources.protocol import (
    Known,
    LateRelease,
    Payload,
    PayloadRefused,
    PlannedRelease,
    SeriesUnknown,
    Source,
    SourceUnreachable,
    observations_frame,
)

_NEW_YORK = ZoneInfo("America/New_York")
_RECONCILE_AFTER_DAYS = 6
_WEEKDAYS = 5  # the schedule runs Monday to Friday
_LOOK_BACK_DAYS = 100  # a market series may correct a quote of the last weeks; older ones once a week
_CALENDAR_FAILURES = 3  # then no more release dates are requested: figures are dated by lag without them
_PROBE = "UNRATE"
_STEPS = (-6, -3, 3, 6)  # powers of ten between units, thousands to billions
_STEP_TOLERANCE = 0.02  # of a power of ten: the same figures, rounded, may be revised on the same day
_STEP_ROWS, _STEP_SHARE = 10, 0.9
# Days before the lag rule's date from which a release date may be the period's own.
_EARLY = {"W": 3, "M": 10, "Q": 10}
# For a release with several days a period (GDP: three a quarter; a weekly one with a monthly figure). FRED does not
# state which of them brought the figure, and a day too early would be look-ahead.
_EARLY_OF_MANY = {"W": 0, "M": 0, "Q": 5}
_OFTEN, _PERIOD_DAYS = 0.6, {"W": 7, "M": 30, "Q": 91}
_DAILY = 4  # days between dates: even a weekly release is further apart
_MONTHS = {"M": 1, "Q": 3}
_LATEST = np.timedelta64(150, "D")  # after it, the date belongs to something else


class FredSource(Source):
    """FRED behind one key; one instance a run, so that pace, request count and release dates are shared."""

    serves_vintages = True

    def __init__(
        self, client: FredClient, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        """`now` is an aware moment."""
        self._client = client
        self._now = now
        self._calendar_failures = 0
        self._releases: dict[str, Release] = {}
        self._dates: dict[tuple[int, bool], Days] = {}

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._client.requests

    def probe(self) -> None:
        """Whether FRED responds and accepts the key. Raises SourceUnreachable, CredentialsRefused."""
        try:
            self._client.probe(_PROBE)
        except (FredError, Transient) as error:
            raise SourceUnreachable(str(error), error) from None

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The series with its vintages if it is revised, else its figures; with `known`, only what is new.

        The full history is requested once a week. Raises SourceUnreachable, SeriesUnknown, CredentialsRefused,
        PayloadRefused (a response that stays unreadable).
        """
        series_id = series.series_id
        where = f"{self._client.root_url}/series/observations?series_id={series_id}"
        is_due = known is None or is_reconciliation_due(series_id, known.reconciled_at, self._today())
        since = None if is_due else known  # None: request the full history
        rows, newest, notes = observations_frame([], []), None, tuple[str, ...]()
        try:
            info = self._client.series_info(series_id)
            stamp = since.last_updated if since is not None else None
            is_unchanged = stamp is not None and stamp == info.last_updated
            if not is_unchanged and series.is_revisable:
                newest = since.newest_vintage if since is not None else None
                rows, notes = self._vintages(series, newest)
            elif not is_unchanged:
                newest = since.newest_observation if since is not None else None
                rows = self._figures(series, newest)
        except (FredError, Transient, Unusable) as error:
            raise _meaning(error, series_id, where) from None
        if "DISCONTINUED" in info.title.upper():
            notes = ("FRED calls it discontinued", *notes)
        is_complete = newest is None and not is_unchanged
        return Payload(
            series_id=series_id,
            observations=rows,
            unit=info.units or None,
            frequency=info.frequency or None,
            last_updated=info.last_updated,
            where=where,
            is_complete=is_complete,
            is_unchanged=rows.empty and not is_complete,
            notes=notes,
        )

    def publications(self, series: Series, observations: Days) -> dict[np.datetime64, np.datetime64]:
        """First publication by period stamp, from the dates of the series' release; {} where FRED states none.

        At most 2 requests a series, one of them for all series of a release. Without the dates the lag rule applies:
        no failure of FRED raises but a refused key.
        """
        return publications(observations, series, self._release_dates(series, planned=False))

    def planned_release(self, series: Series, newest_observation: dt.date) -> PlannedRelease:
        """At most 2 requests, one of them for all series of a release.

        A calendar of every day (H.15 and others) says nothing about a monthly figure: no day is planned then.
        """
        calendar, missing = self._release_dates(series, planned=True), next_stamp(newest_observation, series)
        is_plan = len(calendar) and not is_daily(calendar)
        day = expected_on(newest_observation, series, calendar) if is_plan else NAT
        return PlannedRelease(missing.astype(object), day.astype(object))  # NaT is None

    def late_release(self, series: Series, newest_observation: dt.date) -> LateRelease | None:
        """The next figure, when its planned day has passed; None when none is overdue.

        Sends requests only when the figure is overdue by the lag rule.
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

    def _figures(self, series: Series, newest: dt.date | None) -> pd.DataFrame:
        """Figures without vintages: all of them, or those since some time before the newest one in the archive.

        A target range may be served the day before it takes effect: such a row is left out until that day.
        """
        since = None if newest is None else (newest - dt.timedelta(days=_LOOK_BACK_DAYS)).isoformat()
        rows = self._client.observations(series.series_id, since)
        if series.is_step:
            rows = rows[rows["observation_date"] <= pd.Timestamp(self._today())]
        return observations_frame(rows["observation_date"].to_numpy(), rows["value"].to_numpy())

    def _vintages(self, series: Series, newest: dt.date | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Every vintage, or those since the newest one in the archive, and remarks; no projected period.

        The newest one is included: its day may not have been over. The request begins a day earlier, to tell a clipped
        period from one that begins on that day.
        """
        since = FIRST_DAY if newest is None else (newest - dt.timedelta(days=1)).isoformat()
        rows, changes = in_todays_unit(self._client.all_releases(series.series_id, since))
        rows = with_withdrawals(rows, self._today())
        if newest is not None:
            rows = rows[rows["realtime_start"] > pd.Timestamp(since)]
        if series.is_projected:
            rows = rows[rows["observation_date"] <= pd.Timestamp(self._today())]
        return rows.reset_index(drop=True), tuple(
            f"vintages before {day:%Y-%m-%d} converted to today's unit (times 1e{power})"
            for day, power in changes
        )

    def _release_dates(self, series: Series, planned: bool) -> Days:
        """Days on which the series' release came out, or was planned to; none when FRED does not state them."""
        if self._calendar_failures >= _CALENDAR_FAILURES:
            return days([])
        try:
            if series.series_id not in self._releases:
                self._releases[series.series_id] = self._client.release_of(series.series_id)
            key = (self._releases[series.series_id].release_id, planned)
            if key not in self._dates:
                self._dates[key] = self._client.release_dates(*key)
        except (FredError, Transient, Unusable) as error:
            self._calendar_failures += isinstance(error, Transient)
            return days([])
        return self._dates[key]

    def _today(self) -> dt.date:
        return self._now().astimezone(_NEW_YORK).date()


def is_reconciliation_due(series_id: str, reconciled_at: dt.datetime | None, today: dt.date) -> bool:
    """Whether to request the full history again: on the series' own weekday, after six days, or without a valid date.

    The weekday follows from the id, so that the week's work is spread over its runs even when all series were first
    loaded on the same day. A date in the future means that the clock was wrong then.
    """
    if reconciled_at is None:
        return True
    age = (today - reconciled_at.astimezone(_NEW_YORK).date()).days
    is_own_weekday = today.weekday() == zlib.crc32(series_id.encode()) % _WEEKDAYS
    return not 0 <= age <= _RECONCILE_AFTER_DAYS or (age > 0 and is_own_weekday)


def _meaning(error: Exception, series_id: str, where: str) -> Exception:
    """What a failure of FRED means for a series."""
    way_out = "fetch it again, then check FRED's page of the series"
    if isinstance(error, Unusable | Garbled):
        may_pass = isinstance(error, Garbled)
        return PayloadRefused(error.rule, series_id, where, str(error), way_out, may_pass)
    if isinstance(error, SeriesNotFound):
        return SeriesUnknown(f"{series_id}: {error}")
    if isinstance(error, NotInAlfred):
        return SourceUnreachable(
            f"{series_id}: FRED serves no vintages of it today, and today's figures are not used instead: "
            f"they would be dated before their release ({error})"
        )
    return SourceUnreachable(f"{series_id}: {error}", error)


# --- vintages and release dates ---


def with_withdrawals(rows: pd.DataFrame, today: dt.date) -> pd.DataFrame:
    """Rows (by observation, then start), and a missing value from each day on which a figure was withdrawn.

    A new base year, for example, leaves out the first decades for a while: FRED then ends a period and begins no other.
    An end on or after `today` is the edge of the request, not a withdrawal.
    """
    gone = rows["realtime_end"] + DAY
    following = rows.groupby("observation_date")["realtime_start"].shift(-1)
    is_withdrawn = (gone <= pd.Timestamp(today)) & ~(following <= gone) & rows["value"].notna()
    end = (following - DAY).fillna(pd.Timestamp(LAST_DAY))
    left = rows.assign(realtime_start=gone, realtime_end=end, value=np.nan)[is_withdrawn]
    return pd.concat([rows, left]).sort_values(ORDER, ignore_index=True)


def in_todays_unit(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[pd.Timestamp, int]]]:
    """Rows (by observation, then start) with vintages in a former unit converted to today's.

    When FRED changes the unit of a series, for example from billions to millions, one day's vintage repeats every
    figure times a power of a thousand. The second result lists these days with the power of ten, newest first.
    """
    before, after = rows.groupby("observation_date")["value"].shift(), rows["value"]
    is_comparable = before.notna() & after.notna() & (before != 0) & (after != 0)
    ratio = pd.Series(np.log10((after / before)[is_comparable].abs()))
    power = ratio.round()
    is_step = power.isin(_STEPS) & ((ratio - power).abs() < _STEP_TOLERANCE)
    found = []
    for day, steps in power.where(is_step).groupby(rows["realtime_start"]):
        if steps.count() >= max(_STEP_ROWS, _STEP_SHARE * len(steps)) and steps.nunique() == 1:
            found.append((day, int(steps.max())))
    value, newest_first = after.copy(), found[::-1]
    for day, exponent in newest_first:
        value[rows["realtime_start"] < day] *= 10.0**exponent
    return rows.assign(value=value), newest_first


def publications(
    observations: Days, series: Series, release_dates: Days
) -> dict[np.datetime64, np.datetime64]:
    """Day of first publication by period stamp, for periods the release dates cover; {} for daily series.

    A release has several dates a period (GDP three a quarter, profits with the second), and FRED does not state which
    figures came on which. So a period gets the first date near its lag rule, and no date serves two periods: where two
    came at once, the later one is dated too late, not too early.
    """
    if series.frequency not in _EARLY or series.is_step or not len(release_dates):
        return {}
    stamps, dates = np.unique(observations), np.unique(release_dates)
    rule = first_publication(stamps, series, {})
    earliest = _earliest(stamps, series, dates)
    found, last = {}, dates[0]  # the first date only shows that the calendar had begun
    for stamp, early, by_rule in zip(stamps, earliest, rule, strict=True):
        if early < dates[0]:
            continue
        at = int(np.searchsorted(dates, max(early, last + DAY)))
        if at < len(dates) and dates[at] <= by_rule + _LATEST:
            found[stamp] = last = dates[at]
    return found


def next_stamp(newest: dt.date, series: Series) -> np.datetime64:
    """Stamp of the period after the newest one in the archive; NaT for a daily series."""
    if series.frequency == "W":
        return np.datetime64(newest, "D") + np.timedelta64(7, "D")
    if series.frequency not in _MONTHS:
        return NAT
    return stamp_before(days(newest), -_MONTHS[series.frequency])[0]


def is_overdue(newest: dt.date, series: Series, today: dt.date) -> bool:
    """Whether the next period's figure should be published by the lag rule, but not for months already."""
    stamp = next_stamp(newest, series)
    if np.isnat(stamp) or series.is_step:
        return False
    due = first_publication(days(stamp), series, {})[0]
    return bool(due < np.datetime64(today, "D") <= due + _LATEST)


def is_daily(release_dates: Days) -> bool:
    """Whether a calendar has a date for nearly every working day, with figures or not."""
    return len(release_dates) > 1 and np.median(np.diff(np.unique(release_dates)).astype("int64")) < _DAILY


def expected_on(newest: dt.date, series: Series, release_dates: Days) -> np.datetime64:
    """Release date planned for the next period; NaT when there is none."""
    stamp, planned = days(next_stamp(newest, series)), np.unique(release_dates)
    planned = planned[planned >= _earliest(stamp, series, planned)[0]]
    limit = first_publication(stamp, series, {})[0] + _LATEST
    return planned[0] if len(planned) and planned[0] <= limit else NAT


def _earliest(stamps: Days, series: Series, release_dates: Days) -> Days:
    """The first day that may be each period's own release date."""
    rule = first_publication(stamps, series, {})
    gaps = np.diff(release_dates).astype("int64")
    is_frequent = len(gaps) > 0 and np.median(gaps) < _OFTEN * _PERIOD_DAYS[series.frequency]
    slack = np.timedelta64((_EARLY_OF_MANY if is_frequent else _EARLY)[series.frequency], "D")
    return np.maximum(rule - slack, period_end(stamps, series.frequency) + DAY)
