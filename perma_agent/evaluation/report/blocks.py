"""What stands on a page, paragraphs, figures, tables and what opens on a click, and how each becomes HTML."""

from __future__ import annotations

import base64
import html
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from perma_agent.evaluation.report.style import DPI, png

CSS_PIXELS = 100
"""CSS pixels to an inch of figure; saved at `DPI` it stays sharp on dense screens."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Paragraphs, divided by empty lines."""

    text: str
    """Plain text; nothing in it is read as HTML."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure with what one must know to read it and to make it again."""

    figure: Figure
    """The figure."""
    alt: str
    """What it shows, for who cannot see it."""
    caption: str
    """What to see in it."""
    command: str
    """The command that makes it again."""
    seed: int | str
    """Its seed, or seeds in words (`0 to 4`)."""

    def __post_init__(self) -> None:
        empty = [name for name in ("alt", "caption", "command") if not getattr(self, name).strip()]
        if empty:
            raise ValueError(f"expected every figure with alt text, caption and command, got no {', '.join(empty)}")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under headings."""

    header: Sequence[str]
    """One heading a column."""
    rows: Sequence[Sequence[object]]
    """Cells, shown by `format_value`; as many as there are headings."""
    caption: str = ""
    """A line above."""

    def __post_init__(self) -> None:
        wrong = sorted({len(row) for row in self.rows} - {len(self.header)})
        if wrong:
            raise ValueError(f"expected {len(self.header)} cells in each row, as many as headings, got {wrong}")


@dataclass(frozen=True, kw_only=True)
class Details:
    """Blocks that open when their heading is clicked."""

    summary: str
    """The heading."""
    blocks: Sequence[Block]
    """What is hidden until then."""


Block = Text | Picture | Table | Details


def block_html(block: Block) -> Iterator[str]:
    """Lines of HTML; all text is escaped, and figures stand in the line itself."""
    match block:
        case Text():
            yield from paragraphs_html(block.text)
        case Picture():
            yield from _picture(block)
        case Table():
            yield from _table(block)
        case Details():
            yield f"<details><summary>{html.escape(block.summary)}</summary>"
            for inner in block.blocks:
                yield from block_html(inner)
            yield "</details>"


def table_markdown(table: Table) -> str:
    """The table in Markdown, for pages that are read as text, its caption above."""
    lines = [table.header, ["---"] * len(table.header), *([format_value(value) for value in row] for row in table.rows)]
    body = "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
    return f"{table.caption}\n\n{body}\n" if table.caption else f"{body}\n"


def paragraphs_html(text: str) -> Iterator[str]:
    """Paragraphs of plain text, divided by empty lines."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield f"<p>{html.escape(paragraph)}</p>"


def _picture(picture: Picture) -> Iterator[str]:
    image = png(picture.figure)
    width, height = (round(side * CSS_PIXELS / DPI) for side in struct.unpack(">II", image[16:24]))  # IHDR
    yield "<figure>"
    yield '<div class="plate">'
    source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    yield f'<img src="{source}" alt="{html.escape(picture.alt)}" width="{width}" height="{height}">'
    yield "</div>"
    yield f"<figcaption>{html.escape(picture.caption)}"
    command, seed = html.escape(picture.command), html.escape(str(picture.seed))
    yield f'<span class="source"><code>{command}</code>, seed {seed}</span>'
    yield "</figcaption></figure>"


def _table(table: Table) -> Iterator[str]:
    yield '<div class="table"><table>'
    if table.caption:
        yield f"<caption>{html.escape(table.caption)}</caption>"
    headings = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.header)
    yield f"<thead><tr>{headings}</tr></thead><tbody>"
    for row in table.rows:
        yield f"<tr>{''.join(_cell(value) for value in row)}</tr>"
    yield "</tbody></table></div>"


def _cell(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    opening = '<td class="number">' if is_number else "<td>"
    return f"{opening}{html.escape(format_value(value))}</td>"


def format_value(value: object) -> str:
    """A cell's text: four significant digits for numbers that are no integers, `–` for None, `yes` and `no`."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return f"{round(value):,}"
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
