"""How tight must a newborn be? As tight as keeps false alarms, in the archive's own past, to the rate that was asked.

Every birth leaves a row behind, with its cohesion and with what became of it. A birth that no story joined was a
false one. The level is put where the false ones of the weeks so far, one more added for the week to come, are no more
than the user's rate allows: the empirical, conformal bound, which is honest where future weeks are like the past
ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

WEEKS_A_QUARTER = 13
_CLEAR = 1e-4  # just above what was false


_DEFAULT = {
    "zh": "凝聚度须高出切分线 {value}（固定值）。",
    "en": "Cohesion must exceed the cut by {value}, a fixed level.",
}
_SAID = {
    True: {
        "zh": "凝聚度须高出切分线 {value}：据本库 {n_weeks} 周校准（其中 {n_false} 次新生无人跟进），"
        "每季度误报至多 {rate} 次。",
        "en": "Cohesion must exceed the cut by {value}: calibrated on {n_weeks} weeks of this archive, with {n_false} "
        "births that no story followed, to at most {rate} false alarms a quarter.",
    },
    False: {
        "zh": "凝聚度须高出切分线 {value}，这是默认值：周数太少，未校准"
        "（每季度误报至多 {rate} 次须 {needed} 周，现有 {n_weeks} 周）。",
        "en": "Cohesion must exceed the cut by {value}; too few weeks: using the default level ({n_weeks} of the "
        "{needed} weeks that at most {rate} false alarms a quarter need).",
    },
}


@dataclass(frozen=True)
class Level:
    """`value` is what cohesion must exceed the cut by.

    `calibrated` on `n_weeks` weeks with `n_false` births that nobody followed, so that at most `per_quarter` false
    alarms a quarter are expected; else it is the default, and `n_weeks` too few for it of the `needed` ones.
    """

    value: float
    calibrated: bool = False
    n_weeks: int = 0
    n_false: int = 0
    per_quarter: float = 0.0
    needed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "value": round(self.value, 4)}

    def said(self, lang: str) -> str:
        """The level and what it rests on, in zh or en."""
        if not self.needed:
            return _DEFAULT[lang].format(value=f"{self.value:.3f}")
        facts = {**asdict(self), "value": f"{self.value:.3f}", "rate": f"{self.per_quarter:g}"}
        return _SAID[self.calibrated][lang].format(**facts)


def alert_level(false_scores: Sequence[float], n_weeks: int, default: float, per_quarter: float) -> Level:
    """The level for this week.

    Parameters
    ----------
    false_scores
        By how much the cohesion of each past birth that nobody followed exceeded the cut; only of those that the
        rest of the rule let pass.
    n_weeks
        Weeks that they come from.
    default
        Used where the weeks are too few; never gone below by more than half of it.
    per_quarter
        False alarms in 13 weeks that the user accepts; 0 keeps the default for ever.

    Example
    -------
    >>> alert_level([.02, .09, .14], 30, .05, 1.0).value
    0.0901
    >>> alert_level([.02, .09, .14], 5, .05, 1.0)
    Level(value=0.05, calibrated=False, n_weeks=5, n_false=3, per_quarter=1.0, needed=12)

    References
    ----------
    Vovk et al., Algorithmic learning in a random world, 2005 (the one added); Laxhammar and Falkman, Conformal
    prediction for distribution-independent anomaly detection, 2010.
    """
    rate = per_quarter / WEEKS_A_QUARTER
    needed = math.ceil(1 / rate - 1) if rate else 0
    allowed = math.floor(rate * (n_weeks + 1) + 1e-9) - 1
    if not rate or allowed < 0:
        return Level(default, False, n_weeks, len(false_scores), per_quarter, needed)
    ordered = sorted(false_scores, reverse=True)
    value = ordered[allowed] + _CLEAR if len(ordered) > allowed else -math.inf
    return Level(round(max(value, default / 2), 4), True, n_weeks, len(false_scores), per_quarter, needed)
