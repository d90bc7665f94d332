"""The report as one HTML file that asks nothing of the network.

Every text goes through Jinja's autoescape; the figures for the charts are JSON in a script block that cannot
be closed from inside; a content security policy names the page's own scripts by their hash, so that nothing
else runs and nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports import charts, rows
from reports.content import NarrativeSection, WeeklyReport
from reports.marks import sparkline, whisker
from reports.methods import LIMITS, methods
from reports.records import Estimate, Words
from reports.sentences import alert_record_text, mean_text, percent, points, rule_number, signed
from reports.theme import FONT, FONT_ZH, chart_config, css_variables
from reports.words import word

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}
_HTML_LANG = {"zh": "zh-Hans", "en": "en"}


def render_html(
    report: WeeklyReport, lang: str = "both", *, links: dict[str, str] | None = None, script_address: str = ""
) -> str:
    """The whole page as text.

    Parameters
    ----------
    lang
        `both`, `zh` or `en`: the language of the report's own words. Quotes and titles stay as they were
        written.
    links
        For a site: other pages by name (`previous`, `next`, `index`), relative addresses.
    script_address
        For a site: where the chart library lies beside the page; empty puts it into the page.

    Raises
    ------
    ValueError
        `lang` is none of the three.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang needs to be both, zh or en, got {lang!r}")
    script = page_script()
    payload = chart_payload(report, lang)
    data = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    template = environment(lang).get_template("report.html.j2")
    return template.render(
        report=report,
        lang=lang,
        langs=LANGUAGES[lang],
        html_lang=_HTML_LANG[LANGUAGES[lang][0]],
        names=_Known({r.id: r for r in (*report.rows, *report.quiet)}),
        by_id=_Known({s.row.id: s for s in report.sections}),
        alerted={x.narrative for x in report.alerts},
        script=Markup(script),
        csp="'self' file:" if script_address else f"'sha256-{_sha256(script)}'",
        script_address=script_address,
        data=Markup(escape_json(data)),
        style=page_style() + Markup("\n") + table_labels(_table_columns(report, lang)),
        links=_Known(links or {}),
        methods=methods(report.settings),
        limits=LIMITS,
        has_map=bool(report.map),
    )


def page_style() -> Markup:
    """The style sheet with the theme's colours and fonts."""
    light = f":root{{{css_variables('light')};--font:{FONT};--font-zh:{FONT_ZH}}}"
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{css_variables('dark')}}}}}"
    return Markup("\n".join((light, dark, (TEMPLATES / "page.css").read_text(encoding="utf-8"))))


class _Known(dict[str, Any]):
    """What a template may ask for and not get: None instead of an error."""

    def __missing__(self, key: str) -> None:
        return None


@lru_cache(maxsize=3)
def environment(lang: str) -> Any:
    """Jinja environment with autoescape on and the report's words and marks as functions."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    langs = LANGUAGES[lang]

    def both(words: Words, block: bool = False) -> Markup:
        """The words in the chosen languages, each marked with its own; the same in both is said once."""
        if words.zh == words.en:
            return Markup("<span>{}</span>").format(words.zh)
        tag = "div" if block else "span"
        parts = [
            Markup('<{} class="ui" lang="{}">{}</{}>').format(
                Markup(tag), _HTML_LANG[x], getattr(words, x), Markup(tag)
            )
            for x in langs
        ]
        return Markup(" ").join(parts)

    def plain(words: Words) -> str:
        """For attributes."""
        return " / ".join(getattr(words, x) for x in langs)

    env.globals.update(
        both=both,
        plain=plain,
        t=lambda key, **values: both(word(key, **values)),
        a=lambda key, **v: plain(word(key, **v)),
        word=word,
        spark=sparkline,
        whisker=whisker,
        signed=signed,
        percent=percent,
        mean_text=mean_text,
        points=points,
        rule_number=rule_number,
        alert_record=alert_record_text,
        interval=interval,
        html_lang_of=html_lang_of,
    )
    return env


def interval(estimate: Estimate) -> str:
    """The interval of an estimate.

    >>> interval(Estimate(0.4, 0.1, 0.7, 5))
    '[+0.10, +0.70]'
    """
    if estimate.low is None or estimate.high is None:
        return ""
    return f"[{signed(estimate.low)}, {signed(estimate.high)}]"


def html_lang_of(lang: str) -> str:
    """The lang attribute of a text of an article.

    >>> html_lang_of("zh"), html_lang_of("zh-Hant"), html_lang_of("")
    ('zh-Hans', 'zh-Hant', 'und')
    """
    return {"zh": "zh-Hans", "": "und"}.get(lang, lang)


def chart_payload(report: WeeklyReport, lang: str) -> dict[str, Any]:
    """Specifications once, figures per narrative as bare arrays in the order of `weeks`."""
    stance, tone = "stance", "tone"
    return {
        "specs": {mode: charts.narrative_specs(lang, mode) for mode in ("light", "dark")},
        "config": {mode: chart_config(mode) for mode in ("light", "dark")},
        "whole": charts.report_charts(report, lang),
        "weeks": list(report.labels),
        "narratives": {
            s.row.id: {
                "n": [p.n_stories for p in s.points],
                "r": [p.reach for p in s.points],
                "s": [round(p.share, 4) for p in s.points],
                "scores": {what: _columns(s, what) for what in ((stance, tone) if s.row.has_stance else (tone,))},
            }
            for s in report.sections
            if s.full
        },
        "save": [_plain(word("save_svg"), lang), _plain(word("save_png"), lang)],
    }


def _table_columns(report: WeeklyReport, lang: str) -> list[str]:
    keys = ["stories", "reach", "share", "vs_last", "vs_mean4", *(["vs_compared"] if report.compare else [])]
    keys += ["momentum", "stance", "tone", "languages_4w", "lead_source", "trend"]
    return [_plain(word(k), lang) + (f" {report.compare}" if k == "vs_compared" else "") for k in keys]


def table_labels(columns: Sequence[str]) -> Markup:
    """Style rules that head the cells of the narratives' table on a narrow screen, where it has no heading row.

    >>> str(table_labels(["a", "b"]))
    '.narratives td:nth-child(2)::before{content:"a"}\\n.narratives td:nth-child(3)::before{content:"b"}'
    """
    rules = (f'.narratives td:nth-child({i})::before{{content:"{label}"}}' for i, label in enumerate(columns, start=2))
    return Markup("\n".join(rules))


def _columns(section: NarrativeSection, what: str) -> list[list[float | None]]:
    found = rows.score_rows(section.points)
    return [[r["mean"], r["low"], r["high"], r["n"]] for r in found if r["what"] == what]


def _plain(words: Words, lang: str) -> str:
    return " / ".join(getattr(words, x) for x in LANGUAGES[lang])


def escape_json(text: str) -> str:
    """JSON that cannot close, open or comment out anything of the page around it.

    >>> escape_json('"</script>"')
    '"\\\\u003c/script\\\\u003e"'
    """
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@lru_cache(maxsize=1)
def page_script() -> str:
    """Vega, Vega-Lite, Vega-Embed and the page's own script, wrapped in one function (about 0.9 MB)."""
    import vl_convert

    own = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    bundle = vl_convert.javascript_bundle(own)
    # Only what could end the script element: the bundle has the regular expression `/</g`, so a blanket
    # replacement of `</` breaks it.
    return "(function(){" + re.sub(r"<(?=/script|!--)", r"\\x3c", bundle, flags=re.IGNORECASE) + "\n})();"


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
