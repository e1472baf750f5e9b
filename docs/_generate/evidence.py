"""Writes `docs/evidence.md` from longer real files: `python -m docs._generate.evidence FOLDER`.

FOLDER holds one `date,value` file a series and, in `outside`, the data set of countries and the shocks of Jarocinski
and Karadi; none of them is part of the project.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.compute.diagnostics.country_years import by_label, country_years, differences
from assets.compute.diagnostics.long_record import long_record
from assets.compute.registry import Computation
from docs._generate.validation import rendered
from pipelines.commands.panel import CITATION, EXPLORATORY, read_data_set
from tests.helpers import on_real_series

PAGE = PROJECT_ROOT / "docs" / "evidence.md"


def page(folder: Path) -> str:
    """The full page, from the files of a folder."""
    run, catalog = on_real_series(folder).run, load_catalog()
    record = run.table("long_record")
    file = folder / "outside" / "JSTdatasetR6.csv"
    labels = by_label(country_years(read_data_set(file), catalog), catalog.method)
    return rendered(
        "evidence",
        {
            "record": record,
            "cases": run.table("long_record_cases").reset_index(names="position"),
            "outside_agreement": _agreement(run, folder).reset_index(names="position"),
        },
        method=catalog.method,
        runs=lambda outcome: _runs(record, outcome),
        without_gz=_outcomes_without(run, "GZ_SPREAD", "EBP"),
        first_months=_first_months(record),
        labels=labels.to_dict("records"),
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        differences=differences(catalog.method),
        exploratory=EXPLORATORY,
        citation=CITATION,
    )


def _agreement(run: Computation, folder: Path) -> pd.DataFrame:
    """`outside_agreement` with the file of the shocks."""
    rows = pd.read_csv(folder / "outside" / "jarocinski_karadi_shocks_fed_m.csv")
    months = pd.to_datetime(rows[["year", "month"]].assign(day=1))
    shocks = pd.Series(rows["MP_median"].to_numpy(), months)
    stored = {"regime": run.table("regime")}
    return replace(run, brought={"jarocinski_karadi_shocks": shocks}, stored=stored).table(
        "outside_agreement"
    )


def _outcomes_without(run: Computation, *series_ids: str) -> dict[str, int]:
    """How often each outcome before the published record, had the profile not had these series."""
    absent = {name: run.catalog.series[name].model_copy(update={"profiles": ()}) for name in series_ids}
    catalog = replace(run.catalog, series={**run.catalog.series, **absent})
    record = long_record(run.archive, catalog, run.profile, run.grid.as_of[-1])
    return record.loc[record["is_before_published_record"], "recession_outcome"].value_counts().to_dict()


def _runs(record: pd.DataFrame, outcome: str) -> list[str]:
    """Runs of consecutive month-ends with an outcome, as text."""
    months = record["month_end_date"].dt.strftime("%Y-%m")
    position = pd.Series(months.index[record["recession_outcome"] == outcome])
    runs = position.groupby((position.diff() != 1).cumsum()).agg(["min", "max"])
    return [months[a] if a == b else f"{months[a]} to {months[b]}" for a, b in runs.itertuples(index=False)]


def _first_months(record: pd.DataFrame) -> list[tuple[str, str]]:
    """The month-end from which an input is no longer absent, with the inputs."""
    absent = record.set_index("month_end_date")["absent_inputs"].fillna("")
    first: dict[str, list[str]] = {}
    for name in sorted({part.split(" ")[0] for text in absent for part in text.split(", ") if part}):
        known = absent.index[~absent.str.contains(rf"(?:^|, ){name} ")]
        first.setdefault(f"{known[0]:%Y-%m}" if len(known) else "none", []).append(f"`{name}`")
    return [(month, ", ".join(of)) for month, of in sorted(first.items())]


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
