"""Evidence: which scored sentences are shown, each inside its context and in its own language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from reports.content import Headline, Quote
from reports.figures import number
from reports.frames import each

_CONTEXT_CHARS = {"zh": 70, "en": 180}
_MAX_SENTENCE = 700
_LEAST_SCORE = 0.15  # of a sentence: weaker ones show nothing
_ENDS = "。！？!?\n"
_SPLIT = ("supports", "opposes")


def safe_url(url: str) -> str:
    """The address if a reader may follow it (http or https, no blanks or control characters), else empty.

    >>> safe_url("https://a.example/x"), safe_url(" javascript:alert(1)"), safe_url("http://a b")
    ('https://a.example/x', '', '')
    """
    url = url.strip()
    if not url.lower().startswith(("http://", "https://")) or any(c.isspace() or ord(c) < 32 for c in url):
        return ""
    return url


def language_group(lang: str) -> str:
    """`zh` for every Chinese script, else the primary tag.

    >>> language_group("zh-Hant"), language_group("en-GB"), language_group("")
    ('zh', 'en', 'und')
    """
    return lang.split("-")[0].lower() or "und"


def local_day(instant: pd.Timestamp, zone: ZoneInfo) -> str:
    """Calendar day of an instant in the desk's zone."""
    return instant.tz_convert(zone).strftime("%Y-%m-%d")


def headlines(stories: pd.DataFrame, zone: ZoneInfo, limit: int) -> tuple[Headline, ...]:
    """Stories as lines: most reprinted first, one a source before a second of the same."""
    if stories.empty:
        return ()
    ordered = stories.assign(_n=-stories["n_copies"]).sort_values(["_n", "published_at", "id"], kind="stable")
    turn = ordered.groupby("source").cumcount()
    picked = ordered.assign(_turn=turn).sort_values("_turn", kind="stable").head(limit)
    return tuple(
        Headline(
            r.id,
            one_line(r.title or r.text[:80]),
            r.source,
            r.lang,
            local_day(r.published_at, zone),
            safe_url(r.url),
            int(r.n_copies),
            r.narrative,
        )
        for r in each(picked)
    )


def one_line(text: str) -> str:
    """A text with its white space and direction marks made harmless for one line.

    >>> one_line("a\\n b\\u202ec")
    'a bc'
    """
    return " ".join(
        "".join(c for c in text if c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069").split()
    )


def pick_quotes(
    evidence: pd.DataFrame,
    texts: Mapping[str, str],
    week: date,
    zone: ZoneInfo,
    limit: int,
    *,
    has_claim: bool,
) -> tuple[Quote, ...]:
    """Up to `limit` sentences, half for and half against the claim where there are so many.

    Only stories of the last four weeks, this week's first; one sentence a story, sources and languages take
    turns. Without a claim the sentences that speak most clearly in tone stand in, and are called so.

    Parameters
    ----------
    evidence
        Frame of `desk.evidence(narrative)`.
    texts
        Article id to its text, which `start` and `end` index.
    """
    if evidence.empty:
        return ()
    start = pd.Timestamp(week - timedelta(weeks=3), tz=zone)
    end = pd.Timestamp(week + timedelta(weeks=1), tz=zone)
    frame = evidence[(evidence["published_at"] >= start) & (evidence["published_at"] < end)]
    frame = frame.loc[[a in texts for a in frame["article"]]].copy()
    frame["day"] = [d.tz_convert(zone).date() for d in frame["published_at"]]
    if has_claim and (frame["kind"] == "stance").any():
        frame = frame[(frame["kind"] == "stance") & frame["verdict"].isin(_SPLIT)]
        own = frame["score"] if "score" in frame.columns else frame["stance"]
        frame = frame.assign(side=frame["verdict"], score=own.astype(float))
        # A sentence that leans the other way than its article proves nothing.
        frame = frame[(frame["score"] > 0) == (frame["side"] == "supports")]
        frame = frame[frame["score"].abs() >= _LEAST_SCORE]
        sides = list(_SPLIT)
    else:
        frame = frame[(frame["kind"] == "tone") & frame["tone"].notna() & (frame["tone"].abs() >= _LEAST_SCORE)]
        frame = frame.assign(side=["positive" if t > 0 else "negative" for t in frame["tone"]], score=frame["tone"])
        sides = ["positive", "negative"]
    if frame.empty:
        return ()
    frame["group"] = [language_group(v) for v in frame["lang"]]
    frame["old"] = [d < week for d in frame["day"]]
    sure = [
        abs(s) * (c if c is not None else 1.0)
        for s, c in zip(frame["score"], map(number, frame["confidence"]), strict=True)
    ]
    frame = frame.assign(sure=sure).sort_values(
        ["old", "sure", "article", "start"], ascending=[True, False, True, True]
    )
    frame = frame.drop_duplicates("story").drop_duplicates(["sentence"])
    ranked = {side: _take_turns(frame[frame["side"] == side]) for side in sides}
    half = (limit + 1) // 2
    n_first = max(half, limit - len(ranked[sides[1]]))
    chosen = [ranked[sides[0]].head(n_first)]
    chosen.append(ranked[sides[1]].head(limit - len(chosen[0])))
    rows = pd.concat(chosen)
    return tuple(_quote(row, texts[row.article]) for row in each(rows))


def _take_turns(frame: pd.DataFrame) -> pd.DataFrame:
    by_source = frame.groupby("source").cumcount()
    frame = frame.assign(_source=by_source).sort_values("_source", kind="stable")
    by_language = frame.groupby(["_source", "group"]).cumcount()
    return frame.assign(_lang=by_language).sort_values(["_source", "_lang"], kind="stable")


def _quote(row: pd.Series, text: str) -> Quote:
    before, sentence, after = cut_context(text, row.sentence, row.start, row.end, language_group(row.lang))
    day = row.day.isoformat()
    return Quote(
        row.article,
        one_line(row.title),
        row.source,
        row.lang,
        day,
        safe_url(row.url),
        before,
        sentence,
        after,
        row.side,
        float(row.score),
        number(row.confidence) if row.side in _SPLIT else None,
        one_line(str(getattr(row, "speaker", "") or ""))[:80],
    )


def cut_context(text: str, sentence: str, start: float, end: float, lang: str) -> tuple[str, str, str]:
    """The sentence and what stands around it, cut at sentence ends where one is near.

    Offsets that do not point to the sentence (it may be the title's) are looked up; a sentence that is
    nowhere in the text stands alone.

    >>> cut_context("First. It rose. Last.", "It rose.", 7, 15, "en")
    ('First. ', 'It rose.', ' Last.')
    """
    room = _CONTEXT_CHARS.get(lang, _CONTEXT_CHARS["en"])
    begin = int(number(start) or 0)
    stop = int(number(end) or 0)
    if text[begin:stop] != sentence:
        begin = text.find(sentence)
        if begin < 0 or not sentence:
            return "", _tidy(sentence)[:_MAX_SENTENCE], ""
        stop = begin + len(sentence)
    low, high = max(0, begin - room), min(len(text), stop + room)
    before, after = text[low:begin], text[stop:high]
    if low > 0:
        ends = [i for i, c in enumerate(before[:-1]) if c in _ENDS or before[i : i + 2] == ". "]
        before = (
            before[ends[0] + 1 :].lstrip() if ends else "…" + (before if lang == "zh" else before.partition(" ")[2])
        )
    if high < len(text):
        ends = [i for i, c in enumerate(after) if i and (c in _ENDS or after[i : i + 2] == ". ")]
        after = after[: ends[-1] + 1] if ends else (after if lang == "zh" else after.rpartition(" ")[0]) + "…"
    return _tidy(before), _tidy(sentence)[:_MAX_SENTENCE], _tidy(after)


def _tidy(text: str) -> str:
    return "".join(" " if c.isspace() else c for c in text if c not in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
