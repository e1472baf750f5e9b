"""Wrong tables of publishers: each refused by its rule, and nothing lost."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from assets.sources.protocol import PayloadRefused
from tests.builders import a_series, an_archive, merge_payload
from tests.fakes import fed_board, fiscal_data
from tests.fakes.publishers import HTML, accepted, figures, refused, serving, source_of
from tests.fakes.server import Served, running


def from_board(body: bytes) -> PayloadRefused:
    return refused(serving("fed_board", body), "EBP")


GOOD = fed_board.small_file()
LINE = b"2025-01-01,1.08,-0.12,0.2\n"


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("missing_column", GOOD.replace(b"ebp", b"premium")),
        ("missing_column", GOOD.replace(b"est_prob", b"ebp")),
        ("missing_column", GOOD.replace(LINE, b"2025-01-01,1.08\n")),
        ("missing_column", GOOD.decode().encode("utf-16")),
        ("not_a_number", GOOD.replace(LINE, b"2025-01-01,1.08,n.s.,0.2\n")),
        ("not_a_number", GOOD.replace(LINE, b"2025-01-01,1.08,1e999,0.2\n")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"2025-13-01")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"2025-02-30")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"13/1/2025")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"1/1/25")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"JNA2025")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"31jun2025")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"2024-12-31T19:00:00-05:00")),
        ("duplicate_key", GOOD.replace(b"2025-01-01", b"FEB2025")),
        ("empty_file", GOOD.split(b"\n", 1)[0]),
        ("empty_file", b",,,\n , ,,\n"),
    ],
)
def test_wrong_premium_file_is_refused_by_name(rule: str, body: bytes) -> None:
    assert body != GOOD
    assert from_board(body).rule == rule


def test_fault_in_one_column_leaves_the_other_series() -> None:
    source = serving("fed_board", GOOD.replace(LINE, b"2025-01-01,1.08,n.s.,0.2\n"))
    assert "ebp on line 10" in str(refused(source, "EBP"))
    assert len(figures(accepted(source, "GZ_SPREAD"))) == 24


def test_reestimated_history_is_a_new_vintage_and_the_old_one_stays() -> None:
    """Also through a run with a damaged file, and one with no change."""
    series = a_series("EBP")
    runs = [(dt.date(2026, 5, 8), GOOD), (dt.date(2026, 6, 5), GOOD.replace(b",-0.", b",-0.0")),
              (dt.date(2026, 6, 6), HTML), (dt.date(2026, 6, 7), GOOD.replace(b",-0.", b",-0.0"))]  # fmt: skip
    counted = []
    with an_archive() as con:
        for day, body in runs:
            try:
                payload = accepted(serving("fed_board", body), "EBP")
            except PayloadRefused:
                continue
            counts = merge_payload(
                con, series, payload, run_date=day, captured_at=dt.datetime.combine(day, dt.time(1), dt.UTC),
                fetch_id=str(day), released_on={},
            )  # fmt: skip
            counted.append((counts.new, counts.revised, counts.corrected, counts.unchanged))
        assert counted == [(24, 0, 0, 0), (0, 20, 0, 4), (0, 0, 0, 24)]
        vintages = con.execute(
            "SELECT realtime_start, value, vintage_source FROM raw.vintages "
            "WHERE observation_date = DATE '2025-01-01' ORDER BY realtime_start"
        ).fetchall()
    assert vintages == [
        (dt.date(2025, 2, 6), -0.12, "lag_rule"),
        (dt.date(2026, 6, 5), -0.012, "captured"),
    ]


def from_treasury(rows: list[fiscal_data.Row], **how: object) -> PayloadRefused:
    with running(fiscal_data.fiscal_data(rows, **how)) as server:
        return refused(source_of("fiscal_data", server), "MSPD_BILLS")


def changed_rows(**changes: str) -> list[fiscal_data.Row]:
    """The small table with the bills of one month changed."""
    rows = fiscal_data.small_table()
    assert (rows[12]["security_class_desc"], rows[12]["record_date"]) == ("Bills", "2025-03-31")
    return [{**rows[12], **changes} if n == 12 else row for n, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("not_a_number", {"total_mil_amt": "6,000,000"}),
        ("not_a_date", {"record_date": "2025-02-30"}),
        ("implausible_value", {"total_mil_amt": "6.0"}),
    ],
)
def test_wrong_row_of_the_debt_table_is_refused_by_name(rule: str, changes: dict[str, str]) -> None:
    assert from_treasury(changed_rows(**changes)).rule == rule


def test_page_lost_on_the_way_is_noticed() -> None:
    error = from_treasury(fiscal_data.small_table(), largest_page=20, lost_page=2)
    assert error.rule == "shorter_than_before"
    assert "52 rows arrived, the publisher states 72" in str(error)


def test_amounts_in_another_scale_are_refused() -> None:
    error = from_treasury(fiscal_data.small_table(), label="Total Public Debt Outstanding (in Billions)")
    assert error.rule == "unit_changed"


@pytest.mark.parametrize(
    ("rows", "pages", "message"),
    [
        ([{"record_date": "2025-01-31", "src_line_nbr": "1"}], 1, "1 of 1 rows without 'security_type_desc'"),
        ([], 1_000_000_000, "1000000000 pages"),
    ],
)
def test_missing_field_or_too_many_pages_are_named(rows: list[object], pages: int, message: str) -> None:
    response = {"data": rows, "meta": {"total-count": 1, "total-pages": pages}}
    with running(fiscal_data.fiscal_data([])) as server:
        server.routes[fiscal_data.PATH] = Served(json.dumps(response).encode())
        assert message in str(refused(source_of("fiscal_data", server), "MSPD_BILLS"))
        assert len(server.requests) == 1
