"""Figures and sections of the page, of whatever cells there are."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.evaluation.report import Table
from perma_agent.evaluation.report.style import png
from perma_agent.studies.page_parts import Drawn
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.figures import efficiency_figure
from perma_agent.studies.transfer.sample_efficiency.page import contents_of


def parts_of(cells) -> dict[str, object]:
    found = [part for _, parts in contents_of(cells) for part in parts]
    return {part.name: part for part in found if isinstance(part, Drawn)} | {
        f"table {place}": part for place, part in enumerate(part for part in found if isinstance(part, Table))
    }


@pytest.fixture
def cells(make_cell, make_players, make_codes):
    return [
        cell
        for level in ("forage", "oneroom")
        for seed in range(2)
        for cell in (
            make_players(seed, level=level),
            make_codes(seed, level=level),
            *(make_cell(arm, seed, [0.0, 1.0 + seed, 2.0], level=level) for arm in ARMS),
        )
    ]


def test_all_figures_and_a_table_a_level(cells):
    parts = parts_of(cells)
    assert set(parts) == {
        "sample_efficiency_steps",
        "sample_efficiency_steps_with_pretraining",
        "sample_efficiency_minutes",
        "sample_efficiency_final",
        "table 0",
        "table 1",
    }
    figure = parts["sample_efficiency_steps"].figure
    assert [axes.get_title() or axes.get_title(loc="left") for axes in figure.axes] == [
        "perma/forage",
        "perma/oneroom",
        "all levels",
    ]
    table = parts["table 0"]
    assert [row[0] for row in table.rows] == [arm.title for arm in ARMS.values()]
    vase = next(row for row in table.rows if row[0] == ARMS["vase"].title)
    assert vase[4] == "40" and vase[5] == "0.2" and vase[6] == "2"


def test_lines_are_moved_by_what_was_spent_on_pretraining(cells):
    parts = parts_of(cells)

    def begin(name: str, arm: str) -> float:
        lines = {line.get_label(): line for line in parts[name].figure.axes[0].lines}
        return float(np.asarray(lines[ARMS[arm].title].get_xdata())[0])

    assert begin("sample_efficiency_steps", "vase") == begin("sample_efficiency_steps", "nature") == 10
    assert begin("sample_efficiency_steps_with_pretraining", "vase") == 50
    assert begin("sample_efficiency_steps_with_pretraining", "random") == 10  # nothing was pretrained
    assert begin("sample_efficiency_minutes", "vae") == pytest.approx((4 + 6 + 2) / 60)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_page_of_some_cells_only(cells, count):
    for part in parts_of(cells[:count]).values():
        if isinstance(part, Drawn):
            assert png(part.figure).startswith(b"\x89PNG")


def test_a_figure_needs_a_panel():
    with pytest.raises(ValueError, match=r"^expected at least one panel, got none$"):
        efficiency_figure([], along="steps")
