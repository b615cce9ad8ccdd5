"""What is recorded is what happened: every frame, the true last one too, of every level and episode."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnvWrapper, VecMonitor, VecTransposeImage

from perma_agent.data import TrajectoryStore
from perma_agent.errors import FrameError, StoreError
from perma_agent.types import Trajectory
from perma_agent.wrappers import RecordTrajectories

Level = Callable[..., gym.Env]


def check_episode(found: Trajectory, *, number: int, episode: int, steps: int, actions: list[int]) -> None:
    """Each number of a trajectory of the counting level is as predicted."""
    frames = np.zeros((steps + 1, 4, 5, 3), dtype=np.uint8)
    frames[:] = [number, episode, 0]
    frames[..., 2] = np.arange(steps + 1)[:, None, None]
    np.testing.assert_array_equal(found.frames, frames)
    np.testing.assert_array_equal(found.actions, actions)
    np.testing.assert_array_equal(found.rewards, np.arange(1, steps + 1, dtype=np.float32) / 8)
    np.testing.assert_array_equal(found.factors["t"], np.arange(steps + 1))
    np.testing.assert_array_equal(found.factors["where"], [[number, episode]] * (steps + 1))


def by_level(store: TrajectoryStore) -> dict[int, list[Trajectory]]:
    """Trajectories of each parallel level in the order of their episodes."""
    levels: dict[int, list[Trajectory]] = {}
    for place in range(len(store)):
        trajectory = store.trajectory(place)
        levels.setdefault(int(trajectory.factors["where"][0, 0]), []).append(trajectory)
    return levels


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with TrajectoryStore.create(tmp_path / "store") as store:
        yield store


def test_parallel_levels(store: TrajectoryStore, level: Level) -> None:
    lengths = [(3,), (1, 4), (50,)]
    venv = DummyVecEnv([lambda n=n: level(n, lengths=lengths[n], truncates=n == 0) for n in range(3)])
    recorded = RecordTrajectories(venv, store)
    recorded.reset()
    for t in range(10):
        recorded.step(np.array([t % 7, (t + 1) % 7, (t + 2) % 7]))
    recorded.close()
    actions = {n: [(t + n) % 7 for t in range(10)] for n in range(3)}
    levels = by_level(store)
    expected = {0: [3, 3, 3, 1], 1: [1, 4, 1, 4], 2: [10]}
    for n, episodes in expected.items():
        assert [len(trajectory) for trajectory in levels[n]] == episodes
        for episode, trajectory in enumerate(levels[n]):
            begin = sum(episodes[:episode])
            steps = episodes[episode]
            check_episode(trajectory, number=n, episode=episode, steps=steps, actions=actions[n][begin : begin + steps])
    assert [(t.terminated, t.truncated) for t in levels[0]] == [(False, True)] * 4  # time limits, then the close
    assert [(t.terminated, t.truncated) for t in levels[1]] == [(True, False)] * 4
    assert [(t.terminated, t.truncated) for t in levels[2]] == [(False, True)]


@pytest.mark.parametrize("form", ["HWC", "CHW", "dict", "reused"])
def test_a_single_level(store: TrajectoryStore, level: Level, form: str) -> None:
    env = RecordTrajectories(level(4, lengths=(2, 3), form=form), store, frame_key="view" if form == "dict" else None)
    for episode in range(2):
        env.reset(seed=episode or None)
        over = False
        while not over:
            *_, terminated, truncated, _ = env.step(episode)
            over = terminated or truncated
    env.reset()
    env.step(2)
    env.reset()  # cuts the third episode
    env.step(3)
    env.close()  # and this the fourth
    assert len(store) == 4
    for episode, steps in enumerate((2, 3, 1, 1)):
        check_episode(store.trajectory(episode), number=4, episode=episode, steps=steps, actions=[episode] * steps)
    assert [store.trajectory(n).truncated for n in range(4)] == [False, False, True, True]
    assert [store.trajectory(n).terminated for n in range(4)] == [True, True, False, False]
    assert [store.provenance(n).seed for n in range(4)] == [None, 1, None, None]


def test_grey_pictures_get_a_channel(store: TrajectoryStore, level: Level) -> None:
    env = RecordTrajectories(level(lengths=(2,), form="HW"), store)
    env.reset()
    env.step(0)
    env.close()
    assert store.trajectory(0).frames.shape == (2, 4, 5, 1)


def test_channels_first_and_dict_observations_of_parallel_levels(tmp_path: Path, level: Level) -> None:
    for form in ("CHW", "dict"):
        venv = DummyVecEnv([lambda n=n, form=form: level(n, lengths=(2,), form=form) for n in range(2)])
        with TrajectoryStore.create(tmp_path / form) as store:
            recorded = RecordTrajectories(venv, store)
            recorded.reset()
            for _ in range(4):
                recorded.step(np.array([5, 6]))
            recorded.close()
            for n, episodes in by_level(store).items():
                for episode, trajectory in enumerate(episodes):
                    check_episode(trajectory, number=n, episode=episode, steps=2, actions=[5 + n] * 2)


def test_the_kind_fits_what_is_wrapped(store: TrajectoryStore, level: Level) -> None:
    venv, env = DummyVecEnv([level]), level()
    assert isinstance(RecordTrajectories(venv, store), VecEnvWrapper)
    assert isinstance(RecordTrajectories(env, store), gym.Wrapper)
    assert isinstance(RecordTrajectories(env=venv, store=store), RecordTrajectories)
    assert isinstance(RecordTrajectories(env, store), RecordTrajectories)
    wrapped = DummyVecEnv([lambda: RecordTrajectories(env, store)])
    assert wrapped.env_is_wrapped(RecordTrajectories) == [True]


def test_what_passes_through_is_untouched(store: TrajectoryStore, level: Level) -> None:
    def levels() -> DummyVecEnv:
        return DummyVecEnv([lambda n=n: level(n, lengths=(2, 3), form="dict", truncates=n > 0) for n in range(2)])

    bare, recorded = levels(), RecordTrajectories(levels(), store)
    spaces_before = copy.deepcopy((bare.observation_space, bare.action_space))
    for here, there in zip(bare.reset().items(), recorded.reset().items(), strict=True):
        np.testing.assert_equal(here, there)
    for t in range(7):
        actions = np.array([t % 7, 1])
        np.testing.assert_equal(list(recorded.step(actions)), list(bare.step(actions)))
        np.testing.assert_array_equal(actions, [t % 7, 1])
    assert (recorded.observation_space, recorded.action_space) == spaces_before
    assert bare.get_attr("episode") == recorded.get_attr("episode")
    env, plain = RecordTrajectories(level(form="CHW"), store), level(form="CHW")
    np.testing.assert_equal(env.reset(seed=3), plain.reset(seed=3))
    np.testing.assert_equal(env.step(2), plain.step(2))


def test_wrapped_twice(tmp_path: Path, level: Level) -> None:
    with TrajectoryStore.create(tmp_path / "inner") as inner, TrajectoryStore.create(tmp_path / "outer") as outer:
        venv = RecordTrajectories(DummyVecEnv([lambda: level(lengths=(2,))]), inner)
        twice = VecMonitor(RecordTrajectories(venv, outer))
        twice.reset()
        for t in range(5):
            twice.step(np.array([t]))
        twice.close()
        assert len(inner) == len(outer) == 3
        for n in range(3):
            np.testing.assert_array_equal(inner.trajectory(n).frames, outer.trajectory(n).frames)
            np.testing.assert_array_equal(inner.trajectory(n).actions, outer.trajectory(n).actions)
            np.testing.assert_array_equal(outer.trajectory(n).factors["t"], [0, 1, 2][: 3 - n // 2])
        assert outer.provenance(0).wrappers[-1] == "RecordVecEnv"


def test_gymnasium_finds_nothing_to_complain_about(store: TrajectoryStore, level: Level) -> None:
    class Steady(level):  # the checker wants the same frame after each seeded reset
        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            self.episode = -1
            return super().reset(seed=seed, options=options)

    check_env(RecordTrajectories(Steady(), store), skip_render_check=True)


def test_ppo_learns_from_what_is_recorded(store: TrajectoryStore, level: Level) -> None:
    class Seen(BaseCallback):
        def __init__(self) -> None:
            super().__init__()
            self.actions: list[np.ndarray] = []

        def _on_step(self) -> bool:
            self.actions.append(np.array(self.locals["actions"]))
            return True

    venv = DummyVecEnv([lambda n=n: level(n, lengths=(4,)) for n in range(2)])
    recorded = RecordTrajectories(venv, store, policy="ppo")
    seen = Seen()
    model = PPO("MlpPolicy", VecTransposeImage(recorded), n_steps=8, batch_size=8, n_epochs=1, device="cpu")
    model.learn(32, callback=seen)
    recorded.close()
    actions = np.stack(seen.actions)  # [steps, levels]
    for n, episodes in by_level(store).items():
        np.testing.assert_array_equal(np.concatenate([t.actions for t in episodes]), actions[:, n])
        assert [len(trajectory) for trajectory in episodes] == [4] * 4
    assert {store.provenance(n).policy for n in range(len(store))} == {"ppo"}


@pytest.fixture
def registered(level: Level) -> Any:
    gym.register("Counting-v7", entry_point=level, max_episode_steps=5)
    yield "Counting-v7"
    del gym.registry["Counting-v7"]


def test_provenance(store: TrajectoryStore, registered: str) -> None:
    venv = make_vec_env(registered, n_envs=2, seed=11, env_kwargs={"lengths": (2,), "form": "HWC"})
    recorded = RecordTrajectories(VecMonitor(venv), store, policy="random")
    recorded.reset()
    for t in range(3):
        recorded.step(np.array([0, 0]))
        if t == 1:
            recorded.policy = "oracle"
    recorded.close()
    first, second, third, _ = (store.provenance(n) for n in range(4))
    assert (first.level, first.level_arguments) == (registered, {"lengths": [2], "form": "HWC"})
    assert first.wrappers == ("PassiveEnvChecker", "OrderEnforcing", "TimeLimit", "Monitor", "VecMonitor")
    assert (first.seed, second.seed, third.seed) == (11, 12, None)
    assert first.policy == "random"
    assert {"perma_agent", "gymnasium", "python", "stable-baselines3"} <= set(first.versions)
    env = RecordTrajectories(gym.make(registered, truncates=True, lengths=(9,)), store, policy="oracle")
    env.reset(seed=5)
    for _ in range(5):
        env.step(0)
    env.flush()
    last = store.provenance(len(store) - 1)
    assert (last.level, last.level_arguments) == (registered, {"truncates": True, "lengths": [9]})
    assert last.wrappers == ("PassiveEnvChecker", "OrderEnforcing", "TimeLimit")
    assert (last.seed, last.policy) == (5, "oracle")
    assert store.trajectory(len(store) - 1).truncated


def test_a_level_without_an_id_goes_by_its_class(store: TrajectoryStore, level: Level) -> None:
    recorded = RecordTrajectories(DummyVecEnv([lambda: level(lengths=(1,))]), store)
    recorded.reset()
    recorded.step(np.array([0]))
    recorded.flush()
    assert (store.provenance(0).level, store.provenance(0).wrappers) == ("CountingLevel", ())


def test_long_episodes_are_stored_in_parts(store: TrajectoryStore, level: Level) -> None:
    env = RecordTrajectories(level(lengths=(7,)), store, max_steps=3)
    env.reset(seed=2)
    for t in range(7):
        env.step(t)
    env.flush()
    parts = [store.trajectory(n) for n in range(len(store))]
    assert [part.factors["t"].tolist() for part in parts] == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7]]
    assert [part.actions.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [part.frames[:, 0, 0, 2].tolist() for part in parts] == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7]]
    assert [(part.terminated, part.truncated) for part in parts] == [(False, True), (False, True), (True, False)]
    env.reset()
    for t in range(6):
        env.step(t)
    env.close()  # just as long as two parts: no empty third
    assert len(store) == 5
    with pytest.raises(ValueError, match="max_steps of at least 1"):
        RecordTrajectories(level(), store, max_steps=0)


def test_a_path_becomes_a_store_that_is_closed_with_the_level(tmp_path: Path, level: Level) -> None:
    for _ in range(2):
        env = RecordTrajectories(level(), tmp_path / "runs" / "store")
        env.reset()
        env.step(0)
        env.close()
        with pytest.raises(StoreError, match="after close"):
            len(env.store)
    assert len(TrajectoryStore.open(tmp_path / "runs" / "store")) == 2


@pytest.mark.parametrize("parallel", [True, False])
def test_a_store_that_cannot_be_written(
    store: TrajectoryStore, level: Level, monkeypatch: pytest.MonkeyPatch, parallel: bool
) -> None:
    env = level(lengths=(2,))
    recorded = RecordTrajectories(DummyVecEnv([lambda: env]) if parallel else env, store)
    action = np.array([1]) if parallel else 1

    def full(trajectories: object) -> range:
        raise StoreError("expected room, got a full disk; free some")

    add_many = store.add_many
    monkeypatch.setattr(store, "add_many", full)
    recorded.reset()
    recorded.step(action)
    recorded.step(action)
    with pytest.raises(StoreError, match="full disk"):
        recorded.flush()
    if not parallel:
        recorded.reset()
    recorded.step(action)
    with pytest.raises(StoreError, match="full disk"):
        recorded.step(action), recorded.flush()
    t = env.t
    recorded._recorder._writer._error = StoreError("expected room, got a full disk; free some")
    with pytest.raises(StoreError, match="full disk"):
        recorded.step(action)
    assert env.t == t  # raised before the level moved
    monkeypatch.setattr(store, "add_many", add_many)
    recorded.close()
    assert sorted(len(store.trajectory(n)) for n in range(len(store))) == [2, 2]  # nothing was dropped


def test_the_level_is_closed_even_if_the_store_cannot_be_written(
    store: TrajectoryStore, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    env = level()
    monkeypatch.setattr(env, "close", lambda: closed.append(True))
    recorded = RecordTrajectories(env, store)
    recorded.reset()
    recorded.step(0)
    store.close()
    with pytest.raises(StoreError, match="after close"):
        recorded.close()
    assert closed == [True]


def test_what_cannot_be_recorded_is_refused(store: TrajectoryStore, level: Level) -> None:
    with pytest.raises(FrameError, match="expected uint8 pictures"):
        RecordTrajectories(gym.make("CartPole-v1"), store)
    with pytest.raises(FrameError, match="expected uint8 pictures"):
        RecordTrajectories(make_vec_env("CartPole-v1"), store)
    env = level()
    env.action_space = gym.spaces.Tuple([gym.spaces.Discrete(2), gym.spaces.Discrete(2)])
    with pytest.raises(ValueError, match="actions that are numbers"):
        RecordTrajectories(env, store)
    recorded = RecordTrajectories(level(), store)
    recorded.reset()
    recorded.step(0)
    recorded.close()
    with pytest.raises(StoreError, match=r"shape \(4, 5, 1\).*got one of \(4, 5, 3\)"):
        RecordTrajectories(level(form="HW"), store)


def test_kill_9_while_recording(tmp_path: Path) -> None:
    """Every trajectory there is whole; all that `flush` returned from are there, and at most one unfinished is not."""
    script = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from conftest import CountingLevel
from stable_baselines3.common.vec_env import DummyVecEnv
from perma_agent.wrappers import RecordTrajectories
venv = RecordTrajectories(DummyVecEnv([lambda n=n: CountingLevel(n, lengths=(5, 9)) for n in range(4)]), sys.argv[2])
venv.reset()
ended = 0
for t in range(10**9):
    ended += int(venv.step(np.full(4, t % 7))[2].sum())
    if t % 50 == 49:
        venv.flush()
        print(ended, flush=True)
"""
    folder = tmp_path / "store"
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(8):
        last = process.stdout.readline()
    process.kill()
    flushed = int((process.communicate()[0].split() or [last])[-1])
    store = TrajectoryStore.open(folder)
    assert len(store) >= flushed > 100
    for n, episodes in by_level(store).items():
        begin = 0
        for episode, trajectory in enumerate(episodes):
            steps = (5, 9)[episode % 2]
            check_episode(
                trajectory, number=n, episode=episode, steps=steps, actions=[t % 7 for t in range(begin, begin + steps)]
            )
            begin += steps


@pytest.mark.slow
def test_levels_in_processes_of_their_own(store: TrajectoryStore) -> None:
    def make(n: int) -> Callable[[], gym.Env]:
        def start() -> gym.Env:
            import sys

            sys.path.insert(0, folder)
            from conftest import CountingLevel

            env = CountingLevel(n, lengths=(2, 3))
            env.level_arguments = {"lengths": [2, 3]}
            return gym.wrappers.TransformReward(env, lambda reward: reward)  # whose spec cannot be pickled

        return start

    folder = str(Path(__file__).parent)
    recorded = RecordTrajectories(SubprocVecEnv([make(n) for n in range(2)]), store)
    recorded.reset()
    for t in range(10):
        recorded.step(np.array([t % 7] * 2))
    recorded.close()
    for n, episodes in by_level(store).items():
        assert [len(trajectory) for trajectory in episodes] == [2, 3, 2, 3]
        begin = 0
        for episode, trajectory in enumerate(episodes):
            steps = len(trajectory)
            check_episode(
                trajectory, number=n, episode=episode, steps=steps, actions=[t % 7 for t in range(begin, begin + steps)]
            )
            begin += steps
    provenance = store.provenance(0)
    assert (provenance.level, provenance.wrappers) == ("CountingLevel", ("TransformReward",))
    assert provenance.level_arguments == {"lengths": [2, 3]}


@pytest.mark.slow
def test_a_real_level(tmp_path: Path) -> None:
    import pyglet

    pyglet.options["headless"] = True
    pytest.importorskip("miniworld")
    from perma_agent.wrappers import ObserveFrames

    env = RecordTrajectories(ObserveFrames(gym.make("MiniWorld-OneRoom-v0")), tmp_path / "store", policy="random")
    env.action_space.seed(0)
    frames = [env.reset(seed=0)[0]]
    over = False
    while not over:
        frame, _, terminated, truncated, _ = env.step(env.action_space.sample())
        frames.append(frame)
        over = terminated or truncated
    env.close()
    store = TrajectoryStore.open(tmp_path / "store")
    np.testing.assert_array_equal(store.trajectory(0).frames, np.stack(frames))
    assert store.frame_shape == (64, 64, 3)
    assert store.provenance(0).level == "MiniWorld-OneRoom-v0"
    assert store.provenance(0).wrappers[-1] == "ObserveFrames"
    assert "miniworld" in store.provenance(0).versions
