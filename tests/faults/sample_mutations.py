"""Ways a source's file goes wrong, each with a name: files of the sample spoilt in a copy of its folder.

Belongs here: the mutations. Does not belong here: what catches them (`test_mutations.py`).
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from assets.catalog.loader import PROJECT_ROOT

Mutation = Callable[[Path], None]
Line = tuple[str, str]


def folder_of(place: Path) -> Path:
    """A sample folder below `place` whose files are links, to be replaced one by one."""
    folder = place / "sample_data"
    folder.mkdir()
    for file in (PROJECT_ROOT / "sample_data").iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def text(series_id: str, change: Callable[[str], str | bytes]) -> Mutation:
    """The text of one file changed."""

    def mutate(folder: Path) -> None:
        file = folder / (series_id if "." in series_id else f"{series_id}.csv")
        changed = change(file.read_text(encoding="utf-8"))
        file.unlink()
        file.write_bytes(changed if isinstance(changed, bytes) else changed.encode())

    return mutate


def rows(series_id: str, change: Callable[[list[Line]], Sequence[Line]]) -> Mutation:
    """The rows of one file changed, its header kept."""

    def change_text(content: str) -> str:
        header, *lines = csv.reader(io.StringIO(content))
        changed = change([(line[0], line[1]) for line in lines])
        return "\n".join(",".join(line) for line in (header, *changed)) + "\n"

    return text(series_id, change_text)


def figures(
    series_id: str, change: Callable[[float], float], first: str = "0", last: str = "9999"
) -> Mutation:
    """The figures of one file changed, between two dates."""
    return rows(
        series_id,
        lambda lines: [
            (day, f"{change(float(value)):.10g}" if value and first <= day <= last else value)
            for day, value in lines
        ],
    )


def provenance(change: Callable[[dict[str, str]], dict[str, str]]) -> Mutation:
    """What is stated of the files changed, line by line."""

    def change_text(content: str) -> str:
        lines, out = list(csv.DictReader(io.StringIO(content))), io.StringIO()
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(map(change, lines))
        return out.getvalue()

    return text("provenance.csv", change_text)


def stated(series_id: str, column: str, value: str) -> Mutation:
    """Another statement of the publisher about a series."""
    return provenance(lambda line: {**line, column: value} if line["series_id"] == series_id else line)


# How many rows a file has is not stated: the count shall not be what catches the fault.
without_rows = provenance(lambda line: {**line, "rows": ""})


def swapped(one: str, other: str) -> Mutation:
    """Two files under each other's name."""

    def mutate(folder: Path) -> None:
        first, second = (folder / f"{name}.csv" for name in (one, other))
        texts = first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8")
        for file, content in zip((first, second), reversed(texts), strict=True):
            file.unlink()
            file.write_text(content, encoding="utf-8")
        without_rows(folder)

    return mutate


def copied(source: str, target: str) -> Mutation:
    """One file under another's name too."""

    def mutate(folder: Path) -> None:
        (folder / f"{target}.csv").unlink()
        shutil.copyfile(folder / f"{source}.csv", folder / f"{target}.csv")
        without_rows(folder)

    return mutate


def moved(series_id: str, months: int) -> Mutation:
    """Every figure stamped some months later; what would lie after the last stamp is left out."""

    def change(lines: list[Line]) -> list[Line]:
        stamps = [day for day, _ in lines]
        return list(zip(stamps[months:], [value for _, value in lines[: len(lines) - months]], strict=True))

    def mutate(folder: Path) -> None:
        rows(series_id, change)(folder)
        without_rows(folder)

    return mutate
