"""The federal surplus or deficit of every month: table 1 of the Monthly Treasury Statement, by the Fiscal Data API.

Each statement lists the months of its fiscal year and of the one before, and revises some: the newest statement that
has a month counts. The year of a month is that of its parent row ("FY 2026"; October to December are in the year
before). Amounts are dollars, with a deficit positive: here a deficit is negative, as in the series MTSDS133FMS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from assets.catalog.models import Series
from assets.sources.file_source import Obtained
from assets.sources.fiscal_data import FiscalDataSource, Statement
from assets.sources.parse import MONTHS, Figures, Unusable, is_iso_date, month_stamp, number

AMOUNT = "current_month_dfct_sur_amt"
_FISCAL_YEAR = re.compile(r"FY (\d{4})")
_MONTH_ROW = "MTH"
_DOLLARS_A_MILLION = 1_000_000.0


def deficits(rows: Sequence[Mapping[str, Any]]) -> Figures:
    """Millions of dollars by month, a deficit negative, as the newest statement has them. Raises Unusable."""
    newest: dict[str, tuple[str, float]] = {}
    years = {_key(row): _fiscal_year(row) for row in rows if row["record_type_cd"] != _MONTH_ROW}
    for row in rows:
        statement = str(row["record_date"])
        if row["record_type_cd"] != _MONTH_ROW:
            continue
        if not is_iso_date(statement):
            raise Unusable("not_a_date", f"{statement[:40]!r} is no date like 2026-08-31")
        month = _month(row, years.get((statement, str(row["parent_id"]))))
        amount = number(row[AMOUNT], f"{month} in the statement of {statement}")
        if month in newest and newest[month][0] == statement:
            raise Unusable("duplicate_key", f"{month} occurs twice in the statement of {statement}")
        if amount == amount and (month not in newest or newest[month][0] < statement):
            newest[month] = (statement, -amount / _DOLLARS_A_MILLION)
    dates = sorted(newest)
    return Figures(dates, [newest[date][1] for date in dates], "Millions of Dollars")


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
    """The API's table."""

    address = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/v1/accounting/mts/mts_table_1"
    variable = "MTS_URL"
    amount = AMOUNT
    order = ("record_date", "classification_id")
    fields = (*order, "parent_id", "classification_desc", "record_type_cd", AMOUNT)

    def figures(self, obtained: Obtained[Statement], series: Series) -> Figures:
        """The months of all statements."""
        return deficits(obtained.table.rows)
