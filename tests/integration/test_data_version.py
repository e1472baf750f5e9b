"""The data version of a computed table is that of its rows: equal while they are, another when one value is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest

from assets.computed import COMPUTED_TABLES
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import Night

pytestmark = pytest.mark.slow

COMPUTED = ("real_yields", "credit_spreads", "policy_events", "regime")
ASSETS = [asset for asset in COMPUTED_TABLES if any(key.path[-1] in COMPUTED for key in asset.keys)]


def versions(con: duckdb.DuckDBPyConnection, night: Night, run_id: str) -> Mapping[str, str]:
    """Data version by table of a run of some assets, as Dagster records it."""
    facts = replace(night.facts, run_id=run_id, started_at=night.facts.started_at + dt.timedelta(days=1))
    result = dg.materialize(
        ASSETS,
        resources={"warehouse": SimpleNamespace(cursor=con.cursor), "facts": facts},
    )
    return {
        event.asset_key.path[-1]: event.materialization.tags["dagster/data_version"]
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }


def test_two_runs_on_the_same_figures_have_one_data_version_and_a_changed_figure_another(
    night: Night,
) -> None:
    with open_warehouse(night.warehouse) as con:
        first, again = versions(con, night, "first"), versions(con, night, "again")
        assert first == again
        assert set(first) > {*COMPUTED, "regime_evidence"}
        changed = con.execute(
            "UPDATE raw.vintages SET value = value + 0.01 "
            "WHERE series_id = 'DFII10' AND observation_date = DATE '2026-09-29'"
        ).fetchall()
        assert changed == [(1,)]
        third = versions(con, night, "third")
    differing = {name for name in first if third[name] != first[name]}
    assert "real_yields" in differing
    assert not differing & {"credit_spreads", "policy_events"}
