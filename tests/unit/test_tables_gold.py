"""`gold_and_inflation`: correlations by hand, separate windows counted, multiples of the first month."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.tables import gold_and_inflation
from tests.helpers import SAMPLE, monthly, on_sample, published_after, view


def case(gold: list[float], prices: list[float | None], first: str = "1990-01-01") -> list[pd.DataFrame]:
    """Gold five days after its month's end, consumer prices two weeks after it."""
    return [
        published_after("GOLD_WB_MONTHLY", monthly(first, gold), 36),
        published_after("CPIAUCSL", monthly(first, prices), 45),
    ]


def values(seen: View) -> dict[str, float]:
    columns = gold_and_inflation.build(seen)
    return {
        name: float(column.value[0]) if isinstance(column, Reading) else column[0]
        for name, column in columns.items()
    }


def test_gold_before_1975_does_not_count_and_a_month_without_prices_is_left_out() -> None:
    gold = [35.0] * 60 + [100.0 + n for n in range(24)]
    prices: list[float | None] = [40.0] * 60 + [50.0 + n for n in range(24)]
    prices[-1] = None
    found = values(view(case(gold, prices, "1970-01-01"), "1977-02-28"))
    assert str(found["history_start_date"])[:10] == "1975-01-01"
    assert found["gold_multiple"] == pytest.approx(1.22), "November 1976, the last month with both"
    assert found["cpi_multiple"] == pytest.approx(1.44)
    assert np.isnan(found["gold_cpi_correlation_1y"]), "ten changes are too few"


def test_the_sample_says_the_same_in_plain_pandas() -> None:
    """Everything in the files was public on the last day, so no vintage matters."""
    levels = pd.concat(
        [
            pd.read_csv(SAMPLE / f"{name}.csv", parse_dates=["date"], index_col="date")["value"]
            for name in ("GOLD_WB_MONTHLY", "CPIAUCSL")
        ],
        axis=1,
        keys=["gold", "cpi"],
    ).loc[pd.Timestamp("1985-01-01") :]
    row = on_sample().tables["gold_and_inflation"].frame.iloc[-1]
    for months, column in ((12, "gold_cpi_correlation_1y"), (120, "gold_cpi_correlation_10y")):
        change = (levels / levels.shift(months)) ** (12 / months)
        assert row[column] == pytest.approx(change["gold"].corr(change["cpi"]))
    both = levels.dropna()
    multiple = both.iloc[-1] / both.iloc[0]
    assert row["gold_over_cpi_multiple"] == pytest.approx(multiple["gold"] / multiple["cpi"])
    assert row["separate_10y_windows"] == 4
