"""Resumable training: stopped anywhere and started again, an agent ends bit for bit where it would have ended."""

from __future__ import annotations

import os
import random
import shutil
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback, EveryNTimesteps
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize

from perma_agent.continual.checkpoint import load_learner
from perma_agent.continual.learner_state import state_of, tensors_of
from perma_agent.data import TrajectoryStore
from perma_agent.errors import LevelError, RunFolderError
from perma_agent.sb3 import (
    ContinualConfig,
    ContinualVASECallback,
    EncodedObservation,
    VASEFeaturesExtractor,
    load_bundle,
)
from perma_agent.sb3.resuming.checkpoints import DamagedCheckpointWarning
from perma_agent.sb3.resuming.resumable_training import ResumableTraining
from perma_agent.sb3.saving.agent_tensors import tensors_of_agent
from perma_agent.wrappers import RecordTrajectories, ReplayableLevel

LEARNING = ContinualConfig(updates_per_rollout=3, every=32, pairs=4, offsets=(1, 2), window=80)
TOTAL = 192
MakeLevels = Callable[[], VecEnv]


class StopAt(BaseCallback):
    """Ends training at a timestep, as a signal does; a stand-in for being killed there."""

    def __init__(self, timesteps: int | None) -> None:
        super().__init__()
        self.at = timesteps

    def now(self) -> bool:
        return self.at is not None and self.num_timesteps >= self.at

    def _on_step(self) -> bool:
        return True


@pytest.fixture
def squares(level: Callable[..., VecEnv]) -> Callable[..., VecEnv]:
    """Levels whose episodes end within and across rollouts."""

    def make(count: int = 2, **options: Any) -> VecEnv:
        inner = level(1, limit=options.pop("limit", 11), **options).envs[0]
        venv = DummyVecEnv([lambda: ReplayableLevel(Monitor(type(inner)(limit=11, **options)))] * count)
        venv.seed(5)
        return venv

    return make


class Life:
    """One agent's training, in as many pieces as asked for."""

    def __init__(self, make: Callable[[], Any], folder: Path, *, learning: ContinualConfig | None = LEARNING) -> None:
        self.make, self.folder, self.learning = make, folder, learning
        self.callbacks: list[BaseCallback] = []

    def run(self, *, stop: int | None = None, every: int = 10_000, total: int = TOTAL, more: Any = ()) -> Any:
        agent, at = self.make(), StopAt(stop)
        continual = [] if self.learning is None else [ContinualVASECallback(config=self.learning)]
        keeper = ResumableTraining(self.folder, every=every, stopped=at.now, on_signal="return")
        self.callbacks = [*continual, at, *more, keeper]
        random.seed(os.urandom(4))  # nothing may depend on what a new process begins with
        np.random.seed(int.from_bytes(os.urandom(4), "big"))  # noqa: NPY002
        torch.manual_seed(int.from_bytes(os.urandom(4), "big"))
        agent.set_random_seed(agent.seed if not self.folder.exists() else 1234)
        agent.learn(total, callback=self.callbacks)
        return agent

    @property
    def learner(self) -> Any:
        return self.callbacks[0].learner if self.learning is not None else None  # type: ignore[attr-defined]


def assert_same(one: Any, other: Any, *, learners: tuple[Any, Any] = (None, None)) -> None:
    first, second = tensors_of_agent(one), tensors_of_agent(other)
    assert first.keys() == second.keys()
    assert {name: float((first[name].double() - second[name].double()).abs().sum()) for name in first} == dict.fromkeys(
        first, 0.0
    )
    assert one.num_timesteps == other.num_timesteps
    assert [info["r"] for info in one.ep_info_buffer] == [info["r"] for info in other.ep_info_buffer]
    assert one._n_updates == other._n_updates
    if learners[0] is not None:
        assert state_of(learners[0]) == state_of(learners[1])
        for name, value in tensors_of(learners[0]).items():
            assert torch.equal(value, tensors_of(learners[1])[name]), name


def assert_resumes(make: Callable[[], Any], path: Path, *, learning: ContinualConfig | None = LEARNING) -> None:
    """Straight through, and in four pieces: cut within rollouts, at once, and one step after a rollout."""
    straight = Life(make, path / "straight", learning=learning)
    whole = straight.run()
    pieces = Life(make, path / "pieces", learning=learning)
    for stop in (2, 50, 98, 150, None):
        last = pieces.run(stop=stop)
        assert pieces.callbacks[-1].stopped == (stop is not None)
    assert_same(whole, last, learners=(straight.learner, pieces.learner))


@pytest.mark.parametrize("mode", ["continual", "finetune"])
def test_ppo_and_its_vase_end_where_they_would_have(
    run: str, squares: Callable[..., VecEnv], agent: Callable[..., Any], tmp_path: Path, mode: Any
) -> None:
    assert_resumes(lambda: agent(PPO, squares(), VASEFeaturesExtractor.policy_kwargs(run, mode=mode)), tmp_path)


def test_rounds_that_wait_for_several_rollouts(
    run: str, squares: Callable[..., VecEnv], agent: Callable[..., Any], tmp_path: Path
) -> None:
    learning = ContinualConfig(updates_per_rollout=2, every=40, pairs=4, offsets=(1,), window=80)
    assert_resumes(lambda: agent(A2C, squares(), VASEFeaturesExtractor.policy_kwargs(run)), tmp_path, learning=learning)


def test_a_frozen_encoder_remembers_what_it_remembered(
    run: str, squares: Callable[..., VecEnv], agent: Callable[..., Any], tmp_path: Path
) -> None:
    policy = VASEFeaturesExtractor.policy_kwargs(run, mode="frozen") | {"share_features_extractor": False}
    assert_resumes(lambda: agent(PPO, squares(), policy | {}), tmp_path, learning=None)


def test_latents_stacked_and_normalised(run: str, squares: Callable[..., VecEnv], tmp_path: Path) -> None:
    def make() -> PPO:
        latents = VecMonitor(VecFrameStack(EncodedObservation(squares(), run), 3))
        return PPO("MlpPolicy", VecNormalize(latents), n_steps=16, batch_size=16, n_epochs=2, seed=0, device="cpu")

    assert_resumes(make, tmp_path, learning=None)


def test_exploration_that_depends_on_the_state(tmp_path: Path) -> None:
    def make() -> PPO:
        venv = make_vec_env("Pendulum-v1", 2, seed=3, wrapper_class=ReplayableLevel)
        return PPO("MlpPolicy", venv, n_steps=16, batch_size=16, n_epochs=2, use_sde=True, seed=0, device="cpu")

    assert_resumes(make, tmp_path, learning=None)


def test_an_agent_with_a_memory(tmp_path: Path) -> None:
    contrib = pytest.importorskip("sb3_contrib")

    def make() -> Any:
        venv = make_vec_env("CartPole-v1", 2, seed=3, wrapper_class=ReplayableLevel)
        return contrib.RecurrentPPO("MlpLstmPolicy", venv, n_steps=16, batch_size=16, n_epochs=2, seed=0, device="cpu")

    assert_resumes(make, tmp_path, learning=None)


def test_schedules_of_ones_own_are_no_hindrance(tmp_path: Path) -> None:
    def make() -> PPO:
        venv = make_vec_env("CartPole-v1", 2, seed=3, wrapper_class=ReplayableLevel)
        options = {"learning_rate": lambda left: 1e-3 * left, "n_steps": 16, "batch_size": 16, "n_epochs": 2}
        return PPO("MlpPolicy", venv, **options, seed=0, device="cpu")

    assert_resumes(make, tmp_path, learning=None)
    with pytest.raises(RunFolderError):
        load_bundle(tmp_path / "pieces" / str(TOTAL) / "agent")


def cart(**options: Any) -> PPO:
    venv = make_vec_env("CartPole-v1", 2, seed=3, wrapper_class=ReplayableLevel)
    return PPO("MlpPolicy", venv, n_steps=16, batch_size=16, n_epochs=2, device="cpu", **{"seed": 0, **options})


def test_after_a_kill_the_last_checkpoint_counts(tmp_path: Path) -> None:
    whole = Life(cart, tmp_path / "straight", learning=None).run()
    killed = Life(cart, tmp_path / "killed", learning=None)
    killed.run(stop=150, every=32)
    newest = tmp_path / "killed" / "128"
    assert sorted(path.name for path in newest.parent.iterdir())[-3:] == ["128", "64", "96"]
    shutil.rmtree(newest)  # as if it had been killed before that was written
    assert_same(whole, killed.run(every=32))


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    whole = Life(cart, tmp_path / "straight", learning=None).run()
    damaged = Life(cart, tmp_path / "damaged", learning=None)
    damaged.run(stop=150, every=32)
    state = tmp_path / "damaged" / "128" / "run" / "state.json"
    state.write_bytes(state.read_bytes()[:-2])
    with pytest.warns(DamagedCheckpointWarning, match="checkpoint 128"):
        last = damaged.run(every=32)
    assert_same(whole, last)
    for path in (tmp_path / "damaged").glob("*/run/state.json"):
        path.write_text("{}")
    with warnings.catch_warnings(), pytest.raises(RunFolderError, match="expected a whole checkpoint"):
        warnings.simplefilter("ignore")
        damaged.run()


def test_started_again_at_its_end_nothing_changes_and_more_steps_go_on(tmp_path: Path) -> None:
    life = Life(cart, tmp_path / "old", learning=None)
    whole = life.run()
    assert_same(whole, life.run())
    assert life.run(total=TOTAL + 32).num_timesteps == TOTAL + 32
    assert_same(Life(cart, tmp_path / "new", learning=None).run(total=TOTAL + 32), life.run(total=TOTAL + 32))


def test_every_checkpoint_is_a_bundle_and_a_run_folder(
    run: str, squares: Callable[..., VecEnv], agent: Callable[..., Any], tmp_path: Path
) -> None:
    life = Life(lambda: agent(PPO, squares(), VASEFeaturesExtractor.policy_kwargs(run)), tmp_path / "kept")
    trained = life.run(total=64)
    loaded = load_bundle(tmp_path / "kept" / "64" / "agent")
    for name, value in trained.policy.state_dict().items():
        assert torch.equal(value, loaded.policy.state_dict()[name]), name
    assert load_learner(tmp_path / "kept" / "64" / "vase").step == life.learner.step


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves_with_0(tmp_path: Path, number: signal.Signals) -> None:
    class Signal(StopAt):
        def _on_step(self) -> bool:
            if self.num_timesteps == self.at:
                signal.raise_signal(number)
            return True

    whole, before = cart().learn(TOTAL), signal.getsignal(number)
    with pytest.raises(SystemExit) as left:
        cart().learn(TOTAL, callback=[Signal(70), ResumableTraining(tmp_path / "signalled")])
    assert left.value.code == 0
    assert signal.getsignal(number) == before
    with pytest.raises(SystemExit):  # also while the last update is made: nothing is left to do, but it leaves
        cart().learn(TOTAL, callback=[Signal(TOTAL), ResumableTraining(tmp_path / "signalled")])
    agent = cart()
    agent.learn(TOTAL, callback=[Signal(None), ResumableTraining(tmp_path / "signalled")])
    assert_same(whole, agent)


def test_callbacks_go_on_counting(tmp_path: Path) -> None:
    class Counter(BaseCallback):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[int] = []

        def resume_state(self) -> dict[str, Any]:
            return {"seen": self.seen}

        def resume_from(self, state: dict[str, Any]) -> None:
            self.seen = list(state["seen"])

        def _on_step(self) -> bool:
            self.seen.append(self.num_timesteps)
            return True

    life = Life(cart, tmp_path, learning=None)
    for stop in (50, None):
        counter = Counter()
        life.run(stop=stop, more=[EveryNTimesteps(24, counter)], total=96)
    assert counter.seen == [24, 48, 72, 96]
    with pytest.raises(RunFolderError, match="expected the callbacks"):
        life.run(more=[Counter()])


def test_the_recorder_stores_each_episode_once_and_whole(squares: Callable[..., VecEnv], tmp_path: Path) -> None:
    def train(name: str, *, stop: int | None, kill: bool = False) -> None:
        venv = RecordTrajectories(squares(), tmp_path / name)
        agent = PPO("CnnPolicy", venv, n_steps=16, batch_size=32, n_epochs=1, seed=0, device="cpu")
        at = StopAt(stop)
        keeper = ResumableTraining(tmp_path / f"{name}-kept", every=32, stopped=at.now, on_signal="return")
        agent.learn(96, callback=[at, keeper])
        if kill:  # what a killed process had stored after its last checkpoint stays
            newest = max(keeper.checkpoints.all())
            shutil.rmtree(tmp_path / f"{name}-kept" / str(newest))
        venv.close()

    train("straight", stop=None)
    train("pieces", stop=44)
    train("pieces", stop=90, kill=True)
    train("pieces", stop=None)
    with TrajectoryStore.open(tmp_path / "straight") as one, TrajectoryStore.open(tmp_path / "pieces") as other:
        stored = [[store.trajectory(number) for number in range(len(store))] for store in (one, other)]
    assert len(stored[0]) > 6
    assert [len(part) for part in stored[0]] == [len(part) for part in stored[1]]
    for first, second in zip(*stored, strict=True):
        np.testing.assert_array_equal(first.frames, second.frames)
        np.testing.assert_array_equal(first.actions, second.actions)


class Whimsical(gymnasium.Wrapper):
    """Shows something else each time, whatever the seed."""

    def step(self, action: Any) -> Any:
        observation, *rest = self.env.step(action)
        return (observation + random.SystemRandom().random(), *rest)


def test_what_cannot_be_taken_up_again_is_refused(
    run: str, squares: Callable[..., VecEnv], level: Callable[..., VecEnv], agent: Callable[..., Any], tmp_path: Path
) -> None:
    def attempt(trained: Any, *callbacks: BaseCallback, at: int | None = None) -> None:
        stop = StopAt(at)
        keeper = ResumableTraining(tmp_path / "refused", stopped=stop.now, on_signal="return")
        trained.learn(64, callback=[*callbacks, stop, keeper])

    policy, handler = VASEFeaturesExtractor.policy_kwargs, signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="expected levels that can be taken up again"):
        attempt(agent(PPO, level(), policy(run)))
    with pytest.raises(ValueError, match="expected an on-policy agent"):
        attempt(agent(DQN, squares(), policy(run)))
    with pytest.raises(ValueError, match="expected ResumableTraining after ContinualVASECallback"):
        kept = ResumableTraining(tmp_path / "refused")
        agent(PPO, squares(), policy(run)).learn(64, callback=[kept, ContinualVASECallback()])
    attempt(agent(PPO, squares(), policy(run)), ContinualVASECallback(config=LEARNING), at=40)
    for other, complaint in (
        (agent(PPO, squares(), policy(run), gamma=0.5), "got another settings"),
        (agent(PPO, squares(), policy(run, mode="frozen")), "expected an extractor in mode|got another VASE"),
        (agent(PPO, squares(3), policy(run)), "number of copies"),
        (agent(PPO, squares(day=True), policy(run)), "show the same again"),
    ):
        with pytest.raises((RunFolderError, LevelError, ValueError), match=complaint):
            attempt(other, ContinualVASECallback(config=LEARNING))
    assert signal.getsignal(signal.SIGINT) == handler  # what is refused holds no signal back
    with pytest.raises(RunFolderError, match="got another updates_per_rollout, pairs"):
        attempt(agent(PPO, squares(), policy(run)), ContinualVASECallback(config=ContinualConfig(pairs=5, every=32)))


def test_a_level_that_is_not_deterministic_is_noticed(tmp_path: Path) -> None:
    def make() -> PPO:
        venv = make_vec_env("Pendulum-v1", 1, wrapper_class=lambda env: ReplayableLevel(Whimsical(env)))
        return PPO("MlpPolicy", venv, n_steps=16, batch_size=16, n_epochs=1, seed=0, device="cpu")

    life = Life(make, tmp_path, learning=None)
    life.run(stop=40)
    with pytest.raises(LevelError, match="to show the same again over the 32 steps of its episode"):
        life.run()
