"""Treasury securities outstanding: table 1 of the Monthly Statement of the Public Debt, by the Fiscal Data API.

Belongs here: that API's pages and the table's classes. Does not belong here: HTTP (`download.py`).

The API answers in pages and says how many rows there are; a page lost on the way is noticed by that count. Every
value is a text, "null" where there is none. Rows are ordered by date and line, so that no row changes its page.
Until 2004 the statement lists inflation-indexed notes and bonds apart: their sum is what is called TIPS since. A month
with one of the two has no sum.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assets.sources.download import Downloader, File, Unreachable, Unusable, is_page
from assets.sources.file_source import Figures, FileSource, Obtained, Publisher
from assets.sources.http import Limits
from assets.sources.pacing import Patience
from assets.sources.parse import is_iso_date
from assets.sources.tabular import number, until_the_last_figure

ADDRESS = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/v1/debt/mspd/mspd_table_1"
VARIABLE = "FISCAL_DATA_URL"
AMOUNT = "total_mil_amt"
ORDER = ("record_date", "src_line_nbr")
FIELDS = (*ORDER, "security_type_desc", "security_class_desc", AMOUNT)
ANY = "any class"
# The type, and the classes whose amounts make the figure: each way of listing them is whole or counts for nothing.
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
_MOST_NOTES = 3
_SCALE = re.compile(r"\b(thousands|millions|billions)\b", re.IGNORECASE)


class Statement(NamedTuple):
    """Rows of the table, and the words over its amounts."""

    rows: Sequence[Mapping[str, Any]]
    label: str


def fiscal_data_source(
    address: str | None = None, patience: Patience | None = None, limits: Limits | None = None
) -> FileSource[Statement]:
    """The API's table at an address. Raises ValueError for an unsafe address."""
    downloader = Downloader(address or ADDRESS, VARIABLE, patience, limits)
    return FileSource(Publisher(downloader, lambda _since: _statement(downloader), _figures))


def _statement(downloader: Downloader) -> Obtained[Statement]:
    """All pages; the API has no word for "not changed since"."""
    rows: list[Mapping[str, Any]] = []
    number_of_pages, total, label, where = 1, 0, "", downloader.address
    page = 1
    while page <= number_of_pages:
        file = _page(downloader, page)
        found, meta = _parsed(file)
        rows += found
        where = file.where
        total, number_of_pages = _count(meta, "total-count"), _count(meta, "total-pages")
        if number_of_pages > _MOST_PAGES:
            raise Unusable("missing_column", f"{number_of_pages} pages where one or two are expected")
        label = str(_mapping(meta.get("labels")).get(AMOUNT, ""))
        page += 1
    if len(rows) != total:
        raise Unusable("shorter_than_before", f"{len(rows)} rows came, the publisher says there are {total}")
    return Obtained(Statement(rows, label), where, None)


def _page(downloader: Downloader, page: int) -> File:
    query = {
        "fields": ",".join(FIELDS),
        "sort": ",".join(ORDER),
        "format": "json",
        "page[number]": str(page),
        "page[size]": str(_PAGE_SIZE),
    }
    file = downloader.get(downloader.address, query=query)
    if file is None:
        raise Unreachable(f"{downloader.address}: the server says nothing changed, without being asked")
    return file


def _parsed(file: File) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    if is_page(file.content):
        raise Unusable("missing_column", "a page for people, not the API's answer")
    try:
        answer = json.loads(file.content)
    except (ValueError, RecursionError) as error:
        raise Unusable("missing_column", f"no JSON ({type(error).__name__})") from None
    rows, meta = _mapping(answer).get("data"), _mapping(_mapping(answer).get("meta"))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unusable("missing_column", "an answer without the table 'data'")
    for name in FIELDS:
        if lacking := sum(name not in row for row in rows):
            raise Unusable("missing_column", f"{lacking} of {len(rows)} rows without {name!r}")
    return rows, meta


def _figures(obtained: Obtained[Statement], series_id: str) -> Figures:
    kind, ways = CLASSES[series_id]
    by_date: dict[str, dict[str, float]] = defaultdict(dict)
    for row in obtained.table.rows:
        date, stated = str(row["record_date"]), str(row["security_class_desc"])
        of = ANY if frozenset({ANY}) in ways else stated
        if row["security_type_desc"] != kind or not any(of in way for way in ways):
            continue
        if not is_iso_date(date):
            raise Unusable("not_a_date", f"{date[:40]!r} is no date like 2026-05-31")
        if of in by_date[date]:
            raise Unusable("duplicate_key", f"{kind}, {stated} stands twice in {date}")
        by_date[date][of] = number(row[AMOUNT], f"{kind}, {stated} in {date}")
    dates = sorted(by_date)
    values = [_whole(by_date[date], ways, date) for date in dates]
    partial = [
        f"{date} has {', '.join(by_date[date])} alone" for date in dates if by_date[date].keys() not in ways
    ]
    return until_the_last_figure(dates, values, _unit(obtained.table.label), tuple(partial[:_MOST_NOTES]))


def _whole(amounts: Mapping[str, float], ways: Sequence[frozenset[str]], date: str) -> float:
    """The sum over one whole way of listing; NaN where a part is not there, or has no amount."""
    if sum(not way.isdisjoint(amounts) for way in ways) > 1:
        raise Unusable("duplicate_key", f"{', '.join(sorted(amounts))} stand side by side in {date}")
    return sum(amounts.values()) if amounts.keys() in ways else math.nan


def _unit(label: str) -> str | None:
    """The unit the API's label states, "Total Public Debt Outstanding (in Millions)"; None when it states none."""
    found = _SCALE.search(label)
    return f"{found[1].capitalize()} of Dollars" if found else None


def _count(meta: Mapping[str, Any], name: str) -> int:
    value = meta.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        raise Unusable("missing_column", f"an answer without the count {name!r}")
    return int(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
