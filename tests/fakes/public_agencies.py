"""BEA, BLS, the Treasury, the Chicago Fed and Labor in the profile public, with the sample's figures of a day."""

from __future__ import annotations

import calendar
import datetime as dt
import json
import math
from collections import defaultdict
from collections.abc import Mapping

from assets.catalog.models import Series
from assets.sources.public.shared import carrier_of
from tests.fakes import fiscal_data
from tests.fakes.public_readers import REGISTER, bea_data, bls_answer, claims_report, mts_rows
from tests.fakes.server import Answer, Served
from tests.fakes.shiller import old_workbook

Routes = dict[str, Answer]
OfReader = Mapping[Series, dict[str, float]]  # figures by ISO date, NaN where published as missing
FIRST_STATED_LOWER = 22.5  # millions of dollars
_MONTHS = list(calendar.month_name)[1:]


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
