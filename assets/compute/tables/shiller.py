"""Earnings yield and CAPE from Shiller's `ie_data`: quarter-end earnings only.

The sheet interpolates the months between quarters and leaves the newest rows without earnings: both are missing here.
"""

from __future__ import annotations

import numpy as np

from assets.compute.archive import ABSENT, Rows
from assets.compute.calendar import Days, stamp_before
from assets.compute.lookup import View
from assets.compute.reading import Floats, Reading, combine

EARNINGS = "SHILLER_EARNINGS"
DEFLATOR = "CPIAUCSL"


def _is_quarter_end(observation: Days) -> np.ndarray:
    return (observation.astype("datetime64[M]").astype("int64") % 3) == 2


def earnings(view: View) -> Reading:
    """Four-quarter reported earnings of the newest quarter-end month known, index points."""

    def only_quarter_ends(rows: Rows, observation: Days) -> Rows:
        return np.where(_is_quarter_end(observation), rows, ABSENT)

    return view.latest(EARNINGS, accept=only_quarter_ends)


def earnings_yield(view: View, price: Reading) -> Reading:
    """Four-quarter reported earnings over price, percent."""
    return combine(lambda e, p: 100.0 * e / p, earnings(view), price)


def cape(view: View, price: Reading) -> Reading:
    """Price over ten years of quarter-end earnings in CPI of the newest known month (Campbell, Shiller 1988)."""
    newest, cpi = earnings(view), view.latest(DEFLATOR)
    quarters = np.stack(
        [stamp_before(newest.observation_date, 3 * n) for n in range(view.method.equity.cape_quarters)],
        axis=1,
    )
    nominal = view.values_at(EARNINGS, quarters)
    deflator = view.values_at(DEFLATOR, quarters)
    real: Floats = nominal * cpi.value[:, None] / deflator
    mean = real.mean(axis=1)  # NaN as soon as one quarter is missing: no shorter average in its place
    return combine(lambda p, _e, _c: p / mean, price, newest, cpi)
