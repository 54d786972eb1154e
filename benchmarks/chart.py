"""Draws the comparison: a panel of bars for each column, as an SVG that needs nothing but itself."""

from collections.abc import Sequence
from html import escape
from statistics import median

from benchmarks.comparison import COLUMNS, Column, Line

WIDTH, PANEL_WIDTH, NAME_WIDTH, BAR_WIDTH = 960, 460, 80, 270
BAR, GAP, HEAD, MARGIN = 16, 6, 34, 20
OURS, THEIRS, INK, PAPER = "#b45309", "#94a3b8", "#1e293b", "#ffffff"


def chart(lines: Sequence[Line], conditions: str) -> str:
    """Give the SVG's text: what was measured of each system, the best on top; `conditions` stands below."""
    present = [line for line in lines if not line.absent]
    panel_height = HEAD + len(present) * (BAR + GAP) + MARGIN
    height = MARGIN + (len(COLUMNS) + 1) // 2 * panel_height + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
    ]
    for number, column in enumerate(COLUMNS):
        left, top = MARGIN + number % 2 * PANEL_WIDTH, MARGIN + number // 2 * panel_height
        parts += [f'<g transform="translate({left} {top})" fill="{INK}" font-size="12">', *_panel(column, present)]
        parts.append("</g>")
    parts.append(f'<text x="{MARGIN}" y="{height - 12}" font-size="11" fill="{INK}">{escape(conditions)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(column: Column, lines: Sequence[Line]) -> list[str]:
    values = {line.system: median(line.values[column.key]) for line in lines}
    ordered = sorted(values, key=lambda system: values[system], reverse=column.more_is_better)
    direction = "more is better" if column.more_is_better else "less is better"
    parts = [
        f'<text y="16" font-size="14" font-weight="bold">{escape(column.title)}</text>',
        f'<text x="{PANEL_WIDTH - 2 * MARGIN}" y="16" text-anchor="end">{escape(column.unit)}, {direction}</text>',
    ]
    longest = max(values.values())
    for place, system in enumerate(ordered):
        top = HEAD + place * (BAR + GAP)
        length = max(1.0, values[system] / longest * BAR_WIDTH)
        colour, weight = (OURS, "bold") if system == "Caraway" else (THEIRS, "normal")
        middle = f'y="{top + BAR - 4}" font-weight="{weight}"'
        parts += [
            f'<text x="{NAME_WIDTH - 8}" {middle} text-anchor="end">{escape(system)}</text>',
            f'<rect x="{NAME_WIDTH}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{NAME_WIDTH + length + 6:.1f}" {middle}>{number(values[system])}</text>',
        ]
    return parts


def number(value: float) -> str:
    """Write a figure with as many digits as it bears."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
