"""The look, once: colours of the page and of the charts, in light and dark, and the fonts that show
Chinese."""

from __future__ import annotations

from typing import Any

FONT = (
    'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, "PingFang SC", "Hiragino Sans GB", '
    '"Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif'
)
# Chinese first, so that quotation marks and dashes in Chinese text are full-width.
FONT_ZH = '"PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif'
# Pictures are drawn without a browser: the first of these that is installed and has Chinese is taken.
PICTURE_FONT = "Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"

COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "paper": "#ffffff", "card": "#f6f6f3", "ink": "#1b1e22", "muted": "#575e69", "line": "#d8dade",
        "accent": "#0a6870", "soft": "#d9ecec", "stance": "#0a6870", "tone": "#a8481b", "pale": "#b9d5d6",
        "good": "#1d6b35", "bad": "#a3341f", "mark": "#fdeeb3", "warn": "#7a4f00", "warn_soft": "#fdf3d8",
    },
    "dark": {
        "paper": "#15181b", "card": "#1e2226", "ink": "#e7e9ec", "muted": "#a6adb7", "line": "#383e45",
        "accent": "#64c6cb", "soft": "#17393c", "stance": "#64c6cb", "tone": "#f0a06f", "pale": "#2f5457",
        "good": "#7fcf95", "bad": "#f39a85", "mark": "#5b4d12", "warn": "#f2c76b", "warn_soft": "#3a2f14",
    },
}  # fmt: skip
# Told apart with any colour vision (after Okabe and Ito 2008), readable on light and on dark.
CATEGORIES = ("#1577b8", "#e08a00", "#12946c", "#c7699c", "#4fa9dd", "#cf5410", "#8a6bbf")
ACCENT = COLOURS["light"]["accent"]
OTHER = "#8f969f"
UNASSIGNED = "#c3c7cc"


def css_variables(mode: str) -> str:
    """Custom properties of a mode, for a style sheet.

    >>> css_variables("light").split(";")[0]
    '--paper:#ffffff'
    """
    return ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in COLOURS[mode].items())


def chart_config(mode: str, font: str = FONT) -> dict[str, Any]:
    """Vega-Lite configuration for a mode (`light` or `dark`)."""
    c = COLOURS[mode]
    return {
        "font": font,
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {
            "labelColor": c["muted"], "titleColor": c["muted"], "gridColor": c["line"],
            "domainColor": c["line"],
            "tickColor": c["line"],
            "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
            "gridOpacity": 0.7,
        },
        "axisX": {"grid": False},
        "legend": {"labelColor": c["ink"], "titleColor": c["muted"], "labelFontSize": 12},
        "title": {"color": c["ink"], "fontSize": 13, "anchor": "start"},
        "text": {"color": c["ink"]},
        "rule": {"color": c["muted"]},
    }  # fmt: skip
