"""The level of policy next to its direction: limits of the band, and no output gap across two base years."""

from __future__ import annotations

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import days
from assets.compute.stance import level_of_policy
from assets.compute.tables.activity_inflation import output_gap
from tests.helpers import view, vintages

CATALOG = load_catalog()
RULES = CATALOG.method.policy_level
NAN = float("nan")
QUARTERS = ("2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01")


def level(rate: float, core: float, gap: float = 0.0, as_of: str = "2026-09-30") -> dict[str, object]:
    columns = level_of_policy(np.array([rate]), np.array([core]), np.array([gap]), days(as_of), RULES)
    return {name: values[0] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("rate", "word", "distance"),
    [(2.25, "accommodative", 0.25), (2.5, "neutral", 0.0), (3.25, "neutral", 0.25),
     (3.5, "neutral", 0.0), (5.0, "restrictive", 1.5)],
)  # fmt: skip
def test_the_band_includes_its_limits(rate: float, word: str, distance: float) -> None:
    found = level(rate, 2.0)
    assert (found["policy_level"], found["policy_level_distance_pp"]) == (word, distance)
    assert level(rate, NAN)["policy_level"] is None


def test_dollars_of_two_base_years_give_no_output_gap() -> None:
    """BEA went from dollars of 2012 to 2017 in September 2023, CBO in February 2024: all ratios rose by a tenth."""
    old, new = (100.0, 100.0, 101.0), (110.0, 110.0, 111.1)
    frames = [
        vintages("GDPC1", [
            *((quarter, "2023-09-27", value) for quarter, value in zip(QUARTERS, old, strict=False)),
            *((quarter, "2023-09-28", value) for quarter, value in zip(QUARTERS, new, strict=False)),
        ]),
        vintages("GDPPOT", [
            *((quarter, "2023-02-15", 100.0) for quarter in QUARTERS),
            *((quarter, "2024-02-07", 110.0) for quarter in QUARTERS),
        ]),
    ]  # fmt: skip
    found = output_gap(view(frames, ["2023-09-27", "2023-09-30", "2024-02-06", "2024-02-07"]))
    assert found.value.tolist() == pytest.approx([1.0, NAN, NAN, 1.0], nan_ok=True)
    assert found.absent_reason.tolist() == [None, "different_base_years", "different_base_years", None]
