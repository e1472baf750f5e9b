"""Initial claims by week, from the Department of Labor's table r539cy (XML, by POST), which is three weeks late.

The newest weeks have seasonal factors and no claims yet: they are left out, never filled. The press release that has
them is a PDF. A blank figure is a no-break space.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from urllib.parse import urlencode

from defusedxml.ElementTree import fromstring

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained
from assets.sources.http import Body, Limits
from assets.sources.parse import Figures, Unusable, american_day, number, until_the_last_figure
from assets.sources.public.shared import code_of

_FIRST_YEAR = 1967


def parse_report(content: bytes, name: str) -> Figures:
    """One figure of every week, by the week's last day; `name` is its path, "InitialClaims/SA". Raises Unusable."""
    try:
        root = fromstring(content)
    except (ET.ParseError, ValueError) as error:
        raise Unusable("missing_column", f"no XML ({type(error).__name__})") from None
    if root.tag != "r539cyNational":
        raise Unusable("missing_column", f"the root is {root.tag[:40]!r}, expected 'r539cyNational'")
    dates, values = [], []
    for week in root.iter("week"):
        day, cell = (week.findtext("weekEnded") or "").strip(), week.findtext(name)
        if cell is None:
            raise Unusable("missing_column", f"the week {day} has no {name}")
        dates.append(american_day(day))
        values.append(number(cell.strip().replace(",", ""), f"{name} in the week {day}"))
    return until_the_last_figure(dates, values)


class ClaimsSource(FileSource[bytes]):
    """The national table of all years."""

    address = "https://oui.doleta.gov/unemploy/wkclaims/report.asp"
    variable = "CLAIMS_URL"
    limits = Limits(size=16 * 1024 * 1024)

    def download(self, since: dt.datetime | None) -> Obtained[bytes]:
        """The report; there is no "changed since"."""
        form = {
            "level": "us", "strtdate": str(_FIRST_YEAR), "enddate": str(self.now().year), "filetype": "xml",
        }  # fmt: skip
        file = self.now_at(self.url, body=Body(urlencode(form).encode(), "application/x-www-form-urlencoded"))
        return Obtained(file.content, file.where, None)

    def figures(self, obtained: Obtained[bytes], series: Series) -> Figures:
        """The figure of the series."""
        return parse_report(obtained.table, code_of(series))
