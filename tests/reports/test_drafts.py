"""What a language model drafts is shown only where it holds against the articles it cites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import reports
from narratives.llm import Llm, LlmError, TooExpensive
from narratives.settings import LlmSettings
from reports.content import Headline
from reports.drafts import SentenceAnswer, add_drafts, check_sentence

SETTINGS = LlmSettings(base_url="http://127.0.0.1:9/v1", model="recorded")
STORY = Headline("a", "稀土许可恢复", "晨报", "zh", "2025-11-15", "", 1)
TEXT = {"a": "商务部称，许可证自本月起恢复发放，涉及1,200家企业，约占三成。"}


class Recorded(Llm):
    """The client with what a model once answered in place of the network."""

    answer: dict[str, Any]

    def _ask(self, messages: list[dict[str, str]]) -> str:
        self.n_calls += 1
        self.prompts = [*getattr(self, "prompts", []), messages[-1]["content"]]
        return json.dumps(self.answer, ensure_ascii=False)


def said(zh: str = "许可证恢复发放。", en: str = "Licences are issued again.", cites: tuple[int, ...] = (1,)) -> Any:
    return SentenceAnswer(zh=zh, en=en, cites=list(cites))


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        (said(), ""),
        (said(zh="涉及1200家企业。", en="It concerns 1,200 firms."), ""),
        (said(cites=()), "cites"),
        (said(cites=(2,)), "cites"),
        (said(en="It concerns 1,300 firms."), "1,300 stands in no cited article"),
        (said(zh="约占三成。"), ""),
        (said(zh="约占四成。"), "四 stands in no cited article"),
        (said(en="Half of the firms got one."), "Half stands in no cited article"),
        (said(en="See https://evil.example"), "markup"),
        (said(zh="Licences."), "another language"),
        (said(en="许可证恢复"), "another language"),
        (said(zh="很" * 200), "too long"),
    ],
)
def test_a_sentence_needs_citations_and_may_use_only_their_figures(sentence: Any, why: str) -> None:
    got = check_sentence(sentence, [STORY], TEXT)
    assert got == "" if not why else why in got


def test_drafts_are_marked_cited_and_counted_and_what_fails_is_left_out(desk: Any, tmp_path: Path) -> None:
    report = reports.build_weekly(desk)
    llm = Recorded(SETTINGS, tmp_path)
    llm.answer = {
        "name_zh": "磁体许可之争",
        "name_en": "The licence dispute",
        "sentences": [
            {"zh": "本周报道许可排队。", "en": "This week's articles tell of queues.", "cites": [1]},
            {"zh": "共有 98765 家企业。", "en": "There are 98765 firms.", "cites": [1]},
        ],
    }
    drafted = add_drafts(report, desk, llm)
    section = next(s for s in drafted.sections if s.row.id == "N0001")
    assert section.draft is not None and section.draft.n_dropped == 1 and len(section.draft.sentences) == 1
    assert section.draft.name is None, "a person named it already"
    found = next(s.draft for s in drafted.sections if not s.row.named and s.draft)
    assert found.name is not None and found.name.zh == "磁体许可之争"
    html, markdown = reports.render_html(drafted), reports.render_markdown(drafted)
    for text in (html, markdown):
        assert "本周报道许可排队" in text and "98765" not in text and "机器起草" in text and "recorded" in text
    assert "stories this week" in llm.prompts[0] and "[1]" in llm.prompts[0]
    asked = llm.n_calls
    again = add_drafts(report, desk, llm)
    assert again == drafted and llm.n_calls == asked, "answers are kept: the same bytes, at no cost"


def test_a_job_that_costs_too_much_asks_nothing(desk: Any, tmp_path: Path) -> None:
    llm = Recorded(SETTINGS.model_copy(update={"max_calls": 1}), tmp_path)
    with pytest.raises(TooExpensive):
        add_drafts(reports.build_weekly(desk), desk, llm)
    assert llm.n_calls == 0


def test_without_an_endpoint_the_report_is_complete(desk: Any) -> None:
    with pytest.raises(LlmError, match="no language model is set"):
        Llm(LlmSettings(), desk.folder)
    report = reports.build_weekly(desk)
    assert all(s.draft is None for s in report.sections) and len(report.summary) == 5
