"""Treasury securities outstanding: table 1 of the Monthly Statement of the Public Debt, by the Fiscal Data API.

The API responds in pages and states the number of rows, so a lost page is noticed. Every value is a text, "null" where
there is none. Rows are ordered by date and line, so that no row changes its page. Until 2004 the statement lists
inflation-indexed notes and bonds separately: their sum is what has been called TIPS since. A month with only one of the
two has no sum.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained, is_page
from assets.sources.parse import Figures, Unusable, is_iso_date, number, until_the_last_figure
from assets.sources.protocol import SourceUnreachable

AMOUNT = "total_mil_amt"
ORDER = ("record_date", "src_line_nbr")
FIELDS = (*ORDER, "security_type_desc", "security_class_desc", AMOUNT)
ANY = "any class"
# The type, and the classes whose amounts add up to the figure: each way of listing them is complete or not used.
CLASSES: Mapping[str, tuple[str, tuple[frozenset[str], ...]]] = {
    "MSPD_BILLS": ("Marketable", (frozenset({"Bills"}),)),
    "MSPD_NOTES": ("Marketable", (frozenset({"Notes"}),)),
    "MSPD_BONDS": ("Marketable", (frozenset({"Bonds"}),)),
    "MSPD_TIPS": (
        "Marketable",
        (
            frozenset({"Treasury Inflation-Protected Securities"}),
            frozenset({"Inflation-Indexed Notes", "Inflation-Indexed Bonds"}),
        ),
    ),
    "MSPD_TOTAL_MARKETABLE": ("Total Marketable", (frozenset({ANY}),)),
}
_PAGE_SIZE = 10_000  # rows, the most the API gives
_MOST_PAGES = 40
_SCALE = re.compile(r"\b(thousands|millions|billions)\b", re.IGNORECASE)


class Statement(NamedTuple):
    """Rows of the table, and the label of its amounts."""

    rows: Sequence[Mapping[str, Any]]
    label: str


class FiscalDataSource(FileSource[Statement]):
    """The API's table."""

    address = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/v1/debt/mspd/mspd_table_1"
    variable = "FISCAL_DATA_URL"
    fields: ClassVar[tuple[str, ...]] = FIELDS
    order: ClassVar[tuple[str, ...]] = ORDER
    amount: ClassVar[str] = AMOUNT
    filter: str | None = None  # of rows, in the API's words

    def download(self, since: dt.datetime | None) -> Obtained[Statement] | None:
        """All pages; the API has no "changed since"."""
        return self.all_pages()

    def all_pages(self) -> Obtained[Statement]:
        """The rows of every page. Raises SourceUnreachable, Unusable."""
        rows: list[Mapping[str, Any]] = []
        page, pages, total, label = 1, 1, 0, ""
        while page <= pages:
            found, meta = self._page(page)
            rows += found
            total, pages = _count(meta, "total-count"), _count(meta, "total-pages")
            if pages > _MOST_PAGES:
                raise Unusable("missing_column", f"{pages} pages where one or two are expected")
            label = str(_mapping(meta.get("labels")).get(self.amount, ""))
            page += 1
        if len(rows) != total:
            raise Unusable("shorter_than_before", f"{len(rows)} rows arrived, the publisher states {total}")
        return Obtained(Statement(rows, label), self.url.split("?")[0], None)

    def _page(self, page: int) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
        """Rows and metadata of one page."""
        query = {
            "fields": ",".join(self.fields),
            "sort": ",".join(self.order),
            "format": "json",
            "page[number]": str(page),
            "page[size]": str(_PAGE_SIZE),
        }
        if self.filter is not None:
            query["filter"] = self.filter
        file = self.get(self.url, query=query)
        if file is None:
            raise SourceUnreachable(f"{self.url}: status 304 (not changed), which was not requested")
        if is_page(file.content):
            raise Unusable("missing_column", "a web page, not the API's response")
        try:
            response = json.loads(file.content)
        except (ValueError, RecursionError) as error:
            raise Unusable("missing_column", f"no JSON ({type(error).__name__})") from None
        rows, meta = _mapping(response).get("data"), _mapping(_mapping(response).get("meta"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Unusable("missing_column", "a response without the table 'data'")
        for name in self.fields:
            if lacking := sum(name not in row for row in rows):
                raise Unusable("missing_column", f"{lacking} of {len(rows)} rows without {name!r}")
        return rows, meta

    def figures(self, obtained: Obtained[Statement], series: Series) -> Figures:
        """Amounts of one type, summed over the classes of the series."""
        kind, ways = CLASSES[series.series_id]
        by_date: dict[str, dict[str, float]] = defaultdict(dict)
        for row in obtained.table.rows:
            date, stated = str(row["record_date"]), str(row["security_class_desc"])
            of = ANY if frozenset({ANY}) in ways else stated
            if row["security_type_desc"] != kind or not any(of in way for way in ways):
                continue
            if not is_iso_date(date):
                raise Unusable("not_a_date", f"{date[:40]!r} is no date like 2026-05-31")
            if of in by_date[date]:
                raise Unusable("duplicate_key", f"{kind}, {stated} occurs twice in {date}")
            by_date[date][of] = number(row[AMOUNT], f"{kind}, {stated} in {date}")
        dates = sorted(by_date)
        values = [_sum(by_date[date], ways, date) for date in dates]
        scale = _SCALE.search(obtained.table.label)
        unit = f"{scale[1].capitalize()} of Dollars" if scale else None
        return until_the_last_figure(dates, values, unit)


def _sum(amounts: Mapping[str, float], ways: Sequence[frozenset[str]], date: str) -> float:
    """The sum over one complete way of listing; NaN where a part is missing or has no amount."""
    if sum(not way.isdisjoint(amounts) for way in ways) > 1:
        raise Unusable("duplicate_key", f"{', '.join(sorted(amounts))} are all listed in {date}")
    return sum(amounts.values()) if amounts.keys() in ways else math.nan


def _count(meta: Mapping[str, Any], name: str) -> int:
    value = meta.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        raise Unusable("missing_column", f"a response without the count {name!r}")
    return int(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
