"""Articles as the model reads them, and their sentences with offsets for evidence; Chinese and English."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA_OR_HANGUL = re.compile(r"[\u3041-\u30ff\uac00-\ud7af]")
_SPACE = re.compile(r"[^\S\n]+")
_UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")  # no tokenizer takes half a surrogate pair
_BLANK_LINES = re.compile(r" ?\n\s*")


def model_input(title: str, text: str) -> str:
    """The text that is encoded for an article: title, line break, body, in one normal form.

    Full-width and compatibility characters are folded (NFKC), white space is collapsed and traditional
    characters become simplified ones: without that a traditional and a simplified copy of one text lie apart.
    Japanese and Korean texts keep their own characters. The model's prompt is not part of it.

    Parameters
    ----------
    title, text
        As published; either may be empty. A body that begins with its title is not given the title twice.

    Returns
    -------
    str
        Empty if both are blank.

    Example
    -------
    >>> model_input("釹鐵硼磁體　出口", "ＮｄＦｅＢ  export")
    '钕铁硼磁体 出口\\nNdFeB export'
    """
    head, body = _plain(title), _plain(text)
    return body if body.startswith(head) else f"{head}\n{body}".strip()


def _plain(text: str) -> str:
    text = _UNWRITABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():  # nothing to fold
        return _spaced(text)
    spaced = _spaced(unicodedata.normalize("NFKC", text))
    n_han, n_other = len(_HAN.findall(spaced)), len(_KANA_OR_HANGUL.findall(spaced))
    if n_han == 0 or n_other > 0.1 * n_han:
        return spaced
    return str(_simplifier().convert(spaced))


def _spaced(text: str) -> str:
    return _BLANK_LINES.sub("\n", _SPACE.sub(" ", text)).strip()


@lru_cache(maxsize=1)
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("hk2s")  # as t2s, and Hong Kong's own forms: 衞 and 敍 would stay


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters themselves."""
        return text[self.start : self.end]


_OPENING, _CLOSING = "“‘「『（(《〈【[", "”’」』）)》〉】]"
_PAIRS = dict(zip(_CLOSING, _OPENING, strict=True))
_QUOTES = "“「『"
# A mark that may end a sentence, with the marks that repeat it and the closing marks that belong to it.
_STOP = re.compile(r"[。！？｡]+|[.!?…]+")
_TRAILING = re.compile(r"[”’」』）)】\]\"'。！？!?…]*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(“\"'])(?:Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Col|Lt|Sgt|St|Jr|Sr|Inc|Ltd|Corp|Co|Bros|vs|etc|No|Nos|Fig|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mt|Ft|approx|est|e\.g|i\.e|cf|al|[A-Z]|(?:[A-Z]\.)+[A-Z]|[ap]\.m)$"
)
_SPEAKER_FOLLOWS = re.compile(
    r"\s*(?:[，,、；;：:]|[^，。！？“”\s]{0,8}?(?:说|表示|称|道|指出|认为|强调|写道|坦言|补充)(?:[，。：:]|$))"
)
_LONG_QUOTE = 200
_LONG_SENTENCE = 500
_SOFT_BREAK = re.compile(r"[；;]|[，,](?=\s|[\u3400-\u9fff])|\s[-–—]\s|\s")


# A list whose line breaks were lost: "Core Insights - The market … [2][3] - Prices …".
_BULLET = re.compile(r"(?<=\S)\s+(?=[-–•·]\s+[A-Z0-9\u3400-\u9fff])")
_BULLET_SIGN = re.compile(r"[-–•·]\s+")
_LEAST_BULLETS = 3


def split_sentences(text: str) -> list[Span]:
    """Sentences of a text in Chinese, English or both.

    A stop inside a quotation does not end the sentence around it unless the quotation is long (more than 200
    characters) or never closed; line breaks always end a sentence; abbreviations, initials and decimals do
    not. A list of three and more bullets on one line is taken apart, without its signs. What runs on for more
    than 500 characters is cut at a comma or blank.

    Parameters
    ----------
    text
        As stored; it is not changed.

    Returns
    -------
    list of Span
        In order, without overlap, blank ones left out; white space around a sentence is outside its span.

    Example
    -------
    >>> text = "“够了。别再说了！”他说。U.S. prices rose 3.5 percent. Mr. Lee agreed."
    >>> [span.of(text) for span in split_sentences(text)]
    ['“够了。别再说了！”他说。', 'U.S. prices rose 3.5 percent.', 'Mr. Lee agreed.']
    """
    spans = []
    for line in re.finditer(r"[^\n\r\u2028\u2029]+", text):
        start = line.start()
        bullets = [found.start() for found in _BULLET.finditer(text, line.start(), line.end())]
        if len(bullets) < _LEAST_BULLETS:
            bullets = []
        for end in sorted({*_boundaries(text, line.start(), line.end()), *bullets, line.end()}):
            at = start + len(text[start:end]) - len(text[start:end].lstrip())
            sign = _BULLET_SIGN.match(text, at, end) if bullets else None
            if sign:
                start = sign.end()
            spans += _trimmed(text, start, end)
            start = end
    return spans


def _boundaries(text: str, start: int, end: int) -> list[int]:
    """Offsets in one line after which a new sentence begins."""
    quoted = _quoted_stretches(text, start, end)
    found: list[int] = []
    position = start
    while stop := _STOP.search(text, position, end):
        after = _TRAILING.match(text, stop.end(), end).end()  # type: ignore[union-attr]
        position = max(after, stop.end())
        if any(a < stop.start() and after < b for a, b in quoted):
            continue
        if _ends_sentence(text, stop.start(), stop.end(), after, end):
            found.append(after)
    return found


def _quoted_stretches(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of quotations and brackets that are closed and not long."""
    stretches: list[tuple[int, int]] = []
    open_marks: list[tuple[str, int]] = []
    straight: int | None = None
    for i in range(start, end):
        mark = text[i]
        if mark == '"':
            if straight is None:
                straight = i
            else:
                stretches.append((straight, i + 1))
                straight = None
        elif mark in _OPENING:
            open_marks.append((mark, i))
        elif mark in _PAIRS:
            # ’ is an apostrophe too: it closes only what was opened by ‘.
            while open_marks and any(opened == _PAIRS[mark] for opened, _ in open_marks):
                opened, at = open_marks.pop()
                if opened == _PAIRS[mark]:
                    stretches.append((at, i + 1))
                    break
    return [(a, b) for a, b in stretches if b - a <= _LONG_QUOTE]


def _ends_sentence(text: str, start: int, stop: int, after: int, end: int) -> bool:
    """Whether the stop at `start` to `stop`, whose closing marks end at `after`, ends a sentence."""
    if after >= end:
        return False  # the line's end is a boundary anyway
    mark, closes = text[start], after > stop
    follows = text[after]
    if mark in "。！？｡" or (mark in "!?…" and _HAN.match(follows)):
        if closes and text[after - 1] in "）)】]" and mark not in text[stop:after] and not follows.isspace():
            return False  # （如镨、钕。）inside a sentence
        if mark == "…" and not closes and not follows.isspace():
            return False
        return not (closes and _SPEAKER_FOLLOWS.match(text, after, end)) and follows not in "，,、；;"
    if not follows.isspace():
        # Without a blank a point ends a sentence only before Chinese: "… in May.中国".
        return bool(mark == "." and _HAN.match(follows) and not text[start - 1 : start].isdigit())
    rest = text[after:end].lstrip()
    if not rest or rest[0].islower() or rest[0] in ",;:":
        return False
    alone = mark == "." and stop - start == 1 and not closes
    if alone and _ABBREVIATION.search(text, max(0, start - 12), start):
        return _begins_anew(text[max(0, start - 12) : start], rest)
    return True


_STARTERS = ("The ", "It ", "In ", "But ", "He ", "She ", "They ", "This ", "That ", "We ", "And ", "Then ")
_MAY_END = re.compile(r"(?:(?:[A-Z]\.)+[A-Z]|[ap]\.m|etc|Inc|Ltd|Corp|Co|Jr|Sr)$")


def _begins_anew(before: str, rest: str) -> bool:
    """Whether an abbreviation that may end a sentence ("the U.S.") is followed by a word that begins one."""
    return bool(_MAY_END.search(before)) and (rest.startswith(_STARTERS) or bool(_HAN.match(rest)))


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    """The stretch without white space around it, cut where it is too long; empty if blank."""
    spans = []
    while end - start > _LONG_SENTENCE:
        limit = start + _LONG_SENTENCE
        breaks = [found.end() for found in _SOFT_BREAK.finditer(text, start + _LONG_SENTENCE // 2, limit)]
        cut = breaks[-1] if breaks else limit
        spans.append((start, cut))
        start = cut
    spans.append((start, end))
    found = []
    for a, b in spans:
        piece = text[a:b]
        left = len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append(Span(a + left, a + left + len(piece.strip())))
    return found
