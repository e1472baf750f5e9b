"""`settings`: the settings that the environment and `.env` give, without secrets.

Belongs here: the command. Does not belong here: reading the environment (`pipelines/settings.py`). `deploy/ui.sh` takes
its folders from here, so that there is one way of reading them.
"""

from __future__ import annotations

import argparse
import shlex
import sys

from pipelines.settings import load_places, load_settings, read_environment


def main(args: argparse.Namespace) -> int:
    """Print NAME=value lines, folders as absolute paths. Raises ConfigurationError."""
    places = load_places(read_environment())
    folders = {"DAGSTER_HOME": places.dagster_home, "REGIME_DATA_DIR": places.data_dir}
    if args.shell:
        for name, folder in folders.items():
            print(f"export {name}={shlex.quote(str(folder))}")
        return 0
    settings = load_settings()
    for notice in settings.notices:
        print(f"warning: {notice}", file=sys.stderr)
    for name, value in {
        "REGIME_PROFILE": settings.profile,
        "REGIME_AS_OF": settings.run_date,
        **folders,
    }.items():
        print(f"{name}={value}")
    return 0
