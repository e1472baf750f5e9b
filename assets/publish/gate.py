"""What must pass before the staged file replaces the published one, however publishing was started."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb
import numpy as np

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from assets.warehouse.connection import query_rows
from assets.warehouse.writing import append_rows, transaction
from checks.audits.of_release import audit_release, read_staged
from checks.results import RELEASE, of_table, results_frame, rule_rows
from checks.rules import Rule
from checks.runner import RuleResult, run_suites
from checks.series import check_archive
from checks.tables import checked_tables, suite_of

GATE = "gate"
MEANS = (
    "Every critical rule on the staged file itself, and the audits: schema as declared, published rows unchanged, rows "
    "of past dates computed again from what was known then, the parameters those of their version. No check of the run "
    "failed with ERROR, and each was evaluated."
)
NOTHING_REACHED = "no source could be reached; the previous publication is unchanged"
_REACHED = """
SELECT count(*) FILTER (status = 'unreachable'), count(*) FILTER (status NOT IN ('unreachable', 'not_in_profile'))
FROM raw.fetches WHERE run_id = ?
"""
# What failed in the archive comes first: failures of tables follow from it.
_FOUND = """
SELECT asset_key, check_name, passed, message, what_to_do, threshold, offending_rows, evaluated_rows
FROM ops.check_results
WHERE run_id = ? AND (stage = 'staged' OR (severity = 'ERROR' AND NOT passed))
QUALIFY row_number() OVER (PARTITION BY asset_key, check_name ORDER BY stage = 'staged' DESC, checked_at DESC) = 1
ORDER BY passed, NOT starts_with(asset_key, 'raw/'), asset_key, check_name
"""
_FAILED_BEFORE = """
SELECT asset_key || ' ' || check_name FROM ops.check_results
WHERE run_id = ? AND severity = 'ERROR' AND NOT passed
GROUP BY asset_key, check_name HAVING bool_and(stage = 'warehouse') ORDER BY ALL
"""
REFUSED = "fetch_status__not_refused"  # the step of such a series failed, so that it is executed again
_NOT_EVALUATED = "not evaluated: its step failed or was not executed"
_AGAIN = "Look at the failed step of this run for its error, then run the complete job."


def reached_something(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> bool:
    """False for a run that reached no source: it has nothing new to publish."""
    unreachable, reached = con.execute(_REACHED, [facts.run_id]).fetchall()[0]
    return bool(reached or not unreachable)


def not_evaluated(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckKey]:
    """Checks that were planned in this run and have no result; the gate is left out."""
    planned, evaluated = (
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    )
    found: dict[dg.DagsterEventType, list[dg.AssetCheckKey]] = {planned: [], evaluated: []}
    for entry in instance.all_logs(run_id, of_type=set(found)):
        event: Any = entry.dagster_event
        data = event.event_specific_data
        found[event.event_type].append(dg.AssetCheckKey(data.asset_key, data.check_name))
    done = set(found[evaluated])
    return [key for key in found[planned] if key not in done and key.name != GATE]


def blocking_rules(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    facts: RunFacts,
    unevaluated: Collection[dg.AssetCheckKey] = (),
) -> list[str]:
    """Check every table of the staged file by its critical rules, audit it, and check the archive it rests on.

    Names of the rules that failed, here or before in this run, and of checks of this run that were not evaluated.
    Results are stored, of the archive those that block.
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
            rule_rows(_missing_results(unevaluated), facts, "staged", checked_at),
        ):
            append_rows(con, catalog.tables["check_results"], found)
    return [
        *(f"{key} {result.rule.name}" for key, found in archive.items() for result in found),
        *(f"{result.table} {rule.rule.name}" for result in results for rule in result.failed),
        *(f"{key.asset_key.to_user_string()} {key.name}" for key in unevaluated),
        *(name for (name,) in con.execute(_FAILED_BEFORE, [facts.run_id]).fetchall()),
    ]


def _missing_results(unevaluated: Collection[dg.AssetCheckKey]) -> Mapping[str, list[RuleResult]]:
    """A failed rule for each check that was not evaluated, by asset key."""
    found: dict[str, list[RuleResult]] = {}
    for key in unevaluated:
        rule = Rule(key.name, (), statement="the check was evaluated", what_to_do=_AGAIN)
        result = RuleResult(rule, False, "critical", 1, 1, _NOT_EVALUATED, np.arange(0), ())
        found.setdefault(key.asset_key.to_user_string(), []).append(result)
    return found


def gate_check(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, blocked: str | None = None
) -> dg.AssetCheckResult:
    """The results of the gate in this run, as a check of `publish/release`; failed rules come first.

    `blocked` is why nothing is published, for a reason that no rule found.
    """
    found = query_rows(con, _FOUND, [facts.run_id])
    failed = [rule for rule in found if not rule["passed"]]
    tables = len({rule["asset_key"] for rule in found} - {RELEASE})
    audits = [rule for rule in found if rule["asset_key"] == RELEASE]
    passed = f"{len(found)} critical rules passed on the staged file: {tables} tables, {len(audits)} rules of audits."
    shown: dict[str, dg.MetadataValue] = {"audits": _table(audits)} if audits else {}
    if failed:
        first = dg.AssetKey(failed[0]["asset_key"].split("/"))
        shown |= {
            "first_failed": dg.MetadataValue.asset(first),
            "offending_rules": _table(failed),
            "what_to_do": dg.MetadataValue.text(_advice(failed)),
        }
        if selection := selection_again(failed):
            shown["select_to_run_again"] = dg.MetadataValue.text(selection)
    return dg.AssetCheckResult(
        check_name=GATE,
        passed=not failed and blocked is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_failure(failed) if failed else blocked or passed,
        metadata={"rules": len(found), "rules_failed": len(failed), **shown},
    )


def selection_again(failed: Sequence[Mapping[str, Any]]) -> str:
    """Dagster's selection of the failed series and all that is computed from them; empty when no series failed."""
    series = dict.fromkeys(rule["asset_key"] for rule in failed if rule["asset_key"].startswith("raw/"))
    return " or ".join(f'key:"{name}"+' for name in series)


def _failure(failed: list[dict]) -> str:
    first = failed[0]
    text = f"{first['asset_key']} failed {first['check_name']}: {first['message'].rstrip('.')}."
    if len(failed) > 1:
        text += f" {len(failed) - 1} more failed."
    if selection := selection_again(failed):
        series = [rule["check_name"] for rule in failed if rule["asset_key"].startswith("raw/")]
        again = "re-execute the run from failure or " if set(series) == {REFUSED} else ""
        text += f" Once it is corrected, {again}materialize {selection}, or on a later day the complete job."
    return text


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
