"""The as-of panel by size: every series as known on every month-end, computed by the project's archive."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from assets.compute.archive import Captures, pack, resolve
from tests.benchmarks.report import record
from tests.benchmarks.vintages import ROOT, Vintages, generate, month_ends

MILLION = 1_000_000
_ALONE = """
import resource, sys
from time import perf_counter
from tests.benchmarks.test_asof_panel import panel
from tests.benchmarks.vintages import generate
vintages = generate(int(sys.argv[1]))
taken = []
for _ in range(int(sys.argv[2])):
    began = perf_counter()
    panel(vintages)
    taken.append(perf_counter() - began)
print(len(vintages), min(taken), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def panel(vintages: Vintages) -> np.ndarray:
    """Newest value by series and month-end, NaN where none was known; reading and packing the vintages included."""
    as_of = month_ends()
    key = pack(vintages.code, vintages.observation, vintages.start)
    codes = {str(code): code for code in range(vintages.series)}
    captured = np.zeros(len(vintages), dtype="int64")
    source = np.ones(len(vintages), dtype="int8")
    archive = resolve(Captures.from_keys(codes, key, vintages.value, captured, source))
    rows = []
    for series_id in codes:
        known = archive.observations(series_id)
        at = known.newest_position(as_of)
        newest = np.where(at >= 0, known.dates[np.maximum(at, 0)], np.datetime64("NaT", "D"))
        rows.append(archive.take(archive.value, archive.rows_as_of(series_id, newest, as_of), np.nan))
    return np.stack(rows)


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_panel_grows_linearly_and_equals_a_filter_per_date() -> None:
    small = generate(100_000)
    frame, found = small.frame(), panel(small)
    for n in range(0, len(month_ends()), 60):
        known = frame[frame["start"] <= month_ends()[n]]
        expected = known.groupby("code")["value"].last()  # rows are sorted by observation, then start
        np.testing.assert_array_equal(found[:, n], expected.to_numpy())
    measured = {}
    for rows, times in ((MILLION, 9), (10 * MILLION, 5), (100 * MILLION, 3)):
        command = [sys.executable, "-c", _ALONE, str(rows), str(times)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        measured[rows] = tuple(map(float, done.stdout.split()))
    (n, first, _), (m, last, memory) = measured[MILLION], measured[100 * MILLION]
    exponent = float(np.log(last / first) / np.log(m / n))
    record(
        "As-of panel by size",
        f"The newest value of every series as known on {len(month_ends())} month-ends, each size in a separate "
        "process; memory is the process's peak, including the generated rows. Growth exponent from 1 to 100 million: "
        f"{exponent:.2f} (1 is linear).",
        ("vintages", "seconds", "peak GB"),
        [(int(count), taken, gigabytes) for count, taken, gigabytes in measured.values()],
    )
    assert exponent <= 1.15
    assert memory < 8
