"""What every rule found: as rows of `ops.check_results`, and without figures of restricted series.

Only rules that had something to check are counted: one without a figure has neither passed nor failed.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Profile
from assets.run_facts import RunFacts
from assets.warehouse.rights import withheld
from checks.rules import Rule
from checks.runner import RuleResult, SuiteResult

Stage = Literal["warehouse", "staged"]
RELEASE = "publish/release"
SEVERITIES = {"critical": "ERROR", "warning": "WARN"}
NOT_SHOWN = "figures of a restricted series are not shown"
_TYPES = {"passed": "bool", "offending_rows": "int64", "evaluated_rows": "int64"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}( 00:00:00)?")


def results_frame(
    results: Sequence[SuiteResult], facts: RunFacts, stage: Stage, checked_at: dt.datetime
) -> pd.DataFrame:
    """One row per table and rule, in the columns of the catalogue's `check_results`; `checked_at` is UTC.

    What is checked of the release as a whole, and is no table of the catalogue, has the key `publish/release`.
    """
    tables = load_catalog().tables
    found: dict[str, tuple[RuleResult, ...]] = {}
    for result in results:
        table = tables.get(result.table)
        key = f"{table.layer}/{table.name}" if table else RELEASE
        found[key] = (*found.get(key, ()), *result.results)
    return rule_rows(found, facts, stage, checked_at)


def rule_rows(
    found: Mapping[str, Sequence[RuleResult]], facts: RunFacts, stage: Stage, checked_at: dt.datetime
) -> pd.DataFrame:
    """The same by asset key (`raw/fred/DGS10`), for what is checked otherwise than table by table."""
    moment = checked_at.astimezone(dt.UTC).replace(tzinfo=None) if checked_at.tzinfo else checked_at
    rows = [
        _about_rule(key, result) for key, results in found.items() for result in results if result.was_checked
    ]
    frame = pd.DataFrame(rows, columns=list(load_catalog().tables["check_results"].column_names))
    return frame.assign(
        run_id=facts.run_id,
        stage=stage,
        profile=facts.profile,
        as_of_date=np.datetime64(facts.run_date, "s"),
        checked_at=np.datetime64(moment, "us"),
    ).astype(_TYPES)


def _about_rule(asset_key: str, result: RuleResult) -> dict[str, object]:
    return {
        "asset_key": asset_key,
        "check_name": result.rule.name,
        "severity": SEVERITIES[result.severity],
        "passed": result.passed,
        "observed": f"{result.failing_rows} of {result.evaluated_rows} rows",
        "threshold": result.rule.threshold,
        "offending_rows": result.failing_rows,
        "evaluated_rows": result.evaluated_rows,
        "message": result.message,
        "what_to_do": None if result.passed else result.rule.what_to_do,
        "examples": json.dumps(list(result.examples)) if result.examples else None,
    }


def of_table(result: SuiteResult, catalog: Catalog, profile: Profile) -> SuiteResult:
    """Findings on a table: a rule that reads a column with withheld cells, own or other, names keys and days alone.

    Whatever the operator has published: findings are shown to more people than the figures.
    """
    if result.table not in catalog.tables or not result.failed:
        return result
    key = result.suite.key
    results = [
        without_figures(found, lambda name, _: name in key)
        if _reads_withheld(found.rule, result.table, catalog, profile)
        else found
        for found in result.results
    ]
    return replace(result, results=tuple(results))


def without_figures(result: RuleResult, is_shown: Callable[[str, object], bool]) -> RuleResult:
    """A finding without its figures; of its examples, days and what `is_shown` (name, value) lets through."""
    if result.passed:
        return result
    shown = [
        {
            name: value
            for name, value in example.items()
            if is_shown(name, value) or _DAY.fullmatch(str(value))
        }
        for example in result.examples
    ]
    failed = f"{result.failing_rows} of {result.evaluated_rows} rows failed"
    message = f"{result.rule.statement}: {failed}; {NOT_SHOWN}."
    return replace(result, message=message, examples=tuple(filter(None, shown)))


def _reads_withheld(rule: Rule, table: str, catalog: Catalog, profile: Profile) -> bool:
    for name in rule.columns:
        other, _, column = name.rpartition(".")
        if column in withheld(catalog.tables[other or table], catalog, profile):
            return True
    return False
