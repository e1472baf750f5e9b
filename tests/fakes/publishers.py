"""The four publishers of files: for each a good server and its source, and how tests fetch from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from assets.catalog.models import SourceKey
from assets.sources.fed_board import FedBoardSource
from assets.sources.file_source import File, FileSource
from assets.sources.fiscal_data import FiscalDataSource
from assets.sources.http import Limits
from assets.sources.pacing import Clock, RetryPolicy
from assets.sources.protocol import Payload, PayloadRefused, SourceUnreachable
from assets.sources.public.carried import READERS
from assets.sources.public.shared import SeveralFiles, carrier_of
from assets.sources.shiller import ShillerSource
from assets.sources.validate import validate
from assets.sources.world_bank import WorldBankSource
from tests.builders import a_series
from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.server import Loopback

HTML = b"<!DOCTYPE html><html><body>We are down for maintenance</body></html>"
TODAY = dt.date(2026, 6, 15)
FEW_RETRIES = RetryPolicy(attempts=2, longest_wait=1.0, clock=Clock(sleep=lambda _: None))
SHORT = Limits(silence=0.3, total=0.6, size=8 * 1024 * 1024)


class Publisher(NamedTuple):
    """A good server, the path given to the source, the source, one of its series, and the path of the table."""

    serve: Callable[[], Loopback]
    path: str
    source: type[FileSource]
    series_id: str
    table_path: str


PUBLISHERS: dict[SourceKey, Publisher] = {
    "fed_board": Publisher(fed_board.fed_board, fed_board.PATH, FedBoardSource, "EBP", fed_board.PATH),
    "fiscal_data": Publisher(
        fiscal_data.fiscal_data, fiscal_data.PATH, FiscalDataSource, "MSPD_BILLS", fiscal_data.PATH
    ),
    "shiller": Publisher(shiller.shiller, "/", ShillerSource, "SHILLER_EARNINGS", shiller.FILE_PATH),
    "world_bank": Publisher(
        world_bank.world_bank, world_bank.PAGE_PATH, WorldBankSource, "GOLD_WB_MONTHLY", world_bank.FILE_PATH
    ),
}


def source_of(
    name: SourceKey, server: Loopback, limits: Limits = SHORT, now: dt.datetime | None = None
) -> FileSource:
    """The publisher's source at a server; `now` stops its clock."""
    publisher = PUBLISHERS[name]
    source = publisher.source(server.root + publisher.path, FEW_RETRIES, limits)
    if now is not None:
        source.now = lambda: now
    return source


def serving(name: SourceKey, body: bytes) -> FileSource:
    """The publisher's source with its download replaced by a body: no server, for tests of the table itself."""
    source = PUBLISHERS[name].source()
    source.get = lambda *_, **__: File(body, source.url, None)
    return source


@dataclass(frozen=True)
class Held:
    """What the archive has of a series."""

    last_updated: dt.datetime | None = None
    reconciled_at: dt.datetime | None = dt.datetime(2026, 6, 12, tzinfo=dt.UTC)
    newest_vintage: dt.date | None = None
    newest_observation: dt.date | None = None


def accepted(source: FileSource, series_id: str, known: Held | None = None) -> Payload:
    """The payload, validated as in the pipeline."""
    series = a_series(series_id)
    payload = source.fetch(series, known)
    validate(payload, series, TODAY, None)
    return payload


def payload_of(content: bytes, series_id: str, today: dt.date = dt.date(2026, 9, 30)) -> Payload:
    """The payload of a series of the profile public whose publisher serves `content`, validated as in the pipeline."""
    series = a_series(series_id)
    carrier = carrier_of(series)
    source = READERS[carrier.reader](None, FEW_RETRIES)
    if isinstance(source, SeveralFiles):
        source = source.file(carrier.release or "")
    assert isinstance(source, FileSource)
    source.get = lambda *_, **__: File(content, source.url, None)
    payload = source.fetch(series)
    validate(payload, series, today, None)
    return payload


def figures(payload: Payload) -> dict[str, float]:
    """Value by ISO date."""
    rows = payload.observations
    return dict(zip(rows["observation_date"].dt.strftime("%Y-%m-%d"), rows["value"], strict=True))


def refused(source: FileSource, series_id: str) -> PayloadRefused:
    """The refusal, one line."""
    with pytest.raises(PayloadRefused) as caught:
        accepted(source, series_id)
    assert "\n" not in str(caught.value)
    return caught.value


def unreachable(source: FileSource, series_id: str) -> str:
    """The failure's line."""
    with pytest.raises(SourceUnreachable) as caught:
        source.fetch(a_series(series_id))
    assert "\n" not in str(caught.value)
    return str(caught.value)
