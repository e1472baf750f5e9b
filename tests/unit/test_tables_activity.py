"""`activity_inflation` and `fiscal_and_debt`: holes, twelve months that are twelve months, one month on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from assets.compute.reading import Reading
from assets.compute.tables import fiscal_and_debt
from assets.compute.tables.activity_inflation import sahm_gap
from tests.helpers import monthly, published_after, view


def gap(rates: Sequence[float | None], last: str, as_of: str) -> Reading:
    """Sahm gap of months that end with `last`, each public 40 days after its first day."""
    start = str((np.datetime64(last, "M") - (len(rates) - 1)).astype("datetime64[D]"))
    return sahm_gap(view(published_after("UNRATE", monthly(start, rates), 40), as_of))


def test_two_missing_months_of_three_are_too_few() -> None:
    found = gap([4.0] * 12 + [None, None, 4.6], "2025-11-01", "2025-12-31")
    assert not found.present[0]
    assert found.absent_reason[0] == "undefined"


def test_the_lowest_average_needs_ten_of_the_twelve_before() -> None:
    holes = [None] * 3
    assert gap([*holes, *[4.0] * 9, 4.2, 4.4, 4.6], "2025-08-01", "2025-09-30").present[0]
    assert not gap([*holes, None, *[4.0] * 8, 4.2, 4.4, 4.6], "2025-08-01", "2025-09-30").present[0]


# ---- fiscal


def test_a_missing_month_leaves_the_newest_twelve_that_are_whole() -> None:
    balance = monthly("2024-01-01", [-100_000.0] * 12 + [None] + [-900_000.0])
    seen = view(published_after("MTSDS133FMS", balance, 43), "2025-03-31")
    found = fiscal_and_debt.deficit_12m(seen)
    assert found.value.tolist() == [1200.0]
    assert str(found.observation_date[0]) == "2024-12-01"


def test_the_bill_share_compares_month_ends_a_year_apart() -> None:
    """The public debt statement is stamped on the last day of a month, of 28 days as of 29."""
    bills = {"2024-02-29": 20.0, "2025-02-28": 22.0}
    whole = {"2024-02-29": 100.0, "2025-02-28": 100.0}
    frames = [published_after("MSPD_BILLS", bills, 6), published_after("MSPD_TOTAL_MARKETABLE", whole, 6)]
    found = fiscal_and_debt.bill_share_change(view(frames, "2025-03-31"))
    assert found.value.tolist() == pytest.approx([2.0])
