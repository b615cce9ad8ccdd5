"""A report as one HTML file: figures inline, light and dark, readable on a phone, no script and nothing fetched."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perma_agent.evaluation.atomic_write import write_text
from perma_agent.evaluation.report.blocks import Block, Details, Table, block_html, format_value, paragraphs_html
from perma_agent.evaluation.report.stylesheet import STYLESHEET
from perma_agent.evaluation.results import Row, Summary

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Content security policy: the browser itself refuses whatever is not in the file."""
SIGNS = re.compile("<=|>=|==")
"""Of a goal, shown in tiles as in print."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with an anchor, and what stands under it."""

    title: str
    """The heading; the anchor is made of it."""
    blocks: Sequence[Block]
    """In order."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A report."""

    title: str
    """Of the page."""
    introduction: str
    """What was done, in a few sentences."""
    sections: Sequence[Section]
    """In order."""
    summary: Summary
    """The study's results: the key figures at the top, all rows at the end, and how they were made."""
    tiles: Sequence[str] | None = None
    """Ids of the rows shown as tiles at the top; None shows those which have a goal."""


def render(page: Page) -> str:
    """The page as HTML; the same text for the same page."""
    anchors = _anchors([section.title for section in page.sections])
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">',
            f"<title>{html.escape(page.title)}</title>",
            f"<style>{STYLESHEET}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{html.escape(page.title)}</h1>",
            *paragraphs_html(page.introduction),
            "</header>",
            *_tiles(page),
            *_contents(page.sections, anchors),
            "<main>",
            *(line for pair in zip(page.sections, anchors, strict=True) for line in _section(*pair)),
            *_section(Section(title="How this was made", blocks=_making(page.summary)), "how-this-was-made"),
            "</main>",
            "</body>",
            "</html>\n",
        )
    )


def write_page(page: Page, path: Path | str) -> None:
    """Write the page atomically."""
    write_text(path, render(page))


def results_table(summary: Summary) -> Table:
    """All rows of a summary, with intervals and goals."""
    rows = [
        (
            row.id,
            row.mean,
            "–" if row.mean is None else f"{format_value(row.low)} to {format_value(row.high)}",
            row.n,
            row.unit,
            row.goal,
            row.met,
            row.note,
        )
        for row in summary.rows
    ]
    return Table(header=("figure", "mean", "95% interval", "seeds", "unit", "goal", "reached", "note"), rows=rows)


def _tiles(page: Page) -> Iterator[str]:
    chosen = (
        [page.summary[id] for id in page.tiles]
        if page.tiles is not None
        else [row for row in page.summary.rows if row.goal is not None]
    )
    if not chosen:
        return
    yield '<ul class="tiles">'
    for row in chosen:
        yield _tile(row)
    yield "</ul>"


def _tile(row: Row) -> str:
    state, verdict = {True: ("met", "✓ reached"), False: ("short", "✗ not reached"), None: ("", "")}[row.met]
    goal = "" if row.goal is None else f"goal {SIGNS.sub(_sign, row.goal)} {row.unit}".rstrip()
    spread = (
        "" if row.mean is None or row.n < 2 else f"{format_value(row.low)} to {format_value(row.high)}, n = {row.n}"
    )
    lines = (
        f'<span class="name">{html.escape(row.id.replace("_", " "))}</span>',
        f'<span class="value">{html.escape(format_value(row.mean))} <small>{html.escape(row.unit)}</small></span>',
        f'<span class="spread">{html.escape(spread)}</span>' if spread else "",
        f'<span class="goal">{html.escape(goal)} <b>{verdict}</b></span>' if goal else "",
        f'<span class="note">{html.escape(row.note)}</span>' if row.note else "",
    )
    return f'<li class="{state}">{"".join(lines)}</li>'


def _sign(found: re.Match[str]) -> str:
    return {"<=": "≤", ">=": "≥", "==": "="}[found[0]]


def _contents(sections: Sequence[Section], anchors: Sequence[str]) -> Iterator[str]:
    yield '<nav aria-label="Contents"><ul>'
    for section, anchor in zip(sections, anchors, strict=True):
        yield f'<li><a href="#{anchor}">{html.escape(section.title)}</a></li>'
    yield '<li><a href="#how-this-was-made">How this was made</a></li></ul></nav>'


def _section(section: Section, anchor: str) -> Iterator[str]:
    yield f'<section id="{anchor}"><h2><a href="#{anchor}">{html.escape(section.title)}</a></h2>'
    for block in section.blocks:
        yield from block_html(block)
    yield "</section>"


def _making(summary: Summary) -> tuple[Block, ...]:
    machine = summary.machine
    facts = (
        ("command", summary.command),
        ("preset", summary.preset),
        ("commit", summary.commit),
        ("date", summary.date),
        ("processor", f"{machine.cpu}, {machine.cores} cores"),
        ("accelerator", machine.accelerator or "none"),
        ("torch", machine.torch),
    )
    everything = Details(summary=f"All {len(summary.rows)} figures", blocks=(results_table(summary),))
    return Table(header=("", ""), rows=facts), everything


def _anchors(titles: Sequence[str]) -> list[str]:
    """Anchors of small letters, digits and hyphens, each only once."""
    taken = {"how-this-was-made"}
    anchors = []
    for title in titles:
        plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        anchor = plain
        number = 2
        while anchor in taken:
            anchor = f"{plain}-{number}"
            number += 1
        taken.add(anchor)
        anchors.append(anchor)
    return anchors
