"""Words and tables for what rules found, as the Dagster UI shows them."""

from collections.abc import Sequence

import dagster as dg

from checks.runner import Example, RuleResult

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
