"""Every scorer from elsewhere keeps the same promises as our own: models made here, answers recorded here, no hub."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from narratives.evaluate import evaluate_tone
from narratives.evaluate_stance import evaluate_stance
from narratives.llm import Llm, TooExpensive
from narratives.plugins import stance_reader, tone_scorer
from narratives.plugins.classifier import Classifier
from narratives.plugins.language_model import LlmReader
from narratives.plugins.nli import NliReader
from narratives.plugins.protocols import Reading, calibrated, through_gate
from narratives.plugins.sentiment import SentimentScorer
from narratives.settings import LlmSettings, ScoreSettings, Settings
from narratives.stance import StanceScores
from narratives.statements import Statements

ARTICLES = [
    {"title": "稀土是王牌", "text": "稀土是中国的王牌。许可证卡住了生产线。", "lang": "zh"},
    {"title": "The card is weak", "text": "The card is overrated. Buyers find other mines.", "lang": "en"},
    {"title": "稀土是王牌", "text": "稀土是中国的王牌。许可证卡住了生产线。", "lang": "zh"},
    {"title": "", "text": "「稀土」外交部發言人說：出口正常。", "lang": "zh-Hant"},
]
CLAIM = Statements("N1", ("中国有筹码", "China has leverage"), ("一张王牌",), ("The card is weak",), ("会议举行",))
TEXTS = [row["text"] for row in ARTICLES]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """A tiny random BERT classifier with the classes that are asked for, saved as any Hugging Face model is."""

    def made(*classes: str) -> str:
        import torch
        from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

        folder = tmp_path_factory.mktemp("model")
        letters = sorted(
            {c for text in TEXTS for c in text.lower()} | set("abcdefghijklmnopqrstuvwxyz中国有筹码一张会议举行")
        )
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
        (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(words)), encoding="utf-8")
        torch.manual_seed(len(classes))
        config = BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=64, num_labels=len(classes), id2label=dict(enumerate(classes)),
            label2id={c: i for i, c in enumerate(classes)}, initializer_range=1.0,
        )  # fmt: skip
        BertForSequenceClassification(config).save_pretrained(folder)
        BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
        return str(folder)

    return made


def answered(question: str) -> str:
    """A model that finds support in Chinese texts, and copies its first sentence as evidence."""
    body = question.partition("<article>\n")[2].partition("\n\n")[2].removesuffix("\n</article>")
    first = body.split("。")[0] + "。" if "。" in body else body.split(". ")[0] + "."
    zh = 0.8 if "。" in body else 0.1
    return json.dumps({"supports": zh, "opposes": 0.9 - zh, "reports": 0.1, "evidence": [first]}, ensure_ascii=False)


@pytest.fixture(params=["nli", "nli of two classes", "llm"])
def reader(request: pytest.FixtureRequest, tiny: Any, endpoint: Any, tmp_path: Path) -> Any:
    if request.param == "llm":
        endpoint.answer = answered
        settings = LlmSettings(base_url=endpoint.url, model="small", key_env="", retries=0)
        return LlmReader(Llm(settings, tmp_path))
    classes = ("CONTRADICTION", "neutral", "Entailment") if request.param == "nli" else ("entailment", "not_entailment")
    return NliReader(tiny(*classes), "cpu")


@cache
def shipped() -> Any:
    return tone_scorer(Settings.model_validate({"encode": {"device": "cpu"}}))


@pytest.fixture(params=["shipped", "three classes", "two classes", "stars", "toward targets"])
def toner(request: pytest.FixtureRequest, tiny: Any) -> Any:
    if request.param == "shipped":
        return shipped()
    classes = {
        "two classes": ("NEGATIVE", "POSITIVE"),
        "stars": ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
    }.get(request.param, ("positive", "neutral", "negative"))
    return SentimentScorer(tiny(*classes), "cpu", targeted=request.param == "toward targets")


# -- stance ------------------------------------------------------------------------------------------------------


def test_every_reader_reads_each_article_as_probabilities(reader: Any) -> None:
    readings = reader.read(ARTICLES, CLAIM)
    assert len(readings) == len(ARTICLES)
    for reading, row in zip(readings, ARTICLES, strict=True):
        assert sum(reading.p) == pytest.approx(1, abs=0.01) and min(reading.p) >= 0
        assert all(0 <= a < b <= len(row["text"]) for a, b in reading.spans)
    assert readings[0] == readings[2], "equal articles are read alike"
    assert readings[0].p != readings[1].p and reader.counts["read"] == 4
    assert reader.name.partition(":")[0] in ("nli", "llm")


def test_every_reader_says_the_same_again_and_nothing_without_a_claim(reader: Any) -> None:
    assert reader.read(ARTICLES, CLAIM) == reader.read(ARTICLES, CLAIM)
    assert reader.read(ARTICLES, Statements("N2", con=("no",))) == [None] * 4
    assert reader.read([], CLAIM) == []


def test_every_reader_passes_through_the_same_gate(reader: Any) -> None:
    n = len(ARTICLES)
    local = StanceScores(
        np.tile([0.2, 0.2, 0.6], (n, 1)), np.zeros(n), np.full(n, 0.6), np.array([0.5, 0.5, 0.01, 0.5]),
        ("reports",) * n, "statements",
    )  # fmt: skip
    found = through_gate(local, [*reader.read(ARTICLES, CLAIM)[:3], None], reader.name, gate=0.05)
    assert found.verdict[2] == "unclear" and found.verdict[0] != "unclear"
    assert found.verdict[3] == "reports" and found.p[3].tolist() == [0.2, 0.2, 0.6]
    np.testing.assert_allclose(found.stance, found.p[:, 0] - found.p[:, 1])
    np.testing.assert_allclose(found.p.sum(axis=1), 1, atol=1e-3)


def test_labels_correct_a_reader_that_is_always_wrong() -> None:
    wrong: list[Reading | None] = [Reading((0.8, 0.1, 0.1)), Reading((0.1, 0.8, 0.1))] * 20
    truth = [0, 2] * 20  # what it calls opposing only reports
    found = calibrated([wrong[1], None], wrong, truth)
    assert found[1] is None and found[0] is not None
    assert found[0].p[2] > 2 * 0.1 and sum(found[0].p) == pytest.approx(1)
    assert calibrated([wrong[0]], [], []) == [wrong[0]]


@pytest.mark.parametrize("classes", [("LABEL_0", "LABEL_1", "LABEL_2"), ("negative", "positive")])
def test_a_model_with_other_classes_is_refused_by_name(tiny: Any, classes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=f"has the classes {classes[0]}, .*NLI has entailment"):
        NliReader(tiny(*classes), "cpu").read(ARTICLES, CLAIM)


def test_a_model_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no classifier could be loaded from .*nothing-here"):
        Classifier(str(tmp_path / "nothing-here")).probabilities(["a"])


# -- a language model --------------------------------------------------------------------------------------------


def llm_reader(endpoint: Any, folder: Path, **settings: Any) -> LlmReader:
    given = {"base_url": endpoint.url, "model": "small", "key_env": "", "retries": 0} | settings
    return LlmReader(Llm(LlmSettings(**given), folder))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"supports": 1, "opposes": 0, "reports": 0, "evidence": ["稀土是美國的王牌。"]}, "does not stand in the text"),
        ({"supports": 0, "opposes": 0, "reports": 0, "evidence": ["稀土是中国的王牌。"]}, "does not stand in the text"),
        ({"supports": 7, "opposes": 0, "reports": 0, "evidence": ["稀土是中国的王牌。"]}, "less than or equal to 1"),
        ({"supports": 1, "opposes": 0, "reports": 0, "evidence": []}, "at least 1 item"),
    ],
)
def test_an_answer_without_evidence_in_the_text_is_rejected(
    endpoint: Any, tmp_path: Path, said: dict[str, Any], why: str
) -> None:
    endpoint.answer = json.dumps(said, ensure_ascii=False)
    reader = llm_reader(endpoint, tmp_path)
    assert reader.read(ARTICLES[:1], CLAIM) == [None]
    assert reader.counts == {"read": 0, "rejected": 1, "failed": 0} and why in reader.last_error


def test_evidence_is_where_it_stands_in_the_stored_text(endpoint: Any, tmp_path: Path) -> None:
    endpoint.answer = answered
    traditional = {"title": "", "text": "　ＡＢＣ公司稱「稀土」重要。其他。"}
    (reading,) = llm_reader(endpoint, tmp_path).read([traditional], CLAIM)
    assert reading is not None
    ((start, end),) = reading.spans
    assert traditional["text"][start:end] == "ＡＢＣ公司稱「稀土」重要。"


@pytest.mark.parametrize("trouble", ["fails", "hangs", "babbles"])
def test_a_server_in_trouble_leaves_articles_to_the_local_scorer(endpoint: Any, tmp_path: Path, trouble: str) -> None:
    endpoint.status = 500 if trouble == "fails" else 200
    endpoint.delay = 2.0 if trouble == "hangs" else 0.0
    endpoint.answer = "no idea"
    reader = llm_reader(endpoint, tmp_path, timeout_seconds=0.2)
    assert reader.read(ARTICLES[:1], CLAIM) == [None]
    assert reader.counts["failed"] + reader.counts["rejected"] == 1


def test_reading_is_priced_before_it_starts(endpoint: Any, tmp_path: Path) -> None:
    reader = llm_reader(endpoint, tmp_path, price_input=1.0, price_output=2.0, max_cost=0.001)
    estimate = reader.forecast(ARTICLES, [CLAIM])
    assert estimate.n_calls == 3 and estimate.money is not None and estimate.money > 0.001
    with pytest.raises(TooExpensive, match=r"max_cost allows 0\.001"):
        reader.afford(estimate)
    assert endpoint.asked == []


# -- tone --------------------------------------------------------------------------------------------------------


def test_every_tone_scorer_gives_probabilities_in_order(toner: Any) -> None:
    p = toner.score([*TEXTS, "  "])
    assert p.shape == (5, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-3)
    assert p[4].tolist() == [0, 1, 0] and p[0].tolist() == p[2].tolist()
    assert toner.score([]).shape == (0, 3) and toner.name


def test_every_tone_scorer_says_the_same_again_and_takes_targets(toner: Any) -> None:
    a = toner.score(TEXTS, targets=["中国"] * 4)
    assert a.tobytes() == toner.score(TEXTS, targets=["中国"] * 4).tobytes()
    with pytest.raises(ValueError, match="4 texts and 1 targets differ"):
        toner.score(TEXTS, targets=["a"])


def test_a_target_counts_where_the_model_reads_it(tiny: Any) -> None:
    name = tiny("positive", "neutral", "negative")
    for targeted in (True, False):
        scorer = SentimentScorer(name, "cpu", targeted)
        same = (scorer.score(TEXTS[:1], targets=["中国"]) == scorer.score(TEXTS[:1], targets=["会议"])).all()
        assert same != targeted


def test_a_model_without_sentiment_is_refused_by_name(tiny: Any) -> None:
    with pytest.raises(ValueError, match="sentiment has negative"):
        SentimentScorer(tiny("LABEL_0", "LABEL_1"), "cpu").score(TEXTS)


# -- choosing ----------------------------------------------------------------------------------------------------


def test_the_settings_choose(tiny: Any, tmp_path: Path) -> None:
    def settings(**score: str) -> Settings:
        return Settings(score=ScoreSettings(**score), llm=LlmSettings(base_url="http://x/v1", model="m"))

    assert stance_reader(settings(), tmp_path) is None
    assert stance_reader(settings(stance="nli:org/model"), tmp_path).name == "nli:org/model"  # type: ignore[union-attr]
    assert stance_reader(settings(stance="llm"), tmp_path).name == "llm:m"  # type: ignore[union-attr]
    assert tone_scorer(settings(tone="hf:org/model")).name == "hf:org/model"
    assert tone_scorer(settings(tone="absa:org/model")).name == "absa:org/model"
    with pytest.raises(ValueError, match="needs base_url and model"):
        stance_reader(Settings(score=ScoreSettings(stance="llm")), tmp_path)
    with pytest.raises(ValueError, match="should match"):
        ScoreSettings(stance="gpt")


# -- measuring ---------------------------------------------------------------------------------------------------


def test_every_reader_is_measured_beside_the_same_baselines(reader: Any, word_encoder: Any) -> None:
    rows = [
        {"text": f"{row['text']} {i}", "target": "China has leverage", "label": label, "lang": row["lang"]}
        for i, (row, label) in enumerate(zip(ARTICLES * 4, ["favor", "against", "neutral", "none"] * 4, strict=True))
    ]
    found = evaluate_stance(rows, word_encoder.encode, [CLAIM], n_labels=4, n_seeds=2, reader=reader)
    scorers = [row["scorer"] for row in found.table]
    assert scorers[0].startswith(f"{reader.name}>") and scorers[0].endswith("+4")
    assert scorers[1:] == ["majority", "lexicon", "target only", "plain similarity"]
    plain = evaluate_stance(rows, word_encoder.encode, [CLAIM], n_labels=4, n_seeds=2)
    assert plain.table[0] != found.table[0]


def test_every_tone_scorer_is_measured(toner: Any) -> None:
    rows = [
        {"text": t, "label": label}
        for t, label in zip(TEXTS, ["positive", "neutral", "negative", "neutral"], strict=True)
    ]
    assert evaluate_tone(rows, toner).table[0]["scorer"] == toner.name
