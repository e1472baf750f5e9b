"""What the published file holds: everything declared, described, nothing too late, nothing restricted."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.publish.manifest import release_facts
from assets.publish.record import forget_results
from assets.publish.staged_file import STAGE, attached, build_release
from assets.run_facts import RunFacts
from assets.warehouse.connection import CONFIG, WarehouseError
from assets.warehouse.readers import vintages_as_of
from assets.warehouse.schema import open_warehouse
from assets.warehouse.tables import append_rows
from checks.audits.of_release import method_in_force, method_suite
from checks.results import results_frame
from checks.runner import run_suite
from tests.builders import series_as_of
from tests.integration.conftest import STARTED_AT, Night


def build(night: Night, catalog: Catalog | None = None, facts: RunFacts | None = None) -> None:
    with open_warehouse(night.warehouse) as con:
        of_release = release_facts(con, facts or night.facts, STARTED_AT)
        build_release(con, night.staged, catalog or load_catalog(), of_release)


def ask(night: Night, query: str) -> list[tuple]:
    with duckdb.connect(str(night.staged), read_only=True, config=CONFIG) as con:
        return con.execute(query).fetchall()


def test_every_table_view_column_and_macro_says_what_it_is(release: duckdb.DuckDBPyConnection) -> None:
    undescribed = release.execute(
        """
        SELECT table_name, comment FROM duckdb_tables() UNION ALL
        SELECT view_name, comment FROM duckdb_views() WHERE NOT internal UNION ALL
        SELECT table_name || '.' || column_name, comment FROM duckdb_columns() WHERE NOT internal UNION ALL
        SELECT function_name, comment FROM duckdb_functions() WHERE function_name IN ('series_as_of', 'all_as_of')
        """
    ).fetchall()
    assert len(undescribed) > 300
    assert [name for name, comment in undescribed if comment is None or len(comment) <= 10] == []
    of_columns = release.execute(
        "SELECT table_name || '.' || column_name, comment FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    assert [name for name, comment in of_columns if not re.fullmatch(r"\[\w[^]]*\] .{11,}", comment)] == []


def test_texts_are_never_empty_and_numbers_finite_or_null(release: duckdb.DuckDBPyConnection) -> None:
    """An empty text would come out of a CSV as a missing one."""
    columns = release.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE data_type IN ('VARCHAR', 'DOUBLE') AND NOT internal"
    ).fetchall()
    assert len(columns) > 300
    for table, column, type_ in columns:
        odd = f"\"{column}\" = ''" if type_ == "VARCHAR" else f'NOT isfinite("{column}")'
        found = release.execute(f'SELECT count(*) FROM "{table}" WHERE {odd}').fetchall()
        assert found == [(0,)], f"{table}.{column}"


def test_the_dictionary_in_the_file_names_every_column_of_the_file(
    release: duckdb.DuckDBPyConnection,
) -> None:
    columns = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
    described = release.execute(
        f"({columns}) EXCEPT (SELECT table_name, column_name FROM columns)"
    ).fetchall()
    assert described == []
    failures = release.execute(
        "SELECT table_name || '.' || column_name FROM columns WHERE length(unit) = 0 OR length(definition) <= 10"
    ).fetchall()
    assert failures == []
    sources = release.execute(
        "SELECT source_series, rights FROM columns "
        "WHERE table_name = 'real_yields' AND column_name = 'breakeven_10y_pp'"
    ).fetchall()
    assert "DGS10" in sources[0][0] and sources[0][1] == "public_domain"


def test_older_clients_can_open_it_and_no_index_makes_it_six_times_as_large(
    release: duckdb.DuckDBPyConnection, made_release: Path
) -> None:
    assert not made_release.with_name(made_release.name + ".wal").exists()
    tags = release.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert tags[0][0]["storage_version"].startswith("v1.2.0")
    kinds = release.execute("SELECT DISTINCT constraint_type FROM duckdb_constraints()").fetchall()
    assert kinds == [("NOT NULL",)]


@pytest.mark.parametrize("day", ["1990-03-15", "2008-12-16", "2025-11-05", "2026-09-30"])
def test_the_macros_answer_as_the_archive_does(
    release: duckdb.DuckDBPyConnection, made_warehouse: Path, day: str
) -> None:
    on = dt.date.fromisoformat(day)
    with duckdb.connect(str(made_warehouse), read_only=True, config=CONFIG) as con:
        one, every = series_as_of(con, "UNRATE", on), vintages_as_of(con, on)
    columns = ["series_id", "observation_date", "value", "realtime_start", "realtime_end", "vintage_source"]
    for query, expected in (("series_as_of('UNRATE', ?)", one), ("all_as_of(?)", every)):
        known = release.execute(f"SELECT * FROM {query}", [on])
        assert [column[0] for column in known.description] == columns
        rows = known.fetchall()
        assert len(rows) == len(expected)
        assert [row[2] for row in rows if row[2] is not None] == list(expected["value"].dropna())


def test_the_views_show_the_newest_row(release: duckdb.DuckDBPyConnection) -> None:
    current = release.execute("SELECT as_of_date, regime, first_published_at FROM regime_current").fetchall()
    about = release.execute("SELECT as_of_date, regime, published_at, profile, caution FROM about").fetchall()
    assert len(current) == len(about) == 1
    assert current[0] == about[0][:3]
    assert about[0][3] == "sample" and "SAMPLE DATA" in about[0][4]


def test_a_release_counts_itself(release: duckdb.DuckDBPyConnection) -> None:
    names = [row[0] for row in release.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    counted = sum(release.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in names)
    assert release.execute("SELECT table_count, row_count FROM release_manifest").fetchall() == [
        (len(names), counted)
    ]


def test_observations_lie_sorted(release: duckdb.DuckDBPyConnection) -> None:
    unsorted = release.execute(
        """
        SELECT count(*) FROM (
          SELECT (series_id, observation_date, realtime_start) AS this, lag(this) OVER (ORDER BY rowid) AS before
          FROM pit.observations
        ) WHERE this <= before
        """
    ).fetchall()
    assert unsorted == [(0,)]


def test_nothing_known_after_the_as_of_date_is_in_it(night: Night) -> None:
    with open_warehouse(night.warehouse) as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, DATE '2026-10-02', 99.0, 'captured', "
            "captured_at, fetch_id FROM raw.vintages WHERE series_id = 'UNRATE' AND observation_date = '2026-08-01'"
        )
    build(night)
    rows = ask(
        night,
        "SELECT value, realtime_end FROM observations "
        "WHERE series_id = 'UNRATE' AND observation_date = '2026-08-01'",
    )
    assert rows == [(4.1, dt.date(9999, 12, 31))]  # its successor became known later: it is still in force
    assert ask(night, "SELECT count(*) FROM observations WHERE realtime_start > '2026-09-30'") == [(0,)]


def test_restricted_series_stay_out(night: Night) -> None:
    catalog = load_catalog()
    hidden = catalog.series["NFCI"].model_copy(update={"rights": "restricted"})
    changed: Catalog = replace(catalog, series={**catalog.series, "NFCI": hidden})
    build(night, changed)
    assert ask(night, "SELECT count(*) FROM observations WHERE series_id = 'NFCI'") == [(0,)]
    shown = ask(night, "SELECT is_published, rows_published FROM series WHERE series_id = 'NFCI'")
    assert shown == [(False, 0)]


def test_a_missing_table_is_one_line_and_leaves_no_file(night: Night) -> None:
    with open_warehouse(night.warehouse) as con:
        con.execute("DROP TABLE derived.monetisation")
        with pytest.raises(WarehouseError, match=r"derived.*monetisation.* has not been built"):
            build_release(con, night.staged, load_catalog(), release_facts(con, night.facts, STARTED_AT))
        assert con.execute("SELECT count(*) FROM regime.regime").fetchall()[0][0] > 400  # usable afterwards
    assert not night.staged.exists()


def test_a_regime_of_another_run_date_is_not_published(night: Night) -> None:
    other = replace(night.facts, run_date=dt.date(2026, 10, 1))
    with pytest.raises(WarehouseError, match="computed for sample as of 2026"):
        build(night, facts=other)


def test_every_formula_gives_its_column_on_every_row(release: duckdb.DuckDBPyConnection) -> None:
    formulas = release.execute(
        "SELECT table_name, column_name, formula FROM columns "
        "WHERE formula IS NOT NULL AND table_name NOT IN (SELECT view_name FROM duckdb_views() WHERE NOT internal)"
    ).fetchall()
    assert len(formulas) > 35
    empty = set()
    other = r"\b([a-z]\w*)\.([a-z]\w*)"  # a column of another table, of the same date
    for table, column, formula in formulas:
        again = re.sub(other, r"(SELECT o.\2 FROM \1 AS o WHERE o.as_of_date = own.as_of_date)", formula)
        compared, same = release.execute(
            f'SELECT count("{column}"), count(*) FILTER (abs("{column}" - ({again})) < 1e-9) FROM "{table}" AS own'
        ).fetchall()[0]
        assert same == compared, f"{table}.{column}"
        if not compared:
            empty.add(column)
    assert empty == {"erp_vs_nominal_10y_ttm_pp", "erp_vs_real_10y_ttm_pp"}  # the sample has no Shiller


def test_what_was_judged_long_ago_is_forgotten_and_the_rest_stays(night: Night) -> None:
    catalog = load_catalog()
    results = [run_suite(method_in_force(catalog), method_suite())]
    with open_warehouse(night.warehouse) as con:
        found = results_frame(results, night.facts, "staged", STARTED_AT)
        count = append_rows(con, catalog.tables["check_results"], found)
        con.execute(
            "INSERT INTO ops.check_results SELECT * REPLACE "
            "('old' AS run_id, checked_at - INTERVAL 91 DAY AS checked_at) FROM ops.check_results"
        )
        (latest,) = con.execute("SELECT max(checked_at) FROM ops.check_results").fetchall()[0]
        forget_results(con, latest.replace(tzinfo=dt.UTC))
        left = con.execute(
            "SELECT count(*), count(*) FILTER (run_id = 'old') FROM ops.check_results"
        ).fetchall()
    assert count > 0 and left == [(count, 0)]


def test_a_file_that_cannot_be_written_out_is_an_error_and_not_a_release(night: Night) -> None:
    night.staged.unlink()
    with open_warehouse(night.warehouse) as con, con.cursor() as cursor, con.cursor() as other:
        with pytest.raises(duckdb.Error, match="CHECKPOINT"), attached(cursor, night.staged):
            other.execute(f"BEGIN; CREATE TABLE {STAGE}.main.half_written (number INTEGER)")
        other.execute("ROLLBACK")
