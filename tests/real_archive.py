"""Archives of whole profiles in memory, as a first run would make them: the sample, and real series kept elsewhere.

Used by tests of the method. What a first run knows of an observation is its first publication by lag rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.compute.archive import Archive
from assets.compute.calendar import days, first_publication, released_on
from assets.compute.computation import Computation, compute
from assets.compute.grid import build_grid
from assets.sources.sample import SampleSource

ROOT = Path(__file__).resolve().parents[1]
_FILES = {"SHILLER_PRICE": "SHILLER_SP_PRICE", "NCBEILQ027S_GDP_PCT": "BUFFETT_NCBEILQ027S_GDP_PCT"}
_CAPTURED = np.datetime64("2026-06-01T01:00", "us")


@dataclass(frozen=True)
class Profile:
    """Vintages of a profile, and the catalogue's entries of the series it holds."""

    vintages: pd.DataFrame
    series: Mapping[str, Series]

    def computed(self, run_date: str) -> Computation:
        """Everything of a run on that day."""
        catalog = load_catalog()
        start = np.datetime64(catalog.method.grid.start, "D")
        grid = build_grid(start, np.datetime64(run_date, "D"), {})
        return compute(Archive.from_frame(self.vintages), grid, catalog, self.series)


@cache
def sample_profile() -> Profile:
    """The bundled figures."""
    source = SampleSource(ROOT)
    series = load_catalog().in_profile("sample")
    return _profile((s, source.fetch(s).observations) for s in series)


@cache
def full_profile(folder: Path) -> Profile:
    """Live series as far as `folder` holds them; the equity value is the published ratio to GDP."""
    catalog = load_catalog()
    wanted = [*catalog.in_profile("live"), catalog.series["NCBEILQ027S_GDP_PCT"]]
    files = {s.series_id: folder / f"{_FILES.get(s.series_id, s.series_id)}.csv" for s in wanted}
    return _profile((s, _read(files[s.series_id])) for s in wanted if files[s.series_id].exists())


def _read(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, parse_dates=["date"])
    return frame.rename(columns={"date": "observation_date"})


def _profile(observations: Iterable[tuple[Series, pd.DataFrame]]) -> Profile:
    parts, series = [], {}
    for entry, frame in observations:
        observed = days(frame["observation_date"].to_numpy())
        delays = released_on(load_catalog().release_delays, entry.series_id)
        parts.append(
            pd.DataFrame(
                {
                    "series_id": entry.series_id,
                    "observation_date": observed.astype("datetime64[s]"),
                    "realtime_start": first_publication(observed, entry, delays).astype("datetime64[s]"),
                    "value": frame["value"].to_numpy(dtype="float64"),
                    "vintage_source": "lag_rule",
                    "captured_at": _CAPTURED,
                }
            ).dropna(subset="realtime_start")
        )
        series[entry.series_id] = entry
    return Profile(pd.concat(parts, ignore_index=True), series)
