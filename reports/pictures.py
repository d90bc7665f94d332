"""Charts as PNG and SVG files, drawn without a browser, with Chinese."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from reports.charts import report_charts, section_charts
from reports.content import WeeklyReport
from reports.theme import PICTURE_FONT, chart_config

FORMATS = ("png", "svg")
_WIDTHS = {"overview": 900, "map": 900, "lineage": 900}


def write_pictures(
    report: WeeklyReport,
    folder: Path,
    lang: str = "both",
    formats: Sequence[str] = FORMATS,
    scale: float = 2.0,
) -> list[Path]:
    """Write every chart of the report: `2025-W46-overview.png`, `2025-W46-N0001-volume.png`, …

    Parameters
    ----------
    formats
        `png`, `svg`, or both.
    scale
        Dots a point of the PNG.

    Raises
    ------
    ValueError
        A format is neither.
    RuntimeError
        PNG is asked for and no font on this machine has Chinese: boxes would be drawn, silently.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ValueError(f"pictures are png or svg, got {', '.join(unknown)}")
    if "png" in formats and not has_chinese_font():
        raise RuntimeError(
            "no font on this machine has Chinese, pictures would show boxes: install one, for example "
            "`apt-get install fonts-noto-cjk`, or ask for svg only"
        )
    folder.mkdir(parents=True, exist_ok=True)
    specs = report_charts(report, lang)
    for section in report.sections:
        if section.full:
            specs |= {f"{section.row.id}-{name}": spec for name, spec in section_charts(section, lang).items()}
    paths = []
    for name, spec in specs.items():
        for form in formats:
            path = folder / f"{report.label}-{name}.{form}"
            path.write_bytes(draw(spec, form, scale, _WIDTHS.get(name, 480)))
            paths.append(path)
    return paths


def draw(spec: dict[str, Any], form: str, scale: float = 2.0, width: int = 480) -> bytes:
    """One chart of the report as the bytes of a PNG or SVG file, on white, `width` points wide."""
    import vl_convert

    fixed = {**spec, "width": width}
    config = {**chart_config("light", PICTURE_FONT), "background": "#ffffff", "padding": 12}
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(json.dumps(fixed), config=config, scale=scale))
    return str(vl_convert.vegalite_to_svg(json.dumps(fixed), config=config)).encode("utf-8")


@lru_cache(maxsize=1)
def has_chinese_font() -> bool:
    """Whether Chinese can be drawn: two characters give two pictures, not the same box twice."""
    import vl_convert

    def picture(text: str) -> bytes:
        spec = {
            "data": {"values": [{}]},
            "mark": {"type": "text", "text": text, "fontSize": 40, "font": PICTURE_FONT},
        }
        return bytes(vl_convert.vegalite_to_png(json.dumps(spec)))

    return picture("稀") != picture("磁")
