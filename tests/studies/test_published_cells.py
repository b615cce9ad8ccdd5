"""Published cells are of the preset they name, so that who runs the command goes on where they end."""

import json
from pathlib import Path

import pytest

from perma_agent.evaluation.cells import read_cells
from perma_agent.studies import continual, exploration, level_scores, permanence, sb3, throughput, transfer

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
PUBLISHED = {
    "continual": lambda folder: continual.study.plan(continual.PRESETS["bench"], folder),
    "exploration": lambda folder: exploration.study.plan(exploration.PRESETS["bench"], folder),
    "levels": lambda folder: level_scores.plan(level_scores.PRESETS["bench"]),
    "permanence": lambda folder: permanence.study.plan(permanence.PRESETS["bench"], folder),
    "sb3": lambda folder: sb3.study.plan(sb3.PRESETS["bench"], folder),
    "throughput": lambda folder: throughput.plan(throughput.PRESETS["bench"]),
    "transfer": lambda folder: transfer.study.plan(transfer.PRESETS["bench"], folder),
}


def test_every_study_with_published_cells_is_looked_at():
    assert set(PUBLISHED) == {cells.parent.name for cells in RESULTS.glob("*/cells")}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_cell_is_planned_with_its_settings(name):
    folder = RESULTS / name
    planned = {(cell.arm, cell.seed): json.loads(json.dumps(cell.settings)) for cell in PUBLISHED[name](folder)}
    published = read_cells(folder)
    assert published
    assert [cell.arm for cell in published if planned.get((cell.arm, cell.seed)) != cell.settings] == []
