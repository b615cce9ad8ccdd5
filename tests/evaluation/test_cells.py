"""Cells read back as written, are found again, and are never mixed with other settings."""

import json

import numpy as np
import pytest

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.cells import (
    Cell,
    DamagedCellWarning,
    cell_path,
    finished_cell,
    over_seeds,
    read_cell,
    read_cells,
    write_cell,
)

SETTINGS = {"preset": "smoke", "steps": 100, "filters": (8, 8)}


def cell(arm="sda", seed=0, **changes) -> Cell:
    values = {"settings": SETTINGS, "figures": {"accuracy": np.float32(0.5) + seed}, "seconds": 1.5, **changes}
    return Cell(study="continual", arm=arm, seed=seed, **values)


def test_what_is_written_reads_back(tmp_path):
    written = cell("none_entangled", 12, series={"steps": np.arange(3), "error": np.array([1.0, np.nan, 3.0])})
    path = write_cell(tmp_path, written)
    assert path == tmp_path / "cells" / "none_entangled_12.json"
    assert read_cell(path) == written
    assert read_cell(path).series == {"steps": [0, 1, 2], "error": [1.0, None, 3.0]}


def test_a_finished_cell_is_found_and_a_missing_one_is_not(tmp_path):
    write_cell(tmp_path, cell())
    assert finished_cell(tmp_path, arm="sda", seed=0, settings=SETTINGS) == cell()
    assert finished_cell(tmp_path, arm="sda", seed=1, settings=SETTINGS) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"seed": 0', '"seed": 3'),
        lambda text: text.replace('"seconds"', '"minutes"'),
    ],
)
def test_a_damaged_cell_is_run_again_with_a_warning(tmp_path, damage):
    path = write_cell(tmp_path, cell())
    path.write_text(damage(path.read_text()))
    with pytest.warns(DamagedCellWarning, match="run again now"):
        assert finished_cell(tmp_path, arm="sda", seed=0, settings=SETTINGS) is None
    with pytest.raises(RunFolderError, match=str(path)):
        read_cells(tmp_path)


def test_cells_of_other_settings_are_neither_used_nor_lost(tmp_path):
    path = write_cell(tmp_path, cell())
    before = path.read_bytes()
    with pytest.raises(RunFolderError, match=r"got others for filters, steps; write to another folder"):
        finished_cell(tmp_path, arm="sda", seed=0, settings={"preset": "smoke", "steps": 200})
    assert path.read_bytes() == before


def test_figures_come_in_the_order_of_the_seeds(tmp_path):
    for seed in (10, 2, 0):
        write_cell(tmp_path, cell(seed=seed))
    write_cell(tmp_path, cell(arm="a"))
    cells = read_cells(tmp_path)
    assert [(one.arm, one.seed) for one in cells] == [("a", 0), ("sda", 0), ("sda", 2), ("sda", 10)]
    np.testing.assert_array_equal(over_seeds(cells, "accuracy", arm="sda"), [0.5, 2.5, 10.5])


def test_missing_figures_arms_and_cells_are_named(tmp_path):
    cells = [cell(), cell(seed=1, figures={"accuracy": float("nan")})]
    with pytest.raises(RunFolderError, match=r"none for the seeds \[1\]"):
        over_seeds(cells, "accuracy", arm="sda")
    with pytest.raises(RunFolderError, match="no such cell"):
        over_seeds(cells, "accuracy", arm="sd")
    with pytest.raises(RunFolderError, match="got none; run the study first"):
        read_cells(tmp_path)


@pytest.mark.parametrize("changes", [{"arm": "../up"}, {"arm": ""}, {"seed": -1}, {"seconds": float("nan")}])
def test_cells_that_could_not_be_filed_are_refused(changes):
    with pytest.raises(ValueError, match="expected"):
        cell(**changes)


def test_a_cell_is_plain_json(tmp_path):
    write_cell(tmp_path, cell())
    document = json.loads(cell_path(tmp_path, arm="sda", seed=0).read_text())
    assert document["settings"] == {"preset": "smoke", "steps": 100, "filters": [8, 8]}
    assert document["figures"] == {"accuracy": 0.5}
