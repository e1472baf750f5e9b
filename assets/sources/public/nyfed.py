"""The Federal Reserve Bank of New York's markets API: the target range beside EFFR, and overnight reverse repo.

EFFR lists each business day with the range in force. The results of repo operations list several operations a day: the
reverse repo figure is the sum over operations of the type "Reverse Repo" with the term "Overnight"; the standing repo
facility's operations and exercises of small value are not counted. Amounts are in dollars. The API has no "changed
since": after a full fetch, a week's runs ask for the last two weeks only.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Obtained, no_page
from assets.sources.pacing import RetryPolicy
from assets.sources.parse import Figures, Unusable, iso_day, json_of, number
from assets.sources.public.shared import SeveralFiles, code_of, figures_in_unit

_AGAIN = dt.timedelta(days=14)  # a settled amount is corrected the next morning
Rows = Sequence[Mapping[str, Any]]


class Table(FileSource[Rows]):
    """One table of the API, from a first day to today. A subclass says where it is and what it lists."""

    variable = "NYFED_URL"
    path: ClassVar[str]
    first: ClassVar[dt.date]
    within: ClassVar[tuple[str, ...]]  # names on the way to the list of rows
    dated_by: ClassVar[str]

    def __init__(self, root: str, retries: RetryPolicy) -> None:
        super().__init__(f"{root}/{self.path}", retries)

    def download(self, since: dt.datetime | None) -> Obtained[Rows]:
        """The rows; with `since`, from two weeks before it. The newest row's day counts as the moment of change."""
        start = self.first if since is None else max(since.date() - _AGAIN, self.first)
        days = {"startDate": start.isoformat(), "endDate": self.now().date().isoformat()}
        file = self.now_at(self.url, query=days)
        rows = self.read(file.content)
        newest = max(str(row[self.dated_by]) for row in rows)
        moment = dt.datetime.combine(dt.date.fromisoformat(newest), dt.time(), dt.UTC)
        return Obtained(rows, file.where, moment, is_complete=since is None)

    def read(self, content: bytes) -> Rows:
        """The rows of a response, at least one, each with a date. Raises Unusable."""
        found = json_of(no_page(content))
        for name in self.within:
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unusable("missing_column", f"a response without the list {'.'.join(self.within)}")
        if not found:
            raise Unusable("empty_file", "a response without rows")
        for row in found:
            iso_day(str(row.get(self.dated_by)), f", {self.dated_by},")
        return found


class Rates(Table):
    """EFFR, since the target became a range."""

    path = "rates/unsecured/effr/search.json"
    first = dt.date(2008, 12, 16)
    within = ("refRates",)
    dated_by = "effectiveDate"

    def figures(self, obtained: Obtained[Rows], series: Series) -> Figures:
        """One field of the rows."""
        field, by_day = code_of(series), dict[str, float]()
        for row in obtained.table:
            if row.get("type") != "EFFR":
                continue
            day = str(row["effectiveDate"])
            if field not in row:
                raise Unusable("missing_column", f"no {field} on {day}")
            if day in by_day:
                raise Unusable("duplicate_key", f"EFFR occurs twice on {day}")
            by_day[day] = number(row[field], f"{field} on {day}")
        return figures_in_unit(series, None, list(by_day), list(by_day.values()))


class Operations(Table):
    """Results of repo and reverse repo operations."""

    path = "rp/results/search.json"
    first = dt.date(2013, 9, 23)
    within = ("repo", "operations")
    dated_by = "operationDate"

    def figures(self, obtained: Obtained[Rows], series: Series) -> Figures:
        """Accepted amounts of overnight reverse repo by day of operation."""
        by_day: dict[str, float] = defaultdict(float)
        for row in obtained.table:
            if (row.get("operationType"), row.get("term")) != ("Reverse Repo", "Overnight"):
                continue
            if row.get("auctionStatus") != "Results" or "small value" in str(row.get("note")).lower():
                continue
            day = str(row["operationDate"])
            if "totalAmtAccepted" not in row:
                raise Unusable("missing_column", f"no totalAmtAccepted on {day}")
            by_day[day] += number(row["totalAmtAccepted"], f"totalAmtAccepted on {day}")
        return figures_in_unit(series, None, list(by_day), list(by_day.values()))


class NewYorkFedSource(SeveralFiles):
    """The markets API."""

    address = "https://markets.newyorkfed.org/api"
    variable = "NYFED_URL"

    def file(self, release: str) -> Table:
        """One table."""
        return {"effr": Rates, "rp": Operations}[release](self.root, self.retries)
