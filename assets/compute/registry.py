"""Every computed table, declared once: the tables it reads and its builder; and the tables of one archive and grid.

The assets, the audits, `verify` and the documents walk `REGISTRY`. What a table's rows may be (sparse, empty, kept from
other runs, with provenance) is declared in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pandas as pd

from assets.catalog.models import Catalog, Profile, Table
from assets.compute.archive import Archive
from assets.compute.calendar import Days
from assets.compute.conditions import Readings
from assets.compute.diagnostics.attribution import regime_changes, score_attribution
from assets.compute.diagnostics.base_rates import base_rates, recession_overlap
from assets.compute.diagnostics.caveats import INPUTS, caveats_frame
from assets.compute.diagnostics.distance import distance_to_flip
from assets.compute.diagnostics.event_responses import event_responses
from assets.compute.diagnostics.event_study import event_study
from assets.compute.diagnostics.joint_moves import baseline_of, scenarios
from assets.compute.diagnostics.long_record import cases, long_record
from assets.compute.diagnostics.outside_agreement import outside_agreement, outside_references
from assets.compute.diagnostics.returns import AssetPath, asset_paths, returns_by_regime, returns_by_spell
from assets.compute.diagnostics.revised import regime_revised
from assets.compute.diagnostics.sensitivity import effective_weights, method_variants, parameter_sensitivity
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.phases import build_phases
from assets.compute.reading import Texts
from assets.compute.record import Frames, live_dates, overlaid, overlaid_regime, with_spells
from assets.compute.regime import Regime, build_regime, evidence_frame, regime_frame
from assets.compute.tables import bubble_gauge, relative_attractiveness
from assets.compute.tables.assemble import Columns, DerivedTable, assemble, readings_from, readings_of
from assets.compute.tables.build import BUILDERS, REGIME_INPUTS, build_view
from assets.compute.tables.ledgers import policy_events, recessions, reference_values


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

    def columns(self, name: str) -> Columns:
        """Columns of a table with one row per date, computed from the archive."""
        if name not in self._columns:
            self._columns[name] = BUILDERS[name](self.view, self.grid)
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

    def declared(self, name: str) -> Table:
        """The catalogue's entry of a table."""
        return self.catalog.tables[name]

    def built(self, name: str) -> DerivedTable:
        """A table of the registry with its provenance, if it has one. Raises KeyError when it has no builder."""
        if name not in self._built:
            build = REGISTRY[name].build
            if build is None:
                raise KeyError(f"{name} is computed by the warehouse: give it as a stored table")
            made = build(self)
            self._built[name] = made if isinstance(made, DerivedTable) else DerivedTable(made)
        return self._built[name]

    def table(self, name: str) -> pd.DataFrame:
        """A table as computed, without live rows."""
        return self.stored[name] if name in self.stored else self.built(name).frame

    def record(self, name: str) -> pd.DataFrame:
        """A table as published: live rows in place of the computed ones."""
        frame = overlaid(self.table(name), self.live.get(name), live_dates(self.live))
        return with_spells(frame) if name == "regime" else frame

    @property
    def panel(self) -> dict[str, pd.DataFrame]:
        """Every as-of table as computed: what was known on each date of the grid, and nothing else."""
        return {name: self.table(name) for name in REGISTRY if self.declared(name).is_as_of}

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
    return Computed(name, lambda run: assemble(run.declared(name), run.grid, run.columns(name)))


def _of_rows(name: str, rows: Callable[[View, Grid, Table], pd.DataFrame]) -> Computed:
    """A table with several rows per date, each of which states its provenance itself."""
    return Computed(name, lambda run: rows(run.view, run.grid, run.declared(name)))


def _of_catalog(name: str, frame: Callable[[Catalog], pd.DataFrame]) -> Computed:
    return Computed(name, lambda run: frame(run.catalog), repeats_catalogue=True)


_BESIDE_REGIME = partial(Computed, reads=(*REGIME_INPUTS, "policy_events"), step="regime")
_AFTER_REGIME = partial(Computed, reads=("regime",), step="hindsight", also_from_archive=True)


def _regime(run: Computation) -> pd.DataFrame:
    inputs = {name: run.table(name) for name in REGIME_INPUTS}
    return regime_frame(run.regime, run.readings, inputs, run.catalog)


def _caveats(run: Computation) -> pd.DataFrame:
    frames = {name: run.record(name) for name in INPUTS}
    frames["regime"] = frames["regime"].assign(profile=run.profile)
    return caveats_frame(frames, run.catalog)


def _diagnostic(build: Callable[[Regime, Readings, Catalog], pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    return lambda run: build(run.regime, run.readings, run.catalog)


def _events(run: Computation) -> pd.DataFrame:
    month_ends = run.grid.as_of[run.grid.is_month_end]
    return _in_order(run, "event_study", event_study(replace(run.view, as_of=month_ends)))


def _responses(run: Computation) -> pd.DataFrame:
    month_ends, regime = run.grid.as_of[run.grid.is_month_end], run.record("regime")
    frame = event_responses(replace(run.view, as_of=month_ends), regime[regime["is_month_end"]])
    return _in_order(run, "event_responses", frame)


def _long_cases(run: Computation) -> pd.DataFrame:
    today = replace(run.view, as_of=run.grid.as_of[-1:])
    return _in_order(run, "long_record_cases", cases(run.table("long_record"), today, run.catalog))


def _labels_and_paths(run: Computation) -> tuple[Days, Texts, Sequence[AssetPath]]:
    """Month-ends, their published labels, and what three assets did, as known on the run date."""
    month_ends = run.grid.as_of[run.grid.is_month_end]
    regime = run.record("regime")
    labels = regime.loc[regime["is_month_end"], "regime"].to_numpy(dtype=object)
    today = replace(run.view, as_of=run.grid.as_of[-1:])
    return month_ends, labels, asset_paths(today, month_ends)


def _forward_returns(run: Computation) -> pd.DataFrame:
    _, labels, paths = _labels_and_paths(run)
    frame = returns_by_regime(labels, paths, run.catalog.method.forward_returns)
    return _in_order(run, "forward_returns", frame)


def _returns_by_spell(run: Computation) -> pd.DataFrame:
    frame = returns_by_spell(*_labels_and_paths(run), run.catalog.method.forward_returns)
    return _in_order(run, "forward_returns_by_spell", frame)


def _in_order(run: Computation, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The declared columns; all of them also when there is no row."""
    return frame.reindex(columns=list(run.declared(name).column_names))


_TABLES = (
    *(_of_columns(name) for name in BUILDERS),
    _of_rows("relative_attractiveness", relative_attractiveness.build),
    _of_rows("bubble_gauge", bubble_gauge.build),
    _of_catalog("policy_events", policy_events),
    _of_catalog("reference_values", reference_values),
    _of_catalog("recessions", recessions),
    Computed(
        "outside_references",
        lambda run: _in_order(run, "outside_references", outside_references(run.catalog, run.brought)),
        repeats_catalogue=True,
    ),
    _BESIDE_REGIME("regime", _regime),
    _BESIDE_REGIME("regime_evidence", lambda run: evidence_frame(run.regime, run.catalog)),
    _BESIDE_REGIME("score_attribution", lambda run: score_attribution(run.regime)),
    _BESIDE_REGIME("regime_changes", lambda run: regime_changes(run.regime_of_record, run.catalog)),
    _BESIDE_REGIME("distance_to_flip", _diagnostic(distance_to_flip)),
    _BESIDE_REGIME("parameter_sensitivity", _diagnostic(parameter_sensitivity)),
    _BESIDE_REGIME("method_variants", _diagnostic(method_variants)),
    _BESIDE_REGIME("effective_weights", lambda run: effective_weights(run.regime_of_record, run.catalog)),
    _BESIDE_REGIME(
        "scenarios",
        lambda run: scenarios(baseline_of(run.view, run.readings, run.regime, run.catalog)),
        also_from_archive=True,
    ),
    _AFTER_REGIME(
        "regime_revised", lambda run: regime_revised(run.view, run.grid, run.record("regime"), run.catalog)
    ),
    _AFTER_REGIME("forward_returns", _forward_returns),
    _AFTER_REGIME("forward_returns_by_spell", _returns_by_spell),
    Computed("event_study", _events, ("policy_events",), also_from_archive=True),
    Computed("event_responses", _responses, ("regime", "policy_events"), also_from_archive=True),
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
    Computed("long_record_cases", _long_cases, ("long_record",), also_from_archive=True),
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
        lambda run: build_phases(run.archive, run.grid, run.catalog, run.profile, run.record("regime")),
        ("regime", "policy_events"),
        also_from_archive=True,
    ),
    Computed("late_figures", None, ("regime",)),
    Computed("caveats", _caveats, INPUTS, repeats_catalogue=True),
)
REGISTRY: Mapping[str, Computed] = {table.name: table for table in _TABLES}
