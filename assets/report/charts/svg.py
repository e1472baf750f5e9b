"""A chart specification rendered to inline SVG: small, themed by the page, named for those who cannot see it.

Belongs here: rendering and what must be done to the renderer's output. Does not belong here: specifications.

The renderer writes ARIA roles a checker rightly refuses, a font per text, and coordinates to the tenth decimal; the
page gives one name and one description per picture, its own font, and a tenth of a pixel is enough. Colours stay
`var(--token)`, so that one picture serves light, dark and print.
"""

from __future__ import annotations

import re
from typing import Any
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
_OUTER = re.compile(r"<svg[^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\"[^>]*>(.*)</svg>", re.DOTALL)


def inline_svg(spec: dict[str, Any], figure: str, width: str, title: str, description: str) -> str:
    """The picture as an `<svg>` element; figure and width tell it from the others of the page.

    Texts of the usual size leave the size to the page.
    """
    import vl_convert

    usual = spec["config"]["text"]["fontSize"]
    return cleaned(vl_convert.vegalite_to_svg(spec), figure, width, title, description, usual)


def cleaned(svg: str, figure: str, width: str, title: str, description: str, font: int) -> str:
    """The renderer's SVG without what a page does not need, with a title and a description."""
    found = _OUTER.search(svg)
    if found is None:
        raise ValueError("the renderer gave no SVG")
    across, down, body = found.groups()
    key = f"{figure}-{width}"
    body = _DEFAULTS.sub("", _DROPPED.sub("", body)).replace(f' font-size="{font}px"', "")
    body = _TAG.sub(lambda tag: _NUMBER.sub(lambda digits: _trimmed(float(digits[0])), tag[0]), body)
    body = _TEXT_PLACE.sub(r'\1 x="\2" y="\3"', body)
    before = ""
    while before != body:
        before = body
        body = _BARE_GROUP.sub(r"\1", _NOTHING.sub("", body))
    return (
        f'<svg class="{width}" viewBox="0 0 {_trimmed(float(across))} {_trimmed(float(down))}" '
        f'role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>{body}</svg>'
    )


def _trimmed(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
