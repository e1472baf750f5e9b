"""Judging a table once: what every rule came to is found again while all that was read is the same.

Belongs here: what a judgement depends on, keeping and finding it. Does not belong here: judging (`runner.py`), the
store (`assets/warehouse/memory.py`), rules.

The gate asks the same of the staged file as the checks asked of the warehouse. Where the staged table holds the same
rows, each rule comes to the same; where one value differs, or a table was never judged, it is judged there and then.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Table
from assets.catalog.render import literal, qualified_name, quoted
from assets.warehouse.memory import content, contents, inputs_sha256, keep, once, recall
from checks.audits.leak import PROVENANCE
from checks.runner import RuleResult, SuiteResult, run_by_row
from checks.suites.rules import Rule, Suite

if TYPE_CHECKING:
    import duckdb

_Rules = dict[str, list[Any]]  # rule name to what it came to


def suite_content(
    con: duckdb.DuckDBPyConnection,
    suite: Suite,
    catalog: Catalog,
    schema: str | None = None,
    of_table: Callable[[Table], str] | None = None,
) -> str:
    """Fingerprint of the suite's table and of those its rules read, in their own schemas or in `schema`.

    `of_table` gives that of a table where its rows are not all that is judged.
    """
    names = (suite.table, *(name for name in suite.tables_beside if name != PROVENANCE))
    tables = [catalog.tables[name] for name in names]
    if of_table is not None:
        found = [of_table(table) for table in tables]
    else:
        found = contents(con, [qualified_name(table, schema=schema) for table in tables])
    if PROVENANCE in suite.tables_beside:
        name = qualified_name(catalog.tables[PROVENANCE], schema=schema)
        found.append(content(con, name, f"WHERE {quoted('table_name')} = {literal(suite.table)}"))
    return " ".join(found)


def judged_once(
    con: duckdb.DuckDBPyConnection,
    suite: Suite,
    run_date: dt.date,
    read: str,
    judge: Callable[[], SuiteResult],
) -> SuiteResult:
    """What the suite comes to on tables whose contents are `read`: found again in the warehouse, or judged and kept."""
    work, inputs = f"judge {suite.table}", inputs_sha256(run_date.isoformat(), read)
    kept = json.loads(recall(con, work, inputs) or '{"rows": 0, "rules": {}}')
    if all(rule.name in kept["rules"] for rule in suite.rules):
        return SuiteResult(suite, kept["rows"], _unpacked(kept["rules"], suite.rules))
    result = judge()
    rules = kept["rules"] | _packed(result.results)  # the gate asks for some of them, the check for all
    keep(con, work, inputs, json.dumps({"rows": result.rows, "rules": rules}))
    return result


def judged_by_row_once(
    con: duckdb.DuckDBPyConnection, suite: Suite, read: str, load: Callable[[], pd.DataFrame]
) -> list[tuple[RuleResult, ...]]:
    """The same for a frame whose rows are about different things: for each row, what it came to by itself.

    `read` is the fingerprint of all that `load` makes the frame of.
    """
    work, inputs = f"judge {suite.table} row by row", inputs_sha256(read)
    kept = once(con, work, inputs, lambda: json.dumps([_packed(row) for row in run_by_row(load(), suite)]))
    return [_unpacked(row, suite.rules) for row in json.loads(kept)]


def _packed(results: Sequence[RuleResult]) -> _Rules:
    """Results as JSON takes them, by rule."""
    return {
        r.rule.name: [
            r.passed, r.severity, r.evaluated_rows, r.failing_rows, r.message, r.positions.tolist(), r.examples,
        ]
        for r in results
    }  # fmt: skip


def _unpacked(kept: _Rules, rules: Sequence[Rule]) -> tuple[RuleResult, ...]:
    """The results again, in the order of the rules."""
    out = []
    for rule in rules:
        passed, severity, evaluated, failing, message, positions, examples = kept[rule.name]
        at = np.asarray(positions, dtype="int64")
        out.append(RuleResult(rule, passed, severity, evaluated, failing, message, at, tuple(examples)))
    return tuple(out)
