"""Dagster asset checks made from suites.

Belongs here: the two factories, and what a result looks like in the UI. Does not belong here: rules, judging, the list
of checks (`assets.py`).

Critical rules that do not hold make an ERROR, which blocks what is downstream in the same run; warnings make a WARN.
A crash of a check is an error of the run and never taken for failed data: nothing is caught here.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import dagster as dg
import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.run_facts import RunFacts
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import append_rows
from checks.audits.leak import PROVENANCE
from checks.presentation import rules_table, sentence, shown_rows
from checks.results import results_frame, rule_rows
from checks.runner import RuleResult, run_by_row, run_suite
from checks.suites.rules import Suite

CHECK = "suite"
Loaded = tuple[pd.DataFrame, Mapping[str, pd.DataFrame]]
SuiteOf = Callable[[dt.date], Suite]
Load = Callable[[duckdb.DuckDBPyConnection, Suite], Loaded]
LoadArchive = Callable[[duckdb.DuckDBPyConnection, Sequence[Series], dt.date], pd.DataFrame]
_BLOCKS = ("condition", "stance", "published")  # roles whose failure holds the publication


def table_check(key: dg.AssetKey, suite_of: SuiteOf, load: Load) -> dg.AssetChecksDefinition:
    """Blocking check `suite` of a table asset. `suite_of` makes the suite for a run date, `load` reads its frames."""
    layers = {name: table.layer for name, table in load_catalog().tables.items()}
    declared = suite_of(load_catalog().method.grid.start)
    read_too = [dg.AssetKey([layers[name], name]) for name in declared.tables_beside if name != PROVENANCE]

    @dg.asset_check(
        asset=key,
        name=CHECK,
        blocking=True,
        additional_deps=read_too,
        description=f"{len(declared.rules)} rules: structure from the catalogue, then judgement.",
    )
    def check(
        warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
    ) -> dg.AssetCheckResult:
        suite = suite_of(facts.run_date)
        with warehouse.cursor() as con:
            frame, beside = load(con, suite)
            result = run_suite(frame, suite, beside)
            kept = results_frame([result], facts, "warehouse", dt.datetime.now(dt.UTC))
            append_rows(con, load_catalog().tables["check_results"], kept)
        return _check_result(key, result.results, result.rows, is_error=result.is_held)

    return check


def archive_check(series: Sequence[Series], suite: Suite, load: LoadArchive) -> dg.AssetChecksDefinition:
    """Blocking check `suite` of every raw series, judged together; a context series that fails warns."""
    by_key = {dg.AssetCheckKey(dg.AssetKey(list(s.asset_key)), CHECK): s for s in series}

    @dg.multi_asset_check(
        name="archive_suite",
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key.asset_key,
                blocking=True,
                description=f"{len(suite.rules)} rules on the archive of the series.",
            )
            for key in by_key
        ],
        can_subset=True,
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        facts: dg.ResourceParam[RunFacts],
    ) -> Iterator[dg.AssetCheckResult]:
        selected = {key: s for key, s in by_key.items() if key in context.selected_asset_check_keys}
        with warehouse.cursor() as con:
            frame = load(con, list(selected.values()), facts.run_date)
            results = [
                _weighed(found, s)
                for found, s in zip(run_by_row(frame, suite), selected.values(), strict=True)
            ]
            by_name = dict(zip(("/".join(key.asset_key.path) for key in selected), results, strict=True))
            kept = rule_rows(by_name, facts, "warehouse", dt.datetime.now(dt.UTC))
            append_rows(con, load_catalog().tables["check_results"], kept)
        for key, found, held in zip(selected, results, frame["rows_held"], strict=True):
            yield _check_result(key.asset_key, found, int(held), is_error=any(map(_is_critical, found)))

    return check


def _weighed(results: Sequence[RuleResult], series: Series) -> list[RuleResult]:
    """A series nothing published depends on warns, whatever the rule."""
    if series.role in _BLOCKS:
        return list(results)
    return [replace(result, severity="warning") for result in results]


def _is_critical(result: RuleResult) -> bool:
    return not result.passed and result.severity == "critical"


def _check_result(
    key: dg.AssetKey, results: Sequence[RuleResult], rows: int, *, is_error: bool
) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=key,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=sentence(results, rows),
        metadata={
            "rows": rows,
            "rules": len(results),
            "rules_failed": len(failed),
            "offending_rows_count": sum(result.failing_rows for result in failed),
            "all_rules": dg.MetadataValue.md(rules_table(results)),
            **({"offending_rows": shown_rows(failed), **_first(failed)} if failed else {}),
        },
    )


def _first(failed: Sequence[RuleResult]) -> dict[str, str]:
    first = min(failed, key=lambda result: result.severity != "critical")
    return {
        "failed_rule": first.rule.name,
        "threshold": first.rule.threshold,
        "what_to_do": first.rule.what_to_do,
    }
