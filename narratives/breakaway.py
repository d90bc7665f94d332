"""A group that fits a broad narrative and is a story of its own all the same.

Much fits a broad narrative: twenty texts on a mourned musician went, each week's as a group, to what was told of the
president who wrote to his family. Such a group is much more like itself than like the members, and the like of it had
not come among them; another quarter's results, which are as much more alike, have come among results all along.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from narratives import weeks
from narratives.affinity import across
from narratives.assign import Group, Placement
from narratives.language import base_language
from narratives.novelty import alike_now_and_before
from narratives.state import StepState
from narratives.step import Step

_BROAD = 20  # members from which on a narrative can be broad; of older ones in the group's language as well
# The group's similarity to the members, as a share of that inside it, and what came before, as a share of the same now.
# In streams of 2,000 to 4,000 general texts a week the two groups that were stories had .35 and .05 to .08; of 37
# others that were as far apart none came less than .34 times as often before.
_APART, _NEW = 0.6, 0.25


def breakaways(step: Step, state: StepState, placement: Placement) -> list[Group]:
    """Groups of `placement.taken` that are to be born, not to join; at the grain of events only."""
    if state.bootstrapping or step.settings.discover.grain != "events":
        return []
    apart = [group for group in placement.taken if _is_apart(step, state, group)]
    return [group for group in apart if _is_new(step, state, group, placement)]


def _is_apart(step: Step, state: StepState, group: Group) -> bool:
    row = state.narratives[group.nearest]
    if row["origin"] != "discovered" or group.nearest not in state.members:
        return False
    total = step.total(state, group.nearest)
    if total is None or total.n < _BROAD:
        return False
    assert state.pool is not None
    own, n = state.pool.take(group.rows), len(group.rows)
    known = next(k for k in state.known if k.id == group.nearest)
    scale = across(own.langs, [known], step.settings.discover)[:, 0]
    to_members = float((own.vectors @ total.vector * scale).mean()) / total.n
    together = own.vectors.sum(axis=0, dtype=np.float64)
    inside = (float(together @ together) - n) / (n * (n - 1))
    return to_members < _APART * inside


def _is_new(step: Step, state: StepState, group: Group, placement: Placement) -> bool:
    """Has the like of the group come among the members, those in its language, before the weeks of the pool?"""
    pool, settings = state.pool, step.settings.discover
    assert pool is not None
    members, joined = state.members[group.nearest], state.members.weeks(group.nearest)
    langs = [base_language(tag) for tag in pool.langs]
    lang = Counter(langs[i] for i in group.rows).most_common(1)[0][0]
    spoken = np.array([base_language(tag) == lang for tag in members.langs])
    since = state.week - (settings.buffer_weeks - 1) * weeks.WEEK
    recent = np.array([week >= since for week in joined])
    if recent.all():  # the latest members of a large one: all that came before this week
        recent[:] = False
    older = members.vectors[spoken & ~recent]
    if len(older) < _BROAD:
        return False
    own = set(group.rows.tolist())
    here = [i for i, name in enumerate(placement.narrative) if name == group.nearest and langs[i] == lang]
    beside = [i for i in here if i not in own]
    now = np.concatenate([pool.vectors[group.rows], pool.vectors[beside], members.vectors[spoken & recent]])
    (n_now,), (n_before,) = alike_now_and_before([np.arange(len(group.rows))], now, older)
    return bool(n_before < len(group.rows) and n_before / len(older) < _NEW * n_now / len(now))
