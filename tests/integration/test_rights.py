"""Figures of restricted series leave by no door: file, Parquet, CSV, documents, findings, Dagster metadata."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.publish.documents.fill import fill_release
from assets.publish.manifest import release_facts
from assets.publish.staged_file import build_release
from assets.raw.assets import _result
from assets.report.published import Release
from assets.warehouse.connection import CONFIG
from assets.warehouse.fetches import Ingested
from assets.warehouse.readers import Holding
from assets.warehouse.schema import open_warehouse
from assets.warehouse.tables import append_rows
from checks.archive import check_series
from checks.factories import check_result
from checks.results import rule_rows
from pipelines.commands.doctor import configuration
from pipelines.published_verdict import verdict_lines
from tests.integration.conftest import STARTED_AT, Night, copied

SECRET = 739162.25  # far outside of what VIXCLS may be: every check has something to say about it
MARK = re.compile(r"(?<![\d.])739162")  # and no accidental run of decimals
DAY = dt.date(2026, 9, 20)
SERIES = load_catalog().series["VIXCLS"]


def plant(con: duckdb.DuckDBPyConnection, facts_run: str) -> None:
    """Figures of a restricted series in the archive, and one of them late."""
    con.execute(
        "INSERT INTO raw.vintages SELECT ?, CAST(range AS DATE), CAST(range AS DATE), ?, 'captured', ?, ? "
        "FROM range(DATE '2026-09-01', DATE '2026-09-29', INTERVAL 1 DAY)",
        [SERIES.series_id, SECRET, STARTED_AT.replace(tzinfo=None), facts_run],
    )
    moments = "now()::TIMESTAMP, now()::TIMESTAMP, TIMESTAMP '2026-09-01'"
    late = f"INSERT INTO regime.late_figures SELECT ?, ?, ?, ?, ?, ?, {moments}"
    con.execute(late, [dt.date(2026, 8, 31), SERIES.series_id, DAY, DAY, SECRET, SECRET + 1])
    con.execute(late, [dt.date(2026, 8, 31), "UNRATE", DAY, DAY, 4.25, 4.5])


def release(night: Night, folder: Path, catalog: Catalog, publishes_restricted: bool = False) -> None:
    facts = replace(night.facts, publishes_restricted=publishes_restricted)
    with open_warehouse(night.warehouse) as con:
        plant(con, "planted")
        judged = check_series(con, [SERIES], night.facts.run_date)[0][1]
        assert any(not result.passed for result in judged)
        rows = rule_rows({"raw/fred/VIXCLS": judged}, night.facts, "warehouse", STARTED_AT)
        append_rows(con, catalog.tables["check_results"], rows)
        build_release(con, night.staged, catalog, release_facts(con, facts, STARTED_AT))
    with duckdb.connect(str(night.staged), read_only=True, config=CONFIG) as staged:
        fill_release(staged, night.staged, folder, None)


@pytest.fixture(scope="module")
def folder(_made_night: Night, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release without the planted figures, only to be read."""
    place = tmp_path_factory.mktemp("without")
    release(copied(_made_night, tmp_path_factory.mktemp("night")), place, load_catalog())
    return place


def cells(con: duckdb.DuckDBPyConnection, relation: str) -> Iterator[str]:
    for row in con.execute(f"FROM {relation}").fetchall():
        yield from map(str, row)


def test_no_file_of_a_release_holds_a_figure_of_a_restricted_series(folder: Path) -> None:
    with duckdb.connect(str(folder / "regime.duckdb"), read_only=True, config=CONFIG) as con:
        names = [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        names += ["monthly", "spells"]  # views that are also written as files
        parquet = [f"'{path}'" for path in sorted(folder.glob("parquet/*"))]
        assert len(parquet) == len(names) > 20
        for relation in [*(f'"{name}"' for name in names), *parquet]:
            assert [cell for cell in cells(con, relation) if MARK.search(cell)] == [], relation
    read = [
        path for path in folder.rglob("*") if path.suffix not in {".duckdb", ".parquet"} and path.is_file()
    ]
    assert len(read) > len(names)
    assert [path.name for path in read if MARK.search(path.read_text(encoding="utf-8"))] == []


def test_failed_and_late_fetches_are_still_reported(folder: Path) -> None:
    with duckdb.connect(str(folder / "regime.duckdb"), read_only=True, config=CONFIG) as con:
        late = "SELECT series_id, value_used, value_late FROM late_figures ORDER BY series_id"
        assert con.execute(late).fetchall() == [("UNRATE", 4.25, 4.5), ("VIXCLS", None, None)]
        messages = con.execute(
            "SELECT message FROM check_results WHERE asset_key = 'raw/fred/VIXCLS' AND NOT passed"
        ).fetchall()
        assert messages and all(
            "figures of a restricted series are not shown" in message for (message,) in messages
        )
        assert con.execute("SELECT rows_published FROM series WHERE series_id = 'VIXCLS'").fetchall() == [
            (0,)
        ]


def test_a_release_says_so_where_the_operator_wants_restricted_series_in_it(
    night: Night, tmp_path: Path
) -> None:
    place = tmp_path / "wanted"
    place.mkdir()
    release(night, place, load_catalog(), publishes_restricted=True)
    with duckdb.connect(str(place / "regime.duckdb"), read_only=True, config=CONFIG) as con:
        for relation in ("observations", "late_figures", f"'{place / 'parquet' / 'observations.parquet'}'"):
            assert any(MARK.search(cell) for cell in cells(con, relation)), relation
        assert not any(MARK.search(cell) for cell in cells(con, "check_results"))
        query = "SELECT restricted_series_count, caution, is_published FROM release_manifest, about, series "
        count, caution, is_published = con.execute(f"{query} WHERE series_id = 'VIXCLS'").fetchall()[0]
        assert (count, is_published) == (1, True) and "not to be passed on" in caution
        output = "\n".join(verdict_lines(Release(con), place))
    assert "contains raw figures of 1 restricted series: do not pass it on" in output
    assert "not to be passed on" in (place / "README.txt").read_text(encoding="utf-8")
    package = json.loads((place / "datapackage.json").read_text(encoding="utf-8"))
    assert package["regime:restricted_series_count"] == 1
    for text in (package["regime:rights"]["restricted"], (place / "LICENSES.md").read_text(encoding="utf-8")):
        assert "do not pass this release on" in text and "is not in this release" not in text


def test_a_release_without_restricted_series_does_not_cry_wolf(folder: Path) -> None:
    with duckdb.connect(str(folder / "regime.duckdb"), read_only=True, config=CONFIG) as con:
        assert con.execute("SELECT restricted_series_count FROM release_manifest").fetchall() == [(0,)]
        output = "\n".join(verdict_lines(Release(con), folder))
    rights = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))["regime:rights"]
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("README.txt", "LICENSES.md")]
    assert not any("be passed on" in text for text in (output, rights["restricted"], *texts))


def test_doctor_says_that_restricted_series_are_turned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [found.level for found in configuration({})] == ["OK"]
    monkeypatch.setenv("REGIME_PUBLISH_RESTRICTED", "1")
    rights = configuration({})[1]
    assert (
        rights.level == "WARN" and "raw figures of restricted series go into the publication" in rights.text
    )


def test_no_figure_of_a_restricted_series_reaches_dagster(night: Night) -> None:
    holding = Holding(28, 28, DAY, DAY, DAY, SECRET)
    metadata = str(_result(Ingested(SERIES, "new", holding=holding), night.facts).metadata)
    assert "last_observation" in metadata and not MARK.search(metadata)
    with open_warehouse(night.warehouse) as con:
        plant(con, "planted")
        rows, judged = check_series(con, [SERIES], night.facts.run_date)[0]
    check = check_result(dg.AssetCheckKey(dg.AssetKey(list(SERIES.asset_key)), "validity"), judged, rows)
    assert not check.passed
    assert not MARK.search(f"{check.description} {check.metadata}")
