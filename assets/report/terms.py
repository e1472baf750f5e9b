"""Terms of the page: each is explained where it first appears, and again in the list at the end of the page.

Headings and charts are left out: the text next to them has the term.
"""

from __future__ import annotations

import re
from functools import partial

from markupsafe import escape

# As written on the page, with alternatives; matched as whole words, the first letter in either case.
TERMS = {
    "point in time": "Each row uses only what was public on its date.",
    "pseudo": "Some revised figures stand in for first publications, dated by their usual lag.",
    "stimulus": "Direction of policy: the policy rate was cut or purchases were announced, and nothing offsets it.",
    "tightening": "Direction of policy: the policy rate was raised or run-off was announced, and nothing offsets it.",
    "easing": "As a direction of policy: stimulus.",
    "neutral": "Of the direction: no move, or moves that offset each other. Of the level: in the middle band.",
    "accommodative": "Level of policy: the real policy rate is low.",
    "restrictive": "Level of policy: the real policy rate is high.",
    "bubble": "State: score, valuation and credit have reached their limits. No forecast of a crash.",
    "depression": "State: the score is low, with economy or credit low. Not a recession as economists date it.",
    "mid-cycle": "State: neither bubble nor depression.",
    "balance sheet": "What the Fed owns, mostly Treasuries and mortgage securities, and what it owes.",
    "trading desk": "It buys and sells securities for the Fed, at the New York Fed.",
    "Treasuries": "Bonds and bills of the US government.",
    "mortgage securities": "Bonds backed by home loans.",
    "conditions": "Valuation, economy, credit and inflation, each from 0 (cold) to 1 (hot).",
    "hot": "High in its own history, or on a fixed scale: favourable, or expensive.",
    "cold": "Low in its own history, or on a fixed scale: weak, or cheap.",
    "QE1|QE2|QE3": "Programmes of quantitative easing: large purchases of bonds by the Fed.",
    "quantitative easing": "QE: large purchases of bonds by the Fed.",
    "score": "Mean of valuation, economy and credit, from 0 (cold) to 1 (hot).",
    "month-ends": "Last days of months, each with what was known on it.",
    "real rate|real policy rate": "The policy rate less core PCE inflation over twelve months.",
    "policy rate": "The Fed's target for overnight rates: since December 2008 the upper limit of its target range.",
    "target range": "The two limits between which the Fed wants overnight rates.",
    "run-off": "Bonds that mature and are not replaced.",
    "variants": "Other thresholds, weights and months of confirmation than those of the method.",
    "provisional": "Computed again in the next run.",
    "coverage": "Weight of the inputs that are available.",
    "spells?": "Months in a row with one label.",
    "recessions of the NBER": "The National Bureau of Economic Research dates US recessions.",
    "core PCE": "Prices of personal consumption without food and energy, of the BEA.",
    "CPI": "Consumer price index of the BLS.",
    "high-quality less 10-year": "Yield of high-quality corporate bonds (HQM) less the 10-year Treasury yield.",
    "drawdown": "Equity price below its highest so far.",
    "financial conditions": "The Chicago Fed's index NFCI: above 0 is tighter than average.",
    "premium": "Excess of one yield over another, here of the earnings yield over a bond yield.",
    "equity risk premium": "Earnings yield less a bond yield: what shares offer above bonds.",
    "earnings yield": "Earnings of companies over the price of their shares.",
    "earnings basis": "Where earnings come from: company reports, or the national accounts.",
    "equity value to GDP": "Market value of shares in percent of GDP.",
    "CAPE": "Share price over the mean of ten years' real earnings, of Robert Shiller.",
    "real 10-year": "Ten-year yield less expected inflation; the TIPS yield where there is one.",
    "TIPS": "Treasury bonds that follow consumer prices, so that their yield is real.",
    "nominal": "Not adjusted for inflation.",
    "pp": "Percentage points, the difference of two percentages.",
    "sd": "Standard deviations from the average.",
    "jobless claims": "New claims for unemployment insurance, by week.",
    "Sahm gap": "Unemployment rate, mean of three months, above its low of twelve months.",
    "excess bond premium": "Part of the Gilchrist-Zakrajsek spread that expected defaults do not explain.",
    "Gilchrist-Zakrajsek": "Corporate bond yields less Treasury yields of the same payments.",
    "OAS": "Option-adjusted spread: of a bond index over Treasuries, without the value of options.",
    "Baa": "Moody's lowest grade of safer bonds.",
    "bond spreads?": "Yield of corporate bonds less that of Treasuries.",
    "bank credit": "Loans and securities of banks; real: less consumer price inflation.",
    "Taylor rule": "A formula for the policy rate, from inflation and the output gap.",
    "output gap": "Real GDP less its potential, in percent of potential.",
    "reserves": "Deposits of banks at the Fed.",
    "signs of coordination": "The post's three: balance sheet up, policy rate cut, large deficit.",
    "impulse": "Change of the balance sheet over half a year, at a yearly rate, in percent of GDP.",
    "monetisation": "Purchases of new public debt by the Fed.",
    "percentile": "Share of earlier month-ends with a lower value, from 0 to 100.",
    "ranks": "Percentiles, from 0 to 1.",
    "M2": "Money: cash, deposits and money market funds of households.",
    "VIX": "Swings of share prices that option prices imply.",
    "hysteresis": "A state ends at another threshold than the one at which it begins.",
    "confirmation": "The rule must hold on several month-ends in a row.",
    "vintage": "A series as published on a given day.",
    "hindsight": "With figures that were not yet public then.",
}
LIST = "<!--terms-->"  # where the page has the list
_LEFT_OUT = ("head", "nav", "h1", "h2", "h3", "svg", "script", "dt")
_EMPTY = ("meta", "link", "line")  # elements without an end tag
_PIECE = re.compile(r"(<!--.*?-->|<[^>]+>)", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)(?:[^>]*class=\"([^\"]*)\")?[^>]*?(/?)>")


def _either_case(term: str) -> str:
    return "|".join(f"[{one[0].upper()}{one[0].lower()}]{one[1:]}" for one in term.split("|"))


# A longer term counts before one that it contains.
_IN_ORDER = sorted(TERMS, key=lambda term: -max(map(len, term.split("|"))))
_ANY = re.compile(rf"(?<![\w-])(?:{'|'.join(f'({_either_case(term)})' for term in _IN_ORDER)})(?![\w-])")


def explained(page: str) -> str:
    """The page with every first appearance explained, and with the list of the terms it has.

    What a phone does not show (class opt) is no first appearance there: the next one is explained too.
    """
    found: dict[str, str] = {}
    hidden: dict[str, str] = {}
    inside: list[str] = []  # open elements: their name, or opt
    pieces = []
    for piece in _PIECE.split(page):
        if tag := _TAG.match(piece):
            is_end, name, classes, is_empty = tag.groups()
            if is_end:
                inside.pop()
            elif not is_empty and name not in _EMPTY:
                inside.append("opt" if "opt" in (classes or "").split() else name)
        elif not (piece.startswith("<") or set(inside) & set(_LEFT_OUT)):
            known = hidden if "opt" in inside else found
            focus = "" if "summary" in inside else ' tabindex="0"'  # a summary takes it itself
            piece = _ANY.sub(partial(_marked, found, known, focus), piece)
        pieces.append(piece)
    names = hidden | found
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(TERMS[term])}</dd>"
        for term, name in sorted(names.items(), key=lambda pair: pair[1].lower())
    )
    return "".join(pieces).replace(LIST, f'<dl class="terms">{rows}</dl>')


def _marked(found: dict[str, str], known: dict[str, str], focus: str, match: re.Match[str]) -> str:
    """The term as written, at its first appearance with the explanation."""
    term = _IN_ORDER[(match.lastindex or 1) - 1]
    if term in found or term in known:
        return match[0]
    known[term] = match[0]
    return f'<dfn{focus} title="{escape(TERMS[term])}">{match[0]}</dfn>'
