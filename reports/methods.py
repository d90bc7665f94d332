"""How the figures come about, and what they cannot say: in short, with the desk's own settings in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.changes import MATERIAL
from reports.figures import FALSE_DISCOVERY_RATE, NOTICE_P
from reports.records import Words


def methods(settings: Mapping[str, Any]) -> tuple[Words, ...]:
    """One paragraph a method.

    Parameters
    ----------
    settings
        `WeeklyReport.settings`: section -> name -> value.
    """
    rule, least = settings["alerts"], settings["report"]["min_stories_for_average"]
    n, share = rule["min_recent_stories"], f"{rule['min_recent_share']:.0%}"
    sources, rate = rule["min_sources"], f"{FALSE_DISCOVERY_RATE:.0%}"
    return (
        Words(
            "独立报道：转载和改动很小的稿件并为一条，只算一个声音；“含转载”把所有副本计入，表示传播面。"
            "占比以当周全部独立报道为分母。",
            "Stories: reprints and nearly equal copies are one story and one voice; reach counts every copy. Shares "
            "are "
            "of all stories of the week.",
        ),
        Words(
            "归类：先从文章向量中去除语言成分，再比较相似度；达到该叙事自身校准的门槛才归入，"
            "其余留作未归类，并从中寻找新叙事。每篇文章最多计入一个叙事。",
            "Assignment: vectors are compared after the language is removed from them. An article joins a narrative "
            "from "
            "that narrative's own calibrated similarity on; the rest stay unassigned and are searched for new "
            "narratives. An article counts in one narrative at most.",
        ),
        Words(
            "立场是对叙事主张的态度（+1 支持，−1 反对）；语气是文章自身的正负。二者分别计算。"
            f"均值以独立报道为单位，不足 {least} 条不计均值；方括号内为 95% 自助法区间。",
            "Stance is toward the narrative's claim (+1 supports, −1 opposes); tone is how the text itself speaks. "
            "They "
            f"are scored apart. Means are over stories, at least {least} of them; brackets are 95% bootstrap "
            f"intervals.",
        ),
        Words(
            f"升温与降温：本周占比对前四周占比的双侧二项检验；列出 p<{NOTICE_P:.2f} 者，"
            f"按错误发现率 {rate} 仍成立的标为“超出偶然”。"
            f"转向：均值移动 {MATERIAL:.2f} 以上，作置换检验，标法相同。",
            "Grew and faded: a two-sided binomial test of this week's share against the four weeks before. What has "
            f"p<{NOTICE_P:.2f} is listed; what survives a false discovery rate of {rate} is marked beyond chance. "
            f"Turned: a move of the mean by {MATERIAL:.2f} or more, by permutation test, marked alike.",
        ),
        Words(
            "动量：近两周占比减去此前四周占比，各周报道合并计算，区间用 Newcombe 混合得分法。",
            "Momentum: the share of the last two weeks' stories less that of the four weeks before, weeks pooled; the "
            "interval is Newcombe's hybrid score.",
        ),
        Words(
            "变化的拆分（Kitagawa 1955）：“同一来源的变化”是前后都有报道的媒体自身的改变，"
            "“来源构成的变化”是媒体此消彼长带来的改变，二者之和等于总变化。",
            "A change in two parts (Kitagawa 1955): within sources is what outlets of both periods changed, source "
            "mix is "
            "what the coming and going of outlets did; they add up to the change.",
        ),
        Words(
            f"预警：新聚出的叙事，近两周至少有 {n} 条独立报道，占其全部的 {share} 以上，来自至少 {sources} 个来源，"
            "且内聚度高于门槛，即触发预警；此后某周又有报道归入为“已证实”，两周内没有则“已撤回”。"
            "不全满足的列为“观察”。",
            f"Alerts: a freshly found narrative with at least {n} stories in two weeks, which are {share} of it or "
            f"more, "
            f"from at least {sources} sources, and more cohesive than the level. It is confirmed when a story joins "
            f"it in "
            "a later week and retracted when none does for two weeks. What meets only a part is a watch.",
        ),
        Words(
            "地图：文章不多时用主成分，多时用 UMAP，仅作图示；距离和方向没有单位，归类不以此为据。",
            "The map: principal components where articles are few, UMAP where they are many. A picture only: its "
            "distances have no unit, and nothing is assigned by it.",
        ),
    )


LIMITS: tuple[Words, ...] = (
    Words(
        "单篇文章的立场判断只是线索，常有误判；数十条以上的均值和走势才说明问题，所附原句供阅读核对。"
        "准确率可用 `narratives evaluate` 在自己的标注上测量。",
        "A verdict on one article is a hint, often wrong. Means and trends over dozens of stories say more, and the "
        "sentences are there to be read. `narratives evaluate` measures accuracy on labels of your own.",
    ),
    Words(
        "立场以分析员所写的正反例句为尺度；语气模型用英文新闻训练，中文只作了校准。"
        "分数宜用于前后比较和相互比较，不宜当作绝对值；中英文之间的差异须先读原句再下结论。",
        "Stance is scaled by the analyst's own statements; the tone model was trained on English news and only "
        "calibrated for Chinese. Compare scores over time and with each other, not as absolute values; read the "
        "sentences before you conclude anything from a difference between the languages.",
    ),
    Words(
        "区间只反映报道数量有限带来的误差，不含模型本身的偏差，也不含没有收录的媒体。",
        "The intervals cover the error of having few stories, not the model's bias and not the outlets that were never "
        "read.",
    ),
    Words(
        "声量不等于影响力，更不等于真假：本报告说明媒体在讲什么，不说明事实如何。",
        "Volume is not influence and not truth: this says what the press tells, not what is so.",
    ),
    Words(
        "未命名的叙事只列出其关键词；标明“机器起草”的名称、主张和摘要未经人工核对。",
        "An unnamed narrative is shown by its words. Names, claims and summaries marked as drafted by machine have not "
        "been reviewed.",
    ),
)
