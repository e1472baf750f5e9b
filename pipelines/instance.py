"""Dagster's instance in DAGSTER_HOME. Dagster takes a second to load: only `open_instance` imports it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipelines.process import ensure_home
from pipelines.settings import ConfigurationError, Folders

if TYPE_CHECKING:
    import dagster as dg

    from assets.warehouse.lock import RunLock

_LONGEST = 160
_REMOVED_MODULE = "pipelines.event_log"  # named by dagster_home/dagster.yaml of version 0.1


def outdated_configuration(home: Path) -> str | None:
    """What is wrong with a `dagster.yaml` of an earlier version, in one line with the fix; None when nothing is.

    Read before Dagster opens the instance, which would report a missing module without a way out.
    """
    path = home / "dagster.yaml"
    try:
        configured = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None  # missing or unreadable: reported when the instance is opened
    storage = configured.get("event_log_storage") if isinstance(configured, dict) else None
    if not isinstance(storage, dict) or storage.get("module") != _REMOVED_MODULE:
        return None
    return (
        f"{path} names {_REMOVED_MODULE}, which no longer exists: delete its event_log_storage entry, "
        "or copy dagster_home/dagster.yaml there; the history stays readable"
    )


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance with configuration and history in `home`, which is created when missing.

    Raises ConfigurationError, one line, when `home` cannot be written or opened.
    """
    if problem := outdated_configuration(home):
        raise ConfigurationError(problem)
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault(
        "DAGSTER_DISABLE_TELEMETRY", "1"
    )  # also when `home` has no dagster.yaml of this project
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(
            f"DAGSTER_HOME {home}: {reason}: check its owner, or choose another directory"
        ) from None
    try:
        instance = dg.DagsterInstance.get()
    except Exception as error:  # configuration, database and disk each raise their own
        raise ConfigurationError(f"DAGSTER_HOME {home}: {_way_out(error)}") from None
    with instance:
        yield instance


def is_in_postgres(home: Path) -> bool:
    """Whether `dagster.yaml` contains the word postgres. Raises ConfigurationError for a file that cannot be read."""
    configured = home / "dagster.yaml"
    try:
        return configured.is_file() and "postgres" in configured.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise ConfigurationError(
            f"{configured} cannot be read ({reason}): compare it with dagster_home/dagster.yaml"
        ) from None


def run_lock(folders: Folders) -> RunLock:
    """The run lock of an installation; with Dagster's history in Postgres it holds for every machine that uses it.

    Raises ConfigurationError when the history cannot be opened, WarehouseError for a data directory that is read-only.
    """
    from assets.warehouse.lock import RunLock

    if not is_in_postgres(folders.dagster_home):
        return RunLock(folders.lock_path)
    from assets.warehouse.shared_lock import shared_lock

    ensure_home(folders.dagster_home)
    with open_instance(folders.dagster_home) as instance:
        return RunLock(folders.lock_path, shared_lock(instance, folders.data_dir))


def _way_out(error: Exception) -> str:
    text, kind = " ".join(str(error).split())[:_LONGEST], type(error).__name__
    if "disk is full" in text or "No space left" in text:
        return "the disk is full: free some space"
    if "Config" in kind or "yaml" in type(error).__module__:
        return f"dagster.yaml is not understood ({text}): compare it with dagster_home/dagster.yaml"
    if "readonly" in text or "Permission denied" in text or "unable to open" in text:
        return f"cannot be written ({text}): check its owner"
    return f"its history cannot be opened ({kind}: {text}): is its database running? Else move the folder history/ away"
