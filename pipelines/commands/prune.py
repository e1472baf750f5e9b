"""`prune`: remove old runs from Dagster's history, where no scheduler does it.

Belongs here: the command. Does not belong here: what is removed (`pipelines/history.py`).
"""

from __future__ import annotations

import argparse
import datetime as dt

from pipelines.settings import load_places, read_environment


def main(args: argparse.Namespace) -> int:
    """Print how many runs were removed."""
    home = load_places(read_environment()).dagster_home
    if not (home / "history").is_dir() and not (home / "dagster.yaml").is_file():
        print(f"{home} holds no history")
        return 0
    from pipelines.history import prune
    from pipelines.instance import open_instance

    with open_instance(home) as instance:
        removed = prune(instance, dt.datetime.now(dt.UTC), args.days)
    print(f"{removed} runs older than {args.days} days removed from {home}")
    return 0
