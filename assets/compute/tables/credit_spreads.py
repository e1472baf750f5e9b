"""`credit_spreads`: corporate spreads, each with its rank and the window of that rank, and financial conditions."""

import numpy as np
import numpy.typing as npt

from assets.compute.conditions import window_start
from assets.compute.lookup import View
from assets.compute.reading import Reading, combine, splice
from assets.compute.tables.assemble import Columns

# the spreads that count in the credit condition, in the order of methodology, "Conditions"
FAMILY = ("ebp_pp", "gz_spread_pp", "baa_10y_pp", "hy_oas_pct", "hqm_10y_spread_pp")


def build(view: View) -> Columns:
    """One row per as-of date; spreads in percentage points (OAS in percent), ranks 0 to 1 with 1 the widest."""
    spreads: dict[str, Reading] = {
        "ebp_pp": view.latest("EBP"),
        "gz_spread_pp": view.latest("GZ_SPREAD"),
        "baa_10y_pp": splice(view.latest("BAA10Y"), view.latest("BAA10YM")),
        "hy_oas_pct": _long_enough(view, "BAMLH0A0HYM2"),
        "ig_oas_pct": _long_enough(view, "BAMLC0A0CM"),
        "hqm_10y_spread_pp": combine(np.subtract, *view.same_period(["HQMCB10YR", "GS10"])),
    }
    columns: Columns = dict(spreads)
    for name, reading in spreads.items():
        columns[f"{name}_rank"] = view.rank(reading.value)
        columns[f"{name}_window_start_date"] = window_start(reading.value, view.as_of).astype("datetime64[s]")
    ranks = np.stack([np.asarray(columns[f"{name}_rank"]) for name in FAMILY])
    count = (~np.isnan(ranks)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        columns["spread_family_rank"] = np.where(count > 0, np.nansum(ranks, axis=0) / count, np.nan)
    columns["is_spread_missing"] = count == 0
    columns["nfci_index"] = view.latest("NFCI")
    return columns


def _long_enough(view: View, series_id: str) -> Reading:
    """A truncating provider's series: absent when our own store starts after the history a rank needs."""
    reading = view.latest(series_id)
    if not view.has(series_id) or (required := view.series[series_id].required_start) is None:
        return reading
    dates = view.archive.observations(series_id).dates
    needed = dates[dates <= np.datetime64(required, "D")]
    # asked of what was held when each row was published: an older history loaded later rewrites no past row
    starts_in_time: npt.NDArray[np.bool_] = np.any(~np.isnan(view.panel(series_id, needed)), axis=1)
    return reading.where(starts_in_time, "history_too_short")
