"""What people do around SB3 works with the features extractor and the callback: wrappers, callbacks, loggers, bars."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.callbacks import (
    BaseCallback,
    CallbackList,
    CheckpointCallback,
    EvalCallback,
    EveryNTimesteps,
    ProgressBarCallback,
    StopTrainingOnMaxEpisodes,
)
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack, VecMonitor, VecNormalize, VecTransposeImage
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from perma_agent.errors import FrameError
from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of

BRISK = ContinualConfig(updates_per_rollout=2, every=1, pairs=4)
ALWAYS = {
    "vase/latents/atypicality_max",
    "vase/environment/count",
    "vase/environment/index",
    "vase/latents/masked",
    "vase/loss/capacity",
    "vase/loss/permanence",
    "vase/loss/reconstruction",
    "vase/loss/total",
}
"""Keys that people may draw curves of."""
WRAPPERS: dict[str, Callable[[VecEnv], VecEnv]] = {
    "stack": lambda venv: VecFrameStack(venv, 2),
    "normalise": lambda venv: VecNormalize(venv, norm_obs=False),
    "monitor": VecMonitor,
    "transpose": VecTransposeImage,
}
"""What is put round levels; SB3 adds the last by itself where it is left out."""
ORDERS = [
    order
    for order in permutations(WRAPPERS)
    if order.index("stack") < order.index("transpose")  # stacked before, frames stand on the last axis
]


def wrapped(venv: VecEnv, order: tuple[str, ...]) -> VecEnv:
    for name in order:
        venv = WRAPPERS[name](venv)
    return venv


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_wrappers_in_any_order_and_callbacks_go_together(
    run: str, level: Any, agent: Any, tmp_path: Path, order: tuple[str, ...]
) -> None:
    callback = ContinualVASECallback(config=BRISK)
    evaluation = EvalCallback(
        wrapped(level(count=1), order), eval_freq=16, n_eval_episodes=1, best_model_save_path=str(tmp_path), verbose=0
    )
    made = agent(PPO, wrapped(level(), order), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(64, callback=[evaluation, callback, CheckpointCallback(16, str(tmp_path / "checkpoints"))])
    assert callback.learner.step == 4
    assert extractors_of(made.policy)[0].features_dim == 2 * 4  # two frames of four latents
    assert len(list((tmp_path / "checkpoints").glob("*.zip"))) == 2
    assert extractors_of(PPO.load(tmp_path / "best_model.zip", device="cpu").policy)[0].published_step >= 0


def test_both_orders_of_stack_and_normalise_show_the_policy_the_same(run: str, level: Any, agent: Any) -> None:
    features = []
    for order in (("stack", "normalise", "transpose"), ("normalise", "stack", "transpose")):
        venv = wrapped(level(), order)
        made = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(run))
        observations, _ = made.policy.obs_to_tensor(venv.reset())
        features.append(made.policy.extract_features(observations).detach().numpy())
    np.testing.assert_array_equal(*features)


@pytest.mark.parametrize("algorithm", [PPO, DQN])
@pytest.mark.parametrize("order", list(permutations(("evaluation", "continual", "checkpoints")))[::2], ids="-".join)
def test_callbacks_in_any_order_learn_the_same(
    run: str, level: Any, agent: Any, tmp_path: Path, algorithm: Any, order: tuple[str, ...]
) -> None:
    def learnt(names: tuple[str, ...]) -> dict[str, Any]:
        callbacks: dict[str, BaseCallback] = {
            "evaluation": EvalCallback(VecTransposeImage(level(count=1)), eval_freq=16, n_eval_episodes=1, verbose=0),
            "continual": ContinualVASECallback(config=ContinualConfig(updates_per_rollout=1, every=16, pairs=4)),
            "checkpoints": CheckpointCallback(16, str(tmp_path)),
        }
        made = agent(algorithm, level(), VASEFeaturesExtractor.policy_kwargs(run))
        made.learn(64, callback=CallbackList([callbacks[name] for name in names]))
        return {name: value.numpy() for name, value in made.policy.state_dict().items()}

    alone, beside = learnt(("continual",)), learnt(order)
    assert alone.keys() == beside.keys()
    for name, value in alone.items():
        np.testing.assert_array_equal(value, beside[name], err_msg=name)


# --- what is logged ---


def test_tensorboard_has_the_curves_of_the_vase(run: str, level: Any, agent: Any, tmp_path: Path) -> None:
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run), tensorboard_log=str(tmp_path))
    made.learn(96, callback=ContinualVASECallback(config=BRISK), tb_log_name="eyes")
    events = EventAccumulator(str(tmp_path / "eyes_1")).Reload()
    assert set(events.Tags()["scalars"]) >= ALWAYS
    losses = events.Scalars("vase/loss/reconstruction")
    assert [loss.step for loss in losses] == [32, 64, 96]
    assert all(np.isfinite(loss.value) for loss in losses)


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_all_formats_of_the_logger_take_the_keys(
    run: str, level: Any, agent: Any, tmp_path: Path, algorithm: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made = agent(algorithm, VecMonitor(level()), VASEFeaturesExtractor.policy_kwargs(run))
    made.set_logger(configure(str(tmp_path), ["stdout", "log", "csv", "json", "tensorboard"]))
    made.learn(200, callback=ContinualVASECallback(config=ContinualConfig(updates_per_rollout=1, every=32, pairs=4)))
    lines = [json.loads(line) for line in (tmp_path / "progress.json").read_text().splitlines()]
    assert set().union(*lines) >= ALWAYS
    with (tmp_path / "progress.csv").open() as file:
        assert set(next(csv.reader(file))) >= ALWAYS
    assert "loss/reconstruction" in capsys.readouterr().out
    assert len({key[:36] for key in set().union(*lines)}) == len(set().union(*lines))  # no two are cut to the same


# --- how training is run ---


def test_a_progress_bar_reaches_its_end(run: str, level: Any, agent: Any) -> None:
    bar = ProgressBarCallback()
    callback = ContinualVASECallback(config=BRISK)
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(64, callback=[bar, callback])
    assert (bar.pbar.n, callback.learner.step) == (64, 4)
    made.learn(64, callback=callback, progress_bar=True, reset_num_timesteps=False)
    assert callback.learner.step == 8


def test_training_that_another_callback_ends_is_saved(run: str, level: Any, agent: Any, tmp_path: Path) -> None:
    callback = ContinualVASECallback(config=BRISK, save_to=tmp_path / "after")
    made = agent(PPO, level(limit=8), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(10_000, callback=[StopTrainingOnMaxEpisodes(3), callback])
    assert made.num_timesteps < 100
    assert (tmp_path / "after" / "model.safetensors").is_file()


def test_checkpoints_by_an_event_callback_hold_the_encoder_of_their_rollout(
    run: str, level: Any, agent: Any, tmp_path: Path
) -> None:
    checkpoints = EveryNTimesteps(32, CheckpointCallback(1, str(tmp_path)))
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(96, callback=[checkpoints, ContinualVASECallback(config=BRISK)])
    steps = {
        int(path.stem.split("_")[-2]): extractors_of(PPO.load(path, device="cpu").policy)[0].published_step
        for path in tmp_path.glob("*.zip")
    }
    assert steps == {32: 0, 64: 2, 96: 4}


def test_the_end_of_training_may_be_told_twice(run: str, level: Any, agent: Any, tmp_path: Path) -> None:
    # rl-zoo3 tells its first callback once more, after an interruption as well.
    for mode in ("continual", "finetune"):
        callback = ContinualVASECallback(config=BRISK, save_to=tmp_path / mode)
        made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run, mode=mode))
        made.learn(64, callback=callback)
        before = {path.name: path.read_bytes() for path in (tmp_path / mode).iterdir()}
        callback.on_training_end()
        assert {path.name: path.read_bytes() for path in (tmp_path / mode).iterdir()} == before


def test_normalised_pixels_are_refused_with_what_to_do(run: str, level: Any, agent: Any) -> None:
    with pytest.raises(FrameError, match="norm_obs=False"):
        agent(PPO, VecNormalize(level()), VASEFeaturesExtractor.policy_kwargs(run))
