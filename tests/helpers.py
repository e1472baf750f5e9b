"""Vintages, archives and full computations for tests of the method, without a warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import Catalog, Profile, Series
from assets.compute.archive import Archive
from assets.compute.calendar import Days, days, first_publication
from assets.compute.grid import Grid, build_grid
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.regime import Regime
from assets.compute.registry import Computation
from assets.compute.tables.assemble import DerivedTable, readings_of
from assets.compute.tables.build import BUILDERS

# observation date, first day of the vintage, value (None: published as missing)
Vintage = tuple[str, str, float | None]

CAPTURED_AT = "2026-01-01T00:00:00"
SAMPLE = PROJECT_ROOT / "sample_data"
SAMPLE_AS_OF = "2026-09-30"
REAL_AS_OF = "2026-05-31"  # the real series next to the project end in the spring of 2026
# Names of the real files next to the project where they are not the series id. They contain no market value of
# equities in dollars and no domestic profits: the published ratio and the profits of all corporations replace them.
REAL_FILES = {
    "SHILLER_PRICE": "SHILLER_SP_PRICE",
    "NCBEILQ027S_GDP_PCT": "BUFFETT_NCBEILQ027S_GDP_PCT",
}
NOT_REAL = ("NCBEILQ027S", "NFCPATAX")
FROM_SAMPLE = ("DFEDTAR",)  # as published, and not among the real files


def vintages(
    series_id: str, rows: Sequence[Vintage], source: str = "alfred", captured_at: str = CAPTURED_AT
) -> pd.DataFrame:
    """Rows of `raw.vintages` about one series."""
    return pd.DataFrame(
        {
            "series_id": series_id,
            "observation_date": np.array([row[0] for row in rows], dtype="datetime64[s]"),
            "realtime_start": np.array([row[1] for row in rows], dtype="datetime64[s]"),
            "value": [np.nan if row[2] is None else row[2] for row in rows],
            "vintage_source": source,
            "captured_at": np.datetime64(captured_at, "us"),
        }
    )


def published_after(
    series_id: str, values: Mapping[str, float | None], lag_days: int = 0, source: str = "alfred"
) -> pd.DataFrame:
    """One vintage an observation, public `lag_days` after its own date stamp."""
    lag = np.timedelta64(lag_days, "D")
    return vintages(
        series_id,
        [(day, str(np.datetime64(day, "D") + lag), value) for day, value in values.items()],
        source,
    )


def monthly(first: str, values: Sequence[float | None]) -> dict[str, float | None]:
    """Values by the first day of consecutive months."""
    start = np.datetime64(first, "M")
    return {str((start + n).astype("datetime64[D]")): value for n, value in enumerate(values)}


def weekly(first: str, values: Sequence[float | None]) -> dict[str, float | None]:
    """Values by the same weekday of consecutive weeks."""
    start = np.datetime64(first, "D")
    return {str(start + np.timedelta64(7 * n, "D")): value for n, value in enumerate(values)}


def archive(*frames: pd.DataFrame) -> Archive:
    """An archive of those vintages."""
    return Archive.from_frame(pd.concat(frames, ignore_index=True))


def view(
    frames: pd.DataFrame | Sequence[pd.DataFrame],
    as_of: str | Sequence[str],
    profile: Profile | None = None,
) -> View:
    """Those vintages as seen on each date, in a profile; without one every series counts."""
    stored = archive(*([frames] if isinstance(frames, pd.DataFrame) else frames))
    dates = days(as_of)
    catalog = load_catalog()
    entries = {s.series_id: s for s in catalog.in_profile(profile)} if profile else catalog.series
    no_events = catalog.policy_events.model_copy(update={"events": ()})
    return View(stored, dates, entries, replace(catalog, policy_events=no_events))


def reading(values: Sequence[float], **changes: object) -> Reading:
    """A reading of those values; NaN is absent."""
    value = np.asarray(values, dtype="float64")
    n, missing = len(value), np.isnan(value)
    plain = Reading(
        value,
        np.where(missing, np.datetime64("NaT", "D"), np.datetime64("2025-01-01", "D")),
        np.where(missing, np.datetime64("NaT", "D"), np.datetime64("2025-01-31", "D")),
        np.where(missing, 0, 1).astype("int8"),
        np.zeros(n, dtype=bool),
        np.full(n, "TEST", dtype=object),
        np.where(missing, "stale", None),
    )
    return replace(plain, **changes)


@dataclass(frozen=True)
class Computed:
    """Everything the method computes for one profile and run date. `frame` is indexed by as-of date."""

    run: Computation
    tables: Mapping[str, DerivedTable]
    readings: Mapping[str, Reading]
    frame: pd.DataFrame

    @property
    def catalog(self) -> Catalog:
        return self.run.catalog

    @property
    def grid(self) -> Grid:
        return self.run.grid

    @property
    def regime(self) -> Regime:
        return self.run.regime

    @property
    def evidence(self) -> pd.DataFrame:
        return self.run.table("regime_evidence")

    @property
    def phases(self) -> DerivedTable:
        return self.run.built("qe_phases")


def compute(frames: pd.DataFrame, run_date: str, catalog: Catalog, profile: Profile) -> Computed:
    """All tables, conditions, state, stance, label and evidence from raw vintages."""
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64(run_date, "D"))
    run = Computation(Archive.from_frame(frames), grid, catalog, profile)
    return Computed(
        run,
        {name: run.built(name) for name in BUILDERS},
        readings_of({name: run.columns(name) for name in BUILDERS}),
        run.table("regime").set_index("as_of_date"),
    )


def lag_rule_vintages(
    catalog: Catalog, profile: Profile, folder: Path, names: Mapping[str, str]
) -> pd.DataFrame:
    """One file a series, `date,value`, with first publication by lag rule and late releases."""
    return pd.concat(
        [
            _from_file(series, path, _released_on(catalog, series.series_id))
            for series in catalog.in_profile(profile)
            if (path := folder / f"{names.get(series.series_id, series.series_id)}.csv").exists()
        ],
        ignore_index=True,
    )


def _from_file(
    series: Series, path: Path, released_on: Mapping[np.datetime64, np.datetime64]
) -> pd.DataFrame:
    rows = pd.read_csv(path)
    observation: Days = days(rows["date"].to_numpy(dtype="datetime64[s]"))
    return pd.DataFrame(
        {
            "series_id": series.series_id,
            "observation_date": observation.astype("datetime64[s]"),
            "realtime_start": first_publication(observation, series, released_on).astype("datetime64[s]"),
            "value": pd.to_numeric(rows["value"], errors="coerce"),
            "vintage_source": "lag_rule",
            "captured_at": np.datetime64(CAPTURED_AT, "us"),
        }
    )


def _released_on(catalog: Catalog, series_id: str) -> dict[np.datetime64, np.datetime64]:
    """Late releases; a figure that never came out is an empty value on the day the lag rule gives."""
    return {
        np.datetime64(delay.observation_date, "D"): np.datetime64(delay.released_on, "D")
        for delay in catalog.release_delays
        if delay.series_id == series_id and delay.released_on is not None
    }


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@cache
def sample_vintages() -> pd.DataFrame:
    """The sample's figures as vintages."""
    return lag_rule_vintages(load_catalog(), "sample", SAMPLE, {})


@cache
def on_sample(run_date: str = SAMPLE_AS_OF) -> Computed:
    """The method on the sample, as of a date."""
    return compute(sample_vintages(), run_date, load_catalog(), "sample")


@cache
def on_real_series(folder: Path, run_date: str = REAL_AS_OF, shiller_until: str | None = None) -> Computed:
    """The method on the real series of `folder`: the live profile, as far as they go.

    `shiller_until`: last month of Shiller's sheet; before its first month there is no sheet.
    """
    known = load_catalog()
    ratio = "NCBEILQ027S_GDP_PCT"
    series = {name: entry for name, entry in known.series.items() if name not in NOT_REAL}
    series[ratio] = series[ratio].model_copy(update={"profiles": ("live",)})
    catalog = replace(known, series=series)
    of_sample = sample_vintages()
    frames = pd.concat(
        [
            lag_rule_vintages(catalog, "live", folder, REAL_FILES),
            of_sample[of_sample["series_id"].isin(FROM_SAMPLE)],
        ],
        ignore_index=True,
    )
    if shiller_until is not None:
        of_sheet = frames["series_id"].str.startswith("SHILLER")
        frames = frames[~of_sheet | (frames["observation_date"] <= shiller_until)]
    return compute(frames, run_date, catalog, "live")
