"""Figures of restricted series are in no finding and not in Dagster; `doctor` warns where the operator lets them out.

What a release holds of them: `test_rights_of_tables.py`.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from assets.catalog.loader import load_catalog
from assets.raw import _result
from assets.warehouse.fetches import Ingested
from assets.warehouse.readers import Holding
from assets.warehouse.schema import open_warehouse
from checks.archive import check_series
from checks.factories import check_result
from checks.results import rule_rows
from pipelines.commands.doctor import configuration
from tests.integration.conftest import STARTED_AT, Night

SECRET = 739162.25  # far outside of what VIXCLS may be: every check has something to say about it
MARK = "739162"
DAY = dt.date(2026, 9, 20)
SERIES = load_catalog().series["VIXCLS"]


def test_doctor_says_that_restricted_series_are_turned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [found.level for found in configuration({})] == ["OK"]
    monkeypatch.setenv("REGIME_PUBLISH_RESTRICTED", "1")
    rights = configuration({})[1]
    assert (
        rights.level == "WARN" and "raw figures of restricted series go into the publication" in rights.text
    )


def test_no_figure_of_a_restricted_series_reaches_dagster_or_a_stored_finding(night: Night) -> None:
    holding = Holding(28, 28, DAY, DAY, DAY, SECRET)
    metadata = str(_result(Ingested(SERIES, "new", holding=holding), night.facts).metadata)
    assert "last_observation" in metadata and MARK not in metadata
    with open_warehouse(night.warehouse) as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT ?, CAST(range AS DATE), CAST(range AS DATE), ?, 'captured', ?, 'f' "
            "FROM range(DATE '2026-09-01', DATE '2026-09-29', INTERVAL 1 DAY)",
            [SERIES.series_id, SECRET, STARTED_AT.replace(tzinfo=None)],
        )
        rows, judged = check_series(con, [SERIES], night.facts.run_date)[0]
    check = check_result(dg.AssetCheckKey(dg.AssetKey(list(SERIES.asset_key)), "validity"), judged, rows)
    assert not check.passed
    stored = rule_rows({"raw/fred/VIXCLS": judged}, night.facts, "warehouse", STARTED_AT)
    assert MARK not in f"{check.description} {check.metadata} {stored.to_dict('records')}"
    failed = stored.loc[~stored["passed"], "message"]
    assert len(failed) and failed.str.contains("figures of a restricted series are not shown").all()
