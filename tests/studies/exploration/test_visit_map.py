"""Visit maps come back from a cell as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perma_agent.evaluation.cells import read_cell, write_cell
from perma_agent.studies.exploration.visit_map import has_map, read_map


def test_a_map_comes_back_from_the_file_of_its_cell(make_cell, surveyed, tmp_path):
    cell = read_cell(write_cell(tmp_path, make_cell("free-indoor-maze-rnd", met=5)))
    found = read_map(cell)
    assert has_map(cell)
    assert np.array_equal(found.ground.reachable, surveyed.ground.reachable)
    assert np.allclose(found.ground.walls, surveyed.ground.walls)
    assert (found.ground.corner, found.ground.cell) == (surveyed.ground.corner, surveyed.ground.cell)
    assert found.covered.first[:5].tolist() == [0, 100, 200, 300, 400] and (found.covered.first[5:] == -1).all()
    assert found.covered.share == cell.figures["coverage"]
    assert found.covered.area == pytest.approx(cell.figures["coverage_area"])
    assert (found.start, found.goal) == (surveyed.start, surveyed.goal)


def test_a_damaged_map_is_told_of_in_one_sentence(make_cell):
    cell = make_cell("free-indoor-maze-rnd")
    for name, value in (("first", "1 2"), ("walls", "0.0 x"), ("shape", [10])):
        with pytest.raises(ValueError, match="map of visits in the cell free-indoor-maze-rnd_0"):
            read_map(replace(cell, series={**cell.series, name: value}))
