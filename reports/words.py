"""Every word of the report's own, once, in Chinese and in English."""

from __future__ import annotations

from reports.records import Words

_TABLE: dict[str, tuple[str, str]] = {
    # page
    "title": ("叙事周报", "Narrative weekly"),
    "skip": ("跳到正文", "Skip to the report"),
    "contents": ("目录", "Contents"),
    "language": ("语言", "Language"),
    "both": ("双语", "Both"),
    "zh": ("中文", "Chinese"),
    "en": ("英文", "English"),
    "other_narratives": ("其他叙事", "other narratives"),
    "other_language": ("其他", "other"),
    "week_of": ("本周", "Week"),
    "data_as_of": ("数据截至", "Data as of"),
    "evidence": ("依据", "Evidence"),
    "back_to_top": ("回到顶部", "Back to top"),
    "no_script": (
        "图表需要 JavaScript；所有数字也在表格里。",
        "The charts need JavaScript; every figure is in the tables too.",
    ),
    # headings
    "summary": ("五句话看本周", "The week in five sentences"),
    "new_narratives": (
        "新叙事与预警",
        "New narratives and alerts",
    ),
    "changes": ("本周变化", "What changed"),
    "grew": ("升温", "Grew"),
    "faded": ("降温", "Faded"),
    "turned": ("转向", "Turned"),
    "ended_heading": (
        "分裂、合并与终止",
        "Splits, merges, endings",
    ),
    "overview": ("各叙事声量", "Volume by narrative"),
    "all_narratives": ("全部叙事", "All narratives"),
    "compared_heading": ("对照周", "Compared with"),
    "map": ("本周地图", "Map of the week"),
    "narratives": (
        "叙事详情",
        "One by one",
    ),
    "quiet": ("近期无报道的叙事", "Narratives with no recent stories"),
    "unassigned": ("未归入任何叙事", "In no narrative"),
    "lineage": (
        "叙事谱系",
        "Lineage",
    ),
    "quality": (
        "收录情况与数据质量",
        "What came in, and how good it is",
    ),
    "methods": ("方法、版本与设置", "Methods, versions, settings"),
    "limits": (
        "本报告不能说明什么",
        "What this report cannot say",
    ),
    "attached": ("完整周报见附件（HTML，可离线打开）", "The full report is attached (HTML, opens offline)"),
    # columns
    "narrative": ("叙事", "Narrative"),
    "stories": ("独立报道", "Stories"),
    "reach": ("含转载", "Reach"),
    "share": ("占比", "Share"),
    "vs_last": ("较上周", "vs last week"),
    "vs_mean4": ("较四周均值", "vs 4-week mean"),
    "vs_compared": ("较", "vs"),
    "stance": ("立场", "Stance"),
    "tone": ("语气", "Tone"),
    "languages": ("语言", "Languages"),
    "languages_4w": ("语言，近四周", "Languages, 4 weeks"),
    "lead_source": ("主要来源", "Lead source"),
    "momentum": ("动量", "Momentum"),
    "trend": ("走势", "Trend"),
    "week": ("周", "Week"),
    "source": ("来源", "Source"),
    "reprints": ("转载", "Reprints"),
    "this_week": ("本周", "This week"),
    "last_weeks": ("近四周", "Last 4 weeks"),
    "table_note": (
        "方括号内为 95% 区间，n 为独立报道数；“样本不足”指报道太少，不计均值。"
        "动量为近两周占比减去此前四周占比，单位为百分点。",
        "Brackets are 95% intervals, n is stories; too few means too few for a mean. Momentum is the share of the "
        "last two weeks less that of the four before, in percentage points.",
    ),
    "from_mean4": ("前四周均值 → 本周，独立报道", "mean of four weeks → this week, stories"),
    "before_mean4": ("前四周平均", "mean of four weeks before"),
    "all_weeks": ("全部周报", "All weeks"),
    "previous_week": ("上一周", "Previous week"),
    "next_week": ("下一周", "Next week"),
    "filter": ("筛选叙事", "Filter narratives"),
    "sort_hint": ("点表头可排序", "Click a heading to sort"),
    # narrative section
    "unnamed": ("未命名", "unnamed"),
    "near": ("相近叙事", "Nearest narratives"),
    "near_note": ("余弦相似度，1 为相同", "cosine, 1 is the same"),
    "measure": ("指标", "Measure"),
    "a_week": ("条/周", "a week"),
    "before_four": ("此前四周", "Four weeks before"),
    "change": ("变化", "Change"),
    "no_common_source": ("前后没有共同来源，无法拆分", "no source in common: cannot be told apart"),
    "change_note": (
        "变化 = 同一来源的变化 + 来源构成的变化；方括号内为 95% 区间。",
        "Change = within sources + source mix; brackets are 95% intervals.",
    ),
    "speaker": ("引述", "quoting"),
    "largest_source": ("本周最大来源", "Largest source this week"),
    "alerts_settled": ("预警的准确情况", "How alerts turned out"),
    "claim": ("主张", "Claim"),
    "typical": ("代表性标题（机器选取，尚非主张）", "Typical headlines (picked by machine, not yet a claim)"),
    "no_claim": ("尚无主张，因此不计立场", "No claim yet, so no stance is measured"),
    "no_stance": ("主张尚未确认，因此不计立场", "No reviewed claim yet, so no stance is measured"),
    "rule": ("预警规则", "Alert rule"),
    "rule_recent_stories": ("近两周报道数", "stories in two weeks"),
    "rule_recent_share": ("近期占比", "share of recent ones"),
    "rule_cohesion": ("内聚度", "cohesion"),
    "rule_sources": ("独立来源", "independent sources"),
    "rule_growth": ("增长的 p 值（至多）", "p-value of its growth (at most)"),
    "drafted": ("机器起草，未经核对", "drafted by machine, not reviewed"),
    "suggested_name": ("建议名称", "Suggested name"),
    "dropped": ("{n} 句未通过核对，已舍弃", "{n} sentences failed a check and were dropped"),
    "keywords": ("关键词", "Keywords"),
    "themes": (
        "主题（由机器把相近的叙事归为一组）",
        "Themes (narratives that lie near each other, grouped by machine)",
    ),
    "only_zh": ("只见于中文", "told in Chinese only"),
    "only_en": ("只见于英文", "told in English only"),
    "only_other": ("只见于一种语言", "told in one language only"),
    "figures": ("逐周数字", "Figures by week"),
    "what_changed": ("本周变化", "What changed this week"),
    "quotes_for": ("支持主张", "For the claim"),
    "quotes_against": ("反对主张", "Against the claim"),
    "quotes_positive": ("语气正面", "Positive in tone"),
    "quotes_negative": ("语气负面", "Negative in tone"),
    "quotes": (
        "原文摘句",
        "Evidence, in the original language",
    ),
    "no_quotes": ("近四周没有可用的摘句。", "No usable quotes in the last four weeks."),
    "none_side": ("近四周没有找到。", "None found in the last four weeks."),
    "stories_week": ("本周报道", "This week's stories"),
    "more_stories": ("另有 {n} 条未列出", "{n} more not listed"),
    "top_sources": ("主要来源", "Top sources"),
    "tellings": (
        "中英文报道对照",
        "How Chinese and English tell it",
    ),
    "terms": ("常用词", "Words"),
    "example": ("例", "Example"),
    "life": (
        "演变脉络",
        "Life line",
    ),
    "no_event": ("暂无事件", "No events yet"),
    "within_source": (
        "同一来源的变化",
        "Within sources",
    ),
    "source_mix": (
        "来源构成的变化",
        "Source mix",
    ),
    "copies": ("{n} 篇转载", "{n} reprints"),
    "copies_one": ("1 篇转载", "1 reprint"),
    "confidence": ("置信度", "confidence"),
    "weak_verdict": ("单条判断不可靠", "single verdicts are weak"),
    "open": ("打开原文", "Open the article"),
    "no_link": ("无链接", "no link"),
    "too_few": (
        "样本不足",
        "too few",
    ),
    "not_measured": ("未测", "not measured"),
    "drift": (
        "中心漂移",
        "Drift of its centre",
    ),
    "cohesion": ("内聚度", "Cohesion"),
    "first_seen": (
        "首次出现",
        "First seen",
    ),
    "brief_note": ("篇幅所限，只列要点。", "Shortened for length."),
    "chart_volume": (
        "每周独立报道（深）与含转载（浅）",
        "Stories a week (dark) and reach with reprints (pale)",
    ),
    "chart_share": ("占当周全部报道的比例", "Share of the week's stories"),
    "chart_scores": ("立场与语气，−1 到 +1，带 95% 区间", "Stance and tone, −1 to +1, with 95% intervals"),
    "chart_tone": ("语气，−1 到 +1，带 95% 区间", "Tone, −1 to +1, with 95% intervals"),
    "chart_overview": ("每周独立报道，按叙事", "Stories a week, by narrative"),
    "chart_map": (
        "每点一篇文章，相近的靠在一起；仅作图示。悬停看标题，点击打开。",
        "One dot an article, alike ones close; a picture only. Hover for the title, click to open.",
    ),
    "chart_lineage": ("每条叙事从诞生到最近一次出现", "Each narrative from birth to its last story"),
    "save_png": ("存为 PNG", "Save as PNG"),
    "save_svg": ("存为 SVG", "Save as SVG"),
    # alerts
    "alert": ("预警", "Alert"),
    "watch": (
        "观察",
        "Watch",
    ),
    "routine": ("例行系列", "Routine series"),
    "state_emerging": ("初现，待下周证实", "emerging, to be confirmed next week"),
    "state_confirmed": ("已证实", "confirmed"),
    "state_retracted": ("已撤回", "retracted"),
    "state_held": ("暂缓：所依来源异常", "held: its sources behave unusually"),
    "acknowledged": (
        "已阅",
        "acknowledged",
    ),
    "no_alerts": ("本周没有新叙事，也没有待定的预警。", "No new narrative this week, and no alert pending."),
    "why_new": (
        "为何判为新叙事",
        "Why it is none of the known",
    ),
    "nearest": ("最接近的已知叙事", "Nearest known narratives"),
    "no_nearest": ("未记录相近的叙事。", "No near narrative is on record."),
    "alert_stories": ("相关报道", "Stories behind it"),
    "born_silently": ("本周新生，未达到预警标准", "born this week, below the alert rule"),
    "independent_sources": ("个来源", "sources"),
    "passed": ("是否满足", "passed"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "found": ("实测", "found"),
    "needed": ("至少", "at least"),
    # status, origin
    "defined": ("分析员定义", "defined"),
    "discovered": ("自动发现", "discovered"),
    "provisional": ("暂定", "provisional"),
    "active": ("活跃", "active"),
    "dormant": ("休眠", "dormant"),
    "ended": ("已结束", "ended"),
    "merged": ("已并入", "merged"),
    "new": ("新", "new"),
    # movement
    "clear": ("超出偶然", "beyond chance"),
    "maybe": ("可能是偶然", "may be chance"),
    "steady": ("平稳", "steady"),
    "nothing_grew": ("没有叙事明显升温。", "No narrative grew noticeably."),
    "nothing_faded": ("没有叙事明显降温。", "No narrative faded noticeably."),
    "nothing_turned": ("立场与语气没有明显转向。", "No stance or tone turned noticeably."),
    # quality
    "articles": ("文章", "Articles"),
    "sources": ("来源", "Sources"),
    "quarantine": (
        "待核查记录（隔离）",
        "Records in quarantine",
    ),
    "no_quarantine": ("没有记录被隔离。", "No record is in quarantine."),
    "recovered": ("另有 {n} 条已修复", "{n} more recovered"),
    "reason": ("原因", "Reason"),
    "records": ("条数", "Records"),
    "example_message": ("示例", "For example"),
    "feed_health": (
        "来源供稿异常",
        "Unusual sources",
    ),
    "no_feed_notes": (
        "各来源的供稿量与前四周相符。",
        "Every source sent about as much as in the four weeks before.",
    ),
    "this_week_total": ("本周 / 累计", "This week / in all"),
    "same_language": (
        "最近邻为同语言的比例",
        "Nearest neighbours in the same language",
    ),
    "weak_members": (
        "归类把握较低的文章",
        "Weakly placed articles",
    ),
    "unassigned_share": ("未归类占比", "Share in no narrative"),
    "languages_week": ("本周语言", "Languages this week"),
    "unassigned_note": (
        "这些报道不够接近任何已知叙事，也还没有聚成新的；三周内仍是新叙事的候选。",
        "These are not close enough to any known narrative and have not gathered into a new one; for "
        "some weeks they "
        "stay candidates.",
    ),
    "kept_back": (
        "在仍作候选的报道中，有 {n} 条彼此相近，但类似的报道此前已有，或同时还有许多，看不出是新叙事。",
        "Of those that wait, {n} hang together, but the like of them came before or stands beside them in numbers: "
        "nothing shows that they are new.",
    ),
    "examples_week": ("本周例子", "Examples of this week"),
    "versions": ("版本", "Versions"),
    "settings": ("设置", "Settings"),
}
WORDS: dict[str, Words] = {key: Words(zh, en) for key, (zh, en) in _TABLE.items()}


def word(key: str, **values: object) -> Words:
    """The words for `key` with `{…}` filled in.

    Raises
    ------
    KeyError
        There is no such key.

    >>> word("more_stories", n=3).en
    '3 more not listed'
    """
    entry = WORDS[key]
    return Words(entry.zh.format(**values), entry.en.format(**values)) if values else entry
