"""The federal surplus or deficit of every month: table 1 of the Monthly Treasury Statement, by the Fiscal Data API.

Each statement lists the months of its fiscal year and of the one before, and revises some: it is a vintage. The year of
a month is that of its parent row ("FY 2026"; October to December are in the year before). Amounts are dollars, with a
deficit positive: here a deficit is negative, as in the series MTSDS133FMS.

A statement has no publication day. The Treasury publishes it on the eighth business day of the next month, which is
the 13th at the latest, and that of September, the end of the fiscal year, in October. It counts from the day of the lag
rule, or from that in `release_delays.toml`; until then it is not used, even if it is there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.compute.calendar import Days, days, first_publication, released_on
from assets.sources.file_source import Obtained
from assets.sources.fiscal_data import FiscalDataSource, Statement
from assets.sources.parse import MONTHS, Figures, Unusable, is_iso_date, month_stamp, number

AMOUNT = "current_month_dfct_sur_amt"
_SERIES = "MTSDS133FMS"
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
        statement = str(row["record_date"])
        if row["record_type_cd"] != _MONTH_ROW:
            continue
        if not is_iso_date(statement):
            raise Unusable("not_a_date", f"{statement[:40]!r} is no date like 2026-08-31")
        month = _month(row, years.get((statement, str(row["parent_id"]))))
        if month in found[statement]:
            raise Unusable("duplicate_key", f"{month} occurs twice in the statement of {statement}")
        amount = number(row[AMOUNT], f"{month} in the statement of {statement}")
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
    listed = released_on(catalog.release_delays, _SERIES)
    return np.maximum.accumulate(first_publication(months, catalog.series[_SERIES], listed))


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
    amount = AMOUNT
    order = ("record_date", "classification_id")
    fields = (*order, "parent_id", "classification_desc", "record_type_cd", AMOUNT)

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
