"""What the simulation found, drawn as SVG: makespan over the bound, and the cost of a decision."""

from __future__ import annotations

from html import escape
from math import log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH, HEIGHT, MARGIN = 420, 300, 55
COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#8a5a9e")


def draw(rows: Sequence[dict[str, Any]]) -> str:
    """Draw both diagrams side by side."""
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    ratios = _panel(0, "makespan / bound", shapes, rows, lambda row: row["ratio"], (1.0, 1.15), 1.05)
    costs = _panel(1, "median of a decision, µs", shapes, rows, lambda row: row["median"], (0.0, 100.0), 50.0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT + 30}"'
        f' font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + ratios
        + costs
        + _legend(shapes)
        + "</svg>\n"
    )


def _panel(
    number: int,
    title: str,
    shapes: Sequence[str],
    rows: Sequence[dict[str, Any]],
    value: Callable[[dict[str, Any]], float],
    span: tuple[float, float],
    target: float,
) -> str:
    low, high = span[0], max(span[1], *map(value, rows))
    left, right = number * WIDTH + MARGIN, (number + 1) * WIDTH - 15
    top, bottom = 35, HEIGHT - MARGIN + 15

    def across(row: dict[str, Any]) -> float:
        return left + 15 + (log10(row["boards"]) - 1) / 3 * (right - left - 30)

    def up(found: float) -> float:
        return bottom - (found - low) / (high - low) * (bottom - top)

    parts = [
        f'<text x="{(left + right) / 2}" y="20" text-anchor="middle">{escape(title)}</text>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="black"/>',
        f'<path d="M{left} {up(target):.1f}H{right}" stroke="gray" stroke-dasharray="4"/>',
        f'<text x="{right}" y="{up(target) - 4:.1f}" text-anchor="end" fill="gray">{target:g}</text>',
        f'<text x="{left - 6}" y="{bottom}" text-anchor="end">{low:g}</text>',
        f'<text x="{left - 6}" y="{top + 8}" text-anchor="end">{high:.3g}</text>',
    ]
    for boards in sorted({row["boards"] for row in rows}):
        x = across({"boards": boards})
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{boards:,}</text>')
    for shape, colour in zip(shapes, COLOURS, strict=False):
        own = sorted((row for row in rows if row["shape"] == shape), key=lambda row: row["boards"])
        largest = {row["boards"]: row for row in own}
        line = " ".join(f"{across(row):.1f},{up(value(row)):.1f}" for row in largest.values())
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        parts += [
            f'<circle cx="{across(row):.1f}" cy="{up(value(row)):.1f}" r="3.5" fill="{colour}"/>'
            for row in own
        ]
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 32}" text-anchor="middle">boards</text>')
    return "\n".join(parts) + "\n"


def _legend(shapes: Sequence[str]) -> str:
    parts = []
    for at, (shape, colour) in enumerate(zip(shapes, COLOURS, strict=False)):
        x = MARGIN + at * 190
        parts.append(f'<circle cx="{x}" cy="{HEIGHT + 14}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 10}" y="{HEIGHT + 18}">{escape(shape)}</text>')
    return "\n".join(parts) + "\n"
