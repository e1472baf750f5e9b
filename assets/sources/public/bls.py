"""The Bureau of Labor Statistics' public interface, version 1: no key, 25 queries a day, ten years a query.

One query has all series; the full history takes one per decade and is asked for once in four weeks, a night takes one.
Values are texts. A figure that was never published (October 2025) is "-" with a footnote: missing. Besides the months
there is an annual mean, M13. A refused query has the status 200 and says so in its text: the day's quota is spent.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assets.catalog.models import Series
from assets.sources.file_source import Obtained, no_page
from assets.sources.http import Body
from assets.sources.pacing import Permanent
from assets.sources.parse import Figures, Unusable, joined, month_stamp, number
from assets.sources.protocol import SourceUnreachable
from assets.sources.public.shared import WindowedSource, code_of, codes_of

FIRST_YEAR = 1939  # of the oldest series, payrolls
YEARS = 10  # of one query
_MONTH = re.compile(r"M(0[1-9]|1[0-2])")
_NOT_A_MONTH = re.compile(r"M13|[QSA]\d\d")
Table = Mapping[str, Figures]


class Quota(Exception):
    """The interface did not process the query: its message."""


def parse_response(content: bytes) -> Table:
    """The figures of one response by series code. Raises Quota, Unusable."""
    try:
        response = json.loads(content)
        status, messages = response["status"], "; ".join(map(str, response["message"]))
        if status != "REQUEST_SUCCEEDED":
            raise Quota(f"{status}: {messages}"[:200])
        return {str(one["seriesID"]): _figures(one["data"]) for one in response["Results"]["series"]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unusable("missing_column", f"no response of the interface ({type(error).__name__})") from None


def _figures(rows: Sequence[Mapping[str, Any]]) -> Figures:
    """Months in ascending order; "-" is missing."""
    found: list[tuple[str, float]] = []
    for row in rows:
        year, period, text = str(row["year"]), str(row["period"]), str(row["value"]).strip()
        month, what = _MONTH.fullmatch(period), f"{row['year']} {period}"[:40]
        if month is None and _NOT_A_MONTH.fullmatch(period):
            continue
        if month is None or not year.isdigit():
            raise Unusable("not_a_date", f"{what!r} is no month like 2026 M05")
        value = math.nan if text == "-" else number(text, what)
        found.append((month_stamp(int(year), int(month[1]), what), value))
    return Figures([date for date, _ in sorted(found)], [value for _, value in sorted(found)])


class BlsSource(WindowedSource[Table]):
    """All series of the catalogue that it carries, in one query a decade."""

    address = "https://api.bls.gov/publicAPI/v1/timeseries/data/"
    variable = "BLS_URL"

    def download(self, since: dt.datetime | None) -> Obtained[Table]:
        """One query, or one a decade; there is no "changed since"."""
        codes = codes_of("bls")
        parts = [self._query(codes, first, last) for first, last in self._years()]
        found = {
            code: joined([part[code] for part in parts])
            for code in codes
            if all(code in part for part in parts)
        }
        return Obtained(found, self.url, None)

    def _years(self) -> Iterator[tuple[int, int]]:
        this_year = self.now().year
        first = FIRST_YEAR if self.is_full else this_year - YEARS + 1
        for year in range(first, this_year + 1, YEARS):
            yield year, min(year + YEARS - 1, this_year)

    def _query(self, codes: Sequence[str], first: int, last: int) -> Table:
        query = {"seriesid": codes, "startyear": str(first), "endyear": str(last)}
        file = self.now_at(self.url, body=Body(json.dumps(query).encode(), "application/json"))
        try:
            return parse_response(no_page(file.content))
        except Quota as refusal:
            message = f"{self.url}: no answer today: {refusal}"
            raise SourceUnreachable(message, Permanent(str(refusal))) from None

    def figures(self, obtained: Obtained[Table], series: Series) -> Figures:
        """One series of the response."""
        return obtained.table[code_of(series)]
