"""The terms of a text: its content words and the phrases that they stand in, as they are written there.

A phrase is two to four neighbouring words with nothing between them: `Kachin State`, `rare earths`, 废磁铁回收. It
begins and ends with a content word and holds no verb; inside, English may have an *of*. Chinese words are those of
rjieba, and single characters, which are no terms by themselves, may be part of a phrase (魏则 and 西 are 魏则西).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from narratives.describe import is_number
from narratives.language import to_simplified
from narratives.stop_words import is_stop_word, is_verb

HAN = re.compile(r"[\u3400-\u9fff]")
_TOKEN = re.compile(
    r"([\u3400-\u9fff]+)|[A-Za-z\u00c0-\u024f\u0370-\u052f0-9]+(?:[-'’.&][A-Za-z\u00c0-\u024f\u0370-\u052f0-9]+)*"
)
_OPENS = re.compile(r"[.!?:\n。！？：“”‘«《「\"]")  # what comes after it begins with a capital for no reason of its own
# Chinese function words of one character: no phrase begins or ends with them.
_FUNCTION = frozenset(
    "的了在是和与及或被把将对从向为于以到就也都又还要会能可不没无很更最这那其之等让给使由因而但且则若如已曾正着过们个位名"
    "件次年月日时后前里上下中内外起来去再只才并各该本此每某几多少两三四五六七八九十一二百千万亿吗呢吧啊谁什么何怎说称问看想"
    "做有仍却遭成用至自比据我你他她它您咱请叫像跟同所得地家种条项份篇只头"
)
# What stands right after these is hardly a noun, nor is what stands right before those.
_BEFORE_VERBS = frozenset(
    "to will would could can may might must should shall cannot not don't doesn't didn't won't be been being am is are "
    "was were has have had he she it they we i you who which".split()
)
_AFTER_VERBS = frozenset("the a an its his her their our your this these those it him them us me up out off".split())
_LONGEST, _MOST_HAN = 4, 8  # words of a phrase, characters of a Chinese one
LEAD = 1_500  # characters of the text that are read after the title (Chinese: a half)


class Token(NamedTuple):
    """A word where it stands: as written, in the form that it is counted in."""

    surface: str
    norm: str
    opens: bool  # a sentence: a capital says nothing
    han: bool
    edge: bool  # a phrase may begin or end with it


class Term:
    """A term in one text: does the title hold it, does it anywhere stand by itself, and how is it written?

    A word stands by itself where no other content word is beside it and nothing says that it is a verb: `kuala` never
    does, `Kuala Lumpur` does. `forms` are its writings and their weights.
    """

    __slots__ = ("forms", "in_title", "whole")

    def __init__(self) -> None:
        self.in_title = self.whole = False
        self.forms: dict[str, int] = {}


def runs(text: str) -> list[list[Token]]:
    """Words that stand side by side, with no punctuation between them; a possessive ends a run.

    >>> [[t.norm for t in run] for run in runs("Kachin State's mines: 克钦邦稀土, closed")]
    [['kachin', 'state'], ['mine'], ['克钦邦', '稀土'], ['closed']]
    """
    import rjieba

    plain = to_simplified(text) if HAN.search(text) else text
    found: list[list[Token]] = []
    run: list[Token] = []
    position, opens, closed = 0, True, True
    for match in _TOKEN.finditer(plain):
        gap = plain[position : match.start()]
        position = match.end()
        if closed or gap not in ("", " "):
            run = []
            found.append(run)
            closed = False
            opens = opens or bool(_OPENS.search(gap))
        said = match.group()
        if match.lastindex:
            run += [Token(w, w, False, True, w not in _FUNCTION and not is_stop_word(w)) for w in rjieba.cut(said)]
        else:
            surface = said.replace("’", "'") if "’" in said else said
            closed = surface.endswith(("'s", "'S"))
            surface = surface[:-2] if closed else surface
            small = surface.casefold()
            norm = singular(small)
            edge = len(norm) > 1 and not (is_stop_word(small) or is_verb(small) or is_number(norm))
            edge = edge or (surface == "New" and not opens)
            run.append(Token(surface, norm, opens, False, edge))
        opens = False
    return found


def article_terms(title: str, text: str) -> dict[str, Term]:
    """The distinct terms of an article's title and lead.

    Presence, not frequency: one long article must not name a narrative by itself.

    >>> found = article_terms("Kachin State closes mines", "A pit in Kachin State was closed.")
    >>> sorted(found)
    ['kachin', 'kachin state', 'mine', 'pit', 'state']
    >>> [term for term in sorted(found) if found[term].whole]
    ['kachin state', 'mine', 'pit']
    >>> found["kachin state"].in_title, written("kachin state", found["kachin state"].forms)
    (True, 'Kachin State')
    """
    found: dict[str, Term] = {}
    heads = runs(title)
    # Where a sentence opens, and in a headline of capitals, a capital says little.
    plain = 3 if any(t.edge and not t.opens and t.surface.islower() for run in heads for t in run) else 1
    lead = text[: LEAD // 2 if HAN.search(title) else LEAD]
    for parts, in_title in ((heads, True), (runs(lead), False)):
        weight = plain if in_title else 3
        for run in parts:
            for key, surface, opens, whole in _terms(run):
                term = found.get(key)
                if term is None:
                    term = found[key] = Term()
                if in_title:
                    term.in_title = True
                if whole:
                    term.whole = True
                term.forms[surface] = term.forms.get(surface, 0) + (1 if opens else weight)
    return found


def _terms(run: list[Token]) -> Iterator[tuple[str, str, bool, bool]]:
    """Key, writing, whether it opens a sentence and whether it stands by itself, of every term in a run of words."""
    last = len(run) - 1
    for start, first in enumerate(run):
        if not first.edge:
            continue
        before = run[start - 1] if start else None
        alone = before is None or not (before.edge or before.norm in _BEFORE_VERBS)
        key, surface, han = "", "", first.han
        for end in range(start, min(start + _LONGEST, last + 1)):
            token = run[end]
            of = token.norm == "of" and end > start
            if token.han != han or not (token.edge or of):
                break
            joint = "" if han or end == start else " "
            key, surface = f"{key}{joint}{token.norm}", f"{surface}{joint}{token.surface}"
            if han and len(key) > _MOST_HAN:
                break
            if of or len(key) < 2 or key == "new" or (end - start == _LONGEST - 1 and not han and " of " not in key):
                continue
            after = run[end + 1] if end < last else None
            whole = alone and (after is None or not (after.edge or after.norm in _AFTER_VERBS))
            yield key, surface, first.opens, whole


def singular(word: str) -> str:
    """An English word without its plural's s, so that both numbers count as one term.

    >>> singular("magnets"), singular("glass"), singular("basis"), singular("gas")
    ('magnet', 'glass', 'basis', 'gas')
    """
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui'" and not word.endswith("news"):
        return word[:-1]
    return word


def written(term: str, forms: Mapping[str, float]) -> str:
    """How a term is written most often; in small letters where nothing tells.

    >>> written("kia", {"KIA": 4, "Kia": 1}), written("magnet", {"magnets": 6, "magnet": 3}), written("pit", {})
    ('KIA', 'magnets', 'pit')
    """
    best = max(forms.items(), key=lambda item: (item[1], item[0] == term, item[0]), default=(term, 0))
    return best[0] if best[1] else term
