"""How far the label is from another: one component moved alone, in its own unit, and the date of its next figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.compute.calendar import NAT, Days, first_publication, last_month_end, months_before
from assets.compute.conditions import Readings
from assets.compute.diagnostics.attribution import Contributions, contributions
from assets.compute.diagnostics.thresholds import (
    Flip,
    Threshold,
    flip_holds,
    in_force,
    leads_to,
    measures_of,
    thresholds,
)
from assets.compute.grid import Grid
from assets.compute.percentile import RankInverse
from assets.compute.reading import Floats, Reading, Texts, texts
from assets.compute.regime import SCORED, Regime, scores_of
from assets.compute.stance import direction
from assets.compute.state import BUBBLE, DEPRESSION, MID_CYCLE, fast_entry

if TYPE_CHECKING:
    from assets.catalog.method import Method, Stance
    from assets.catalog.models import Catalog

Flags = np.ndarray
_STATES = (BUBBLE, DEPRESSION, MID_CYCLE)


def distance_to_flip(regime: Regime, readings: Readings, catalog: Catalog) -> pd.DataFrame:
    """Columns of `distance_to_flip`: a row per date, threshold in force and component it depends on."""
    parts, measures = contributions(regime), measures_of(regime)
    releases = Releases(regime.grid.as_of, catalog.series, readings)
    mover = Mover(regime, parts, catalog.method)
    rows = list(rate_rows(regime, readings, catalog))
    for threshold in thresholds(catalog.method.state):
        states = [state for state in _STATES if threshold.flip in in_force(state)]
        dates = np.flatnonzero(np.isin(regime.states.state, states) & ~np.isnan(regime.bubble_score))
        needed = _month_ends_needed(threshold.flip, measures, regime, readings, catalog)
        for k in _bearing(threshold, parts):
            rows.append(_rows(threshold, k, dates, regime, parts, measures, mover, releases, needed, catalog))
    frame = pd.concat(rows, ignore_index=True)
    return frame.sort_values(["as_of_date", "flip", "threshold", "component"], ignore_index=True)


def _bearing(threshold: Threshold, parts: Contributions) -> Iterator[int]:
    """Positions of the components a threshold's measure is made of."""
    for k, condition in enumerate(parts.conditions):
        if threshold.measure in ("bubble_score", f"{condition}_score"):
            yield k


def _rows(
    threshold: Threshold,
    k: int,
    dates: np.ndarray,
    regime: Regime,
    parts: Contributions,
    measures: Mapping[str, Floats],
    mover: Mover,
    releases: Releases,
    month_ends_needed: np.ndarray,
    catalog: Catalog,
) -> pd.DataFrame:
    component = parts.components[k]
    table, column = component.column.split(".")
    value, measure = component.reading.value, measures[threshold.measure]
    is_met = threshold.is_met(measure)
    required, moved_score = mover.move(k, threshold, measure)
    present = ~np.isnan(component.score)
    reachable = present & ~is_met & ~np.isnan(required)
    after = mover.measures_after(k, moved_score, measures)
    sufficient = flip_holds(threshold.flip, after, catalog.method.state)
    due, due_series = releases.next_of(component.reading.series_ids)
    reach = texts(present, texts(is_met, "met", texts(reachable, "reachable", "unreachable")), "absent")
    frame = pd.DataFrame(
        {
            "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
            "flip": threshold.flip,
            "leads_to": leads_to(threshold.flip),
            "threshold": threshold.name,
            "measure": threshold.measure,
            "measure_value": measure,
            "comparison": threshold.sign,
            "limit_value": threshold.limit,
            "condition": parts.conditions[k],
            "component": component.name,
            "component_unit": catalog.tables[table].column(column).unit,
            "component_value": value,
            "required_value": np.where(reachable, required, np.nan),
            "required_move": np.where(reachable, required - value, np.nan),
            "reachability": reach,
            "is_sufficient": texts(reachable, sufficient),
            "month_ends_needed": month_ends_needed,
            "next_release_date": np.where(reachable, due, NAT).astype("datetime64[s]"),
            "next_release_series": texts(reachable, due_series),
            "lapse_date": np.full(len(value), NAT).astype("datetime64[s]"),
        }
    )
    return frame.iloc[dates]


def _month_ends_needed(
    flip: Flip, measures: Mapping[str, Floats], regime: Regime, readings: Readings, catalog: Catalog
) -> np.ndarray:
    """Month-ends in a row on which the rule still has to hold, those it has held on up to the date left out."""
    n, rules = len(regime.grid), catalog.method.state
    if flip.startswith("leave"):
        return np.ones(n, dtype="int64")
    holds = flip_holds(flip, measures, rules)
    run, needed = 0, np.empty(n, dtype="int64")
    is_month_end = regime.grid.is_month_end
    for i in range(n):
        if is_month_end[i]:
            run = run + 1 if holds[i] else 0
        needed[i] = max(rules.confirmation_months - run, 1)
    if flip == "enter_depression":
        needed[fast_entry(scores_of(regime.bubble_score, regime.conditions, readings), rules)] = 1
    return needed


COLUMN, RATE = "real_yields.policy_rate_change_6m_pp", "real_yields.policy_rate_pct"
# direction of the rate after the move, where the change of the rate must then stand
_MOVES = (("rate_to_easing", 1, "<=", -1.0), ("rate_to_tightening", -1, ">=", 1.0))
_NAMES = np.array(["tightening", "neutral", "stimulus"], dtype=object)


def rate_rows(regime: Regime, readings: Readings, catalog: Catalog) -> Iterator[pd.DataFrame]:
    """Rows of `distance_to_flip` for a turn of the rate that would change the stance.

    A rate that comes to rest (direction 0) is a turn too where easing or tightening has set the direction; that one
    comes by itself, on a day that can be told, when the window has passed the change.
    """
    change, stance = readings[COLUMN], regime.stance
    held_until = lapses(readings[RATE].value, regime.grid, catalog.method.stance)
    limit = catalog.method.stance.rate_change_pp
    now, announced = stance.rate, stance.balance_sheet_announced
    current = np.sign(now + announced)
    moves = [
        *(
            (flip, np.full(len(now), to), sign, np.full(len(now), side * limit))
            for flip, to, sign, side in _MOVES
        ),
        ("rate_to_unchanged", np.zeros(len(now), "int64"), "inside", np.where(now > 0, -limit, limit)),
    ]
    table, column = COLUMN.split(".")
    for flip, to, sign, required in moves:
        turns = change.present & (to != now) & (np.sign(to + announced) != current)
        if not turns.any():
            continue
        frame = pd.DataFrame(
            {
                "as_of_date": regime.grid.as_of.astype("datetime64[s]"),
                "flip": flip,
                "leads_to": _NAMES[np.sign(to + announced) + 1],
                "threshold": "stance.rate_change_pp",
                "measure": column,
                "measure_value": change.value,
                "comparison": sign,
                "limit_value": required,
                "condition": "stance",
                "component": "policy_rate_change",
                "component_unit": catalog.tables[table].column(column).unit,
                "component_value": change.value,
                "required_value": required,
                "required_move": required - change.value,
                "reachability": "reachable",
                "is_sufficient": True,
                "month_ends_needed": 1,
                "next_release_date": np.full(len(now), NAT).astype("datetime64[s]"),
                "next_release_series": None,
                "lapse_date": np.where(to == 0, held_until, NAT).astype("datetime64[s]"),
            }
        )
        yield frame[turns]


def lapses(rate_pct: Floats, grid: Grid, rules: Stance) -> Days:
    """First month-end after each date on which the rate, held as it is, is no longer moved; NaT where that is unknown.

    The earlier end of the window is then a month-end of the grid that has been, and the rate known on it.
    """
    found = np.full(len(grid), NAT)
    last = last_month_end(grid.as_of).astype("datetime64[M]")
    for ahead in range(rules.rate_window_months, 0, -1):  # the nearest one is written last
        day = (last + ahead + 1).astype("datetime64[D]") - 1
        earlier = months_before(day, rules.rate_window_months)
        at = np.minimum(np.searchsorted(grid.as_of, earlier), len(grid) - 1)
        then = np.where(grid.as_of[at] == earlier, rate_pct[at], np.nan)
        change = rate_pct - then
        at_rest = ~np.isnan(change) & (direction(change, rules.rate_change_pp, inclusive=True) == 0)
        found = np.where(at_rest, day, found)
    return found


_BEYOND = 1e-9  # a limit is passed, never just touched up to a rounding error


class Mover:
    """Moves of every component of a computed regime; a history is sorted once a component."""

    def __init__(self, regime: Regime, parts: Contributions, method: Method) -> None:
        self._regime, self._parts, self._method = regime, parts, method
        self._inverse: dict[int, RankInverse] = {}

    @cached_property
    def _partner(self) -> dict[int, tuple[int, ...]]:
        """The others of which, with the component, only the coldest counts."""
        return {k: tuple(m for m in group if m != k) for group in self._parts.shared for k in group}

    def move(self, k: int, threshold: Threshold, measure: Floats) -> tuple[Floats, Floats]:
        """Value component `k` needs on each date and the score it then has; NaN where no value suffices."""
        component, beyond = self._parts.components[k], _BEYOND if threshold.is_upward else -_BEYOND
        share = self._share(k) / (len(SCORED) if threshold.measure == "bubble_score" else 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = self._counting_score(k) + (threshold.limit + beyond - measure) / share
        needed = np.where((needed < 0) | (needed > 1) | np.isnan(component.score), np.nan, needed)
        if k in self._partner:  # the other one caps the block
            cap = self._coldest(self._partner[k])
            needed = np.where(needed > cap, np.nan, needed)
        if component.value_at is not None:
            return component.value_at(needed), needed
        rises = threshold.is_upward == component.is_hot_when_high
        rank = needed if component.is_hot_when_high else 1.0 - needed
        inverse = self._inverse_of(k)
        value = inverse.value_at_least(rank) if rises else inverse.value_at_most(rank)
        value = np.where(np.isinf(value), np.nan, value)
        reached = inverse.rank_of(value)
        score = reached if component.is_hot_when_high else 1.0 - reached
        return value, np.where(np.isnan(value), np.nan, score)

    def measures_after(self, k: int, score: Floats, measures: Mapping[str, Floats]) -> dict[str, Floats]:
        """Every score with component `k` at another one, everything else held."""
        counts = score if k not in self._partner else np.fmin(score, self._coldest(self._partner[k]))
        change = self._share(k) * (counts - self._counting_score(k))
        own = f"{self._parts.conditions[k]}_score"
        after = dict(measures)
        after[own] = measures[own] + change
        after["bubble_score"] = measures["bubble_score"] + change / len(SCORED)
        return after

    def _share(self, k: int) -> Floats:
        """Weight of the component in its condition; of the block where only the coldest of several counts."""
        members = [k, *self._partner.get(k, ())]
        share: Floats = self._parts.weight[members].sum(axis=0) * len(SCORED)
        return share

    def _counting_score(self, k: int) -> Floats:
        """Score that counts now: its own, or the coldest of its block."""
        return self._coldest((k, *self._partner.get(k, ())))

    def _coldest(self, members: tuple[int, ...]) -> Floats:
        scores = np.stack([self._parts.components[m].score for m in members])
        coldest: Floats = np.fmin.reduce(scores, axis=0)
        return coldest

    def _inverse_of(self, k: int) -> RankInverse:
        if k not in self._inverse:
            past, grid = self._parts.components[k].past, self._regime.grid
            self._inverse[k] = RankInverse(past, grid.is_month_end, self._method.percentile.value_decimals)
        return self._inverse[k]


_AHEAD_DAYS = 400
_MONTHS = {"M": 1, "Q": 3}
_MONDAY = np.datetime64("1970-01-05", "D")


class Releases:
    """Next due dates of series on every as-of date, worked out once a series."""

    def __init__(self, as_of: Days, series: Mapping[str, Series], readings: Mapping[str, Reading]) -> None:
        self._as_of, self._series = as_of, series
        self._weekly = {i: r for r in readings.values() for i in set(r.series_ids) if "," not in i}
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
        if series.frequency in _MONTHS:
            step = _MONTHS[series.frequency]
            months = np.arange(
                first.astype("datetime64[Y]").astype("datetime64[M]"), last.astype("datetime64[M]"), step
            )
            return months.astype("datetime64[D]")
        every_day = np.arange(first, last)
        weekday = (every_day - _MONDAY).astype("int64") % 7
        if series.frequency == "D":
            return every_day[weekday < 5]
        return every_day[weekday == self._weekday(series.series_id)]

    def _weekday(self, series_id: str) -> int:
        """Day its weeks end on, from the figures themselves; Wednesday where none is held."""
        reading = self._weekly.get(series_id)
        held = (
            reading.observation_date[reading.present]
            if reading is not None
            else np.array([], "datetime64[D]")
        )
        return int((held[-1] - _MONDAY).astype("int64") % 7) if len(held) else 2
