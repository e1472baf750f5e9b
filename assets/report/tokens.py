"""Colours of the report, light and dark, and which of them must stand out from which.

Belongs here: the one table of colours; the stylesheet and the test of contrasts are made from it. Does not belong
here: where they are used (`templates/report.css`). Base: Okabe and Ito's palette, safe for the colour-blind.
"""

from __future__ import annotations

# Name: light, dark.
TOKENS = {
    "bg": ("#fffdf9", "#14171b"),
    "ink": ("#1c1f24", "#eceae4"),
    "soft": ("#5a6068", "#a9aeb6"),
    "line": ("#e2ded5", "#30363d"),
    "panel": ("#f7f4ed", "#1b1f24"),
    "hot": ("#d55e00", "#ff8a3d"),
    "hot-text": ("#a84300", "#ffa266"),
    "hot-cell": ("#fbe6d6", "#3b2517"),
    "cold": ("#0072b2", "#56b4e9"),
    "cold-text": ("#00598c", "#7cc6f2"),
    "cold-cell": ("#dcecf7", "#15303f"),
    "mid": ("#7b7f86", "#8d939b"),
    "mid-cell": ("#efece4", "#252a30"),
    "stim": ("#008f68", "#2fc79b"),
    "stim-text": ("#00704f", "#2fc79b"),
    "tight": ("#9a5b8f", "#cc8fc2"),
    "gold": ("#a67a08", "#e3b341"),
    "gold-text": ("#7d5a00", "#e3b341"),
}

TEXT, MARK = 4.5, 3.0  # least contrast of text and of marks
# Foreground, background, least contrast.
PAIRS = (
    *(
        (name, "bg", TEXT)
        for name in ("ink", "soft", "hot-text", "cold-text", "stim-text", "tight", "gold-text")
    ),
    *((name, "panel", TEXT) for name in ("ink", "soft", "hot-text", "cold-text")),
    *((name, "bg", MARK) for name in ("hot", "cold", "mid", "stim", "tight", "gold")),
    ("hot-text", "hot-cell", TEXT),
    ("cold-text", "cold-cell", TEXT),
    ("ink", "mid-cell", TEXT),
    ("soft", "mid-cell", TEXT),
    ("ink", "hot-cell", TEXT),
    ("ink", "cold-cell", TEXT),
    ("soft", "hot-cell", TEXT),
    ("soft", "cold-cell", TEXT),
)


def declarations(theme: int) -> str:
    """Custom properties of the light (0) or dark (1) theme, as CSS."""
    return "".join(f"--{name}:{pair[theme]};" for name, pair in TOKENS.items())
