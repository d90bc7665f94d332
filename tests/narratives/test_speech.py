"""Who speaks: quotations and reported speech go to their speaker, in Chinese and English; the rest is the outlet's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings import split_sentences
from narratives.speech import find_speech

# One sentence, its speaker ("" where the outlet speaks itself). Written for this test.
SENTENCES = [
    # Chinese: the speaker before what is said
    ("商务部发言人何咏前表示：“许可证将依法审批。”", "商务部发言人何咏前"),
    ("商务部发言人何咏前周四在例行发布会上表示，许可证将依法审批。", "商务部发言人何咏前"),
    ("分析师指出，镨钕价格可能继续下跌。", "分析师"),
    ("王磊对本报说，库存只够六周。", "王磊"),
    ("李敏就此回应称，公司从未收到订单。", "李敏"),
    ("包头一家磁材厂的负责人坦言，订单少了一半。", "包头一家磁材厂的负责人"),
    ("该公司还强调，新矿明年投产。", "该公司"),
    ("欧盟委员会警告说，过度依赖单一来源十分危险。", "欧盟委员会"),
    ("据路透社报道，两国将恢复谈判。", "路透社"),
    ("据一位知情人士透露，工厂已经停产。", "一位知情人士"),
    ("马来西亚总理安瓦尔称，该国不会出口原矿。", "马来西亚总理安瓦尔"),
    ("11月3日，张伟告诉记者，生产线已经复工。", "张伟"),
    ("陈刚认为稀土不再是王牌。", "陈刚"),
    ("Lynas 首席执行官表示，新厂进展顺利。", "Lynas 首席执行官"),
    ("亚当·迈耶斯 (Adam Meyers) 说:“市场已经变了。”", "亚当·迈耶斯"),
    ("印度政府坚称，出口限制不会取消。", "印度政府"),
    ("中科三环发布公告称，已获得通用许可证。", "中科三环"),
    ("徐敏回答说，芯片不会外卖。", "徐敏"),
    ("网友纷纷表示，价格太高。", "网友"),
    # the speaker after
    ("“我们不缺客户，缺的是许可证。”刘强说。", "刘强"),
    ("“价格还会涨，”赵敏表示，“但不会太久。”", "赵敏"),
    # traditional script
    ("外交部發言人林劍說：「出口管制不針對任何國家。」", "外交部發言人林劍"),
    ("經濟部官員表示，磁鐵供應目前穩定。", "經濟部官員"),
    ("學者認為，這項政策成效有限。", "學者"),
    # Chinese: the outlet itself
    ("稀土出口上月增长百分之八。", ""),
    ("所谓“稀土牌”并不新鲜。", ""),
    ("这家被称为“稀土之王”的公司上市了。", ""),
    ("换句话说，价格已经见底。", ""),
    ("小说里的情节在现实中上演。", ""),
    ("也就是说，买家必须等待。", ""),
    ("稀土被认为是战略资源。", ""),
    ("该矿简称“白云”。", ""),
    ("市场对此反应平淡，股价小幅收高。", ""),
    ("可以说，这是一次失败的尝试。", ""),
    ("远的不说，去年就有两家倒闭。", ""),
    ("产量与投入并不相称。", ""),
    ("据悉，新规将于下月生效。", ""),
    # English: before
    ("The ministry said exports would resume in December.", "The ministry"),
    ('Amanda Lacaze said: "We are not waiting for anyone."', "Amanda Lacaze"),
    ("John Smith, who runs the mine, said on Monday that output had doubled.", "John Smith"),
    ("Officials say the licences will come.", "Officials"),
    ("Two people familiar with the matter told Reuters the talks had stalled.", "Two people"),
    ("A spokesman for Lynas said the plant was on schedule.", "A spokesman for Lynas"),
    ("But critics argue that the subsidy is wasted.", "critics"),
    ("Commerce Secretary Howard Lutnick warned that prices would rise.", "Commerce Secretary Howard Lutnick"),
    ("A spokeswoman, Hua Lin, said Wednesday Beijing would decide.", "A spokeswoman"),
    ("Anwar Ibrahim insisted Malaysia would not export raw ore.", "Anwar Ibrahim"),
    # after
    ('"We have stock for six weeks," said Maria Keller, chief buyer at the plant.', "Maria Keller"),
    ('"It is a bluff," the analyst said.', "the analyst"),
    ("“Nobody else can refine this,” Dr. Chen noted.", "Dr. Chen"),
    ("The price will fall next year, according to Adamas Intelligence.", "Adamas Intelligence"),
    ("According to the International Energy Agency, demand will double.", "the International Energy Agency"),
    ("Exports were unaffected, said a foreign ministry spokesman.", "a foreign ministry spokesman"),
    ("Production, Okafor said, would start in May.", "Okafor"),
    # English: the outlet itself
    ("Exports rose eight percent last month.", ""),
    ("The so-called “rare earth card” is old news.", ""),
    ("The plant added a second line in May.", ""),
    ("The mine is said to be rich in dysprosium.", ""),
    ("Its author calls the policy a mistake.", ""),
    ("The accident claimed three lives.", ""),
    ("That said, the price is still low.", ""),
    ("Having declared bankruptcy, the firm closed.", ""),
]  # fmt: skip


def spoken(text: str) -> list[str]:
    spans = [(s.start, s.end) for s in split_sentences(text)]
    return [speech.speaker if speech else "" for speech in find_speech(text, spans)]


@pytest.mark.parametrize(("sentence", "speaker"), SENTENCES)
def test_a_sentence_is_its_speakers_or_the_outlets(sentence: str, speaker: str) -> None:
    assert find_speech(sentence, [(0, len(sentence))])[0] is not None or speaker == ""
    assert spoken(sentence) == [speaker]


def test_the_name_is_where_the_text_has_it() -> None:
    text = "背景。外交部發言人林劍說：「出口正常。」"
    spans = [(s.start, s.end) for s in split_sentences(text)]
    own, said = find_speech(text, spans)
    assert own is None and said is not None
    assert text[said.speaker_start : said.speaker_end] == said.speaker == "外交部發言人林劍"
    assert said.quoted and text[said.start : said.end].startswith("外交部")


def test_a_pronoun_stands_for_the_speaker_before_if_it_can() -> None:
    assert spoken("王磊表示，库存不足。他还指出，价格会涨。") == ["王磊", "王磊"]
    assert spoken("王磊表示，库存不足。产量下降。他还指出，价格会涨。") == ["王磊", "", "王磊"]
    assert spoken("Maria Keller said stocks were low. She added that prices would rise.") == ["Maria Keller"] * 2
    assert spoken("The ministry said talks went on. He said they would end.") == ["The ministry", "He"]


def test_a_quotation_goes_on_with_its_speaker_until_the_outlet_speaks() -> None:
    text = '"We waited," said Maria Keller. "Then we stopped waiting." The plant closed. "A shame."'
    assert spoken(text) == ["Maria Keller", "Maria Keller", "", ""]


def test_an_empty_text_and_a_strange_one_are_the_outlets() -> None:
    assert find_speech("", []) == []
    assert spoken("“””““ 说：：： said said 表示") in ([""], ["", ""])


PIECES = st.sampled_from(
    ["“", "”", "「", "」", '"', "，", "。", ", ", ". ", "说", "表示", "王磊", "he ", "said ", "Ann Lee ", "据", "称"]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_the_text_a_speaker_stands_in_it(text: str) -> None:
    spans = [(s.start, s.end) for s in split_sentences(text)]
    found = find_speech(text, spans)
    assert len(found) == len(spans)
    for speech, span in zip(found, spans, strict=True):
        if speech is not None:
            assert (speech.start, speech.end) == span and speech.speaker
            assert text[speech.speaker_start : speech.speaker_end] == speech.speaker
