"""Reading the catalogue: TOML files into typed models, and the rules that span entries."""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assets.catalog.method import Method, MethodVersion
from assets.catalog.models import (
    Carrier,
    Catalog,
    Caveat,
    PolicyEvent,
    PolicyLedger,
    RecessionLedger,
    ReferenceValue,
    ReleaseDelay,
    Series,
    Table,
)
from assets.catalog.moves import WhatIf
from assets.catalog.outside import OutsideReference

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CATALOG_DIR = Path("assets/catalog")

Model = TypeVar("Model", bound=BaseModel)


class CatalogError(ValueError):
    """A declaration is wrong: one line naming the file, the entry, the key and what is wrong with it."""


def load_catalog(root: Path | None = None) -> Catalog:
    """The whole catalogue of the project at `root` (default: this one, read once per process).

    Raises CatalogError, one line naming file (relative to the root), entry and key.
    """
    return _default_catalog() if root is None else _load(root)


@cache
def _default_catalog() -> Catalog:
    return _load(PROJECT_ROOT)


def _load(root: Path) -> Catalog:
    folder = root / CATALOG_DIR
    carriers = _load_carriers(root, folder / "carriers.toml")
    series = _load_series(root, sorted((folder / "series").glob("*.toml")), carriers)
    tables = _load_tables(root, sorted((folder / "tables").glob("*.toml")))
    references = _load_references(root, folder / "reference_values.toml")
    catalog = Catalog(
        series=series,
        tables=tables,
        method=_load_method(root, folder / "method.toml"),
        method_versions=_load_versions(root, folder / "method_versions.toml"),
        policy_events=_load_ledger(root, folder / "policy_events.toml"),
        recessions=_load_recessions(root, folder / "recessions.toml"),
        release_delays=_load_delays(root, folder / "release_delays.toml", series),
        reference_values=references,
        outside_references=_load_outside(root, folder / "outside_references.toml", references),
        caveats=_load_caveats(root, folder / "caveats.toml"),
        what_if=_load_what_if(root, folder / "what_if.toml", series),
    )
    _check_derivations(root, catalog)
    return catalog


def _load_carriers(root: Path, file: Path) -> dict[str, Carrier]:
    where, content = _relative(root, file), _read(root, file)
    return {series_id: _build(Carrier, entry, where, series_id) for series_id, entry in content.items()}


def _load_series(root: Path, files: list[Path], carriers: Mapping[str, Carrier]) -> dict[str, Series]:
    """The series of all files; those with a carrier are in the profile public too."""
    if not files:
        raise CatalogError(f"{(CATALOG_DIR / 'series').as_posix()}: no series file found")
    series: dict[str, Series] = {}
    for file in files:
        where = _relative(root, file)
        for series_id, entry in _read(root, file).items():
            if series_id in series:
                other = series[series_id].group
                raise CatalogError(f"{where}: {series_id}: already declared in {other}.toml")
            known: dict[str, object] = {"series_id": series_id, "group": file.stem}
            if isinstance(entry, dict) and series_id in carriers:
                known["carrier"] = carriers[series_id]
                entry = {**entry, "profiles": [*entry.get("profiles", []), "public"]}
            series[series_id] = _build(Series, entry, where, series_id, known)
    for series_id in carriers:
        if series_id not in series:
            raise CatalogError(f"{(CATALOG_DIR / 'carriers.toml').as_posix()}: {_unknown(series_id, series)}")
    return series


def _load_tables(root: Path, files: list[Path]) -> dict[str, Table]:
    contents = {file.stem: (_relative(root, file), _read(root, file)) for file in files}
    tables: dict[str, Table] = {}
    for name, (where, content) in contents.items():
        base = content.pop("extends", None)  # the base's columns follow the table's own
        if base is not None:
            if base not in contents or base == name:
                raise CatalogError(f"{where}: {name}: key 'extends': {_unknown(str(base), contents)}")
            inherited = map(_kept_longer, contents[base][1].get("column", []))
            content["column"] = [*content.get("column", []), *inherited]
        tables[name] = _build(Table, content, where, name, {"name": name})
    return tables


def _kept_longer(column: object) -> object:
    """A column as a table has it whose rows are kept: those of earlier versions lack what was added since."""
    return {**column, "nullable": True} if isinstance(column, dict) and "added_in" in column else column


def _load_method(root: Path, file: Path) -> Method:
    return _build(Method, _read(root, file), _relative(root, file), "method")


def load_own_method(file: Path) -> Method:
    """A method from a file of its own: complete, or only what differs from the project's. Raises CatalogError."""
    where, own = str(file), _read(file.parent, file)
    ours = _read(PROJECT_ROOT, PROJECT_ROOT / CATALOG_DIR / "method.toml")
    return _build(Method, _overridden(ours, own), where, "method")


def _overridden(ours: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Sections of one over those of the other, key by key."""
    merged = dict(ours)
    for key, value in own.items():
        base = merged.get(key)
        merged[key] = (
            _overridden(base, value) if isinstance(base, dict) and isinstance(value, dict) else value
        )
    return merged


def _load_versions(root: Path, file: Path) -> tuple[MethodVersion, ...]:
    where, content = _relative(root, file), _read(root, file)
    versions = [
        _build(MethodVersion, entry, where, _label("version", number, entry, "method_version"))
        for number, entry in enumerate(_take(content, "version", where), start=1)
    ]
    _refuse_rest(content, where)
    for earlier, later in pairwise(versions):
        if later.in_force_since < earlier.in_force_since:
            raise CatalogError(f"{where}: version {later.method_version}: key 'in_force_since': out of order")
    return tuple(versions)


def _load_ledger(root: Path, file: Path) -> PolicyLedger:
    where, content = _relative(root, file), _read(root, file)
    days = {key: _take(content, key, where) for key in ("last_checked", "desk_notices_until")}
    for key, day in days.items():
        if type(day) is not dt.date:
            raise CatalogError(f"{where}: top level: key '{key}': must be a date")
    events = [
        _build(PolicyEvent, entry, where, _label("event", number, entry, "announced_on"))
        for number, entry in enumerate(_take(content, "event", where), start=1)
    ]
    _refuse_rest(content, where)
    for earlier, later in pairwise(events):
        if later.announced_on < earlier.announced_on:
            raise CatalogError(f"{where}: event {later.announced_on}: key 'announced_on': out of order")
    return PolicyLedger(events=tuple(events), **days)


def _load_recessions(root: Path, file: Path) -> RecessionLedger:
    return _build(RecessionLedger, _read(root, file), _relative(root, file), "recessions")


def _load_delays(root: Path, file: Path, series: Mapping[str, Series]) -> tuple[ReleaseDelay, ...]:
    where, content = _relative(root, file), _read(root, file)
    delays: dict[tuple[str, object], ReleaseDelay] = {}
    for number, entry in enumerate(_take(content, "delay", where), start=1):
        label = _label("delay", number, entry, "series_id", "observation_date")
        delay = _build(ReleaseDelay, entry, where, label)
        if delay.series_id not in series:
            raise CatalogError(f"{where}: {label}: key 'series_id': {_unknown(delay.series_id, series)}")
        key = (delay.series_id, delay.observation_date)
        if key in delays:
            raise CatalogError(f"{where}: {label}: key 'observation_date': already has a row")
        delays[key] = delay
    _refuse_rest(content, where)
    return tuple(delays.values())


def _load_references(root: Path, file: Path) -> dict[str, ReferenceValue]:
    where, content = _relative(root, file), _read(root, file)
    return {key: _build(ReferenceValue, entry, where, key, {"id": key}) for key, entry in content.items()}


def _load_outside(
    root: Path, file: Path, references: Mapping[str, ReferenceValue]
) -> dict[str, OutsideReference]:
    where, content = _relative(root, file), _read(root, file)
    found = {key: _build(OutsideReference, entry, where, key) for key, entry in content.items()}
    for key, entry in found.items():
        for name in entry.reference_values:
            if name not in references:
                raise CatalogError(f"{where}: {key}: key 'reference_values': {_unknown(name, references)}")
    return found


def _load_caveats(root: Path, file: Path) -> dict[str, Caveat]:
    where, content = _relative(root, file), _read(root, file)
    return {key: _build(Caveat, entry, where, key, {"id": key}) for key, entry in content.items()}


def _load_what_if(root: Path, file: Path, series: Mapping[str, Series]) -> WhatIf:
    where = _relative(root, file)
    found = _build(WhatIf, _read(root, file), where, "what-if")
    named = {f"groups.{name}": members for name, members in found.groups.items()}
    named |= {f"follows.{name}": (name, *followers) for name, followers in found.follows.items()}
    for place, ids in named.items():
        for series_id in ids:
            if series_id not in series:
                raise CatalogError(f"{where}: {place}: {_unknown(series_id, series)}")
    return found


def _check_derivations(root: Path, catalog: Catalog) -> None:
    """Every `derived_from` names a series of the catalogue or a column of another table, every `repeats` a series."""
    columns = {f"{table.name}.{name}" for table in catalog.tables.values() for name in table.column_names}
    known = columns | set(catalog.series)
    for table in catalog.tables.values():
        where = (CATALOG_DIR / "tables" / f"{table.name}.toml").as_posix()
        for column in table.columns:
            for origin in column.derived_from:
                at = f"{where}: {column.name}: key 'derived_from'"
                if origin not in known:
                    raise CatalogError(f"{at}: {_unknown(origin, known)}")
                if origin == f"{table.name}.{column.name}":
                    raise CatalogError(f"{at}: names itself")
            for series_id in (name for repeat in column.repeats for name in repeat.series):
                if series_id not in catalog.series:
                    at = f"{where}: {column.name}: key 'repeats'"
                    raise CatalogError(f"{at}: {_unknown(series_id, catalog.series)}")


def _read(root: Path, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CatalogError(f"{_relative(root, file)}: file is missing") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{_relative(root, file)}: not valid TOML: {error}") from None


def _build(
    model: type[Model], entry: object, where: str, label: str, known: Mapping[str, object] | None = None
) -> Model:
    """One entry as a model; `known` are the keys its place in the files gives, which it may not repeat."""
    if not isinstance(entry, dict):
        raise CatalogError(f"{where}: {label}: must be a table of keys")
    known = known or {}
    if repeated := sorted(known.keys() & entry.keys()):
        raise CatalogError(f"{where}: {label}: unknown key '{repeated[0]}' (the file gives it)")
    try:
        return model.model_validate({**entry, **known})
    except ValidationError as error:
        raise CatalogError(f"{where}: {label}: {_first_fault(model, error, entry)}") from None


def _first_fault(model: type[BaseModel], error: ValidationError, entry: Mapping[str, Any]) -> str:
    """The fault to name first: an unknown key before a missing one, since a typo is usually both."""
    ranking = {"extra_forbidden": 0, "missing": 1}
    faults = sorted(error.errors(include_url=False), key=lambda fault: ranking.get(fault["type"], 2))
    fault = faults[0]
    path = [str(part) for part in fault["loc"]]
    key, place = (path[-1], _place(path[:-1], entry)) if path else ("", "")
    if fault["type"] == "missing":
        return f"{place}missing key '{key}'"
    if fault["type"] == "extra_forbidden":
        missing = [str(other["loc"][-1]) for other in faults if other["type"] == "missing"]
        names = missing + [field.alias or name for name, field in model.model_fields.items()]
        close = difflib.get_close_matches(key, names, n=1)
        return f"{place}unknown key '{key}'" + (f" (did you mean '{close[0]}'?)" if close else "")
    if fault["type"] == "value_error":  # raised by our own validators, which name the key themselves
        return f"{_place(path, entry)}{fault['ctx']['error']}"
    given = str(fault["input"]).replace("\n", " ")[:60]
    return f"{place}key '{key}': {fault['msg'].lower()}, not {given!r}"


def _place(path: list[str], entry: Mapping[str, Any]) -> str:
    """Where inside the entry: a column by its name, a section by its path, nothing at the top."""
    if len(path) >= 2 and path[0] == "column" and path[1].isdigit():
        row = entry["column"][int(path[1])]
        name = row.get("name") if isinstance(row, dict) else None
        return f"column {name or int(path[1]) + 1}: "
    return f"{'.'.join(path)}: " if path else ""


def _label(kind: str, number: int, entry: object, *keys: str) -> str:
    """Name of an entry in a list: its own key values, else its number."""
    given = [str(entry[key]) for key in keys if key in entry] if isinstance(entry, dict) else []
    return f"{kind} {' '.join(given)}" if len(given) == len(keys) else f"{kind} number {number}"


def _take(content: dict[str, Any], key: str, where: str) -> Any:
    if key not in content:
        raise CatalogError(f"{where}: top level: missing key '{key}'")
    return content.pop(key)


def _refuse_rest(content: Mapping[str, Any], where: str) -> None:
    if content:
        raise CatalogError(f"{where}: top level: unknown key '{next(iter(content))}'")


def _unknown(name: str, known: Mapping[str, Any] | set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"'{name}' does not exist" + (f" (did you mean '{close[0]}'?)" if close else "")


def _relative(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()
