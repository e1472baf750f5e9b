"""The post's four-by-four: on which days the four conditions are read, and what each comes to in a word.

Belongs here: the phases, the days around them, the verdict on a condition (methodology, "Past easing against now").
Does not belong here: the table they make (`phases_frame.py`), scores (`conditions.py`), states (`state.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.compute.calendar import Days, last_month_end
from assets.compute.grid import Grid
from assets.compute.reading import Floats, Texts, texts

if TYPE_CHECKING:
    from assets.catalog.method import Verdict
    from assets.catalog.models import PolicyEvent

QE_START, POST, TODAY = "qe_start", "post", "today"
HOT, COLD, BETWEEN = "hot", "cold", "between"


@dataclass(frozen=True)
class Phase:
    """One day the four conditions are read on. `kind`: the start of purchases, the post's day, or the run date."""

    name: str
    kind: str
    title: str
    day: np.datetime64


def phases_until(
    run_date: np.datetime64, events: Sequence[PolicyEvent], post_published_on: dt.date
) -> list[Phase]:
    """Every start of purchases announced by the run date, the post's day if it is past, and the run date last."""
    post = Phase(POST, POST, "The day the post speaks for", np.datetime64(post_published_on, "D"))
    starts = [
        Phase(event.starts_phase, QE_START, event.what, np.datetime64(event.announced_on, "D"))
        for event in events
        if event.starts_phase is not None
    ]
    past = sorted((p for p in (*starts, post) if p.day <= run_date), key=lambda p: p.day)
    return [*past, Phase(TODAY, TODAY, "The run date", run_date)]


def month_end_after(dates: Days, n: int) -> Days:
    """The `n`-th month-end strictly after each date."""
    return (last_month_end(dates).astype("datetime64[M]") + (n + 1)).astype("datetime64[D]") - 1


def with_days(grid: Grid, dates: Days) -> Grid:
    """The grid with more days in it."""
    return Grid(np.union1d(grid.as_of, dates))


def verdict(value: Floats, hot_from: float, cold_to: float) -> Texts:
    """hot at or above one limit, cold at or below the other, between; None without a value."""
    named = np.select([value >= hot_from, value <= cold_to], [HOT, COLD], BETWEEN)
    return texts(~np.isnan(value), named)


def inflation_verdict(core_pce_pct: Floats, change_pp: Floats, rules: Verdict) -> Texts:
    """cold below the target or when it has fallen by enough over the window, else hot; None without a figure.

    Where the earlier figures for the change are absent, the level alone decides.
    """
    fell = np.round(change_pp, 9) <= -rules.inflation_fall_pp
    named = np.where((core_pce_pct < rules.inflation_target_pct) | fell, COLD, HOT)
    return texts(~np.isnan(core_pce_pct), named)
