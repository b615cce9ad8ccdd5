"""The page is made of whatever cells there are: each part has its figure, and each figure is on the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from perma_agent.evaluation.cells import Cell, write_cell
from perma_agent.evaluation.results import read_summary
from perma_agent.studies.sb3 import summarise
from perma_agent.studies.sb3.switch_figure import publications_figure, switch_figure


def published(cells: Sequence[Cell], folder: Path) -> tuple[dict[str, bytes], str]:
    """Figures by name, and the page."""
    for cell in cells:
        write_cell(folder, cell)
    summary = summarise(folder)
    assert read_summary(folder / "summary.json") == summary
    figures = {path.stem: path.read_bytes() for path in folder.glob("*.png")}
    return figures, (folder / "report.html").read_text(encoding="utf-8")


def shown(page: str) -> list[bytes]:
    return [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)]


def test_everything_is_rebuilt_from_the_cells_and_needs_nothing_else(cells: list[Cell], tmp_path: Path) -> None:
    figures, page = published(cells, tmp_path)
    assert set(figures) == {"speed", "switch", "publications"}
    assert sorted(shown(page)) == sorted(figures.values())
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert "://" not in text and "<script" not in text and str(tmp_path) not in text
    assert "nan" not in re.findall(r">([^<]*)<", text)
    assert "perma-agent study sb3 --preset bench --summarise" in text
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} == {".png", ".html", ".md", ".json"}
    tables = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert "| VASE frozen, EncodedObservation | 210 (210 to 210) | 2.10 (2.10 to 2.10) |" in tables
    assert "| processes sent SIGKILL | 11 |" in tables


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ("timed", {"speed"}),
        ("killed", set()),
        ("chance", set()),
        ("frozen", {"switch"}),
        ("continual", {"switch", "publications"}),
    ],
)
def test_any_part_alone(invent: SimpleNamespace, parts: str, names: set[str], tmp_path: Path) -> None:
    made = {"timed": lambda: invent.timed(1), "killed": invent.killed, "chance": invent.chance}
    one = made[parts]() if parts in made else invent.switched(parts, 3)
    figures, page = published([one], tmp_path)
    assert set(figures) == names and sorted(shown(page)) == sorted(figures.values())


def test_the_same_cells_give_the_same_figures(invent: SimpleNamespace, tmp_path: Path) -> None:
    cells = [invent.timed(1), invent.switched("continual", 0), invent.chance()]
    assert published(cells, tmp_path / "a")[0] == published(list(reversed(cells)), tmp_path / "b")[0]


def test_the_switch_is_drawn_where_it_was_and_returns_beside_it(invent: SimpleNamespace) -> None:
    figure = switch_figure([invent.switched("continual", seed) for seed in (0, 1)])
    returns, ticks = figure.axes
    dashed = [line for line in returns.lines if line.get_xdata()[0] == line.get_xdata()[1] == 400]
    assert len(dashed) == 1
    mean = next(line for line in returns.lines if line.get_label() == "VASE continual")
    assert mean.get_xdata().tolist() == list(range(50, 800, 100))  # eight rollouts of 100 steps
    assert mean.get_ydata().tolist() == [0.0] * 4 + [1.0] * 4
    strokes = [collection for collection in ticks.collections if len(collection.get_segments())]
    assert len(strokes) == 2 * 7
    colours = {tuple(np.round(stroke.get_colors()[0], 3)) for stroke in strokes}
    assert len(colours) == 3  # environment 0, undecided, environment 1


def test_only_publications_are_drawn_as_such(invent: SimpleNamespace) -> None:
    moved, changed = publications_figure([invent.switched("continual", 0)]).axes
    dots = [line for line in (*moved.lines, *changed.lines) if line.get_linestyle() == "None"]
    assert [len(line.get_xdata()) for line in dots] == [7, 7, 7, 7]
