"""Cells measured in processes: the same numbers however many there are, and nothing lost when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from perma_agent.errors import PermaAgentError
from perma_agent.evaluation.cells import read_cells
from perma_agent.studies.cell_runs import run_cells
from perma_agent.studies.planned_cell import Measured, PlannedCell

pytestmark = pytest.mark.timeout(120)


def measure(number: int, advance: Callable[[float], None]) -> Measured:
    advance(1.0)
    advance(1.0)
    return Measured(figures={"double": 2.0 * number, "threads": float(torch.get_num_threads())})


def die(advance: Callable[[float], None]) -> Measured:
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fail(advance: Callable[[float], None]) -> Measured:
    raise PermaAgentError("expected luck, got none; try again")


def cell(number: int, work: Callable[..., Measured] | None = None) -> PlannedCell:
    return PlannedCell(
        arm=f"arm{number}",
        seed=0,
        settings={"preset": "smoke"},
        work=2.0,
        measure=work or partial(measure, number),
    )


class Bar:
    """A progress bar that remembers."""

    def __init__(self) -> None:
        self.total, self.done = 0.0, 0.0

    @contextmanager
    def __call__(self, label: str, *, total: float | None) -> Any:
        self.total = total or 0.0
        yield self._advance

    def _advance(self, steps: float = 1, *, note: str = "") -> None:
        self.done += steps


def test_cells_are_measured_with_one_thread_each_and_only_once(tmp_path: Path) -> None:
    bar = Bar()
    run_cells("trial", tmp_path, [cell(1), cell(2), cell(3)], progress=bar, processes=2)
    found = {one.arm: one.figures for one in read_cells(tmp_path)}
    assert found == {f"arm{n}": {"double": 2.0 * n, "threads": 1.0} for n in (1, 2, 3)}
    assert bar.done == bar.total == 6.0
    run_cells("trial", tmp_path, [cell(n, fail) for n in (1, 2, 3)], progress=Bar(), processes=2)  # none is run again


def test_what_a_process_raises_reaches_us_and_the_rest_is_kept(tmp_path: Path) -> None:
    with pytest.raises(PermaAgentError, match=r"^expected luck, got none; try again$"):
        run_cells("trial", tmp_path, [cell(1), cell(2, fail)], progress=Bar(), processes=1)
    assert [one.arm for one in read_cells(tmp_path)] == ["arm1"]


def test_a_process_that_dies_loses_its_own_cell_alone(tmp_path: Path) -> None:
    with pytest.raises(PermaAgentError, match=r"^expected the processes to live, got one that died"):
        run_cells("trial", tmp_path, [cell(1), cell(2, die)], progress=Bar(), processes=1)
    assert [one.arm for one in read_cells(tmp_path)] == ["arm1"]
    run_cells("trial", tmp_path, [cell(1), cell(2)], progress=Bar(), processes=1)
    assert [one.arm for one in read_cells(tmp_path)] == ["arm1", "arm2"]


RUNNER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_cell_processes import Bar, cell, linger
from perma_agent.studies.cell_runs import run_cells
if __name__ == "__main__":
    run_cells("trial", Path({folder!r}), [cell(1, linger)], progress=Bar(), processes=1)
"""


def linger(advance: Callable[[float], None]) -> Measured:
    Path(os.environ["LINGERS"]).write_text(str(os.getpid()))
    time.sleep(60)
    return Measured(figures={})


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script, said = tmp_path / "runner.py", tmp_path / "pid"
    script.write_text(RUNNER.format(tests=str(Path(__file__).parent), folder=str(tmp_path)))
    parent = subprocess.Popen([sys.executable, script], env={**os.environ, "LINGERS": str(said)})
    try:
        _wait_until(lambda: said.exists() and said.read_text() != "")
        children = psutil.Process(parent.pid).children(recursive=True)
    finally:
        parent.kill()
        parent.wait()
    assert int(said.read_text()) in {child.pid for child in children}
    _wait_until(lambda: not any(_lives(child) for child in children))


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _wait_until(happens: Callable[[], bool]) -> None:
    for _ in range(400):
        if happens():
            return
        time.sleep(0.1)
    raise AssertionError("expected it to happen within 40 seconds, got nothing")
