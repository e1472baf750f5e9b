"""Faults on the way to a publisher of files: unreachable or refused, in one line, with no needless requests."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from assets.catalog.models import SourceKey
from tests.fakes import faults, fed_board, shiller
from tests.fakes.publishers import (
    FEW_RETRIES,
    HTML,
    PUBLISHERS,
    SHORT,
    accepted,
    figures,
    refused,
    source_of,
    unreachable,
)
from tests.fakes.server import Served, running

EACH = pytest.mark.parametrize("name", PUBLISHERS)


PASSING = {
    "500": (faults.status(500), "the server responds 500"),
    "503 with a page": (faults.status(503, "1", HTML), "the server responds 503"),
    "429": (faults.status(429), "the server responds 429"),
    "hang": (faults.hang(0.5), "no response for 0.3 s"),
    "dropped": (faults.dropped(), "connection dropped"),
    "cut short": (faults.truncated(), "peer closed connection"),
    "drip": (faults.drip(0.05, 20), "no complete response within 0.6 s"),
}


@EACH
@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_retried(name: SourceKey, fault: str) -> None:
    with running(PUBLISHERS[name].serve()) as server:
        server.faults = [PASSING[fault][0]]
        assert figures(accepted(source_of(name, server), PUBLISHERS[name].series_id))


@pytest.mark.parametrize("fault", PASSING)
def test_what_does_not_pass_is_unreachable_and_not_requested_for_each_series(fault: str) -> None:
    with running(fed_board.fed_board()) as server:
        server.faults = [PASSING[fault][0]] * 9
        source = source_of("fed_board", server)
        assert PASSING[fault][1] in unreachable(source, "EBP")
        assert PASSING[fault][1] in unreachable(source, "GZ_SPREAD")
        assert len(server.requests) == 2


@EACH
def test_nobody_there_is_unreachable(name: SourceKey) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    publisher = PUBLISHERS[name]
    source = publisher.source(f"http://127.0.0.1:{port}{publisher.path}", FEW_RETRIES, SHORT)
    assert "ConnectError" in unreachable(source, publisher.series_id)


@EACH
@pytest.mark.parametrize(
    "make", [lambda code: faults.status(code, body=HTML), lambda code: faults.truncated(code, HTML)]
)
@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_moved_or_closed_file_is_unreachable_at_once(
    name: SourceKey, status: int, make: Callable[[int], faults.Fault]
) -> None:
    """Also when the page of the refusal breaks off."""
    with running(PUBLISHERS[name].serve()) as server:
        server.faults = [make(status)]
        line = unreachable(source_of(name, server), PUBLISHERS[name].series_id)
        assert f"the server responds {status}" in line
        assert re.search("if (the file has moved|it only admits browsers), set [A-Z_]+_URL", line)
        assert len(server.requests) == 1


def test_redirect_is_followed_but_not_out_of_encryption() -> None:
    with running(fed_board.fed_board()) as server:
        server.faults = [faults.redirected(fed_board.PATH)]
        assert figures(accepted(source_of("fed_board", server), "EBP"))
        server.faults = [faults.redirected("http://example.org/ebp_csv.csv")]
        assert "without https" in unreachable(source_of("fed_board", server), "EBP")
        server.faults = [faults.redirected(fed_board.PATH)] * 9
        assert "TooManyRedirects" in unreachable(source_of("fed_board", server), "EBP")


@EACH
@pytest.mark.parametrize(
    "body", [HTML, b"", b" \n", b"\x00" * 64, b"PK\x03\x04 and no more", b"{", b"[1]", b"a,b\n1,2\n"]
)
def test_something_else_under_the_address_is_refused(name: SourceKey, body: bytes) -> None:
    with running(PUBLISHERS[name].serve()) as server:
        server.routes[PUBLISHERS[name].table_path] = Served(body)
        error = refused(source_of(name, server), PUBLISHERS[name].series_id)
        assert error.rule in ("missing_column", "empty_file")
        assert PUBLISHERS[name].series_id in str(error) and server.root in error.where


@EACH
def test_every_series_of_a_broken_file_is_refused_by_one_download(name: SourceKey) -> None:
    with running(PUBLISHERS[name].serve()) as server:
        server.routes[PUBLISHERS[name].table_path] = Served(HTML)
        source = source_of(name, server)
        refused(source, PUBLISHERS[name].series_id)
        sent = len(server.requests)
        refused(source, PUBLISHERS[name].series_id)
        assert len(server.requests) == sent


@EACH
def test_endless_response_is_cut_off(name: SourceKey) -> None:
    with running(PUBLISHERS[name].serve()) as server:
        server.routes[PUBLISHERS[name].table_path] = Served(b"1" * 300_000)
        error = refused(source_of(name, server, SHORT._replace(size=200_000)), PUBLISHERS[name].series_id)
        assert "larger than 200000 bytes" in str(error)


def test_page_that_no_longer_links_the_workbook_is_a_matter_of_coverage_and_names_the_setting() -> None:
    """A redesigned page is no evidence about the table: refused, it would block every publication from then on."""
    with running(shiller.shiller(page="<html>We have moved {root}{path}</html>")) as server:
        line = unreachable(source_of("shiller", server), "SHILLER_CPI")
    assert "a page without a link to ie_data.xls; set SHILLER_URL" in line


def test_file_moved_from_where_the_page_links_it_is_unreachable() -> None:
    with running(shiller.shiller()) as server:
        del server.routes[shiller.FILE_PATH]
        assert "404" in unreachable(source_of("shiller", server), "SHILLER_CPI")
