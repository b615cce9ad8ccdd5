"""The page and its figures are made of cells alone, however few."""

from __future__ import annotations

from perma_agent.evaluation.cells import write_cell
from perma_agent.evaluation.report.style import INK
from perma_agent.evaluation.results import read_summary
from perma_agent.studies.exploration import summarise
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.page_curves import COLOUR_OF


def test_partial_cells_give_a_summary_figures_and_a_page(make_cell, tmp_path):
    cells = [
        make_cell("free-indoor-maze-rnd", seed=0, met=9),
        make_cell("free-indoor-maze-rnd", seed=1, met=11),
        make_cell("free-indoor-maze-imagination", seed=0, met=16, name="imagination"),
        make_cell("free-my-way-home-none", seed=1, met=2, name="none", weight=0.0),
        make_cell("sparse-four-rooms-rnd", seed=0, met=12, first=80),
        *(make_cell(f"tune-indoor-maze-rnd-{w:g}", seed=100, met=m, weight=w) for w, m in ((0.1, 3), (1.0, 8))),
    ]
    for cell in cells:
        write_cell(tmp_path, cell)
    summary = summarise(tmp_path)
    assert read_summary(tmp_path / "summary.json") == summary
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert {
        "coverage_free.png",
        "coverage_free_wall_clock.png",
        "coverage_sparse.png",
        "maps_free_indoor_maze.png",
        "maps_free_my_way_home.png",
        "maps_sparse_four_rooms.png",
        "weights.png",
        "report.html",
        "tables.md",
    } <= names
    page = (tmp_path / "report.html").read_text()
    assert "Where they went: reward-free" in page and "From scratch" not in page and "<script" not in page


def test_no_two_arms_have_one_colour():
    assert len({*COLOUR_OF.values(), INK}) == len(ARMS) + 1  # ink is for the leading one
