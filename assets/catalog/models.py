"""The typed shapes of the catalogue: what a declaration must say, and what it may say.

A required key has no default on purpose: a forgotten unit stops the load instead of mislabelling figures.
"""

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from assets.catalog.method import Method, MethodVersion, Section, refuse_disorder
from assets.catalog.moves import WhatIf
from assets.catalog.outside import OutsideReference

Frequency = Literal["D", "W", "M", "Q"]
UnitKind = Literal[
    "usd_mn", "usd_bn", "usd", "usd_per_hour", "usd_per_oz",
    "pct", "pp", "index", "thousands", "count", "indicator",
]  # fmt: skip
SeasonalAdjustment = Literal["SA", "NSA", "SAAR"]
SourceKey = Literal["fred", "fed_board", "fiscal_data", "shiller", "world_bank", "sample"]
# Who serves a series in the profile public: a reader of `assets/sources/public`, a source of live, or the bundle.
ReaderKey = Literal[
    "bea", "bls", "board", "claims", "hqm", "mts", "nfci", "nyfed", "rtdsm", "z1",
    "fed_board", "fiscal_data", "shiller", "world_bank", "sample",
]  # fmt: skip
Role = Literal["condition", "stance", "published", "context"]
Profile = Literal["sample", "public", "live"]
Rights = Literal["public_domain", "cc_by_4", "credit_required", "reserve_bank", "restricted"]
Mark = Literal["V", "M"]
Layer = Literal["raw", "derived", "regime", "ops", "publish"]
Group = Literal["start", "label", "figures", "history", "point_in_time", "method", "release"]
ColumnType = Literal["DATE", "DOUBLE", "VARCHAR", "BOOLEAN", "INTEGER", "BIGINT", "TIMESTAMP"]

Text = Annotated[str, Field(min_length=1)]
Sentence = Annotated[str, Field(min_length=11)]
Days = Annotated[int, Field(ge=0)]


class Entry(Section):
    """Base of every catalogue entry: texts lose their outer spaces."""

    model_config = ConfigDict(str_strip_whitespace=True)


class Carrier(Entry):
    """Who serves a series in the profile public, and how its reader finds and checks it (`carriers.toml`).

    `code` is the publisher's own id, `release` the file or table that has it. `unit` is the publisher's unit text: a
    file with another one is refused, except `rebased_unit`, an index's new base year: its complete history is then a
    vintage of the day we saw it. The publisher's figure divided by `divisor` is in the unit of the series.
    `vintages` is the workbook of the Philadelphia Fed's real-time data set that has the series' vintages.
    `vintages_are_first_estimates`: each falls before any later estimate of its newest figure. `staleness_limit_days`
    replaces that of the series where the carrier is later than the publication. `is_bundled_before`: the publisher's
    history is shorter than ours, and the bundled figures precede it.
    """

    reader: ReaderKey
    code: Text | None = None
    release: Text | None = None
    unit: Text | None = None
    rebased_unit: Text | None = None
    divisor: Annotated[float, Field(gt=0.0)] = 1.0
    vintages: Annotated[str, Field(pattern=r"^\w+[QM]v[QM]d$")] | None = None
    vintages_are_first_estimates: bool = False
    staleness_limit_days: Days | None = None
    is_bundled_before: bool = False


class Series(Entry):
    """One upstream series, as its publisher states it today.

    Units: `unit` is the publisher's own text, `unit_kind` the scale and kind every reader relies on.
    Days: `release_lag_days` counts from the end of the period to first publication, `release_lag_by_month` in its place
    for periods that end in that month; `staleness_limit_days` from the end of the period too, 0 meaning no limit (step
    series).
    """

    series_id: Text
    group: Text
    source: SourceKey
    title: Text
    publisher: Text
    source_url: Annotated[str, Field(pattern=r"^https://")]
    unit: Text
    unit_kind: UnitKind
    frequency: Frequency
    seasonal_adjustment: SeasonalAdjustment
    release_lag_days: Days
    staleness_limit_days: Days
    is_step: bool
    is_revisable: bool
    role: Role
    profiles: Annotated[tuple[Profile, ...], Field(min_length=1)]
    rights: Rights
    citation: Sentence
    plausible_min: float
    plausible_max: float
    carrier: Carrier | None = None  # from `carriers.toml`; with one the series is in the profile public
    # annual accounts take longer
    release_lag_by_month: tuple[tuple[Annotated[int, Field(ge=1, le=12)], Days], ...] = ()
    first_public_on: dt.date | None = None  # before it the figures are back-casts
    # the bundled figures from this observation on rest on one source
    sample_single_source_from: dt.date | None = None
    required_start: dt.date | None = None  # a store starting later makes the component `history_too_short`
    served_window_years: Annotated[int, Field(gt=0)] | None = None  # the provider serves no more than this
    posts_late: bool = False  # posted after it was public: a late first sight is not dated late
    is_projected: bool = False  # periods that have not begun are served too: they wait until they have
    note: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.plausible_min < self.plausible_max:
            raise ValueError("key 'plausible_min': must be below plausible_max")
        if self.is_step != (self.staleness_limit_days == 0):
            raise ValueError("key 'staleness_limit_days': 0 (no limit) is for step series, and only for them")
        if len(set(self.profiles)) != len(self.profiles):
            raise ValueError("key 'profiles': a profile is named twice")
        return self

    def in_profile(self, profile: Profile) -> Self:
        """The series as a profile has it: `public` with the staleness limit of its carrier, if it has its own."""
        limit = self.carrier.staleness_limit_days if self.carrier is not None else None
        if profile != "public" or limit is None:
            return self
        return self.model_copy(update={"staleness_limit_days": limit})

    @property
    def asset_key(self) -> tuple[str, str, str]:
        """Asset key of the series' archive: ("raw", source, series_id)."""
        return ("raw", self.source, self.series_id)

    def is_bundled_in(self, profile: Profile) -> bool:
        """Whether the figures of that profile come from the bundle."""
        if profile == "public" and self.carrier is not None:
            return self.carrier.reader == "sample"
        return profile == "sample"


class Repeat(Entry):
    """Series whose figures a column repeats, in rows equal to `where` (all if empty); or the column that names them."""

    series: tuple[Text, ...] = ()
    where: Annotated[dict[str, str], Field(default_factory=dict)]
    named_by: Text | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.series) == (self.named_by is not None) or (self.named_by and self.where):
            raise ValueError("key 'repeats': give series (and where), or named_by alone")
        return self


class Column(Entry):
    """One column of a table: type, unit, definition, where it is derived from, and the values it may hold.

    `derived_from` names series ids or "table.column" of another table; it is empty for keys. `needs` names, where not
    all of them are needed, the sets of which any one gives the column a value; a series that is not in the profile
    never does. `formula` is SQL over the same row, other tables as table.column, joined by as_of_date. `repeats` is
    required where the column passes on figures of series with restricted rights: `assets/warehouse/rights.py` withholds
    them. `renamed_from`: its name before `renamed_in`, a method version, published in `renamed_columns`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    type: ColumnType
    unit: Text
    definition: Sentence
    nullable: bool
    derived_from: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    formula: Text | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] | None = None
    repeats: tuple[Repeat, ...] = ()
    added_in: Text | None = None  # version that brought it; on live rows it is filled from their own figures
    renamed_from: Text | None = None
    renamed_in: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.repeats and not (self.nullable and self.type == "DOUBLE"):
            raise ValueError("key 'repeats': what is withheld is NULL, so the column is a nullable DOUBLE")
        needed = {origin for way in self.needs for origin in way}
        if strange := sorted(needed.difference(self.derived_from)):
            raise ValueError(f"key 'needs': {strange[0]} is not in 'derived_from'")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("key 'minimum': above maximum")
        if (self.renamed_from is None) != (self.renamed_in is None):
            raise ValueError("key 'renamed_in': goes with renamed_from")
        if self.values is not None and self.type != "VARCHAR":
            raise ValueError("key 'values': only a VARCHAR column lists its values")
        return self

    @property
    def alternatives(self) -> tuple[tuple[str, ...], ...]:
        """Sets of origins of which any one gives the column a value."""
        return self.needs or (self.derived_from,)


class Table(Entry):
    """One table: layer, group (what an analyst uses it for), grain, key and ordered columns. `name` is the file's name.

    `about_record`: its rows compare or count published rows, so it reads live rows and has none itself.
    `sparse`: it has a row on some dates only. `may_be_empty`: no row at all is a valid result. `kept`: rows of earlier
    runs stay in it. `has_provenance`: `provenance` has a row for each of its figures.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    layer: Layer
    group: Group
    title: Sentence
    grain: Sentence
    key: Annotated[tuple[str, ...], Field(min_length=1)]
    columns: Annotated[tuple[Column, ...], Field(min_length=1, alias="column")]
    about_record: bool = False
    sparse: bool = False
    may_be_empty: bool = False
    kept: bool = False
    has_provenance: bool = False

    @model_validator(mode="after")
    def _made_of_columns(self) -> Self:
        names = self.column_names
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"column '{twice[0]}' is declared twice")
        for name in self.key:
            if name not in names:
                raise ValueError(f"key '{name}' is not among the columns")
            if self.column(name).nullable:
                raise ValueError(f"key '{name}' is nullable")
        for column in self.columns:
            asked = {name for repeat in column.repeats for name in (*repeat.where, repeat.named_by or "")}
            if strange := sorted(asked - {*names, ""}):
                raise ValueError(f"column '{column.name}': key 'repeats': no column '{strange[0]}'")
        return self

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in declared order, which is the order of the table and of its frame."""
        return tuple(column.name for column in self.columns)

    @property
    def is_as_of(self) -> bool:
        """Whether its rows speak for one date each, so that they are frozen with the date's live row."""
        return self.layer in ("derived", "regime") and self.key[0] == "as_of_date" and not self.about_record

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when the table has none."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            raise KeyError(f"{self.name}.{name}")
        return found


class PolicyEvent(Entry):
    """One announcement of the ledger. `direction` is what the balance sheet does after it: -1, 0 or +1.

    `changes_direction` is true for a row that sets the announced direction; the others are only shown.
    `is_dated` is false for a plan without a date, which never counts. A rate decision has no direction.
    An absent `effective_on` means the decision took effect with its announcement. `starts_phase` names the phase of
    purchases that begins with it, if one does. `is_reserve_management`: the purchases keep reserves ample.
    """

    announced_on: dt.date
    kind: Literal["balance_sheet", "rate"]
    instrument: Text
    what: Sentence
    size_text: Text
    changes_direction: bool
    is_dated: bool
    source: Text
    mark: Mark
    effective_on: dt.date | None = None
    direction: Literal[-1, 0, 1] | None = None
    starts_phase: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    is_reserve_management: bool = False
    note: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "rate") != (self.direction is None):
            raise ValueError("key 'direction': required for a balance-sheet event, absent from a rate event")
        if self.changes_direction and (self.kind == "rate" or not self.is_dated):
            raise ValueError("key 'changes_direction': only a dated balance-sheet event sets the direction")
        if self.starts_phase is not None and not (self.changes_direction and self.direction == 1):
            raise ValueError("key 'starts_phase': only a row that sets the direction to +1 begins a phase")
        if self.is_reserve_management and self.direction != 1:
            raise ValueError("key 'is_reserve_management': only purchases are, direction +1")
        if self.effective_on is not None and self.effective_on < self.announced_on:
            raise ValueError("key 'effective_on': before the announcement")
        return self


class PolicyLedger(Entry):
    """All policy events, oldest announcement first, and the day somebody last looked for new ones.

    `desk_notices_until`: end of the last purchase schedule found. A later change of the purchases may be missing.
    """

    last_checked: dt.date
    desk_notices_until: dt.date
    events: Annotated[tuple[PolicyEvent, ...], Field(alias="event")]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        refuse_disorder(self.events, "event", "announced_on", "announced_on")
        return self


class ReleaseDelay(Entry):
    """First publication of one figure where the lag rule does not hold; `observation_date` as FRED stamps it.

    Exactly one of `released_on` and `never` is given: `never` is a figure that was never published.
    """

    series_id: Text
    observation_date: dt.date
    mark: Mark
    source: Text
    released_on: dt.date | None = None
    never: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.released_on is not None) == self.never:
            raise ValueError("key 'released_on': give a date, or never = true, not both")
        if self.released_on is not None and self.released_on <= self.observation_date:
            raise ValueError("key 'released_on': not after the period it is about began")
        return self


class ReleaseDelays(Entry):
    """All of them, one a figure."""

    delays: Annotated[tuple[ReleaseDelay, ...], Field(alias="delay")]

    @model_validator(mode="after")
    def _once_a_figure(self) -> Self:
        seen = set()
        for one in self.delays:
            figure = f"{one.series_id} {one.observation_date}"
            if figure in seen:
                raise ValueError(f"delay {figure}: key 'observation_date': already has a row")
            seen.add(figure)
        return self


class Recession(Entry):
    """One recession: the first days of the months of its peak and trough. It begins with the month after the peak."""

    peak_month: dt.date
    trough_month: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.peak_month < self.trough_month:
            raise ValueError("key 'trough_month': not after the peak")
        if (self.peak_month.day, self.trough_month.day) != (1, 1):
            raise ValueError("key 'peak_month': months are stamped with their first day")
        return self


class RecessionLedger(Entry):
    """All recessions, oldest first, and the day to which every month was compared with another source."""

    checked_until: dt.date
    source: Sentence
    mark: Mark
    recessions: Annotated[tuple[Recession, ...], Field(min_length=1, alias="recession")]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for earlier, later in pairwise(self.recessions):
            if later.peak_month <= earlier.trough_month:
                raise ValueError(f"key 'recession': {later.peak_month} begins before the one before it ends")
        return self


class ReferenceValue(Entry):
    """A figure somebody published, cited to compare our own with; never an input of a score."""

    id: Text
    title: Sentence
    value: float
    unit: Text
    as_of: dt.date
    source: Text
    mark: Mark
    note: Text | None = None


class Caveat(Entry):
    """What a reader must know. `applies` is `always` or the name of a question the newest row answers."""

    id: Text
    kind: Literal[
        "proxy", "contested", "missing", "deviation", "sample_size", "provisional", "data", "method"
    ]
    severity: Literal["warning", "caution", "note"]
    affects: Annotated[tuple[Text, ...], Field(min_length=1)]  # "table.column"
    applies: Text
    text: Sentence


@dataclass(frozen=True)
class Catalog:
    """Everything declared: series, tables, method and its versions, ledgers, delays, reference values, outside
    references, caveats, and what moves together in a what-if.
    """

    series: Mapping[str, Series]
    tables: Mapping[str, Table]
    method: Method
    method_versions: tuple[MethodVersion, ...]  # oldest first; the last one is in force
    policy_events: PolicyLedger
    recessions: RecessionLedger
    release_delays: tuple[ReleaseDelay, ...]
    reference_values: Mapping[str, ReferenceValue]
    outside_references: Mapping[str, OutsideReference]
    caveats: Mapping[str, Caveat]
    what_if: WhatIf

    def as_of_tables(self) -> list[Table]:
        """Published tables with rows for one date each: what a live row consists of, with its provenance next to it."""
        return [table for table in self.tables.values() if table.is_as_of]

    def unit_of(self, column: str) -> str:
        """Unit of a column given as "table.column"."""
        table, _, name = column.partition(".")
        return self.tables[table].column(name).unit

    def source_series(self, origins: Iterable[str]) -> tuple[str, ...]:
        """Ids of the series that origins (a series id, or "table.column") rest on in the end, in catalogue order."""
        found = set(self._followed(origins, self.tables))
        return tuple(series_id for series_id in self.series if series_id in found)

    def columns_read(self, table: str, names: Iterable[str]) -> tuple[str, ...]:
        """Columns of other tables ("table.column", sorted) that columns of a table read, through its own too."""
        origins = self._followed((f"{table}.{name}" for name in names), [table])
        return tuple(sorted(origin for origin in set(origins) if "." in origin))

    def _followed(self, origins: Iterable[str], through: Container[str]) -> Iterator[str]:
        """Origins at which the way through the columns of some tables ends."""
        waiting, seen = list(origins), set[str]()
        while waiting:
            origin = waiting.pop()
            table, _, column = origin.partition(".")
            if not column or table not in through:
                yield origin
            elif origin not in seen:
                seen.add(origin)
                waiting.extend(self.tables[table].column(column).derived_from)

    def in_profile(self, profile: Profile) -> list[Series]:
        """Series fetched in that profile, in catalogue order."""
        return [series.in_profile(profile) for series in self.series.values() if profile in series.profiles]

    def by_source(self, source: SourceKey) -> list[Series]:
        """Series of one publisher's source key, in catalogue order."""
        return [series for series in self.series.values() if series.source == source]
