"""A chart specification rendered to inline SVG: small, themed by the page, named for those who cannot see it.

Belongs here: rendering and what must be done to the renderer's output. Does not belong here: specifications.

The renderer writes ARIA roles a checker rightly refuses, a font per text, and coordinates to the tenth decimal; the
page gives one name and one description per picture, its own font, and a tenth of a pixel is enough. Colours stay
`var(--token)`, so that one picture serves light, dark and print.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

_DROPPED = re.compile(
    r' (?:role|aria-[a-z]+|font-family|class|pointer-events|version|xmlns:xlink|stroke-miterlimit)="[^"]*"'
)
# What SVG, or the page's stylesheet, assumes anyway.
_DEFAULTS = re.compile(
    r' (?:opacity|fill-opacity|stroke-opacity|stroke-width)="1"| (?:x2|y2)="0"| font-weight="normal"'
    r'| stroke-dasharray="none"| transform="translate\(0,0\)"| fill="var\(--soft\)"| stroke="var\(--line\)"'
)
_NOTHING = re.compile(
    r'<path d="M-?[\d.]+,-?[\d.]+h(?:0v0h0|[\d.]+v[\d.]+h-[\d.]+)Z"/>'
    r'|<path d="M-?[\d.]+,-?[\d.]+h0v0h0Z"[^>]*/>|<path[^>]* d=""[^>]*/>|<g[^>]*></g>|<text[^>]*></text>'
)
_TEXT_PLACE = re.compile(r'(<text[^>]*) transform="translate\((-?[\d.]+),(-?[\d.]+)\)"')
_BARE_GROUP = re.compile(r"<g>((?:(?!</?g\b).)*)</g>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_PATH = re.compile(r' d="(M[-\d.,ML]+)"')
_POINT = re.compile(r"([ML])(-?[\d.]+),(-?[\d.]+)")
_OUTER = re.compile(r"<svg[^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\"[^>]*>(.*)</svg>", re.DOTALL)

_PICTURE = re.compile(r'<svg class="\w+" data-of="([0-9a-f]+)".*?</svg>', re.DOTALL)

Point = tuple[float, float]


class Name(NamedTuple):
    """What tells a picture from the others of the page: figure, width, and the mark of what it was drawn from."""

    figure: str
    width: str
    mark: str


def inline_svg(spec: dict[str, Any], name: Name, title: str, description: str) -> str:
    """The picture as an `<svg>` element. Texts of the usual size leave it to the page."""
    import vl_convert

    usual = spec["config"]["text"]["fontSize"]
    return cleaned(vl_convert.vegalite_to_svg(spec), name, title, description, usual)


def pictures_of(html: str) -> dict[str, str]:
    """Pictures of an earlier page, by the mark of what they were drawn from."""
    return {found[1]: found[0] for found in _PICTURE.finditer(html)}


def cleaned(svg: str, name: Name, title: str, description: str, font: int) -> str:
    """The renderer's SVG without what a page does not need, with a title and a description."""
    found = _OUTER.search(svg)
    if found is None:
        raise ValueError("the renderer gave no SVG")
    width, height, body = found.groups()
    key = f"{name.figure}-{name.width}"
    body = _DEFAULTS.sub("", _DROPPED.sub("", body)).replace(f' font-size="{font}px"', "")
    body = _PATH.sub(lambda path: f' d="{_short(path[1])}"', body)
    body = _TAG.sub(lambda tag: _NUMBER.sub(lambda digits: _trimmed(float(digits[0])), tag[0]), body)
    body = _TEXT_PLACE.sub(r'\1 x="\2" y="\3"', body)
    before = ""
    while before != body:
        before = body
        body = _BARE_GROUP.sub(r"\1", _NOTHING.sub("", body))
    return (
        f'<svg class="{name.width}" data-of="{name.mark}" '
        f'viewBox="0 0 {_trimmed(float(width))} {_trimmed(float(height))}" '
        f'role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>{body}</svg>'
    )


def _trimmed(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _short(path: str) -> str:
    """A path of straight lines with relative steps, without the points that lie on a line within 0.25 px."""
    runs: list[list[Point]] = []
    for command, x, y in _POINT.findall(path):
        if command == "M":
            runs.append([])
        runs[-1].append((float(x), float(y)))
    return "".join(map(_relative, map(_thinned, runs)))


def _relative(points: list[Point]) -> str:
    tenths = [(round(x * 10), round(y * 10)) for x, y in points]
    steps = [f"M{_tenth(tenths[0][0])} {_tenth(tenths[0][1])}"]
    for (x0, y0), (x1, y1) in pairwise(tenths):
        if (x0, y0) != (x1, y1):
            dx, dy = _tenth(x1 - x0), _tenth(y1 - y0)
            steps.append(
                f"{'l' if len(steps) == 1 or dx[0] != '-' else ''}{dx}{'' if dy[0] == '-' else ' '}{dy}"
            )
    return "".join(steps)


def _tenth(value: int) -> str:
    return f"{value / 10:.1f}".removesuffix(".0").replace("-0.", "-.").removeprefix("0") or "0"


def _thinned(points: list[Point], tolerance: float = 0.25) -> list[Point]:
    """Douglas and Peucker: ends, and every point farther than `tolerance` from the line through those kept."""
    keep, waiting = {0, len(points) - 1}, [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        away, worst = max(
            ((_distance(points[n], points[first], points[last]), n) for n in range(first + 1, last)),
            default=(0.0, first),
        )
        if away > tolerance:
            keep.add(worst)
            waiting += [(first, worst), (worst, last)]
    return [points[n] for n in sorted(keep)]


def _distance(point: Point, start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float((dx * dx + dy * dy) ** 0.5)
    if not length:
        return float(((point[0] - start[0]) ** 2 + (point[1] - start[1]) ** 2) ** 0.5)
    return abs(dx * (start[1] - point[1]) - dy * (start[0] - point[0])) / length
