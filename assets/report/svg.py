"""Specifications drawn as inline SVG.

The renderer writes ARIA roles that accessibility checkers refuse, a font per text, and long decimals.
"""

from __future__ import annotations

import re
from itertools import pairwise
from xml.sax.saxutils import escape

from assets.report.charts import Spec

_DROPPED = re.compile(
    r' (?:role|aria-[a-z]+|font-family|class|pointer-events|version|xmlns:xlink|stroke-miterlimit)="[^"]*"'
)
# What SVG, or the page's stylesheet, assumes anyway.
_DEFAULTS = re.compile(
    r' (?:opacity|fill-opacity|stroke-opacity|stroke-width)="1"| (?:x2|y2)="0"| font-weight="normal"'
    r'| stroke-dasharray="none"| transform="translate\(0,0\)"| fill="var\(--soft\)"| stroke="var\(--line\)"'
)
_EMPTY = re.compile(
    r'<path d="M-?[\d.]+,-?[\d.]+h(?:0v0h0|[\d.]+v[\d.]+h-[\d.]+)Z"/>'
    r'|<path d="M-?[\d.]+,-?[\d.]+h0v0h0Z"[^>]*/>|<path[^>]* d=""[^>]*/>|<g[^>]*></g>|<text[^>]*></text>'
)
_TEXT_POSITION = re.compile(r'(<text[^>]*) transform="translate\((-?[\d.]+),(-?[\d.]+)\)"')
_BARE_GROUP = re.compile(r"<g>((?:(?!</?g\b).)*)</g>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_LINE = re.compile(r' d="M(-?[\d.]+,-?[\d.]+(?:[LM]-?[\d.]+,-?[\d.]+)+)"')
_POINT = re.compile(r"([LM])")
_OUTER = re.compile(r"<svg[^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\"[^>]*>(.*)</svg>", re.DOTALL)


def inline_svg(spec: Spec, figure: str, width: str, title: str, description: str) -> str:
    """The drawing as an `<svg>` element; figure and width identify it on the page."""
    import vl_convert

    usual = spec["config"]["text"]["fontSize"]
    first, last = spec["layer"][-1]["encoding"]["x"]["scale"]["domain"]
    scale = f"{spec['width']} {first} {last}"
    return cleaned(vl_convert.vegalite_to_svg(spec), figure, width, title, description, usual, scale)


def cleaned(
    svg: str, figure: str, width: str, title: str, description: str, font: int, scale: str = ""
) -> str:
    """The renderer's SVG without what a page does not need, with a title and a description.

    Texts of the usual size, `font`, leave the size to the page. `scale` is for the script that points at values:
    width of the plot, first and last x.
    """
    found = _OUTER.search(svg)
    if found is None:
        raise ValueError("the renderer returned no SVG")
    across, down, body = found.groups()
    key = f"{figure}-{width}"
    body = _DEFAULTS.sub("", _DROPPED.sub("", body)).replace(f' font-size="{font}px"', "")
    body = _TAG.sub(lambda tag: _NUMBER.sub(lambda digits: _trimmed(float(digits[0])), tag[0]), body)
    body = _TEXT_POSITION.sub(r'\1 x="\2" y="\3"', body)
    body = _LINE.sub(lambda line: f' d="{_steps(line[1])}"', body)
    before = ""
    while before != body:
        before = body
        body = _BARE_GROUP.sub(r"\1", _EMPTY.sub("", body))
    return (
        f'<svg class="{width}" viewBox="0 0 {_trimmed(float(across))} {_trimmed(float(down))}" data-x="{scale}" '
        f'role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>{body}</svg>'
    )


def _trimmed(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _steps(line: str) -> str:
    """A line's points as steps in tenths of a pixel from one to the next: a third of the length, and no drift."""
    parts = ["M", *_POINT.split(line)]
    points = [[round(10 * float(value)) for value in point.split(",")] for point in parts[1::2]]
    text = "M" + ",".join(_tenths(value) for value in points[0])
    command = "M"
    for (before, point), kind in zip(pairwise(points), parts[2::2], strict=True):
        step = "".join(_joined(_tenths(now - was)) for was, now in zip(before, point, strict=True))
        # steps after a command repeat it as a line, so only a gap and its end need a letter
        letter = {"L": "l", "M": "m"}[kind] if kind != command or kind == "M" else ""
        text += letter + (step.removeprefix(" ") if letter else step)
        command = kind
    return text


def _tenths(value: int) -> str:
    text = f"{value / 10:.1f}".removesuffix(".0")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _joined(text: str) -> str:
    return text if text.startswith("-") else f" {text}"
