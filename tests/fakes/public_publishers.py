"""The publishers of the profile public, each with the sample's figures of a day in its own layout.

Each carrier has a server of its own, so that one of them can be down. What only they serve and the sample lacks is not
served: those series are unknown to their publisher.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from assets.catalog.loader import load_catalog
from assets.catalog.models import ReaderKey, Series
from assets.sources.public.shared import carrier_of
from pipelines.settings import URL_VARIABLES
from tests.fakes import fiscal_data
from tests.fakes.all_publishers import END, label_world, routes_of
from tests.fakes.fred_world import World, first_known
from tests.fakes.public_layouts import (
    REGISTER,
    Made,
    bea_data,
    bls_answer,
    claims_report,
    mts_rows,
    release_path,
    release_zip,
    zipped,
)
from tests.fakes.publishers import PUBLISHERS
from tests.fakes.server import Answer, Loopback, Served, running
from tests.fakes.shiller import old_workbook

Routes = dict[str, Answer]
Figures = dict[str, float]  # by ISO date, NaN where published as missing
OfReader = Mapping[Series, Figures]
FIRST_STATED_LOWER = 22.5  # millions of dollars
_MONTHS = list(calendar.month_name)[1:]
_PADDING = {"H41": 1260}  # further series, for the real size of the file: 115 MB unpacked


# Series the sample lacks are served as a multiple of one it has.
_LIKE = {
    "DGS2": ("DGS10", 0.9), "DGS3MO": ("DGS10", 0.8), "DFF": ("DGS10", 0.7), "WSHOBL": ("TREAST", 0.1),
    "WTREGEN": ("WDTGAL", 1.0), "TOTRESNS": ("BOGMBASE", 0.6), "TOTLL": ("TOTBKCR", 0.6),
    "NFCICREDIT": ("NFCI", 1.0), "NFCINONFINLEVERAGE": ("NFCI", 1.0),
    "A679RC1Q027SBEA": ("A091RC1Q027SBEA", 1.0), "B235RC1Q027SBEA": ("A091RC1Q027SBEA", 1.0),
}  # fmt: skip


@functools.cache
def _world() -> World:
    world = label_world(END)
    for name, (other, factor) in _LIKE.items():
        like = world.series[other]
        world.series[name] = replace(like, series_id=name, value=like.value * factor)
    return world


def served_by(reader: ReaderKey, day: dt.date) -> dict[Series, Figures]:
    """The series of a reader with their figures on a day, as far as there are any."""
    known = _world().series
    return {
        one: known[one.series_id].as_of(day.isoformat())
        for one in load_catalog().in_profile("public")
        if carrier_of(one).reader == reader and one.series_id in known
    }


def board(day: dt.date) -> Routes:
    """The release files, posted on that day."""
    releases: dict[str, dict[str, Made]] = {}
    for one, figures in served_by("board", day).items():
        carrier = carrier_of(one)
        unit, _, multiplier = (carrier.unit or "").partition(" x ")
        rows = [
            (_board_day(at, one), None if np.isnan(value) else round(value * carrier.divisor, 6))
            for at, value in figures.items()
        ]
        releases.setdefault(carrier.release or "", {})[carrier.code or ""] = Made(unit, multiplier, rows)
    return {
        release_path(name): Served(
            release_zip(name, made, padding=_PADDING.get(name, 0)), last_modified=_noon(day)
        )
        for name, made in releases.items()
    }


def _board_day(at: str, series: Series) -> str:
    if series.frequency != "M":
        return at
    year, month = int(at[:4]), int(at[5:7])
    return f"{at[:8]}{calendar.monthrange(year, month)[1]}"


def z1(day: dt.date) -> Routes:
    """One table with the series of the catalogue; the file of every release since 2018, and the current one.

    A quarter is stated 0.1 percent higher at first.
    """
    ((one, figures),) = served_by("z1", day).items()
    quarters = np.array([*figures], dtype="datetime64[D]")
    released = first_known(one, quarters)
    days = [at for at in released[released >= np.datetime64("2018-01-01")] if at <= np.datetime64(day, "D")]
    routes: Routes = {}
    for at in days:
        known = [str(quarter) for quarter, start in zip(quarters, released, strict=True) if start <= at]
        routes[f"/z1/{str(at).replace('-', '')}/z1_csv_files.zip"] = Served(_z1_zip(one, figures, known))
    listed = [
        {"yearValue": str(at)[:4], "Months": [{"Dates": [str(at).replace("-", "")]}]} for at in days[::-1]
    ]
    routes["/z1/releaseDates.json"] = Served(json.dumps(listed).encode(), "application/json")
    current = Served(_z1_zip(one, figures, [*figures]), last_modified=_noon(days[-1].item()))
    return routes | {"/z1/current/z1_csv_files.zip": current}


def _z1_zip(one: Series, figures: Figures, quarters: list[str]) -> bytes:
    value = {at: figures[at] * (1.001 if at == max(quarters) else 1.0) for at in quarters}
    lines = [f"{at[:4]}:Q{(int(at[5:7]) + 2) // 3},{value[at]!r}" for at in quarters]
    table = "\n".join([f"date,{carrier_of(one).code}", *lines]).encode()
    return zipped({f"csv/{carrier_of(one).release}.csv": table})


def nyfed(day: dt.date) -> Routes:
    """EFFR of every business day with the range in force; no operation: made-up ones contradict the balance sheet."""
    steps = next(figures for one, figures in served_by("nyfed", day).items() if one.is_step)
    days = np.arange(min(steps), day.isoformat(), dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    changes = np.array(sorted(steps), dtype="datetime64[D]")
    rates = np.array([steps[at] for at in sorted(steps)])[np.searchsorted(changes, days, side="right") - 1]
    rows = [
        {"effectiveDate": str(at), "type": "EFFR", "targetRateFrom": rate - 0.25, "targetRateTo": rate}
        for at, rate in zip(days, rates, strict=True)
    ]

    def answer(query: dict[str, str]) -> Served:
        found = [row for row in rows if str(row["effectiveDate"]) >= query["startDate"]]
        return Served(json.dumps({"refRates": found}).encode(), "application/json")

    return {"/rates/unsecured/effr/search.json": answer}


def _noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def bea(found: OfReader, posted: dt.datetime) -> Routes:
    """Both files of figures, and the register."""
    files: dict[str, list[tuple[str, str, str]]] = {"NipaDataQ": [], "NipaDataM": []}
    register = [REGISTER.splitlines()[0]]
    for one, figures in found.items():
        carrier = carrier_of(one)
        code, is_index = carrier.code or "", one.unit_kind == "index"
        register.append(
            f'{code},"{one.series_id}","{carrier.unit}","Level",{0 if is_index else -6},T1:1,NONE'
        )
        for at, value in figures.items():
            period = f"{at[:4]}Q{(int(at[5:7]) + 2) // 3}" if one.frequency == "Q" else f"{at[:4]}M{at[5:7]}"
            files[carrier.release or ""].append((code, period, f"{value if is_index else 1000 * value:,.3f}"))
    served = {f"/{name}.txt": Served(bea_data(rows), last_modified=posted) for name, rows in files.items()}
    return {**served, "/SeriesRegister.txt": Served("\r\n".join(register).encode(), last_modified=posted)}


def bls(found: OfReader, posted: dt.datetime) -> Routes:
    """The interface, for the years that are asked for."""

    def answer(query: dict[str, str]) -> Served:
        asked = json.loads(query["body"])
        rows = {
            carrier_of(one).code or "": [
                (at[:4], f"M{at[5:7]}", "-" if math.isnan(value) else repr(value))
                for at, value in sorted(figures.items(), reverse=True)
                if asked["startyear"] <= at[:4] <= asked["endyear"]
            ]
            for one, figures in found.items()
        }
        return Served(bls_answer(rows), "application/json")

    return {"/": answer}


def mts(found: OfReader, posted: dt.datetime) -> Routes:
    """A statement a month since March 2015, in dollars, a deficit positive, the newest month 22.5 million lower."""
    (figures,) = found.values()
    statements: dict[str, dict[int, dict[str, str]]] = {}
    for newest in (at for at in figures if at >= "2015-03"):
        years: dict[int, dict[str, str]] = defaultdict(dict)
        for at in (at for at in figures if f"{_fiscal_year(newest) - 2}-10" <= at <= newest):
            amount = -1e6 * (figures[at] - FIRST_STATED_LOWER * (at == newest))
            years[_fiscal_year(at)][_MONTHS[int(at[5:7]) - 1]] = f"{amount:.2f}"
        statements[f"{newest[:8]}{calendar.monthrange(int(newest[:4]), int(newest[5:7]))[1]}"] = years
    rows = mts_rows(statements)

    def answer(query: dict[str, str]) -> Served:
        first = query.get("filter", "record_date:gte:").removeprefix("record_date:gte:")
        return fiscal_data.page([row for row in rows if row["record_date"] >= first], query)

    return {"/": answer}


def _fiscal_year(month: str) -> int:
    return int(month[:4]) + (int(month[5:7]) >= 10)


def nfci(found: OfReader, posted: dt.datetime) -> Routes:
    """The file of the indexes."""
    columns = {carrier_of(one).code: figures for one, figures in found.items()}
    days = sorted(set().union(*columns.values()))
    lines = [
        ",".join([f"{day[5:7]}/{day[8:]}/{day[:4]}", *(repr(figures[day]) for figures in columns.values())])
        for day in days
    ]
    heading = ",".join(["Friday_of_Week", *map(str, columns)])
    return {"/": Served("\n".join([heading, *lines]).encode(), last_modified=posted)}


def claims(found: OfReader, posted: dt.datetime) -> Routes:
    """The report of all weeks."""
    (figures,) = found.values()
    weeks = [(f"{at[5:7]}/{at[8:]}/{at[:4]}", f"{value:,.0f}") for at, value in figures.items()]
    return {"/": Served(claims_report(weeks), "text/xml")}


def hqm(found: OfReader, posted: dt.datetime) -> Routes:
    """A workbook for every five years."""
    ((one, figures),) = found.items()
    routes: Routes = {}
    for first in range(1984, posted.year + 1, 5):
        months = {at: value for at, value in figures.items() if first <= int(at[:4]) < first + 5}
        heading = [None, *(f"{_MONTHS[int(at[5:7]) - 1][:3]} {at[:4]}" for at in months)]
        rows = [["HQM Corporate Bond Yield Curve Spot Rates, monthly average"], heading]
        rows.append([float(carrier_of(one).code or ""), *months.values()])
        name = f"/hqm_{first % 100:02}_{(first + 4) % 100:02}.xls"
        routes[name] = Served(old_workbook(rows, "HQM", has_cover=False), last_modified=posted)
    return routes


_AGENCIES: Mapping[ReaderKey, Callable[[OfReader, dt.datetime], Routes]] = {
    "bea": bea,
    "bls": bls,
    "claims": claims,
    "hqm": hqm,
    "mts": mts,
    "nfci": nfci,
}


def _agency(reader: ReaderKey, day: dt.date) -> Routes:
    return _AGENCIES[reader](served_by(reader, day), _noon(day))


# What each carrier serves on a day, below the address its variable names.
CARRIERS: Mapping[ReaderKey, Callable[[dt.date], Routes]] = {
    "board": board,
    "z1": z1,
    "nyfed": nyfed,
    **{reader: functools.partial(_agency, reader) for reader in _AGENCIES},
}


@dataclass
class PublicPublishers:
    """The servers by reader; `addresses` are the environment's."""

    servers: dict[ReaderKey, Loopback]

    def show(self, day: dt.date) -> None:
        """What each of them serves on a day."""
        for reader in CARRIERS:
            self.servers[reader].routes = {}
        for reader, routes in CARRIERS.items():
            self.servers[reader].routes |= routes(day)
        for key, found in routes_of(day, self.servers["shiller"].root).items():
            self.servers[key].routes = dict(found)

    @property
    def urls(self) -> dict[ReaderKey, str]:
        """Address of each by reader."""
        return {key: self.addresses[name] for key, name in URL_VARIABLES.items()}

    @property
    def addresses(self) -> dict[str, str]:
        """Address of each by environment variable; the accounts stand below the Board's address."""
        of_files = {p.source.variable: self.servers[key].root + p.path for key, p in PUBLISHERS.items()}
        here = {URL_VARIABLES[reader]: self.servers[reader].root for reader in CARRIERS}
        return here | of_files | {URL_VARIABLES["rtdsm"]: "http://127.0.0.1:9/nothing"}

    def requests(self) -> dict[ReaderKey, int]:
        """Requests each has seen, which are forgotten."""
        counts = {reader: len(server.requests) for reader, server in self.servers.items()}
        for server in self.servers.values():
            server.requests.clear()
        return counts


@contextmanager
def public_publishers(day: dt.date) -> Iterator[PublicPublishers]:
    """The publishers, running, with what they serve on a day."""
    with ExitStack() as stack:
        readers: list[ReaderKey] = [*CARRIERS, "fed_board", "fiscal_data", "shiller", "world_bank"]
        servers = {reader: stack.enter_context(running(Loopback({}))) for reader in readers}
        servers["z1"] = servers["board"]
        publishers = PublicPublishers(servers)
        publishers.show(day)
        yield publishers
