"""Figures of restricted series are in no table, file, finding or preview, and nothing else is lost."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Table
from assets.computed import COMPUTED_TABLES
from assets.publish.gate import blocking_rules
from assets.publish.ledger import record_publication
from assets.raw import _result
from assets.report.published import Release
from assets.warehouse.fetches import Ingested
from assets.warehouse.readers import Holding, content_hash, frame_of, read_table
from assets.warehouse.rights import disclosed, passed_on, selected, whole, withheld
from assets.warehouse.schema import open_warehouse
from checks.factories import check_result
from checks.results import of_table, rule_rows
from checks.rules import Suite
from checks.runner import SuiteResult, run_suite
from checks.series import check_series
from checks.tables import suite_of
from pipelines.commands.doctor import configuration
from pipelines.commands.show import explain_lines
from pipelines.published_verdict import verdict_lines
from pipelines.verify import verify
from tests.builders import NOON, an_archive
from tests.integration.conftest import STARTED_AT
from tests.integration.restricted_night import RESTRICTED, Place, are_planted, figures, make_place
from tests.integration.sample_night import ROOT, night_facts
from tests.nightly_run import made_once

CATALOG = load_catalog()
EVIDENCE = CATALOG.tables["regime_evidence"]
CELLS = withheld(EVIDENCE, CATALOG, "live")
SECRET, MARK = 739162.25, "739162"  # far outside of what any series may be


@pytest.fixture
def evidence() -> pd.DataFrame:
    """Three components of two dates, with every column of the table."""
    rows = [
        (f"2026-0{month}-28", component, value + month)
        for month in (3, 4)
        for component, value in (("hy_oas", 3.0), ("unemployment", 4.0), ("gz_spread", 1.0))
    ]
    frame = pd.DataFrame(rows, columns=["as_of_date", "component", "value"])
    frame = frame.assign(as_of_date=frame["as_of_date"].astype("datetime64[s]"), condition="credit")
    return frame.reindex(columns=list(EVIDENCE.column_names))


def test_restricted_series_of_the_profile_are_withheld_and_those_a_row_names_in_every_profile() -> None:
    assert withheld(EVIDENCE, CATALOG, "sample") == {}
    assert CELLS == {"value": ({"component": "baa_10y_spread"}, {"component": "hy_oas"})}
    assert withheld(CATALOG.tables["credit_spreads"], CATALOG, "live")["hy_oas_pct"] == ({},)
    for profile in ("sample", "live"):
        named = withheld(CATALOG.tables["late_figures"], CATALOG, profile)["value_late"]
        assert {"series_id": "VIXCLS"} in named and {"series_id": "UNRATE"} not in named


def test_sql_and_frames_withhold_the_same_cells(evidence: pd.DataFrame) -> None:
    frame = evidence[["as_of_date", "component", "value"]]
    table = EVIDENCE.model_copy(
        update={"columns": tuple(c for c in EVIDENCE.columns if c.name in frame.columns)}
    )
    with duckdb.connect() as con:
        con.register("evidence", frame)
        shown = con.execute(f"SELECT {selected(table, CELLS)} FROM evidence").df()
    np.testing.assert_array_equal(shown["value"], passed_on(frame, CELLS)["value"])
    assert np.isnan(shown["value"]).tolist() == [True, False, False] * 2


def test_what_is_withheld_is_checked_as_the_warehouse_has_it_and_what_is_disclosed_is_counted(
    evidence: pd.DataFrame,
) -> None:
    staged = passed_on(evidence, CELLS)
    assert disclosed(staged, CELLS) == {"value": 0}
    staged.loc[1, "value"] = np.nan  # absent, not withheld: it stays so
    staged.loc[0, "value"] = SECRET
    again = whole(staged, evidence.iloc[::-1], EVIDENCE.key, CELLS)["value"]
    assert again[2:].tolist() == evidence["value"][2:].tolist()
    assert np.isnan(again[1]) and again[0] == SECRET and disclosed(staged, CELLS) == {"value": 1}


def found_by(name: str) -> SuiteResult:
    """`credit_spreads` with one figure out of its range, by that rule alone."""
    suite = suite_of("credit_spreads", CATALOG, dt.date(2026, 5, 31))
    frame = pd.DataFrame(columns=list(CATALOG.tables["credit_spreads"].column_names), index=[0])
    frame = frame.assign(as_of_date=pd.Series(["2026-04-30"]).astype("datetime64[s]"), is_month_end=True)
    rule = next(rule for rule in suite.rules if rule.name == name)
    column = name.partition("__")[0]
    return run_suite(frame.assign(**{column: SECRET}), Suite("credit_spreads", suite.key, (rule,)))


def test_a_finding_on_a_withheld_column_names_its_row_and_no_figure() -> None:
    found = found_by("hy_oas_pct__in_range")
    shown = of_table(found, CATALOG, "live").results[0]
    assert str(SECRET) in found.results[0].message and not shown.passed
    assert str(SECRET) not in f"{shown.message} {json.dumps(shown.examples)}"
    assert shown.examples == ({"as_of_date": "2026-04-30"},) and shown.failing_rows == 1
    assert of_table(found, CATALOG, "sample") == found
    other = of_table(found_by("gz_spread_pp__in_range"), CATALOG, "live").results[0]
    assert not other.passed and other.examples[0]["gz_spread_pp"] == SECRET


def test_no_figure_of_a_restricted_series_reaches_dagster_or_a_stored_finding(tmp_path: Path) -> None:
    series, day, facts = (
        CATALOG.series["VIXCLS"],
        dt.date(2026, 9, 20),
        night_facts(tmp_path, NOON.date(), NOON),
    )
    holding = Holding(28, 28, day, day, day, SECRET)
    metadata = str(_result(Ingested(series, "new", holding=holding), facts).metadata)
    assert "last_observation" in metadata and MARK not in metadata
    with an_archive() as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT ?, CAST(range AS DATE), CAST(range AS DATE), ?, 'captured', ?, 'f' "
            "FROM range(DATE '2026-09-01', DATE '2026-09-29', INTERVAL 1 DAY)",
            [series.series_id, SECRET, STARTED_AT.replace(tzinfo=None)],
        )
        rows, judged = check_series(con, [series], dt.date(2026, 9, 30))[0]
    check = check_result(dg.AssetCheckKey(dg.AssetKey(list(series.asset_key)), "validity"), judged, rows)
    assert not check.passed
    stored = rule_rows({"raw/fred/VIXCLS": judged}, facts, "warehouse", STARTED_AT)
    assert MARK not in f"{check.description} {check.metadata} {stored.to_dict('records')}"
    failed = stored.loc[~stored["passed"], "message"]
    assert len(failed) and failed.str.contains("figures of a restricted series are not shown").all()


def test_doctor_says_that_restricted_series_are_turned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [found.level for found in configuration({})] == ["OK"]
    monkeypatch.setenv("REGIME_PUBLISH_RESTRICTED", "1")
    found = configuration({})[1]
    assert found.level == "WARN" and "raw figures of restricted series" in found.text


# ---- a whole night


def of_a_night(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.slow(pytest.mark.timeout(900)(pytest.mark.usefixtures("one_cut")(test)))


REPEATING = {
    table.name: cells for table in CATALOG.tables.values() if (cells := withheld(table, CATALOG, "live"))
}
ROUNDED = {"required_value": CATALOG.method.percentile.value_decimals}
OF_THE_RELEASE = {"observations", "series", "release_manifest", "check_results", "publications"}
_PASS_ON = re.compile("not to be passed on|do not pass (it|this release) on")
_NUMBER = re.compile(r"-?\d+\.\d{6,}")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Only to be read."""
    return Place(made_once(tmp_path_factory, "restricted_night", make_place))


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """A copy for one test."""
    shutil.copytree(made.root, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path)


def frame(con: duckdb.DuckDBPyConnection, relation: str) -> pd.DataFrame:
    return frame_of(con, f"FROM {relation}")


def planted_columns(rows: pd.DataFrame) -> set[str]:
    """Columns that contain a planted figure."""
    numbers = rows.select_dtypes("floating")
    return {str(name) for name in numbers if are_planted(numbers[name].dropna()).any()}


def relations(con: duckdb.DuckDBPyConnection) -> list[str]:
    asked = "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
    return [f'"{name}"' for (name,) in con.execute(asked).fetchall()]


@of_a_night
def test_no_table_view_or_file_of_a_release_holds_a_planted_figure(made: Place) -> None:
    assert {*figures(), "SHILLER_CPI"} == set(RESTRICTED)
    folder = made.folder("kept")
    with made.open("kept") as con:
        files = [f"'{path}'" for path in (*folder.glob("parquet/*"), *folder.glob("csv/*"))]
        assert len(files) > 60
        found = {name: planted_columns(frame(con, name)) for name in (*relations(con), *files)}
        for table, cells in REPEATING.items():
            rows = frame(con, table)
            pd.testing.assert_frame_equal(rows, passed_on(rows, cells))
        late = con.execute("SELECT series_id, value_used, value_late FROM late_figures").fetchall()
        of_series = "SELECT sum(rows_published) FROM series WHERE rights = 'restricted'"
        assert (late, con.execute(of_series).fetchall()) == ([("VIXCLS", None, None)], [(0,)])
    assert {name: columns for name, columns in found.items() if columns} == {}
    texts = [
        path for path in folder.rglob("*") if path.suffix not in (".duckdb", ".parquet") and path.is_file()
    ]
    for path in texts:
        numbers = [float(number) for number in _NUMBER.findall(path.read_text(encoding="utf-8"))]
        assert not are_planted(numbers).any(), path


@of_a_night
def test_the_warehouse_has_them_in_the_declared_columns_and_nowhere_else(made: Place) -> None:
    """A column that repeats a series and does not say so fails here, and so does a declaration nothing repeats."""
    with open_warehouse(made.warehouse) as con:
        for table in CATALOG.tables.values():
            if table.layer not in ("derived", "regime") or table.name == "regime_nightly":
                continue
            declared = REPEATING.get(table.name, {})
            rows = read_table(con, f"{table.layer}.{table.name}")
            assert planted_columns(rows) == set(declared) - set(ROUNDED), table.name
            assert alive(rows, table) == set(declared), table.name


def alive(rows: pd.DataFrame, table: Table) -> set[str]:
    """Declared columns in whose withheld rows there are planted figures."""
    declared = REPEATING.get(table.name, {})
    hidden = passed_on(rows, declared)
    return {
        name
        for name in declared
        if are_planted(rows.loc[hidden[name].isna(), name].dropna(), ROUNDED.get(name)).any()
    }


@of_a_night
def test_all_else_is_the_same_with_and_without_the_switch(made: Place) -> None:
    """Ranks, scores and labels; no row is lost, of what_changed neither."""
    with made.open("kept") as kept, made.open("shown") as shown:
        names = {name.strip('"') for name in relations(kept)} - OF_THE_RELEASE - {"about"}
        assert len(names) > 30
        for name in names:
            cells = REPEATING.get(name, {})
            ours, theirs = (
                frame(con, f"{name} ORDER BY ALL" if name != "what_changed" else name)
                for con in (kept, shown)
            )
            key = list(CATALOG.tables[name].key) if name in CATALOG.tables else ["as_of_date"]
            ours, theirs = (rows.sort_values(key, ignore_index=True) for rows in (ours, theirs))
            if name == "monthly":
                cells = {
                    column: where for column, where in REPEATING["credit_spreads"].items() if column in ours
                }
            if name == "evidence_current":
                cells = REPEATING["regime_evidence"]
                ours, theirs = (rows.sort_values("component", ignore_index=True) for rows in (ours, theirs))
            pd.testing.assert_frame_equal(ours, passed_on(theirs, cells), check_exact=True, obj=name)
            assert name not in REPEATING or alive(theirs, CATALOG.tables[name]) == set(cells), name
        assert planted_columns(frame(shown, "observations")) == {"value"}
        ranked = "FROM regime_evidence WHERE component IN ('baa_10y_spread', 'hy_oas') AND rank IS NOT NULL"
        assert kept.execute(f"SELECT count(*), count(value) {ranked}").fetchall()[0] == (
            pytest.approx(756, abs=300),
            0,
        )


@of_a_night
def test_the_gate_passes_and_the_release_is_reproduced(made: Place) -> None:
    # the late figure that this test plants in the table, and that no capture explains
    assert made.held_by("kept") == made.held_by("shown") == ["recomputed recomputed__late_figures"]
    with open_warehouse(made.warehouse) as con:
        verified = verify(made.folder("kept"), con, ROOT)
    assert (verified.files, verified.numbers) == ([], []) and verified.rows["credit_spreads"] == 501


@of_a_night
def test_dagster_is_shown_none_whatever_is_published_and_the_version_of_its_rows(place: Place) -> None:
    facts = place.facts("shown")
    with open_warehouse(place.warehouse) as con:
        (regime_tables,) = (a for a in COMPUTED_TABLES if dg.AssetKey(["regime", "regime"]) in a.keys)
        run = regime_tables(warehouse=SimpleNamespace(cursor=con.cursor), facts=facts)
        results = {result.asset_key.path[-1]: result for result in run}
        version = results["regime_evidence"].data_version
        assert version and version.value == content_hash(con, EVIDENCE)  # Dagster shows which runs changed it
    evidence = {r.data["component"]: r.data for r in results["regime_evidence"].metadata["preview"].records}
    assert [evidence[name]["value"] for name in ("hy_oas", "baa_10y_spread")] == ["", ""]
    assert evidence["hy_oas"]["rank"] and evidence["unemployment"]["value"]


@of_a_night
def test_findings_and_changed_rows_are_named_without_a_figure(place: Place) -> None:
    """Of withheld cells the warehouse is checked: what is wrong there blocks the publication."""
    facts, at = replace(place.facts("kept"), run_id="spoiled"), "as_of_date = '2021-11-30'"
    with open_warehouse(place.warehouse) as con:
        record_publication(con, facts.published_path, "live", CATALOG)
        con.execute(
            f"UPDATE derived.credit_spreads SET hy_oas_pct = {SECRET} WHERE as_of_date = '2026-04-30'"
        )
        staged = place.stage("kept")
        with duckdb.connect(str(staged)) as file:
            file.execute("UPDATE regime_evidence SET value = 3.5 WHERE component = 'hy_oas'")
            file.execute(f"UPDATE regime SET credit_score = 0.9 WHERE {at}")
            file.execute(f"UPDATE regime_evidence SET rank = 0.25 WHERE {at} AND component = 'hy_oas'")
        with duckdb.connect(str(staged), read_only=True) as file:
            blocked = blocking_rules(file, con, facts)
        found = con.execute("SELECT * FROM ops.check_results WHERE run_id = 'spoiled'").df()
    assert {
        "credit_spreads hy_oas_pct__in_range", "recomputed recomputed__credit_spreads",
        "rights restricted_figure__withheld",
    } <= set(blocked)  # fmt: skip
    assert not found.map(lambda cell: MARK in str(cell)).any(axis=None)
    failed = found[~found["passed"]].set_index("check_name")
    assert json.loads(failed.loc["hy_oas_pct__in_range", "examples"]) == [{"as_of_date": "2026-04-30"}]
    assert "cause no input moved" in failed.loc["published_row__unchanged", "message"]
    numbers = [float(n) for text in found["message"] for n in _NUMBER.findall(text)]
    assert not are_planted(numbers).any()


@of_a_night
@pytest.mark.parametrize(("name", "flagged"), [("kept", {"baa_10y_spread", "hy_oas"}), ("shown", set())])
def test_people_and_programs_read_that_a_figure_is_withheld_or_a_release_not_to_be_passed_on(
    made: Place, name: str, flagged: set[str]
) -> None:
    folder, is_restricted = made.folder(name), not flagged

    def text(file: str) -> str:
        return (folder / file).read_text(encoding="utf-8")

    with made.open(name) as con:
        of_release = "SELECT restricted_series_count, caution FROM release_manifest, about"
        ((count, caution),) = con.execute(of_release).fetchall()
        verdict, explained = "\n".join(verdict_lines(Release(con), folder)), explain_lines(con, None)
    package = json.loads(text("datapackage.json"))
    assert count == package["regime:restricted_series_count"] == (len(RESTRICTED) if is_restricted else 0)
    said = [caution, verdict, package["regime:rights"]["restricted"], text("README.txt"), text("LICENSES.md")]
    assert [bool(_PASS_ON.search(one)) for one in said] == [is_restricted] * len(said)
    assert ("contains neither the raw series" in text("LICENSES.md")) != is_restricted
    shown = {e["component"]: e for e in json.loads(text("regime.json"))["evidence"]}
    assert {component for component, e in shown.items() if e["is_value_withheld"]} == flagged
    assert all(shown[component]["value"] is None and shown[component]["score"] for component in flagged)
    assert shown["cape"]["value"] and shown["erp_vs_real_10y"]["value"]
    row = re.search(
        r'<th scope="row">Baa less 10-year yield<small>low is hot</small></th><td class="r">([^<]*)',
        text("report.html"),
    )
    assert row and (row.group(1) == "withheld, restricted rights") == bool(flagged)
    assert ("withheld, restricted rights" in "\n".join([*explained, verdict])) == bool(flagged)
