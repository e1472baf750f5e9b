"""A full disk, however it is said and whoever it struck, as one line with the way out.

Belongs here: recognising it. Does not belong here: other faults of files (`assets/warehouse/connection.py`).
"""

from __future__ import annotations

import re

_SAID = re.compile(r"No space left|disk is full|disk quota exceeded", re.IGNORECASE)
_LONGEST = 160


def full_disk(text: str) -> str | None:
    """The line to print when a message speaks of a full disk, else None."""
    line = next((line.strip() for line in text.splitlines() if _SAID.search(line)), None)
    if line is None:
        return None
    said = line if len(line) <= _LONGEST else f"...{line[-_LONGEST:]}"  # the reason stands at the end
    return f"the disk is full ({said}): free some space and run again; what is published stands"
