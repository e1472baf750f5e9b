"""Findings without figures of restricted series: results are published, and shown in the UI.

Belongs here: what of a finding may be said. Does not belong here: which cells are withheld
(`assets/warehouse/rights.py`), judging.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from assets.catalog.models import Catalog, Profile
from assets.warehouse.rights import withheld
from checks.runner import RuleResult, SuiteResult
from checks.suites.rules import Rule

NOT_SHOWN = "figures of a restricted series are not shown"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}( 00:00:00)?")


def of_table(result: SuiteResult, catalog: Catalog, profile: Profile) -> SuiteResult:
    """Findings on a table: a rule that reads a column with withheld cells, own or beside, names keys and days alone.

    Whatever the operator has published: what was wrong is told to more people than the figures.
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
    message = f"{result.rule.statement}: not so in {result.failing_rows} of {result.evaluated_rows} rows; {NOT_SHOWN}."
    return replace(result, message=message, examples=tuple(filter(None, shown)))


def _reads_withheld(rule: Rule, table: str, catalog: Catalog, profile: Profile) -> bool:
    for name in rule.columns:
        other, _, column = name.rpartition(".")
        if column in withheld(catalog.tables[other or table], catalog, profile):
            return True
    return False
