"""Who speaks: sentences that quote or report somebody, with the speaker's name as it stands in the text.

An outlet that prints what a minister said has not said it itself. Found by the verbs of saying and the marks of
quotation, in Chinese (both scripts) and English; nothing is learned, so it is fast and says what it went by. Made to
be right where it names a speaker rather than to find every one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

_HAN = re.compile(r"[\u3400-\u9fff]")
_QUOTED = re.compile(r"“[^”\"]*(?:[”\"]|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)|\"[^\"]*(?:\"|$)|＂[^＂]*(?:＂|$)")
_MASK = "\x01"

# A verb of saying; those that are also parts of other words ask for what may stand before and after them.
_ZH_VERB = re.compile(
    r"(?:告[诉訴](?=[^，,。：:]{1,12}[，,：:])|(?<![被也普确確公])[认認][为為]|表示|指出|[强強][调調]|坦言|直言|[说說写寫问問答喊]道|透露|"
    r"(?:补充|補充|介[绍紹]|解[释釋]|警告|回[应應]|反[驳駁]|呼吁|呼籲|声明|聲明|重申|承[认認])(?:[说說称稱道]|(?=[，,：:“「『\"\x01]))|"
    r"(?<![不小学學据據传傳听聽再来來话話以该該者之么麼我胡解难難地虽雖])[说說](?=[，,：:。“「『\"\x01\s]|$)|"
    r"(?<![名简簡俗堪职職统統号號自被宣并並尊昵暱美所通对對合全谦謙据據相不])(?<!可以)[称稱](?![为為作做之号號呼赞讚霸职職得的])|"
    r"[宣声聲][称稱](?!的))"
)
_ZH_BREAK = re.compile(r"[，,。；;！!？?：:、\x01“”「」『』\"＂\n]")
# What stands between a speaker's name and the verb.
_ZH_BETWEEN = re.compile(
    r"在|于|於|[对對]|[向就]|日前|近日|昨[日天]|今[日天]|当[日天]|當[日天]|本[周月]|上[周月]|周[一二三四五六日]|星期|"
    r"一再|一直|[评評][论論]|\s*[0-9０-９一二三四五六七八九十]+\s*[日月年]|[则則也还還亦均都曾已并並再]|同[时時]|[进進]一步|[随隨][后後]|此前|此[后後]|"
    r"接受|[通透]过|通過|透過|[随隨]即|公[开開]|明[确確]|[强強]烈|特[别別]|一致|普遍|[当當]地|[发發]表|[发發]文|撰文|[回答]复|答覆|"
    r"反复|多次|[强強]硬|[坚堅][决決]|回[应應]|拒[绝絕]|威[胁脅]|推特|[发發]推|微博|表[态態]|[强強][调調]|指出|[从從]|告[诉訴]|[针針][对對]|[继繼][续續]"
)
# A verb that stands between as well, but may begin a name: 报告指出.
_ZH_DOING = re.compile(
    r"[报報][道導]|[发發][布佈表出]|[后後][来來]|事[后後]|又|[坚堅](?=$)|再度|的[话話]|官方微博|公告|[报報]告|[讲講]述|作[证證]|提起|[报報]料|爆料|回[来來]|一再|一[直度]|"
    r"回答|却|卻|[纷紛]{2}|通[报報]|微信"
)
_ZH_PRONOUN = re.compile(r"^(?:他|她|其|[他她][们們]|[该該][^，]{0,4}|[两兩]人|[双雙]方|[后後]者|前者)$")
_ZH_ASIDE = re.compile(r"[（(][^（()）]*[)）]\s*")
_ZH_LEADS = re.compile(
    r"^(?:\u00ad|[虽雖]然|代表|[0-9]+[年月日](?:[0-9]+[月日])*[上下]?午?|但|而|不过|不過|然而|因此|所以|另外|此外|同时|同時|其中|当时|當時|目前|如今|对此|對此|为此|為此|最后|最後|首先|已有|已|有)+"
)
_ZH_NEVER = re.compile(
    r"^(?:这|這|那|此|所|是|文中|远的|遠的|上午|下午|晚上|如果|因为|因為|可以|不|没|沒|我|你|您|咱|大家|据|據|什么|什麼|怎么|换句|也就|可|应|應|的|了|一般|简单|简|总的|总体|具体|只能|难|很难|"
    r"只|就|又|将|將|要|会|會|被|把|让|讓|使|能|或|和|与|與|比如|例如|某种|真)"
)
_ZH_ACCORDING = re.compile(
    r"(?:据|據|根[据據]|援引|引述)(?P<s>[^，,。；;\x01“「『\"]{2,24}?)(?:的)?(?:消息)?(?:报道|報道|報導|[称稱说說](?=[，,：:]|$|[^为為])|透露|介[绍紹])"
)
_ZH_LONGEST, _ZH_FAR = 32, 60

_EN_VERB = (
    r"(?:(?:adds|added|declares|declared|claims|claimed|recalls|recalled|stressed)(?=\s*(?:[,:.\x01]|that\b|in\b|on\b|$))|"
    r"said|says|say|told|tells|tell|noted|notes|argued?|argues|warn(?:ed|s)?|wrote|writes|stated|states|"
    r"explained|explains|insist(?:ed|s)?|acknowledged|admitted|replied|suggested|tweeted|remarked|"
    r"predicted|emphasi[sz]ed|conceded|testified|asserted|reiterated|cautioned|"
    r"countered|complained|commented|responded|concluded)"
)
_NAME = r"[A-Z\u00c0-\u00de][\w.\u2019'\-]*"
_LINK = r"(?:of|the|and|for|de|la|von|van|der|al|bin|&|at|in)"
_TITLE = (
    r"(?:representative|spokes(?:man|woman|person)|magazine|newspaper|president|minister|professor|analyst|official|"
    r"chief|director|leader|secretary|author|researcher|scientist|senator|daily|agency|broadcaster|officer|commander|"
    r"governor|mayor|head|expert|economist|lawmaker|envoy|ambassador|foreign|defen[sc]e|prime|executive|vice|deputy|"
    r"senior|news|editor|founder|co-founder)"
)
_JOINS = (
    r"(?:on|in|at|by|to|of|for|from|with|as|that|and|but|after|before|what|when|where|who|which|while|because|since|than|"
    r"comes|came)"
)
_PERSON = (
    rf"(?:(?:[Tt]he|[Aa]n?|[Oo]ne|[Ss]ome|[Mm]any|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts)\s+)?(?:(?!{_JOINS}\b)[a-z][\w\-]*\s+){{0,3}}"
    rf"{_NAME}(?:\s+(?:{_LINK}\s+){{0,2}}(?:{_TITLE}\s+){{0,3}}{_NAME}){{0,7}}"
)
_ROLE = (
    r"(?:(?:[Tt]he|[Aa]n?|[Oo]ne|[Ss]ome|[Mm]any|[Ss]everal|[Mm]ost|[Oo]ther|[Hh]is|[Hh]er|[Tt]heir|[Tt]wo|[Tt]hree|"
    r"[A-Z][\w\-]+)\s+)?(?:[\w\-]+\s+){0,3}?"
    r"(?:officials?|analysts?|experts?|sources?|spokes(?:man|woman|person)|ministry|company|government|scientists?|"
    r"researchers?|critics|people|report|statement|study|authors?|lawyers?|police|economists?|executives?|traders?|"
    r"investors?|campaigners?|activists?|judge|professor|president|minister|chairman|agency|commission|department|"
    r"group|bank|court|union|firm|paper|[Rr]epublicans|[Dd]emocrats|aides?|reporters?|residents?|doctors?|groups|"
    r"countries|leaders?|senators?|lawmakers?)(?:\s+(?:for|of|at|from|with|in)\s+(?:the\s+)?[\w.&\u2019'\-]+(?:\s+[A-Z][\w.\-]*){0,4})?"
)
_PRONOUN = r"(?:[Hh]e|[Ss]he|[Tt]hey)"
_NOUN = r"(?:[Tt]he|[Hh]is|[Hh]er|[Tt]heir)\s+[a-z][a-z\-]+"
_WHO = rf"(?P<s>{_PRONOUN}|{_ROLE}|{_PERSON}|{_NOUN})"
_GOES_ON = (
    r"(?=\s*(?:[,.;:\x01—–]|['\u2019]s\b|$)|\s+(?:who|which|in|on|at|that|when|as|during|after|before|last|and|to|this|"
    r"about|while|of|from|for|with|earlier|yesterday|today|[A-Z(]))"
)
_ASIDE = r"(?:\s+(?:familiar|close|briefed)\s[^,\x01]{2,60}?)?(?:\s*,[^,\x01]{2,160},)?"
_ADVERB = r"(?:\s+(?:also|later|then|has|had|have|recently|repeatedly|previously|now|once|still|reportedly|further))*"
# "…," Smith said; Smith, who leads the mine, said on Monday (that) …
_EN_BEFORE = re.compile(rf"(?:^|(?<=[\s,;:\x01—–\-])){_WHO}{_ASIDE}{_ADVERB}\s+{_EN_VERB}\b(?!\s+(?:to\s+be|by))")
# "…," said Smith, who …
_EN_AFTER = re.compile(rf"(?:\x01,?|,[\"\u201d]?)\s*(?!tell|told){_EN_VERB}\s+{_WHO}{_GOES_ON}")
_EN_ACCORDING = re.compile(rf"[Aa]ccording\s+to\s+{_WHO}{_GOES_ON}")
_EN_PRONOUN = re.compile(rf"^{_PRONOUN}$")
_EN_NEVER = re.compile(
    r"^(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|"
    r"I|We|You|It|That|This|There|Who|Which|What|As|If|When|But|And|So|These|Those|Nobody|Everyone|Others?|to be|"
    r"you|who|that|which|have|has|had|not|do|does|did|must|can|could|would|should|will|may|might)$"
)
_EN_LEADS = re.compile(
    r"^(?:(?:But|And|So|Yet|Still|However|Then|Meanwhile|While|When|Although|As|In|On|At|After|Before|If|That|since|because|"
    r"while|when|although|though|as|and|but|or|than|where|what|that|after|before|if)\s+)+"
)
# A role after one of these is part of a longer name: "the body overseeing the vote said".
_EN_INSIDE = re.compile(r"(?:\b(?:of|for|from|to|by|with|in|on|at|over|against|about|into|under)|\w{2}ing)\s+$")
_ORGANISATION = re.compile(
    r"(?:^(?:[Tt]he|[Aa]n?)\s|s$|Foundation|Ministry|Department|Authority|Agency|Council|Commission|Government|Bank|"
    r"Company|Corp|Inc|University|Institute|们$|們$|[部委局社报報院会會厅廳司团團所]$|公司|政府|机构|機構|集团|集團|媒体|媒體)"
)
_PLURAL = re.compile(r"^(?:[Tt]hey|.*[们們]|双方|雙方|.*[两兩].*)$")
_LEAST_QUOTED = 0.5  # of a sentence without a verb of saying, to go on with the speaker before it


@dataclass(frozen=True)
class Speech:
    """A sentence `text[start:end]` in which somebody other than the outlet speaks.

    `speaker` is the name that counts (of a pronoun, the one it stands for); `speaker_start`, `speaker_end` is where
    the text names her, in this sentence where it does. `quoted` where the sentence has marks of quotation, else it
    is reported speech.
    """

    start: int
    end: int
    speaker: str
    speaker_start: int
    speaker_end: int
    quoted: bool


def find_speech(text: str, spans: Sequence[tuple[int, int]]) -> list[Speech | None]:
    """The speaker of each sentence; None where the outlet speaks itself.

    A sentence speaks for somebody if a verb of saying outside its quotation marks has a name or a role before or
    after it, or it says whom it accords to; or if it is a quotation that goes on from one just attributed. `he`, 她
    and the like stand for the speaker before; without one they are kept as they are.

    Parameters
    ----------
    text
        As stored.
    spans
        Its sentences, in order, from `embeddings.split_sentences`.

    Example
    -------
    >>> text = "商务部发言人何咏前周四表示，许可证将恢复。价格随之下跌。"
    >>> [s and s.speaker for s in find_speech(text, [(0, 21), (21, 28)])]
    ['商务部发言人何咏前', None]
    """
    found: list[Speech | None] = []
    last: Speech | None = None  # the speaker that a pronoun stands for
    before: Speech | None = None  # that of the sentence before
    for start, end in spans:
        sentence = text[start:end]
        quotes = [(m.start(), m.end()) for m in _QUOTED.finditer(sentence)]
        masked = _masked(sentence, quotes)
        quoted = bool(quotes)
        named = _attributed(masked, quoted)
        speech: Speech | None = None
        if named is not None:
            a, b, is_pronoun = named
            speech = Speech(start, end, sentence[a:b], start + a, start + b, quoted)
            stands_for = last is not None and bool(_ORGANISATION.search(last.speaker)) == bool(
                _PLURAL.match(sentence[a:b])
            )
            if is_pronoun and last is not None and stands_for:
                speech = replace(
                    speech, speaker=last.speaker, speaker_start=last.speaker_start, speaker_end=last.speaker_end
                )
        elif before is not None and before.quoted and _goes_on(quotes, len(sentence)):
            speech = replace(before, start=start, end=end)
        if speech is not None:
            last = speech
        before = speech
        found.append(speech)
    return found


def _masked(sentence: str, quotes: Sequence[tuple[int, int]]) -> str:
    """The sentence with what is quoted made unreadable, at the same offsets; short quotations are names and stay."""
    chars = list(sentence)
    for a, b in quotes:
        if b - a > _short(sentence):
            chars[a:b] = _MASK * (b - a)
    return "".join(chars)


def _short(sentence: str) -> int:
    return 10 if _HAN.search(sentence) else 30


def _goes_on(quotes: Sequence[tuple[int, int]], n: int) -> bool:
    """It begins with a quotation, which is most of it."""
    return bool(quotes) and quotes[0][0] <= 1 and sum(b - a for a, b in quotes) >= _LEAST_QUOTED * n and n > 8


def _attributed(masked: str, quoted: bool) -> tuple[int, int, bool] | None:
    """Where in a masked sentence its speaker stands, and whether that is a pronoun."""
    finders = (_chinese, _english) if len(_HAN.findall(masked)) * 6 > len(masked.replace(_MASK, "")) else (_english,)
    for finder in finders:
        for found in finder(masked, quoted):
            return found
    return None


def _chinese(masked: str, quoted: bool) -> Iterator[tuple[int, int, bool]]:
    according = _ZH_ACCORDING.search(masked)
    if according and not _ZH_NEVER.match(according["s"]):
        name = according["s"]
        at = according.start("s") + len(name) - len(name.lstrip())
        yield at, at + len(name.strip()), False
    for verb in _ZH_VERB.finditer(masked):
        follows = masked[verb.end() : verb.end() + 1]
        ends = follows in '，,：:。\x01“「『"' or not follows
        breaks = [m.end() for m in _ZH_BREAK.finditer(masked, 0, verb.start())]
        start = breaks[-1] if breaks else 0
        if start == verb.start() and masked[start - 1 : start] in "，," and len(breaks) > 1:
            start = breaks[-2]  # “…，外交部发言人林剑，表示”
        chunk = masked[start : verb.start()]
        lead = _ZH_LEADS.match(chunk)
        at = start + (lead.end() if lead else 0)
        head = masked[at : verb.start()]
        between = _ZH_BETWEEN.search(head)
        name = head[: between.start()] if between else head
        name = _without_aside(name)
        at = start + chunk.find(name) if name else at
        doing = _ZH_DOING.search(name, 1)
        name = name[: doing.start()] if doing else name
        at += len(name) - len(name.lstrip())
        name = name.strip(" 　的地得")
        if _fits_chinese(name) and (ends or len(head) <= _ZH_FAR // 3 or between):
            yield at, at + len(name), bool(_ZH_PRONOUN.match(name))
        elif not name and breaks and (ends or start == verb.start()):
            # The subject stands in a clause before: 林剑就此答问时，强调，…
            first = masked[: breaks[0]].rstrip("，,：:")
            other = _ZH_BETWEEN.search(first)
            name = first[: other.start()] if other else ""
            if _fits_chinese(name) and verb.start() <= _ZH_FAR:
                yield 0, len(name), bool(_ZH_PRONOUN.match(name))


def _without_aside(name: str) -> str:
    """`财新网（记者于璐` and `）亚当·迈耶斯 (Adam Meyers)` without what stands in brackets."""
    bare = _ZH_ASIDE.sub("", name).strip()
    return re.split(r"[（()）]", bare)[0 if bare.find("（") > 0 else -1]


def _fits_chinese(name: str) -> bool:
    if not name or len(name) > _ZH_LONGEST or _ZH_NEVER.match(name) or name.count("《") != name.count("》"):
        return False
    if not (_HAN.search(name) or re.search(r"[A-Za-z]{2}", name)):
        return False
    if name[-1] in "中时時上里裡" or name.endswith(("之前", "联前", "聯前", "之后", "之後")):
        return False
    return len(name) > 1 or bool(_ZH_PRONOUN.match(name))


def _english(masked: str, quoted: bool) -> Iterator[tuple[int, int, bool]]:
    for pattern in (_EN_AFTER, _EN_BEFORE, _EN_ACCORDING):
        for found in pattern.finditer(masked):
            start, end = found.span("s")
            if pattern is _EN_BEFORE and _EN_INSIDE.search(masked[:start]) and not _EN_PRONOUN.match(masked[start:end]):
                continue
            lead = _EN_LEADS.match(masked[start:end])
            start += lead.end() if lead else 0
            name = masked[start:end].rstrip(" ,.'’")
            if name and not _EN_NEVER.match(name) and len(name.split()) <= 10:
                yield start, start + len(name), bool(_EN_PRONOUN.match(name))
