"""One sentence about policy: its direction, its level, and what the balance sheet, reserves, purchases and signs show.

The tables below decide every word; `docs/methodology.md` shows them. Each word belongs to one subject: easing and
tightening are directions, accommodative and restrictive are levels. A subject has exactly one value in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets.report.words import THIN, number

DIRECTION = {"stimulus": "easing", "neutral": "neutral", "tightening": "tightening"}
DRIVER = {
    "rate": "by the policy rate",
    "balance_sheet": "by the announced balance sheet",
    "both": "by the policy rate and the announced balance sheet",
    "none": "",
}
OFFSETTING = "policy rate and announced balance sheet offset each other"
UNCHANGED = "neither policy rate nor announced balance sheet moves it"
# Stance, then policy_level.
LEVEL: dict[str, dict[str | None, str]] = {
    "stimulus": {
        "accommodative": "and its level is accommodative too",
        "neutral": "but its level is neutral",
        "restrictive": "but its level is still restrictive",
        None: "and its level is not rated",
    },
    "neutral": {
        "accommodative": "but its level is accommodative",
        "neutral": "and its level is neutral too",
        "restrictive": "but its level is restrictive",
        None: "and its level is not rated",
    },
    "tightening": {
        "accommodative": "but its level is still accommodative",
        "neutral": "but its level is neutral",
        "restrictive": "and its level is restrictive too",
        None: "and its level is not rated",
    },
}
BALANCE_SHEET: dict[str | None, str] = {
    "shrinking": "is smaller than half a year ago",
    "technical": "only keeps pace with bank credit and the economy",
    "leaning": "grows a little faster than bank credit and the economy",
    "stimulative": "grows much faster than bank credit and the economy",
    None: "cannot be compared with bank credit and the economy",
}
RESERVES: dict[str | None, str] = {
    "shrinking": "while reserves are smaller than half a year ago",
    "technical": "while reserves only keep pace with both",
    "leaning": "while reserves grow a little faster than both",
    "stimulative": "while reserves grow much faster than both",
    None: "and reserves cannot be compared",
}
# Where reserves have the same result as the balance sheet.
SAME: dict[str | None, str] = {
    "shrinking": "as are reserves",
    "technical": "as do reserves",
    "leaning": "as do reserves",
    "stimulative": "as do reserves",
    None: "nor can reserves",
}
# {0} to {2}: the lower limits of building, active and dominant, as shares of new debt.
BAND: dict[str | None, str] = {
    "none": "the Fed took less than {0} of new federal debt",
    "building": "the Fed took {0} to {1} of new federal debt",
    "active": "the Fed took {1} to {2} of new federal debt",
    "dominant": "the Fed took {2} or more of new federal debt",
    "not_applicable": "the deficit is too small to rate the Fed's share of new debt",
    None: "the Fed's share of new federal debt cannot be measured",
}
AT_LIMIT = "the Fed took about {0} of new federal debt, at the limit"  # in place of a band
COORDINATION: dict[bool | None, str] = {
    True: "all three signs of coordination are present",
    False: "not all three signs of coordination are present",
    None: "the three signs of coordination cannot all be measured",
}
_SHARES = {10.0: "a tenth", 25.0: "a quarter", 50.0: "half", 75.0: "three quarters"}


@dataclass(frozen=True)
class Policy:
    """What is published about policy on one date; codes as in `regime`, percent and percentage points.

    `limits_pct` are the limits of the monetisation bands; a share nearer than `near_limit_pp` to one is at the limit.
    """

    stance: str
    driver: str
    level: str | None
    balance_sheet: str | None
    reserves: str | None
    band: str | None
    is_coordinated: bool | None
    is_offsetting: bool = False
    real_rate_pct: float | None = None
    taylor_gaps_pp: Sequence[float] = ()
    share_pct: float | None = None
    limits_pct: Sequence[float] = (10.0, 25.0, 75.0)
    near_limit_pp: float = 1.0


def policy_sentence(policy: Policy) -> str:
    """The sentence."""
    same = policy.balance_sheet == policy.reserves
    reserves = SAME[policy.reserves] if same else RESERVES[policy.reserves]
    return (
        f"As a direction policy is {direction_words(policy)}, "
        f"{LEVEL[policy.stance][policy.level]}{level_figures(policy)}; "
        f"the balance sheet {BALANCE_SHEET[policy.balance_sheet]}, {reserves}; "
        f"{band_words(policy)}, and {COORDINATION[policy.is_coordinated]}."
    )


def direction_words(policy: Policy) -> str:
    """The direction, and what sets it."""
    how = DRIVER[policy.driver]
    if policy.stance == "neutral":
        how = OFFSETTING if policy.is_offsetting else UNCHANGED
    return f"{DIRECTION[policy.stance]}{f' ({how})' if how else ''}"


def level_figures(policy: Policy) -> str:
    """The real policy rate, and the range of the gaps to the Taylor rule, in brackets; empty without both."""
    known = []
    if policy.real_rate_pct is not None:
        known.append(f"real policy rate {number(policy.real_rate_pct)}{THIN}%")
    if policy.taylor_gaps_pp:
        known.append(f"{gap_words(policy.taylor_gaps_pp)} the Taylor rule")
    return f" ({', '.join(known)})" if known else ""


def gap_words(gaps: Sequence[float]) -> str:
    """The range of gaps: "0.4 to 1.9 pp below", or from one side to the other; "at" where all are zero."""
    low, high = round(min(gaps), 1), round(max(gaps), 1)
    if low < 0 < high:
        return f"from {number(-low, 1)}{THIN}pp below to {number(high, 1)}{THIN}pp above"
    ends = sorted({abs(low), abs(high)})
    if ends == [0]:
        return "at"
    return f"{' to '.join(number(end, 1) for end in ends)}{THIN}pp {'below' if low < 0 else 'above'}"


def band_words(policy: Policy) -> str:
    """The Fed's share of new debt as a band, or as a limit where the share is near one."""
    near = [limit for limit in policy.limits_pct if is_near(policy, limit)]
    if near:
        return AT_LIMIT.format(share_words(near[0]))
    return BAND[policy.band].format(*map(share_words, policy.limits_pct))


def is_near(policy: Policy, limit: float) -> bool:
    """Whether the share is too near to a limit to name a band."""
    has_band = policy.band not in (None, "not_applicable")
    return has_band and policy.share_pct is not None and abs(policy.share_pct - limit) <= policy.near_limit_pp


def share_words(percent: float) -> str:
    return _SHARES.get(percent, f"{number(percent, 0)}{THIN}%")
