"""The measurements work on small sizes; what they measure at full size is in docs/benchmarks.md (`make bench`)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from assets.catalog.loader import load_catalog
from assets.sources.sample import SampleSource
from assets.warehouse.merge import merge_source
from assets.warehouse.schema import open_warehouse
from tests.benchmarks.report import DOCS, page
from tests.benchmarks.vintages import SAMPLE_END, large_project


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


def test_the_page_is_made_of_the_stored_results_and_has_every_section() -> None:
    sections = json.loads((DOCS / "benchmarks.json").read_text("utf-8"))
    assert (DOCS / "benchmarks.md").read_text("utf-8") == page(sections)
    assert sections.keys() == {"As-of panel by size", "Queries of the examples page", "Runs", "Show"}
    assert len(sections["Runs"]["rows"]) == 4
