"""What the published file holds: everything declared, described, nothing too late, nothing restricted.

The values of its tables and views: `test_snapshots.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.documents.texts import dictionary, document_facts
from assets.publish.ledger import forget_results
from assets.publish.manifest import ReleaseFacts, release_facts
from assets.publish.staged_file import STAGE, attached, build_release, calendar_frame
from assets.publish.views import monthly_table
from assets.warehouse.connection import CONFIG, WarehouseError
from assets.warehouse.readers import vintages_as_of
from assets.warehouse.schema import open_warehouse
from assets.warehouse.writing import append_rows
from checks.audits.of_release import method_in_force, method_suite, schema_found, schema_suite
from checks.results import results_frame
from checks.runner import run_suite
from pipelines.commands.show import FIRST_QUERIES
from tests.builders import series_as_of
from tests.integration.conftest import STARTED_AT, Night

CATALOG = load_catalog()


def test_everything_in_the_file_says_what_it_is_and_the_dictionaries_name_it(
    release: duckdb.DuckDBPyConnection,
) -> None:
    described = release.execute(
        """
        SELECT table_name, comment FROM duckdb_tables() UNION ALL
        SELECT view_name, comment FROM duckdb_views() WHERE NOT internal UNION ALL
        SELECT function_name, comment FROM duckdb_functions() WHERE function_name IN ('series_as_of', 'all_as_of')
        """
    ).fetchall()
    assert [name for name, comment in described if comment is None or len(comment) <= 10] == []
    columns = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    of_columns = release.execute(columns).fetchall()
    assert len(of_columns) > 300
    assert [row for row in of_columns if not re.fullmatch(r"\[\w[^]]*\] .{11,}", row[2] or "")] == []
    assert release.execute(f"(SELECT * EXCLUDE comment FROM ({columns})) EXCEPT "
                           "(SELECT table_name, column_name FROM columns)").fetchall() == []  # fmt: skip
    text = dictionary(release, document_facts(release, Path("."), (), None))
    written = []
    for part in text.split("# Group ")[1:]:
        group = part.split("\n", 1)[0]
        written += [(group, name) for name in re.findall(r"^## main\.(\w+)$", part, re.MULTILINE)]
    in_file = release.execute("SELECT DISTINCT group_name, table_name FROM columns").fetchall()
    assert sorted(written) == sorted(in_file) and len({group for group, _ in written}) == 7


def test_texts_are_never_empty_numbers_finite_or_null_and_observations_sorted(
    release: duckdb.DuckDBPyConnection,
) -> None:
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
    key = "(series_id, observation_date, realtime_start)"
    before = f"SELECT {key} AS this, lag(this) OVER (ORDER BY rowid) AS before FROM pit.observations"
    assert release.execute(f"SELECT count(*) FROM ({before}) WHERE this <= before").fetchall() == [(0,)]


def test_older_clients_can_open_it_no_index_makes_it_six_times_as_large_and_it_counts_itself(
    release: duckdb.DuckDBPyConnection, made_release: Path
) -> None:
    assert not made_release.with_name(made_release.name + ".wal").exists()
    tags = release.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert tags[0][0]["storage_version"].startswith("v1.2.0")
    kinds = release.execute("SELECT DISTINCT constraint_type FROM duckdb_constraints()").fetchall()
    assert kinds == [("NOT NULL",)]
    names = [row[0] for row in release.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    counted = sum(release.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in names)
    stated = release.execute("SELECT table_count, row_count FROM release_manifest").fetchall()
    assert stated == [(len(names), counted)]


@pytest.mark.parametrize("day", ["1990-03-15", "2025-11-05"])
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


def test_nothing_known_after_the_as_of_date_and_no_restricted_series_is_in_it(night: Night) -> None:
    hidden = CATALOG.series["NFCI"].model_copy(update={"rights": "restricted"})
    catalog = replace(CATALOG, series={**CATALOG.series, "NFCI": hidden})
    with open_warehouse(night.warehouse) as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, DATE '2026-10-02', 99.0, 'captured', "
            "captured_at, fetch_id FROM raw.vintages WHERE series_id = 'UNRATE' AND observation_date = '2026-08-01'"
        )
        build_release(con, night.staged, catalog, release_facts(con, night.facts, STARTED_AT))
    with night.open_staged() as file:
        rows = file.execute(
            "SELECT value, realtime_end FROM observations "
            "WHERE series_id = 'UNRATE' AND observation_date = '2026-08-01'"
        ).fetchall()
        assert rows == [
            (4.1, dt.date(9999, 12, 31))
        ]  # its successor became known later: it is still in force
        late = "SELECT count(*) FROM observations WHERE realtime_start > '2026-09-30' OR series_id = 'NFCI'"
        assert file.execute(late).fetchall() == [(0,)]
        shown = "SELECT is_published, rows_published FROM series WHERE series_id = 'NFCI'"
        assert file.execute(shown).fetchall() == [(False, 0)]


def test_what_cannot_be_built_is_an_error_and_leaves_no_file(night: Night) -> None:
    other = replace(night.facts, run_date=dt.date(2026, 10, 1))
    with open_warehouse(night.warehouse) as con:
        with pytest.raises(WarehouseError, match="computed for sample as of 2026"):
            build_release(con, night.staged, CATALOG, release_facts(con, other, STARTED_AT))
        con.execute("DROP TABLE derived.monetisation")
        with pytest.raises(WarehouseError, match=r"derived.*monetisation.* has not been built"):
            build_release(con, night.staged, CATALOG, release_facts(con, night.facts, STARTED_AT))
        assert con.execute("SELECT count(*) FROM regime.regime").fetchall()[0][0] > 400  # usable afterwards
        assert not night.staged.exists()
        with con.cursor() as cursor, con.cursor() as writer:
            with pytest.raises(duckdb.Error, match="CHECKPOINT"), attached(cursor, night.staged):
                writer.execute(f"BEGIN; CREATE TABLE {STAGE}.main.half_written (number INTEGER)")
            writer.execute("ROLLBACK")


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
    results = [run_suite(method_in_force(CATALOG), method_suite())]
    with open_warehouse(night.warehouse) as con:
        found = results_frame(results, night.facts, "staged", STARTED_AT)
        count = append_rows(con, CATALOG.tables["check_results"], found)
        con.execute(
            "INSERT INTO ops.check_results SELECT * REPLACE "
            "('old' AS run_id, checked_at - INTERVAL 91 DAY AS checked_at) FROM ops.check_results"
        )
        forget_results(con, STARTED_AT)
        left = "SELECT count(*), count(*) FILTER (run_id = 'old') FROM ops.check_results"
        assert con.execute(left).fetchall() == [(count, 0)] and count > 0


CHANGES = (
    ("INSERT INTO real_yields SELECT * FROM real_yields LIMIT 1", "key__unique", "real_yields"),
    ("ALTER TABLE real_yields ALTER is_month_end DROP NOT NULL; UPDATE real_yields SET is_month_end = NULL",
     "column__not_null", "is_month_end"),
    ("ALTER TABLE regime ALTER bubble_score TYPE VARCHAR", "column__as_declared", "bubble_score"),
    ("ALTER TABLE regime DROP bubble_score", "column__as_declared", "regime"),
    ("DROP TABLE caveats", "column__as_declared", "caveats"),
    ("CREATE TABLE scratch AS SELECT 1 AS x", "column__as_declared", "scratch"),
)  # fmt: skip


def test_the_audit_of_the_file_names_what_no_constraint_refuses(night: Night) -> None:
    """What the warehouse's DDL refuses needs no rule; the published file, which others open, has no keys."""
    with night.open_staged() as staged:
        for change, rule, named in (("SELECT 1", None, ""), *CHANGES):
            staged.execute(f"BEGIN; {change}")
            result = run_suite(schema_found(staged, CATALOG), schema_suite())
            staged.execute("ROLLBACK")
            assert {found.rule.name for found in result.failed} == {rule} - {None}, change
            assert all(named in found.message for found in result.failed), change


# ---- views


def test_every_row_of_start_here_runs_and_reads_the_table_it_names(
    release: duckdb.DuckDBPyConnection,
) -> None:
    questions = release.execute("SELECT question, table_name, query FROM start_here").fetchall()
    tables = {name for (name,) in release.execute("SELECT DISTINCT table_name FROM columns").fetchall()}
    assert len(questions) >= 15 and all(release.execute(query).fetchall() for query in FIRST_QUERIES)
    for question, table, query in questions:
        release.execute(query).fetchall()
        assert question.endswith("?") and table in {*tables, "series_as_of", "all_as_of"} and table in query


def test_monthly_has_each_figure_of_its_table_on_every_month_end(release: duckdb.DuckDBPyConnection) -> None:
    columns = monthly_table(CATALOG).columns
    days = release.execute("SELECT as_of_date FROM regime WHERE is_month_end ORDER BY 1").fetchall()
    assert release.execute("SELECT as_of_date FROM monthly").fetchall() == days and len(days) > 490
    assert 60 <= len(columns) <= 72
    ranked = "SELECT DISTINCT component FROM regime_evidence WHERE rank IS NOT NULL"
    named = " ".join(column.definition for column in columns)
    assert [c for (c,) in release.execute(ranked).fetchall() if f"Component {c} of" not in named] == []
    for column in columns[1:]:
        table, _, name = column.derived_from[0].partition(".")
        of = f"SELECT r.{name} FROM {table} AS r WHERE r.as_of_date = m.as_of_date"
        if column.name.endswith("_rank"):
            component = re.findall(r"Component (\w+) of", column.definition)[0]
            rank = "SELECT r.{} FROM regime_evidence AS r WHERE r.as_of_date = m.as_of_date AND r.component = '{}'"
            of_component = rank.format("value", component)
            assert differing(release, name, of_component) == 0, component  # the figure it is the rank of
            of = rank.format("rank", component)
        assert differing(release, column.name, of) == 0, column.name


def differing(release: duckdb.DuckDBPyConnection, column: str, query: str) -> int:
    """On how many month-ends a column of monthly is not what a query gives."""
    found = f"SELECT count(*) FROM monthly AS m WHERE m.{column} IS DISTINCT FROM ({query})"
    return int(release.execute(found).fetchall()[0][0])


def test_no_two_columns_of_monthly_mean_the_same(release: duckdb.DuckDBPyConnection) -> None:
    frame = release.execute("FROM monthly").df()
    known = [frame[name] for name in frame if frame[name].notna().any()]
    assert len(known) >= 60
    for one, other in combinations(known, 2):
        both = one.notna() & other.notna()
        if one.dtype == other.dtype and both.any():
            assert not (one[both] == other[both]).all(), f"{one.name} and {other.name}"
            if one.dtype == "float64" and both.sum() > 100:
                linear = abs(one[both].corr(other[both]))
                assert not linear > 1 - 1e-12, f"{one.name} and {other.name} differ only in their unit"


def test_a_column_without_any_value_says_which_series_its_profile_lacks(
    release: duckdb.DuckDBPyConnection,
) -> None:
    told = release.execute(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE comment LIKE '%NULL in every row here:%'"
    ).fetchall()
    assert {("monthly", "cape_rank"), ("equity_risk_premium", "cape")} < {row[:2] for row in told}
    lacking = release.execute("SELECT list(series_id) FROM series WHERE NOT in_profile").fetchall()[0][0]
    for table, column, comment in told:
        assert release.execute(f"SELECT count({column}) FROM {table}").fetchall() == [(0,)]
        series = re.findall(r"the profile sample has no ([A-Z0-9_, ]+)\.", comment)[0].split(", ")
        assert series and set(series) <= set(lacking), column
    counts = release.execute("SELECT count(COLUMNS(*)) FROM monthly").df().iloc[0]
    assert set(counts[counts == 0].index) == {column for table, column, _ in told if table == "monthly"}
    in_dictionary = release.execute(
        "SELECT table_name, column_name FROM columns WHERE definition LIKE '%NULL in every row here:%'"
    ).fetchall()
    assert sorted(in_dictionary) == sorted(row[:2] for row in told)


def test_what_changed_since_the_publication_before(night: Night) -> None:
    of_last = "SELECT * FROM what_changed WHERE compared_with = 'publication_before'"
    with night.open_staged() as release:
        assert release.execute(of_last).fetchall() == []  # a first publication has nothing before it
        release.execute(
            "INSERT INTO regime_nightly SELECT * REPLACE (TIMESTAMP '2026-09-29 01:00:00' AS published_at, "
            "DATE '2026-09-28' AS as_of_date, 'neutral_into_bubble' AS regime) FROM regime_nightly"
        )
        assert release.execute(of_last).fetchall() == [
            (
                "publication_before", "regime", dt.date(2026, 9, 28), dt.date(2026, 9, 30), "text",
                "neutral_into_bubble", "neutral_bubble", None, None,
            )
        ]  # fmt: skip


# ---- release_calendar: a planned day while its figure has not come and was known then, else the usual lag

CALENDAR_DAY = dt.date(2026, 6, 2)
FETCHED_AT = dt.datetime(2026, 6, 2, 22)
LAG_DAYS = CATALOG.series["UNRATE"].release_lag_days
BY_LAG = (dt.date(2026, 5, 31) + dt.timedelta(days=LAG_DAYS), "usual_lag")
BEHIND = """
ATTACH ':memory:' AS st; CREATE SCHEMA raw;
CREATE TABLE st.main.regime_evidence AS SELECT DATE '2026-06-02' AS as_of_date, 'unemployment' AS component,
  'UNRATE' AS series_ids UNION ALL SELECT DATE '2026-06-02', 'sahm_gap', 'UNRATE';
CREATE TABLE st.main.distance_to_flip AS SELECT DATE '2026-06-02' AS as_of_date, 'sahm_gap' AS component,
  'reachable' AS reachability, 0.3 AS required_move;
CREATE TABLE raw.vintages AS SELECT 'UNRATE' AS series_id, DATE '2026-04-01' AS observation_date, 4.3 AS value,
  DATE '2026-05-08' AS realtime_start, 'alfred' AS vintage_source, TIMESTAMP '2026-05-08' AS captured_at;
CREATE TABLE raw.fetches (series_id VARCHAR, profile VARCHAR, fetched_at TIMESTAMP, source_day DATE,
  next_observation DATE, next_release_on DATE);
"""


def calendar(as_of: dt.date, fetch: list[object]) -> list[dict[Hashable, Any]]:
    with duckdb.connect() as con:
        con.execute(BEHIND.replace(str(CALENDAR_DAY), str(as_of)))
        con.execute("INSERT INTO raw.fetches VALUES ('UNRATE', 'live', ?, ?, ?, ?)", fetch)
        facts = ReleaseFacts("live", as_of, "run", FETCHED_AT, "code", None)
        return calendar_frame(con, CATALOG, facts, "st").to_dict("records")


@pytest.mark.parametrize(
    ("asked_on", "about", "planned", "expected"),
    [
        (CALENDAR_DAY, "2026-05-01", "2026-06-09", (dt.date(2026, 6, 9), "publisher")),
        (CALENDAR_DAY, "2026-05-01", None, BY_LAG),
        (CALENDAR_DAY, "2026-04-01", "2026-06-09", BY_LAG),  # that figure has come
        (CALENDAR_DAY, "2026-05-01", "2026-06-01", BY_LAG),  # passed: late, and nothing else is planned
        (
            CALENDAR_DAY + dt.timedelta(days=1),
            "2026-05-01",
            "2026-06-09",
            BY_LAG,
        ),  # a run as of an earlier day
    ],
)
def test_the_planned_day_counts_only_for_the_next_figure_and_when_it_was_known(
    asked_on: dt.date, about: str, planned: str | None, expected: tuple[dt.date, str]
) -> None:
    (row,) = calendar(CALENDAR_DAY, [FETCHED_AT, asked_on, about, planned])
    assert (row["release_date"], row["date_basis"]) == expected
    assert row["components"] == "sahm_gap, unemployment" and row["could_change_label"]
    assert row["period_end_date"] == dt.date(2026, 5, 31)


def test_a_figure_whose_day_has_passed_is_overdue_and_not_expected_tomorrow() -> None:
    (row,) = calendar(dt.date(2026, 7, 20), [FETCHED_AT, CALENDAR_DAY, "2026-05-01", None])
    assert (row["release_date"], row["date_basis"]) == (dt.date(2026, 7, 21), "overdue")
