import pytest

from narratives.evidence import pick

TEXT = "  许可证可以卡住对手。这是好事。  价格不变。短。"


def spans_of(text: str, *sentences: str) -> list[tuple[int, int]]:
    return [(text.index(s), text.index(s) + len(s)) for s in sentences]


def test_evidence_is_the_stored_text_without_blanks_around_it():
    (first,) = pick(TEXT, [(0, 12)], [0.9], target=0.5, n=1)
    assert first.sentence(TEXT) == "许可证可以卡住对手。"
    assert TEXT[first.start : first.end] == first.sentence(TEXT)


def test_the_strongest_sentence_on_the_articles_side_comes_first():
    text = "Good news came today. Terrible losses followed. Very good news came after that."
    spans = spans_of(text, "Good news came today.", "Terrible losses followed.", "Very good news came after that.")
    picked = pick(text, spans, [0.3, -0.9, 0.8], target=0.4, n=3)
    assert [p.score for p in picked] == [0.8, 0.3]


def test_a_sentence_off_topic_gives_way_to_one_on_topic():
    text = "The weather was lovely. The export curbs work well."
    spans = spans_of(text, "The weather was lovely.", "The export curbs work well.")
    (first,) = pick(text, spans, [0.7, 0.5], target=0.4, n=1, coverage=[0.0, 0.8])
    assert first.sentence(text) == "The export curbs work well."


def test_there_is_evidence_even_where_no_sentence_leans_the_articles_way():
    text = "It fell sharply today."
    assert pick(text, [(0, len(text))], [-0.8], target=0.6)[0].sentence(text) == text


def test_repeated_sentences_are_quoted_once_and_fragments_are_passed_over():
    text = "Prices rose again today. Ha! Prices rose again today."
    spans = [(0, 24), (25, 28), (29, 53)]
    assert len(pick(text, spans, [0.5, 0.9, 0.5], target=0.5, n=3)) == 1


def test_a_text_without_sentences_has_no_evidence():
    assert pick("   ", [(0, 3)], [0.1], target=0.2) == ()
    assert pick("", [], [], target=0.2) == ()


def test_a_span_outside_the_text_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"span 0 \(0, 9\) lies outside a text of 3 characters"):
        pick("abc", [(0, 9)], [0.1], target=0.2)
