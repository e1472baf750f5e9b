"""Writes `docs/validation.md` from a run on the sample: `python -m tests.validation_page`.

Belongs here: the page. Does not belong here: the cases (`validation_cases.py`), any figure typed by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from assets.catalog.loader import PROJECT_ROOT
from assets.compute.argument.changes import regime_changes
from assets.compute.argument.sensitivity import method_variants, parameter_sensitivity
from tests.helpers import SAMPLE_AS_OF, Computed, on_sample
from tests.validation_cases import CASES, FRAGILE, KNOWN, POST

PAGE = PROJECT_ROOT / "docs" / "validation.md"


def page() -> str:
    """The whole page, from the sample alone."""
    computed, post = on_sample(), on_sample(POST)
    parts = [
        _head(),
        *_cases(computed),
        *_post(post),
        *_agreement(computed),
        *_fragile(computed),
        *_changes(computed),
    ]
    return "\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _head() -> str:
    return (
        "# Validation\n"
        f"Written from a run on the bundled sample as of {SAMPLE_AS_OF}; `python -m tests.validation_page` writes it "
        "again, and a test holds it to what the sample says. The same cases are tested on longer real series.\n"
    )


def _cases(computed: Computed) -> Iterator[str]:
    rows = []
    for first, last, column, expected in CASES:
        found = computed.frame.loc[first:last, column]
        said = ", ".join(dict.fromkeys(found))
        months = first[:7] if first == last else f"{first[:7]} to {last[:7]}"
        rows.append((months, column, expected, said, "yes" if said == expected else "**no**"))
    yield "## Dates that must come out\n"
    yield table(("month-end", "column", "must be", "is", "holds"), rows)
    yield (
        "September 2012 must not be a bubble and is "
        f"`{computed.frame.loc['2012-09-30', 'condition_state']}`; March 2022 must not be stimulus and is "
        f"`{computed.frame.loc['2022-03-31', 'stance']}`. As known then, March and April 2020 are mid-cycle: "
        "unemployment for March was published on 3 April, April's on 8 May.\n"
    )


def _post(post: Computed) -> Iterator[str]:
    row = post.frame.iloc[-1]
    yield f"## The post's own figures, as known on {POST}\n"
    rows = []
    for name, column, expected, _ in KNOWN:
        reading = post.readings[f"{name}.{column}"]
        rows.append(
            (f"`{name}.{column}`", f"{expected:g}", f"{reading.value[-1]:.2f}", reading.observation_date[-1])
        )
    yield table(("column", "the post's day", "computed", "about"), rows)
    forward = post.catalog.reference_values
    cited = [v for v in forward.values() if "forward" in v.title.lower()][:1]
    yield (
        f"The label that day is `{row['regime']}`, score {row['bubble_score']:.3f}. "
        + (f"The post's forward earnings yield is cited, not computed ({cited[0].title}). " if cited else "")
        + "Its premium of 0.31 is the cited 4.41 less 4.10.\n"
    )


def _agreement(computed: Computed) -> Iterator[str]:
    frame = computed.frame[computed.frame["agreement"].notna()]
    rows = [
        (
            state,
            len(rows),
            f"{rows['agreement'].mean():.2f}",
            f"{rows['agreement'].min():.2f}",
            int((rows["agreement"] == 1).sum()),
        )
        for state, rows in frame.groupby("condition_state")
    ]
    yield "## Agreement of 375 parameter sets\n"
    yield table(("state", "month-ends", "mean agreement", "lowest", "full agreement"), rows)
    near = computed.catalog.method.robustness.near_threshold
    count = int((frame["distance_to_threshold"] <= near).sum())
    yield f"{count} of {len(frame)} dates lie within {near:g} of a score threshold.\n"
    of_parameter = parameter_sensitivity(computed.regime, computed.readings, computed.catalog)
    shares = of_parameter.groupby("parameter")["disagreement_share"].mean().sort_values(ascending=False)
    yield table(
        ("parameter", "pairs of sets, differing in it alone, with different states"),
        [(f"`{name}`", f"{100 * share:.1f} %") for name, share in shares.items()],
    )
    variants = _variants(computed)
    scored = variants[variants["as_of_date"].isin(frame.index)]
    same = scored.groupby("variant")["is_same_regime"].mean().sort_values()
    yield table(
        ("alternative, tested and not taken", "same label"),
        [(f"`{name}`", f"{100 * share:.1f} %") for name, share in same.items()],
    )


def _fragile(computed: Computed) -> Iterator[str]:
    yield "## Where the method is fragile\n"
    variants = _variants(computed)
    rows = []
    for day in FRAGILE:
        row = computed.frame.loc[day]
        other = variants[(variants["as_of_date"] == day) & ~variants["is_same_regime"]]
        rows.append(
            (
                day[:7],
                f"`{row['regime']}`",
                f"{row['bubble_score']:.3f} ({row['score_p05']:.2f} to {row['score_p95']:.2f})",
                f"{row['distance_to_threshold']:.3f}",
                f"{row['agreement']:.2f}",
                ", ".join(f"`{v.variant}`: {v.regime_variant}" for v in other.itertuples()) or "none",
            )
        )
    yield table(
        (
            "month-end",
            "label",
            "score (5 to 95 % of weights)",
            "from a threshold",
            "agreement",
            "otherwise under",
        ),
        rows,
    )


def _changes(computed: Computed) -> Iterator[str]:
    changes = regime_changes(computed.regime, computed.catalog)
    states = changes[changes["component"].notna()]
    yield "## What changed the state, each time\n"
    yield table(
        ("month-end", "from", "to", "thresholds", "component", "decisive alone"),
        [
            (
                f"{row.as_of_date:%Y-%m}",
                row.condition_before,
                row.condition_state,
                row.thresholds_crossed,
                f"{row.component} {row.component_value_before:.2f} to {row.component_value:.2f} {row.component_unit}",
                "yes" if row.is_decisive else "no",
            )
            for row in states.itertuples()
        ],
    )


def _variants(computed: Computed) -> pd.DataFrame:
    return method_variants(computed.regime, computed.readings, computed.catalog)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
