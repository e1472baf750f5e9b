"""Statistical releases of the Federal Reserve Board: `<rel>/data/FRB_<rel>_xml.zip` (H.15, H.4.1, H.6, H.8, G.17).

The zip holds `<REL>_data.xml` (SDMX-ML, up to 130 MB) and schema files. Namespaces differ per data set, so elements are
found by local name. A missing figure has a status other than "A" and an arbitrary number (-9999, -999999): only the
status is looked at. A month is dated by its last day here, by its first in the catalogue. UNIT and UNIT_MULT are
compared with the catalogue, so that a rebased index is refused.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
from typing import IO, Any, ClassVar, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from assets.catalog.models import Frequency, Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.http import Limits
from assets.sources.pacing import RetryPolicy
from assets.sources.parse import Figures, Unusable, iso_day, month_stamp, number
from assets.sources.public.shared import SeveralFiles, code_of, codes_of, figures_in_unit, zip_member

_MISSING = {"ND", "NA", "NC"}  # no data, not available, not calculated
_UNPACKED = 512 * 1024 * 1024


class Published(NamedTuple):
    """One series of a release: unit ("Currency x 1000000"), dates as the Board writes them, NaN where missing."""

    unit: str
    dates: list[str]
    values: list[float]


Release = Mapping[str, Published]


class ReleaseFile(FileSource[Release]):
    """One release. `codes` are the series that are kept of it."""

    variable = "BOARD_RELEASES_URL"
    limits: ClassVar[Limits] = Limits(total=300.0, size=64 * 1024 * 1024)

    def __init__(self, root: str, release: str, codes: Collection[str], retries: RetryPolicy) -> None:
        """`release` as in the file's name: "H15"."""
        super().__init__(f"{root}/{release.lower()}/data/FRB_{release.lower()}_xml.zip", retries)
        self._member, self._codes = f"{release}_data.xml", codes

    def read(self, content: bytes) -> Release:
        """The kept series by code. Raises Unusable."""
        with zip_member(content, self._member, _UNPACKED) as member:
            return parse_release(member, self._codes)

    def figures(self, obtained: Obtained[Release], series: Series) -> Figures:
        """One series in its unit of the catalogue."""
        code = code_of(series)
        found = obtained.table[code]
        stamps = [_stamp(day, series.frequency, code) for day in found.dates]
        return figures_in_unit(series, found.unit, stamps, found.values)


class BoardSource(SeveralFiles):
    """The Board's releases."""

    address = "https://www.federalreserve.gov/releases"
    variable = "BOARD_RELEASES_URL"

    def file(self, release: str) -> ReleaseFile:
        """The release's file, with the codes of the catalogue."""
        return ReleaseFile(self.root, release, codes_of("board", release), self.retries)


def parse_release(stream: IO[bytes], codes: Collection[str]) -> Release:
    """The series of those codes, read one at a time. Raises Unusable.

    A code in several data sets of a release counts once when its figures are the same.
    """
    found: dict[str, Published] = {}
    count = 0
    try:
        for _, element in iterparse(stream, events=("end",)):
            if not element.tag.endswith("}Series"):
                continue
            count += 1
            if (code := element.attrib.get("SERIES_NAME")) in codes:
                one = _published(code, element)
                if found.setdefault(code, one) is not one and str(found[code]) != str(one):
                    raise Unusable("duplicate_key", f"{code} occurs twice with different figures")
            element.clear()
    except (ParseError, DefusedXmlException) as error:
        raise Unusable("missing_column", f"no complete XML ({type(error).__name__}: {error})") from None
    if not count:
        raise Unusable("missing_column", "an XML file without a series")
    return found


def _published(code: str, element: Element) -> Published:
    unit = element.attrib.get("UNIT", "")
    multiplier = number(element.attrib.get("UNIT_MULT", ""), f"the multiplier of {code}")
    if math.isnan(multiplier):
        raise Unusable("unit_changed", f"{code} has no multiplier")
    observations = [child.attrib for child in element if child.tag.endswith("}Obs")]
    dates = [one.get("TIME_PERIOD", "") for one in observations]
    return Published(f"{unit} x {multiplier:.0f}", dates, [_value(code, one) for one in observations])


def _value(code: str, observation: Mapping[str, Any]) -> float:
    status, day = observation.get("OBS_STATUS"), observation.get("TIME_PERIOD")
    if status in _MISSING:
        return math.nan
    if status != "A":
        raise Unusable("not_a_number", f"{code} on {day} has the unknown status {status!r}")
    return number(observation.get("OBS_VALUE", ""), f"{code} on {day}")


def _stamp(day: str, frequency: Frequency, code: str) -> str:
    """The date as the catalogue has it. Raises Unusable (not_a_date)."""
    date = dt.date.fromisoformat(iso_day(day, f" of {code}"))
    return month_stamp(date.year, date.month, day) if frequency == "M" else day
