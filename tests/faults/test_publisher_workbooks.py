"""Wrong, damaged or hostile workbooks: refused in one line, within bounds of time and memory."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable

import pytest

from assets.sources.protocol import PayloadRefused
from tests.fakes import shiller, world_bank
from tests.fakes.publishers import accepted, figures, refused, serving


def from_shiller(body: bytes, series_id: str = "SHILLER_EARNINGS") -> PayloadRefused:
    return refused(serving("shiller", body), series_id)


def cell(row: int, column: int, value: object) -> Callable[[list[list[object]]], None]:
    """Put a value into a cell."""
    return lambda rows: rows[row].__setitem__(column, value)


@pytest.mark.parametrize(
    ("rule", "body"),
    [
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
)
def test_wrong_shiller_sheet_is_refused_by_name(rule: str, body: bytes) -> None:
    assert from_shiller(body).rule == rule


def test_workbook_cut_anywhere_is_refused_and_nothing_else() -> None:
    for good, of in ((shiller.old_workbook(shiller.small_sheet()), from_shiller),
                     (world_bank.new_workbook(world_bank.small_sheet()), from_world_bank)):  # fmt: skip
        for part in range(1, 12):
            assert of(good[: len(good) * part // 12]).rule in ("missing_column", "empty_file")


def test_bytes_turned_over_in_a_workbook_are_refused_or_harmless() -> None:
    good = shiller.old_workbook(shiller.small_sheet())
    for at in range(0, len(good), len(good) // 60):
        turned = bytes(255 - byte for byte in good[at : at + 8])
        try:
            accepted(serving("shiller", good[:at] + turned + good[at + 8 :]), "SHILLER_EARNINGS")
        except PayloadRefused as refusal:
            assert "\n" not in str(refusal)


def from_world_bank(body: bytes) -> PayloadRefused:
    return refused(serving("world_bank", body), "GOLD_WB_MONTHLY")


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("missing_column", world_bank.new_workbook(world_bank.small_sheet(), "Prices")),
        (
            "missing_column",
            world_bank.changed(lambda rows: [rows[n].__setitem__(3, "Gold, fix") for n in (4, 6)]),
        ),
        ("missing_column", world_bank.changed(cell(4, 1, "Gold"))),
        ("unit_changed", world_bank.changed(cell(5, 3, "($/kg)"))),
        ("not_a_number", world_bank.changed(cell(12, 3, "2,300"))),
        ("not_a_number", world_bank.changed(cell(12, 3, dt.datetime(2026, 1, 1)))),
        ("not_a_date", world_bank.changed(cell(12, 0, "2024M13"))),
        ("not_a_date", world_bank.changed(cell(12, 0, "Oct 2024"))),
        ("not_a_date", world_bank.changed(lambda rows: rows.__delitem__(slice(7, None)))),
    ],
)
def test_wrong_pink_sheet_is_refused_by_name(rule: str, body: bytes) -> None:
    assert from_world_bank(body).rule == rule


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
    assert len(bomb) < 100_000
    assert "unpacks to more than" in str(from_world_bank(bomb))


@pytest.mark.parametrize(
    "entity",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
@pytest.mark.parametrize("member", ["xl/worksheets/sheet2.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_workbook_whose_xml_defines_entities_is_refused(entity: bytes, member: str) -> None:
    def inject(name: str, content: bytes) -> bytes:
        if name != member:
            return content
        head, tail = (
            content.split(b">", 1) if content.startswith(b"<?xml") else (b"<?xml version='1.0'?", content)
        )
        return head + b">" + entity + tail.replace(b"Gold", b"&a;", 1)

    assert "EntitiesForbidden" in str(from_world_bank(repacked(inject)))


def test_sheet_that_claims_to_be_endless_is_read_up_to_a_bound() -> None:
    def inflate(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet2.xml":
            return content
        far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        return content.replace(b"</sheetData>", far)

    assert len(figures(accepted(serving("world_bank", repacked(inflate)), "GOLD_WB_MONTHLY"))) == 23


@pytest.mark.parametrize("at", [256, 300, 16_383])
def test_sheet_wider_than_what_is_read_is_refused_and_not_cut(at: int) -> None:
    """The column asked for could stand there, or stand there too."""

    def widen(rows: list[list[object]]) -> None:
        rows[4] += [None] * (at - len(rows[4])) + ["Gold"]

    assert "wider than 256 columns in row 5" in str(from_world_bank(world_bank.changed(widen)))


def test_sheet_as_wide_as_allowed_is_read_whole() -> None:
    def move(rows: list[list[object]]) -> None:
        for row in rows[4:]:
            row += [None] * (255 - len(row)) + [row[3]]
            row[3] = "moved"

    assert len(figures(accepted(serving("world_bank", world_bank.changed(move)), "GOLD_WB_MONTHLY"))) == 23


def test_width_a_sheet_claims_is_not_believed() -> None:
    def narrow(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet2.xml":
            return content
        assert b'<dimension ref="A1:D31"' in content
        return content.replace(b'<dimension ref="A1:D31"', b'<dimension ref="A1:B3"')

    assert len(figures(accepted(serving("world_bank", repacked(narrow)), "GOLD_WB_MONTHLY"))) == 23
