"""Asset graph and published release against the snapshots in tests/snapshots; `make snapshots` rewrites them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pytest

from assets.warehouse.connection import CONFIG
from pipelines.definitions import defs
from tests.nightly_run import NightlyRun
from tests.snapshot import (
    check_document,
    check_regime,
    graph_snapshot,
    regime_rows,
    tables_snapshot,
    without_run_facts,
)

pytestmark = pytest.mark.timeout(300)  # the first test that needs it makes the nightly run


@pytest.fixture(scope="module")
def release(nightly_run: NightlyRun) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(nightly_run.published), read_only=True, config=CONFIG) as con:
        yield con


def test_asset_keys_jobs_and_schedules_do_not_move_by_accident() -> None:
    check_document("definitions.json", graph_snapshot(defs), depth=2)


def test_published_tables_do_not_move_by_accident(release: duckdb.DuckDBPyConnection) -> None:
    check_document("tables.json", tables_snapshot(release), depth=2)


def test_the_label_of_no_month_moves_by_accident(release: duckdb.DuckDBPyConnection) -> None:
    check_regime(regime_rows(release))


def test_regime_json_does_not_move_by_accident(nightly_run: NightlyRun) -> None:
    document = json.loads(nightly_run.published.with_name("regime.json").read_text("utf-8"))
    check_document("regime.json", without_run_facts(document), depth=2)
