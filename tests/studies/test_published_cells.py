"""Published cells are of the preset they name, so that who runs the command goes on where they end."""

import json
from pathlib import Path

import pytest

from perma_agent.evaluation.cells import read_cells
from perma_agent.studies.exploration import PRESETS as EXPLORATION
from perma_agent.studies.exploration.study import plan as plan_exploration
from perma_agent.studies.permanence import PRESETS as PERMANENCE
from perma_agent.studies.permanence.study import plan as plan_permanence

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.mark.parametrize(
    ("name", "plan", "preset"),
    [
        ("exploration", plan_exploration, EXPLORATION["bench"]),
        ("permanence", plan_permanence, PERMANENCE["bench"]),
    ],
)
def test_every_published_cell_is_planned_with_its_settings(name, plan, preset):
    planned = {(cell.arm, cell.seed): json.loads(json.dumps(cell.settings)) for cell in plan(preset, RESULTS / name)}
    published = read_cells(RESULTS / name)
    assert published
    assert [cell.arm for cell in published if planned.get((cell.arm, cell.seed)) != cell.settings] == []
