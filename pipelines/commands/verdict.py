"""The verdict in a few lines: what the newest row of the published file says, and the main reasons for it.

Belongs here: asking the file, and words for what it says. Does not belong here: judgement; every word comes from a
column, and every limit from the parameters the file itself carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.report.words import CONDITIONS, DRIVER_WORDS, GRADE_WORDS, WITHHELD, regime_words
from pipelines.commands.published import Row, day, number, rows

_SHOWN = 3  # inputs named per condition
_INDENT = 16

_TESTS = {
    "shrinking": "shrinking: smaller than 26 weeks ago",
    "technical": "technical: growing no faster than bank credit or the economy",
    "leaning": "leaning: growing up to {limit:g} pp a year faster than bank credit and the economy",
    "stimulative": "stimulative: growing over {limit:g} pp a year faster than bank credit and the economy",
}
_UNITS = {
    "percent": "%",
    "percentage points": " pp",
    "percent of GDP": "% of GDP",
    "index, standard deviations": " sd",
}
_ACRONYMS = {
    **{word: word.upper() for word in ("cape", "erp", "gdp", "gz", "hqm", "hy", "nfci", "oas", "pce")},
    "sahm": "Sahm",
    "baa": "Baa",
}


@dataclass(frozen=True)
class Verdict:
    """What the published file says of its newest row."""

    manifest: Row
    regime: Row
    evidence: tuple[Row, ...]
    earlier_core_inflation_pct: float | None  # at the start of the window of the inflation rule
    parameters: Mapping[str, float]  # by "section.parameter"
    caveats: tuple[Row, ...] = ()  # those that apply now, warnings first


def read_verdict(con: duckdb.DuckDBPyConnection) -> Verdict:
    """The newest row with its evidence."""
    manifest = rows(con, "SELECT * FROM release_manifest")[0]
    regime = rows(con, "SELECT * FROM regime_current")[0]
    parameters = {
        f"{section}.{name}": value
        for section, name, value in con.execute(
            "SELECT section, parameter, number FROM method_parameters WHERE number IS NOT NULL"
        ).fetchall()
    }
    evidence = rows(con, "SELECT * FROM regime_evidence WHERE as_of_date = ?", [regime["as_of_date"]])
    months = int(parameters["verdict.inflation_window_months"])
    earlier = con.execute(
        "SELECT value FROM regime_evidence WHERE condition = 'inflation' AND value IS NOT NULL "
        "AND as_of_date = last_day(CAST(CAST(? AS DATE) - to_months(?) AS DATE))",
        [regime["as_of_date"], months],
    ).fetchall()
    caveats = rows(
        con,
        "SELECT * FROM caveats WHERE applies_now "
        "ORDER BY list_position(['warning', 'caution', 'note'], severity), caveat_id",
    )
    core = earlier[0][0] if earlier else None
    return Verdict(manifest, regime, tuple(evidence), core, parameters, tuple(caveats))


def verdict_lines(verdict: Verdict, path: Path) -> list[str]:
    """The verdict as lines of text; `path` is the file it was read from."""
    return [
        *_head(verdict),
        "",
        *_stance(verdict),
        "",
        *(line for name in CONDITIONS for line in _condition(verdict, name)),
        "",
        *_coverage(verdict),
        _line("balance sheet", _balance_sheet(verdict)),
        *_caveats(verdict),
        *_restricted(verdict),
        _line("file", str(path)),
    ]


def temperature(verdict: Verdict, condition: str) -> str:
    """`hot`, `cold` or `between`; `absent` without a score. Inflation is hot at the target unless it is falling."""
    limits = verdict.parameters
    if condition == "inflation":
        current = next((e["value"] for e in verdict.evidence if e["condition"] == condition), None)
        if current is None:
            return "absent"
        earlier = verdict.earlier_core_inflation_pct
        falls = earlier is not None and earlier - current >= limits["verdict.inflation_fall_pp"]
        return "cold" if falls or current < limits["verdict.inflation_target_pct"] else "hot"
    score = verdict.regime[f"{condition}_score"]
    if score is None:
        return "absent"
    if score >= limits[f"verdict.{condition}_hot"]:
        return "hot"
    return "cold" if score <= limits[f"verdict.{condition}_cold"] else "between"


def _line(name: str, text: str) -> str:
    return f"{name:<{_INDENT}}{text}"


def profile_words(manifest: Row) -> str:
    """Whose figures, in words nobody overlooks."""
    return "SAMPLE DATA (bundled figures)" if manifest["profile"] == "sample" else "live figures"


def _head(verdict: Verdict) -> list[str]:
    regime, manifest = verdict.regime, verdict.manifest
    lines = [
        regime_words(regime["regime"], regime["stance_driver"]),
        _line("label", f"{regime['regime']}, since {day(regime['regime_since'])}"),
        _line("as of", f"{day(regime['as_of_date'])}, {profile_words(manifest)}"),
    ]
    lines.append(_line("", GRADE_WORDS.get(regime["pit_grade"], str(regime["pit_grade"]))))
    if not regime["is_month_end"]:
        lines.append(_line("provisional", _inside_month(regime)))
    if regime["indeterminate_reason"]:
        lines.append(_line("because", regime["indeterminate_reason"]))
    return lines


def _inside_month(regime: Row) -> str:
    would_be = regime["provisional_condition"]
    return "a row inside a month keeps the last month-end's condition" + (
        f"; today's figures alone would say {would_be}"
        if would_be not in (None, regime["condition_state"])
        else ""
    )


def _stance(verdict: Verdict) -> list[str]:
    regime = verdict.regime
    driver = DRIVER_WORDS.get(regime["stance_driver"], str(regime["stance_driver"]))
    stance = f"{regime['stance'] or 'unknown'}, {driver}; from what moved: {regime['stance_realised'] or 'unknown'}"
    lines = [_line("stance", stance)]
    if regime["is_stance_provisional"]:
        checked = day(verdict.manifest["ledger_last_checked"])
        lines.append(_line("", f"provisional: announcements were last looked for on {checked}"))
    score = "no score" if regime["bubble_score"] is None else f"score {number(regime['bubble_score'])} of 1"
    distance = regime["distance_to_threshold"]
    near = "" if distance is None else f", {number(distance)} from the nearest threshold"
    return [*lines, _line("condition", f"{regime['condition_state']}, {score}{near}")]


def _condition(verdict: Verdict, name: str) -> list[str]:
    score = number(verdict.regime[f"{name}_score"])
    inputs = [e for e in verdict.evidence if e["condition"] == name and e["weight"] > 0]
    inputs.sort(key=lambda e: (e["contribution"], e["weight"]), reverse=True)
    shown = "; ".join(_input(e) for e in inputs[:_SHOWN]) or "no input"
    if len(inputs) > _SHOWN:
        shown += f"; {len(inputs) - _SHOWN} more"
    return [_line(name, f"{score:<5} {temperature(verdict, name):<8} {shown}")]


def _input(evidence: Row) -> str:
    if evidence["value"] is None:  # it counts, so there is one: it is not passed on
        return f"{_in_words(evidence['component'])} ({WITHHELD})"
    unit = _UNITS.get(evidence["unit"], f" {evidence['unit']}")
    value = number(evidence["value"], 0 if abs(evidence["value"]) >= 1000 else 2)
    return f"{_in_words(evidence['component'])} {value}{unit}"


def _in_words(component: str) -> str:
    return " ".join(_ACRONYMS.get(word, word) for word in component.split("_"))


def _coverage(verdict: Verdict) -> list[str]:
    regime, minimum = verdict.regime, verdict.parameters["coverage.minimum"]
    lines = [
        _line("coverage", f"{number(regime['coverage'])} (lowest of three; {number(minimum)} is needed)")
    ]
    if at_minimum := regime["conditions_at_minimum_coverage"]:
        text = f"{at_minimum.replace(',', ', ')} rests on the least coverage allowed"
        if regime["is_spread_missing"]:
            text += ": no corporate spread is known on this date"
        lines.append(_line("", text))
    if without := _without(verdict):
        lines.append(_line("without", without))
    return lines


def _without(verdict: Verdict) -> str:
    """Inputs that could not be measured, by reason; those only not binding are measured."""
    reasons: dict[str, list[str]] = {}
    for evidence in verdict.evidence:
        if evidence["score"] is None:
            reason = str(evidence["absent_reason"]).replace("_", " ")
            reasons.setdefault(reason, []).append(_in_words(evidence["component"]))
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in sorted(reasons.items()))


def _caveats(verdict: Verdict) -> list[str]:
    """How many caveats apply, and the warnings among them; all of them stand in the table `caveats`."""
    severities = [caveat["severity"] for caveat in verdict.caveats]
    if not severities:
        return []
    warnings = [
        caveat["caveat_id"].replace("_", " ") for caveat in verdict.caveats if caveat["severity"] == "warning"
    ]
    said = f"{len(severities)} apply, {len(warnings)} of them warnings"
    return [_line("caveats", f"{said}{': ' + '; '.join(warnings) if warnings else ''} (table caveats)")]


def _restricted(verdict: Verdict) -> list[str]:
    """That the file is for the house alone, where it is."""
    count = verdict.manifest.get("restricted_series_count", 0)  # files of before know no such count
    text = f"holds raw figures of {count} restricted series: not to be passed on"
    return [_line("rights", text)] if count else []


def _balance_sheet(verdict: Verdict) -> str:
    test = verdict.regime["balance_sheet_test"]
    reserves = verdict.regime["reserves_test"] or "not measurable"
    limit = verdict.parameters["balance_sheet.leaning_limit_pp"]
    return f"{_TESTS[test].format(limit=limit) if test else 'not measurable'} (reserves: {reserves})"
