"""Words that say nothing of a subject, and English words that are verbs wherever a headline has them."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

# Words of two and more characters that say nothing of a subject; single characters are never keywords.
_CHINESE_STOP_WORDS = frozenset(
    "记者 表示 认为 一个 一些 一家 一种 已经 可以 可能 我们 他们 你们 自己 "
    "没有 不是 不会 不能 目前 这个 这些 这样 那个 那些 今年 去年 明年 公司 "
    "进行 以及 因为 所以 如果 但是 不过 同时 其中 对于 关于 需要 成为 通过 "
    "之后 之前 以后 以前 并且 而且 或者 还是 仍然 就是 只是 只有 只要 什么 "
    "怎么 如何 为何 为什么 时候 现在 正在 问题 方面 部分 情况 报道 消息 指出 "
    "称为 称之为 介绍 透露 显示 分析 人士 此前 近日 日前 本周 上周 周一 周二 "
    "周三 周四 周五 周六 周日 星期 今天 昨天 明天 左右 以上 以下 不少 很多 "
    "更多 许多 所有 任何 每个 其他 另外 此外 还有 也是 都是 而是 真正 非常 "
    "十分 比较 相关 有关 包括 由于 根据 按照 为了 随着 之间 之一 的话 来说 "
    "一样 一次 两个 三个 这里 那里 起来 出来 下来 过去 来自 当地 方式 最后 "
    "至少 超过 大约 约为 亿元 万元 美元 元人民币 一名 一位 一直 一旦 不再 "
    "不得 不同 为止 也许 事情 东西 于是 仅仅 从而 依然 倒是 几乎 却是 反而 "
    "否则 告诉 多数 多年 如今 尤其 并非 应该 总是 接受 提供 是否 有些 然而 "
    "甚至 看到 知道 确实 继续 能够 虽然 要求 觉得 说法 说话 负责人 采访 难以 "
    "首先 其次 面对 部门 开始 时间 一半 一天 一年 年前 年来 月底 上午 下午 "
    "晚上 至今 出现 希望 发现 未来 机构 企业".split()
)
_ENGLISH_STOP_WORDS = frozenset(
    "according ago also among april august back big billion called came cent come companies company could "
    "day days december did didn't does doesn't doing don't dr early eight even february first five four "
    "friday get goes going good got high i'm including isn't it's january july june just keep kept know "
    "last late later like long low made make makes many march may might million monday month months mr "
    "mrs ms much near need needs new next nine november october official officials old one people per "
    "percent put reuters s said saturday say say-so says second september set seven six small soon "
    "spokesman spokesperson spokeswoman still sunday t take taken ten than that's then there thing things "
    "third three thursday today told tomorrow took tuesday two u.s us use used using want wants wasn't "
    "way wednesday week weeks well would year years yesterday yet".split()
)
# Forms that are no nouns: where one of them stands, a phrase ends.
_ENGLISH_VERBS = frozenset(
    "accuse accused accuses acknowledge acknowledged acknowledges add added adds admit admits admitted agree agreed "
    "agrees allow allowed allows amid announce announced announces appear appeared appears approve approved "
    "approves argue argued argues arrested arrests ask asked asks beaten became become becomes becoming "
    "began begin begins begun believe believed believes bought bring brings brought build built buys came carried "
    "carries carry catch catches caught choose chooses chose chosen claimed closed closes come comes coming confirm "
    "confirmed confirms consider considered considers continue continued continues create created creates decide "
    "decided decides declare declared declares deliver delivered delivers demanded denied denies deny describe "
    "described describes despite destroy destroyed destroys detain detained detains did died dies discover "
    "discovered discovers dismiss dismissed dismisses does doing drawn drew dropped drove enable enabled "
    "enables establish established establishes expect expected expects explain explained explains eyed faced fail "
    "failed fails feared feels fell felt filed flew flown follow followed follows forced forget forgets "
    "forgot forgotten fought gained gave get gets getting give given gives giving go goes going gone got gotten "
    "grew grow grown grows hailed hails halted halts happen happened happens held helped hid hidden hide hides "
    "hit holds hoped hosted hurt hurts identified identifies identify ignite ignited ignites ignore ignored ignores "
    "impose imposed imposes improve improved improves include included includes increased indict indicted indicts "
    "injure injured injures insist insisted insists introduce introduced introduces invest invested invests issued "
    "join joined joins jumped keep keeps kept killed knew know known knows lash lashed lashes launched learn learns "
    "learnt leave led let lets lifted looked lose loses lost lured lures made make makes making manage managed "
    "manages marked mean meant meet meets met moved nearly needed noted occur occurred occurs offered opened "
    "oppose opposed opposes ordered oust ousted ousts outline outlined outlines owns paid passed pays "
    "planned plead pleaded pleads pledged plunged posted praise praised praises predict predicted predicts prepare "
    "prepared prepares presented pressed prevent prevented prevents produce produced produces promised propose "
    "proposed proposes protested prove proved proves provide provided provides pull pulled pulls push pushed pushes "
    "put puts quit quits raise raised raises ran reach reached reaches react reacted reacts recalled receive "
    "received receives recover recovered recovers reduce reduced reduces refuse refused refuses reject rejected "
    "rejects released remain remained remains remove removed removes rename renamed renames replace replaced "
    "replaces replied replies require required requires resign resigned resigns resist resisted resists resume "
    "resumed resumes retire retired retires returned reveal revealed reveals ridden risen rode rose ruled said "
    "saved saves saw say saying says scored secured secures see seek seeks seem seemed seems seen sees seize "
    "seized seizes sell sells send sends sent settle settled settles shared shed sheds showed shown shut shuts "
    "signed slam slams slapped slashed slashes slipped slips soar soared soars sold sought sparked speak "
    "speaks splits spoke spoken stab stabbed stabs started stated stay stayed stays stepped stood stopped stun "
    "stunned stuns sue sued sues suffer suffered suffers suggest suggested suggests surged suspended suspends take "
    "taken takes taking tapped targeted taught teach teaches tell tells tested think thinks thought threaten "
    "threatened threatens threw throw thrown throws told took topped tried tries triggered try tumbled tumbles "
    "turned undergo undergoes underwent unveil unveiled unveils urge urged urges visited vowed vows wait waited "
    "waits want wanted wants warn warned warns watched wear wears weigh weighed weighs welcomed went won wore worn "
    "wounded write writes written wrote yielded".split()
)


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    return _of_scikit_learn() | _ENGLISH_STOP_WORDS | _CHINESE_STOP_WORDS


def _of_scikit_learn() -> frozenset[str]:
    """Its English list, from the file that holds nothing else: all of the library takes a tenth of a small update."""
    found = find_spec("sklearn")
    file = Path(found.origin).with_name("feature_extraction") / "_stop_words.py" if found and found.origin else None
    if file is not None and file.is_file():
        return frozenset(run_path(str(file))["ENGLISH_STOP_WORDS"])
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def is_stop_word(word: str) -> bool:
    """A word that says nothing of a subject, in lower case.

    >>> is_stop_word("the"), is_stop_word("记者"), is_stop_word("magnet")
    (True, True, False)
    """
    return word in _stop_words()


def is_verb(word: str) -> bool:
    """An English form, in lower case, that is a verb and no noun.

    >>> is_verb("announces"), is_verb("offer")
    (True, False)
    """
    return word in _ENGLISH_VERBS
