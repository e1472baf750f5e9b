"""`activity_inflation`: unemployment, growth, inflation, and two early signs of a turn in the labour market.

The Sahm gap follows Sahm (2019), taken on the months that were published as known then.
"""

import warnings

import numpy as np

from assets.compute.lookup import View, months, weeks
from assets.compute.reading import Floats, Reading, combine
from assets.compute.tables.assemble import Columns
from assets.compute.tables.yields import cpi_yoy


def sahm_gap(view: View) -> Reading:
    """Unemployment's three-month average less its lowest of the 12 months before, percentage points."""
    rules = view.method.sahm  # a shutdown leaves a hole: the minima say how much must be there
    span = rules.average_months
    values, newest = view.window("UNRATE", [months(n) for n in range(span + rules.low_months)])
    averages = [
        _mean(values[:, n : n + span], rules.average_minimum_months) for n in range(rules.low_months + 1)
    ]
    earlier = np.stack(averages[1:], axis=1)
    enough = (~np.isnan(earlier)).sum(axis=1) >= rules.low_minimum_months
    gap = averages[0] - np.min(np.where(np.isnan(earlier), np.inf, earlier), axis=1)
    return newest.map(lambda _: np.where(enough, gap, np.nan))


def claims_change(view: View) -> Reading:
    """Initial claims, four-week mean against the same weeks a year earlier, percent."""
    n, year = view.method.claims.average_weeks, view.method.changes.weeks_in_year
    lags = [*(weeks(k) for k in range(1, n)), *(weeks(year + k) for k in range(n))]
    return view.over("ICSA", lambda v: 100.0 * (v[:, :n].mean(axis=1) / v[:, n:].mean(axis=1) - 1.0), lags)


def change_of_yoy(view: View, series_id: str, n: int) -> Reading:
    """Change on a year less that of `n` months before, percentage points."""
    lags = [months(12), months(n), months(n + 12)]
    return view.over(series_id, lambda v: 100.0 * (v[:, 0] / v[:, 1] - v[:, 2] / v[:, 3]), lags)


def output_gap(view: View) -> Reading:
    """Real GDP less potential of the same quarter, percent of potential.

    Absent while the two are in dollars of different base years: CBO changes its base year months after BEA. Then the
    mean gap of all quarters is the change of prices between the two years, and not near zero.
    """

    def gap(actual: Floats, potential: Floats) -> Floats:
        return 100.0 * (actual / potential - 1.0)

    newest = combine(gap, *view.same_period(["GDPC1", "GDPPOT"]))
    if not newest.present.any():
        return newest
    quarters = view.archive.observations("GDPPOT").dates
    every = gap(view.panel("GDPC1", quarters), view.panel("GDPPOT", quarters))
    tolerance = view.method.policy_level.base_year_tolerance_pct
    return newest.where(np.abs(_mean(every, 1)) <= tolerance, "different_base_years")


def build(view: View) -> Columns:
    """One row per as-of date; rates and changes in percent, the Sahm gap in percentage points."""
    return {
        "unemployment_rate_pct": view.latest("UNRATE"),
        "real_gdp_yoy_pct": view.change_pct("GDPC1", months(12)),
        "core_pce_yoy_pct": view.change_pct("PCEPILFE", months(12)),
        "core_pce_yoy_change_6m_pp": change_of_yoy(
            view, "PCEPILFE", view.method.verdict.inflation_window_months
        ),
        "cpi_yoy_pct": cpi_yoy(view),
        "sahm_gap_pp": sahm_gap(view),
        "claims_change_pct": claims_change(view),
        "output_gap_pct": output_gap(view),
    }


def _mean(values: Floats, fewest: int) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)  # rows without any month: NaN is the answer
        mean: Floats = np.nanmean(values, axis=1)
    return np.where((~np.isnan(values)).sum(axis=1) >= fewest, mean, np.nan)
