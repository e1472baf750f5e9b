"""What stands between the staged file and the published one, whoever asks for it.

Belongs here: the questions asked of the staged file and of the run. Does not belong here: the rules (`checks`).
"""

from __future__ import annotations

import datetime as dt

import dagster as dg
import duckdb

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from assets.warehouse.tables import append_rows, transaction
from checks.archive import judge_archive
from checks.audits.of_release import audit_release
from checks.registry import JUDGED_IN_RELEASE, suite_of
from checks.results import results_frame, rule_rows
from checks.rights import of_table
from checks.runner import run_suite
from checks.staged import PanelOf, StagedTables

_REACHED = """
SELECT count(*) FILTER (status = 'unreachable'), count(*) FILTER (status NOT IN ('unreachable', 'not_in_profile'))
FROM raw.fetches WHERE run_id = ?
"""


def refuse_when_nothing_was_reached(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> None:
    """A night without any source says nothing new: the previous publication stands. Raises dagster.Failure."""
    unreachable, reached = con.execute(_REACHED, [facts.run_id]).fetchall()[0]
    if unreachable and not reached:
        raise dg.Failure("no source could be reached; the previous publication stands", allow_retries=False)


def judged(staged: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, facts: RunFacts) -> list[str]:
    """Judge every table of the staged file by its critical rules, audit it, and judge the archive it rests on.

    Names of the rules that do not hold; whoever starts publishing comes through here. Results are kept, of the
    archive those that hold the publication.
    """
    catalog = load_catalog()
    tables = StagedTables(staged, con, facts, catalog)
    panel = PanelOf(tables, con, catalog)
    suites = [suite_of(name, catalog, facts.run_date).critical() for name in JUDGED_IN_RELEASE]
    results = []
    for suite in suites:
        read = panel if catalog.tables[suite.table].is_as_of else tables
        results.append(of_table(run_suite(read[suite.table], suite, read), catalog, facts.profile))
    results += audit_release(staged, con, tables, facts, catalog)
    archive = judge_archive(con, catalog, facts.run_date)
    checked_at = dt.datetime.now(dt.UTC)
    with transaction(con):
        for kept in (
            results_frame(results, facts, "staged", checked_at),
            rule_rows(archive, facts, "staged", checked_at),
        ):
            append_rows(con, catalog.tables["check_results"], kept)
    held = [f"{result.table} {rule.rule.name}" for result in results for rule in result.failed]
    return held + [f"{key} {result.rule.name}" for key, found in archive.items() for result in found]
