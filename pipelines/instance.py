"""Dagster's instance of this installation, opened in one way, its faults in one line.

Belongs here: opening it from DAGSTER_HOME, and what is wrong with its configuration. Does not belong here: what is read
from it. Dagster takes a second to load and is imported by `open_instance` only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipelines.settings import ConfigurationError

if TYPE_CHECKING:
    import dagster as dg

_WORDS = 160
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
    """The instance whose configuration and history stand in `home`, made when it is not there.

    Raises ConfigurationError for a place that cannot be written, and for what cannot be read there.
    """
    if problem := outdated_configuration(home):
        raise ConfigurationError(problem)
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")  # also where `home` has no configuration of ours
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise ConfigurationError(
            f"DAGSTER_HOME {home}: {said}: check its owner, or give another place"
        ) from None
    try:
        instance = dg.DagsterInstance.get()
    except Exception as error:  # configuration, database and disk each raise their own
        raise ConfigurationError(f"DAGSTER_HOME {home}: {_way_out(error)}") from None
    with instance:
        yield instance


def _way_out(error: Exception) -> str:
    said = " ".join(str(error).split())[:_WORDS]
    kind = type(error).__name__
    if "disk is full" in said or "No space left" in said:
        return "the disk is full: free some space"
    if "Config" in kind or "yaml" in type(error).__module__:
        return f"dagster.yaml is not understood ({said}): compare it with dagster_home/dagster.yaml"
    if "readonly" in said or "Permission denied" in said or "unable to open" in said:
        return f"cannot be written ({said}): check its owner"
    return f"its history cannot be opened ({kind}: {said}): is its database up? Else move the folder history/ away"
