"""Every sentence of the page by its name: a macro in `templates/sentences`, over the published tables.

A macro gives one sentence, with `**` around what is stressed, or nothing when its figures are missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from assets.report import flip, markets, record, verdict, words
from assets.report.policy_sentence import policy_sentence
from assets.report.published import USED, Release

TEMPLATES = Path(__file__).parent / "templates"
_PARTS = ("first_screen.j2", "record_so_far.j2", "markets.j2", "appendix.j2")
_FILTERS = (
    words.be, words.capital, words.component_inside, words.counted, words.day, words.full_month, words.in_words,
    words.label_words, words.listed, words.month, words.number, words.percent, words.reason_words, words.regime_words,
    words.signs, words.with_unit, words.without_brackets, record.rights_words, flip.when,
)  # fmt: skip
_FUNCTIONS = (
    flip.flip_met, flip.nearest, flip.next_able, flip.rate_could_change, flip.reach, markets.is_comparable,
    policy_sentence, record.cases, record.unsteady, verdict.old_inputs, verdict.other_stances, verdict.policy,
    verdict.single_source, verdict.variants, verdict.with_verdict,
)  # fmt: skip
_SPACES = re.compile(r"[ \n]+([.,:;)]?)")  # a template breaks its lines anywhere


def sentence(release: Release, name: str) -> str | None:
    """A sentence by name; None where it does not apply. Raises LookupError for one that does not exist."""
    for part in _PARTS:  # a part is compiled when it is needed: `show` needs the first alone
        module = _environment().get_template(part).make_module({"release": release})
        if hasattr(module, name):
            return _SPACES.sub(lambda space: space[1] or " ", getattr(module, name)()).strip() or None
    raise LookupError(f"no template has the sentence {name}")


@cache
def _environment() -> jinja2.Environment:
    environment = templates(TEMPLATES / "sentences", _FILTERS, autoescape=False)
    environment.add_extension("jinja2.ext.do")
    environment.globals |= {function.__name__: function for function in _FUNCTIONS}
    environment.globals |= {"conditions": words.CONDITIONS, "least_effect": flip.LEAST_EFFECT, "used": USED}
    return environment


def templates(
    folder: Path, filters: Iterable[Callable[..., Any]], autoescape: bool = True
) -> jinja2.Environment:
    """The templates of a folder; a function is a filter under its own name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in filters}
    return environment
