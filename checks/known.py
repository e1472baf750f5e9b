"""The archive as known on one day, as series by period: means, growth, ranks that identities are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MOST_OF_A_MONTH = 15  # daily quotes without which a month's mean is not that of the month
WEEKS_OF_A_MONTH = 4


@dataclass(frozen=True)
class Known:
    """Figures by series id, each indexed by observation date, missing ones left out, in the unit of the series."""

    figures: Mapping[str, pd.Series]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Known:
        """From `series_id, observation_date, value`, one row an observation."""
        held = frame.dropna(subset=["value"])
        return cls(
            {
                str(name): rows.set_index("observation_date")["value"]
                for name, rows in held.groupby("series_id")
            }
        )

    def of(self, series_id: str) -> pd.Series:
        """Every figure at its own date; empty when the series is not held."""
        return self.figures.get(series_id, _NOTHING)

    def months(self, series_id: str) -> pd.Series:
        """A monthly series by month; of another one the last figure of each month."""
        return self._by(series_id, "M").last()

    def quarters(self, series_id: str) -> pd.Series:
        """A quarterly series by quarter."""
        return self._by(series_id, "Q").last()

    def month_mean(self, series_id: str, at_least: int = MOST_OF_A_MONTH) -> pd.Series:
        """Mean of the quotes of a month that has most of them."""
        quotes = self._by(series_id, "M")
        return quotes.mean()[quotes.count() >= at_least]

    def month_last_of_quarter(self, series_id: str) -> pd.Series:
        """A monthly series' figure for the last month of each quarter, by quarter."""
        return at_quarter_end(self.months(series_id))

    def quarter_mean(self, series_id: str) -> pd.Series:
        """Mean of a monthly series over a quarter that has two months at least."""
        months = self._by(series_id, "Q")
        return months.mean()[months.count() >= 2]

    def in_force_mean(self, series_id: str) -> pd.Series:
        """Mean over the days of each whole month of what a step series had in force."""
        steps = self.of(series_id)
        if not len(steps):
            return _NOTHING
        days = steps.resample("D").ffill()
        days = days[days.index >= (days.index[0] + pd.offsets.MonthBegin(0))]
        by_month = days.groupby(days.index.to_period("M"))
        return by_month.mean()[by_month.count() >= 28]

    def _by(self, series_id: str, frequency: str) -> pd.api.typing.SeriesGroupBy:
        figures = self.of(series_id)
        return figures.groupby(pd.DatetimeIndex(figures.index).to_period(frequency))


_NOTHING = pd.Series([], index=pd.DatetimeIndex([]), dtype="float64")


def growth_pct(values: pd.Series, periods: int) -> pd.Series:
    """Percent change over so many periods; only where both ends are there."""
    if not len(values):
        return values
    before = values.set_axis(pd.PeriodIndex(values.index).shift(periods))
    return 100.0 * (values / before.reindex(values.index) - 1.0)


def at_quarter_end(months: pd.Series) -> pd.Series:
    """Monthly figures of the last month of each quarter, by quarter."""
    periods = pd.PeriodIndex(months.index, freq="M")
    is_last = periods.month % 3 == 0
    return months[is_last].set_axis(periods[is_last].asfreq("Q"))


def rank(values: pd.Series) -> pd.Series:
    """Share of the values that are lower or equal, 0 to 1."""
    return values.rank(pct=True)


def correlation(a: pd.Series, b: pd.Series, periods: int, first_year: int) -> pd.Series:
    """Correlation of two series over so many common periods up to each, from `first_year` on."""
    common = [period for period in a.index.intersection(b.index) if period.year >= first_year]
    return a[common].rolling(periods).corr(b[common])
