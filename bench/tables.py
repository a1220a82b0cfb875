"""Tables that read well on a terminal and are Markdown at the same time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    note: str = ""

    def markdown(self) -> str:
        lines = [tuple(self.columns), *(tuple(row) for row in self.rows)]
        widths = [max(len(line[number]) for line in lines) for number in range(len(self.columns))]
        text = [_line(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        text.insert(1, _line("-" * width for width in widths))
        parts = [f"### {self.title}", "", *text]
        return "\n".join([*parts, "", self.note] if self.note else parts) + "\n"


def _line(cells: object) -> str:
    return "| " + " | ".join(cells) + " |"  # type: ignore[arg-type]


def number(value: float) -> str:
    """About three significant digits."""
    if math.isnan(value):
        return "-"
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def pair(first: float, second: float) -> str:
    return f"{number(first)} / {number(second)}"


def split(parts: dict[str, float], largest: int = 9) -> str:
    """The largest parts of a whole, by name."""
    ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))[:largest]
    return ", ".join(f"{name} {number(value)}" for name, value in ordered) or "-"
