"""Wrong, damaged or hostile tables of the publishers of files: refused by their rule, within bounds of memory."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable

import pytest

from assets.catalog.models import SourceKey
from assets.sources.protocol import PayloadRefused
from tests.builders import a_series, an_archive, merge_payload
from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.publishers import PUBLISHERS, accepted, figures, refused, serving, source_of
from tests.fakes.server import running
from tests.unit.test_publishers import earnings_of, gold_of

GOOD = fed_board.small_file()
LINE = b"2025-01-01,1.08,-0.12,0.2\n"


def cell(row: int, column: int, value: object) -> Callable[[list[list[object]]], None]:
    """Put a value into a cell."""
    return lambda rows: rows[row].__setitem__(column, value)


def renamed_gold(rows: list[list[object]]) -> None:
    for row in (4, 6):
        rows[row][3] = "Gold, fix"


WRONG: dict[SourceKey, list[tuple[str, bytes]]] = {
    "fed_board": [
        ("missing_column", GOOD.replace(b"ebp", b"premium")),
        ("missing_column", GOOD.replace(b"est_prob", b"ebp")),
        ("missing_column", GOOD.replace(LINE, b"2025-01-01,1.08\n")),
        ("missing_column", GOOD.decode().encode("utf-16")),
        ("not_a_number", GOOD.replace(LINE, b"2025-01-01,1.08,n.s.,0.2\n")),
        ("not_a_number", GOOD.replace(LINE, b"2025-01-01,1.08,1e999,0.2\n")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"2025-13-01")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"2025-02-30")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"1/1/2025")),
        ("not_a_date", GOOD.replace(b"2025-01-01", b"01jan2025")),
        ("duplicate_key", GOOD.replace(b"2025-01-01", b"2025-02-28")),
        ("empty_file", GOOD.split(b"\n", 1)[0]),
        ("empty_file", b",,,\n , ,,\n"),
    ],
    "shiller": [
        ("missing_column", shiller.old_workbook(shiller.small_sheet(), "Daten")),
        ("missing_column", shiller.changed(cell(2, 3, "Earn."))),
        ("missing_column", shiller.changed(cell(2, 4, "E"))),
        ("missing_column", shiller.changed(cell(2, 0, "Month"))),
        ("not_a_number", shiller.changed(cell(6, 3, "220*"))),
        ("not_a_number", shiller.changed(cell(6, 3, True))),
        ("not_a_date", shiller.changed(cell(6, 0, 2024.13))),
        ("not_a_date", shiller.changed(cell(6, 0, 2024.2917))),
        ("not_a_number", shiller.changed(cell(6, 0, "a month"))),
        ("duplicate_key", shiller.changed(cell(6, 0, 2024.06))),
        ("empty_file", shiller.changed(lambda rows: rows.__delitem__(slice(3, None)))),
    ],
    "world_bank": [
        ("missing_column", world_bank.new_workbook(world_bank.small_sheet(), "Prices")),
        ("missing_column", world_bank.changed(renamed_gold)),
        ("missing_column", world_bank.changed(cell(4, 1, "Gold"))),
        ("unit_changed", world_bank.changed(cell(5, 3, "($/kg)"))),
        ("not_a_number", world_bank.changed(cell(12, 3, "2,300"))),
        ("not_a_number", world_bank.changed(cell(12, 3, dt.datetime(2026, 1, 1)))),
        ("not_a_date", world_bank.changed(cell(12, 0, "2024M13"))),
        ("not_a_date", world_bank.changed(cell(12, 0, "Oct 2024"))),
        ("not_a_date", world_bank.changed(lambda rows: rows.__delitem__(slice(7, None)))),
    ],
}
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize(
    ("name", "rule", "body"), CASES, ids=[f"{n}-{name}-{rule}" for n, (name, rule, _) in enumerate(CASES)]
)
def test_wrong_table_is_refused_by_name(name: SourceKey, rule: str, body: bytes) -> None:
    assert refused(serving(name, body), PUBLISHERS[name].series_id).rule == rule


def test_a_fault_in_one_series_leaves_the_others() -> None:
    source = serving("fed_board", GOOD.replace(LINE, b"2025-01-01,1.08,n.s.,0.2\n"))
    assert "ebp on line 10" in str(refused(source, "EBP"))
    assert len(figures(accepted(source, "GZ_SPREAD"))) == 24
    unknown_month = shiller.changed(lambda rows: rows[-1].__setitem__(4, "Oct '31 CPI estimated"))
    source = serving("shiller", unknown_month)
    assert refused(source, "SHILLER_CPI").rule == "not_a_date"
    assert max(figures(accepted(source, "SHILLER_PRICE"))) == "2026-04-01"


def test_reestimated_history_is_a_new_vintage_and_the_old_one_stays() -> None:
    """Also through a run with a damaged file, and one with no change."""
    series, again = a_series("EBP"), GOOD.replace(b",-0.", b",-0.0")
    runs = {dt.date(2026, 5, 8): GOOD, dt.date(2026, 6, 5): again, dt.date(2026, 6, 7): again}
    counted = []
    with an_archive() as con:
        for day, body in runs.items():
            payload, at = (
                accepted(serving("fed_board", body), "EBP"),
                dt.datetime.combine(day, dt.time(1), dt.UTC),
            )
            one = merge_payload(con, series, payload, run_date=day, captured_at=at, fetch_id=str(day))
            counted.append((one.new, one.revised, one.corrected, one.unchanged))
        vintages = con.execute(
            "SELECT realtime_start::VARCHAR, value, vintage_source FROM raw.vintages "
            "WHERE observation_date = DATE '2025-01-01' ORDER BY realtime_start"
        ).fetchall()
    assert counted == [(24, 0, 0, 0), (0, 20, 0, 4), (0, 0, 0, 24)]
    assert vintages == [("2025-02-06", -0.12, "lag_rule"), ("2026-06-05", -0.012, "captured")]


@pytest.mark.parametrize(
    ("rule", "changes", "how"),
    [
        ("not_a_number", {"total_mil_amt": "6,000,000"}, {}),
        ("not_a_date", {"record_date": "2025-02-30"}, {}),
        ("implausible_value", {"total_mil_amt": "6.0"}, {}),
        ("shorter_than_before", {}, {"largest_page": 20, "lost_page": 2}),
        ("unit_changed", {}, {"label": "Total Public Debt Outstanding (in Billions)"}),
    ],
)
def test_wrong_debt_table_is_refused_by_name(
    rule: str, changes: dict[str, str], how: dict[str, object]
) -> None:
    rows = fiscal_data.small_table()
    assert (rows[12]["security_class_desc"], rows[12]["record_date"]) == ("Bills", "2025-03-31")
    rows[12] |= changes
    with running(fiscal_data.fiscal_data(rows, **how)) as server:
        assert refused(source_of("fiscal_data", server), "MSPD_BILLS").rule == rule


@pytest.mark.parametrize(
    ("rows", "pages", "message"),
    [
        ([{"record_date": "2025-01-31", "src_line_nbr": "1"}], 1, "1 of 1 rows without 'security_type_desc'"),
        ([], 1_000_000_000, "1000000000 pages"),
    ],
)
def test_missing_field_or_too_many_pages_are_named(rows: list[object], pages: int, message: str) -> None:
    response = {"data": rows, "meta": {"total-count": 1, "total-pages": pages}}
    assert message in str(refused(serving("fiscal_data", json.dumps(response).encode()), "MSPD_BILLS"))


# --- hostile workbooks: within bounds of time and memory ---


def test_workbook_cut_anywhere_or_with_bytes_turned_over_is_refused_or_harmless() -> None:
    old = shiller.old_workbook(shiller.small_sheet())
    for name, good in (("shiller", old), ("world_bank", world_bank.new_workbook(world_bank.small_sheet()))):
        for part in range(1, 12):
            cut = serving(name, good[: len(good) * part // 12])
            assert refused(cut, PUBLISHERS[name].series_id).rule in ("missing_column", "empty_file")
    for at in range(0, len(old), len(old) // 60):
        turned = bytes(255 - byte for byte in old[at : at + 8])
        try:
            earnings_of(old[:at] + turned + old[at + 8 :])
        except PayloadRefused as refusal:
            assert "\n" not in str(refusal)


def repacked(change: Callable[[str, bytes], bytes], more: dict[str, bytes] | None = None) -> bytes:
    """The small Pink Sheet with members of its zip changed, and some more."""
    packed = io.BytesIO()
    good = zipfile.ZipFile(io.BytesIO(world_bank.new_workbook(world_bank.small_sheet())))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in good.namelist():
            archive.writestr(name, change(name, good.read(name)))
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_zip_that_unpacks_to_gigabytes_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.sources.parse._UNPACKED", 30_000_000)
    bomb = repacked(lambda _, content: content, {f"xl/media/{n}": b"0" * 10_000_000 for n in range(4)})
    assert "unpacks to more than" in str(refused(serving("world_bank", bomb), "GOLD_WB_MONTHLY"))


@pytest.mark.parametrize("member", ["xl/worksheets/sheet2.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_workbook_whose_xml_defines_entities_is_refused(member: str) -> None:
    entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'

    def inject(name: str, content: bytes) -> bytes:
        if name != member:
            return content
        if not content.startswith(b"<?xml"):
            content = b"<?xml version='1.0'?>" + content
        head, tail = content.split(b">", 1)
        return head + b">" + entity + tail.replace(b"Gold", b"&a;", 1)

    assert "EntitiesForbidden" in str(refused(serving("world_bank", repacked(inject)), "GOLD_WB_MONTHLY"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
        (b'<dimension ref="A1:D31"', b'<dimension ref="A1:B3"'),
    ],
    ids=["claims to be endless", "claims to be narrow"],
)
def test_size_a_sheet_claims_is_not_believed(old: bytes, new: bytes) -> None:
    def changed(name: str, content: bytes) -> bytes:
        assert name != "xl/worksheets/sheet2.xml" or old in content
        return content.replace(old, new) if name == "xl/worksheets/sheet2.xml" else content

    assert len(gold_of(repacked(changed))) == 23


def test_sheet_as_wide_as_allowed_is_read_whole_and_a_wider_one_is_refused_and_not_cut() -> None:
    """The column asked for could stand there, or stand there too."""

    def move(rows: list[list[object]]) -> None:
        for row in rows[4:]:
            row += [None] * (255 - len(row)) + [row[3]]
            row[3] = "moved"

    assert len(gold_of(world_bank.changed(move))) == 23
    for at in (256, 16_383):
        wide = world_bank.changed(lambda rows, at=at: rows[4].extend([None] * (at - len(rows[4])) + ["Gold"]))
        error = refused(serving("world_bank", wide), "GOLD_WB_MONTHLY")
        assert "wider than 256 columns in row 5" in str(error)
