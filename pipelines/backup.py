"""Copies of what cannot be made again: the warehouses with every vintage ever seen, and what was published.

Belongs here: taking a copy, judging it, putting it back. Does not belong here: arguments and words
(`commands/backup.py`, `commands/restore.py`). Dagster's history is not part of it: no figure is lost with it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from assets.warehouse.connection import time_in_name
from pipelines.settings import ConfigurationError, Places

LIST = "SHA256SUMS.json"
_FREE_FACTOR = 1.2
Say = Callable[[str], None]


def back_up(
    places: Places, target: Path, say: Say, now: dt.datetime | None = None, *, wait_seconds: float = 0.0
) -> Path:
    """Copy the data directory into a new folder of `target`, judge the copy, and return its place.

    The caller holds the run lock. A write-ahead log left by a killed run is taken into its file first. Raises
    ConfigurationError in one line.
    """
    from assets.warehouse.connection import open_warehouse

    for warehouse in sorted(places.data_dir.glob("*.duckdb")):
        with open_warehouse(warehouse, wait_seconds=wait_seconds, log=say):
            pass  # closing writes everything into the file
    files = sorted(_files(places.data_dir))
    if not files:
        raise ConfigurationError(f"{places.data_dir} holds nothing to back up: run `make run`")
    moment = now or dt.datetime.now(dt.UTC)
    place = target.expanduser().absolute() / f"stimulus-regime-{time_in_name(moment)}"
    unfinished = place.with_name(f".{place.name}.unfinished")
    try:
        _refuse_without_space(files, target)
        sums = _copied(places.data_dir, files, unfinished, say)
        (unfinished / LIST).write_text(json.dumps(sums, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(unfinished, place)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise ConfigurationError(
            f"{target}: {_words(error)}: give another place, or make room there"
        ) from None
    judge(place)
    return place


def judge(backup: Path) -> dict[str, str]:
    """Every file is there with the content it had; the list of hashes. Raises ConfigurationError."""
    try:
        sums: dict[str, str] = json.loads((backup / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigurationError(f"{backup} is no backup: it holds no readable {LIST}") from None
    wrong = [name for name, digest in sums.items() if _digest(backup / name) != digest]
    if wrong:
        raise ConfigurationError(f"{backup} is damaged: {', '.join(wrong[:3])}: take another one")
    return sums


def restore(places: Places, backup: Path, say: Say, now: dt.datetime | None = None) -> Path | None:
    """Put a backup in the place of the data directory; where the present one was moved to, if there was one.

    The caller holds the run lock. Raises ConfigurationError, and nothing has changed then.
    """
    sums = judge(backup)
    moment = now or dt.datetime.now(dt.UTC)
    beside = places.data_dir.with_name(f".{places.data_dir.name}.restored")
    aside = places.data_dir.with_name(f"{places.data_dir.name}.before-{time_in_name(moment)}")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        _refuse_without_space([backup / name for name in sums], places.data_dir.parent)
        _copied(backup, sorted(backup / name for name in sums), beside, say)
        there = [path for path in places.data_dir.iterdir() if not _is_lock(path)]
        if there:
            aside.mkdir()
        for path in there:
            os.replace(path, aside / path.name)
        for path in beside.iterdir():
            os.replace(path, places.data_dir / path.name)
        beside.rmdir()
    except OSError as error:
        raise ConfigurationError(
            f"{places.data_dir}: {_words(error)}: nothing was lost, look at {aside}"
        ) from None
    return aside if there else None


def _files(data_dir: Path) -> Iterator[Path]:
    for path in data_dir.rglob("*"):
        if path.is_file() and not _is_lock(path) and not path.name.endswith((".tmp", ".wal", ".kept")):
            yield path


def _is_lock(path: Path) -> bool:
    """Locks, their notes, and the markers of runs belong to living processes, not to the figures."""
    return path.name.startswith("run.") or path.name.endswith(".lock")


def _copied(source: Path, files: list[Path], target: Path, say: Say) -> dict[str, str | None]:
    """Copy `files`, what is one file under two names as one; hashes by name."""
    sums: dict[str, str | None] = {}
    first: dict[tuple[int, int], Path] = {}
    for n, path in enumerate(files, start=1):
        name = path.relative_to(source)
        new, stat = target / name, path.stat()
        new.parent.mkdir(parents=True, exist_ok=True)
        for inside in name.parents[:-1]:  # the folders of the publication stay readable by everybody
            shutil.copymode(source / inside, target / inside)
        one = first.setdefault((stat.st_dev, stat.st_ino), new)
        if one is not new:
            os.link(one, new)
        else:
            shutil.copy2(path, new)
        sums[name.as_posix()] = _digest(path)
        if n % 50 == 0:
            say(f"{n} of {len(files)} files")
    return sums


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _refuse_without_space(files: list[Path], target: Path) -> None:
    place = target.expanduser().absolute()
    place.mkdir(parents=True, exist_ok=True)
    needed = _FREE_FACTOR * sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ConfigurationError(
            f"{target}: {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB are needed: make room"
        )


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
