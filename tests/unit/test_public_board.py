"""The Fed Board's releases in the profile public: the figures are ours, and a wrong file is refused by name."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import math
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.sources.file_source import Obtained
from assets.sources.parse import read_date_value
from assets.sources.protocol import PayloadRefused, SeriesUnknown
from assets.sources.public.board import BoardSource, ReleaseFile
from assets.sources.public.shared import carrier_of, code_of
from assets.sources.validate import validate
from tests.builders import a_series, an_archive, merge_payload, series_as_of
from tests.fakes.public_board import Made, path, release_zip, xml, zipped
from tests.fakes.publishers import FEW_RETRIES, Held, figures, payload_of
from tests.fakes.server import Loopback, Served, running

POSTED = dt.datetime(2026, 9, 24, 20, 32, tzinfo=dt.UTC)
TOTALS = Made(
    "Currency", "1000000", [("2026-09-09", 6730912.0), ("2026-09-16", None), ("2026-09-23", 6747704.0)]
)


def ours(path: Path) -> dict[str, float]:
    rows = read_date_value(path.read_bytes())
    return dict(zip(rows["observation_date"].dt.strftime("%Y-%m-%d"), rows["value"], strict=True))


def package(file: Path) -> dict[str, Made]:
    """A package of the Data Download Program: unit, multiplier and figures by the Board's code."""
    rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
    if rows[0][5] == "Series Name:":  # series in rows: turned, so that they are in columns
        rows = [list(column) for column in zip(*rows, strict=True)]
    of = {row[0].strip(): row for row in rows[:6]}
    names = of.get("Time Period") or of["Series Name:"]
    unit, multiplier = of["Unit:"], of["Multiplier:"]
    return {
        name: Made(
            unit[min(at, len(unit) - 1)],  # one stored copy lacks a cell of this row
            multiplier[at],
            [(_day(row[0]), _figure(row[at])) for row in rows[6:]],
        )
        for at, name in enumerate(names)
        if at
    }


def _day(text: str) -> str:
    """A month is dated by its last day in the releases."""
    if len(text) == 10:
        return text
    year, month = int(text[:4]), int(text[5:])
    return f"{text}-{calendar.monthrange(year, month)[1]}"


def _figure(text: str) -> float | None:
    return None if text in ("", "ND", "NA", "NC") else float(text)


# The real packages, read through the layout of the releases, next to the figures FRED has of the same codes: file,
# series, figures that are equal, figures that are not. Revised series differ by vintage, in level never by more than
# the last number allows.
REAL = [
    ("ddp_G17_seriesrow_1919-2022.csv", "INDPRO", 0, 1248, 0.04),
    ("ddp_H15_cmt_lastobs5_2026-09-25.csv", "DGS10", 5, 0, 0.0),
    ("ddp_H15_daily_excerpt_to_2025-01-29.csv", "DGS10", 767, 0, 0.0),
    ("ddp_H15_daily_excerpt_to_2025-01-29.csv", "DGS2", 573, 0, 0.0),
    ("ddp_H15_daily_excerpt_to_2025-01-29.csv", "DGS3MO", 573, 0, 0.0),
    ("ddp_H15_monthly_2021-2024_csv.csv", "GS10", 46, 0, 0.0),
    ("ddp_H15_monthly_2021-2024_csv.csv", "TB3MS", 46, 0, 0.0),
    ("ddp_H15_monthly_2021-2024_csv.csv", "FEDFUNDS", 46, 0, 0.0),
    ("ddp_H15_monthly_2021-2024_csv.csv", "FII10", 35, 0, 0.0),
    ("ddp_H41_assets_2016-2017.csv", "WALCL", 100, 0, 0.0),
    ("ddp_H41_table5_lastobs5_2026-09-23_10cols.csv", "WALCL", 5, 0, 0.0),
    ("ddp_H41_package_2021-2023.csv", "TREAST", 100, 0, 0.0),
    ("ddp_H41_package_2021-2023.csv", "WSHOMCB", 100, 0, 0.0),
    ("ddp_H41_package_2021-2023.csv", "WRESBAL", 100, 0, 0.0),
    ("ddp_H41_package_2021-2023.csv", "WTREGEN", 100, 0, 0.0),
    ("ddp_H41_package_2021-2023.csv", "WDTGAL", 100, 0, 0.0),
    ("ddp_H6_all_1959-2022.csv", "BOGMBASE", 757, 11, 0.001),
    ("ddp_H6_all_1959-2022.csv", "TOTRESNS", 768, 0, 0.0),
    ("ddp_H6_all_1959-2022.csv", "M2SL", 432, 336, 0.01),
    ("ddp_H8_SA_weekly_2000-2023.csv", "TOTBKCR", 0, 1210, 0.01),
    ("ddp_H8_SA_weekly_2000-2023.csv", "TOTLL", 0, 1210, 0.01),
]


@pytest.mark.parametrize(("file", "series_id", "equal", "revised", "most"), REAL)
def test_figures_of_the_real_packages_are_ours(
    realdata: Path, file: str, series_id: str, equal: int, revised: int, most: float
) -> None:
    series = a_series(series_id)
    code, release = code_of(series), carrier_of(series).release or ""
    made = package(realdata / "primary" / "fed_board" / file)[code]
    content = release_zip(release, {code: made})
    source = ReleaseFile("https://example.org", release, {code}, FEW_RETRIES)
    read = source.figures(Obtained(source.read(content), "", None), series)
    known = dict[str, float]()
    for stored in (realdata / f"{series_id}.csv", PROJECT_ROOT / "sample_data" / f"{series_id}.csv"):
        known |= ours(stored) if stored.is_file() else {}
    pairs = [(value, known[day]) for day, value in zip(read.dates, read.values, strict=True) if day in known]
    pairs = [(theirs, mine) for theirs, mine in pairs if not math.isnan(theirs + mine)]
    assert sum(theirs == mine for theirs, mine in pairs) == equal
    assert sum(theirs != mine for theirs, mine in pairs) == revised
    assert max(abs(theirs / mine - 1.0) for theirs, mine in pairs) <= most


@pytest.mark.parametrize(
    ("file", "series_id", "expected"),
    [
        ("H15_sdmx_lastobs3_2026-06-24.xml", "DGS2", {"2026-06-22": 4.24, "2026-06-23": 4.16}),
        ("H15_sdmx_lastobs3_2026-06-24.xml", "DGS10", {"2026-06-22": 4.51, "2026-06-23": 4.5}),
        ("H6_sdmx_lastobs2_2026-06-16.xml", "M2SL", {"2026-04-01": 22804.5, "2026-05-01": 23052.3}),
        ("H6_sdmx_lastobs2_2026-06-16.xml", "BOGMBASE", {"2026-04-01": 5470.4, "2026-05-01": 5538.6}),
        ("H6_sdmx_lastobs2_2026-06-16.xml", "TOTRESNS", {"2026-04-01": 3018.1, "2026-05-01": 3078.4}),
    ],
)
def test_stored_releases_are_read(
    realdata: Path, file: str, series_id: str, expected: dict[str, float]
) -> None:
    content = (realdata / "primary" / "fed_board" / file).read_bytes()
    release = carrier_of(a_series(series_id)).release or ""
    assert figures(payload_of(zipped({f"{release}_data.xml": content}), series_id)) == expected


def test_holiday_is_missing_whatever_number_stands_in_its_place() -> None:
    for sentinel in ("-9999", "-999999"):
        content = release_zip("H41", {"RESPPMA_N.WW": TOTALS}, sentinel=sentinel)
        got = figures(payload_of(content, "WALCL"))
        assert got.pop("2026-09-16") != got  # NaN
        assert got == {"2026-09-09": 6730912.0, "2026-09-23": 6747704.0}


def test_missing_figures_before_the_first_and_after_the_last_are_left_out() -> None:
    rows = [("2026-09-02", None), *TOTALS.rows, ("2026-09-30", None)]
    content = release_zip("H41", {"RESPPMA_N.WW": TOTALS._replace(rows=rows)})
    assert list(figures(payload_of(content, "WALCL"))) == ["2026-09-09", "2026-09-16", "2026-09-23"]


def test_bank_credit_in_millions_becomes_billions_to_the_last_digit() -> None:
    made = Made(
        "Currency", "1000000", [("2000-01-05", 4513708.6), ("2000-01-12", 4528120.3), ("2000-01-19", 4.6e6)]
    )
    got = figures(payload_of(release_zip("H8", {"B1001NCBA": made}), "TOTBKCR"))
    assert list(got.values()) == [4513.7086, 4528.1203, 4600.0]


def test_multiplier_may_be_written_either_way() -> None:
    rows = [("2026-04-30", 22804.5), ("2026-05-31", 23052.3), ("2026-06-30", 23100.0)]
    written = [release_zip("H6", {"M2.M": Made("Currency", text, rows)}) for text in ("1e+09", "1000000000")]
    first, second = (figures(payload_of(content, "M2SL")) for content in written)
    assert first == second == {"2026-04-01": 22804.5, "2026-05-01": 23052.3, "2026-06-01": 23100.0}


GOOD = {"RESPPMA_N.WW": TOTALS}
SIX = Made("Index:_2027_100", "1", [("2026-06-30", 101.0), ("2026-07-31", 101.2), ("2026-08-31", 101.1)])


@pytest.mark.parametrize(
    ("series_id", "content", "rule", "words"),
    [
        ("WALCL", b"<!DOCTYPE html><html>moved</html>", "missing_column", "web page"),
        ("WALCL", release_zip("H41", GOOD)[:-300], "missing_column", "the zip is damaged"),
        ("WALCL", zipped({"H41_data.xml": xml("H41", GOOD)[:-60]}), "missing_column", "no complete XML"),
        ("WALCL", zipped({"H6_data.xml": xml("H6", GOOD)}), "missing_column", "no H41_data.xml in the zip"),
        ("WALCL", zipped({"H41_data.xml": b"<a></a>"}), "missing_column", "without a series"),
        (
            "WALCL",
            zipped({"H41_data.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
            "missing_column",
            "EntitiesForbidden",
        ),
        (
            "WALCL",
            release_zip("H41", {"RESPPMA_N.WW": TOTALS._replace(multiplier="1e+09")}),
            "unit_changed",
            "RESPPMA_N.WW is in 'Currency x 1000000000'",
        ),
        (
            "WALCL",
            release_zip("H41", {"RESPPMA_N.WW": TOTALS._replace(multiplier="")}),
            "unit_changed",
            "no multiplier",
        ),
        ("INDPRO", release_zip("G17", {"IP.B50001.S": SIX}), "unit_changed", "'Index:_2027_100 x 1'"),
        (
            "WALCL",
            zipped({"H41_data.xml": xml("H41", GOOD).replace(b'"A"', b'"Z"', 1)}),
            "not_a_number",
            "unknown status 'Z'",
        ),
        (
            "WALCL",
            zipped({"H41_data.xml": xml("H41", GOOD, sentinel="-999999").replace(b'"ND"', b'"A"')}),
            "implausible_value",
            "-999999",
        ),
        (
            "WALCL",
            zipped({"H41_data.xml": xml("H41", GOOD).replace(b"2026-09-23", b"09/23/2026")}),
            "not_a_date",
            "09/23/2026",
        ),
    ],
    ids=["page", "cut zip", "cut xml", "other release", "no series", "entity", "multiplier", "no multiplier",
         "rebased", "status", "sentinel", "date"],
)  # fmt: skip
def test_wrong_files_are_refused_by_name(series_id: str, content: bytes, rule: str, words: str) -> None:
    with pytest.raises(PayloadRefused) as caught:
        payload_of(content, series_id)
    assert caught.value.rule == rule
    assert words in str(caught.value)


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
            series_as_of(con, "INDPRO", day) for day in (dt.date(2026, 11, 29), dt.date(2026, 11, 30))
        )
    (warning,) = validate(payload, series, dt.date(2026, 11, 30), None)
    assert "base year changed: 'Index:_2022_100 x 1', the catalogue has 'Index 2017=100'" in warning
    assert before["value"].tolist()[:2] == [104.0, 104.5] and after["value"].tolist() == [
        value for _, value in rebased
    ]


def test_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({"H41_data.xml": b" " * 2_000_000})
    monkeypatch.setattr("assets.sources.public.board._UNPACKED", 1_000_000)
    with pytest.raises(PayloadRefused, match="unpacks to 2000000 bytes, more than 1000000"):
        payload_of(content, "WALCL")


def test_code_that_is_not_in_the_release_is_unknown_to_the_source() -> None:
    with pytest.raises(SeriesUnknown):
        payload_of(release_zip("H41", GOOD), "TREAST")


def test_one_code_with_two_histories_is_refused_and_a_repeated_one_is_not() -> None:
    once = xml("G17", {"IP.B50001.S": SIX._replace(unit="Index:_2017_100")}).decode()
    block = once[once.index("<kf:Series") : once.index("</kf:Series>") + len("</kf:Series>")]
    twice = once.replace(block, block + block)
    assert len(figures(payload_of(zipped({"G17_data.xml": twice.encode()}), "INDPRO"))) == 3
    apart = once.replace(block, block + block.replace("101.2", "99.9"))
    with pytest.raises(PayloadRefused, match="duplicate_key"):
        payload_of(zipped({"G17_data.xml": apart.encode()}), "INDPRO")


def test_a_release_is_downloaded_once_and_an_unchanged_one_costs_one_request_and_no_parsing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {
        **GOOD,
        code_of(a_series("TREAST")): TOTALS._replace(
            rows=[("2026-09-16", 4551234.0), ("2026-09-23", 4558332.0)]
        ),
    }
    server = Loopback({path("H41"): Served(release_zip("H41", both), last_modified=POSTED)})
    with running(server):
        first = BoardSource(server.root, FEW_RETRIES)
        payloads = [first.fetch(a_series(name)) for name in ("WALCL", "TREAST")]
        assert first.requests == len(server.requests) == 1
        assert {payload.last_updated for payload in payloads} == {POSTED}
        monkeypatch.setattr(ReleaseFile, "read", None)  # a call would fail
        second = BoardSource(server.root, FEW_RETRIES)
        held = Held(last_updated=POSTED, reconciled_at=dt.datetime.now(dt.UTC))
        again = [second.fetch(a_series(name), held) for name in ("WALCL", "TREAST")]
        assert second.requests == 1 and all(payload.is_unchanged for payload in again)
    assert "If-Modified-Since" in server.requests[-1].headers


def test_every_carrier_of_the_board_names_a_release_a_code_and_a_unit() -> None:
    carriers = [
        s.carrier for s in load_catalog().series.values() if s.carrier and s.carrier.reader == "board"
    ]
    assert len(carriers) > 15
    assert all(c.release in {"H15", "H41", "H6", "H8", "G17"} and c.code and c.unit for c in carriers)
