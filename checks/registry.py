"""Which table has which rules, and the suite of a table for one run.

Belongs here: the list of tables, and putting structure, judgement and audit together.
Does not belong here: the rules themselves, judging (`runner.py`), the archive's own suite (`suites/raw.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from assets.catalog.models import Catalog
from checks.audits.leak import leak_rule
from checks.structural import structural_rules
from checks.suites import (
    activity_inflation,
    bubble_gauge,
    caveats,
    context,
    credit_spreads,
    distance_to_flip,
    effective_weights,
    equity_risk_premium,
    fiscal_and_debt,
    forward_returns,
    forward_returns_by_spell,
    late_figures,
    liquidity_destination,
    method_variants,
    monetisation,
    money_and_rates,
    parameter_sensitivity,
    policy_events,
    provenance,
    qe_phases,
    real_yields,
    reference_values,
    regime,
    regime_changes,
    regime_evidence,
    regime_nightly,
    regime_revised,
    relative_attractiveness,
    reserve_growth,
    row_corrections,
    score_attribution,
)
from checks.suites.rules import Rule, Suite

JUDGEMENT: Mapping[str, Callable[[Catalog], tuple[Rule, ...]]] = {
    module.TABLE: module.rules
    for module in (
        real_yields,
        equity_risk_premium,
        credit_spreads,
        reserve_growth,
        activity_inflation,
        fiscal_and_debt,
        monetisation,
        money_and_rates,
        liquidity_destination,
        relative_attractiveness,
        bubble_gauge,
        context,
        provenance,
        policy_events,
        reference_values,
        regime,
        regime_evidence,
        regime_nightly,
        qe_phases,
        late_figures,
        row_corrections,
        score_attribution,
        regime_changes,
        distance_to_flip,
        parameter_sensitivity,
        method_variants,
        effective_weights,
        regime_revised,
        forward_returns,
        forward_returns_by_spell,
        caveats,
    )
}
JUDGED_IN_RELEASE = tuple(JUDGEMENT)  # tables of the published file that have rules: all of them


def suite_of(table: str, catalog: Catalog, as_of: dt.date) -> Suite:
    """All rules of a table for a run as of `as_of`. Raises KeyError for a table that has none."""
    declared = catalog.tables[table]
    rules = [
        *structural_rules(declared, as_of, catalog.method.grid.start),
        *JUDGEMENT[table](catalog),
        *([leak_rule(table)] if declared.has_provenance else []),
    ]
    return Suite(table, declared.key, _types(table, rules, catalog), tuple(rules))


def _types(table: str, rules: list[Rule], catalog: Catalog) -> dict[str, str]:
    """Declared type of every column of the table, and of what its rules read elsewhere, key included."""
    types: dict[str, str] = {column.name: column.type for column in catalog.tables[table].columns}
    for name in dict.fromkeys(column for rule in rules for column in rule.columns if "." in column):
        other, column = name.split(".")
        for read in ("as_of_date", column):
            types[f"{other}.{read}"] = catalog.tables[other].column(read).type
    return types
