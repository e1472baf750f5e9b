"""Before the first publication in a data directory: whether the inputs that were fetched are enough for a label.

A first publication without a label would stay in the record permanently. So nothing is published when the newest label
would be indeterminate because inputs could not be reached and are not in the archive.
"""

import datetime as dt

import duckdb
import numpy as np

from assets.catalog.models import Catalog, Series
from assets.compute.calendar import days, period_end
from assets.compute.conditions import Inputs, Shortfall, shortfall
from assets.run_facts import RunFacts
from assets.warehouse.readers import LABEL_ROLES, Holding, observation_counts

CHECK = "first_publication"
_UNREACHABLE = "SELECT series_id FROM raw.fetches WHERE run_id = ? AND status = 'unreachable'"
_PUBLISHED = "SELECT count(*) FROM ops.publications WHERE profile = ? AND method_version = ?"
MEANS = (
    "Before the first publication in this data directory: the newest label is not indeterminate because of inputs that "
    "could not be reached. `run --accept-incomplete` publishes anyway."
)


def foresee(con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog) -> Shortfall | None:
    """Why a first publication is not possible; None when it is, or when it is not the first."""
    published = con.execute(_PUBLISHED, [facts.profile, catalog.method.method_version]).fetchall()[0][0]
    if published:
        return None
    series = {one.series_id: one for one in catalog.in_profile(facts.profile)}
    held = observation_counts(con, list(series))
    fresh = {name for name, of in held.items() if is_fresh(series[name], of, facts.run_date)}
    months = catalog.method.percentile.minimum_history
    long = {name for name, of in held.items() if is_long(series[name], of, facts.run_date, months)}
    unreachable = {name for (name,) in con.execute(_UNREACHABLE, [facts.run_id]).fetchall()}
    missing = {
        name for name in unreachable - held.keys() if name in series and series[name].role in LABEL_ROLES
    }
    return shortfall(Inputs(fresh, long), missing, catalog)


def is_fresh(series: Series, held: Holding, run_date: dt.date) -> bool:
    """Whether the newest figure is not too old to be used on the run date."""
    if held.last_figure is None:
        return False
    if series.is_step:
        return True
    end = period_end(days(held.last_figure), series.frequency)[0]
    return bool(np.datetime64(run_date, "D") - end <= np.timedelta64(series.staleness_limit_days, "D"))


def is_long(series: Series, held: Holding, run_date: dt.date, months: int) -> bool:
    """Whether the history is long enough for a rank: so many months, and what the catalogue requires of the series."""
    if series.required_start is not None and held.first_observation > series.required_start:
        return False
    begun = np.datetime64(held.first_observation, "M")
    return bool(np.datetime64(run_date, "M") - begun >= np.timedelta64(months, "M"))
