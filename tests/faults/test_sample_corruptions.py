"""A sample file damaged in every way we could think of is refused, naming file, series and rule."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.catalog.models import Series
from assets.sources.protocol import PayloadRefused, SourceUnreachable
from assets.sources.sample import SampleSource
from assets.sources.validate import validate
from tests.builders import a_series

Damage = Callable[[str], str | bytes]


@pytest.fixture
def place(tmp_path: Path, project_root: Path) -> Path:
    """A root with a sample of one series, its provenance included."""
    folder = tmp_path / "sample_data"
    folder.mkdir()
    for name in ("UNRATE.csv", "provenance.csv", "sample.toml"):
        shutil.copy(project_root / "sample_data" / name, folder / name)
    return tmp_path


def load(place: Path, series: Series | None = None) -> list[str]:
    source = SampleSource(place)
    entry = series or a_series("UNRATE")
    return validate(source.fetch(entry), entry, source.as_of, None)


def damage(place: Path, how: Damage) -> None:
    file = place / "sample_data" / "UNRATE.csv"
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


def test_other_unit_in_the_provenance_is_refused(place: Path) -> None:
    file = place / "sample_data" / "provenance.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    lines = [
        line.replace("Percent", "Index 2017=100") if line.startswith("UNRATE,") else line for line in lines
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(PayloadRefused, match="UNRATE: unit_changed: the publisher states 'Index 2017=100'"):
        load(place)


def test_missing_file_is_unreachable_and_not_corrupt(place: Path) -> None:
    with pytest.raises(SourceUnreachable, match=r"^sample_data/GS10.csv: GS10: there is no such file$"):
        load(place, a_series("GS10"))


def test_series_without_provenance_has_no_unit_to_compare(place: Path) -> None:
    (place / "sample_data" / "provenance.csv").unlink()
    assert SampleSource(place).fetch(a_series("UNRATE")).unit is None
    assert load(place) == []


def test_provenance_that_is_no_table_is_named_itself(place: Path) -> None:
    (place / "sample_data" / "provenance.csv").write_text("title,unit\nx,y\n", encoding="utf-8")
    with pytest.raises(PayloadRefused, match=r"^sample_data/provenance.csv: UNRATE: missing_column: "):
        load(place)


def test_files_with_windows_line_ends_are_read_alike(place: Path) -> None:
    before = SampleSource(place).fetch(a_series("UNRATE")).observations
    damage(place, lambda text: text.replace("\n", "\r\n"))
    assert SampleSource(place).fetch(a_series("UNRATE")).observations.equals(before)


@pytest.mark.parametrize("content", ["", "as_of = 'May'", "as_of = 2026-09-30T00:00:00", "as_of ="])
def test_sample_without_its_day_says_so(place: Path, content: str) -> None:
    (place / "sample_data" / "sample.toml").write_text(content, encoding="utf-8")
    with pytest.raises(SourceUnreachable, match=r"^sample_data/sample.toml: "):
        _ = SampleSource(place).as_of
