"""The Treasury's Fiscal Data API: securities outstanding, and the federal surplus or deficit of every month.

The API responds in pages and states the number of rows, so a lost page is noticed. Every value is a text, "null" where
there is none. Rows are ordered by date and line, so that no row changes its page.

Table 1 of the Monthly Statement of the Public Debt has the securities. Until 2004 it lists inflation-indexed notes and
bonds separately: their sum is what has been called TIPS since. A month with only one of the two has no sum.

Table 1 of the Monthly Treasury Statement has the deficit. Each statement lists the months of its fiscal year and of the
one before, and revises some: it is a vintage. The year of a month is that of its parent row ("FY 2026"; October to
December are in the year before). Amounts are dollars, with a deficit positive: here a deficit is negative, as in the
series MTSDS133FMS. A statement has no publication day. The Treasury publishes it on the eighth business day of the next
month, which is the 13th at the latest, and that of September, the end of the fiscal year, in October. It counts from
the day of the lag rule, or from that in `release_delays.toml`; until then it is not used, even if it is there.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.compute.calendar import Days, days, first_publication, released_on
from assets.sources.file_source import FileSource, Obtained, no_page
from assets.sources.parse import (
    MONTHS,
    Figures,
    Unusable,
    iso_day,
    json_of,
    month_stamp,
    number,
    until_the_last_figure,
)

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
        response = json_of(no_page(self.now_at(self.url, query).content))
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
            if of in by_date[iso_day(date)]:
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


# --- the Monthly Treasury Statement ---

DEFICIT = "current_month_dfct_sur_amt"
DEFICIT_SERIES = "MTSDS133FMS"
_FISCAL_YEAR = re.compile(r"FY (\d{4})")
_MONTH_ROW = "MTH"
_DOLLARS_A_MILLION = 1_000_000.0
_NEW_YORK = ZoneInfo("America/New_York")

Deficits = Mapping[str, Mapping[str, float]]  # millions of dollars by statement and month, a deficit negative


def deficits(rows: Sequence[Mapping[str, Any]]) -> Deficits:
    """The months of every statement, both in order. Raises Unusable."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    years = {_key(row): _fiscal_year(row) for row in rows if row["record_type_cd"] != _MONTH_ROW}
    for row in rows:
        statement = iso_day(str(row["record_date"]))
        if row["record_type_cd"] != _MONTH_ROW:
            continue
        month = _month(row, years.get((statement, str(row["parent_id"]))))
        if month in found[statement]:
            raise Unusable("duplicate_key", f"{month} occurs twice in the statement of {statement}")
        amount = number(row[DEFICIT], f"{month} in the statement of {statement}")
        found[statement][month] = -amount / _DOLLARS_A_MILLION
    return {
        statement: {month: value for month, value in sorted(months.items()) if value == value}
        for statement, months in sorted(found.items())
    }


def vintages(found: Deficits, since: str | None = None) -> Figures:
    """What each statement states for the first time or anew; without the statement `since`, which we have."""
    known, rows = dict[str, float](), dict[tuple[str, str], float]()
    for (statement, months), start in zip(found.items(), publication_days([*found]), strict=True):
        if statement != since:
            rows |= {(m, str(start)): value for m, value in months.items() if known.get(m) != value}
        known |= months
    ordered = sorted(rows)
    dates, starts = [month for month, _ in ordered], [start for _, start in ordered]
    return Figures(dates, [rows[key] for key in ordered], "Millions of Dollars", starts=starts)


def publication_days(statements: Sequence[str]) -> Days:
    """The day each statement counts from; none counts before an earlier one."""
    catalog = load_catalog()
    months = days(statements).astype("datetime64[M]").astype("datetime64[D]")
    listed = released_on(catalog.release_delays, DEFICIT_SERIES)
    return np.maximum.accumulate(first_publication(months, catalog.series[DEFICIT_SERIES], listed))


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["record_date"]), str(row["classification_id"])


def _fiscal_year(row: Mapping[str, Any]) -> int | None:
    match = _FISCAL_YEAR.fullmatch(str(row["classification_desc"]).strip())
    return int(match[1]) if match else None


def _month(row: Mapping[str, Any], fiscal_year: int | None) -> str:
    """The first day of the month a row is about; it cannot be later than its statement."""
    name, statement = str(row["classification_desc"]).strip(), str(row["record_date"])
    if fiscal_year is None or name[:3].lower() not in MONTHS:
        raise Unusable(
            "not_a_date", f"{name[:40]!r} in the statement of {statement} has no fiscal year above it"
        )
    month = MONTHS.index(name[:3].lower()) + 1
    stamp = month_stamp(fiscal_year - (month >= 10), month, name)
    if stamp[:7] > statement[:7]:
        raise Unusable("future_date", f"{stamp} is after its statement of {statement}")
    return stamp


class MtsSource(FiscalDataSource):
    """The API's table: all statements, or those since our newest one."""

    address = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/v1/accounting/mts/mts_table_1"
    variable = "MTS_URL"
    amount = DEFICIT
    order = ("record_date", "classification_id")
    fields = (*order, "parent_id", "classification_desc", "record_type_cd", DEFICIT)

    def download(self, since: dt.datetime | None) -> Obtained[Statement] | None:
        """The statements that count by today; with `since`, the day of our newest one, from that one on.

        The newest statement's day is the moment of the last change. None when none is newer than ours.
        """
        ours = f"{since:%Y-%m-%d}" if since else None
        self.filter = f"record_date:gte:{ours}" if ours else None
        obtained = self.all_pages()
        rows, found = obtained.table.rows, deficits(obtained.table.rows)
        today = np.datetime64(self.now().astimezone(_NEW_YORK).date(), "D")
        counting = [*found][: int((publication_days([*found]) <= today).sum())]
        if ours is not None and counting[:1] != [ours]:  # the statement we have is gone
            return self.download(None)
        if counting == [ours]:
            return None
        if not counting:
            raise Unusable("empty_file", "no statement that counts by today")
        newest = dt.datetime.combine(dt.date.fromisoformat(counting[-1]), dt.time(), dt.UTC)
        kept = [row for row in rows if row["record_date"] in counting]
        return Obtained(Statement(kept, obtained.table.label), obtained.where, newest, since is None)

    def figures(self, obtained: Obtained[Statement], series: Series) -> Figures:
        """The vintages of all months; of an incomplete table, the first statement is the one we have."""
        found = deficits(obtained.table.rows)
        return vintages(found, None if obtained.is_complete else next(iter(found)))
