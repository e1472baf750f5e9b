"""From FRED's XML to rows: the project's reading beside fredapi's own, on the same answer."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from time import perf_counter

import numpy as np
import pytest
from fredapi import Fred

from assets.sources.fred_vintages import parse_observations
from tests.benchmarks.report import record
from tests.benchmarks.vintages import generate

ROWS = 50_000  # half of FRED's largest answer


def answer() -> ET.Element:
    """An answer with vintages, as FRED writes it."""
    held = generate(ROWS)
    lines = "".join(
        f'<observation realtime_start="{start}" realtime_end="9999-12-31" date="{date}" value="{value:.4f}"/>'
        for start, date, value in zip(
            held.start[:ROWS], held.observation[:ROWS], held.value[:ROWS], strict=True
        )
    )
    return ET.fromstring(f'<observations count="{ROWS}">{lines}</observations>')


class Canned(Fred):
    """fredapi with its request replaced by an answer at hand; everything after it is its own."""

    def __init__(self, root: ET.Element) -> None:
        self.root_url, self.api_key, self._answer = "", "", root

    def _Fred__fetch_data(self, url: str) -> ET.Element:
        return self._answer


def best_of(times: int, work: object) -> float:
    taken = []
    for _ in range(times):
        began = perf_counter()
        work()  # type: ignore[operator]
        taken.append(perf_counter() - began)
    return min(taken)


@pytest.mark.bench
@pytest.mark.timeout(300)
def test_reading_beside_fredapi() -> None:
    root = answer()
    ours = parse_observations(root)
    theirs = Canned(root).get_series_all_releases("X")
    np.testing.assert_array_equal(theirs["date"].to_numpy(dtype="datetime64[D]"), ours.observation)
    np.testing.assert_array_equal(theirs["value"].to_numpy(dtype="float64"), ours.value)
    seconds = {
        "this project": best_of(5, lambda: parse_observations(root)),
        "fredapi": best_of(1, lambda: Canned(root).get_series_all_releases("X")),
    }
    record(
        "Reading FRED's XML",
        f"{ROWS:,} observations with vintages, from parsed XML to arrays or a frame. Equal results are checked first.",
        ("reader", "seconds", "rows a second", "times the fastest"),
        [(name, taken, ROWS / taken, taken / seconds["this project"]) for name, taken in seconds.items()],
    )
    assert seconds["fredapi"] / seconds["this project"] >= 20
