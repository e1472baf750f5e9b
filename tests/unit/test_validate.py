"""What is refused before it enters the warehouse, a damaged sample file too, and how units of publishers are read."""

from __future__ import annotations

import csv
import datetime as dt
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.sources.protocol import FetchStatus, Payload, PayloadRefused, SourceUnreachable, parse_unit
from assets.sources.sample import SampleSource
from assets.sources.validate import keeps_its_vintages, validate
from tests.builders import Row, a_payload, a_series

TODAY = dt.date(2026, 5, 31)
MONTHS: list[Row] = [("2026-01-01", 4.0), ("2026-02-01", 4.1), ("2026-03-01", 4.2), ("2026-04-01", 4.3)]


@dataclass(frozen=True)
class Last:
    unit_kind: str | None = "pct"
    rows_served: int | None = 4
    held_first: dt.date | None = dt.date(2026, 1, 1)


def refused(payload: Payload, last: Last | None = None, **changes: object) -> PayloadRefused:
    with pytest.raises(PayloadRefused) as caught:
        validate(payload, a_series("UNRATE", **changes), TODAY, last)
    assert "\n" not in str(caught.value)
    return caught.value


def test_message_names_file_series_rule_value_and_way_out() -> None:
    error = refused(a_payload([*MONTHS[:2], ("2026-03-01", 4300.0)]), plausible_min=0.0, plausible_max=30.0)
    assert str(error) == (
        "sample_data/UNRATE.csv: UNRATE: implausible_value: 4300.0 on 2026-03-01 is outside 0..30; "
        "check the file, or the range in assets/catalog/series/activity.toml"
    )


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([("2026-04-01", 4.3, "2026-06-05")], "future_date"),
        ([("2026-05-04", 4.3), ("2026-05-05", 4.3), ("2026-05-06", 4.3)], "frequency_changed"),
        ([("2025-01-01", 4.3), ("2025-04-01", 4.3), ("2025-07-01", 4.3)], "frequency_changed"),
        ([("1026-01-01", 4.0)], "impossible_date"),
    ],
)
def test_rule_is_named_also_where_no_file_of_the_sample_can_break_it(rows: list[Row], rule: str) -> None:
    assert refused(a_payload(rows)).rule == rule


@pytest.mark.parametrize(
    ("series_id", "payload", "last"),
    [
        ("UNRATE", a_payload([("2026-03-01", 4.2, "2026-04-03"), ("2026-03-01", 4.3, "2026-05-08")]), None),
        ("UNRATE", a_payload(MONTHS, unit=None), Last()),
        ("UNRATE", a_payload(MONTHS[3:], is_complete=False), Last()),
        ("UNRATE", a_payload(MONTHS[:-1]), Last()),
        ("DFEDTARU", a_payload([("2008-12-16", 0.25), ("2015-12-16", 0.5)], "DFEDTARU", frequency="D"), None),
    ],
    ids=["two vintages", "no unit text", "part of a history", "a figure withdrawn", "no spacing"],
)
def test_what_is_no_fault_is_accepted_without_a_warning(
    series_id: str, payload: Payload, last: Last | None
) -> None:
    assert validate(payload, a_series(series_id), TODAY, last) == []


def test_unit_of_another_scale_or_kind_is_refused_before_its_values_are() -> None:
    error = refused(a_payload([("2026-03-01", 4e6)], unit="Millions of U.S. Dollars"))
    assert (
        error.rule == "unit_changed"
        and "check the level, then assets/catalog/series/activity.toml" in str(error)
    )
    assert refused(a_payload(MONTHS), Last(unit_kind="index")).rule == "unit_changed"


@pytest.mark.parametrize(
    ("series_id", "payload", "text"),
    [
        ("UNRATE", a_payload(MONTHS, unit="Rate"), "'Rate' is not understood"),
        (
            "PCEPILFE",
            a_payload([("2026-03-01", 120.0)], "PCEPILFE", unit="Index 2012=100"),
            "base year changed: 'Index 2012=100'",
        ),
    ],
)
def test_unknown_unit_text_or_base_year_is_a_warning(series_id: str, payload: Payload, text: str) -> None:
    (warning,) = validate(payload, a_series(series_id), TODAY, None)
    assert text in warning


def test_frequency_the_publisher_states_must_be_the_catalogues() -> None:
    error = refused(a_payload(MONTHS, frequency="Weekly, Ending Friday"))
    assert (error.rule, "'Weekly, Ending Friday' (W)" in error.detail) == ("frequency_changed", True)


def test_shorter_than_before_unless_the_provider_serves_a_window() -> None:
    assert refused(a_payload(MONTHS[1:]), Last()).rule == "shorter_than_before"
    assert refused(a_payload(MONTHS, rows_expected=5)).rule == "shorter_than_before"
    (warning,) = validate(a_payload(MONTHS[1:]), a_series(served_window_years=3), TODAY, Last())
    assert "served from 2026-02-01 only" in warning


def test_a_few_missing_figures_are_withdrawals_and_more_a_short_file() -> None:
    """One row deleted by the publisher once refused the series and blocked the publication."""
    long = [(str(np.datetime64("1990-01") + n) + "-01", 4.0) for n in range(400)]
    last = Last(rows_served=400, held_first=dt.date(1990, 1, 1))
    assert validate(a_payload(long[:-4]), a_series(), TODAY, last) == []
    assert refused(a_payload(long[:-5]), last).rule == "shorter_than_before"


@pytest.mark.parametrize(("stored", "may_miss"), [(10, 3), (90, 3), (720, 7)])
def test_a_few_missing_vintages_are_retracted_and_more_a_broken_response(stored: int, may_miss: int) -> None:
    payload = a_payload(MONTHS)
    keeps_its_vintages(payload, may_miss, stored)
    with pytest.raises(
        PayloadRefused, match=f"vintages_missing: {may_miss + 1} of the {stored} .*REGIME_DATA_DIR"
    ):
        keeps_its_vintages(payload, may_miss + 1, stored)


def test_statuses_are_those_the_table_declares() -> None:
    declared = load_catalog().tables["fetches"].column("status").values
    assert declared == get_args(FetchStatus)


UNITS: dict[str | None, tuple[str | None, ...]] = {
    "usd_mn": ("Millions of U.S. Dollars", "Mil. of $"),
    "usd_bn": ("billions USD, SAAR, rounded to 0.1", "Billions of Chained 2017 Dollars"),
    "usd_per_oz": ("USD per troy ounce", "$/oz"),
    "usd_per_hour": ("Dollars per Hour",),
    "usd": ("Dollars",),
    "pct": ("percent, 1 decimal", "Percent of GDP"),
    "pp": ("Percentage points",),
    "index": ("index 2017=100", "index, standard deviations; 0 = average since 1971"),
    "thousands": ("thousands of persons",),
    "count": ("persons",),
    "indicator": ("+1 or 0",),
    None: (
        "Trillions of Dollars",
        "Thousands of Dollars",
        "Millions of Persons",
        "Basis Points",
        "Rate",
        "",
        None,
    ),
}


def test_every_unit_text_of_catalogue_and_sample_is_understood(project_root: Path) -> None:
    for kind, texts in UNITS.items():
        assert [parse_unit(text) for text in texts] == [kind] * len(texts)
    series = load_catalog().series
    assert {s: parse_unit(entry.unit) for s, entry in series.items()} == {
        s: e.unit_kind for s, e in series.items()
    }
    with (project_root / "sample_data" / "provenance.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert parse_unit(row["unit"]) == series[row["series_id"]].unit_kind, row["series_id"]


# --- a damaged file of the sample ---

Damage = Callable[[str], str | bytes]


@pytest.fixture
def place(tmp_path: Path, project_root: Path) -> Path:
    """A root with a sample of one series, its provenance included."""
    folder = tmp_path / "sample_data"
    folder.mkdir()
    for name in ("UNRATE.csv", "provenance.csv", "sample.toml"):
        shutil.copy(project_root / "sample_data" / name, folder / name)
    return tmp_path


def load(place: Path, series_id: str = "UNRATE") -> list[str]:
    source, series = SampleSource(place), a_series(series_id)
    return validate(source.fetch(series), series, source.as_of, None)


def damage(place: Path, how: Damage, name: str = "UNRATE.csv") -> None:
    file = place / "sample_data" / name
    damaged = how(file.read_text(encoding="utf-8"))
    file.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())


def line_replaced(number: int, line: str) -> Damage:
    def replace(text: str) -> str:
        lines = text.splitlines()
        lines[number] = line
        return "\n".join(lines) + "\n"

    return replace


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("empty_file", lambda text: ""),
        ("empty_file", lambda text: "date,value\n"),
        ("empty_file", lambda text: "date,value\n2026-03-01,\n2026-04-01,\n"),
        ("missing_column", lambda text: text.replace("date,value", "date,figure", 1)),
        ("missing_column", line_replaced(5, "1984-05-01,7.4,7.5")),
        ("missing_column", lambda text: b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("missing_column", lambda text: "<!DOCTYPE html><html><body>Service unavailable</body></html>"),
        ("not_a_number", line_replaced(5, "1984-05-01,inf")),
        ("not_a_number", line_replaced(5, "1984-05-01,nan")),
        ("not_a_number", line_replaced(5, "1984-05-01,7_4")),
        ("not_a_number", line_replaced(5, '1984-05-01,"7,400"')),
        ("not_a_number", line_replaced(5, "1984-05-01,.")),
        ("not_a_date", line_replaced(5, "1984-05-32,7.4")),
        ("not_a_date", line_replaced(5, "05/01/1984,7.4")),
        ("not_a_date", line_replaced(5, ",7.4")),
        ("duplicate_key", lambda text: text + "2026-08-01,4.1\n"),
        ("duplicate_key", line_replaced(5, "1984-06-01,7.4")),
        ("future_date", lambda text: text + "2026-10-01,4.3\n"),
        ("implausible_value", line_replaced(500, "2025-08-01,4300")),
        ("frequency_changed", lambda text: text + "2026-08-15,4.3\n"),
        ("shorter_than_before", lambda text: text.rsplit("\n", 2)[0] + "\n"),
    ],
)
def test_damaged_file_is_refused(place: Path, rule: str, how: Damage) -> None:
    damage(place, how)
    with pytest.raises(PayloadRefused) as caught:
        load(place)
    assert caught.value.rule == rule
    message = str(caught.value)
    assert message.startswith(f"sample_data/UNRATE.csv: UNRATE: {rule}: ")
    assert "\n" not in message
    assert str(place) not in message


def test_files_beside_the_figures_are_read_as_strictly(place: Path) -> None:
    def other_unit(text: str) -> str:
        return re.sub("(?m)^UNRATE,.*", lambda line: line[0].replace("Percent", "Index 2017=100"), text)

    with pytest.raises(SourceUnreachable, match=r"^sample_data/GS10.csv: GS10: there is no such file$"):
        load(place, "GS10")
    damage(place, other_unit, "provenance.csv")
    with pytest.raises(PayloadRefused, match="UNRATE: unit_changed: the publisher states 'Index 2017=100'"):
        load(place)
    damage(place, lambda _: "title,unit\nx,y\n", "provenance.csv")
    with pytest.raises(PayloadRefused, match=r"^sample_data/provenance.csv: UNRATE: missing_column: "):
        load(place)
    (place / "sample_data" / "provenance.csv").unlink()  # no unit to compare
    assert load(place) == [] and SampleSource(place).fetch(a_series("UNRATE")).unit is None
    for content in ("", "as_of = 'May'", "as_of = 2026-09-30T00:00:00", "as_of ="):
        damage(place, lambda _, content=content: content, "sample.toml")
        with pytest.raises(SourceUnreachable, match=r"^sample_data/sample.toml: "):
            _ = SampleSource(place).as_of


def test_files_with_windows_line_ends_are_read_alike(place: Path) -> None:
    before = SampleSource(place).fetch(a_series("UNRATE")).observations
    damage(place, lambda text: text.replace("\n", "\r\n"))
    assert SampleSource(place).fetch(a_series("UNRATE")).observations.equals(before)
