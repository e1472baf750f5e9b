"""The measurements work on small sizes; what they measure at full size is in docs/benchmarks.md (`make bench`)."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import pytest

from assets.catalog.loader import load_catalog
from assets.sources.sample import SampleSource
from assets.warehouse.merge import merge_source
from assets.warehouse.schema import open_warehouse
from tests.benchmarks.report import DOCS, page
from tests.benchmarks.test_asof_panel import panel
from tests.benchmarks.test_runs import process
from tests.benchmarks.vintages import SAMPLE_END, generate, large_project, month_ends


def test_generated_vintages_are_the_same_again_and_deeper_with_depth() -> None:
    one, again, deep = generate(50_000), generate(50_000), generate(50_000, depth=2)
    assert len(one) >= 50_000 and one.frame().equals(again.frame())
    assert len(deep) / deep.series > len(one) / one.series
    assert panel(one).shape == (one.series, len(month_ends()))


def test_a_nightly_run_on_the_large_project_finds_no_new_data(tmp_path: Path) -> None:
    """Else the measurement would be one of a load."""
    number = large_project(tmp_path, 40_000)
    catalog, source, day = load_catalog(tmp_path), SampleSource(tmp_path), SAMPLE_END.astype(dt.date)
    generated = [series for name, series in catalog.series.items() if name.startswith("GENERATED")]
    assert (
        len(generated) == number == len(catalog.series) - len(load_catalog().series) and day == source.as_of
    )
    payloads = [(series, source.fetch(series), series.series_id) for series in generated]
    with open_warehouse(tmp_path / "data" / "sample.warehouse.duckdb", catalog=catalog) as con:
        counts = merge_source(
            con, payloads, run_date=day, captured_at=dt.datetime.now(dt.UTC), released_on={}
        )
        (stored,) = con.execute("SELECT count(*) FROM raw.vintages").fetchall()[0]
    assert stored >= 40_000 * 0.9
    assert all(found.appended == found.differing == 0 and found.unchanged for found in counts.values())


def test_a_process_is_measured_with_its_memory_and_a_failing_one_raises(tmp_path: Path) -> None:
    program = "import time; held = b'x' * 200_000_000; time.sleep(0.5); n = sum(range(3_000_000))"
    cost = process(tmp_path, tmp_path / "data", sys.executable, "-c", program)
    assert cost.seconds > 0.5 and cost.processor_seconds > 0.01 and cost.peak_gb > 0.2
    with pytest.raises(AssertionError, match="refused for a reason"):
        process(tmp_path, tmp_path / "data", sys.executable, "-c", "raise SystemExit('refused for a reason')")


def test_the_page_is_made_of_the_stored_results() -> None:
    sections = json.loads((DOCS / "benchmarks.json").read_text("utf-8"))
    assert (DOCS / "benchmarks.md").read_text("utf-8") == page(sections)
