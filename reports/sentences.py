"""What the figures say, in sentences of both languages: composed by rules, no language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.content import AlertNote, AlertRecord, Intake, LifeEvent, NarrativeRow, Unassigned
from reports.figures import number
from reports.records import Link, Movement, Sentence, Shift, Words

_LONGEST_EXAMPLE = 90
ALL_TABLE = Words("全部叙事", "all narratives")


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign (a real minus), or zero without one.

    >>> signed(0.416), signed(-1, 0), signed(0.001)
    ('+0.42', '−1', '0.00')
    """
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else "−") + text


def percent(share: float) -> str:
    """A share (0 to 1) in whole per cent.

    >>> percent(0.346), percent(0.004)
    ('35%', '<1%')
    """
    return "<1%" if 0 < share < 0.005 else f"{share * 100:.0f}%"


def points(share: float) -> str:
    """A difference of shares in whole percentage points.

    >>> points(0.046), points(-0.2)
    ('+5', '−20')
    """
    return signed(share * 100, 0)


def rule_number(name: str, value: float | None) -> str:
    """A number of the alert rule: a share in per cent, a cohesion with two digits, a count as it is."""
    if value is None:
        return "—"
    if name == "growth":
        return f"{value:.2g}"
    return percent(value) if name == "recent_share" else f"{value:.2f}" if name == "cohesion" else f"{value:g}"


def plural(n: int, one: str, many: str) -> str:
    """English count.

    >>> plural(1, "story", "stories"), plural(0, "story", "stories")
    ('1 story', '0 stories')
    """
    return f"{n:,} {one if n == 1 else many}"


def stories(n: int) -> str:
    """English count of stories."""
    return plural(n, "story", "stories")


def mean_text(value: float) -> str:
    """A mean of counts: one digit after the point, none if it is whole."""
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def summarise(
    intake: Intake,
    unassigned: Unassigned,
    rows: Sequence[NarrativeRow],
    alerts: Sequence[AlertNote],
    born: Sequence[str],
    grew: Sequence[str],
    faded: Sequence[str],
    turned: Sequence[Shift],
) -> tuple[Sentence, ...]:
    """The week in five sentences: volume, what is new, who leads and moves, what turned, what to doubt."""
    by_id = {r.id: r for r in rows}
    return (
        _volume(intake),
        _new(alerts, born, by_id),
        _leaders(rows, grew, faded, by_id),
        _turns(turned, by_id),
        _doubts(intake, unassigned, rows, alerts),
    )


def _link(row: NarrativeRow) -> Link:
    return Link(row.anchor, row.name)


def _volume(intake: Intake) -> Sentence:
    n, last, mean = intake.n_stories, intake.last_stories, intake.mean4_stories
    zh = f"本周收录 {n:,} 条独立报道"
    en = f"{stories(n)} came in"
    if intake.n_articles > n:
        zh += f"（含转载共 {intake.n_articles:,} 篇）"
        en += f" ({plural(intake.n_articles, 'article', 'articles')} with reprints)"
    if last is not None and mean is not None:
        more = n - last
        zh_more = f"比上周{'多' if more > 0 else '少'} {abs(more):,} 条" if more else "与上周持平"
        en_more = f"{abs(more):,} {'more' if more > 0 else 'fewer'} than" if more else "as many as"
        zh += f"，{zh_more}，前四周平均 {mean_text(mean)} 条"
        en += f", {en_more} last week; the mean of the weeks before is {mean_text(mean)}"
    total = sum(k for _, k in intake.languages) or 1
    names = {"zh": ("中文", "Chinese"), "en": ("英文", "English")}
    parts = [(names.get(lang, (lang, lang)), k / total) for lang, k in intake.languages[:2]]
    if parts:
        zh += "；" + "，".join(f"{name[0]}占 {percent(s)}" for name, s in parts)
        en += "; " + ", ".join(f"{percent(s)} {name[1]}" for name, s in parts)
    zh += f"，来自 {intake.n_sources} 个来源。"
    en += f", from {plural(intake.n_sources, 'outlet', 'outlets')}."
    return Sentence(Words(zh, en), (Link("quality", Words("收录情况", "intake")),))


def _new(alerts: Sequence[AlertNote], born: Sequence[str], by_id: Mapping[str, NarrativeRow]) -> Sentence:
    fresh = [by_id[n] for n in born if n in by_id]
    alerted = {a.narrative: a for a in alerts}
    settled = [a for a in alerts if a.narrative not in born and a.tier == "alert"]  # a watch was no alert
    links = [_link(r) for r in fresh]
    if fresh:
        zh = f"新出现 {len(fresh)} 条叙事：" + "；".join(_born_zh(r, alerted.get(r.id)) for r in fresh[:3])
        en = "One narrative is new: " if len(fresh) == 1 else f"{len(fresh)} narratives are new: "
        en += "; ".join(_born_en(r, alerted.get(r.id)) for r in fresh[:3])
        if len(fresh) > 3:
            zh, en = f"{zh}；另有 {len(fresh) - 3} 条", f"{en}; and {len(fresh) - 3} more"
    else:
        zh, en = "本周没有新叙事", "No narrative is new this week"
    confirmed = [a for a in settled if a.state == "confirmed"]
    pending = [a for a in settled if a.state in ("emerging", "held")]
    retracted = [a for a in settled if a.state == "retracted"]
    for group, zh_verb, en_verb in (
        (confirmed, "已证实", "confirmed"),
        (pending, "待定", "pending"),
        (retracted, "已撤回", "retracted"),
    ):
        if group:
            zh += f"；此前的预警{zh_verb}：" + "、".join(f"“{a.name.zh}”" for a in group[:3])
            en += f"; earlier alerts {en_verb}: " + ", ".join(f"“{a.name.en}”" for a in group[:3])
            links += [_link(by_id[a.narrative]) for a in group[:3] if a.narrative in by_id]
    return Sentence(Words(zh + "。", en + "."), (Link("new", Words("预警", "alerts")), *links[:5]))


def _born_zh(row: NarrativeRow, alert: AlertNote | None) -> str:
    text = f"{called(row).zh}（{row.now.n_stories} 条报道"
    if alert is not None and alert.n_sources:
        text += f"，{alert.n_sources} 个来源"
    text += "，已触发预警" if alert is not None and alert.tier == "alert" else "，未达预警标准"
    example = _example(alert, "zh")
    return text + (f"，如《{example}》）" if example else "）")


def _born_en(row: NarrativeRow, alert: AlertNote | None) -> str:
    text = f"{called(row).en} ({stories(row.now.n_stories)}"
    if alert is not None and alert.n_sources:
        text += f" from {plural(alert.n_sources, 'outlet', 'outlets')}"
    text += ", alerted" if alert is not None and alert.tier == "alert" else ", below the alert rule"
    example = _example(alert, "en")
    return text + (f"; for example “{example}”)" if example else ")")


def _example(alert: AlertNote | None, lang: str) -> str:
    """A headline behind an alert, in the language where there is one."""
    found = [h.title for h in alert.stories if h.lang.split("-")[0] == lang] if alert is not None else []
    text = (found or [h.title for h in alert.stories] if alert is not None else [""])[:1]
    return text[0][:_LONGEST_EXAMPLE] if text else ""


def called(row: NarrativeRow) -> Words:
    """The narrative in running text: its name, or that it has none yet and what its words are."""
    if row.named:
        return Words(f"“{row.name.zh}”", f"“{row.name.en}”")
    return Words(f"以“{row.name.zh}”为关键词的叙事", f"the narrative around “{row.name.en}”")


def _leaders(
    rows: Sequence[NarrativeRow], grew: Sequence[str], faded: Sequence[str], by_id: Mapping[str, NarrativeRow]
) -> Sentence:
    present = [r for r in rows if r.now.n_stories]
    if not present:
        return Sentence(Words("本周没有报道归入任何叙事。", "No story of this week belongs to a narrative."))
    lead = max(present, key=lambda r: (r.now.n_stories, r.id))
    top = [r for r in present if r.now.n_stories == lead.now.n_stories]
    links = [_link(r) for r in top[:3]]
    zh_names = "、".join(f"“{r.name.zh}”" for r in top[:3])
    en_names = ", ".join(f"“{r.name.en}”" for r in top[:3])
    each_zh, each_en = ("各 ", "each") if len(top) > 1 else ("", "of the week")
    zh = f"报道最多的是{zh_names}（{each_zh}{lead.now.n_stories} 条，占 {percent(lead.now.share)}）"
    en = f"Most told: {en_names} ({stories(lead.now.n_stories)}, {percent(lead.now.share)} {each_en})"
    for ids, zh_verb, en_verb in ((grew, "升温最明显", "grew most"), (faded, "降温最明显", "faded most")):
        if ids:
            row = by_id[ids[0]]
            zh += f"；{zh_verb}的是“{row.name.zh}”（{_from_to_zh(row.movement)}）"
            en += f"; “{row.name.en}” {en_verb} ({_from_to_en(row.movement)})"
            links.append(_link(row))
    if not grew and not faded:
        zh += "；其余升降都在偶然范围内"
        en += "; every other rise and fall is within chance"
    unique = {link.anchor: link for link in links}
    return Sentence(Words(zh + "。", en + "."), tuple(unique.values()))


def _from_to_zh(move: Movement) -> str:
    sure = "，超出偶然" if move.clear else "，可能是偶然"
    return f"前四周平均 {mean_text(move.mean4 or 0)} 条，本周 {move.n_stories} 条{sure}"


def _from_to_en(move: Movement) -> str:
    sure = "beyond chance" if move.clear else "may be chance"
    return f"{stories(move.n_stories)} against a mean of {mean_text(move.mean4 or 0)}, {sure}"


def _turns(turned: Sequence[Shift], by_id: Mapping[str, NarrativeRow]) -> Sentence:
    listed = [t for t in turned if t.narrative in by_id][:2]
    if not listed:
        return Sentence(
            Words("各叙事的立场与语气没有明显转向。", "No narrative's stance or tone turned noticeably."),
            (Link("table", ALL_TABLE),),
        )
    zh, en = [], []
    for t in listed:
        row = by_id[t.narrative]
        what_zh, what_en = ("的立场", "stance toward its claim") if t.what == "stance" else ("的语气", "tone")
        sure_zh, sure_en = ("超出偶然", "beyond chance") if t.clear else ("可能是偶然", "may be chance")
        before, after = signed(t.before or 0.0), signed(t.after or 0.0)
        parts_zh, parts_en = parts_text(t)
        name = called(row)
        zh.append(f"{name.zh}{what_zh}由 {before} 转为 {after}（{t.n_after} 条报道，{sure_zh}{parts_zh}）")
        en.append(f"the {what_en} in {name.en} went from {before} to {after} "
                  f"({stories(t.n_after)}, {sure_en}{parts_en})")  # fmt: skip
    text = "; ".join(en)
    links = {by_id[t.narrative].anchor: _link(by_id[t.narrative]) for t in listed}
    return Sentence(Words("；".join(zh) + "。", text[0].upper() + text[1:] + "."), tuple(links.values()))


def parts_text(shift: Shift) -> tuple[str, str]:
    """What the same outlets changed and what the mix of outlets did, as the end of a bracket."""
    if shift.within.value is None or shift.mix.value is None:
        return "，前后没有共同来源", ", no outlet in common"
    within, mix = signed(shift.within.value), signed(shift.mix.value)
    return f"；同一来源 {within}，来源构成 {mix}", f"; same outlets {within}, mix of outlets {mix}"


def _doubts(
    intake: Intake, unassigned: Unassigned, rows: Sequence[NarrativeRow], alerts: Sequence[AlertNote]
) -> Sentence:
    present = [r for r in rows if r.now.n_stories]
    few = sum(r.now.tone.mean is None for r in present)
    n_quarantined = sum(k for _, k, _, _ in intake.quarantine)
    zh = f"需留意：{unassigned.n_stories} 条（{percent(unassigned.share)}）未归入任何叙事"
    en = f"Bear in mind: {stories(unassigned.n_stories)} ({percent(unassigned.share)}) belong to no narrative"
    if unassigned.n_stories == 1:
        en = en.replace("belong ", "belongs ")
    if few:
        zh += f"；{len(present)} 条有报道的叙事中，{few} 条样本不足，不计均值"
        en += f"; {few} of the {plural(len(present), 'narrative', 'narratives')} told "
        en += f"{'has' if few == 1 else 'have'} too few stories for a mean"
    if n_quarantined:
        zh += f"；{n_quarantined} 条记录待核查（隔离）"
        en += f"; {plural(n_quarantined, 'record is', 'records are')} in quarantine"
    if intake.feeds:
        zh += f"；{len(intake.feeds)} 个来源供稿量异常"
        en += f"; {plural(len(intake.feeds), 'outlet', 'outlets')} sent unusually few or many articles"
    links = (
        Link("unassigned", Words("未归类", "unassigned")),
        Link("quality", Words("数据质量", "data quality")),
    )
    return Sentence(Words(zh + "。", en + "."), links)


def alert_record_text(record: AlertRecord) -> Words:
    """The running precision of alerts as a sentence."""
    share = record.precision
    if share.value is None or share.low is None or share.high is None:
        zh, en = "尚无已有结论的预警", "No alert has been settled yet"
    else:
        rate = f"{percent(share.value)} [{percent(share.low)}, {percent(share.high)}]"
        zh = f"迄今已有结论的预警 {record.n_settled} 次，其中 {record.n_confirmed} 次得到后续报道证实（{rate}）"
        en = f"Of {plural(record.n_settled, 'alert', 'alerts')} settled so far, later stories confirmed "
        en += f"{record.n_confirmed} ({rate})"
    if record.n_held:
        zh, en = f"{zh}；{record.n_held} 次暂缓", f"{en}; {record.n_held} held"
    return Words(zh + "。", en + ".")


def describe_event(kind: str, subject: Words, other: Words | None, detail: Mapping[str, Any]) -> Words:
    """An event of the ledger in words, naming who it happened to.

    >>> describe_event("merged", Words("甲", "A"), Words("乙", "B"), {}).en
    '“A” merged into “B”'
    """
    a_zh, a_en = f"“{subject.zh}”", f"“{subject.en}”"
    b_zh, b_en = (f"“{other.zh}”", f"“{other.en}”") if other else ("", "")
    n = number(detail.get("n_stories", detail.get("n")))
    size_zh, size_en = (f"，{n:.0f} 条报道", f", with {stories(int(n))}") if n else ("", "")
    old = str(detail.get("from", detail.get("old", "")))
    table = {
        "born": (
            f"{a_zh}诞生" + (f"，出自{b_zh}" if other else "") + size_zh,
            f"{a_en} born" + (f" out of {b_en}" if other else "") + size_en,
        ),
        "split": (
            f"{b_zh}从{a_zh}分出" if other else f"{a_zh}分裂",
            f"{b_en} split off {a_en}" if other else f"{a_en} split",
        ),
        "merged": (f"{a_zh}并入{b_zh}", f"{a_en} merged into {b_en}"),
        "dormant": (f"{a_zh}进入休眠", f"{a_en} went dormant"),
        "revived": (f"{a_zh}重新出现", f"{a_en} revived"),
        "ended": (f"{a_zh}结束", f"{a_en} ended"),
        "renamed": (
            f"{a_zh}更名" + (f"（原名 {old}）" if old else ""),
            f"{a_en} renamed" + (f" (was {old})" if old else ""),
        ),
        "grew": (f"{a_zh}升温", f"{a_en} grew"),
        "faded": (f"{a_zh}降温", f"{a_en} faded"),
    }
    zh, en = table.get(kind, (f"{a_zh}：{kind}", f"{a_en}: {kind}"))
    return Words(zh, en)


def event_order(event: LifeEvent) -> tuple[str, str, str]:
    """Sort key: week, kind, words."""
    return event.week, event.kind, event.text.en
