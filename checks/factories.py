"""The asset checks of the graph, made from suites: series, relations between series, tables, the first publication.

A critical rule that fails makes an ERROR, a warning a WARN. Neither stops the run: tables are computed all the same,
and the gate of the release refuses to publish. So a blocked run shows what failed, and nothing as not executed. Only a
first publication that is not possible stops the tables. A crash of a check is an error of the run, which the gate
refuses too, and is never taken for failed data: nothing is caught here.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import dagster as dg
import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Series
from assets.compute.calendar import days, period_end
from assets.compute.conditions import Inputs, Shortfall, shortfall
from assets.compute.registry import REGISTRY
from assets.run_facts import RunFacts
from assets.warehouse.live import PROVENANCE, read_record
from assets.warehouse.readers import LABEL_ROLES, Holding, observation_counts, read_table
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import append_rows
from checks.archive import check_identities, check_series, is_critical, raw_suite
from checks.identities import IDENTITIES
from checks.results import of_table, rule_rows
from checks.rules import Rule, Suite
from checks.runner import Example, RuleResult, run_suites
from checks.tables import suite_of

# Checks run as soon as their tables are there, so that the release, which comes last, includes their results.
_BEFORE_ASSETS = {"dagster/priority": "1"}
SERIES_TOGETHER = 100  # for every result Dagster goes through all checks made together
Selected = Collection[dg.AssetCheckKey]
Results = Iterator[dg.AssetCheckResult]
Found = Callable[[Warehouse, RunFacts, Selected], Results]


def archive_checks(series: Sequence[Series], number: int = 1) -> dg.AssetChecksDefinition:
    """The checks of raw series, made together; those of a context series warn."""
    by_key = {dg.AssetKey(list(s.asset_key)): s for s in series}

    def found(warehouse: Warehouse, facts: RunFacts, selected: Selected) -> Results:
        keys = [key for key in by_key if key in {check.asset_key for check in selected}]
        of_profile = [by_key[key].in_profile(facts.profile) for key in keys]
        with warehouse.cursor() as con:
            of = dict(zip(keys, check_series(con, of_profile, facts.run_date), strict=True))
        _store(warehouse, {key: results for key, (_, results) in of.items()}, facts)
        for key, (stored, results) in of.items():
            yield from _results(key, results, stored, selected)

    specs = [spec for key in by_key for spec in _specs(key, raw_suite().rules)]
    return _checks("archive" if number == 1 else f"archive_{number}", specs, found)


def identity_checks(catalog: Catalog) -> dg.AssetChecksDefinition:
    """One check per identity between series, on the first of them; one with a context series warns."""
    keys = {name: dg.AssetKey(list(series.asset_key)) for name, series in catalog.series.items()}
    by_key = {dg.AssetCheckKey(keys[one.series[0]], one.name): one for one in IDENTITIES}

    def found(warehouse: Warehouse, facts: RunFacts, selected: Selected) -> Results:
        chosen = {key: one for key, one in by_key.items() if key in selected}
        with warehouse.cursor() as con:
            checked = check_identities(con, catalog, facts.run_date, list(chosen.values()))
        by_series: dict[dg.AssetKey, list[RuleResult]] = {}
        for key, one in zip(chosen, checked, strict=True):
            by_series.setdefault(key.asset_key, []).append(one.result)
        _store(warehouse, by_series, facts)
        for key, one in zip(chosen, checked, strict=True):
            unknown = f"Nothing to check: there are no figures of {', '.join(one.absent)}."
            described = unknown if one.absent else None
            yield check_result(key, [one.result], one.result.evaluated_rows, described)

    specs = [
        dg.AssetCheckSpec(
            key.name,
            asset=key.asset_key,
            additional_deps=[keys[name] for name in one.series[1:]],
            description=f"{one.statement[:1].upper()}{one.statement[1:]}.",
        )
        for key, one in by_key.items()
    ]
    return _checks("identities", specs, found)


def first_publication_check(catalog: Catalog) -> dg.AssetChecksDefinition:
    """Blocking check on the series with a role in the label; its step fails when there can be no first publication."""
    by_key = {dg.AssetKey(list(s.asset_key)): s for s in catalog.series.values() if s.role in LABEL_ROLES}

    def found(warehouse: Warehouse, facts: RunFacts, selected: Selected) -> Results:
        with warehouse.cursor() as con:
            shortfall = None if facts.accepts_incomplete else foresee(con, facts, catalog)
        if shortfall is not None:  # raised before any result, so that the tables are not executed
            raise dg.Failure(f"no first publication: {shortfall}", allow_retries=False)
        for key in selected:
            yield dg.AssetCheckResult(
                check_name=key.name,
                asset_key=key.asset_key,
                passed=True,
                severity=dg.AssetCheckSeverity.ERROR,
                description="A first publication is possible.",
            )

    specs = [
        dg.AssetCheckSpec(FIRST_PUBLICATION, asset=key, blocking=True, description=MEANS) for key in by_key
    ]
    return _checks(FIRST_PUBLICATION, specs, found)


def table_checks(catalog: Catalog, level: int, tables: Sequence[str]) -> dg.AssetChecksDefinition:
    """The checks of tables none of which is computed from another of them, made together."""
    keys = {name: dg.AssetKey([catalog.tables[name].layer, name]) for name in tables}

    def found(warehouse: Warehouse, facts: RunFacts, selected: Selected) -> Results:
        names = [name for name in tables if keys[name] in {check.asset_key for check in selected}]
        suites = [suite_of(name, catalog, facts.run_date) for name in names]
        with warehouse.cursor() as con:
            checked = [_loaded(con, suite, facts, catalog) for suite in suites]
        results = [of_table(result, catalog, facts.profile) for result in run_suites(checked)]
        found_by = {keys[name]: of.results for name, of in zip(names, results, strict=True)}
        _store(warehouse, found_by, facts)
        for name, result in zip(names, results, strict=True):
            yield from _results(keys[name], result.results, result.rows, selected)

    specs = []
    for name in tables:
        suite = suite_of(name, catalog, catalog.method.grid.start)
        read = [dg.AssetKey([catalog.tables[t].layer, t]) for t in suite.tables_read if t != PROVENANCE]
        specs += _specs(keys[name], suite.rules, read)
    return _checks(f"tables_{level}", specs, found)


def levels(catalog: Catalog) -> list[list[str]]:
    """Computed tables by the number of steps between them and the archive."""
    level: dict[str, int] = {}
    for name, table in REGISTRY.items():  # in the order they are computed
        level[name] = 1 + max((level[read] for read in table.reads), default=-1)
    return [[name for name, at in level.items() if at == n] for n in range(max(level.values()) + 1)]


def check_result(
    key: dg.AssetCheckKey, results: Sequence[RuleResult], rows: int, description: str | None = None
) -> dg.AssetCheckResult:
    """The result of a check in the UI: a sentence, every rule, and the rows that failed."""
    failed = [result for result in results if not result.passed]
    first = min(failed, key=lambda result: result.severity != "critical", default=None)
    about_first: dict[str, str | dg.MetadataValue] = {}
    if first:
        about_first = {
            "failed_rule": first.rule.name,
            "threshold": first.rule.threshold,
            "what_to_do": first.rule.what_to_do,
            "offending_rows": shown_rows(failed),
        }
    is_error = any(is_critical(result) for result in failed)
    return dg.AssetCheckResult(
        check_name=key.name,
        asset_key=key.asset_key,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=description or sentence(results, rows),
        metadata={
            "rows": rows,
            "rules": sum(result.was_checked for result in results),
            "rules_failed": len(failed),
            "offending_rows_count": sum(result.failing_rows for result in failed),
            "all_rules": dg.MetadataValue.md(rules_table(results)),
            **about_first,
        },
    )


def _checks(name: str, specs: Sequence[dg.AssetCheckSpec], found: Found) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=name, specs=specs, can_subset=True, op_tags=_BEFORE_ASSETS)
    def check(
        context: dg.AssetCheckExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        facts: dg.ResourceParam[RunFacts],
    ) -> Results:
        yield from found(warehouse, facts, context.selected_asset_check_keys)

    return check


def _specs(
    key: dg.AssetKey, rules: Sequence[Rule], read_too: Sequence[dg.AssetKey] = ()
) -> list[dg.AssetCheckSpec]:
    """One check per kind of rule an asset has."""
    statements: dict[str, list[str]] = {}
    for rule in rules:
        statements.setdefault(rule.check, []).append(rule.statement)
    return [
        dg.AssetCheckSpec(
            check, asset=key, additional_deps=read_too, description="; ".join(dict.fromkeys(of_check))
        )
        for check, of_check in statements.items()
    ]


def _results(key: dg.AssetKey, results: Sequence[RuleResult], rows: int, selected: Selected) -> Results:
    for check in dict.fromkeys(result.rule.check for result in results):
        of_check = dg.AssetCheckKey(key, check)
        if of_check in selected:
            yield check_result(of_check, [r for r in results if r.rule.check == check], rows)


def _loaded(
    con: duckdb.DuckDBPyConnection, suite: Suite, facts: RunFacts, catalog: Catalog
) -> tuple[pd.DataFrame, Suite, Mapping[str, pd.DataFrame]]:
    """The suite's table and the tables its rules read: computed ones for an as-of table, else the published record."""

    def other(name: str) -> pd.DataFrame:
        if name == PROVENANCE:
            query = f"SELECT * FROM derived.{PROVENANCE} WHERE table_name = ?"
            return con.execute(query, [suite.table]).df()
        if catalog.tables[suite.table].is_as_of:
            return read_table(con, f"{catalog.tables[name].layer}.{name}")
        return read_record(con, name, catalog, facts.profile, facts.run_date)

    frame = read_table(con, f"{catalog.tables[suite.table].layer}.{suite.table}")
    return frame, suite, {name: other(name) for name in suite.tables_read}


def _store(warehouse: Warehouse, found: Mapping[dg.AssetKey, Sequence[RuleResult]], facts: RunFacts) -> None:
    by_name = {"/".join(key.path): results for key, results in found.items()}
    rows = rule_rows(by_name, facts, "warehouse", dt.datetime.now(dt.UTC))
    with warehouse.cursor() as con:
        append_rows(con, load_catalog().tables["check_results"], rows)


def all_checks(catalog: Catalog) -> list[dg.AssetChecksDefinition]:
    """Every asset check of the graph. Tables that publishing writes itself are checked in the release only."""
    series = list(catalog.series.values())
    parts = [series[n : n + SERIES_TOGETHER] for n in range(0, len(series), SERIES_TOGETHER)]
    return [
        *(archive_checks(part, n) for n, part in enumerate(parts, start=1)),
        identity_checks(catalog),
        first_publication_check(catalog),
        *(table_checks(catalog, n, names) for n, names in enumerate(levels(catalog))),
    ]


# ---- words and tables for what rules found, as the Dagster UI shows them

_WIDEST = 5  # columns of an offending row that fit next to each other


def sentence(results: Sequence[RuleResult], rows: int) -> str:
    """One line: every rule passed, or the first that failed and how many more."""
    failed = sorted((r for r in results if not r.passed), key=lambda result: result.severity != "critical")
    if failed:
        more = f" {len(failed) - 1} more failed." if len(failed) > 1 else ""
        return f"{_failure(failed[0])}{more}"
    checked = sum(result.was_checked for result in results)
    unchecked = f"; {len(results) - checked} had nothing to check" if checked < len(results) else ""
    return f"{checked} {'rule' if checked == 1 else 'rules'} passed on {rows:,} rows{unchecked}."


def rules_table(results: Sequence[RuleResult]) -> str:
    """Markdown: every rule, those that failed first."""
    lines = ["| rule | severity | result | allowed |", "| --- | --- | --- | --- |"]
    lines += [_line(result) for result in sorted(results, key=lambda result: result.passed)]
    return "\n".join(lines)


def shown_rows(failed: Sequence[RuleResult]) -> dg.TableMetadataValue:
    """The examples of every rule that failed, each with what is allowed; a column per value where they fit."""
    examples = [
        (result, example)
        for result in failed
        for example in (result.examples or ({"table": result.message},))
    ]
    names = list(dict.fromkeys(name for _, example in examples for name in example))
    records = [
        dg.TableRecord({"rule": result.rule.name, **_cells(example, names), "allowed": result.rule.threshold})
        for result, example in examples
    ]
    return dg.MetadataValue.table(records)


def _cells(example: Example, names: Sequence[str]) -> dict[str, str]:
    if len(names) > _WIDEST:
        return {"row": ", ".join(f"{name} {_text(value)}" for name, value in example.items())}
    return {name: _text(example.get(name)) for name in names}


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _failure(result: RuleResult) -> str:
    """How many rows failed a rule, what it requires, and the first of them; of a single row its message."""
    name, rows = result.rule.name, f"{result.failing_rows} of {result.evaluated_rows} rows"
    if not result.examples or result.evaluated_rows == 1:
        return f"{name}: {result.message}"
    first = ", ".join(f"{column} {_text(value)}" for column, value in result.examples[0].items())
    statement = result.rule.statement
    return f"{rows} failed {name} ({statement}; allowed: {result.rule.threshold}), first: {first}."


def _line(result: RuleResult) -> str:
    rows = result.evaluated_rows
    passed = f"{rows} of {rows} rows" if rows else result.message.removesuffix(".")
    found = passed if result.passed else f"**{result.message}**"
    cells = (f"`{result.rule.name}`", result.severity, found, result.rule.threshold)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


# ---- before the first publication: whether the inputs that were fetched are enough for a label

# A first publication without a label would stay in the record permanently. So nothing is published when the newest
# label would be indeterminate because inputs could not be reached and are not in the archive.
FIRST_PUBLICATION = "first_publication"
_UNREACHABLE = "SELECT series_id FROM raw.fetches WHERE run_id = ? AND status = 'unreachable'"
_PUBLISHED = "SELECT count(*) FROM ops.publications WHERE profile = ? AND method_version = ?"
MEANS = (
    "Before the first publication in this data directory: the newest label is not indeterminate because of inputs that "
    "could not be reached. `run --accept-incomplete` publishes anyway."
)


def foresee(con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog) -> Shortfall | None:
    """Why a first publication is not possible; None when it is, or when it is not the first."""
    published = con.execute(_PUBLISHED, [facts.profile, catalog.method.method_version]).fetchall()[0][0]
    if published:
        return None
    series = {one.series_id: one for one in catalog.in_profile(facts.profile)}
    held = observation_counts(con, list(series))
    fresh = {name for name, of in held.items() if is_fresh(series[name], of, facts.run_date)}
    months = catalog.method.percentile.minimum_history
    long = {name for name, of in held.items() if is_long(series[name], of, facts.run_date, months)}
    unreachable = {name for (name,) in con.execute(_UNREACHABLE, [facts.run_id]).fetchall()}
    missing = {
        name for name in unreachable - held.keys() if name in series and series[name].role in LABEL_ROLES
    }
    return shortfall(Inputs(fresh, long), missing, catalog)


def is_fresh(series: Series, held: Holding, run_date: dt.date) -> bool:
    """Whether the newest figure is not too old to be used on the run date."""
    if held.last_figure is None:
        return False
    if series.is_step:
        return True
    end = period_end(days(held.last_figure), series.frequency)[0]
    return bool(np.datetime64(run_date, "D") - end <= np.timedelta64(series.staleness_limit_days, "D"))


def is_long(series: Series, held: Holding, run_date: dt.date, months: int) -> bool:
    """Whether the history is long enough for a rank: so many months, and what the catalogue requires of the series."""
    if series.required_start is not None and held.first_observation > series.required_start:
        return False
    begun = np.datetime64(held.first_observation, "M")
    return bool(np.datetime64(run_date, "M") - begun >= np.timedelta64(months, "M"))
