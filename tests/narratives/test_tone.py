from pathlib import Path

import numpy as np
import pytest

from narratives.tone import ToneScorer, article_probabilities, article_tone
from narratives.tone_model import ToneWeights, find_mention


@pytest.fixture(scope="module")
def scorer() -> ToneScorer:
    return ToneScorer.load(device="cpu")


PLAIN = {
    "工厂爆炸造成多人死亡，企业隐瞒事故": 0,
    "The company collapsed in scandal and thousands lost their savings.": 0,
    "会议将于周三上午举行": 1,
    "The committee meets on Wednesday.": 1,
    "科研团队取得重大突破，赢得广泛赞誉": 2,
    "The plant beat all expectations and won praise from its customers.": 2,
}


def test_plain_sentences_are_told_apart_in_both_languages(scorer):
    p = scorer.score(list(PLAIN))
    assert p.argmax(axis=1).tolist() == list(PLAIN.values())
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-3)


def test_one_sentence_speaks_differently_of_two_targets(scorer):
    text = "Rivera praised the nurses and blasted the corrupt hospital board for its shameful neglect."
    p = scorer.score([text, text], targets=["the nurses", "hospital board"])
    assert p[0, 2] - p[0, 0] > p[1, 2] - p[1, 0] + 0.3


def test_a_target_is_found_as_whole_words_before_it_is_found_inside_one():
    text = "When the vote on Trumpism came, Trump's aides said he left."
    assert text[find_mention(text, "he") :].startswith("he left")
    assert text[find_mention(text, "Trump") :].startswith("Trump's")
    assert find_mention(text, "Trumpis") == text.index("Trumpism")
    assert find_mention(text, "Clinton") == -1


def test_chinese_names_need_no_border_and_latin_names_may_touch_chinese():
    assert find_mention("针对安世的禁令", "安世") == 2
    assert find_mention("SABC公司反对ABC公司", "ABC") == 8


def test_identical_texts_get_identical_rows_in_any_company(scorer):
    text = "Prices fell sharply."
    p = scorer.score([text, "另一句话。", text, "A much longer sentence " * 10])
    assert p[0].tolist() == p[2].tolist()


def test_a_blank_text_is_neutral_and_no_text_is_no_row(scorer):
    assert scorer.score(["  "]).tolist() == [[0, 1, 0]]
    assert scorer.score([]).shape == (0, 3)


def test_a_wrong_number_of_targets_is_an_error_with_the_numbers(scorer):
    with pytest.raises(ValueError, match="2 texts and 1 targets differ"):
        scorer.score(["a", "b"], targets=["a"])


def test_the_model_is_read_as_it_was_written(tmp_path: Path):
    shipped = ToneWeights.load()
    shipped.save(tmp_path / "copy.safetensors")
    copy = ToneWeights.load(tmp_path / "copy.safetensors")
    assert copy.version == shipped.version and copy.calibration == shipped.calibration
    np.testing.assert_array_equal(copy.head, shipped.head)


def test_another_safetensors_file_is_refused_with_what_it_lacks(tmp_path: Path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3, dtype=np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not a tone model, it lacks version"):
        ToneScorer.load(tmp_path / "other.safetensors")


def test_an_article_speaks_half_by_its_title_and_half_by_its_sentences():
    assert article_tone([0, 0, 1], [[1, 0, 0], [0, 1, 0]]) == 0.25
    assert article_tone(None, [[1, 0, 0]]) == -1
    assert article_tone([0, 0, 1], []) == 1
    assert article_tone(None, []) == 0
    np.testing.assert_allclose(article_probabilities([0, 0, 1], [[1, 0, 0]]), [0.5, 0, 0.5])
