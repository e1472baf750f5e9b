"""How far the label is from another: one component moved alone, in its own unit, and the date of its next figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.method import Stance
from assets.catalog.models import Catalog, Series
from assets.compute.calendar import (
    NAT,
    Days,
    first_publication,
    month_end_after,
    months_before,
    value_on,
    weekday,
)
from assets.compute.conditions import SCORED, Readings
from assets.compute.diagnostics.attribution import Contributions, contributions
from assets.compute.grid import Grid
from assets.compute.reading import Floats, Reading, Texts, texts
from assets.compute.regime import Regime
from assets.compute.stance import STANCE_BY_DIRECTION, direction
from assets.compute.state import FLIPS, LEADS_TO, Flip, Threshold, flip_holds, thresholds

RATE, RATE_CHANGE = "real_yields.policy_rate_pct", "real_yields.policy_rate_change_6m_pp"
_BEYOND = 1e-9  # a limit is passed, never only reached up to a rounding error
_AHEAD_DAYS = 400
_WEDNESDAY = 2


def distance_to_flip(regime: Regime) -> pd.DataFrame:
    """Columns of `distance_to_flip`: a row per date, threshold in force and component it depends on."""
    parts, catalog = contributions(regime), regime.catalog
    scored, as_of = ~np.isnan(regime.bubble_score), regime.grid.as_of.astype("datetime64[s]")
    releases = Releases(regime.grid.as_of, catalog.series, regime.readings)
    mover = Mover(regime, parts)
    rows = list(_rate_rows(regime))
    for threshold in thresholds(catalog.method.state):
        in_force = [state for state, flips in FLIPS.items() if threshold.flip in flips]
        dates = np.flatnonzero(np.isin(regime.states.state, in_force) & scored)
        needed = _month_ends_needed(threshold.flip, regime)
        for k, condition in enumerate(parts.conditions):
            if threshold.measure in ("bubble_score", f"{condition}_score"):
                columns = _columns(threshold, k, mover, releases, catalog)
                frame = pd.DataFrame({"as_of_date": as_of, **columns, "month_ends_needed": needed})
                rows.append(frame.iloc[dates])
    return pd.concat(rows).sort_values(["as_of_date", "flip", "threshold", "component"], ignore_index=True)


def _columns(
    threshold: Threshold, k: int, mover: Mover, releases: Releases, catalog: Catalog
) -> dict[str, Any]:
    """What component `k` would have to do for the measure to pass the threshold, per grid date."""
    component, measure = mover.parts.components[k], mover.measures[threshold.measure]
    value, is_met = component.reading.value, threshold.is_met(measure)
    required, moved_score = mover.move(k, threshold)
    present = ~np.isnan(component.score)
    reachable = present & ~is_met & ~np.isnan(required)
    sufficient = flip_holds(threshold.flip, mover.measures_after(k, moved_score), catalog.method.state)
    due, due_series = releases.next_of(component.reading.series_ids)
    return {
        "flip": threshold.flip,
        "leads_to": LEADS_TO[threshold.flip],
        "threshold": threshold.name,
        "measure": threshold.measure,
        "measure_value": measure,
        "comparison": threshold.sign,
        "limit_value": threshold.limit,
        "condition": mover.parts.conditions[k],
        "component": component.name,
        "component_unit": catalog.unit_of(component.column),
        "component_value": value,
        "required_value": np.where(reachable, required, np.nan),
        "required_move": np.where(reachable, required - value, np.nan),
        "reachability": np.select(
            [~present, is_met, reachable], ["absent", "met", "reachable"], "unreachable"
        ).astype(object),
        "is_sufficient": texts(reachable, sufficient),
        "next_release_date": np.where(reachable, due, NAT).astype("datetime64[s]"),
        "next_release_series": texts(reachable, due_series),
        "lapse_date": np.full(len(value), NAT).astype("datetime64[s]"),
    }


def _month_ends_needed(flip: Flip, regime: Regime) -> np.ndarray:
    """Month-ends in a row on which the rule still has to hold, without those up to the date on which it has held."""
    rules, is_month_end = regime.catalog.method.state, regime.grid.is_month_end
    needed = np.ones(len(regime.grid), dtype="int64")
    if flip.startswith("leave"):
        return needed
    holds, run = flip_holds(flip, regime.scores.measures, rules), 0
    for i in range(len(needed)):
        if is_month_end[i]:
            run = run + 1 if holds[i] else 0
        needed[i] = max(rules.confirmation_months - run, 1)
    if flip == "enter_depression":
        needed[regime.scores.fast_entry(rules)] = 1
    return needed


def _rate_rows(regime: Regime) -> Iterator[pd.DataFrame]:
    """Rows for a turn of the policy rate that would change the stance.

    A rate that comes to rest (direction 0) is a turn too where easing or tightening has set the direction; it comes
    by itself, on a known day, when the window has passed the change.
    """
    change, rules = regime.readings[RATE_CHANGE], regime.catalog.method.stance
    limit = rules.rate_change_pp
    lapse = lapses(regime.readings[RATE].value, regime.grid, rules).astype("datetime64[s]")
    now, announced = regime.stance.rate, regime.stance.balance_sheet_announced
    never = np.full(len(now), NAT).astype("datetime64[s]")
    for flip, to, sign, required in (
        ("rate_to_easing", 1, "<=", np.full(len(now), -limit)),
        ("rate_to_tightening", -1, ">=", np.full(len(now), limit)),
        ("rate_to_unchanged", 0, "inside", np.where(now > 0, -limit, limit)),
    ):
        turned = np.sign(to + announced)
        turns = change.present & (to != now) & (turned != np.sign(now + announced))
        columns = {
            "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
            "flip": flip,
            "leads_to": STANCE_BY_DIRECTION[turned + 1],
            "threshold": "stance.rate_change_pp",
            "measure": RATE_CHANGE.partition(".")[2],
            "measure_value": change.value,
            "comparison": sign,
            "limit_value": required,
            "condition": "stance",
            "component": "policy_rate_change",
            "component_unit": regime.catalog.unit_of(RATE_CHANGE),
            "component_value": change.value,
            "required_value": required,
            "required_move": required - change.value,
            "reachability": "reachable",
            "is_sufficient": True,
            "month_ends_needed": 1,
            "next_release_date": never,
            "next_release_series": None,
            "lapse_date": lapse if to == 0 else never,
        }
        if turns.any():
            yield pd.DataFrame(columns)[turns]


def lapses(rate_pct: Floats, grid: Grid, rules: Stance) -> Days:
    """First month-end after each date on which an unchanged rate no longer counts as moved; NaT where unknown.

    The earlier end of the window is then a past month-end of the grid, and the rate known on it.
    """
    found = np.full(len(grid), NAT)
    for ahead in range(rules.rate_window_months, 0, -1):  # the nearest one is written last
        day = month_end_after(grid.as_of, ahead)
        earlier = months_before(day, rules.rate_window_months)
        change = rate_pct - value_on(grid.as_of, rate_pct, earlier)
        at_rest = ~np.isnan(change) & (direction(change, rules.rate_change_pp, inclusive=True) == 0)
        found = np.where(at_rest, day, found)
    return found


class Mover:
    """Moves of single components of a computed regime: from a limit back to a value, and on to every score."""

    def __init__(self, regime: Regime, parts: Contributions) -> None:
        self.parts, self.measures, self._is_month_end = (
            parts,
            regime.scores.measures,
            regime.grid.is_month_end,
        )
        self._decimals = regime.catalog.method.percentile.value_decimals
        self._inverse: dict[int, RankInverse] = {}
        # the other components of which, with the component, only the coldest counts
        self._partners = {k: [m for m in group if m != k] for group in parts.shared for k in group}

    def move(self, k: int, threshold: Threshold) -> tuple[Floats, Floats]:
        """Value component `k` needs on each date and the score it then has; NaN where no value is enough."""
        component, beyond = self.parts.components[k], _BEYOND if threshold.is_upward else -_BEYOND
        share = self._share(k) / (len(SCORED) if threshold.measure == "bubble_score" else 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            missing = (threshold.limit + beyond - self.measures[threshold.measure]) / share
        needed = self._counting_score(k) + missing
        needed = np.where((needed < 0) | (needed > 1) | np.isnan(component.score), np.nan, needed)
        if k in self._partners:  # the other one caps the block
            needed = np.where(needed > self._coldest(self._partners[k]), np.nan, needed)
        if component.value_at is not None:
            return component.value_at(needed), needed
        rises = threshold.is_upward == component.is_hot_when_high
        rank = needed if component.is_hot_when_high else 1.0 - needed
        if k not in self._inverse:  # each history is sorted once
            self._inverse[k] = RankInverse(component.past, self._is_month_end, self._decimals)
        inverse = self._inverse[k]
        value = inverse.value_at_least(rank) if rises else inverse.value_at_most(rank)
        value = np.where(np.isinf(value), np.nan, value)
        reached = inverse.rank_of(value)
        score = reached if component.is_hot_when_high else 1.0 - reached
        return value, np.where(np.isnan(value), np.nan, score)

    def measures_after(self, k: int, score: Floats) -> dict[str, Floats]:
        """Every score with component `k` at another one, everything else unchanged."""
        counts = np.fmin(score, self._coldest(self._partners[k])) if k in self._partners else score
        change = self._share(k) * (counts - self._counting_score(k))
        own = f"{self.parts.conditions[k]}_score"
        after = {own: self.measures[own] + change, "bubble_score": self.measures["bubble_score"] + change / 3}
        return {**self.measures, **after}

    def _share(self, k: int) -> Floats:
        """Weight of the component in its condition; of the block where only the coldest of several counts."""
        share: Floats = self.parts.weight[[k, *self._partners.get(k, ())]].sum(axis=0) * len(SCORED)
        return share

    def _counting_score(self, k: int) -> Floats:
        """Score that counts now: its own, or the coldest of its block."""
        return self._coldest([k, *self._partners.get(k, ())])

    def _coldest(self, members: list[int]) -> Floats:
        coldest: Floats = np.fmin.reduce(np.stack([self.parts.components[m].score for m in members]), axis=0)
        return coldest


class RankInverse:
    """The history of one value, date by date: month-ends before each date, without the date's own value.

    `past`: the values of all dates, or in row i, shape (dates, dates), those of the basis that date i uses.
    """

    def __init__(self, past: Floats, is_month_end: npt.NDArray[np.bool_], decimals: int) -> None:
        n = len(past)
        rounded = np.broadcast_to(np.round(past, decimals), (n, n))
        member = np.tril(is_month_end & ~np.isnan(rounded), k=-1)
        self._up = np.sort(np.where(member, rounded, np.inf), axis=1)
        self._down = np.sort(np.where(member, -rounded, np.inf), axis=1)
        self._size = member.sum(axis=1)
        self._step, self._decimals = 10.0**-decimals, decimals

    def value_at_least(self, rank: Floats) -> Floats:
        """Smallest value whose rank would be `rank` or more on each date; NaN where even the largest is not enough."""
        return self._nearest(self._up, rank)

    def value_at_most(self, rank: Floats) -> Floats:
        """Largest value whose rank would be `rank` or less on each date; NaN where even the smallest is too much."""
        return -self._nearest(self._down, 1.0 - rank)

    def rank_of(self, value: Floats) -> Floats:
        """Rank each date's history would give a value."""
        lower, equal = self._count(self._up, value)
        return (lower + 0.5 * (equal + 1)) / (self._size + 1)

    def _nearest(self, history: Floats, rank: Floats) -> Floats:
        """A value counts those below it and half of those it ties with, itself included."""
        wanted = (self._size + 1) * rank
        below = np.ceil(wanted - 0.5 - _BEYOND)
        possible = ~np.isnan(wanted) & (below <= self._size)
        position = np.clip(np.nan_to_num(below) - 1, 0, history.shape[1] - 1).astype("int64")
        tie = history[np.arange(len(history)), position]
        lower, equal = self._count(history, tie)
        enough = lower + 0.5 * (equal + 1) >= wanted - _BEYOND
        found = np.round(np.where(enough, tie, tie + self._step), self._decimals)
        found = np.where(below <= 0, -np.inf, found)  # any value would do
        return np.where(possible, found, np.nan)

    def _count(self, history: Floats, value: Floats) -> tuple[Floats, Floats]:
        lower = (history < value[:, None] - self._step / 2).sum(axis=1)
        up_to = (history < value[:, None] + self._step / 2).sum(axis=1)
        return lower.astype("float64"), (up_to - lower).astype("float64")


class Releases:
    """Next due dates of series on every as-of date, by the lag rule alone: what a shutdown delayed was not known."""

    def __init__(self, as_of: Days, series: Mapping[str, Series], readings: Readings) -> None:
        self._as_of, self._series = as_of, series
        self._single: dict[str, Reading] = {
            i: r for r in readings.values() for i in set(r.series_ids) if "," not in i
        }
        self._due: dict[str, Days] = {}

    def next_of(self, series_ids: Texts) -> tuple[Days, Texts]:
        """Earliest next release among each row's series (comma-separated), and the series it is of."""
        date = np.full(len(series_ids), NAT)
        name = np.full(len(series_ids), None, dtype=object)
        for ids in {i for i in series_ids if i}:
            rows = series_ids == ids
            for series_id in ids.split(","):
                due = self._due_of(series_id)
                sooner = rows & ~np.isnat(due) & (np.isnat(date) | (due < date))
                date, name[sooner] = np.where(sooner, due, date), series_id
        return date, name

    def _due_of(self, series_id: str) -> Days:
        if series_id not in self._due:
            series = self._series[series_id]
            published = np.sort(first_publication(self._periods(series), series, {}))
            position = np.searchsorted(published, self._as_of, side="right")
            self._due[series_id] = published[np.minimum(position, len(published) - 1)]
        return self._due[series_id]

    def _periods(self, series: Series) -> Days:
        """Stamps of the periods whose figures come out around the grid."""
        first, last = self._as_of[0] - _AHEAD_DAYS, self._as_of[-1] + _AHEAD_DAYS
        if series.frequency in ("M", "Q"):
            step = 3 if series.frequency == "Q" else 1
            january = first.astype("datetime64[Y]").astype("datetime64[M]")
            return np.arange(january, last.astype("datetime64[M]"), step).astype("datetime64[D]")
        every_day = np.arange(first, last)
        if series.frequency == "D":
            return every_day[weekday(every_day) < 5]
        return every_day[weekday(every_day) == self._last_day_of_week(series.series_id)]

    def _last_day_of_week(self, series_id: str) -> int:
        """Day on which the weeks of a series end, from its figures; Wednesday without any."""
        reading = self._single.get(series_id)
        if reading is None or not reading.present.any():
            return _WEDNESDAY
        return int(weekday(reading.observation_date[reading.present])[-1])
