"""How surprising must a newborn's growth be? So much that false alarms keep to the rate that was asked.

Every birth leaves a row behind, with the p-value of its growth and with what became of it. A birth that no story
joined was a false one. The level is put where the false ones of the weeks so far, one more added for the week to
come, are no more than the user's rate allows: the empirical, conformal bound, which is honest where future weeks are
like the past ones. A nominal p-value is not: news comes in bursts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

WEEKS_A_QUARTER = 13
_LEAST, _MOST = 1e-6, 2.5  # the smallest level, and the largest as a multiple of the default


_DEFAULT = {
    "zh": "增长的 p 值须不超过 {value}（固定值）。",
    "en": "The p-value of its growth must not exceed {value}, a fixed level.",
}
_SAID = {
    True: {
        "zh": "增长的 p 值须不超过 {value}：据本库 {n_weeks} 周校准（其中 {n_false} 次新生无人跟进），"
        "每季度误报至多 {rate} 次。",
        "en": "The p-value of its growth must not exceed {value}: calibrated on {n_weeks} weeks of this archive, with "
        "{n_false} births that no story followed, to at most {alarms} a quarter.",
    },
    False: {
        "zh": "增长的 p 值须不超过 {value}，这是默认值：周数太少，未校准"
        "（每季度误报至多 {rate} 次须 {needed} 周，现有 {n_weeks} 周）。",
        "en": "The p-value of its growth must not exceed {value}; too few weeks: using the default level ({n_weeks} of "
        "the {needed} weeks that it takes to keep to {alarms} a quarter).",
    },
}


@dataclass(frozen=True)
class Level:
    """`value` is the p-value that the growth of a newborn must not exceed.

    `calibrated` on `n_weeks` weeks with `n_false` births that nobody followed, so that at most `per_quarter` false
    alarms a quarter are expected; else it is the default, and `n_weeks` too few of the `needed` ones (0: a fixed
    level was asked for).
    """

    value: float
    calibrated: bool = False
    n_weeks: int = 0
    n_false: int = 0
    per_quarter: float = 0.0
    needed: int = 0

    def said(self, lang: str) -> str:
        """The level and what it rests on, in zh or en."""
        value = f"{self.value:.2g}"
        if not self.needed:
            return _DEFAULT[lang].format(value=value)
        rate = f"{self.per_quarter:g}"
        alarms = f"{rate} false {'alarm' if rate == '1' else 'alarms'}"
        return _SAID[self.calibrated][lang].format(**{**asdict(self), "value": value, "rate": rate, "alarms": alarms})


def alert_level(false_p_values: Sequence[float], n_weeks: int, default: float, per_quarter: float) -> Level:
    """The level for this week.

    Parameters
    ----------
    false_p_values
        Of past births that nobody followed; only of those that the rest of the rule let pass.
    n_weeks
        Weeks that they come from.
    default
        Used where the weeks are too few; a calibrated level is at most two and a half times as large.
    per_quarter
        False alarms in 13 weeks that the user accepts; 0 keeps the default for ever.

    Example
    -------
    >>> alert_level([.02, .0004, .003], 30, .02, 1.0).value
    0.0015
    >>> alert_level([.02, .0004, .003], 5, .02, 1.0)
    Level(value=0.02, calibrated=False, n_weeks=5, n_false=3, per_quarter=1.0, needed=12)

    References
    ----------
    Vovk et al., Algorithmic learning in a random world, 2005 (the one added); Laxhammar and Falkman, Conformal
    prediction for distribution-independent anomaly detection, 2010.
    """
    rate = per_quarter / WEEKS_A_QUARTER
    needed = math.ceil(1 / rate - 1) if rate else 0
    allowed = math.floor(rate * (n_weeks + 1) + 1e-9) - 1
    if not rate or allowed < 0:
        return Level(default, False, n_weeks, len(false_p_values), per_quarter, needed)
    ordered = sorted(false_p_values)
    value = ordered[allowed] / 2 if len(ordered) > allowed else 1.0
    value = min(max(value, _LEAST), _MOST * default)
    return Level(float(f"{value:.3g}"), True, n_weeks, len(false_p_values), per_quarter, needed)
