"""What language and script a text is in, and its words.

Scripts decide first: kana is Japanese, Hangul Korean, Han without either Chinese (traditional or simplified
by what OpenCC would change). Only the rest is asked of py3langid, restricted to the languages a desk expects:
1.000 right on whole sentences, .983 on 25 characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from narratives.characters import n_of_classes

DEFAULT_LANGUAGES = ("zh", "en", "ja", "ko", "de", "fr", "es", "pt", "it", "ru", "id", "ms", "vi", "ar")
UNDETERMINED = "und"

_SAMPLE_CHARS = 300
_SECOND_LOOK_CHARS = 1_500
_CLASSIFIED_CHARS = 160
# English is told by its words, so that the classifier, which takes most of a second to load, is seldom asked: by
# words that only English has, or by those with others that it shares, where no word of another language is seen.
_ENGLISH_WORDS = frozenset(
    "the of and that with was were from this which their has have been said its will would they are by his not after "
    "than about into could more also should because through against between both these those".split()
)
_SHARED_WORDS = frozenset("to for is on at it as had who he she you we be or an in a but if what when up can".split())
_FOREIGN_WORDS = frozenset(
    "der die das und nicht ist den von mit dem ein eine auf für zu im le la les des et une est dans que pour qui du "
    "de en el los las del y una por con para se os um uma não em il che di per non un gli della yang dan dengan untuk "
    "itu ini pada dari tidak ke của và là có cho het een van dat niet voor".split()
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Half-width letters and digits, with the joints that belong inside a word: F-35, NdFeB, don't, U.S.
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u052f0-9]+(?:[-'’.&][A-Za-z\u00c0-\u024f\u0370-\u052f0-9]+)*")
_WORD_CHAR = re.compile(r"\w")

# Names and codes that inputs use, beyond the two-letter codes themselves.
_NAMES = {
    "zh": "chinese chi zho cmn 中文 汉语 漢語 简体中文 繁体中文 繁體中文",
    "en": "english eng 英文 英语 英語",
    "ja": "japanese jpn 日文 日语",
    "ko": "korean kor",
    "de": "german deu ger",
    "fr": "french fra fre",
    "es": "spanish spa",
    "pt": "portuguese por",
    "it": "italian ita",
    "ru": "russian rus",
    "id": "indonesian ind",
    "ms": "malay msa may",
    "vi": "vietnamese vie",
    "ar": "arabic ara",
}
_DECLARED = {name: tag for tag, names in _NAMES.items() for name in names.split()}


def base_language(tag: str) -> str:
    """`zh` for every form of Chinese, else the tag's first part in lower case.

    >>> base_language("zh-Hant"), base_language("EN-us")
    ('zh', 'en')
    """
    return tag.split("-")[0].lower()


def detect_language(text: str, languages: Sequence[str] = DEFAULT_LANGUAGES) -> str:
    """Language tag of a text: `zh`, `zh-Hant`, `en`, …, or `und` when it has no letters.

    A text that mixes scripts is in the language of its larger part, a Han character counting as two letters.

    Parameters
    ----------
    text
        At least some 20 letters for a safe answer; only its first 300 characters are looked at (1,500 for English).
    languages
        What py3langid may answer, as two-letter codes.

    Examples
    --------
    >>> detect_language("中国控制了全球大部分稀土供应和加工")
    'zh'
    >>> detect_language("中國控制了全球大部分稀土供應和加工")
    'zh-Hant'
    >>> detect_language("Rare earth prices rose for a third week")
    'en'
    >>> detect_language("2025 / 11")
    'und'
    """
    sample = text.strip()[:_SAMPLE_CHARS]
    n_han, n_kana, n_hangul, n_cased, n_traditional, n_simplified = n_of_classes(sample)
    if n_hangul > n_han and 2 * n_hangul >= n_cased:
        return "ko"
    if 2 * (n_han + n_kana) >= n_cased and n_han + n_kana:
        if n_kana > 0.1 * (n_han + n_kana):
            return "ja"
        return "zh-Hant" if n_traditional > n_simplified else "zh"
    if not n_cased:
        return UNDETERMINED
    # A second look at more of the text is still far cheaper than the classifier.
    if _is_english(sample) or (len(text) > _SAMPLE_CHARS and _is_english(text.strip()[:_SECOND_LOOK_CHARS])):
        return "en"
    answer = str(_classifier(tuple(languages)).classify(sample[:_CLASSIFIED_CHARS])[0])
    # Han was in the minority, so whatever else it is, it is not Chinese.
    return "en" if answer in ("zh", "ja", "ko") else answer


def _is_english(sample: str) -> bool:
    """Its words say so beyond doubt; False says nothing."""
    tokens = sample.casefold().split()
    n_own = sum(map(_ENGLISH_WORDS.__contains__, tokens))
    if n_own >= 4 and n_own >= 0.12 * len(tokens):
        return True
    n_all = n_own + sum(map(_SHARED_WORDS.__contains__, tokens))
    return n_own >= 2 and n_all >= 5 and n_all >= 0.15 * len(tokens) and _FOREIGN_WORDS.isdisjoint(tokens)


def declared_language(declared: str, text: str, languages: Sequence[str] = DEFAULT_LANGUAGES) -> str:
    """The tag for what an input declares, or the detected one where it says nothing usable.

    Chinese is always looked at, because declarations seldom tell the script.

    >>> declared_language("Chinese", "中國稀土"), declared_language("en-US", "Rare earths")
    ('zh-Hant', 'en')
    """
    tag = declared.strip().casefold().replace("_", "-")
    tag = _DECLARED.get(tag, tag.split("-")[0])
    if tag in languages and tag != "zh":
        return tag
    if tag == "zh" and _HAN.search(text[:_SAMPLE_CHARS]):
        found = detect_language(text, languages)
        return found if found in ("zh", "zh-Hant") else chinese_script(text[:_SAMPLE_CHARS])
    return detect_language(text, languages)


def chinese_script(text: str) -> str:
    """`zh-Hant` when more characters are of traditional Chinese alone than of simplified alone, else `zh`."""
    *_, n_traditional, n_simplified = n_of_classes(text)
    return "zh-Hant" if n_traditional > n_simplified else "zh"


def to_simplified(text: str) -> str:
    """Traditional characters as simplified ones, all else as it is; length may change by a character.

    >>> to_simplified("稀土價格 NdFeB")
    '稀土价格 NdFeB'
    """
    return str(_converter("t2s").convert(text))


def words(text: str) -> list[str]:
    """Words of Chinese, English or mixed text: Chinese by rjieba, the rest by letters and digits, lower case.

    Punctuation and white space are left out; traditional characters come back simplified, so that a word in
    either script counts as one.

    >>> words("F-35 needs NdFeB magnets: 钕铁硼永磁体")
    ['f-35', 'needs', 'ndfeb', 'magnets', '钕铁硼', '永磁体']
    """
    import rjieba

    found: list[str] = []
    position = 0
    plain = to_simplified(text) if _HAN.search(text) else text
    for match in _LATIN_WORD.finditer(plain):
        if match.start() > position:
            gap = plain[position : match.start()]
            if gap != " " and _WORD_CHAR.search(gap):  # seldom in a text of Latin letters
                found += (word for word in rjieba.cut(gap) if _WORD_CHAR.search(word))
        found.append(match.group().casefold())
        position = match.end()
    if position < len(plain):
        found += (word for word in rjieba.cut(plain[position:]) if _WORD_CHAR.search(word))
    return found


@lru_cache(maxsize=4)
def _converter(config: str) -> Any:
    import opencc

    return opencc.OpenCC(config)


@lru_cache(maxsize=4)
def _classifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier
