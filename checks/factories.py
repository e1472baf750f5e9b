"""Dagster asset checks made from suites.

Belongs here: the factories, and what a result looks like in the UI. Does not belong here: rules, judging, the list
of checks (`assets.py`).

Critical rules that do not hold make an ERROR, which blocks what is downstream in the same run; warnings make a WARN.
A crash of a check is an error of the run and never taken for failed data: nothing is caught here.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg
import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Series
from assets.run_facts import RunFacts
from assets.warehouse.resource import Warehouse
from checks.archive import IdentityResult, is_critical, judge_identities, judge_series
from checks.audits.leak import PROVENANCE
from checks.identities import IDENTITIES
from checks.presentation import rules_table, sentence, shown_rows
from checks.results import results_frame, rule_rows
from checks.rights import of_table
from checks.runner import RuleResult, run_suite
from checks.suites.raw import raw_suite
from checks.suites.rules import Suite

CHECK = "suite"
Loaded = tuple[pd.DataFrame, Mapping[str, pd.DataFrame]]
SuiteOf = Callable[[dt.date], Suite]
Load = Callable[[duckdb.DuckDBPyConnection, Suite, RunFacts], Loaded]


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
            frame, beside = load(con, suite, facts)
        result = of_table(run_suite(frame, suite, beside), load_catalog(), facts.profile)
        kept = results_frame([result], facts, "warehouse", dt.datetime.now(dt.UTC))
        warehouse.append_later(load_catalog().tables["check_results"], kept)
        return _check_result(key, result.results, result.rows, is_error=result.is_held)

    return check


def archive_check(series: Sequence[Series]) -> dg.AssetChecksDefinition:
    """Blocking check `suite` of every raw series, judged together; a context series that fails warns."""
    by_key = {dg.AssetCheckKey(dg.AssetKey(list(s.asset_key)), CHECK): s for s in series}
    rules = len(raw_suite().rules)

    @dg.multi_asset_check(
        name="archive_suite",
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key.asset_key,
                blocking=True,
                description=f"{rules} rules on the archive of the series.",
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
            judged = judge_series(con, list(selected.values()), facts.run_date)
            by_name = {
                "/".join(key.asset_key.path): found for key, (_, found) in zip(selected, judged, strict=True)
            }
        _keep(warehouse, by_name, facts)
        for key, (held, found) in zip(selected, judged, strict=True):
            yield _check_result(key.asset_key, found, held, is_error=any(map(is_critical, found)))

    return check


def identity_checks(catalog: Catalog) -> dg.AssetChecksDefinition:
    """One blocking check per identity between series, on the first of them; one that has a context series warns."""
    keys = {name: dg.AssetKey(list(series.asset_key)) for name, series in catalog.series.items()}
    by_key = {dg.AssetCheckKey(keys[one.series[0]], one.name): one for one in IDENTITIES}

    @dg.multi_asset_check(
        name="identities",
        specs=[
            dg.AssetCheckSpec(
                key.name,
                asset=key.asset_key,
                additional_deps=[keys[name] for name in identity.series[1:]],
                blocking=True,
                description=f"{identity.statement[:1].upper()}{identity.statement[1:]}.",
            )
            for key, identity in by_key.items()
        ],
        can_subset=True,
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        facts: dg.ResourceParam[RunFacts],
    ) -> Iterator[dg.AssetCheckResult]:
        selected = {key: one for key, one in by_key.items() if key in context.selected_asset_check_keys}
        with warehouse.cursor() as con:
            judged = judge_identities(con, catalog, facts.run_date, list(selected.values()))
            by_name: dict[str, list[RuleResult]] = {}
            for key, found in zip(selected, judged, strict=True):
                by_name.setdefault("/".join(key.asset_key.path), []).append(found.result)
        _keep(warehouse, by_name, facts)
        for key, found in zip(selected, judged, strict=True):
            yield _identity_result(key, found)

    return check


def _keep(warehouse: Warehouse, by_name: Mapping[str, Sequence[RuleResult]], facts: RunFacts) -> None:
    kept = rule_rows(by_name, facts, "warehouse", dt.datetime.now(dt.UTC))
    warehouse.append_later(load_catalog().tables["check_results"], kept)


def _identity_result(key: dg.AssetCheckKey, found: IdentityResult) -> dg.AssetCheckResult:
    missing = f"Nothing to judge: nothing is known of {', '.join(found.absent)}." if found.absent else None
    return _check_result(
        key.asset_key,
        [found.result],
        found.result.evaluated_rows,
        is_error=is_critical(found.result),
        name=key.name,
        description=missing,
    )


def _check_result(
    key: dg.AssetKey,
    results: Sequence[RuleResult],
    rows: int,
    *,
    is_error: bool,
    name: str = CHECK,
    description: str | None = None,
) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=description or sentence(results, rows),
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
