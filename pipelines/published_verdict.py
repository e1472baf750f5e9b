"""The verdict of the published file as lines of text, for the command line and the alerts.

Every word of it comes from a column, every limit from the parameters in the file: nothing is computed here.
DuckDB is the heaviest import, so that `show` starts in a fraction of a second.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from assets.report.published import Release
from assets.report.sentences import sentence
from assets.report.verdict import tiles
from assets.report.words import (
    CONDITIONS,
    GRADE_WORDS,
    MINUS,
    THIN,
    component_inside,
    reason_words,
    regime_words,
    with_unit,
    withheld_or,
)
from pipelines.release_file import Row, day, number, profile_words

# Sentences of the report that `show` prints: the first three as a paragraph, the others as lines.
SENTENCES = ("lead_verdict", "lead_open", "lead_since", "lead_policy", "care_old", "care_single")
_WIDTH = 100
_SHOWN = 3  # inputs named per condition
_INDENT = 16
_COMMAND = ".venv/bin/python -m pipelines"


def plain(text: str) -> str:
    """A sentence of the report for a terminal: no marks of emphasis, plain minus and spaces."""
    return text.replace("**", "").replace(THIN, " ").replace(MINUS, "-")


def verdict_lines(release: Release, path: Path) -> list[str]:
    """The verdict as lines of text; `path` is the file it is read from."""
    return [
        *_head(release),
        "",
        _line("condition", _state(release.today)),
        *(_line(name, _condition(release, name)) for name in CONDITIONS),
        "",
        *_coverage(release),
        *_wrapped("old inputs", _sentence(release, "care_old")),
        *_wrapped("one source", _sentence(release, "care_single")),
        *_wrapped("policy", _sentence(release, "lead_policy")),
        *_caveats(release),
        *_restricted(release),
        _line("file", str(path)),
    ]


def summary_lines(release: Release, path: Path) -> list[str]:
    """What a run ends with: the first screen of the report in words, and where file and report are."""
    texts = [
        (name, plain(f"{value}. {sentence(release, note) or ''}")) for name, value, note in tiles(release)
    ]
    is_sample = release.manifest["profile"] == "sample"
    return [
        *_head(release),
        "",
        *(line for name, text in texts for line in _wrapped(name.lower(), text)),
        "",
        _line("details", f"{_COMMAND} show"),
        *([_line("current figures", f"{_COMMAND} run --profile public (needs no key)")] if is_sample else []),
        _line("file", str(path)),
        _line("report", str(path.with_name("report.html"))),
    ]


def _line(name: str, text: str) -> str:
    return f"{name:<{_INDENT}}{text}"


def _wrapped(name: str, text: str) -> list[str]:
    """A line with a name, wrapped; none without a text."""
    lines = textwrap.wrap(text, _WIDTH - _INDENT, break_on_hyphens=False)
    return [_line(name if n == 0 else "", line) for n, line in enumerate(lines)]


def _has_conclusions(release: Release) -> bool:
    """Whether the file has the columns that the sentences need: not before method 2.1.0."""
    return "regime_purchases_technical" in release.today


def _sentence(release: Release, name: str) -> str:
    """A sentence of the report; empty where it does not apply."""
    text = sentence(release, name) if _has_conclusions(release) else None
    return plain(text or "")


def _head(release: Release) -> list[str]:
    regime = release.today
    paragraph = " ".join(filter(None, (_sentence(release, name) for name in SENTENCES[:3])))
    lines = [
        regime_words(regime["regime"], regime["stance_driver"]),
        *textwrap.wrap(paragraph, _WIDTH, break_on_hyphens=False),
        _line("label", f"{regime['regime']}, since {day(regime['regime_since'])}"),
        _line("as of", f"{day(regime['as_of_date'])}, {profile_words(release.manifest)}"),
        _line("", GRADE_WORDS.get(regime["pit_grade"], str(regime["pit_grade"]))),
    ]
    if not regime["is_month_end"]:
        lines.append(_line("provisional", _inside_month(regime)))
    if regime["indeterminate_reason"]:
        lines.append(_line("because", regime["indeterminate_reason"]))
    return lines


def _inside_month(regime: Row) -> str:
    text = "a row inside a month keeps the state of the last month-end"
    would_be = regime["provisional_condition_state"]
    if would_be in (None, regime["condition_state"]):
        return text
    return f"{text}; today's figures alone would give {would_be}"


def _state(regime: Row) -> str:
    score = "no score" if regime["bubble_score"] is None else f"score {number(regime['bubble_score'])} of 1"
    distance = regime["distance_to_threshold"]
    near = "" if distance is None else f", {number(distance)} from the nearest threshold"
    return f"{regime['condition_state']}, {score}{near}"


def _condition(release: Release, name: str) -> str:
    """Its score, whether that is hot or cold, and the inputs that contribute the most."""
    inputs = [e for e in release.evidence if e["condition"] == name and e["weight"] > 0]
    inputs.sort(key=lambda e: (e["contribution"], e["weight"]), reverse=True)
    shown = "; ".join(_input(e) for e in inputs[:_SHOWN]) or "no input"
    if len(inputs) > _SHOWN:
        shown += f"; {len(inputs) - _SHOWN} more"
    verdict = release.now[f"{name}_verdict"] if _has_conclusions(release) else None
    return f"{number(release.today[f'{name}_score']):<5} {verdict or 'absent':<8} {shown}"


def _input(evidence: Row) -> str:
    figure = withheld_or(plain(with_unit(evidence["value"], evidence["unit"])), evidence)
    return f"{component_inside(evidence['component'])} {figure}"


def _coverage(release: Release) -> list[str]:
    regime, minimum = release.today, release.parameters["coverage.minimum"]
    lines = [
        _line(
            "coverage",
            f"{number(regime['coverage'])} (lowest of three; {number(minimum)} is needed); "
            f"confidence {number(regime['confidence'])} of 1",
        )
    ]
    if at_minimum := regime["conditions_at_minimum_coverage"]:
        text = f"{at_minimum.replace(',', ', ')} has only the minimum coverage"
        if regime["is_spread_missing"]:
            text += ": no corporate spread is known on this date"
        lines.append(_line("", text))
    if without := _without(release):
        lines.append(_line("without", without))
    return lines


def _without(release: Release) -> str:
    """Inputs without a score, by reason."""
    reasons: dict[str, list[str]] = {}
    for evidence in sorted(release.evidence, key=lambda e: (e["condition"], e["component"])):
        if evidence["score"] is None:
            names = reasons.setdefault(reason_words(evidence["absent_reason"]), [])
            names.append(component_inside(evidence["component"]))
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in sorted(reasons.items()))


def _caveats(release: Release) -> list[str]:
    """How many caveats apply, and the warnings among them."""
    caveats = release.rows("SELECT caveat_id, severity FROM caveats WHERE applies_now ORDER BY caveat_id")
    if not caveats:
        return []
    warnings = [c["caveat_id"].replace("_", " ") for c in caveats if c["severity"] == "warning"]
    names = f": {'; '.join(warnings)}" if warnings else ""
    text = f"{len(caveats)} apply, {len(warnings)} of them warnings{names} (table caveats)"
    return [_line("caveats", text)]


def _restricted(release: Release) -> list[str]:
    count = release.manifest.get("restricted_series_count", 0)  # older files have no such column
    text = f"contains raw figures of {count} restricted series: do not pass it on"
    return [_line("rights", text)] if count else []
