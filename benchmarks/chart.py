"""Draw the report's bars as SVG by hand, so that the benchmark needs no drawing library.

Logarithmic scales: the candidates lie three orders of magnitude apart.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.measures import Measures

_WIDTH, _PANEL_TOP, _ROW, _LABEL_WIDTH, _VALUE_WIDTH = 860, 34, 26, 190, 90
_OURS = "#2f6fde"
_OTHERS = "#9aa5b1"


@dataclass(frozen=True, slots=True)
class Panel:
    """One group of bars: its heading and the figure it shows."""

    heading: str
    figure: Callable[[Measures], float | None]


PANELS = (
    Panel("calls a second on one core (more is better)", lambda m: m.calls_per_s),
    Panel("CPU µs a call (less is better)", lambda m: m.cpu_us_per_call),
    Panel("CPU µs a streamed chunk (less is better)", lambda m: m.cpu_us_per_chunk),
    Panel("KiB an open stream (less is better)", lambda m: m.kib_per_stream),
)


def draw(rows: Mapping[str, Measures], *, ours: str = "LLM Gateway") -> str:
    """Return an SVG document with one bar a candidate and panel."""
    panel_height = _PANEL_TOP + _ROW * len(rows) + 14
    height = panel_height * len(PANELS) + 10
    panels = "\n".join(_panel(panel, rows, ours, 10 + panel_height * i) for i, panel in enumerate(PANELS))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="14">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n{panels}\n</svg>\n'
    )


def bar_width(value: float, largest: float, *, room: float) -> float:
    """Return the length of a bar on a logarithmic scale that begins at one."""
    return max(2.0, room * math.log10(max(value, 1.0)) / math.log10(max(largest, 10.0)))


def _panel(panel: Panel, rows: Mapping[str, Measures], ours: str, top: int) -> str:
    figures = {title: panel.figure(row) for title, row in rows.items()}
    largest = max((value for value in figures.values() if value is not None), default=1.0)
    heading = f'<text x="10" y="{top + 18}" font-weight="600" fill="#1f2933">{escape(panel.heading)}, log scale</text>'
    bars = [
        _bar(title.replace("`", ""), value, largest, _OURS if title == ours else _OTHERS, top + _PANEL_TOP + _ROW * i)
        for i, (title, value) in enumerate(figures.items())
    ]
    return "\n".join([heading, *bars])


def _bar(title: str, value: float | None, largest: float, colour: str, y: int) -> str:
    label = f'<text x="{_LABEL_WIDTH}" y="{y + 15}" text-anchor="end" fill="#1f2933">{escape(title)}</text>'
    x = _LABEL_WIDTH + 10
    if value is None:
        return f'{label}\n<text x="{x}" y="{y + 15}" fill="#52606d">not measured</text>'
    width = bar_width(value, largest, room=_WIDTH - x - _VALUE_WIDTH)
    figure = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    return (
        f'{label}\n<rect x="{x}" y="{y}" width="{width:.0f}" height="{_ROW - 6}" rx="2" fill="{colour}"/>\n'
        f'<text x="{x + width + 6:.0f}" y="{y + 15}" fill="#1f2933">{figure}</text>'
    )
