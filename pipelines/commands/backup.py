"""`backup` copies what cannot be computed again, warehouses and releases; `restore` replaces the data directory by one.

Dagster's history is not part of a backup: it contains no figures.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from assets.warehouse.connection import LockHeld, WarehouseError, time_in_name
from assets.warehouse.schema import open_warehouse
from pipelines.instance import run_lock
from pipelines.process import print_progress
from pipelines.settings import ConfigurationError, Folders, load_folders, read_environment

LIST = "SHA256SUMS.json"
_FREE_FACTOR = 1.2
Log = Callable[[str], None]


def backup(args: argparse.Namespace) -> int:
    """Print the folder of the backup. Raises ConfigurationError."""
    folders = load_folders(read_environment())
    if args.target.expanduser().resolve().is_relative_to(folders.data_dir.resolve()):
        raise ConfigurationError(
            f"{args.target} is inside {folders.data_dir}: choose a folder outside, on another disk"
        )
    try:
        with run_lock(folders).held(args.wait, print_progress):
            print(back_up(folders, args.target, print_progress, wait_seconds=args.wait))
    except (LockHeld, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    return 0


def restore(args: argparse.Namespace) -> int:
    """Print what was done. Raises ConfigurationError; nothing has changed then."""
    folders = load_folders(read_environment())
    try:
        with run_lock(folders).held(0.0, print_progress):
            previous = put_in_place(folders, args.backup.expanduser().absolute(), print_progress)
    except (LockHeld, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    print(f"{folders.data_dir} is as it was in {args.backup}")
    if previous:
        print(
            f"the previous data directory is in {previous}: remove it after `python -m pipelines doctor` finds no fault"
        )
    return 0


def back_up(
    folders: Folders, target: Path, log: Log, now: dt.datetime | None = None, *, wait_seconds: float = 0.0
) -> Path:
    """Copy the data directory into a new folder of `target`, verify the copy, and return its path.

    The caller has the run lock. A write-ahead log left by a killed run is first merged into its file. Raises
    ConfigurationError in one line.
    """
    for warehouse in sorted(folders.data_dir.glob("*.duckdb")):
        with open_warehouse(warehouse, wait_seconds=wait_seconds, log=log):
            pass  # closing writes everything into the file
    files = sorted(_files(folders.data_dir))
    if not files:
        raise ConfigurationError(f"{folders.data_dir} contains nothing to back up: run `make run`")
    moment = now or dt.datetime.now(dt.UTC)
    folder = target.expanduser().absolute() / f"stimulus-regime-{time_in_name(moment)}"
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        _refuse_without_space(files, target)
        sums = _copied(folders.data_dir, files, unfinished, log)
        (unfinished / LIST).write_text(json.dumps(sums, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(unfinished, folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise ConfigurationError(
            f"{target}: {_reason(error)}: choose another folder, or make room there"
        ) from None
    verify_backup(folder)
    return folder


def verify_backup(backup: Path) -> dict[str, str]:
    """The hashes of the backup's files. Raises ConfigurationError when a file is missing or changed."""
    try:
        sums: dict[str, str] = json.loads((backup / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigurationError(f"{backup} is not a backup: it has no readable {LIST}") from None
    wrong = [name for name, digest in sums.items() if _digest(backup / name) != digest]
    if wrong:
        raise ConfigurationError(f"{backup} is damaged: {', '.join(wrong[:3])}: use another backup")
    return sums


def put_in_place(folders: Folders, backup: Path, log: Log, now: dt.datetime | None = None) -> Path | None:
    """Replace the data directory's content by a backup; the folder with the previous content, if there was any.

    The caller has the run lock. Raises ConfigurationError, and nothing has changed then.
    """
    sums = verify_backup(backup)
    moment = now or dt.datetime.now(dt.UTC)
    staged = folders.data_dir.with_name(f".{folders.data_dir.name}.restored")
    previous = folders.data_dir.with_name(f"{folders.data_dir.name}.before-{time_in_name(moment)}")
    try:
        shutil.rmtree(staged, ignore_errors=True)
        _refuse_without_space([backup / name for name in sums], folders.data_dir.parent)
        _copied(backup, sorted(backup / name for name in sums), staged, log)
        there = [path for path in folders.data_dir.iterdir() if not _is_lock(path)]
        if there:
            previous.mkdir()
        for path in there:
            os.replace(path, previous / path.name)
        for path in staged.iterdir():
            os.replace(path, folders.data_dir / path.name)
        staged.rmdir()
    except OSError as error:
        raise ConfigurationError(
            f"{folders.data_dir}: {_reason(error)}: nothing was lost, see {previous}"
        ) from None
    return previous if there else None


def _files(data_dir: Path) -> Iterator[Path]:
    for path in data_dir.rglob("*"):
        if path.is_file() and not _is_lock(path) and not path.name.endswith((".tmp", ".wal", ".kept")):
            yield path


def _is_lock(path: Path) -> bool:
    """Locks, their notes, and the markers of runs belong to processes, not to the data."""
    return path.name.startswith("run.") or path.name.endswith(".lock")


def _copied(source: Path, files: list[Path], target: Path, log: Log) -> dict[str, str | None]:
    """Copy `files`, keeping hard links; hashes by name."""
    sums: dict[str, str | None] = {}
    first: dict[tuple[int, int], Path] = {}
    for n, path in enumerate(files, start=1):
        name = path.relative_to(source)
        new, stat = target / name, path.stat()
        new.parent.mkdir(parents=True, exist_ok=True)
        for inside in name.parents[:-1]:  # published folders stay readable for everyone
            shutil.copymode(source / inside, target / inside)
        one = first.setdefault((stat.st_dev, stat.st_ino), new)
        if one is not new:
            os.link(one, new)
        else:
            shutil.copy2(path, new)
        sums[name.as_posix()] = _digest(path)
        if n % 50 == 0:
            log(f"{n} of {len(files)} files")
    return sums


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _refuse_without_space(files: list[Path], target: Path) -> None:
    target.expanduser().absolute().mkdir(parents=True, exist_ok=True)
    needed = _FREE_FACTOR * sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(target.expanduser()).free
    if free < needed:
        raise ConfigurationError(
            f"{target}: {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB are needed: make room"
        )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
