"""A table is replaced as declared, or stays unchanged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.models import Table
from assets.warehouse.connection import WarehouseError
from assets.warehouse.writing import (
    FrameRefused,
    append_rows,
    as_declared,
    ensure_tables,
    replace_slice,
    replace_table,
    transaction,
)


def a_table(*extra: str, nullable: bool = True, label: str = "label") -> Table:
    """Dates, a share, a count and a label, renamed where it has another name; `extra`: more VARCHAR columns."""

    def column(name: str, type_: str, *, nullable: bool = True) -> dict[str, object]:
        text = f"What {name} is about."
        return {"name": name, "type": type_, "unit": "x", "nullable": nullable, "derived_from": [],
                "definition": text}  # fmt: skip

    columns = [
        column("as_of_date", "DATE", nullable=False),
        column("share_pct", "DOUBLE"),
        column("rows", "BIGINT"),
        column(label, "VARCHAR")
        | ({} if label == "label" else {"renamed_from": "label", "renamed_in": "2.1.0"}),
        *(column(name, "VARCHAR", nullable=nullable) for name in extra),
    ]
    return Table.model_validate(
        {"name": "shares", "layer": "derived", "group": "figures",
        "title": "Shares as known.", "grain": "One row per date",
         "key": ["as_of_date"], "column": columns}
    )  # fmt: skip


def a_frame(**changes: object) -> pd.DataFrame:
    columns = {
        "label": ["a", None],
        "rows": [1, 2],
        "share_pct": [1.5, np.nan],
        "as_of_date": np.array(["2026-03-31", "2026-04-30"], dtype="datetime64[s]"),
    }
    return pd.DataFrame(columns | changes)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def rows(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("SELECT * FROM derived.shares ORDER BY as_of_date").fetchall()


EXPECTED = [(dt.date(2026, 3, 31), 1.5, 1, "a"), (dt.date(2026, 4, 30), None, 2, None)]


def test_columns_are_matched_by_name_typed_as_declared_and_commented_at_every_replacement(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for empty in (None, [None, None]):  # an all-None column would become a type of its own in DuckDB 2.0
        changes = {} if empty is None else {"label": empty, "share_pct": empty}
        assert replace_table(con, a_table(), a_frame(**changes)) == 2
        columns = con.execute(
            "SELECT data_type, comment FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"
        ).fetchall()
        assert [type_ for type_, _ in columns] == ["DATE", "DOUBLE", "BIGINT", "VARCHAR"]
        assert columns[1][1] == "[x] What share_pct is about."
    assert con.execute("SELECT comment FROM duckdb_tables()").fetchall() == [
        ("Shares as known. One row per date.",)
    ]


def dates(*days: str) -> np.ndarray:
    return np.array(days, dtype="datetime64[s]")


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (a_frame().iloc[:0], FrameRefused, "derived.shares: the frame is empty"),
        (a_frame().drop(columns="label"), FrameRefused, "columns differ from the catalogue: label"),
        (a_frame().assign(extra=1), FrameRefused, "columns differ from the catalogue: extra"),
        (a_frame(rows=[1.0, 2.5]), FrameRefused, "derived.shares.rows: fractions in a whole-number column"),
        (a_frame(as_of_date=dates("2026-03-31", "2026-03-31")), duckdb.ConstraintException, "uplicate key"),
        (a_frame(as_of_date=dates("2026-03-31", "NaT")), duckdb.ConstraintException, "NOT NULL"),
        (a_frame(rows=["one", "two"]), duckdb.ConversionException, "one"),
    ],
)
def test_frame_that_does_not_fit_leaves_the_old_table(
    con: duckdb.DuckDBPyConnection, frame: pd.DataFrame, error: type[Exception], message: str
) -> None:
    replace_table(con, a_table(), a_frame(share_pct=[1.5, np.inf]))  # infinity is stored as missing
    with pytest.raises(error, match=message):
        replace_table(con, a_table(), frame)
    assert rows(con) == EXPECTED


def test_slice_replaces_its_own_rows_only(con: duckdb.DuckDBPyConnection) -> None:
    table = a_table()
    replace_slice(con, table, a_frame(label=["a", "a"]), "label", "a")
    later = np.array(["2026-05-31", "2026-06-30"], dtype="datetime64[s]")
    replace_slice(con, table, a_frame(label=["b", "b"], as_of_date=later), "label", "b")
    replace_slice(con, table, a_frame(label=["a", "a"]).iloc[1:], "label", "a")  # the same key once more
    assert [(row[0].month, row[3]) for row in rows(con)] == [(4, "a"), (5, "b"), (6, "b")]
    with pytest.raises(FrameRefused, match="another label than 'a'"):
        replace_slice(con, table, a_frame(label=["a", "b"]), "label", "a")


def test_a_frame_is_appended_checked_and_never_twice(con: duckdb.DuckDBPyConnection) -> None:
    ensure_tables(con, a_table())
    with pytest.raises(FrameRefused, match="columns differ from the catalogue: label"):
        append_rows(con, a_table(), a_frame().drop(columns="label"))
    assert append_rows(con, a_table(), a_frame()) == 2
    assert append_rows(con, a_table(), a_frame().iloc[:0]) == 0
    with pytest.raises(duckdb.ConstraintException):
        append_rows(con, a_table(), a_frame())
    assert rows(con) == EXPECTED


def test_table_gains_a_column_declared_since_and_keeps_rows_under_a_new_name_once(
    con: duckdb.DuckDBPyConnection,
) -> None:
    replace_table(con, a_table(), a_frame())
    for _ in range(2):
        ensure_tables(con, a_table("note", label="state"))
        assert rows(con) == [(*row, None) for row in EXPECTED]
        assert [column[0] for column in con.description or []][3:] == ["state", "note"]
    comment = con.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'note'").fetchall()
    assert comment == [("[x] What note is about.",)]
    declared = ["as_of_date", "share_pct", "rows", "state", "note"]
    assert list(as_declared(a_table("note", label="state"), a_frame()).columns) == declared


def test_table_that_cannot_become_the_declared_one_is_named(con: duckdb.DuckDBPyConnection) -> None:
    replace_table(con, a_table("note"), a_frame(note="n"))
    for table in (a_table(), a_table("note", "other", nullable=False)):
        with pytest.raises(WarehouseError, match=r'"derived"."shares".(note|other) is not as declared'):
            ensure_tables(con, table)


def test_transaction_inside_another_joins_it(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(RuntimeError), transaction(con):
        replace_table(con, a_table(), a_frame())
        raise RuntimeError
    assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
    replace_table(con, a_table(), a_frame())
    assert rows(con) == EXPECTED
