"""`equity_risk_premium`: the basis each date can have, quarters that belong together, earnings that were reported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from assets.compute.tables.assemble import Columns
from assets.compute.tables.equity import equity_risk_premium
from tests.helpers import monthly, published_after, view, vintages

NAN = float("nan")


def built(frames: Sequence[pd.DataFrame], as_of: str | Sequence[str]) -> Columns:
    return equity_risk_premium(view(frames, as_of, profile="live"))


def quarters(series_id: str, first: str, values: Sequence[float], lag: int) -> pd.DataFrame:
    start = np.datetime64(first, "M") + 3 * np.arange(len(values))
    days = [str(month.astype("datetime64[D]")) for month in start]
    return published_after(series_id, dict(zip(days, values, strict=True)), lag)


def prices(first: str, values: Sequence[float | None]) -> pd.DataFrame:
    return vintages(
        "SHILLER_PRICE",
        [
            (day, str((np.datetime64(day, "M") + 1).astype("datetime64[D]") - 1), value)
            for day, value in monthly(first, values).items()
        ],
    )


def test_market_value_in_millions_is_compared_with_output_in_billions_of_its_quarter() -> None:
    frames = [
        quarters("NCBEILQ027S", "2025-01-01", [60_000_000.0], 165),
        quarters("GDP", "2025-01-01", [30_000.0, 99_000.0], 120),
        quarters("NFCPATAX", "2025-01-01", [2400.0], 150),
        quarters("CP", "2025-01-01", [3600.0], 150),
    ]
    found = built(frames, "2025-09-05")
    assert found["equity_value_pct_gdp"].value.tolist() == [200.0]
    assert found["earnings_yield_nipa_pct"].value.tolist() == [4.0], "domestic profits where there are"


def shiller(*earnings: tuple[str, float | None]) -> list[pd.DataFrame]:
    """A price of 5000 all of 2025, and earnings public 95 days after their month."""
    rows = [
        (day, str(np.datetime64(day, "M").astype("datetime64[D]") + 125), value) for day, value in earnings
    ]
    return [prices("2025-01-01", [5000.0] * 12), vintages("SHILLER_EARNINGS", rows)]


def test_interpolated_earnings_do_not_count() -> None:
    frames = shiller(("2025-03-01", 200.0), ("2025-04-01", 999.0), ("2025-05-01", 999.0))
    found = built(frames, "2025-10-31")["earnings_yield_ttm_pct"]
    assert found.value.tolist() == [4.0]


def test_premia_follow_the_basis_of_the_earnings_and_keep_both_histories() -> None:
    frames = [
        *shiller(("2024-12-01", 200.0)),
        quarters("NCBEILQ027S", "2024-10-01", [60_000_000.0, 60_000_000.0, 40_000_000.0], 165),
        quarters("NFCPATAX", "2024-10-01", [2400.0] * 3, 150),
        published_after("DGS10", {"2025-05-29": 4.5, "2025-12-29": 4.1}, 1),
    ]
    found = built(frames, ["2025-05-31", "2025-12-31"])
    premia = [found[f"erp_vs_nominal_10y_{basis}pp"].value.tolist() for basis in ("ttm_", "nipa_", "")]
    assert premia[0] == pytest.approx([-0.5, NAN], nan_ok=True)
    assert premia[1] == pytest.approx([-0.5, 1.9])
    assert premia[2] == pytest.approx([-0.5, 1.9])


def test_the_price_whose_period_ends_last_wins_and_keeps_its_own_past() -> None:
    """An index of February is older than the market value of March; one of March is preferred to it."""
    frames = [
        prices("2024-02-01", [100.0] * 12 + [110.0]),
        quarters("NCBEILQ027S", "2024-01-01", [80e6, 80e6, 80e6, 80e6, 60e6], 165),
    ]
    found = built(frames, ["2025-02-28", "2025-06-13", "2025-06-30"])
    index, value = "sp_composite", "z1_market_value_usd_bn"
    assert list(found["equity_price_basis"]) == [index, index, value]
    assert found["equity_price"].value.tolist() == [110.0, 110.0, 60_000.0]
    assert found["equity_drawdown_pct"].value.tolist() == pytest.approx([0.0, 0.0, -25.0])
    change = found["equity_return_12m_pct"].value.tolist()
    assert change == pytest.approx([10.0, 10.0, -25.0])
    with_march = [frames[1], prices("2024-02-01", [100.0] * 12 + [110.0, 120.0])]
    tied = built(with_march, "2025-06-30")
    assert list(tied["equity_price_basis"]) == [index]


def test_closes_without_the_sheet_are_no_price_and_the_market_value_serves() -> None:
    """Ten years of closes are too short a past for a high and for a rank."""
    quotes = {f"2025-{month:02d}-28": 6000.0 for month in range(1, 10)}
    frames = [
        published_after("SP500", quotes, 1),
        quarters("NCBEILQ027S", "2025-01-01", [60_000_000.0], 165),
    ]
    found = built(frames, "2025-09-30")
    assert list(found["equity_price_basis"]) == ["z1_market_value_usd_bn"]
    assert found["equity_return_12m_sp_composite_pct"].absent_reason.tolist() == ["not_held"]


def test_closes_do_not_continue_the_sheet_across_a_month_without_either() -> None:
    quotes = {"2025-03-27": 6000.0, "2025-03-28": 6000.0, "2025-03-31": 6000.0}
    frames = [prices("2025-01-01", [5000.0]), published_after("SP500", quotes, 0)]
    assert built(frames, "2025-03-31")["equity_price"].value.tolist() == [5000.0]
    quotes |= {"2025-02-28": 5500.0}
    frames = [prices("2025-01-01", [5000.0]), published_after("SP500", quotes, 0)]
    assert built(frames, "2025-03-31")["equity_price"].value.tolist() == [6000.0]


def test_cape_averages_forty_quarter_ends_in_the_newest_prices_and_not_one_less() -> None:
    start = np.datetime64("2015-03", "M") + 3 * np.arange(40)  # to 2024-12
    rows = [(str(m.astype("datetime64[D]")), str((m + 5).astype("datetime64[D]")), 100.0) for m in start]
    cpi = published_after("CPIAUCSL", monthly("2015-01-01", [100.0] * 120 + [110.0] * 5), 45)
    frames = [prices("2025-01-01", [5500.0] * 5), cpi]
    full = built([*frames, vintages("SHILLER_EARNINGS", rows)], "2025-05-31")
    assert full["cape"].value.tolist() == pytest.approx([50.0])
    gap = built([*frames, vintages("SHILLER_EARNINGS", rows[:20] + rows[21:])], "2025-05-31")
    assert not gap["cape"].present.any(), "no shorter average in its place"


def test_prices_before_1985_set_no_high_and_nothing_to_have_fallen_from_is_no_record_high() -> None:
    found = built([prices("1984-11-01", [500.0, 500.0, 100.0])], ["1984-12-31", "1985-01-31"])
    assert found["equity_drawdown_pct"].value.tolist() == pytest.approx([NAN, 0.0], nan_ok=True)
    assert found["equity_drawdown_pct"].absent_reason.tolist() == ["history_too_short", None]
    assert list(found["is_equity_at_high"]) == [None, True]


def test_the_twelve_month_return_is_over_the_same_month_and_absent_without_it() -> None:
    frames = [prices("2023-02-01", [100.0, None, *[110.0] * 10, 125.0, 130.0])]
    found = built(frames, ["2024-02-29", "2024-03-31"])["equity_return_12m_pct"]
    assert found.value.tolist() == pytest.approx([25.0, np.nan], nan_ok=True)


def test_daily_closes_continue_the_sheet_month_by_month_when_a_month_is_over() -> None:
    quotes = {"2025-02-03": 4900.0, "2025-02-27": 5100.0, "2025-02-28": 5300.0, "2025-03-03": 9000.0}
    frames = [prices("2025-01-01", [4800.0]), published_after("SP500", quotes, 1)]
    found = built(frames, ["2025-02-27", "2025-02-28", "2025-03-05"])["equity_price"]
    assert found.value.tolist() == [4800.0, 5000.0, 5100.0]
    assert found.series_ids.tolist() == ["SHILLER_PRICE", "SP500", "SP500"]


def test_a_profile_whose_price_was_never_read_has_no_price_and_no_crash() -> None:
    found = built([quarters("GDP", "2025-01-01", [30_000.0], 120)], "2025-09-05")
    assert found["equity_price"].absent_reason.tolist() == ["not_held"]
    assert list(found["is_equity_at_high"]) == [None]
