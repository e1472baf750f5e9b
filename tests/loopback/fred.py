"""A FRED for tests: the five addresses the client asks, in XML, with FRED's own limits, and faults by script.

Belongs here: the protocol. Does not belong here: what the figures are (`sample_series`, or a test's own).
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import quoteattr

KEY = "0123456789abcdef0123456789abcdef"
OPEN_END = "9999-12-31"
ROWS, VINTAGES = 100_000, 2_000  # in one answer
Period = tuple[str, str, str, str]  # observation, real-time start and end, value ("." where missing)
_FREQUENCY = {"D": "Daily", "W": "Weekly, Ending Wednesday", "M": "Monthly", "Q": "Quarterly"}


@dataclass(frozen=True)
class Served:
    """One series: `periods` by observation and start; without vintages every period is open and starts today."""

    periods: tuple[Period, ...]
    units: str = "Percent"
    frequency: str = "Monthly"
    title: str = "A series"
    last_updated: str = "2026-05-30 07:44:03-05"
    has_vintages: bool = False
    release_dates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What the next requests get instead of an answer."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    truncate: bool = False
    seconds: float = 0.0  # of silence before anything comes
    drip: float = 0.0  # seconds between bytes


@dataclass
class Fred:
    """The server's state. `faults` by path (`series/observations`) or `path?series_id`, used up one a request."""

    series: dict[str, Served]
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def fault(self, path: str, series_id: str) -> Fault | None:
        """The next scripted fault of an address, if any."""
        for name in (f"{path}?{series_id}", path, "*"):
            if self.faults.get(name):
                return self.faults[name].pop(0)
        return None

    @property
    def requests(self) -> int:
        """Requests since the counter was last cleared."""
        return sum(self.asked.values())

    def update(self, series_id: str, **changes: object) -> None:
        """Serve something else of a series, as updated a day later."""
        self.series[series_id] = replace(self.series[series_id], **changes)  # type: ignore[arg-type]

    def truth(self, series_id: str, as_of: str) -> dict[str, str]:
        """Values by observation as they stood on a day, missing ones left out."""
        held = self.series[series_id].periods
        return {o: value for o, start, end, value in held if start <= as_of <= end and value != "."}


@contextmanager
def serving(series: dict[str, Served]) -> Iterator[Fred]:
    """A server on a free port of the loopback, for the length of a block."""
    fred = Fred(dict(series))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fred": fred}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fred.url = f"http://127.0.0.1:{server.server_address[1]}/fred"
    try:
        yield fred
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sample_series(sample: Path, ids: dict[str, str]) -> dict[str, Served]:
    """The sample's files as FRED would serve them without vintages; `ids` gives frequencies by series id."""
    with (sample / "provenance.csv").open(encoding="utf-8", newline="") as file:
        stated = {row["series_id"]: row for row in csv.DictReader(file)}
    found = {}
    for series_id, frequency in ids.items():
        path = sample / f"{series_id}.csv"
        if path.exists():
            rows = list(csv.reader(path.read_text("utf-8").splitlines()))[1:]
            periods = tuple((date, "2026-05-30", OPEN_END, value or ".") for date, value in rows)
            units = stated.get(series_id, {}).get("unit", "")
            found[series_id] = Served(periods, units, _FREQUENCY[frequency], title=series_id)
    return found


class _Handler(BaseHTTPRequestHandler):
    fred: Fred

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/fred/")
        self.fred.asked[path] += 1
        fault = self.fred.fault(path, asked.get("series_id", ""))
        status, body = _answer(self.fred, path, asked)
        with suppress(OSError):  # the client has left
            self._send(fault or Fault(status), body)

    def _send(self, fault: Fault, body: bytes) -> None:
        time.sleep(fault.seconds)
        if fault.drop:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = body if fault.body is None else fault.body
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for part in [body] if not fault.drip else [bytes([byte]) for byte in body]:
            self.wfile.write(part[: len(part) // 2] if fault.truncate else part)
            time.sleep(fault.drip)
        self.close_connection = self.close_connection or fault.truncate

    def log_message(self, *_: object) -> None:
        """Nothing: tests read their own output."""


def _answer(fred: Fred, path: str, asked: dict[str, str]) -> tuple[int, bytes]:
    key = asked.get("api_key", "")
    if not re.fullmatch("[0-9a-z]{32}", key):
        return _error("The value for variable api_key is not a 32 character alpha-numeric lower-case string.")
    if key != KEY:
        return _error("The value for variable api_key is not registered.")
    if path == "release/dates":
        return _release_dates(fred, asked)
    served = fred.series.get(asked.get("series_id", ""))
    if served is None:
        return _error("The series does not exist.")
    return (
        _PATHS[path](served, asked) if path in _PATHS else (404, b"<error code='404' message='Not Found'/>")
    )


def _error(message: str, code: int = 400) -> tuple[int, bytes]:
    return code, f'<error code="{code}" message={quoteattr(f"Bad Request.  {message}")}/>'.encode()


def _info(served: Served, asked: dict[str, str]) -> tuple[int, bytes]:
    told = {
        "id": asked["series_id"], "title": served.title, "frequency": served.frequency,
        "units": served.units, "last_updated": served.last_updated,
    }  # fmt: skip
    return 200, f"<seriess><series {_attributes(told)}/></seriess>".encode()


def _observations(served: Served, asked: dict[str, str]) -> tuple[int, bytes]:
    today = dt.date.today().isoformat()
    first, last = asked.get("realtime_start", today), asked.get("realtime_end", today)
    periods = [p for p in served.periods if p[0] >= asked.get("observation_start", "")]
    if "realtime_start" in asked:
        if not served.has_vintages:
            return _error("The series does not exist in ALFRED but may exist in FRED.")
        inside = {start for _, start, _, _ in served.periods if first < start <= last}
        if len(inside) > VINTAGES:
            return _error(f"This exceeds the maximum number of vintage dates allowed ({VINTAGES}).")
        periods = [p for p in periods if p[1] <= last and p[2] >= first]
    else:
        periods = [p for p in periods if p[2] == OPEN_END]
    clipped = [(o, max(start, first), min(end, last), value) for o, start, end, value in periods]
    names = ("date", "realtime_start", "realtime_end", "value")
    return _page(
        "observations", "observation", [dict(zip(names, p, strict=True)) for p in clipped], asked, ROWS
    )


def _vintage_dates(served: Served, asked: dict[str, str]) -> tuple[int, bytes]:
    dates = sorted({start for _, start, _, _ in served.periods})
    offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 10_000))
    shown = "".join(f"<vintage_date>{date}</vintage_date>" for date in dates[offset : offset + limit])
    return 200, f'<vintage_dates count="{len(dates)}">{shown}</vintage_dates>'.encode()


def _release(served: Served, asked: dict[str, str]) -> tuple[int, bytes]:
    number = sum(map(ord, asked["series_id"]))
    return (
        200,
        f'<releases><release id="{number}" name="Release of {asked["series_id"]}"/></releases>'.encode(),
    )


def _release_dates(fred: Fred, asked: dict[str, str]) -> tuple[int, bytes]:
    of_release = [s for id_, s in fred.series.items() if str(sum(map(ord, id_))) == asked.get("release_id")]
    dates = sorted({date for served in of_release for date in served.release_dates})
    shown = "".join(f"<release_date>{date}</release_date>" for date in dates)
    return 200, f'<release_dates count="{len(dates)}">{shown}</release_dates>'.encode()


def _page(
    root: str, tag: str, rows: list[dict[str, str]], asked: dict[str, str], most: int
) -> tuple[int, bytes]:
    offset, limit = int(asked.get("offset", 0)), min(int(asked.get("limit", most)), most)
    shown = "".join(f"<{tag} {_attributes(row)}/>" for row in rows[offset : offset + limit])
    return 200, f'<{root} count="{len(rows)}" offset="{offset}" limit="{limit}">{shown}</{root}>'.encode()


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())


_PATHS: dict[str, Callable[[Served, dict[str, str]], tuple[int, bytes]]] = {
    "series": _info,
    "series/observations": _observations,
    "series/vintagedates": _vintage_dates,
    "series/release": _release,
}
