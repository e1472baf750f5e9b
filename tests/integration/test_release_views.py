"""The views of the published file answer the questions they are named for."""

from __future__ import annotations

import datetime as dt
import re
from itertools import combinations, pairwise
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.documents.texts import dictionary, document_facts
from assets.publish.views import monthly_table
from tests.integration.conftest import Night

BEFORE = "TIMESTAMP '2026-09-29 01:00:00'"


def test_current_evidence_is_that_of_the_newest_row_and_what_is_absent_contributes_null(
    release: duckdb.DuckDBPyConnection,
) -> None:
    of_table = "FROM regime_evidence WHERE as_of_date = DATE '2026-09-30'"
    rows = release.execute("SELECT * EXCLUDE (contribution) FROM evidence_current").fetchall()
    same = release.execute(f"SELECT * EXCLUDE (contribution) {of_table}").fetchall()
    assert rows and sorted(map(str, rows)) == sorted(map(str, same))
    absent, total = release.execute(
        "SELECT list(component) FILTER (contribution IS NULL), sum(contribution) FROM evidence_current"
    ).fetchall()[0]
    without = release.execute(f"SELECT component {of_table} AND score IS NULL").fetchall()
    assert {"hy_oas", "cape"} < set(absent) and sorted(absent) == sorted(name for (name,) in without)
    score = release.execute("SELECT bubble_score FROM regime_current").fetchall()[0][0]
    assert total == pytest.approx(score, abs=1e-12)


def test_every_row_of_start_here_runs_and_reads_the_table_it_names(
    release: duckdb.DuckDBPyConnection,
) -> None:
    questions = release.execute("SELECT question, table_name, query FROM start_here").fetchall()
    tables = {name for (name,) in release.execute("SELECT DISTINCT table_name FROM columns").fetchall()}
    assert len(questions) >= 15
    for question, table, query in questions:
        release.execute(query).fetchall()
        assert question.endswith("?") and table in {*tables, "series_as_of", "all_as_of"} and table in query


def test_monthly_has_each_figure_of_its_table_on_every_month_end(release: duckdb.DuckDBPyConnection) -> None:
    columns = monthly_table(load_catalog()).columns
    days = release.execute("SELECT as_of_date FROM regime WHERE is_month_end ORDER BY 1").fetchall()
    assert release.execute("SELECT as_of_date FROM monthly").fetchall() == days and len(days) > 490
    assert 60 <= len(columns) <= 72
    ranked = "SELECT DISTINCT component FROM regime_evidence WHERE rank IS NOT NULL"
    named = " ".join(column.definition for column in columns)
    assert [c for (c,) in release.execute(ranked).fetchall() if f"Component {c} of" not in named] == []
    assert release.execute("FROM renamed_columns WHERE table_name = 'monthly'").fetchall() == []  # it is new
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
    for table, column, comment in told:
        assert release.execute(f"SELECT count({column}) FROM {table}").fetchall() == [(0,)]
        series = re.findall(r"the profile sample has no ([A-Z0-9_, ]+)\.", comment)[0].split(", ")
        listed = "SELECT count(*) FROM series WHERE NOT in_profile AND series_id IN (SELECT unnest(?))"
        assert release.execute(listed, [series]).fetchall() == [(len(series),)] and series, column
    counts = release.execute("SELECT count(COLUMNS(*)) FROM monthly").df().iloc[0]
    assert set(counts[counts == 0].index) == {column for table, column, _ in told if table == "monthly"}
    in_dictionary = release.execute(
        "SELECT table_name, column_name FROM columns WHERE definition LIKE '%NULL in every row here:%'"
    ).fetchall()
    assert sorted(in_dictionary) == sorted(row[:2] for row in told)


def test_the_written_dictionary_lists_every_table_once_by_group(release: duckdb.DuckDBPyConnection) -> None:
    text = dictionary(release, document_facts(release, Path("."), (), None))
    in_file = release.execute("SELECT DISTINCT group_name, table_name FROM columns").fetchall()
    written = []
    for part in text.split("# Group ")[1:]:
        group = part.split("\n", 1)[0]
        written += [(group, name) for name in re.findall(r"^## main\.(\w+)$", part, re.MULTILINE)]
    assert sorted(written) == sorted(in_file) and len({group for group, _ in written}) == 7
    assert text.count("NULL in every row here: the profile sample has no SHILLER_EARNINGS") > 3


def test_spells_say_what_ended_them(release: duckdb.DuckDBPyConnection) -> None:
    spells = release.execute("SELECT * FROM spells").df()
    months = release.execute(
        "SELECT as_of_date, regime FROM regime WHERE is_month_end ORDER BY as_of_date"
    ).df()
    changes = release.execute("SELECT * FROM regime_changes").df().set_index("as_of_date")
    starts = months["regime"] != months["regime"].shift()
    assert list(spells["start_month_end"]) == list(months.loc[starts, "as_of_date"])
    assert list(spells["months"]) == list(months.groupby(starts.cumsum()).size())
    assert list(spells["is_open"]) == [False] * (len(spells) - 1) + [True]
    assert spells["ended_by"].iloc[-1] is None and spells["ended_because"].iloc[:-1].notna().all()
    for spell, following in pairwise(spells.itertuples()):
        change = changes.loc[following.start_month_end]
        assert (spell.label, spell.next_label) == (change["regime_before"], change["regime"])
        assert (following.label, spell.ended_by) == (change["regime"], change["changed_part"])
        for part, name in (("stance", "stance"), ("condition_state", "condition")):
            changed = change[f"{part}_before"] != change[part]
            said = f"{name} {change[f'{part}_before']} to {change[part]}"
            assert (said in spell.ended_because) == changed


def test_four_by_four_is_the_table_of_phases_turned(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "SELECT f.condition, f.score, p.valuation_score, f.verdict_after, p.valuation_verdict_after "
        "FROM four_by_four AS f JOIN qe_phases AS p USING (as_of_date, phase) WHERE f.condition = 'valuation'"
    ).fetchall()
    assert len(rows) >= 5
    assert [row[1:4:2] for row in rows] == [row[2:5:2] for row in rows]
    per_phase = release.execute("SELECT count(*) FROM four_by_four GROUP BY as_of_date, phase").fetchall()
    assert set(per_phase) == {(4,)}


def test_what_changed_since_the_month_end_before(release: duckdb.DuckDBPyConnection) -> None:
    found = release.execute(
        "SELECT item, before_as_of_date, value_before, value_now FROM what_changed "
        "WHERE compared_with = 'month_end_before' AND item = 'bubble_score'"
    ).fetchall()
    scores = release.execute(
        "SELECT bubble_score FROM regime WHERE as_of_date >= DATE '2026-08-31' ORDER BY as_of_date"
    ).fetchall()
    assert found == [("bubble_score", dt.date(2026, 8, 31), scores[0][0], scores[1][0])]
    of_valuation = "condition = 'valuation' AND as_of_date ="
    differ = release.execute(
        f"""
        SELECT 'valuation.' || now.component FROM (FROM regime_evidence WHERE {of_valuation} DATE '2026-09-30') AS now
        JOIN (FROM regime_evidence WHERE {of_valuation} DATE '2026-08-31') AS was USING (component)
        WHERE was.value IS DISTINCT FROM now.value
        """
    ).fetchall()
    shown = release.execute("SELECT item FROM what_changed WHERE item LIKE 'valuation.%'").fetchall()
    assert differ and sorted(shown) == sorted(differ)


def test_what_changed_since_the_publication_before(night: Night) -> None:
    of_last = "SELECT * FROM what_changed WHERE compared_with = 'publication_before'"
    with night.open_staged() as release:
        assert release.execute(of_last).fetchall() == []  # a first publication has nothing before it
        release.execute(
            f"INSERT INTO regime_nightly SELECT * REPLACE ({BEFORE} AS published_at, "
            "DATE '2026-09-28' AS as_of_date, 'neutral_into_bubble' AS regime) FROM regime_nightly"
        )
        assert release.execute(of_last).fetchall() == [
            (
                "publication_before", "regime", dt.date(2026, 9, 28), dt.date(2026, 9, 30), "text",
                "neutral_into_bubble", "neutral_bubble", None, None,
            )
        ]  # fmt: skip
