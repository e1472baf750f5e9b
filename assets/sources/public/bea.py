"""The Bureau of Economic Analysis' flat files: every figure of the national accounts, without a key.

`NipaDataQ.txt` (35 MB) and `NipaDataM.txt` have a line per series and period; the percent sign is part of the heading.
They state no unit: `SeriesRegister.txt` has the kind of each series and its scale, a power of ten (-6: the figures are
millions). A period that has no figure has no line. A price index must be 100 in its base year.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import ClassVar, NamedTuple

from assets.catalog.models import Series
from assets.sources.file_source import RETRIES, FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.pacing import RetryPolicy
from assets.sources.parse import Figures, Unusable, month_stamp, number
from assets.sources.protocol import base_years
from assets.sources.public.shared import SeveralFiles, carrier_of, code_of, codes_of

ADDRESS = "https://apps.bea.gov/national/Release/TXT"
VARIABLE = "BEA_URL"
_DATA_HEADING = "%SeriesCode,Period,Value"
_REGISTER_HEADING = "%SeriesCode,SeriesLabel,MetricName,CalculationType,DefaultScale,"
_PERIOD = re.compile(r"(\d{4})(?:Q([1-4])|M(0[1-9]|1[0-2]))")
_DIVISORS = {("usd_bn", -6): 1000.0, ("usd_mn", -6): 1.0, ("index", 0): 1.0}  # to the unit of the series
_BASE_TOLERANCE = 0.5  # index points: the mean of rounded months and quarters


class Registered(NamedTuple):
    """What the register states of a series: "Current Dollars", "Level", -6."""

    metric: str
    calculation: str
    scale: int


def parse_data(content: bytes, codes: Iterable[str]) -> dict[str, Figures]:
    """The figures of some series, by code; periods by their first day. Raises Unusable."""
    text = _text(content, _DATA_HEADING)
    wanted = {code: ([], []) for code in codes}  # type: dict[str, tuple[list[str], list[float]]]
    alternatives = "|".join(map(re.escape, wanted))
    for match in re.finditer(rf"^({alternatives}),([^,\n]*),(.*)$", text, re.MULTILINE):
        code, period, cell = match.groups()
        stamp = _PERIOD.fullmatch(period)
        if stamp is None:
            raise Unusable("not_a_date", f"{code}: {period[:40]!r} is no period like 2026Q1 or 2026M05")
        month = 3 * int(stamp[2]) - 2 if stamp[2] else int(stamp[3])
        if cell[:1] == '"' and cell[-1:] != '"':
            raise Unusable("not_a_number", f"{code} in {period}: the line breaks off at {cell[:40]!r}")
        wanted[code][0].append(month_stamp(int(stamp[1]), month, period))
        wanted[code][1].append(number(cell.strip('"').replace(",", ""), f"{code} in {period}"))
    return {code: Figures(*found) for code, found in wanted.items() if found[0]}


def parse_register(content: bytes, codes: Iterable[str]) -> dict[str, Registered]:
    """The register's entries of some series, by code. Raises Unusable."""
    wanted, found = set(codes), {}
    try:
        for row in csv.reader(io.StringIO(_text(content, _REGISTER_HEADING)), strict=True):
            if row and row[0] in wanted:
                found[row[0]] = Registered(row[2], row[3], int(row[4]))
    except (csv.Error, ValueError, LookupError) as error:
        raise Unusable("missing_column", f"no register of series ({error})") from None
    return found


def _text(content: bytes, heading: str) -> str:
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    if not text.startswith(heading):
        raise Unusable("missing_column", f"the heading is {text[:60]!r}, expected {heading!r}")
    return text


class _Register(FileSource[Mapping[str, Registered]]):
    address, variable = ADDRESS, VARIABLE
    limits: ClassVar[Limits] = Limits(total=300.0, size=64 * 1024 * 1024)

    def read(self, content: bytes) -> Mapping[str, Registered]:
        return parse_register(content, codes_of("bea"))

    def entries(self) -> Mapping[str, Registered]:
        """Raises SourceUnreachable, Unusable."""
        obtained = self._table(None)
        assert obtained is not None  # it was not asked whether it has changed
        return obtained.table


class _DataFile(FileSource[Mapping[str, Figures]]):
    address, variable = ADDRESS, VARIABLE
    limits: ClassVar[Limits] = Limits(total=600.0, size=128 * 1024 * 1024)

    def __init__(self, url: str, retries: RetryPolicy, register: _Register) -> None:
        super().__init__(url, retries)
        self._register = register

    def read(self, content: bytes) -> Mapping[str, Figures]:
        return parse_data(content, codes_of("bea"))

    def figures(self, obtained: Obtained[Mapping[str, Figures]], series: Series) -> Figures:
        code = code_of(series)
        registered = self._register.entries().get(code)
        if registered is None:
            raise Unusable("missing_column", f"{code} is not in SeriesRegister.txt")
        return in_unit_of(series, obtained.table[code], registered)


def in_unit_of(series: Series, figures: Figures, registered: Registered) -> Figures:
    """The figures in the unit of the catalogue. Raises Unusable (unit_changed) for another kind, scale or base year."""
    carrier = carrier_of(series)
    divisor = _DIVISORS.get((series.unit_kind, registered.scale))
    if divisor is None or registered.calculation != "Level" or registered.metric != carrier.unit:
        stated = f"{registered.metric!r}, {registered.calculation!r}, scale {registered.scale}"
        raise Unusable("unit_changed", f"the register states {stated} where {carrier.unit!r} is expected")
    if series.unit_kind == "index":
        _check_base(figures, *base_years(series.unit))
    return figures._replace(values=[value / divisor for value in figures.values])


def _check_base(figures: Figures, year: str) -> None:
    of_year = [value for date, value in zip(figures.dates, figures.values, strict=True) if date[:4] == year]
    if not of_year or abs(fmean(of_year) - 100.0) > _BASE_TOLERANCE:
        mean = f"{fmean(of_year):.2f}" if of_year else "absent"
        raise Unusable("unit_changed", f"the mean of the base year {year} is {mean}, not 100")


class BeaSource(SeveralFiles):
    """The files of figures, and the register when one of them is needed; each downloaded once."""

    address = ADDRESS
    variable = VARIABLE

    def __init__(self, url: str | None = None, retries: RetryPolicy = RETRIES) -> None:
        """`url` is the folder of the files. Raises ValueError for an address without https."""
        super().__init__(url, retries)
        self._register = _Register(f"{self.root}/SeriesRegister.txt", retries)

    def file(self, release: str) -> FileSource[Mapping[str, Figures]]:
        """The source of `NipaDataQ` or `NipaDataM`."""
        return _DataFile(f"{self.root}/{release}.txt", self.retries, self._register)

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._register.requests + super().requests
