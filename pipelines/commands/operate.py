"""The operator's commands: `watch` sends the alerts due, `prune` removes old runs, `settings` prints the settings.

`backup` copies what cannot be computed again, warehouses and releases; `restore` replaces the data directory by one.
Dagster's history is not part of a backup: it contains no figures.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from assets.warehouse.connection import LockHeld, WarehouseError, time_in_name
from assets.warehouse.schema import open_warehouse
from pipelines.instance import open_instance, run_lock
from pipelines.process import print_progress
from pipelines.release_file import print_rows
from pipelines.settings import ConfigurationError, Folders, load_folders, load_settings, read_environment

LIST = "SHA256SUMS.json"
Log = Callable[[str], None]


def watch(args: argparse.Namespace) -> int:
    """Print the alerts sent; 1 when one could not be sent. Run it from a timer: the scheduler cannot report itself."""
    from pipelines.alerts import VARIABLE, review, send, targets, trial_message

    settings = load_settings()
    found = targets(read_environment())
    if not found:
        raise ConfigurationError(f"{VARIABLE} is not set: there is no address to send to (see .env.example)")
    if args.test:
        reached = [send(target, trial_message(dt.datetime.now(dt.UTC))) for target in found]
        for target, is_reached in zip(found, reached, strict=True):
            print(f"{target.name}: {'sent' if is_reached else 'could not be reached: check its address'}")
        return 0 if all(reached) else 1
    with open_instance(settings.dagster_home) as instance:
        sent = review(settings, instance, outside=True)
    addresses = f"{len(found)} {'target' if len(found) == 1 else 'targets'}"
    print("\n".join(one.line for one in sent) or f"no alert is due to {addresses}")
    return 1 if any(one.is_unsent for one in sent) else 0


def prune(args: argparse.Namespace) -> int:
    """Print how many runs were removed from Dagster's history, where no scheduler removes them."""
    home = load_folders(read_environment()).dagster_home
    if not (home / "history").is_dir() and not (home / "dagster.yaml").is_file():
        print(f"{home} contains no history")
        return 0
    from pipelines import run_history

    with open_instance(home) as instance:
        removed = run_history.prune(instance, dt.datetime.now(dt.UTC), args.days)
    print(f"{removed} runs older than {args.days} days removed from {home}")
    return 0


def settings(args: argparse.Namespace) -> int:
    """Print NAME=value lines without secrets, folders as absolute paths; `deploy/ui.sh` evaluates them with --shell."""
    folders = load_folders(read_environment())
    variables = {"DAGSTER_HOME": folders.dagster_home, "REGIME_DATA_DIR": folders.data_dir}
    if args.shell:
        for name, folder in variables.items():
            print(f"export {name}={shlex.quote(str(folder))}")
        return 0
    found = load_settings()
    for notice in found.notices:
        print(f"warning: {notice}", file=sys.stderr)
    values = {"REGIME_PROFILE": found.profile, "REGIME_AS_OF": found.run_date, **variables}
    lines = [f"{name}={value}" for name, value in values.items()]
    print_rows(args, [{"name": name, "value": str(value)} for name, value in values.items()], lines)
    return 0


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


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
