"""Pretraining run: stretches end where they should, whoever interrupts them, and nothing of a run is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from perma_agent.continual import Learner, LearnerConfig, Update
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.data import PairSampler, TrajectoryStore
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.models import VASE, VASEConfig
from perma_agent.studies.pretraining import pretrain
from perma_agent.studies.pretraining_run import PretrainingRun, StretchConfig

STRETCH = StretchConfig(updates=6, pairs=4, offsets=(1, 2))


@pytest.fixture
def store(recorded: Path):
    with TrajectoryStore.open(recorded) as store:
        yield store


class Killed(BaseException):
    """Stands for SIGKILL: nothing runs after it."""


def kill_at(step: int):
    def on_update(update: Update) -> None:
        if update.step == step:
            raise Killed

    return on_update


def model_of(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def test_pretrain_shows_as_many_batches_as_asked(store: TrajectoryStore, tiny: VASEConfig) -> None:
    learner = Learner(VASE(tiny))
    seen: list[int] = []
    source = PairSampler(store, offsets=(1,))
    rng = np.random.default_rng(0)
    pretrain(learner, source, updates=3, pairs=4, rng=rng, on_update=lambda update: seen.append(update.step))
    assert seen == [1, 2, 3]
    pretrain(learner, source, updates=9, pairs=4, rng=rng, on_update=lambda update: update.step < 5)
    assert learner.step == 5


def test_a_new_run_is_written_before_it_learns(store: TrajectoryStore, tiny: VASEConfig, tmp_path: Path) -> None:
    job = PretrainingRun(tmp_path / "vase", store, config=STRETCH, model=tiny)
    assert (job.remaining, load_learner(tmp_path / "vase").step) == (6, 0)


def test_killed_it_goes_on_from_its_last_save(store: TrajectoryStore, tiny: VASEConfig, tmp_path: Path) -> None:
    PretrainingRun(tmp_path / "whole", store, config=STRETCH, model=tiny).learn()
    killed = tmp_path / "killed"
    with pytest.raises(Killed):
        PretrainingRun(killed, store, config=STRETCH, model=tiny).learn(save_every=2, on_update=kill_at(5))
    again = PretrainingRun(killed, store, config=STRETCH)
    assert (again.learner.step, again.remaining) == (4, 2)
    again.learn()
    assert model_of(killed) == model_of(tmp_path / "whole")
    assert load_learner(killed).step == 6


def test_another_stretch_begins_where_an_unfinished_one_stopped(
    store: TrajectoryStore, tiny: VASEConfig, tmp_path: Path
) -> None:
    run = tmp_path / "vase"
    PretrainingRun(run, store, config=STRETCH, model=tiny).learn(on_update=lambda update: update.step < 2)
    longer = StretchConfig(updates=3, pairs=4, offsets=(1,))
    job = PretrainingRun(run, store, config=longer)
    assert job.remaining == 3
    job.learn()
    assert load_learner(run).step == 5
    stretches = load_extra(run)["pretraining"]
    assert [(stretch["made"], stretch["config"]["updates"]) for stretch in stretches] == [(2, 6), (3, 3)]
    assert (stretches[0]["rng"] is None, stretches[1]["rng"]) == (False, None)


def test_the_same_stretch_twice_sees_other_pairs(store: TrajectoryStore, tiny: VASEConfig, tmp_path: Path) -> None:
    drawn = []
    for _ in range(2):
        job = PretrainingRun(tmp_path / "vase", store, config=STRETCH, model=tiny)
        draw = job._source.draw
        job._source.draw = lambda count, *, rng, draw=draw: drawn.append(draw(count, rng=rng)) or drawn[-1]
        job.learn()
    assert len(drawn) == 12
    assert not np.array_equal(drawn[0].frames, drawn[6].frames)


def test_what_others_kept_beside_is_kept(store: TrajectoryStore, tiny: VASEConfig, tmp_path: Path) -> None:
    save_run(Learner(VASE(tiny)), tmp_path / "vase", extra={"continual": [{"timesteps": 7}]})
    PretrainingRun(tmp_path / "vase", store, config=STRETCH).learn()
    assert load_extra(tmp_path / "vase")["continual"] == [{"timesteps": 7}]


def test_making_a_model_draws_no_random_numbers(store: TrajectoryStore, tiny: VASEConfig, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    PretrainingRun(tmp_path / "vase", store, config=STRETCH, model=tiny)
    assert torch.equal(torch.get_rng_state(), before)


def test_options_that_contradict_the_run(store: TrajectoryStore, run: Path, tiny: VASEConfig) -> None:
    with pytest.raises(RunFolderError, match="expected no model options"):
        PretrainingRun(run, store, config=STRETCH, model=VASEConfig())
    with pytest.raises(RunFolderError, match="expected no learner options"):
        PretrainingRun(run, store, config=STRETCH, learner=LearnerConfig(learning_rate=1.0))
    PretrainingRun(run, store, config=STRETCH, model=tiny, learner=LearnerConfig(seed=99))  # a seed is no option


def test_frames_that_do_not_fit(store: TrajectoryStore, tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"expected frames of shape \(64, 64, 1\)"):
        PretrainingRun(tmp_path / "vase", store, config=STRETCH, model=VASEConfig.paper())
    assert not (tmp_path / "vase").exists()


def test_stretches_that_another_version_wrote(store: TrajectoryStore, run: Path) -> None:
    save_run(load_learner(run), run, extra={"pretraining": [{"store": "x"}]})
    with pytest.raises(RunFolderError, match="the last stretch in"):
        PretrainingRun(run, store, config=STRETCH)
