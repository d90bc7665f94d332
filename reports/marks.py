"""Small pictures inside a line, as SVG without a script: a sparkline and an interval on the scale from -1 to
+1."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reports.records import Estimate


def sparkline(counts: Sequence[int], height: int = 22) -> Markup:
    """Bars, the last one marked; its text alternative lists the numbers.

    >>> str(sparkline([0, 2]))[:34]
    '<svg class="spark" viewBox="0 0 16'
    """
    top = max([*counts, 1])
    early, last = [], ""
    for i, n in enumerate(counts):
        h = max(round(n / top * (height - 2)), 1) if n else 0.6
        path = f"M{i * 8} {height}v-{h:g}h6v{h:g}z"
        if i == len(counts) - 1:
            last = path
        else:
            early.append(path)
    label = ", ".join(map(str, counts))
    return Markup(
        f'<svg class="spark" viewBox="0 0 {len(counts) * 8} {height}" role="img" aria-label="{label}">'
        f'<path d="{"".join(early)}"/><path class="now" d="{last}"/></svg>'
    )


def whisker(estimate: Estimate) -> Markup:
    """Mean and interval of an estimate; nothing where there is no mean."""
    if estimate.mean is None:
        return Markup("")

    def place(value: float) -> str:
        return f"{40 + 38 * max(-1.0, min(1.0, value)):.1f}"

    bar = ""
    if estimate.low is not None and estimate.high is not None:
        bar = f'<path class="bar" d="M{place(estimate.low)} 6H{place(estimate.high)}"/>'
    return Markup(
        '<svg class="whisker" viewBox="0 0 80 12" aria-hidden="true"><path class="axis" d="M2 6H78M40 1V11"/>'
        f'{bar}<circle cx="{place(estimate.mean)}" cy="6" r="3"/></svg>'
    )
