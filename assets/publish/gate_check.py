"""What the gate found, as a check of `publish/release` in the Dagster UI.

Belongs here: reading the gate's results back, and words for them. Does not belong here: judging (`gate.py`).
"""

from __future__ import annotations

import dagster as dg
import duckdb

from assets.run_facts import RunFacts

GATE = "gate"
MEANS = (
    "Every critical rule on the staged file itself, and the audits: published rows unchanged, rows of past dates "
    "computed again from what was known then, the parameters those of their version."
)
_FOUND = """
SELECT asset_key, check_name, passed, message, what_to_do, threshold, offending_rows, evaluated_rows
FROM ops.check_results
WHERE run_id = $run AND stage = 'staged' AND checked_at = (
  SELECT max(checked_at) FROM ops.check_results WHERE run_id = $run AND stage = 'staged')
ORDER BY passed, asset_key, check_name
"""
_OF_RELEASE = "publish/release"


def gate_check(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> dg.AssetCheckResult:
    """The newest judgement of this run, from the warehouse's books; those rows that failed come first."""
    asked = con.execute(_FOUND, {"run": facts.run_id})
    names = [column[0] for column in asked.description or []]
    found = [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    failed = [rule for rule in found if not rule["passed"]]
    tables = len({rule["asset_key"] for rule in found} - {_OF_RELEASE})
    audits = [rule for rule in found if rule["asset_key"] == _OF_RELEASE]
    holds = (
        f"All {len(found)} critical rules hold on the staged file, {tables} tables and {len(audits)} audits."
    )
    shown: dict[str, dg.MetadataValue] = {"audits": _table(audits)}
    if failed:
        shown |= {"offending_rules": _table(failed), "what_to_do": dg.MetadataValue.text(_advice(failed))}
    return dg.AssetCheckResult(
        check_name=GATE,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_broken(failed) if failed else holds,
        metadata={"rules": len(found), "rules_failed": len(failed), **shown},
    )


def _broken(failed: list[dict]) -> str:
    first = failed[0]
    rows = f"{first['offending_rows']} of {first['evaluated_rows']} rows"
    more = f" {len(failed) - 1} more do not hold." if len(failed) > 1 else ""
    return f"{rows} break {first['asset_key']} {first['check_name']}: {first['message']}{more}"


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
