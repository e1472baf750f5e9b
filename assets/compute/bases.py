"""One quantity measured on several bases: each date uses one of them, and ranks among that one's own past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assets.compute.reading import Floats, Reading, Texts, select, texts

EARNINGS = ("ttm", "nipa")  # reported earnings where they are known, else the national accounts
PRICES = ("sp_composite", "z1_market_value")  # the newest period end wins; the first of those that tie
Positions = npt.NDArray[np.int64]

_TABLE = "equity_risk_premium"
# Columns that take one of several bases per row, with the columns that hold each basis on every date.
COLUMNS: Mapping[str, Sequence[str]] = {
    f"{_TABLE}.earnings_yield_pct": [f"{_TABLE}.earnings_yield_{basis}_pct" for basis in EARNINGS],
    f"{_TABLE}.erp_vs_nominal_10y_pp": [f"{_TABLE}.erp_vs_nominal_10y_{basis}_pp" for basis in EARNINGS],
    f"{_TABLE}.erp_vs_real_10y_pp": [f"{_TABLE}.erp_vs_real_10y_{basis}_pp" for basis in EARNINGS],
    f"{_TABLE}.equity_return_12m_pct": [f"{_TABLE}.equity_return_12m_{basis}_pct" for basis in PRICES],
}


@dataclass(frozen=True)
class Bases:
    """`readings`: every basis on all dates, by name. `used`: position of the one each date uses."""

    readings: Mapping[str, Reading]
    used: Positions

    @classmethod
    def first_present(cls, readings: Mapping[str, Reading]) -> Bases:
        """Each date uses the first basis that has a value; where none has one, the last basis gives the reason."""
        present = np.stack([reading.present for reading in readings.values()])
        return cls(readings, np.where(present.any(axis=0), present.argmax(axis=0), len(readings) - 1))

    @classmethod
    def of_selected(cls, selected: Reading, readings: Mapping[str, Reading]) -> Bases:
        """The bases of a stored reading: no two bases name the same series, so its series identify the basis."""
        same = np.stack([reading.series_ids == selected.series_ids for reading in readings.values()])
        return cls(readings, same.argmax(axis=0))

    @property
    def selected(self) -> Reading:
        """On each date the reading of the basis it uses."""
        first, *others = self.readings.values()
        chosen = first
        for position, reading in enumerate(others, start=1):
            chosen = select(self.used == position, reading, chosen)
        return chosen

    @property
    def names(self) -> Texts:
        """Name of the basis of each date; None where it has no value."""
        return texts(self.selected.present, np.array(list(self.readings), dtype=object)[self.used])

    @property
    def past(self) -> Floats:
        """Row by row the values, on all dates, of the basis that date uses: shape (dates, dates)."""
        values: Floats = np.stack([reading.value for reading in self.readings.values()])[self.used]
        return values

    def map(self, formula: Callable[[Reading], Reading]) -> Bases:
        """Another quantity on the same bases."""
        return replace(self, readings={name: formula(reading) for name, reading in self.readings.items()})
