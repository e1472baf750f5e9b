"""The HTTP client under FRED's client: codings, deadlines on open connections, proxies, and the key in no log."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
import socketserver
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from assets.sources.fred_client import FredClient, FredError, Garbled
from assets.sources.http import Http, Limits, TooLarge
from assets.sources.pacing import Transient
from tests.fakes import faults
from tests.fakes.faults import Fault
from tests.fakes.fred_runs import QUICK, Naps, quick_client
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY, World, published
from tests.fakes.server import running

ALWAYS = 1_000_000


@pytest.fixture
def server() -> Iterator[FredServer]:
    rows = [("2026-01-01", "2026-02-06", 4.3), ("2026-02-01", "2026-03-06", np.nan)]
    with fred_server(World(dt.date(2026, 11, 24), {"UNRATE": published("UNRATE", rows)})) as fred:
        yield fred


def in_two_members(body: bytes) -> bytes:
    return gzip.compress(body[:60]) + gzip.compress(body[60:])


def test_every_spelling_of_gzip_is_read(server: FredServer) -> None:
    for coding in ("gzip", "GZIP", "x-gzip", " X-GZip "):
        for pack in (gzip.compress, in_two_members):
            server.script.add("", faults.packed(coding, pack))
            assert quick_client(server).series_info("UNRATE").units == "Percent", coding


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (faults.packed("gzip", lambda body: body), "cannot be unpacked"),
        (faults.packed("deflate", zlib.compress), "cannot be unpacked"),
        (faults.packed("gzip", lambda body: gzip.compress(body)[:-40]), "broke off"),
        (faults.until_closed(gzip.compress(b"<a/>" * 99)[:-12], "gzip"), "broke off"),
    ],
)
def test_packed_response_that_is_damaged_is_refused(server: FredServer, fault: Fault, message: str) -> None:
    """httpx hands out what it could unpack when the end of a packed body is missing."""
    server.script.add("", fault, ALWAYS)
    with pytest.raises(Transient, match=message):
        quick_client(server, attempts=2).series_info("UNRATE")
    assert len(server.asked) == 2


def test_unpacked_size_counts(server: FredServer) -> None:
    server.script.add("", faults.packed("x-gzip", lambda _: gzip.compress(b"1" * 2_000_000)), ALWAYS)
    with pytest.raises(TooLarge, match="larger than 1000000 bytes"):
        Http(Limits(size=1_000_000)).get(server.url)
    with pytest.raises(FredError, match="larger than 1000000 bytes"):
        quick_client(server, limits=Limits(size=1_000_000)).series_info("UNRATE")
    assert len(server.asked) == 2, "a retry would bring the same"


def test_requests_share_one_connection(server: FredServer) -> None:
    client = quick_client(server)
    for _ in range(5):
        client.series_info("UNRATE")
    with pytest.raises(FredError):
        client.series_info("NOSUCH")
    client.observations("UNRATE")
    assert (client.requests, server.connections) == (7, 1)


def test_server_that_is_silent_or_drips_is_left_on_a_new_and_on_an_open_connection(
    server: FredServer,
) -> None:
    for fault in (
        faults.hang(1.0),
        faults.drip(0.1, 50),
        faults.dripping_head(0.1, 50),
        faults.until_closed(b"<a>" + b" " * 50, pause=0.1),
    ):
        client = quick_client(server, attempts=1, limits=QUICK)
        for _ in range(2):  # the second time on an open connection
            server.script.add("", fault)
            with pytest.raises(Transient, match=r"silence|no complete response within 0\.8 s"):
                client.series_info("UNRATE")
            assert client.series_info("UNRATE").units == "Percent", "the next request has a separate deadline"


def test_response_in_xml_that_is_another_page_is_no_series(server: FredServer) -> None:
    """fredapi takes the attributes of any first element."""
    for body in (b"<html><head id='x' units='Percent'/></html>", b"<seriess/>"):
        server.script.plans[:] = [("", faults.status(200, body=body), ALWAYS)]
        with pytest.raises(Garbled, match="no <series> in the response"):
            quick_client(server).series_info("UNRATE")


def test_redirect_does_not_carry_the_key_away(server: FredServer) -> None:
    with fred_server(server.world) as other:
        server.script.add("", faults.redirected(f"{other.url}/series?series_id=UNRATE"))
        with pytest.raises(FredError, match="FRED responded 302"):
            quick_client(server).series_info("UNRATE")
        assert other.asked == []


FAILURES: dict[str, Fault | None] = {
    "none": None,
    "400": faults.status(400),
    "500": faults.status(500),
    "redirect": faults.redirected("https://example.org/"),
    "page": faults.html(200),
    "broken off": faults.truncated(),
    "dropped": faults.dropped(),
    "garbage for a head": lambda handler, _: handler.wfile.write(b"no HTTP\r\n\r\n"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_the_key_is_in_no_log_line_and_no_variable_of_a_failure(
    server: FredServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """httpx logs each address at INFO and puts the request into its exceptions."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "httpx")
    caplog.set_level(logging.DEBUG, "httpcore")
    client = quick_client(server, attempts=2)
    if fault := FAILURES[name]:
        server.script.add("", fault, ALWAYS)
    shown = ""
    try:
        client.series_info("UNRATE")
    except (FredError, Transient) as failure:
        assert failure.__traceback__ is not None
        inside = failure.__traceback__.tb_next  # without this test's own variables, which hold the key
        formatted = traceback.TracebackException(type(failure), failure, inside, capture_locals=True)
        shown = "".join(formatted.format())
    assert (name == "none") == (shown == "") and KEY not in shown
    logged = [f"{record.getMessage()} {record.args}" for record in caplog.records]
    if name not in ("dropped", "garbage for a head"):
        assert any("HTTP Request: GET" in line and "series_id=UNRATE" in line for line in logged)
    assert [line for line in logged if KEY in line] == []
    assert {"httpcore.http11"} <= {record.name for record in caplog.records}


class _ProxyServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    heads: list[list[str]]


class _Proxy(socketserver.StreamRequestHandler):
    server: _ProxyServer

    def handle(self) -> None:
        lines = []
        while line := self.rfile.readline().strip():
            lines.append(line.decode())
        self.server.heads.append(lines)
        self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def proxy() -> Iterator[tuple[str, list[list[str]]]]:
    """A proxy that lets nobody through, and the head of each request to it."""
    server = _ProxyServer(("127.0.0.1", 0), _Proxy)
    server.heads = []
    with running(server):
        yield f"127.0.0.1:{server.server_address[1]}", server.heads


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_proxy_of_the_environment_is_asked_for_a_tunnel_and_does_not_see_the_key(
    without_proxies: pytest.MonkeyPatch,
) -> None:
    with proxy() as (address, heads):
        without_proxies.setenv("HTTPS_PROXY", address)
        client = FredClient(KEY, "https://fred.invalid/fred")
        with pytest.raises(Transient, match=r"no connection.*407"):
            client._once("https://fred.invalid/fred/series?series_id=UNRATE")
        assert heads[0][0].startswith("CONNECT fred.invalid:443 ")
        assert KEY not in str(heads)
        without_proxies.setenv("NO_PROXY", "fred.invalid")
        with pytest.raises(Transient, match="no connection"):
            client._once("https://fred.invalid/fred/series?series_id=UNRATE")
        assert len(heads) == 1


def test_plain_request_to_this_machine_does_not_go_through_a_proxy(
    server: FredServer, without_proxies: pytest.MonkeyPatch
) -> None:
    """The proxy would read the key."""
    with proxy() as (address, heads):
        without_proxies.setenv("HTTP_PROXY", f"http://{address}")
        without_proxies.setenv("ALL_PROXY", f"http://{address}")
        assert quick_client(server).series_info("UNRATE").units == "Percent"
        assert heads == []


@pytest.mark.parametrize("address", ["ftp://127.0.0.1:1", "socks5://127.0.0.1:1"])
def test_proxy_that_cannot_be_used_is_named_once(without_proxies: pytest.MonkeyPatch, address: str) -> None:
    without_proxies.setenv("HTTPS_PROXY", address)
    naps = Naps()
    client = FredClient(KEY, "https://fred.invalid/fred")
    with pytest.raises(FredError, match="the proxy of the environment cannot be used"):
        client.series_info("UNRATE")
    assert client.requests == 1 and naps.slept == []
