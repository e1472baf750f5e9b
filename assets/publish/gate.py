"""What must pass before the staged file replaces the published one, however publishing was started."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import duckdb

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from assets.warehouse.tables import append_rows, transaction
from checks.archive import check_archive
from checks.audits.of_release import audit_release
from checks.results import RELEASE, of_table, results_frame, rule_rows
from checks.runner import run_suites
from checks.staged import read_staged
from checks.suites.structural import checked_tables, suite_of

GATE = "gate"
MEANS = (
    "Every critical rule on the staged file itself, and the audits: schema as declared, published rows unchanged, rows "
    "of past dates computed again from what was known then, the parameters those of their version."
)
_REACHED = """
SELECT count(*) FILTER (status = 'unreachable'), count(*) FILTER (status NOT IN ('unreachable', 'not_in_profile'))
FROM raw.fetches WHERE run_id = ?
"""
_FOUND = """
SELECT asset_key, check_name, passed, message, what_to_do, threshold, offending_rows, evaluated_rows
FROM ops.check_results
WHERE run_id = $run AND stage = 'staged' AND checked_at = (
  SELECT max(checked_at) FROM ops.check_results WHERE run_id = $run AND stage = 'staged')
ORDER BY passed, asset_key, check_name
"""


def refuse_when_nothing_was_reached(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> None:
    """A run that reached no source has nothing new to publish. Raises dagster.Failure."""
    unreachable, reached = con.execute(_REACHED, [facts.run_id]).fetchall()[0]
    if unreachable and not reached:
        raise dg.Failure(
            "no source could be reached; the previous publication is unchanged", allow_retries=False
        )


def blocking_rules(
    staged: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, facts: RunFacts
) -> list[str]:
    """Check every table of the staged file by its critical rules, audit it, and check the archive it rests on.

    Names of the rules that failed. Results are stored, of the archive those that block.
    """
    catalog = load_catalog()
    tables = read_staged(staged, con, facts, catalog)
    checked = []
    for name in checked_tables(catalog):
        frames = tables.panel if catalog.tables[name].is_as_of else tables.complete
        checked.append((frames[name], suite_of(name, catalog, facts.run_date).critical(), frames))
    results = [of_table(result, catalog, facts.profile) for result in run_suites(checked)]
    results += audit_release(staged, con, tables, facts, catalog)
    archive = check_archive(con, catalog, facts.run_date)
    checked_at = dt.datetime.now(dt.UTC)
    with transaction(con):
        for found in (
            results_frame(results, facts, "staged", checked_at),
            rule_rows(archive, facts, "staged", checked_at),
        ):
            append_rows(con, catalog.tables["check_results"], found)
    blocking = [f"{result.table} {rule.rule.name}" for result in results for rule in result.failed]
    return blocking + [f"{key} {result.rule.name}" for key, found in archive.items() for result in found]


def gate_check(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> dg.AssetCheckResult:
    """The newest results of the gate in this run, as a check of `publish/release`; failed rules come first."""
    query = con.execute(_FOUND, {"run": facts.run_id})
    names = [column[0] for column in query.description or []]
    found = [dict(zip(names, row, strict=True)) for row in query.fetchall()]
    failed = [rule for rule in found if not rule["passed"]]
    tables = len({rule["asset_key"] for rule in found} - {RELEASE})
    audits = [rule for rule in found if rule["asset_key"] == RELEASE]
    passed = f"{len(found)} critical rules passed on the staged file: {tables} tables, {len(audits)} rules of audits."
    shown: dict[str, dg.MetadataValue] = {"audits": _table(audits)}
    if failed:
        shown |= {"offending_rules": _table(failed), "what_to_do": dg.MetadataValue.text(_advice(failed))}
    return dg.AssetCheckResult(
        check_name=GATE,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_failure(failed) if failed else passed,
        metadata={"rules": len(found), "rules_failed": len(failed), **shown},
    )


def _failure(failed: list[dict]) -> str:
    first = failed[0]
    rows = f"{first['offending_rows']} of {first['evaluated_rows']} rows"
    more = f" {len(failed) - 1} more failed." if len(failed) > 1 else ""
    return f"{rows} failed {first['asset_key']} {first['check_name']}: {first['message']}{more}"


def _advice(failed: list[dict]) -> str:
    return " ".join(dict.fromkeys(rule["what_to_do"] for rule in failed if rule["what_to_do"]))


def _table(rules: list[dict]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "of": rule["asset_key"],
                "rule": rule["check_name"],
                "rows": f"{rule['offending_rows']} of {rule['evaluated_rows']}",
                "allowed": rule["threshold"],
                "found": rule["message"],
            }
        )
        for rule in rules
    ]
    return dg.MetadataValue.table(records)
