"""The audit by recomputation asks for what there is: something of every table, however short the grid."""

from __future__ import annotations

import pandas as pd
import pytest

from checks.audits.recompute import RECOMPUTED, TYPES, recompute_suite
from checks.runner import run_suite


def compared(tables: list[str]) -> pd.DataFrame:
    """One row of each table, all alike."""
    day = pd.Timestamp("1985-01-31").as_unit("s")
    rows = [[day, table, day, 0, None, None, None, None] for table in tables]
    frame = pd.DataFrame(rows, columns=list(TYPES))
    return frame.astype(
        {"cut_on": "datetime64[s]", "as_of_date": "datetime64[s]", "values_differing": "int64"}
    )


def failed(tables: list[str]) -> set[str]:
    return {result.rule.name for result in run_suite(compared(tables), recompute_suite()).failed}


def test_the_first_month_end_is_enough() -> None:
    assert failed(list(RECOMPUTED)) == set()


def test_nothing_compared_is_no_proof() -> None:
    assert failed([]) == {"table__not_empty"}


@pytest.mark.parametrize("table", RECOMPUTED)
def test_a_table_that_was_not_compared_is_missed(table: str) -> None:
    assert failed([name for name in RECOMPUTED if name != table]) == {"recomputed__tables_compared"}
