"""Asset graph and published release against the snapshots in tests/snapshots; `make snapshots` rewrites them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import duckdb
import pytest

from assets.warehouse.connection import CONFIG
from pipelines.definitions import defs
from tests.nightly_run import NightlyRun
from tests.snapshot import (
    FOLDER,
    WRITES,
    check_document,
    check_regime,
    differences,
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


def test_a_difference_is_reported_by_table_and_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WRITES, raising=False)
    before = json.loads((FOLDER / "tables.json").read_text("utf-8"))
    after = copy.deepcopy(before)
    after["regime"]["bubble_score"]["sum"] *= 1 + 1e-12  # another processor's last bits
    assert list(differences(before, after)) == []
    after["regime"]["bubble_score"]["sum"] += 1e-6
    after["regime"]["stance"]["sha256"] = "0" * 16
    del after["qe_phases"]
    found = list(differences(before, after))
    assert [line.split(":")[0] for line in found] == [
        "qe_phases",
        "regime / stance / sha256",
        "regime / bubble_score / sum",
    ]
    check_document("tables.json", before, depth=2)
    with pytest.raises(AssertionError, match=r"tables\.json differs in 3 places:\nqe_phases: gone\n"):
        check_document("tables.json", after, depth=2)
