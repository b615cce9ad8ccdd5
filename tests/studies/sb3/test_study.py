"""The study end to end: what is measured where, what is kept, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.cells import read_cells
from perma_agent.models import VASEConfig
from perma_agent.studies.demo import no_progress
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.recording import RolloutConfig
from perma_agent.studies.pretraining_run import StretchConfig
from perma_agent.studies.sb3 import PRESETS, planning, pretrained, study
from perma_agent.studies.sb3.config import SB3Study, VASEChoice
from perma_agent.studies.sb3.resume_trial import ResumeOutcome, ResumeTrialConfig


@pytest.fixture
def choice(room: LevelChoice, tiny: VASEConfig) -> VASEChoice:
    """A VASE that has hardly learnt."""
    return VASEChoice(
        rollouts=RolloutConfig(levels=(room,), frames=60, copies=2),
        model=tiny,
        stretch=StretchConfig(updates=2, pairs=2, offsets=(1,)),
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], int | None]]:
    """Which cells were to be measured, and in how many processes; nothing is."""
    told: list[tuple[list[str], int | None]] = []

    def note(study: str, folder: Path, cells: Any, *, progress: Any, processes: int | None = None) -> None:
        told.append(([cell.arm for cell in cells], processes))

    monkeypatch.setattr(study, "run_cells", note)
    monkeypatch.setattr(study, "make_vase", lambda choice, folder, *, progress: told.append((["vase"], None)))
    return told


def test_what_is_timed_comes_first_and_alone(asked: list[Any], tmp_path: Path) -> None:
    study.run(replace(PRESETS["bench"], processes=2), tmp_path)
    vase, speed, resume, (switch, processes) = asked
    assert vase == (["vase"], None)
    assert speed == (["speed-1", "speed-2"], None) and resume == (["resume"], None)
    assert processes == 2 and switch == ["switch-continual", "switch-frozen"] * 3 + ["switch-chance"]


@pytest.mark.parametrize(
    ("only", "arms", "vase"),
    [
        ("speed", {"speed-1", "speed-2"}, True),
        ("resume", {"resume"}, False),
        ("switch", {"switch-continual", "switch-frozen", "switch-chance"}, True),
        ("switch-frozen", {"switch-frozen"}, True),
    ],
)
def test_only_runs_what_it_names_and_the_vase_that_this_needs(
    asked: list[Any], tmp_path: Path, only: str, arms: set[str], vase: bool
) -> None:
    study.run(PRESETS["bench"], tmp_path, only=only)
    names = {arm for cells, _ in asked for arm in cells}
    assert names - {"vase"} == arms and ("vase" in names) == vase


def test_presets_have_their_names_and_bench_what_the_bars_ask_for() -> None:
    assert {name: preset.preset for name, preset in PRESETS.items()} == {name: name for name in PRESETS}
    bench = PRESETS["bench"]
    assert bench.speed.level.id == "perma/IndoorForage-v0" and bench.speed.policy.copies == 8
    assert bench.speed.threads[0] == 1 and bench.vase.model == VASEConfig()
    assert bench.resume == ResumeTrialConfig() and bench.resume.kills == 20
    assert len(bench.switch.seeds) == 3
    before, after = bench.switch.before, bench.switch.after
    assert (before.id, after.id) == ("perma/IndoorForage-v0", "perma/OutdoorForage-v0")
    assert before.arguments == after.arguments  # the look alone changes


def test_settings_of_every_cell_are_json(tmp_path: Path) -> None:
    for preset in PRESETS.values():
        for cell in study.plan(preset, tmp_path):
            assert json.loads(json.dumps(cell.settings)) == cell.settings
            assert cell.settings["preset"] == preset.preset and str(tmp_path) not in json.dumps(cell.settings)


def test_the_vase_is_learnt_once_and_one_of_other_settings_is_refused(choice: VASEChoice, tmp_path: Path) -> None:
    run = pretrained.make_vase(choice, tmp_path, progress=no_progress)
    manifest = (run / "manifest.json").read_bytes()
    assert run == tmp_path / "pretrained" / "vase"
    assert pretrained.make_vase(choice, tmp_path, progress=no_progress) == run
    assert (run / "manifest.json").read_bytes() == manifest
    other = replace(choice, stretch=replace(choice.stretch, updates=3))
    with pytest.raises(RunFolderError, match="learnt with the present settings"):
        pretrained.make_vase(other, tmp_path, progress=no_progress)
    again = pretrained.make_vase(choice, tmp_path / "again", progress=no_progress)
    assert (again / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


@pytest.mark.parametrize(("difference", "told"), [(0.0, 0.0), (0.5, 0.5), (float("inf"), None)])
def test_an_endless_difference_is_no_number(monkeypatch: Any, difference: float, told: float | None) -> None:
    outcome = ResumeOutcome(
        terminated=1,
        killed=2,
        exits_with_0=1,
        processes=4,
        tensors=5,
        max_difference=difference,
        same_episodes=True,
        straight_seconds=1.0,
        seconds=2.0,
    )

    def trial(config: Any, folder: Path, *, on_kill: Any) -> ResumeOutcome:
        for _ in range(3):
            on_kill()
        return outcome

    monkeypatch.setattr(planning, "run_resume_trial", trial)
    moved: list[float] = []
    measured = planning.measure_resume(ResumeTrialConfig(), moved.append)
    assert measured.figures["max_difference"] == told and measured.figures["same_episodes"] == 1.0
    assert sum(moved) == 3.0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_smoke_runs_whole_goes_on_and_refuses_other_settings(tmp_path: Path) -> None:
    smoke: SB3Study = PRESETS["smoke"]
    study.run(smoke, tmp_path, only="switch-frozen")
    first = (tmp_path / "cells" / "switch-frozen_0.json").read_bytes()
    study.run(smoke, tmp_path)
    assert (tmp_path / "cells" / "switch-frozen_0.json").read_bytes() == first
    assert len(read_cells(tmp_path)) == len(study.plan(smoke, tmp_path))
    summary = study.summarise(tmp_path)
    assert summary["resume_max_difference"].met is True and summary["frozen_speed_ratio"].n == smoke.speed.rounds
    with pytest.raises(RunFolderError, match="present settings"):
        study.run(replace(smoke, speed=replace(smoke.speed, rounds=1)), tmp_path, only="speed")
