"""Small files in the layouts of the publishers: the Board's releases, BEA, BLS, the Treasury, Labor, vintages.

The Board's releases are SDMX-ML in a zip, as in the stored H.15 and H.6 files.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.fakes.shiller import old_workbook

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>  <message:MessageGroup '
    'xmlns:message="http://www.SDMX.org/resources/SDMXML/schemas/v1_0/message"  '
    'xmlns:common="http://www.SDMX.org/resources/SDMXML/schemas/v1_0/common"  '
    'xmlns:frb="http://www.federalreserve.gov/structure/compact/common">'
    "<message:Header><message:ID>{release}</message:ID><message:Source>The Data Download Program ends.\n"
    "</message:Source></message:Header>\r\n"
)
_DATASET = '<frb:DataSet id="{release}" xmlns:kf="http://www.federalreserve.gov/structure/compact/{release}_{release}">\r\n'
_TAIL = "</frb:DataSet>\r\n</message:MessageGroup>\r\n"


class Made(NamedTuple):
    """One series of a release: UNIT, UNIT_MULT, and pairs of ISO date and value (None: not published)."""

    unit: str
    multiplier: str
    rows: Iterable[tuple[str, float | None]]


def xml(release: str, series: Mapping[str, Made], *, sentinel: str = "-9999", padding: int = 0) -> bytes:
    """The release's XML, with `padding` further series as long as the longest one, for its real size."""
    blocks = [_series(code, made, sentinel) for code, made in series.items()]
    long = max(blocks, key=len)
    name = next(code for code in series if f'"{code}"' in long)
    blocks += [long.replace(f'"{name}"', f'"PADDING{n}_N.WW"') for n in range(padding)]
    return "".join([_HEAD.format(release=release), _DATASET.format(release=release), *blocks, _TAIL]).encode()


def _series(code: str, made: Made, sentinel: str) -> str:
    rows = "".join(
        f'<frb:Obs OBS_STATUS="ND" OBS_VALUE="{sentinel}" TIME_PERIOD="{day}"/>\r\n'
        if value is None
        else f'<frb:Obs OBS_STATUS="A" OBS_VALUE="{value!r}" TIME_PERIOD="{day}"/>\r\n'
        for day, value in made.rows
    )
    return (
        f'<kf:Series CURRENCY="USD" FREQ="19" SERIES_NAME="{code}" UNIT="{made.unit}" '
        f'UNIT_MULT="{made.multiplier}">\r\n'
        "<frb:Annotations>\r\n<common:Annotation><common:AnnotationText>made for tests</common:AnnotationText>\r\n"
        f"</common:Annotation></frb:Annotations>\r\n{rows}</kf:Series>\r\n"
    )


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of those files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def release_zip(
    release: str, series: Mapping[str, Made], *, sentinel: str = "-9999", padding: int = 0
) -> bytes:
    """The file `FRB_<rel>_xml.zip`."""
    content = xml(release, series, sentinel=sentinel, padding=padding)
    return zipped(
        {f"{release}_data.xml": content, f"{release}_struct.xml": b"<x/>", "frb_common.xsd": b"<x/>"}
    )


def release_path(release: str) -> str:
    """Where the Board serves it, below its address."""
    return f"/{release.lower()}/data/FRB_{release.lower()}_xml.zip"


def bls_answer(
    figures: Mapping[str, Sequence[tuple[str, str, str]]], status: str = "REQUEST_SUCCEEDED"
) -> bytes:
    """Year, period and value of each series, newest first as they are served."""
    series = [
        {
            "seriesID": code,
            "data": [
                {"year": year, "period": period, "periodName": "", "value": value, "footnotes": [{}]}
                for year, period, value in rows
            ],
        }
        for code, rows in figures.items()
    ]
    message = (
        [] if status == "REQUEST_SUCCEEDED" else ["daily threshold for total number of requests reached"]
    )
    return json.dumps({"status": status, "message": message, "Results": {"series": series}}).encode()


REGISTER = (
    "%SeriesCode,SeriesLabel,MetricName,CalculationType,DefaultScale,TableId:LineNo,SeriesCodeParents\r\n"
    'A191RC,"Gross domestic product","Current Dollars","Level",-6,T10105:1,NONE\r\n'
    'DPCCRG,"PCE excluding food and energy","Fisher Price Index","Level",0,T20304:25,NONE\r\n'
)


def bea_data(rows: Sequence[tuple[str, str, str]]) -> bytes:
    """Code, period and value, with its thousands commas."""
    lines = [f'{code},{period},"{value}"' for code, period, value in rows]
    return "\r\n".join(["%SeriesCode,Period,Value", *lines, ""]).encode()


def mts_rows(statements: Mapping[str, Mapping[int, Mapping[str, str]]]) -> list[dict[str, str]]:
    """Rows of the statements: by record date, fiscal year and month name, the amount in dollars."""
    rows = []
    for date, years in statements.items():
        for year, months in years.items():
            parent = f"{date}/{year}"
            rows.append(_mts_row(date, f"FY {year}", parent, "null", "SL", "null"))
            rows += [_mts_row(date, name, f"{parent}/{name}", parent, "MTH", a) for name, a in months.items()]
            rows.append(_mts_row(date, "Year-to-Date", f"{parent}/all", parent, "SL", "1.00"))
    return rows[::-1]  # they come in no order


def _mts_row(date: str, name: str, own_id: str, parent: str, kind: str, amount: str) -> dict[str, str]:
    return {
        "record_date": date, "classification_id": own_id, "parent_id": parent, "classification_desc": name,
        "record_type_cd": kind, "current_month_dfct_sur_amt": amount,
    }  # fmt: skip


def claims_report(weeks: Sequence[tuple[str, str]]) -> bytes:
    """Last day and seasonally adjusted claims of each week."""
    body = "".join(
        f"<week><weekEnded>{day}</weekEnded><InitialClaims><NSA>1</NSA><SA>{claims}</SA></InitialClaims></week>"
        for day, claims in weeks
    )
    return f'<r539cyNational rundate="9/28/2026">{body}</r539cyNational>'.encode()


def workbook(name: str, periods: Sequence[str], vintages: Mapping[str, Sequence[object]]) -> bytes:
    """A workbook of the real-time data set: the cells of each column, from the first period on."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = name
    sheet.append(["DATE", *vintages])
    for n, period in enumerate(periods):
        sheet.append([period, *(column[n] if n < len(column) else "#N/A" for column in vintages.values())])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def spot_rates_workbook(year: int) -> bytes:
    """Spot rates of January and February of a year, for nine and ten years, in the documented layout."""
    rows = [
        ["HQM Corporate Bond Yield Curve Spot Rates, Monthly Average"], [None, year], ["Maturity", "Jan", "Feb"],
        [9.0, 1.0, 1.0], [10.0, 10 + year % 100 / 100, 11 + year % 100 / 100],
    ]  # fmt: skip
    return old_workbook(rows, "HQM", has_cover=False)
