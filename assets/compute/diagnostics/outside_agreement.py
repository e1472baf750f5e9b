"""`outside_references` and `outside_agreement`: what others dated or measured, and where the labels miss it.

The labels are those known on their dates; the references are hindsight, and no label reads them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.models import Catalog
from assets.catalog.outside import Agreement, OutsideReference

Bools = npt.NDArray[np.bool_]
NOT_BROUGHT, NO_CASE = "file_not_brought", "no_case"
_LABELS = ("condition_state", "stance", "valuation_score")


def outside_references(catalog: Catalog, brought: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Columns of `outside_references`. `brought`: monthly figures of the files the user has, by reference."""
    rows = [
        {"reference": name, "who": entry.who, "unit": entry.unit, "rights": entry.rights, **row}
        for name, entry in catalog.outside_references.items()
        for row in _values(entry, catalog, brought.get(name))
    ]
    return pd.DataFrame(rows).astype({"date": "datetime64[s]"})


def _values(entry: OutsideReference, catalog: Catalog, brought: pd.Series | None) -> Iterator[dict[str, Any]]:
    for one in catalog.recessions.recessions if entry.recessions else ():
        source = catalog.recessions.source
        yield {"what": f"{entry.what}, peak", "date": one.peak_month, "value": 1.0, "source": source}
        yield {"what": f"{entry.what}, trough", "date": one.trough_month, "value": 0.0, "source": source}
    for cited in (catalog.reference_values[key] for key in entry.reference_values):
        yield {"what": entry.what, "date": cited.as_of, "value": cited.value, "source": cited.source}
    for reading in entry.readings:
        yield {"what": entry.what, **reading.model_dump()}
    if entry.file is not None and brought is not None:
        sums = brought.asfreq("MS").rolling(entry.file.sum_months).sum().dropna()
        for day, value in np.sign(sums).items():
            yield {"what": entry.what, "date": day, "value": value, "source": entry.source}


def outside_agreement(references: pd.DataFrame, regime: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Columns of `outside_agreement`: one row per reference and rule, over the scored month-ends."""
    scored = regime[regime["is_month_end"] & regime["bubble_score"].notna()]
    rows = []
    for name, entry in catalog.outside_references.items():
        own = references[references["reference"] == name].sort_values("date")
        compared = _compared(own, scored, catalog if entry.recessions else None)
        for rule in entry.rules:
            absent = NOT_BROUGHT if entry.file is not None and own.empty else NO_CASE
            rows.append({"reference": name, "who": entry.who, **_agreement(rule, compared, scored, absent)})
    return pd.DataFrame(rows)


def _compared(own: pd.DataFrame, scored: pd.DataFrame, dated: Catalog | None) -> pd.DataFrame:
    """Scored month-ends with a value of the reference. Turning points hold from the month after them, until `dated`."""
    labels = scored[["as_of_date", *_LABELS]].assign(month=scored["as_of_date"].dt.to_period("M"))
    values = own[["date", "value"]].assign(month=own["date"].dt.to_period("M"))
    if dated is None:
        return labels.merge(values, on="month")
    until = pd.Timestamp(dated.recessions.checked_until)
    position = values["month"].searchsorted(labels["month"]) - 1  # the last turn in an earlier month
    labels = labels.assign(value=values["value"].to_numpy()[position])[position >= 0]
    return labels[labels["as_of_date"] <= until]


def _agreement(rule: Agreement, compared: pd.DataFrame, scored: pd.DataFrame, absent: str) -> dict[str, Any]:
    if rule.case == "reference":
        case, hit, base = _by_value(rule, compared), _by_label(rule, compared), _by_label(rule, scored)
    else:
        case, hit = _by_label(rule, compared), _by_value(rule, compared)
        base = hit
    cases, hits = int(case.sum()), int((case & hit).sum())
    share = hits / cases if cases else np.nan
    threshold = np.nan if rule.threshold_share is None else rule.threshold_share
    return {
        "rule": rule.name,
        "statement": rule.statement,
        "status": "exploratory" if rule.registered_on is None else "registered",
        "registered_on": rule.registered_on,
        "threshold_share": threshold,
        "cases": cases,
        "misses": cases - hits,
        "hits": hits,
        "hit_share": share,
        "base_share": base.mean() if cases else np.nan,
        "meets_threshold": None if np.isnan(share - threshold) else share >= threshold,
        "miss_dates": _dates(compared["as_of_date"], case & ~hit),
        "first_date": compared["as_of_date"].min(),
        "last_date": compared["as_of_date"].max(),
        "absent_reason": None if cases else absent,
    }


def _by_value(rule: Agreement, rows: pd.DataFrame) -> Bools:
    """Where the value of the reference is as the rule has it."""
    value = rows["value"].to_numpy(dtype="float64")
    return value >= rule.reference_minimum if rule.reference_below is None else value < rule.reference_below


def _by_label(rule: Agreement, rows: pd.DataFrame) -> Bools:
    """Where the label is as the rule has it."""
    label = rows[rule.label_column]
    if rule.label_values is not None:
        found = label.isin(rule.label_values)
    else:
        found = label < rule.label_below if rule.label_minimum is None else label >= rule.label_minimum
    return found.to_numpy(dtype=bool)


def _dates(month_ends: pd.Series, is_miss: Bools) -> str | None:
    """Misses, those of neighbouring months as a run: 2001-04-30 to 2001-08-31, 2008-01-31."""
    days = month_ends[is_miss]
    apart = (12 * days.dt.year + days.dt.month).diff() != 1
    runs = days.dt.strftime("%Y-%m-%d").groupby(apart.cumsum()).agg(["first", "last"])
    named = [first if first == last else f"{first} to {last}" for first, last in runs.to_numpy()]
    return ", ".join(named) or None
