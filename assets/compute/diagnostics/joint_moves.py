"""What-if: the label of one date with several figures moved at once, or left out, and everything computed from them.

A moved series gets a new vintage of its newest figure, public on the date, and the derived tables are built from it by
their own builders: what is computed from it moves with it, every other figure is held still. `equities` moves the price
in all figures of it. A moved component (a name of `regime_evidence`) is set alone, as in `distance_to_flip`. History,
and with it every rank's sample, never moves.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.catalog.moves import Move, MoveError, parse_move
from assets.compute.archive import ABSENT, only, with_vintage
from assets.compute.conditions import SCORED, Readings, percentile
from assets.compute.diagnostics.distance import RATE_CHANGE
from assets.compute.diagnostics.revised import tables_by_series
from assets.compute.lookup import View
from assets.compute.reading import EARNINGS, ON_BASES, PRICES, Bases, Floats, Reading, absent
from assets.compute.regime import Regime, build_regime, evidence_frame, regime_name
from assets.compute.state import STATE_BY_CODE, Scores, run_machine
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS

LEFT_OUT, EQUITIES = "left_out", "equities"
_EQUITY, _QUARTER_DAYS = "equity_risk_premium", 92
_POINTS = ("pct", "pp")  # kinds of unit in which a change is in points
_COMPARED = ("value", "rank", "weight", "contribution")


@dataclass(frozen=True)
class Baseline:
    """One date before any move. `readings` and `ranks`: of that date, by "table.column".

    `past`: values at the month-ends before it, by "table.column". `scores`: on the same month-ends.
    """

    view: View
    readings: Readings
    ranks: Mapping[str, Floats]
    past: Mapping[str, Floats]
    scores: Scores

    def regime_of(self, readings: Readings, ranks: Mapping[str, Floats]) -> Regime:
        """The regime of the date from readings and ranks of it."""
        return build_regime(readings, self.view.grid, self.view.catalog, ranks)

    @cached_property
    def regime(self) -> Regime:
        """The regime before any move."""
        return self.regime_of(self.readings, self.ranks)


def baseline_of(view: View, regime: Regime) -> Baseline:
    """The last date of a computed regime, with the vintages a label can come from."""
    before = regime.grid.is_month_end.copy()
    before[-1] = False
    return Baseline(
        replace(view, as_of=view.as_of[-1:], archive=only(view.archive, tables_by_series(view.catalog))),
        {name: reading.rows(slice(-1, None)) for name, reading in regime.readings.items()},
        {c.column: c.rank[-1:] for c in regime.components},
        {name: reading.value[before] for name, reading in regime.readings.items()},
        Scores(*(getattr(regime.scores, field.name)[before] for field in fields(Scores))),
    )


@dataclass(frozen=True)
class Picture:
    """Scores and labels of the date as a month-end. `lasting`: the label once these figures have been confirmed.

    `month_ends_needed`: month-ends in a row, this one included, until the label is the lasting one.
    """

    regime: Regime
    label: str
    state: str
    lasting: str
    month_ends_needed: int

    @property
    def stance(self) -> str:
        """Headline stance."""
        return str(self.regime.stance.stance[0])

    @property
    def labels(self) -> dict[str, str]:
        """Every label by its item of the comparison."""
        lasting = {"regime": self.label, "regime_if_it_lasts": self.lasting}
        return {**lasting, "stance": self.stance, "condition_state": self.state}

    def score(self, name: str) -> float:
        """A condition's, or that of all as "bubble"."""
        scores = self.regime.bubble_score if name == "bubble" else self.regime.conditions[name].score
        return float(scores[0])

    @property
    def evidence(self) -> pd.DataFrame:
        """Every component by condition and name; an absent one contributes nothing that is known."""
        frame = evidence_frame(self.regime).set_index(["condition", "component"])
        return frame.assign(contribution=frame["contribution"].where(frame["score"].notna()))


@dataclass(frozen=True)
class Effect:
    """Before and after, the derived figures that moved (value before, after), and what could not follow."""

    before: Picture
    after: Picture
    figures: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...]


def what_if(base: Baseline, moves: Sequence[str], without: Sequence[str] = ()) -> Effect:
    """The label with all moves made together. Raises MoveError, one line."""
    names = Names(base)
    parsed = [parse_move(text) for text in moves]
    left_out = [name.rpartition(".")[2] for name in without]
    _refuse_repeated([*(move.name.lower() for move in parsed), *map(str.lower, left_out)])
    of_equities = [m for m in parsed if m.name.lower() == EQUITIES]
    of_columns = [(column, m) for m in parsed if (column := names.column(m.name))]
    of_series = [m for m in parsed if m not in of_equities and not names.column(m.name)]
    readings, notes = _with_series(base, of_series, names)
    for move in of_equities:
        readings |= _with_equities(readings, move)
    for column, move in of_columns:
        moved = np.array([_moved(readings[column].value[0], move, names.unit(column))])
        readings[column] = replace(readings[column], value=moved, absent_reason=np.array([None]))
    for name in left_out:
        readings |= _left_out(readings, name, names)
    changed = {name for name in readings if not _same(readings[name], base.readings[name])}
    if not changed and (parsed or without):
        notes.append(
            "no figure changed: it has that value already, or nothing known on the date comes from it"
        )
    ranks = dict(base.ranks)
    for c in base.regime.components:
        if c.value_at is None and not changed.isdisjoint([c.column, *ON_BASES.get(c.column, ())]):
            ranks[c.column] = _rank(base, readings, c.column)
    figures = {name: (base.readings[name].value[0], readings[name].value[0]) for name in sorted(changed)}
    before, after = _pictures(base, [base.regime, base.regime_of(readings, ranks)])
    return Effect(before, after, figures, tuple(notes))


def _refuse_repeated(names: Sequence[str]) -> None:
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise MoveError(f"{repeated} is given twice: move it once, or leave it out")


def comparison(found: Effect) -> list[dict[str, Any]]:
    """Label, scores, every input and every other figure that moved, before and after: one row each, None for absent."""
    before, after = found.before, found.after
    rows: list[dict[str, Any]] = [
        {"item": item, "unit": "text", "text_before": was, "text_after": after.labels[item]}
        for item, was in before.labels.items()
    ]
    for name in ("bubble", *before.regime.conditions):
        scores = {"value_before": before.score(name), "value_after": after.score(name)}
        rows.append({"item": f"{name}_score", "unit": "score, 0 to 1", **scores})
    was, now = before.evidence, after.evidence
    joined = (
        was[["unit"]]
        .join(was[[*_COMPARED]].add_suffix("_before"))
        .join(now[[*_COMPARED]].add_suffix("_after"))
    )
    joined["contribution_change"] = now["contribution"].fillna(0.0) - was["contribution"].fillna(0.0)
    joined["item"] = [".".join(key) for key in joined.index]
    rows += [{str(name): value for name, value in row.items()} for row in joined.to_dict("records")]
    shown = {c.column for c in before.regime.components}
    for name, (a, b) in found.figures.items():
        if name not in shown:
            unit = before.regime.catalog.unit_of(name)
            rows.append({"item": name, "unit": unit, "value_before": a, "value_after": b})
    compared = [f"{name}_{when}" for name in _COMPARED for when in ("before", "after")]
    names = ("item", "unit", "text_before", "text_after", *compared, "contribution_change")
    return [{name: None if pd.isna(row.get(name)) else row.get(name) for name in names} for row in rows]


def scenarios(base: Baseline) -> pd.DataFrame:
    """Columns of `scenarios`: one row per declared scenario; without scores and with the reason where it cannot be."""
    rows = []
    for name, scenario in base.view.catalog.what_if.scenarios.items():
        row: dict[str, Any] = {
            "scenario": name,
            "title": scenario.title,
            "moves": " ".join(scenario.moves),
            "as_of_date": base.view.as_of[0].astype("datetime64[s]"),
        }
        try:
            found = what_if(base, scenario.moves)
        except MoveError as error:
            rows.append({**row, "not_computed_reason": str(error)})
            continue
        for when, picture in (("before", found.before), ("after", found.after)):
            row[f"regime_{when}"], row[f"stance_{when}"] = picture.label, picture.stance
            row[f"condition_state_{when}"] = picture.state
            row |= {f"{score}_score_{when}": picture.score(score) for score in ("bubble", *SCORED)}
        row["regime_if_it_lasts"] = found.after.lasting
        row["month_ends_needed"] = found.after.month_ends_needed
        rows.append({**row, "held_still": "; ".join(found.notes) or None})
    return pd.DataFrame(rows)


class Names:
    """What can be moved: components by name, groups, series; all without regard to case."""

    def __init__(self, base: Baseline) -> None:
        self.view, self.catalog = base.view, base.view.catalog
        self.reach = tables_by_series(self.catalog)
        self._columns = {c.name: c.column for c in base.regime.components} | {
            "policy_rate_change": RATE_CHANGE
        }

    def column(self, name: str) -> str | None:
        """The column of a component; None for any other name. A series of the same name goes first."""
        return None if name.upper() in self.catalog.series else self._columns.get(name.lower())

    def unit(self, column: str) -> str:
        """Kind of unit of a column, as in the catalogue of series."""
        return "pp" if self.catalog.unit_of(column).startswith("percent") else "index"

    def series(self, name: str) -> Series:
        """A series that a score or the stance is computed from. Raises MoveError with the nearest name."""
        series = self.catalog.series.get(name.upper())
        if series is None:
            known = [*self._columns, *self.catalog.what_if.groups, EQUITIES, *map(str.lower, self.reach)]
            close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
            shown = [n.upper() if n.upper() in self.catalog.series else n for n in close]
            hint = f"did you mean {shown[0]}?" if shown else "the table series lists all series"
            raise MoveError(f"nothing is called {name}: {hint}")
        if series.series_id not in self.reach:
            raise MoveError(
                f"{series.series_id} is in no score and not in the stance: moving it changes no label"
            )
        return series

    def movable(self, move: Move) -> str:
        """The series of a move that has a figure, and a level it can have: most others are in another unit."""
        series = self.series(move.name)
        if reason := self.why_not_here(series.series_id):
            raise MoveError(f"{series.series_id} cannot be moved: {reason}")
        if move.change == "level" and not series.plausible_min <= move.amount <= series.plausible_max:
            among = f"{series.plausible_min:g} to {series.plausible_max:g}"
            raise MoveError(f"{move.text!r}: not plausible in its unit ({series.unit}): give {among}")
        return series.series_id

    def why_not_here(self, series_id: str) -> str | None:
        """Why a series has no figure to move on the date; None when it has one."""
        if series_id not in self.view.series:
            return "it is not in this profile"
        if newest(self.view, series_id) is not None:
            return None
        if self.is_hidden(series_id):
            return "its rights are restricted and the published file does not contain its figures"
        return "no figure of it was known on the date"

    def is_hidden(self, series_id: str) -> bool:
        """Whether the archive at hand lacks it because it is not published."""
        return self.catalog.series[series_id].rights == "restricted" and not self.view.archive.has(series_id)

    def split(self, series_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Those that can be moved, and a note on each of the profile's others."""
        reasons = {one: self.why_not_here(one) for one in series_ids if one in self.reach}
        here = [one for one, reason in reasons.items() if reason is None]
        others = [one for one, reason in reasons.items() if reason and one in self.view.series]
        return here, [f"{one} is held still: {reasons[one]}" for one in others]

    def change(self, series_id: str, move: Move) -> float:
        """By how much a move changes the newest figure of a series, in its unit."""
        _, value = newest(self.view, series_id) or (None, np.nan)
        return _moved(value, move, self.catalog.series[series_id].unit_kind) - value


def newest(view: View, series_id: str) -> tuple[np.datetime64, float] | None:
    """Period and value of the newest figure known on the date of a view; None without one."""
    observations = view.archive.observations(series_id)
    position = int(observations.newest_position(view.as_of)[0]) if view.archive.has(series_id) else ABSENT
    while position >= 0:
        row = view.archive.rows_as_of(series_id, observations.dates[[position]], view.as_of)
        if row[0] != ABSENT:
            return observations.dates[position], float(view.archive.value[row[0]])
        position -= 1
    return None


def _with_series(base: Baseline, moves: Sequence[Move], names: Names) -> tuple[dict[str, Reading], list[str]]:
    """Readings with series moved, and a note on each series that should have moved with them and cannot."""
    targets, notes = _targets(moves, names)
    archive, day = base.view.archive, base.view.as_of[0]
    for series_id, move in targets.items():
        series = names.catalog.series[series_id]
        for period, value in _figures(base.view, series, is_follower=move not in moves):
            moved = _moved(value, move, series.unit_kind)
            archive = with_vintage(archive, series_id, period, day, moved)
    tables = sorted({table for series_id in targets for table in names.reach[series_id]})
    before, after = (
        readings_of({table: BUILDERS[table](view) for table in tables})
        for view in (base.view, replace(base.view, archive=archive))
    )
    others = {name: reading for name, reading in after.items() if not _same(reading, before[name])}
    for name in others:
        if not np.allclose(
            before[name].value, base.readings[name].value, rtol=1e-9, atol=1e-9, equal_nan=True
        ):
            hidden = ", ".join(one for one in names.catalog.source_series([name]) if names.is_hidden(one))
            raise MoveError(
                f"{name} cannot be moved: it is computed from {hidden or 'figures'} whose rights are restricted "
                "and which the published file does not contain"
            )
    return {**base.readings, **others}, notes


def _figures(view: View, series: Series, *, is_follower: bool) -> list[tuple[np.datetime64, float]]:
    """The figures of a series that move: the newest, of a step series a decision on the date.

    Of a follower those of the last quarter: a spread over it in the same month may use an earlier month.
    """
    found, day = newest(view, series.series_id), view.as_of[0]
    if found is None:
        return []
    if not is_follower:
        return [(day if series.is_step else found[0], found[1])]
    dates = view.archive.observations(series.series_id).dates
    dates = dates[(dates > found[0] - _QUARTER_DAYS) & (dates <= found[0])]
    values = view.values_at(series.series_id, dates[None, :])[0]
    return [(dates[n], float(values[n])) for n in np.flatnonzero(~np.isnan(values))]


def _targets(moves: Sequence[Move], names: Names) -> tuple[dict[str, Move], list[str]]:
    """The move of every series: those named, the members of groups, then the followers of both."""
    declared = names.catalog.what_if
    targets: dict[str, Move] = {}
    of_groups: dict[str, Move] = {}
    notes: list[str] = []
    for move in moves:
        if group := declared.groups.get(move.name.lower()):
            if move.change != "points":
                raise MoveError(f"{move.text!r}: {move.name} move in points, as in {move.name}=+2pp")
            here, missing = names.split(group)
            if not here:
                raise MoveError(f"{move.name} cannot be moved: none of its series has a figure here")
            of_groups |= dict.fromkeys(here, move)
            notes += missing
            continue
        targets[names.movable(move)] = move
    targets = {**of_groups, **targets}
    for leader in [series_id for series_id in targets if series_id in declared.follows]:
        by, factors = names.change(leader, targets[leader]), declared.follows[leader]
        here, missing = names.split([one for one in factors if one not in targets])
        targets |= {one: Move(one, "points", by * factors[one], f"{one} with {leader}") for one in here}
        notes += missing
    for one, over in declared.spread_over.items():
        if over not in targets or targets.get(one) not in of_groups.values():
            continue
        periods = {found[0] for found in (newest(names.view, one), newest(names.view, over)) if found}
        if targets[over] not in moves or len(periods) == 1:  # a named yield moves in its newest period alone
            by = targets[one].amount + names.change(over, targets[over])
            targets[one] = Move(one, "points", by, f"{one} with {over}")
    return targets, notes


def _with_equities(readings: Mapping[str, Reading], move: Move) -> dict[str, Reading]:
    """Every figure of the price of equities with the price changed from here; earnings, output and the past as known.

    The price per earnings and per output move with it, the fall from the high and the change on a year from where they
    are, the premia by what the earnings yield moves.
    """
    if move.change != "percent" or move.amount <= -100.0:
        raise MoveError(f"{move.text!r}: equities move in percent of their price, as in equities=-20%")
    factor = 1.0 + move.amount / 100.0
    moved: dict[str, Reading] = {}

    def put(name: str, formula: Callable[[Floats], Floats]) -> None:
        moved[f"{_EQUITY}.{name}"] = readings[f"{_EQUITY}.{name}"].map(formula)

    def grown(percent: Floats) -> Floats:
        return 100.0 * ((1.0 + percent / 100.0) * factor - 1.0)

    for name in ("equity_price", "equity_value_pct_gdp", "cape"):
        put(name, lambda v: v * factor)
    put("equity_drawdown_pct", lambda v: np.minimum(grown(v), 0.0))
    for basis in (*(f"{name}_" for name in PRICES), ""):
        put(f"equity_return_12m_{basis}pct", grown)
    for basis in (*(f"{name}_" for name in EARNINGS), ""):
        before = readings[f"{_EQUITY}.earnings_yield_{basis}pct"].value
        gain = before / factor - before
        put(f"earnings_yield_{basis}pct", lambda v: v / factor)
        for premium in ("erp_vs_nominal_10y", "erp_vs_real_10y"):
            put(f"{premium}_{basis}pp", partial(np.add, gain))
    return moved


def _moved(value: float, move: Move, unit_kind: str) -> float:
    """A value after a move. Raises MoveError when the change is not one of its unit."""
    if move.change == "level":
        return move.amount
    if np.isnan(value):
        raise MoveError(f"{move.text!r}: {move.name} has no figure on the date: give its level")
    if move.change == "points":
        if unit_kind not in _POINTS:
            raise MoveError(f"{move.text!r}: {move.name} is not in percent: give its level, or a change in %")
        return value + move.amount
    if unit_kind in _POINTS:
        example = f"{move.name}=+1pp"
        raise MoveError(f"{move.text!r}: {move.name} is in percent: write the change in points, as {example}")
    if not value > 0:
        is_now = f"{move.name} is {value:g}"
        raise MoveError(f"{move.text!r}: {is_now}, of which there is no percentage: give its level")
    return value * (1.0 + move.amount / 100.0)


def _left_out(readings: Readings, name: str, names: Names) -> dict[str, Reading]:
    """Readings absent because a component, or everything computed from a series or a group, is left out."""
    if column := names.column(name):
        chosen = [column, *ON_BASES.get(column, ())]
    elif name.lower() == EQUITIES:
        chosen = [one for one in readings if one.startswith(f"{_EQUITY}.")]
    else:
        group = names.catalog.what_if.groups.get(name.lower()) or [names.series(name).series_id]
        chosen = [
            n for n, r in readings.items() if not set(group).isdisjoint((r.series_ids[0] or "").split(","))
        ]
    return {n: absent(1, readings[n].series_ids[0], LEFT_OUT) for n in chosen if readings[n].present[0]}


def _same(one: Reading, other: Reading) -> bool:
    return bool(np.array_equal(one.value, other.value, equal_nan=True))


def _rank(base: Baseline, readings: Readings, column: str) -> Floats:
    """Rank of a moved value among the month-ends before it, on the basis it is on."""
    among = column
    if column in ON_BASES:
        each = {name: readings[name] for name in ON_BASES[column]}
        among = list(each)[int(Bases.of_selected(readings[column], each).used[0])]
    history = np.append(base.past[among], readings[column].value)
    return percentile(history, np.ones(len(history), dtype=bool), base.view.method.percentile)[-1:]


def _pictures(base: Baseline, regimes: Sequence[Regime]) -> list[Picture]:
    """Every regime as that of the month-end after those before the date, and of as many more as confirm it."""
    rules, n = base.view.method.state, len(base.scores.bubble)
    now = [np.concatenate([getattr(r.scores, f.name) for r in regimes]) for f in fields(Scores)]
    past = [getattr(base.scores, f.name) for f in fields(Scores)]
    ahead = rules.confirmation_months + 1
    scores = Scores(
        *(np.vstack([np.tile(p[:, None], len(a)), *[a] * ahead]) for p, a in zip(past, now, strict=True))
    )
    codes, _ = run_machine(scores.measures, scores.fast_entry(rules), np.ones(n + ahead, dtype=bool), rules)
    pictures = []
    for regime, coming in zip(regimes, STATE_BY_CODE[codes[n:]].T, strict=True):
        labels = regime_name(coming, np.repeat(regime.stance.stance, ahead))
        needed = int(np.argmax(coming == coming[-1])) + 1
        pictures.append(Picture(regime, str(labels[0]), str(coming[0]), str(labels[-1]), needed))
    return pictures
