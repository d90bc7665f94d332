"""What the report of a week says, looked at by part."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

import reports
from reports.content import WeeklyReport


@pytest.fixture(scope="module")
def report(desk_maker: Any, tmp_path_factory: pytest.TempPathFactory) -> WeeklyReport:
    return reports.build_weekly(desk_maker(tmp_path_factory.mktemp("desk")))


def test_the_last_processed_week_is_taken_unless_another_is_named(desk: Any, report: WeeklyReport) -> None:
    assert (report.label, report.week) == ("2025-W46", date(2025, 11, 10))
    assert reports.build_weekly(desk, "2025-W44").label == "2025-W44"
    assert reports.build_weekly(desk, date(2025, 10, 29)).label == "2025-W44"


def test_an_unknown_week_is_refused_with_the_weeks_there_are(desk: Any) -> None:
    with pytest.raises(ValueError, match=r"2025-W20 is not among the 12 processed ones \(2025-W35 to 2025-W46\)"):
        reports.build_weekly(desk, "2025-W20")
    with pytest.raises(ValueError, match="written 2025-W46"):
        reports.build_weekly(desk, "next week")


def test_a_frame_without_a_column_is_named(desk: Any) -> None:
    desk.frames["alerts"] = desk.frames["alerts"].drop(columns="state")
    with pytest.raises(ValueError, match=r"desk.alerts\(\) needs the columns state"):
        reports.build_weekly(desk)


def test_the_summary_is_five_sentences_in_both_languages_with_numbers(report: WeeklyReport) -> None:
    assert len(report.summary) == 5
    for sentence in report.summary:
        assert sentence.text.zh.endswith("。") and sentence.text.en.endswith(".")
    first = report.summary[0].text
    assert str(report.intake.n_stories) in first.zh and str(report.intake.n_stories) in first.en
    anchors = {link.anchor for s in report.summary for link in s.links}
    places = {s.row.anchor for s in report.sections} | {"quality", "new", "unassigned", "table"}
    assert anchors <= places


def test_a_narrative_born_this_week_is_new_and_its_alert_explained(report: WeeklyReport) -> None:
    assert report.born == ("N0008",)
    alert = report.alerts[0]
    assert (alert.narrative, alert.state, alert.n_stories) == ("N0008", "emerging", 6)
    assert [n.narrative for n in alert.nearest] == ["N0002", "N0001"]
    assert alert.nearest[0].cosine > alert.nearest[1].cosine
    assert len(alert.stories) == 6


def test_what_became_of_a_watch_is_not_told_as_of_an_alert(desk: Any) -> None:
    told = "earlier alerts confirmed"
    assert told in reports.build_weekly(desk, "2025-W44").summary[1].text.en
    desk.frames["alerts"].loc[0, "tier"] = "watch"
    assert told not in reports.build_weekly(desk, "2025-W44").summary[1].text.en


def test_an_alert_that_a_word_gathered_says_so(desk: Any) -> None:
    alerts = desk.frames["alerts"]
    evidence = next(one for one in alerts["evidence"][alerts["narrative"] == "N0008"])
    del evidence["why"]
    evidence |= {"gathered_by": "铁氧体", "near": [{"id": "N0002", "score": 0.1, "level": 0.5}]}
    why = reports.build_weekly(desk).alerts[0].why
    assert why is not None
    assert why.zh.endswith("。标题中的“铁氧体”此前几乎没有文章用过，这些报道因它归为一组。")
    assert "articles from 0.50 on. “铁氧体” in headlines" in why.en


def test_an_alert_whose_like_was_told_before_says_so_and_what_was_asked(desk: Any) -> None:
    alerts = desk.frames["alerts"]
    evidence = next(one for one in alerts["evidence"][alerts["narrative"] == "N0008"])
    evidence.pop("why", None)
    evidence |= {"told_before": 0.9, "growth_times": 10.0, "level": {"value": 0.025}, "passed": {"growth": True}}
    evidence |= {"gathered_by": "", "near": [{"id": "N0002", "score": 0.1, "level": 0.5}]}
    note = reports.build_weekly(desk).alerts[0]
    assert note.why is not None and "90% as like it" in note.why.en and "严格 10 倍" in note.why.zh
    assert [part.needed for part in note.rule] == [pytest.approx(0.0025)]


def test_what_grew_and_faded_is_tested_against_four_weeks(report: WeeklyReport) -> None:
    assert report.grew == ("N0001",) and report.faded == ("N0007",)
    moves = {r.id: r.movement for r in report.rows}
    assert moves["N0001"].mean4 == 5 and moves["N0001"].n_stories == 12 and moves["N0001"].last == 4
    assert moves["N0001"].p_value is not None and moves["N0001"].p_value < 0.2
    assert moves["N0008"].direction == "new", "what is new has not grown"


def test_a_turn_of_the_stance_is_found_and_split_into_within_and_mix(desk: Any) -> None:
    articles = desk.frames["articles"]
    mine = articles["narrative"] == "N0001"
    before, now = (
        mine & (articles["week"] < date(2025, 11, 10)),
        mine & (articles["week"] == date(2025, 11, 10)),
    )
    articles.loc[before, "stance"], articles.loc[now, "stance"] = 0.6, -0.6
    report = reports.build_weekly(desk)
    turn = next(t for t in report.turned if t.narrative == "N0001" and t.what == "stance")
    assert turn.before == pytest.approx(0.6) and turn.after == pytest.approx(-0.6) and turn.clear
    assert turn.within.value + turn.mix.value == pytest.approx(turn.after - turn.before)
    assert abs(turn.within.value) > 0.3, "the same sources changed their mind"
    assert turn.change.low <= turn.change.value <= turn.change.high < 0
    assert "China leverage" in report.summary[3].text.en and "−0.60" in report.summary[3].text.en


def test_reprints_count_as_reach_and_never_as_stories_or_voices(desk: Any) -> None:
    report = reports.build_weekly(desk)
    row = next(r for r in report.rows if r.id == "N0001")
    assert (row.now.n_stories, row.now.reach) == (12, 13)
    section = next(s for s in report.sections if s.row.id == "N0001")
    ids = {h.article for h in section.stories} | {q.article for q in section.quotes}
    assert not {i for i in ids if i.endswith("r")}
    firsts = desk.frames["articles"]
    firsts = firsts[(firsts["narrative"] == "N0001") & firsts["is_first"]]
    recent = firsts[firsts["week"] > date(2025, 11, 10) - timedelta(weeks=4)]
    assert sum(t.n_stories for t in section.tellings) == len(recent)


def test_too_few_stories_give_no_mean_even_if_the_frame_has_one(desk: Any) -> None:
    timeline = desk.frames["timeline"]
    mine = (timeline["narrative"] == "N0003") & (timeline["week"] == date(2025, 11, 10))
    timeline.loc[mine, ["stance", "stance_n"]] = [0.9, 2]
    row = next(r for r in reports.build_weekly(desk).rows if r.id == "N0003")
    assert row.now.stance.mean is None and row.now.stance.n == 2


def test_quotes_stand_in_their_context_and_are_for_and_against(desk: Any, report: WeeklyReport) -> None:
    section = next(s for s in report.sections if s.row.id == "N0001")
    texts = dict(zip(desk.frames["articles"]["id"], desk.frames["articles"]["text"], strict=True))
    assert {q.side for q in section.quotes} == {"supports", "opposes"}
    assert len(section.quotes) == desk.settings.report.quotes
    assert len({q.article for q in section.quotes}) == len(section.quotes)
    for q in section.quotes:
        assert q.sentence in texts[q.article] and (q.before + q.sentence + q.after) in texts[q.article]


def test_without_a_claim_the_tone_speaks_and_no_stance_is_shown(report: WeeklyReport) -> None:
    section = next(s for s in report.sections if s.row.id == "N0006")
    assert section.claim is None
    assert {q.side for q in section.quotes} <= {"positive", "negative"} and section.quotes


def test_a_dormant_narrative_is_listed_briefly_and_a_recent_one_has_a_section(report: WeeklyReport) -> None:
    assert "N0004" in {r.id for r in report.quiet} and "N0009" in {r.id for r in report.quiet}
    assert {s.row.id for s in report.sections} == {
        "N0001",
        "N0002",
        "N0003",
        "N0005",
        "N0006",
        "N0007",
        "N0008",
    }
    assert any(e.kind == "dormant" and e.narrative == "N0004" for e in report.ended)


def test_the_life_line_tells_births_splits_and_merges_from_both_ends(report: WeeklyReport) -> None:
    by_id = {s.row.id: s for s in report.sections}
    assert any(e.kind == "split" for e in by_id["N0005"].life)
    assert any(e.kind == "split" for e in by_id["N0006"].life)
    assert any(e.kind == "merged" and "licence queues" in e.text.en for e in by_id["N0001"].life)


def test_the_report_of_an_old_week_does_not_know_the_future(desk: Any) -> None:
    old = reports.build_weekly(desk, "2025-W43")
    assert old.born == ("N0007",) and "N0008" not in {r.id for r in (*old.rows, *old.quiet)}
    assert [a.state for a in old.alerts] == ["emerging"], "it was confirmed a week later"
    assert reports.build_weekly(desk, "2025-W44").alerts[0].state == "confirmed"
    assert max(e.week for e in old.lineage) <= "2025-W43"


def test_the_unassigned_are_shown_with_their_share(report: WeeklyReport) -> None:
    assert report.unassigned.n_stories == 5
    assert report.unassigned.share == pytest.approx(5 / report.intake.n_stories)
    assert len(report.unassigned.examples) == 5


def test_quarantine_is_counted_by_reason_and_open_records_only(report: WeeklyReport) -> None:
    assert [(r, n) for r, n, _, _ in report.intake.quarantine] == [("no_date", 2)]
    assert report.intake.n_recovered == 1


def test_a_source_that_falls_silent_is_noted(desk: Any) -> None:
    articles = desk.frames["articles"]
    now = articles["week"] == date(2025, 11, 10)
    articles.loc[articles.index[~now][-200:], "source"] = "Harbor Wire"
    articles.loc[now & (articles["source"] == "Harbor Wire"), "source"] = "Elsewhere"
    notes = {f.source: f for f in reports.build_weekly(desk).intake.feeds}
    assert notes["Harbor Wire"].kind == "silent" and "Harbor Wire" in notes["Harbor Wire"].text.zh


def test_a_compared_week_adds_figures_and_must_be_earlier(desk: Any) -> None:
    report = reports.build_weekly(desk, compare="2025-W40")
    row = next(r for r in report.rows if r.id == "N0001")
    assert report.compare == "2025-W40" and row.compared == 5
    with pytest.raises(ValueError, match="compare needs an earlier processed week than 2025-W46"):
        reports.build_weekly(desk, compare="2025-W46")


def test_the_first_week_has_a_report_too(first_desk: Any) -> None:
    report = reports.build_weekly(first_desk)
    assert report.born == () and report.intake.last_stories is None
    assert "—" in reports.render_html(report)


def test_a_desk_without_a_week_says_what_to_run(desk: Any) -> None:
    desk.frames["timeline"] = desk.frames["timeline"].iloc[:0]
    with pytest.raises(ValueError, match="narratives update"):
        reports.build_weekly(desk)


def test_days_are_in_the_desks_zone(desk: Any) -> None:
    articles = desk.frames["articles"]
    index = articles.index[articles["id"] == "a11x51"][0]
    articles.loc[index, "published_at"] = pd.Timestamp("2025-11-11T23:30", tz="UTC")
    days = {h.article: h.date for h in reports.build_weekly(desk).unassigned.examples}
    assert days["a11x51"] == "2025-11-12"


def test_what_hangs_together_and_is_nothing_new_is_counted_among_the_unassigned(
    desk: Any, report: WeeklyReport
) -> None:
    said = "12 hang together, but the like of them came before"
    assert report.unassigned.n_kept_back == 0 and said not in reports.render_html(report)
    desk.kept_back = {date(2025, 11, 10): 12}.get
    report = reports.build_weekly(desk)
    assert said in reports.render_html(report) and said in reports.render_markdown(report)
    assert "12 条彼此相近" in reports.render_markdown(report)
