"""`real_yields` and `credit_spreads`: which series serves when, and what a spread is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import month_ends
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.tables import credit_spreads, real_yields
from tests.helpers import archive, monthly, published_after, view, vintages

MONTH_END = (
    27  # days from the first of a month after which every month's average is public, within the month or not
)


def daily(series_id: str, day: str, value: float) -> pd.DataFrame:
    return published_after(series_id, {day: value}, 1)


def average(series_id: str, first: str, values: Sequence[float | None]) -> pd.DataFrame:
    return published_after(series_id, monthly(first, values), MONTH_END)


def test_once_there_are_tips_their_absence_is_an_absence() -> None:
    frames = [
        average("GS10", "2003-01-01", [4.0] * 6),
        average("EXPINF10YR", "2003-01-01", [2.0] * 6),
        average("FII10", "2003-01-01", [2.3]),
    ]
    columns = real_yields.build(view(frames, ["2003-01-31", "2003-06-30"]))
    assert columns["real_10y_pct"].absent_reason.tolist() == [None, "stale"]
    assert list(columns["real_10y_basis"]) == ["tips", None]


def test_a_difference_of_yields_carries_both_series_and_the_older_of_their_dates() -> None:
    frames = [daily("DGS10", "2025-11-04", 4.10), daily("DFII10", "2025-11-03", 1.81)]
    breakeven = real_yields.build(view(frames, "2025-11-05"))["breakeven_10y_pp"]
    assert breakeven.series_ids.tolist() == ["DGS10,DFII10"]
    assert str(breakeven.observation_date[0]) == "2025-11-03"
    assert str(breakeven.available_on[0]) == "2025-11-05"


# ---- credit spreads

DATES = month_ends(np.datetime64("2014-01-31", "D"), np.datetime64("2024-12-31", "D"))
GRID = Grid(DATES)


def spreads(*frames: pd.DataFrame) -> dict:
    catalog = load_catalog()
    seen = View(archive(*frames), DATES, catalog.series, catalog)
    return credit_spreads.build(seen)


def quotes(series_id: str, first: str, captured_at: str = "2014-01-01") -> pd.DataFrame:
    """A quote on every month-end of the grid from `first` on, ever wider, public that day."""
    days = [str(day) for day in DATES if str(day) >= first]
    return vintages(series_id, [(day, day, 1.0 + n) for n, day in enumerate(days)], captured_at=captured_at)


def test_ranks_have_the_window_they_are_a_rank_of_beside_them() -> None:
    columns = spreads(quotes("BAA10Y", "2014-01-31"))
    assert columns["baa_10y_pp_rank"][-1] == pytest.approx((len(DATES) - 0.5) / len(DATES))
    assert np.isnan(columns["baa_10y_pp_rank"][118])
    assert str(columns["baa_10y_pp_window_start_date"][-1])[:10] == "2014-01-31"


def test_a_truncated_history_gives_no_spread_even_with_ten_years_of_values() -> None:
    short = spreads(quotes("BAMLH0A0HYM2", "2014-01-31"))
    assert not short["hy_oas_pct"].present.any()
    assert short["hy_oas_pct"].absent_reason[-1] == "history_too_short"
    assert short["is_spread_missing"].all()


def test_a_whole_history_gives_one_though_its_beginning_was_loaded_later() -> None:
    start = vintages("BAMLH0A0HYM2", [("1996-12-31", "1997-01-01", 3.1)], captured_at="2024-06-01")
    truncated = quotes("BAMLH0A0HYM2", "2014-01-31")
    whole = spreads(start, truncated)
    assert whole["hy_oas_pct"].present.all()
    assert not whole["is_spread_missing"][-1]
    assert not spreads(truncated)["hy_oas_pct"].present.any()


def test_the_family_is_the_mean_of_the_ranks_present_and_investment_grade_is_not_in_it() -> None:
    family = spreads(quotes("EBP", "2014-01-31"), quotes("BAA10Y", "2014-01-31"))
    assert family["spread_family_rank"][-1] == family["ebp_pp_rank"][-1]
    assert np.isnan(family["spread_family_rank"][118])
    assert family["is_spread_missing"][118]
    start = vintages("BAMLC0A0CM", [("1996-12-31", "1997-01-01", 1.0)])
    graded = spreads(start, quotes("BAMLC0A0CM", "2014-01-31"))
    assert graded["ig_oas_pct"].present.all()
    assert graded["is_spread_missing"].all()
