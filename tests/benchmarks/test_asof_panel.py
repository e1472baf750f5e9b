"""The as-of panel: five engines on the same vintages, equal answers first; then how the house's own grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest

from tests.benchmarks import asof_engines as engines
from tests.benchmarks.report import DOCS, record
from tests.benchmarks.vintages import generate, month_ends

MILLION = 1_000_000
_ALONE = """
import resource, sys
from time import perf_counter
from tests.benchmarks.asof_engines import house
from tests.benchmarks.vintages import generate, month_ends
vintages = generate(int(sys.argv[1]))
taken = []
for _ in range(int(sys.argv[2])):
    began = perf_counter()
    house(vintages, month_ends())
    taken.append(perf_counter() - began)
print(len(vintages), min(taken), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def best_of(times: int, work: Callable[[], object]) -> float:
    taken = []
    for _ in range(times):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return min(taken)


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_five_engines_on_a_million_vintages() -> None:
    vintages, as_of = generate(MILLION), month_ends()
    expected = engines.house(vintages, as_of)
    assert np.isfinite(expected).mean() > 0.99
    seconds = {"packed keys (this project)": best_of(9, lambda: engines.house(vintages, as_of))}
    for name, engine, times in (
        ("polars, `join_asof`", engines.polars_join_asof, 5),
        ("pandas, `merge_asof`", engines.pandas_merge_asof, 5),
        ("DuckDB, ASOF JOIN", engines.duckdb_asof, 5),
        ("pandas, a filter per date", engines.loop_over_dates, 1),
    ):
        np.testing.assert_array_equal(engine(vintages, as_of), expected, err_msg=name)
        seconds[name] = best_of(times, lambda engine=engine: engine(vintages, as_of))  # type: ignore[misc]
    best = next(iter(seconds.values()))
    record(
        "As-of panel, five engines",
        f"{len(vintages):,} vintages of {vintages.series} series; for each series and {len(as_of)} month-ends: the "
        "newest figure and those half a year and a year earlier, each as known that day. "
        "Equal results are checked first.",
        ("engine", "seconds", "times the fastest"),
        [(name, taken, taken / best) for name, taken in seconds.items()],
    )
    assert seconds["pandas, `merge_asof`"] / best >= 5
    assert seconds["pandas, a filter per date"] / best >= 400


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_growth_to_a_hundred_million() -> None:
    found = {}
    for rows, times in ((MILLION, 9), (10 * MILLION, 5), (100 * MILLION, 3)):
        command = [sys.executable, "-c", _ALONE, str(rows), str(times)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=DOCS.parent)
        found[rows] = tuple(map(float, done.stdout.split()))
    (n, small, _), (m, large, memory) = found[MILLION], found[100 * MILLION]
    exponent = float(np.log(large / small) / np.log(m / n))
    record(
        "As-of panel by size",
        "The same panel with an increasing number of series, each size in a separate process; memory is the peak of "
        f"the process, including the generated rows. "
        f"Growth exponent from 1 to 100 million: {exponent:.2f} (1 is linear).",
        ("vintages", "seconds", "peak GB"),
        [(int(held), taken, gigabytes) for held, taken, gigabytes in found.values()],
    )
    assert exponent <= 1.05
    assert memory < 8
