"""Every computed table, declared once: the tables it reads and its builder; and the tables of one archive and grid.

The assets, the audits, `verify` and the documents walk `REGISTRY`. What a table's rows may be (sparse, empty, kept from
other runs, with provenance) is declared in the catalogue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import Archive
from assets.compute.conditions import Readings
from assets.compute.diagnostics.attribution import regime_changes, score_attribution
from assets.compute.diagnostics.caveats import INPUTS, caveats_frame
from assets.compute.diagnostics.distance import distance_to_flip
from assets.compute.diagnostics.events import event_responses, event_study
from assets.compute.diagnostics.joint_moves import baseline_of, scenarios
from assets.compute.diagnostics.long_record import base_rates, cases, long_record, recession_overlap
from assets.compute.diagnostics.outside_agreement import outside_agreement, outside_references
from assets.compute.diagnostics.returns import asset_paths, returns_by_regime, returns_by_spell
from assets.compute.diagnostics.revised import regime_revised
from assets.compute.diagnostics.sensitivity import effective_weights, method_variants, parameter_sensitivity
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.phases import build_phases
from assets.compute.reading import Texts
from assets.compute.record import Frames, overlaid_regime, published
from assets.compute.regime import Regime, build_regime, evidence_frame, regime_frame
from assets.compute.stance import counts_from
from assets.compute.tables.assemble import (
    Columns,
    DerivedTable,
    as_declared,
    assemble,
    readings_from,
    readings_of,
)
from assets.compute.tables.build import BUILDERS, REGIME_INPUTS, build_view
from assets.compute.tables.gauges import bubble_gauge, relative_attractiveness


@dataclass(frozen=True)
class Computation:
    """The computed tables of one archive and grid, each built once, when it is first requested.

    `live`: live rows by table; only tables about the record read them. `stored`: tables built earlier, used instead of
    being built again (with `provenance` when the regime is computed from them). `brought`: figures of the
    user's own files, by outside reference.
    """

    archive: Archive
    grid: Grid
    catalog: Catalog
    profile: Profile
    live: Frames = field(default_factory=dict)
    stored: Frames = field(default_factory=dict)
    brought: Mapping[str, pd.Series] = field(default_factory=dict)
    _columns: dict[str, Columns] = field(default_factory=dict, init=False, repr=False)
    _built: dict[str, DerivedTable] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def view(self) -> View:
        """What was known on each date of the grid, of the profile's series."""
        return build_view(self.archive, self.grid, self.catalog, self.profile)

    @property
    def month_ends(self) -> View:
        """The view of the month-ends alone."""
        return replace(self.view, as_of=self.grid.as_of[self.grid.is_month_end])

    @property
    def today(self) -> View:
        """The view of the run date alone."""
        return replace(self.view, as_of=self.grid.as_of[-1:])

    @property
    def month_end_regime(self) -> pd.DataFrame:
        """Rows of the published `regime` of month-ends."""
        regime = self.record("regime")
        return regime[regime["is_month_end"]]

    def columns(self, name: str) -> Columns:
        """Columns of a table with one row per date, computed from the archive."""
        if name not in self._columns:
            self._columns[name] = BUILDERS[name](self.view)
        return self._columns[name]

    @cached_property
    def readings(self) -> Readings:
        """What the regime reads, by "table.column"."""
        if "provenance" in self.stored:
            inputs = {name: self.stored[name] for name in REGIME_INPUTS}
            return readings_from(inputs, self.stored["provenance"], self.grid)
        return readings_of({name: self.columns(name) for name in REGIME_INPUTS})

    @cached_property
    def regime(self) -> Regime:
        """The computed regime, without live rows."""
        return build_regime(self.readings, self.grid, self.catalog)

    @cached_property
    def regime_of_record(self) -> Regime:
        """The regime with the figures of live rows on their dates."""
        return overlaid_regime(self.regime, self.live)

    def built(self, name: str) -> DerivedTable:
        """A table of the registry with its provenance, if it has one. Raises KeyError when it has no builder."""
        if name not in self._built:
            build = REGISTRY[name].build
            if build is None:
                raise KeyError(f"{name} is computed by the warehouse: give it as a stored table")
            made = build(self)
            made = made if isinstance(made, DerivedTable) else DerivedTable(made)
            self._built[name] = replace(made, frame=as_declared(self.catalog.tables[name], made.frame))
        return self._built[name]

    def table(self, name: str) -> pd.DataFrame:
        """A table as computed, without live rows."""
        return self.stored[name] if name in self.stored else self.built(name).frame

    def record(self, name: str) -> pd.DataFrame:
        """A table as published: live rows in place of the computed ones."""
        return published(name, self.table(name), self.live)

    @property
    def panel(self) -> dict[str, pd.DataFrame]:
        """Every as-of table as computed: what was known on each date of the grid, and nothing else."""
        return {name: self.table(name) for name in REGISTRY if self.catalog.tables[name].is_as_of}

    @property
    def provenance(self) -> pd.DataFrame:
        """Rows of `provenance` about the as-of tables."""
        parts = [self.built(name).provenance for name in self.panel]
        return pd.concat([part for part in parts if part is not None], ignore_index=True)


@dataclass(frozen=True)
class Computed:
    """One computed table.

    `reads`: the computed tables it is built from; one that reads none is built from the archive, or from the catalogue
    where no column is derived from a series. `also_from_archive`: it reads the archive besides tables. Tables with the
    same `step` are computed together by one op. `repeats_catalogue`: its rows are texts of the catalogue, which change
    without a figure changing. No `build`: the warehouse computes it in SQL.
    """

    name: str
    build: Callable[[Computation], DerivedTable | pd.DataFrame] | None
    reads: tuple[str, ...] = ()
    step: str = ""
    also_from_archive: bool = False
    repeats_catalogue: bool = False

    @property
    def reads_archive(self) -> bool:
        """Whether it is computed from series of the archive directly."""
        return not self.reads or self.also_from_archive


def _of_columns(name: str) -> Computed:
    """A table with one row per date, each column with its provenance."""
    return Computed(name, lambda run: assemble(name, run.grid, run.columns(name)))


def _of_catalog(name: str, frame: Callable[[Catalog], pd.DataFrame]) -> Computed:
    return Computed(name, lambda run: frame(run.catalog), repeats_catalogue=True)


_BESIDE_REGIME = partial(Computed, reads=(*REGIME_INPUTS, "policy_events"), step="regime")
_AFTER_REGIME = partial(Computed, reads=("regime",), step="hindsight", also_from_archive=True)


# The hand-kept ledgers as tables: announcements of the Fed, figures others published, recessions.


def policy_events(catalog: Catalog) -> pd.DataFrame:
    """One row per announcement, with the day it counts from; empty days where it does not count."""
    horizon = catalog.method.stance.announcement_horizon_days
    rows = [
        event.model_dump()
        | {"counts_from_date": counts_from(event, horizon) if event.changes_direction else None}
        for event in catalog.policy_events.events
    ]
    return pd.DataFrame(rows)


def reference_values(catalog: Catalog) -> pd.DataFrame:
    """One row per cited figure."""
    return pd.DataFrame(value.model_dump() for value in catalog.reference_values.values())


def recessions(catalog: Catalog) -> pd.DataFrame:
    """One row per recession."""
    ledger = catalog.recessions
    of_all = ledger.model_dump(include={"source", "mark", "checked_until"})
    return pd.DataFrame(one.model_dump() | of_all for one in ledger.recessions)


def _caveats(run: Computation) -> pd.DataFrame:
    frames = {name: run.record(name) for name in INPUTS}
    frames["regime"] = frames["regime"].assign(profile=run.profile)
    return caveats_frame(frames, run.catalog)


def _forward_returns(run: Computation) -> pd.DataFrame:
    paths, labels = asset_paths(run.today, run.month_ends.as_of), _labels(run)
    return returns_by_regime(labels, paths, run.catalog.method.forward_returns)


def _returns_by_spell(run: Computation) -> pd.DataFrame:
    month_ends = run.month_ends.as_of
    paths = asset_paths(run.today, month_ends)
    return returns_by_spell(month_ends, _labels(run), paths, run.catalog.method.forward_returns)


def _labels(run: Computation) -> Texts:
    return run.month_end_regime["regime"].to_numpy(dtype=object)


_TABLES = (
    *(_of_columns(name) for name in BUILDERS),
    Computed("relative_attractiveness", lambda run: relative_attractiveness(run.view)),
    Computed("bubble_gauge", lambda run: bubble_gauge(run.view)),
    _of_catalog("policy_events", policy_events),
    _of_catalog("reference_values", reference_values),
    _of_catalog("recessions", recessions),
    Computed(
        "outside_references",
        lambda run: outside_references(run.catalog, run.brought),
        repeats_catalogue=True,
    ),
    _BESIDE_REGIME("regime", lambda run: regime_frame(run.regime, {t: run.table(t) for t in REGIME_INPUTS})),
    _BESIDE_REGIME("regime_evidence", lambda run: evidence_frame(run.regime)),
    _BESIDE_REGIME("score_attribution", lambda run: score_attribution(run.regime)),
    _BESIDE_REGIME("regime_changes", lambda run: regime_changes(run.regime_of_record)),
    _BESIDE_REGIME("distance_to_flip", lambda run: distance_to_flip(run.regime)),
    _BESIDE_REGIME("parameter_sensitivity", lambda run: parameter_sensitivity(run.regime)),
    _BESIDE_REGIME("method_variants", lambda run: method_variants(run.regime)),
    _BESIDE_REGIME("effective_weights", lambda run: effective_weights(run.regime_of_record)),
    _BESIDE_REGIME(
        "scenarios",
        lambda run: scenarios(baseline_of(run.view, run.regime)),
        also_from_archive=True,
    ),
    _AFTER_REGIME("regime_revised", lambda run: regime_revised(run.view, run.record("regime"))),
    _AFTER_REGIME("forward_returns", _forward_returns),
    _AFTER_REGIME("forward_returns_by_spell", _returns_by_spell),
    Computed(
        "event_study", lambda run: event_study(run.month_ends), ("policy_events",), also_from_archive=True
    ),
    Computed(
        "event_responses",
        lambda run: event_responses(run.month_ends, run.month_end_regime),
        ("regime", "policy_events"),
        also_from_archive=True,
    ),
    Computed(
        "outside_agreement",
        lambda run: outside_agreement(run.table("outside_references"), run.record("regime"), run.catalog),
        ("regime", "outside_references"),
        repeats_catalogue=True,
    ),
    Computed(
        "long_record",
        lambda run: long_record(run.archive, run.catalog, run.profile, run.grid.as_of[-1]),
    ),
    Computed(
        "long_record_cases",
        lambda run: cases(run.table("long_record"), run.today),
        ("long_record",),
        also_from_archive=True,
    ),
    Computed(
        "base_rates",
        lambda run: base_rates(
            run.record("regime"), run.record("activity_inflation"), run.catalog.method.verdict
        ),
        ("regime", "activity_inflation"),
    ),
    Computed(
        "recession_overlap",
        lambda run: recession_overlap(run.record("regime"), run.catalog.recessions),
        ("regime", "recessions"),
    ),
    Computed(
        "qe_phases",
        lambda run: build_phases(run.view, run.record("regime")),
        ("regime", "policy_events"),
        also_from_archive=True,
    ),
    Computed("late_figures", None, ("regime",)),
    Computed("caveats", _caveats, INPUTS, repeats_catalogue=True),
)
REGISTRY: Mapping[str, Computed] = {table.name: table for table in _TABLES}
