"""Run log: lines of the updates whose turn it is, and nothing twice after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from perma_agent.continual import Update
from perma_agent.errors import RunFolderError
from perma_agent.studies.run_log import METRICS, RunLog


def update(step: int, environment: int | None = 0, *, opened: bool = False, **metrics: float) -> Update:
    nothing = torch.zeros(1)
    return Update(step=step, environment=environment, opened=opened, alpha=nothing, mask=nothing, metrics=metrics)


def steps_in(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / METRICS).read_text().splitlines()]


def test_every_so_many_and_every_change(tmp_path: Path) -> None:
    environments = [0, 0, 0, 0, None, 1, 1, 1, 0, 0]
    with RunLog(tmp_path, step=0, every=4) as log:
        for step, environment in enumerate(environments, start=1):
            log(update(step, environment, opened=step in (1, 6)))
    # 4 and 8 by their turn; 1, 6 and 9 because the environment was another than before; 5 surprised, which is no change
    assert steps_in(tmp_path) == [1, 4, 6, 8, 9]


def test_what_is_not_a_number_is_null(tmp_path: Path) -> None:
    with RunLog(tmp_path, step=0, every=1) as log:
        log(update(1, loss=2.5, error=float("nan"), limit=float("inf")))
    line = json.loads((tmp_path / METRICS).read_text())
    assert line == {"step": 1, "opened": False, "loss": 2.5, "error": None, "limit": None}


def test_lines_of_batches_that_will_be_seen_again_are_dropped(tmp_path: Path) -> None:
    with RunLog(tmp_path, step=0, every=1) as log:
        for step in range(1, 8):
            log(update(step))
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"step": 8, "ope')  # a process that was killed in the middle of a line
    with RunLog(tmp_path, step=5, every=1) as log:
        log(update(6))
    assert steps_in(tmp_path) == [1, 2, 3, 4, 5, 6]


def test_a_line_cut_short_is_dropped_though_its_step_was_saved(tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text('{"step": 1}\n{"step": 2}')
    with RunLog(tmp_path, step=9, every=1) as log:
        log(update(10))
    assert steps_in(tmp_path) == [1, 10]


def test_flushed_lines_are_on_disk(tmp_path: Path) -> None:
    with RunLog(tmp_path, step=0, every=1) as log:
        log(update(1))
        log.flush()
        assert steps_in(tmp_path) == [1]


@pytest.mark.parametrize("text", ["thesis\n", "[1]\n", '{"stop": 1}\n'])
def test_another_file_of_that_name_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / METRICS).write_text(text)
    with pytest.raises(RunFolderError, match="expected one JSON object a line"):
        RunLog(tmp_path, step=0)
    assert (tmp_path / METRICS).read_text() == text


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / METRICS).mkdir()
    with pytest.raises(RunFolderError, match="expected to write"):
        RunLog(tmp_path, step=0)
