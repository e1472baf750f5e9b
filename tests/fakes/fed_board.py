"""The Board's file of the excess bond premium, real where it is beside the project."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.fakes.server import Answer, Loopback, Served

PATH = "/econres/notes/feds-notes/ebp_csv.csv"
HEADER = "date,gz_spread,ebp,est_prob"
SAVED = dt.datetime(2026, 5, 8, 12, tzinfo=dt.UTC)


def small_file(months: int = 24, first: str = "2024-05") -> bytes:
    """A file of that layout with made-up figures."""
    year, month = map(int, first.split("-"))
    stamps = [divmod(year * 12 + month - 1 + n, 12) for n in range(months)]
    lines = [
        f"{y}-{m + 1:02}-01,{1.0 + n / 100:.2f},{-0.2 + n / 100:.2f},0.2" for n, (y, m) in enumerate(stamps)
    ]
    return "\n".join([HEADER, *lines, ""]).encode()


def fed_board(realdata: Path | None = None, body: bytes | None = None) -> Loopback:
    """The Board's server."""
    if body is None:
        body = (realdata / "composite" / "ebp_csv.csv").read_bytes() if realdata else small_file()
    return Loopback(served(body, SAVED))


def served(body: bytes, saved: dt.datetime) -> dict[str, Answer]:
    """What stands at the server's paths."""
    return {PATH: Served(body, "text/csv", saved)}
