"""Draws lines over time: a panel for each kind of figure, as an SVG that needs nothing but itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, LEFT, RIGHT, HEAD, FOOT = 900, 230, 60, 220, 34, 30
INK, FAINT, PAPER = "#1e293b", "#cbd5e1", "#ffffff"
COLOURS = ("#b45309", "#0369a1", "#15803d", "#7e22ce", "#be123c", "#475569")


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: `lines` are (seconds, value) by name; values begin at 0."""

    title: str
    unit: str
    lines: dict[str, Sequence[tuple[float, float]]]


def draw(panels: Sequence[Panel], caption: str) -> str:
    """Give the SVG's text; `caption` stands below."""
    height = len(panels) * PANEL + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" fill="{INK}">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate(0 {number * PANEL})">', *_panel(panel), "</g>"]
    parts.append(f'<text x="{LEFT}" y="{height - 10}" font-size="11">{escape(caption)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel) -> list[str]:
    points = [point for line in panel.lines.values() for point in line]
    end, most = max(at for at, _ in points) or 1.0, max(value for _, value in points) * 1.1 or 1.0
    bottom, wide, high = PANEL - 24, WIDTH - LEFT - RIGHT, PANEL - 24 - HEAD

    def place(at: float, value: float) -> str:
        return f"{LEFT + at / end * wide:.1f},{bottom - value / most * high:.1f}"

    parts = [f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(panel.title)}</text>']
    for part in (0.0, 0.5, 1.0):
        level = bottom - part * high
        parts += [
            f'<path d="M{LEFT} {level:.1f}H{LEFT + wide}" stroke="{FAINT}"/>',
            f'<text x="{LEFT - 6}" y="{level + 4:.1f}" text-anchor="end">{_short(part * most)}</text>',
        ]
    parts.append(f'<text x="{LEFT - 6}" y="{HEAD - 14}" text-anchor="end">{escape(panel.unit)}</text>')
    parts.append(f'<text x="{LEFT + wide}" y="{bottom + 16}" text-anchor="end">{end:.0f} s</text>')
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(place(at, value) for at, value in line)
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<text x="{LEFT + wide + 12}" y="{HEAD + 12 + number * 18}" fill="{colour}">{escape(name)}: '
            f"{_short(line[-1][1])}</text>",
        ]
    return parts


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
