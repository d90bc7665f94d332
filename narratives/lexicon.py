"""A small word list of tone: the baseline that every tone scorer is measured beside, never used by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POSITIVE_ZH = """
增长 上涨 盈利 大增 突破 成功 赢得 领先 获奖 改善 提升 创新高 利好 看好 增持 中标 丰收 好评 优异 受益
复苏 回暖 稳步 强劲 喜人 支持 合作 共赢 振兴 扭亏 超预期 回升 满意 称赞 肯定 安全 顺利 优势 希望 信心
涨停 新高 回购 分红 预增 首个 领跑 攻克 救出 感谢 荣获 圆满 欢迎
"""
_NEGATIVE_ZH = """
下跌 亏损 下滑 失败 违规 处罚 罚款 危机 风险 担忧 批评 指责 暴跌 减持 破产 造假 事故 伤亡 死亡 污染 停产
诉讼 调查 跌停 预亏 债务 违约 拖欠 裁员 召回 丑闻 腐败 崩溃 冲突 威胁 制裁 封锁 垄断 短缺 恶化 衰退 抗议
警告 失业 骗 欺诈 泄露 爆炸 延误 虚假 质疑 被捕 立案 警示 退市 冻结 失踪 反对 谴责
"""
_POSITIVE_EN = """
gain gains gained rise rises rose surge surged soar soared profit profits strong stronger growth grew
win wins won success successful praise praised boost boosted improve improved improvement record best
better good great benefit benefits support supported hope hopeful rally rallied upgrade upgraded beat
beats recover recovered recovery breakthrough celebrate celebrated trust honest brave safe happy
excellent positive progress
"""
_NEGATIVE_EN = """
loss losses lost fall falls fell drop dropped decline declined plunge plunged crash crashed weak weaker
fail fails failed failure fear fears worry worried crisis risk risks scandal fraud corrupt corruption
accuse accused criticize criticized attack attacked threat threats threaten warn warned bad worse worst
bankrupt bankruptcy debt lawsuit fine fined ban banned killed dead death deaths violence violent lie
lied false wrong racist guilty arrest arrested slump cut cuts downgrade downgraded sell-off negative
shame shameful disaster
"""

_GOOD, _BAD = frozenset(_POSITIVE_EN.split()), frozenset(_NEGATIVE_EN.split())
_GOOD_ZH, _BAD_ZH = tuple(_POSITIVE_ZH.split()), tuple(_NEGATIVE_ZH.split())
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")


def lexicon_score(text: str) -> float:
    """Positive less negative words per word that counts, -1 to 1; 0 where none occurs.

    >>> lexicon_score("Profit rose"), lexicon_score("公司亏损，遭到处罚"), lexicon_score("Monday")
    (1.0, -1.0, 0.0)
    """
    words = _WORD.findall(text.lower())
    good = sum(w in _GOOD for w in words) + sum(text.count(w) for w in _GOOD_ZH)
    bad = sum(w in _BAD for w in words) + sum(text.count(w) for w in _BAD_ZH)
    return (good - bad) / (good + bad) if good + bad else 0.0


def lexicon_labels(texts: Sequence[str]) -> NDArray[np.int64]:
    """(n,) 0 negative, 1 neutral, 2 positive, by the sign of the score."""
    return np.array([int(np.sign(lexicon_score(text))) + 1 for text in texts], dtype=np.int64)
