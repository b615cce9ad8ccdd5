"""A bonus among SB3's own parts: it resumes bit for bit, goes with a bundle, and is logged."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack, VecNormalize

from perma_agent.errors import RunFolderError
from perma_agent.imagination.make_bonus import make_bonus
from perma_agent.sb3 import BonusCallback, EncodedObservation, restore_normalisers, save_bundle
from perma_agent.sb3.resuming.resumable_training import ResumableTraining
from perma_agent.sb3.saving.agent_tensors import tensors_of_agent
from perma_agent.sb3.state.level_state import wrappers_of
from perma_agent.sb3.state.plain_state import split_state
from perma_agent.wrappers import BonusReward, ReplayableLevel

SMALL: dict[str, Any] = {"features": 8, "hidden": (8,), "epochs": 2, "batch_size": 8}
PAID: dict[str, Any] = {"warmup": 4, "learn_every": 7, "schedule": "linear", "until": 300}
TOTAL = 192


def carts(count: int = 2) -> VecEnv:
    """Levels whose episodes end within and across rollouts."""
    return make_vec_env("CartPole-v1", count, seed=3, wrapper_class=ReplayableLevel)


def ppo(venv: VecEnv, policy: str = "MlpPolicy") -> PPO:
    net = {"net_arch": [8]}
    return PPO(policy, venv, n_steps=16, batch_size=16, n_epochs=2, policy_kwargs=net, seed=0, device="cpu")


def paid_by(name: str, **options: Any) -> Callable[[], PPO]:
    """Makes an agent that is paid by this bonus beside its level."""
    return lambda: ppo(BonusReward(carts(), make_bonus(name, **options), **PAID))


def stacked_and_normalised() -> PPO:
    """The bonus within others that have a state."""
    inside = VecNormalize(carts(), norm_obs=False)
    rewarded = BonusReward(inside, make_bonus("rnd", **SMALL, predictor=(8,)), **PAID)
    return ppo(VecNormalize(VecFrameStack(rewarded, 2), norm_obs=False))


def with_goals() -> PPO:
    """A bonus that shows its goals."""
    rewarded = BonusReward(carts(), make_bonus("skew-fit", memory=20, horizon=9), show_goal=True, **PAID)
    return ppo(rewarded, policy="MultiInputPolicy")


AGENTS: dict[str, Callable[[], PPO]] = {
    "rnd": paid_by("rnd", **SMALL, predictor=(8,)),
    "apt": paid_by("apt", **SMALL, memory=20, neighbours=3),
    "stacked and normalised": stacked_and_normalised,
    "skew-fit with goals": with_goals,
}


class Infos(BaseCallback):
    """Keeps each step's bonus."""

    def __init__(self) -> None:
        super().__init__()
        self.paid: list[float] = []

    def _on_step(self) -> bool:
        self.paid += [info["bonus_weighed"] for info in self.locals["infos"]]
        return True


def live(make: Callable[[], PPO], folder: Path, *, stop: int | None = None) -> tuple[PPO, Infos]:
    """One process's part of a training, whose global generators begin anywhere."""
    agent, infos = make(), Infos()
    keeper = ResumableTraining(
        folder, every=10_000, stopped=lambda: stop is not None and agent.num_timesteps >= stop, on_signal="return"
    )
    random.seed(os.urandom(4))
    np.random.seed(int.from_bytes(os.urandom(4), "big"))  # noqa: NPY002
    torch.manual_seed(int.from_bytes(os.urandom(4), "big"))
    agent.set_random_seed(agent.seed if not folder.exists() else 1234)
    agent.learn(TOTAL, callback=[infos, BonusCallback(), keeper])
    return agent, infos


def bonus_of(agent: PPO) -> BonusReward:
    assert agent.env is not None
    return next(wrapper for wrapper in wrappers_of(agent.env) if isinstance(wrapper, BonusReward))


def assert_same_state(one: Any, other: Any) -> None:
    (plain, arrays), (same, tensors) = split_state(one), split_state(other)
    assert plain == same
    assert all(torch.equal(value, tensors[name]) for name, value in arrays.items())


@pytest.mark.parametrize("name", list(AGENTS))
def test_an_agent_that_was_stopped_ends_where_it_would_have(name: str, tmp_path: Path) -> None:
    whole, straight = live(AGENTS[name], tmp_path / "straight")
    for stop in (50, 121, None):  # within rollouts, and between two times that the bonus learns
        last, infos = live(AGENTS[name], tmp_path / "pieces", stop=stop)
    first, second = tensors_of_agent(whole), tensors_of_agent(last)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert infos.paid == straight.paid[-len(infos.paid) :]
    assert 0 < len(infos.paid) < len(straight.paid)
    assert_same_state(bonus_of(whole).state_dict(), bonus_of(last).state_dict())


def test_the_test_of_resuming_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bonus whose networks are forgotten, as RLeXplore's are."""
    whole, _ = live(AGENTS["rnd"], tmp_path / "straight")
    monkeypatch.setattr(BonusReward, "resume_from", lambda self, state: None)
    for stop in (50, None):
        last, _ = live(AGENTS["rnd"], tmp_path / "pieces", stop=stop)
    first, second = tensors_of_agent(whole), tensors_of_agent(last)
    assert not all(torch.equal(first[key], second[key]) for key in first)


def test_a_bundle_takes_what_the_bonus_has_learnt_along(tmp_path: Path) -> None:
    agent = AGENTS["rnd"]()
    agent.learn(64)
    save_bundle(agent, tmp_path / "bundle")
    other = BonusReward(carts(3), make_bonus("rnd", **SMALL, predictor=(8,)), **PAID)
    restore_normalisers(tmp_path / "bundle", other)
    assert_same_state(other.bonus.state_dict(), bonus_of(agent).bonus.state_dict())
    assert other.timesteps == 64
    with pytest.raises(RunFolderError, match="expected the levels in"):
        restore_normalisers(tmp_path / "bundle", carts())


def test_pictures_and_latents_resume_too(run: str, level: Callable[..., VecEnv], tmp_path: Path) -> None:
    kind = type(level(1).envs[0])  # type: ignore[attr-defined]

    def make() -> PPO:
        from stable_baselines3.common.monitor import Monitor
        from stable_baselines3.common.vec_env import DummyVecEnv

        squares = DummyVecEnv([lambda: ReplayableLevel(Monitor(kind(limit=11)))] * 2)
        squares.seed(5)
        frames = BonusReward(squares, make_bonus("rnd", **SMALL, predictor=(8,)), **PAID)
        return ppo(BonusReward(EncodedObservation(frames, run), make_bonus("icm", **SMALL), **PAID))

    whole, _ = live(make, tmp_path / "straight")
    for stop in (90, None):
        last, _ = live(make, tmp_path / "pieces", stop=stop)
    first, second = tensors_of_agent(whole), tensors_of_agent(last)
    assert all(torch.equal(first[key], second[key]) for key in first)


class Kept(Logger):
    """Keeps the lines of the log."""

    def __init__(self) -> None:
        super().__init__(folder=None, output_formats=[])
        self.lines: list[dict[str, Any]] = []

    def dump(self, step: int = 0) -> None:
        self.lines.append(dict(self.name_to_value))
        super().dump(step)


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_the_log_tells_what_the_bonus_pays_and_has_learnt(algorithm: Any) -> None:
    rewarded = BonusReward(carts(), make_bonus("rnd", **SMALL, predictor=(8,)), warmup=0, learn_every=16)
    agent = algorithm("MlpPolicy", rewarded, n_steps=16, seed=0, device="cpu", policy_kwargs={"net_arch": [8]})
    kept = Kept()
    agent.set_logger(kept)
    agent.learn(256, callback=BonusCallback(), log_interval=1)
    last = next(line for line in reversed(kept.lines) if "bonus/raw" in line)
    assert {"bonus/weighed", "bonus/weight", "bonus/deviation", "bonus/loss", "bonus/skipped"} <= set(last)
    assert last["bonus/weight"] == 1.0
    assert last["bonus/raw"] > 0
    assert any("bonus/ep_raw_mean" in line for line in kept.lines)


def test_nothing_to_log_is_told() -> None:
    with pytest.raises(ValueError, match="expected levels in BonusReward, got none to log"):
        ppo(carts()).learn(16, callback=BonusCallback())
