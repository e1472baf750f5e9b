"""All four publishers beside FRED, each with a good server and the source that reads it.

Belongs here: what tests of every publisher walk over. Does not belong here: what one of them serves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from assets.sources.fed_board import fed_board_source
from assets.sources.file_source import FileSource
from assets.sources.fiscal_data import fiscal_data_source
from assets.sources.http import Limits
from assets.sources.shiller import shiller_source
from assets.sources.world_bank import world_bank_source
from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.reading import IMPATIENT, SHORT
from tests.fakes.server import Loopback

HTML = b"<!DOCTYPE html><html><body>We are down for maintenance</body></html>"


class Publisher(NamedTuple):
    """A good server, where it is asked, who asks, for what, and the path of the table itself."""

    serve: Callable[[], Loopback]
    path: str
    make: Callable[..., FileSource]
    series_id: str
    table_path: str


PUBLISHERS = {
    "fed_board": Publisher(fed_board.fed_board, fed_board.PATH, fed_board_source, "EBP", fed_board.PATH),
    "fiscal_data": Publisher(
        lambda: fiscal_data.fiscal_data(fiscal_data.small_table()),
        fiscal_data.PATH, fiscal_data_source, "MSPD_BILLS", fiscal_data.PATH,
    ),
    "shiller": Publisher(shiller.shiller, "/", shiller_source, "SHILLER_EARNINGS", shiller.FILE_PATH),
    "world_bank": Publisher(
        world_bank.world_bank, world_bank.PAGE_PATH, world_bank_source, "GOLD_WB_MONTHLY", world_bank.FILE_PATH
    ),
}  # fmt: skip


def source_of(name: str, server: Loopback, limits: Limits = SHORT) -> FileSource:
    publisher = PUBLISHERS[name]
    return publisher.make(server.root + publisher.path, IMPATIENT, limits)
