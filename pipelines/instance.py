"""Dagster's instance of this installation, opened in one way, its faults in one line.

Belongs here: opening it from DAGSTER_HOME. Does not belong here: what is read from it. Imported where it is used:
Dagster takes a second to load.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.settings import ConfigurationError

_WORDS = 160


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance whose configuration and history stand in `home`, made when it is not there.

    Raises ConfigurationError for a place that cannot be written, and for what cannot be read there.
    """
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
