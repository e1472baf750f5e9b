"""How far the policy rate is from turning the headline stance.

Belongs here: the one threshold of the stance that can be measured. Does not belong here: announcements, which are
decisions and no distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.calendar import NAT, Days, last_month_end, months_before
from assets.compute.conditions import Readings
from assets.compute.grid import Grid
from assets.compute.reading import Floats
from assets.compute.regime import Regime
from assets.compute.stance import direction

if TYPE_CHECKING:
    from assets.catalog.method import Stance
    from assets.catalog.models import Catalog

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
