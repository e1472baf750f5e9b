"""What a check says in the interface when it does not hold."""

from __future__ import annotations

import numpy as np

from checks.presentation import sentence, shown_rows
from checks.runner import Example, RuleResult
from checks.suites.rules import within


def broken(name: str, *examples: Example, message: str = "") -> RuleResult:
    rule = within(
        name, ("real_10y_pct",), statement="the yield is plausible", what_to_do="Look.", maximum=3.0
    )
    count = len(examples)
    return RuleResult(rule, False, "critical", 496, count, message, np.arange(count), examples)


ROW = {"as_of_date": "1985-02-28", "real_10y_pct": 6.3999999999999995}


def test_sentence_counts_rows_and_names_rule_limit_and_first_row() -> None:
    said = sentence([broken("real_10y_pct__in_range", ROW), broken("other__rule", ROW)], 497)
    assert said == (
        "1 of 496 rows break real_10y_pct__in_range (the yield is plausible; allowed: <= 3), "
        "first: as_of_date 1985-02-28, real_10y_pct 6.4. 1 more do not hold."
    )


def test_sentence_of_a_rule_that_could_not_be_judged_says_why() -> None:
    said = sentence([broken("a__rule", message="not judged: column a is missing.")], 5)
    assert said == "a__rule: not judged: column a is missing."


def test_offending_rows_have_a_column_per_value() -> None:
    records = shown_rows([broken("real_10y_pct__in_range", ROW, {**ROW, "real_10y_pct": None})]).records
    assert [record.data for record in records] == [
        {
            "rule": "real_10y_pct__in_range",
            "as_of_date": "1985-02-28",
            "real_10y_pct": shown,
            "allowed": "<= 3",
        }
        for shown in ("6.4", "")
    ]


def test_offending_rows_too_wide_for_the_page_are_put_into_one_column() -> None:
    wide = {f"column_{n}": n for n in range(9)}
    (record,) = shown_rows([broken("a__rule", wide)]).records
    assert set(record.data) == {"rule", "row", "allowed"}
    assert str(record.data["row"]).startswith("column_0 0, column_1 1")
