"""What every rule came to, as rows of `ops.check_results`.

Belongs here: the shape of that table. Does not belong here: writing it (`assets/warehouse/tables.py`), judging.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.run_facts import RunFacts
from checks.runner import RuleResult, SuiteResult

Stage = Literal["warehouse", "staged"]
RELEASE = "publish/release"
SEVERITIES = {"critical": "ERROR", "warning": "WARN"}
_TYPES = {"passed": "bool", "offending_rows": "int64", "evaluated_rows": "int64"}


def results_frame(
    results: Sequence[SuiteResult], facts: RunFacts, stage: Stage, checked_at: dt.datetime
) -> pd.DataFrame:
    """One row per table and rule, in the columns of the catalogue's `check_results`; `checked_at` is UTC.

    What is judged of the release as a whole, and is no table of the catalogue, stands under `publish/release`.
    """
    tables = load_catalog().tables
    judged: dict[str, tuple[RuleResult, ...]] = {}
    for result in results:
        table = tables.get(result.table)
        key = f"{table.layer}/{table.name}" if table else RELEASE
        judged[key] = (*judged.get(key, ()), *result.results)
    return rule_rows(judged, facts, stage, checked_at)


def rule_rows(
    judged: Mapping[str, Sequence[RuleResult]], facts: RunFacts, stage: Stage, checked_at: dt.datetime
) -> pd.DataFrame:
    """The same by asset key (`raw/fred/DGS10`), for what is judged otherwise than table by table."""
    moment = checked_at.astimezone(dt.UTC).replace(tzinfo=None) if checked_at.tzinfo else checked_at
    rows = [_about_rule(key, result) for key, results in judged.items() for result in results]
    about_run = {
        "run_id": facts.run_id,
        "stage": stage,
        "profile": facts.profile,
        "as_of_date": np.datetime64(facts.run_date, "s"),
        "checked_at": np.datetime64(moment, "us"),
    }
    columns: dict[str, object] = {name: np.full(len(rows), value) for name, value in about_run.items()}
    names = load_catalog().tables["check_results"].column_names
    for name in names:
        if name not in columns:
            columns[name] = np.array([row[name] for row in rows], dtype=_TYPES.get(name, "object"))
    return pd.DataFrame(columns, columns=list(names))


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
