"""Words and tables for what a suite came to, as the Dagster UI shows them.

Belongs here: text. Does not belong here: judging, the checks themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from checks.runner import Example, RuleResult

_WIDEST = 5  # columns of an offending row that fit beside each other
_STRUCTURAL = ("type", "not_null", "in_range", "allowed_values")  # one per column: summed up when they hold


def sentence(results: Sequence[RuleResult], rows: int) -> str:
    """One line: everything holds, or the first rule that does not and how many more."""
    failed = sorted((r for r in results if not r.passed), key=lambda result: result.severity != "critical")
    if not failed:
        return f"All {len(results)} rules hold on {rows:,} rows."
    more = f" {len(failed) - 1} more do not hold." if len(failed) > 1 else ""
    return f"{_broken(failed[0])}{more}"


def rules_table(results: Sequence[RuleResult]) -> str:
    """Markdown: what failed first, then judgement; the rules every column has are summed up where they hold."""
    lines = ["| rule | severity | result | allowed |", "| --- | --- | --- | --- |"]
    held = [result for result in results if result.passed]
    lines += [_line(result) for result in results if not result.passed]
    lines += [_line(result) for result in held if _property(result) not in _STRUCTURAL]
    for name in _STRUCTURAL:
        if columns := [result for result in held if _property(result) == name]:
            lines.append(
                f"| `*__{name}` | critical | holds for {len(columns)} columns | as the catalogue declares |"
            )
    return "\n".join(lines)


def shown_rows(failed: Sequence[RuleResult]) -> dg.TableMetadataValue:
    """The examples of every rule that does not hold, each with what is allowed; a column per value where they fit."""
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


def _broken(result: RuleResult) -> str:
    """How many rows break a rule, what it asks, and the first of them."""
    name, rows = result.rule.name, f"{result.failing_rows} of {result.evaluated_rows} rows"
    if not result.examples:
        return f"{name}: {result.message}"
    first = ", ".join(f"{column} {_text(value)}" for column, value in result.examples[0].items())
    statement = result.rule.statement
    return f"{rows} break {name} ({statement}; allowed: {result.rule.threshold}), first: {first}."


def _property(result: RuleResult) -> str:
    return result.rule.name.split("__")[1]


def _line(result: RuleResult) -> str:
    rows = result.evaluated_rows
    held = f"{rows} of {rows} rows" if rows else result.message.removesuffix(".")
    found = held if result.passed else f"**{result.message}**"
    cells = (f"`{result.rule.name}`", result.severity, found, result.rule.threshold)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
