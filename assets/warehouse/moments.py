"""A moment in the name of a file or folder.

Belongs here: its one form. Does not belong here: what the name is for.
"""

from __future__ import annotations

import datetime as dt


def in_a_name(moment: dt.datetime) -> str:
    """`moment` in UTC, fit for a name: sorted as text it is sorted by time, and two of one second differ."""
    return f"{moment:%Y%m%dT%H%M%S.%fZ}"
