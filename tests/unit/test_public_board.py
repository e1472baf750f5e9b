"""The Fed Board's releases: the figures are ours, and a wrong file is refused by name."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import math
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT
from assets.sources.file_source import Obtained
from assets.sources.protocol import SeriesUnknown
from assets.sources.public.board import BoardSource, ReleaseFile
from assets.sources.public.shared import carrier_of, code_of
from assets.sources.validate import validate
from tests.builders import a_series, an_archive, merge_payload, series_as_of
from tests.fakes.public_layouts import Made, release_path, release_zip, xml, zipped
from tests.fakes.publishers import FEW_RETRIES, HTML, Held, figures, payload_of
from tests.fakes.server import Loopback, Served, running
from tests.unit.test_public_readers import agreement, by_date, ours, refused_by

TOTALS = Made(
    "Currency", "1000000", [("2026-09-09", 6730912.0), ("2026-09-16", None), ("2026-09-23", 6747704.0)]
)
CODE = "RESPPMA_N.WW"
GOOD = {CODE: TOTALS}
H41 = xml("H41", GOOD)
SIX = Made("Index:_2027_100", "1", [("2026-06-30", 101.0), ("2026-07-31", 101.2), ("2026-08-31", 101.1)])


def h41(content: bytes) -> bytes:
    return zipped({"H41_data.xml": content})


@pytest.mark.parametrize("sentinel", ["-9999", "-999999"])
def test_a_holiday_is_missing_whatever_stands_in_its_place_and_ends_without_figures_are_left_out(
    sentinel: str,
) -> None:
    rows = [("2026-09-02", None), *TOTALS.rows, ("2026-09-30", None)]
    got = figures(
        payload_of(release_zip("H41", {CODE: TOTALS._replace(rows=rows)}, sentinel=sentinel), "WALCL")
    )
    assert math.isnan(got.pop("2026-09-16"))
    assert got == {"2026-09-09": 6730912.0, "2026-09-23": 6747704.0}


def test_units_are_converted_to_the_last_digit_and_a_multiplier_may_be_written_either_way() -> None:
    days = [("2000-01-05", 4513708.6), ("2000-01-12", 4528120.3), ("2000-01-19", 4.6e6)]
    credit = payload_of(release_zip("H8", {"B1001NCBA": Made("Currency", "1000000", days)}), "TOTBKCR")
    assert list(figures(credit).values()) == [4513.7086, 4528.1203, 4600.0]
    rows = [("2026-04-30", 22804.5), ("2026-05-31", 23052.3), ("2026-06-30", 23100.0)]
    for text in ("1e+09", "1000000000"):
        money = payload_of(release_zip("H6", {"M2.M": Made("Currency", text, rows)}), "M2SL")
        assert figures(money) == {"2026-04-01": 22804.5, "2026-05-01": 23052.3, "2026-06-01": 23100.0}


ENTITY = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
WRONG: list[tuple[str, bytes, str, str]] = [
    ("WALCL", HTML, "missing_column", "web page"),
    ("WALCL", release_zip("H41", GOOD)[:-300], "missing_column", "the zip is damaged"),
    ("WALCL", h41(H41[:-60]), "missing_column", "no complete XML"),
    ("WALCL", zipped({"H6_data.xml": H41}), "missing_column", "no H41_data.xml in the zip"),
    ("WALCL", h41(b"<a></a>"), "missing_column", "without a series"),
    ("WALCL", h41(ENTITY), "missing_column", "EntitiesForbidden"),
    (
        "WALCL",
        release_zip("H41", {CODE: TOTALS._replace(multiplier="1e+09")}),
        "unit_changed",
        "x 1000000000",
    ),
    ("WALCL", release_zip("H41", {CODE: TOTALS._replace(multiplier="")}), "unit_changed", "no multiplier"),
    ("INDPRO", release_zip("G17", {"IP.B50001.S": SIX}), "unit_changed", "Index:_2027_100"),
    ("WALCL", h41(H41.replace(b'"A"', b'"Z"', 1)), "not_a_number", "unknown status 'Z'"),
    ("WALCL", h41(H41.replace(b'"ND"', b'"A"')), "implausible_value", "-9999"),
    ("WALCL", h41(H41.replace(b"2026-09-23", b"09/23/2026")), "not_a_date", "09/23/2026"),
]


@pytest.mark.parametrize(("series_id", "content", "rule", "words"), WRONG, ids=[case[3] for case in WRONG])
def test_wrong_releases_are_refused_by_name(series_id: str, content: bytes, rule: str, words: str) -> None:
    refusal = refused_by(content, series_id)
    assert refusal.rule == rule and words in str(refusal)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.sources.public.board._UNPACKED", 1_000_000)
    assert "unpacks to 2000000 bytes" in str(refused_by(h41(b" " * 2_000_000), "WALCL"))


def test_one_code_with_two_histories_is_refused_a_repeated_one_is_read_and_a_missing_one_unknown() -> None:
    once = xml("G17", {"IP.B50001.S": SIX._replace(unit="Index:_2017_100")}).decode()
    block = once[once.index("<kf:Series") : once.index("</kf:Series>") + len("</kf:Series>")]
    twice = once.replace(block, block + block)
    assert len(figures(payload_of(zipped({"G17_data.xml": twice.encode()}), "INDPRO"))) == 3
    apart = once.replace(block, block + block.replace("101.2", "99.9"))
    assert refused_by(zipped({"G17_data.xml": apart.encode()}), "INDPRO").rule == "duplicate_key"
    with pytest.raises(SeriesUnknown):
        payload_of(release_zip("H41", GOOD), "TREAST")


def test_a_rebased_index_is_reported_and_no_date_mixes_two_base_years() -> None:
    series = a_series("INDPRO")
    published = [("2026-08-31", 104.0), ("2026-09-30", 104.5), ("2026-10-31", 105.0)]
    rebased = [(day, value / 1.04) for day, value in published]
    with an_archive() as con:
        for unit, rows, today in (
            ("Index:_2017_100", published[:2], dt.date(2026, 10, 20)),
            ("Index:_2022_100", rebased, dt.date(2026, 11, 30)),
        ):
            content = release_zip("G17", {"IP.B50001.S": Made(unit, "1", rows)})
            payload = payload_of(content, "INDPRO", today)
            merge_payload(con, series, payload, run_date=today, fetch_id=unit)
        before, after = (
            series_as_of(con, "INDPRO", day)["value"].tolist()
            for day in (dt.date(2026, 11, 29), dt.date(2026, 11, 30))
        )
    (warning,) = validate(payload, series, dt.date(2026, 11, 30), None)
    assert "base year changed: 'Index:_2022_100 x 1', the catalogue has 'Index 2017=100'" in warning
    assert before[:2] == [104.0, 104.5] and after == [value for _, value in rebased]


def test_a_release_is_downloaded_once_and_an_unchanged_one_costs_one_request_and_no_parsing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posted = dt.datetime(2026, 9, 24, 20, 32, tzinfo=dt.UTC)
    treasuries = TOTALS._replace(rows=[("2026-09-16", 4551234.0), ("2026-09-23", 4558332.0)])
    both = release_zip("H41", {**GOOD, code_of(a_series("TREAST")): treasuries})
    with running(Loopback({release_path("H41"): Served(both, last_modified=posted)})) as server:
        first = BoardSource(server.root, FEW_RETRIES)
        payloads = [first.fetch(a_series(name)) for name in ("WALCL", "TREAST")]
        assert first.requests == len(server.requests) == 1
        assert {payload.last_updated for payload in payloads} == {posted}
        monkeypatch.setattr(ReleaseFile, "read", None)  # a call would fail
        second = BoardSource(server.root, FEW_RETRIES)
        held = Held(last_updated=posted, reconciled_at=dt.datetime.now(dt.UTC))
        again = [second.fetch(a_series(name), held) for name in ("WALCL", "TREAST")]
        assert second.requests == 1 and all(payload.is_unchanged for payload in again)
    assert "If-Modified-Since" in server.requests[-1].headers


# --- real packages ---


def package(file: Path) -> dict[str, Made]:
    """A package of the Board's Data Download Program: unit, multiplier and figures by code."""
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
    if rows[0][5] == "Series Name:":  # series in rows: turned, so that they are in columns
        rows = [list(column) for column in zip(*rows, strict=True)]
    of = {row[0].strip(): row for row in rows[:6]}
    names, unit, multiplier = of.get("Time Period") or of["Series Name:"], of["Unit:"], of["Multiplier:"]
    return {
        name: Made(
            unit[min(at, len(unit) - 1)],  # one stored copy lacks a cell of this row
            multiplier[at],
            [
                (_last_day(row[0]), None if row[at] in ("", "ND", "NA", "NC") else float(row[at]))
                for row in rows[6:]
            ],
        )
        for at, name in enumerate(names)
        if at
    }


def _last_day(text: str) -> str:
    """A month is dated by its last day in the releases."""
    return text if len(text) == 10 else f"{text}-{calendar.monthrange(int(text[:4]), int(text[5:]))[1]}"


# Figures in both, and how far they may differ: revised series do by vintage.
PACKAGES = {
    "ddp_G17_seriesrow_1919-2022.csv": {"INDPRO": (1248, 0.04)},
    "ddp_H15_daily_excerpt_to_2025-01-29.csv": {"DGS10": (767, 0), "DGS2": (573, 0), "DGS3MO": (573, 0)},
    "ddp_H15_monthly_2021-2024_csv.csv": {
        "GS10": (46, 0), "TB3MS": (46, 0), "FEDFUNDS": (46, 0), "FII10": (35, 0),
    },
    "ddp_H41_assets_2016-2017.csv": {"WALCL": (100, 0)},
    "ddp_H41_package_2021-2023.csv": {
        "TREAST": (100, 0), "WSHOMCB": (100, 0), "WRESBAL": (100, 0), "WTREGEN": (100, 0), "WDTGAL": (100, 0),
    },
    "ddp_H6_all_1959-2022.csv": {"BOGMBASE": (768, 0.001), "TOTRESNS": (768, 0), "M2SL": (768, 0.01)},
    "ddp_H8_SA_weekly_2000-2023.csv": {"TOTBKCR": (1210, 0.01), "TOTLL": (1210, 0.01)},
}  # fmt: skip


@pytest.mark.parametrize("file", PACKAGES)
def test_figures_of_the_boards_real_packages_are_ours(realdata: Path, file: str) -> None:
    made = package(realdata / "primary" / "fed_board" / file)
    for series_id, (count, most) in PACKAGES[file].items():
        series = a_series(series_id)
        code, release = code_of(series), carrier_of(series).release or ""
        source = ReleaseFile("https://example.org", release, {code}, FEW_RETRIES)
        content = source.read(release_zip(release, {code: made[code]}))
        read = source.figures(Obtained(content, "", None), series)
        name = f"{series_id}.csv"
        known = ours(realdata / name, PROJECT_ROOT / "sample_data" / name)
        relative = read._replace(
            values=[value / known.get(day, math.nan) for day, value in by_date(read).items()]
        )
        assert agreement(relative, dict.fromkeys(known, 1.0), most) == (count, 0), series_id
