"""`money_and_rates` and `gold_and_inflation`: correlations by hand and in plain pandas, as known on the day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.tables import gold_and_inflation, money_and_rates
from assets.compute.tables.money_and_rates import correlation
from tests.helpers import SAMPLE, SAMPLE_AS_OF, monthly, on_sample, published_after, view, vintages
from tests.plain_method import known

YEARS = 13


def levels(first: float, growth: list[float]) -> list[float | None]:
    """Monthly levels that grow by `growth[n]` percent over their own twelve months before, a year of them flat."""
    held: list[float] = [first] * 12
    for rate in growth:
        held.append(held[-12] * (1 + rate / 100))
    return list(held)


def case(growth: list[float], rates: list[float]) -> list[pd.DataFrame]:
    """Money growing as said from 2011 on, constant prices, bills paying as said."""
    n = len(growth)
    return [
        published_after("M2SL", monthly("2010-01-01", levels(100.0, growth)), 59),
        published_after("CPIAUCSL", monthly("2010-01-01", [200.0] * (n + 12)), 45),
        published_after("TB3MS", monthly("2010-01-01", [0.0] * 12 + list(rates)), 31),
    ]


def value(seen: View, name: str) -> float:
    return float(money_and_rates.build(seen)[name].value[0])


def test_the_sample_says_the_same_in_plain_pandas() -> None:
    at = pd.Timestamp(SAMPLE_AS_OF)
    money, prices, bills = (known(name, at).asfreq("MS") for name in ("M2SL", "CPIAUCSL", "TB3MS"))
    growth, inflation = (100.0 * of.pct_change(12, fill_method=None) for of in (money, prices))
    pairs = pd.concat([growth, bills - inflation], axis=1).dropna()  # October 2025 has no prices
    row = on_sample().tables["money_and_rates"].frame.iloc[-1]
    assert row["m2_yoy_pct"] == pytest.approx(growth.dropna().iloc[-1])
    assert row["m2_real_rate_correlation_full"] == pytest.approx(pairs.corr().iloc[0, 1])
    ten_years = pairs[pairs.index > pairs.index[-1] - pd.DateOffset(months=120)]
    assert row["m2_real_rate_correlation_10y"] == pytest.approx(ten_years.corr().iloc[0, 1])


def test_too_few_months_give_no_correlation_and_a_reason() -> None:
    wave = [3.0 + np.sin(n / 7.0) for n in range(107)]
    seen = view(case(wave, wave), "2019-12-31")
    column = money_and_rates.build(seen)["m2_real_rate_correlation_full"]
    assert np.isnan(column.value[0]) and column.absent_reason[0] == "history_too_short"


def test_the_correlation_of_a_date_ignores_a_later_revision() -> None:
    wave = [3.0 + np.sin(n / 7.0) for n in range(12 * YEARS)]
    frames = case(wave, [5.0 - w for w in wave])
    revised = vintages("M2SL", [(f"20{y}-06-01", "2024-01-15", 1.0) for y in range(11, 24)])
    assert value(view([*frames, revised], "2023-12-31"), "m2_real_rate_correlation_full") == pytest.approx(-1)
    assert value(view([*frames, revised], "2024-01-31"), "m2_real_rate_correlation_full") > -0.9


def test_pearson_by_hand() -> None:
    x, y = np.array([[1.0, 2.0, 4.0, np.nan]]), np.array([[2.0, 1.0, 3.0, 9.0]])
    assert correlation(x, y, None, 3)[0] == pytest.approx(np.corrcoef([1, 2, 4], [2, 1, 3])[0, 1])
    assert correlation(x, y, 2, 2)[0] == pytest.approx(1.0), "the two newest pairs"
    assert np.isnan(correlation(x, y, None, 4)[0])
    assert np.isnan(correlation(np.ones((1, 3)), y[:, :3], None, 2)[0]), "money that never moves"


def test_the_long_history_says_what_the_page_says(realdata: Path) -> None:
    """Since 1960, as known in May 2026: the weak numbers `docs/methodology.md` quotes."""
    names = ("M2SL", "CPIAUCSL", "TB3MS", "FEDFUNDS")
    files = [pd.read_csv(realdata / f"{name}.csv").dropna() for name in names]
    frames = [
        published_after(name, dict(zip(file["date"], file["value"], strict=True)), 31)
        for name, file in zip(names, files, strict=True)
    ]
    seen = view(frames, "2026-05-31")
    assert value(seen, "m2_real_fed_funds_correlation_full") == pytest.approx(-0.06, abs=0.005)
    assert value(seen, "m2_real_rate_correlation_full") == pytest.approx(-0.08, abs=0.005)


def test_a_correlation_of_the_past_keeps_its_last_digit_when_months_are_appended() -> None:
    """The sum of numpy depends on the number of columns, also of empty ones; a published row may not."""
    random = np.random.default_rng(20260930)
    x, y = random.normal(size=(2, 40, 400))
    expected = correlation(x, y, None, 120)
    for months in range(1, 60):
        longer = [np.hstack([one, np.full((40, months), np.nan)]) for one in (x, y)]
        np.testing.assert_array_equal(correlation(*longer, None, 120), expected)


def gold_case(gold: list[float], prices: list[float | None], first: str = "1990-01-01") -> list[pd.DataFrame]:
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
    found = values(view(gold_case(gold, prices, "1970-01-01"), "1977-02-28"))
    assert str(found["history_start_date"])[:10] == "1975-01-01"
    assert found["gold_multiple"] == pytest.approx(1.22), "November 1976, the last month with both"
    assert found["cpi_multiple"] == pytest.approx(1.44)
    assert np.isnan(found["gold_cpi_correlation_1y"]), "ten changes are too few"


def test_of_gold_the_sample_says_the_same_in_plain_pandas() -> None:
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
