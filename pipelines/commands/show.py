"""`show`: the published verdict.

Belongs here: the command. Does not belong here: its wording (`verdict.py`).
"""

from __future__ import annotations

import argparse

from pipelines.commands.published import open_published
from pipelines.commands.verdict import read_verdict, verdict_lines
from pipelines.settings import load_places, read_environment


def main(args: argparse.Namespace) -> int:
    """Print the verdict of the published file."""
    path = load_places(read_environment()).published_path
    with open_published(path) as con:
        print("\n".join(verdict_lines(read_verdict(con), path)))
    return 0
