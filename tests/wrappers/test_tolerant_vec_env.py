"""Levels that raise, die and hang: what is told, what goes on, and that no episode is joined to another."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from perma_agent.data import TrajectoryStore
from perma_agent.errors import LevelError
from perma_agent.wrappers import RecordTrajectories, Tolerance, TolerantVecEnv, WorkerRestartedWarning

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a spawned process cannot import a test

LENGTH = 12
STAY, RAISE, REFUSE, DIE, EXIT, HANG = range(6)
SEED = 40


class FragileLevel(gym.Env[np.ndarray, int]):
    """Pixels 0, 1 and 2 hold the step, the seed's last byte (0: none), and a byte drawn from it for the episode."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012
    observation_space = spaces.Box(0, 255, (4, 4, 3), np.uint8)
    action_space = spaces.Discrete(6)

    def __init__(self, *, dies_once_at_reset: Path | None = None) -> None:
        self.t, self.seed, self.episode, self.colour = 0, 0, 0, 0
        self.dies_once_at_reset = dies_once_at_reset

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        if self.dies_once_at_reset is not None and self.dies_once_at_reset.exists():
            self.dies_once_at_reset.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        self.t, self.seed, self.episode = 0, 0 if seed is None else seed, int(self.np_random.integers(256))
        return self.frame(), {"options": options}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        match action:
            case _ if action == RAISE:
                raise KeyError("no such lamp")
            case _ if action == REFUSE:
                raise LevelError("expected light, got none; switch it on")
            case _ if action == DIE:
                os.kill(os.getpid(), signal.SIGKILL)
            case _ if action == EXIT:
                os._exit(7)
            case _ if action == HANG:
                time.sleep(1_000)
        self.t += 1
        return self.frame(), 1.0, self.t == LENGTH, False, {}

    def frame(self) -> np.ndarray:
        frame = np.zeros((4, 4, 3), dtype=np.uint8)
        frame.flat[:4] = self.t, self.seed % 256, self.episode, self.colour
        return frame


def expected_seed(copy: int, restarts: int) -> int:
    """As the docstring has it."""
    return int(np.random.SeedSequence([SEED + copy, restarts]).generate_state(1)[0])


def stamps(observations: np.ndarray, copy: int) -> list[int]:
    """Step and seed's last byte."""
    return observations[copy].reshape(-1)[:2].tolist()


@pytest.fixture
def opened() -> Iterator[Callable[..., TolerantVecEnv]]:
    made: list[TolerantVecEnv] = []

    def open_(*makers: Callable[[], gym.Env], **tolerance: Any) -> TolerantVecEnv:
        made.append(TolerantVecEnv(makers, tolerance=Tolerance(**tolerance)))
        return made[-1]

    yield open_
    for venv in made:
        venv.close()
        assert not any(process.is_alive() for process in venv.processes)


def act(venv: Any, *actions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    return venv.step(np.array(actions))


def test_death_exit_and_hang_break_off_one_episode_and_leave_the_others(opened: Any) -> None:
    venv = opened(FragileLevel, FragileLevel, seconds=3, deaths=4)
    venv.seed(SEED)
    venv.reset()
    venv.set_attr("colour", 9, indices=[1])
    for number, (action, reason) in enumerate([(DIE, "SIGKILL"), (EXIT, "code 7"), (HANG, "within 3 s")], start=1):
        before, *_ = act(venv, STAY, STAY)
        with pytest.warns(WorkerRestartedWarning, match=r"FragileLevel \(copy 1\).*" + reason):
            frames, rewards, dones, infos = act(venv, STAY, action)
        assert dones.tolist() == [False, True]
        assert rewards.tolist() == [1.0, 0.0]
        assert reason in infos[1]["restart_reason"]
        assert infos[1]["TimeLimit.truncated"] is True and infos[1]["worker_restarted"] is True
        np.testing.assert_array_equal(infos[1]["terminal_observation"], before[1])
        seed = expected_seed(1, number)
        assert stamps(frames, 1) == [0, seed % 256]
        assert venv.reset_infos[1]["seed"] == seed
        assert stamps(frames, 0) == [2 * number, SEED % 256]  # copy 0 noticed nothing
        assert "worker_restarted" not in infos[0]
        assert frames[1].reshape(-1)[3] == 9  # what was set is set again
    assert venv.restarts == [0, 3]
    assert venv.get_attr("colour") == [0, 9]


def test_death_outside_a_step_is_the_next_step_s_truncation(opened: Any) -> None:
    venv = opened(FragileLevel)
    venv.seed(SEED)
    venv.reset()
    before, *_ = act(venv, STAY)
    os.kill(venv.processes[0].pid, signal.SIGKILL)
    with pytest.warns(WorkerRestartedWarning):
        shown = venv.env_method("frame")[0]  # asked again of the new worker, which was reset
    assert stamps(shown[None], 0) == [0, expected_seed(0, 1) % 256]
    frames, _, dones, infos = act(venv, STAY)
    assert dones.all() and infos[0]["worker_restarted"]
    np.testing.assert_array_equal(infos[0]["terminal_observation"], before[0])
    np.testing.assert_array_equal(frames[0], shown)
    frames, _, dones, infos = act(venv, STAY)
    assert not dones.any() and "worker_restarted" not in infos[0]
    assert stamps(frames, 0)[0] == 1


@pytest.mark.slow
def test_a_reset_that_kills_is_asked_again_and_ends_no_other_episode(opened: Any, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.touch()
    venv = opened(lambda: FragileLevel(dies_once_at_reset=trap))
    venv.seed(SEED)
    venv.set_options({"map": 3})
    with pytest.warns(WorkerRestartedWarning):
        frames = venv.reset()
    assert stamps(frames, 0) == [0, SEED]
    assert venv.reset_infos[0]["options"] == {"map": 3}
    assert not act(venv, STAY)[2].any()


@pytest.mark.parametrize(
    ("action", "kind", "message"),
    [
        (RAISE, RuntimeError, r"FragileLevel \(copy 1\) raised KeyError: 'no such lamp'"),
        pytest.param(
            REFUSE,
            LevelError,
            r"FragileLevel \(copy 1\) raised LevelError: expected light, got none",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_level_that_raises_shows_its_name_and_traceback(opened: Any, action: int, kind: type, message: str) -> None:
    venv = opened(FragileLevel, FragileLevel)
    venv.reset()
    with pytest.raises(kind, match=message) as caught:
        act(venv, STAY, action)
    assert "in step" in str(caught.value.__cause__) and Path(__file__).name in str(caught.value.__cause__)
    assert venv.restarts == [0, 0]


def test_a_level_that_keeps_dying_is_named_but_rare_deaths_are_borne(opened: Any) -> None:
    venv = opened(FragileLevel, deaths=2, within=4)
    venv.reset()
    with pytest.warns(WorkerRestartedWarning):
        act(venv, DIE)
        for _ in range(3):
            act(venv, STAY)
        act(venv, DIE)  # 4 steps after the last: far enough
        act(venv, STAY)
    with pytest.raises(LevelError, match=r"FragileLevel.*SIGKILL.*died 2 times within 4 steps"):
        act(venv, DIE)


@pytest.mark.slow
def test_a_level_that_cannot_be_made() -> None:
    def breaks() -> gym.Env:
        raise ValueError("no map")

    def dies() -> gym.Env:
        os._exit(3)

    with pytest.raises(RuntimeError, match=r"copy 1\) raised ValueError: no map"):
        TolerantVecEnv([FragileLevel, breaks])
    with (
        pytest.warns(WorkerRestartedWarning),
        pytest.raises(LevelError, match=r"copy 0\).*exited with code 3.*died 2 times"),
    ):
        TolerantVecEnv([dies], tolerance=Tolerance(deaths=2))


def test_every_stored_trajectory_is_whole(opened: Any, tmp_path: Path) -> None:
    venv = opened(FragileLevel, FragileLevel, deaths=3, within=5)
    normalised = VecNormalize(VecMonitor(venv), norm_obs=False)
    recorded = RecordTrajectories(normalised, tmp_path / "store")
    recorded.seed(SEED)
    recorded.reset()
    with pytest.warns(WorkerRestartedWarning):
        for step in range(1, 31):
            if step in (7, 20):
                os.kill(venv.processes[step % 2].pid, signal.SIGKILL)
            _, _, dones, infos = act(recorded, STAY, STAY)
            assert [bool(info.get("episode")) for info in infos] == dones.tolist()  # the outer monitor sees all ends
    recorded.close()
    assert sum(venv.restarts) == 2
    check_whole(tmp_path / "store", kills=2, steps=60)


def check_whole(path: Path, *, kills: int, steps: int) -> None:
    store, broken_off = TrajectoryStore.open(path), 0
    assert sum(len(store.trajectory(number)) for number in range(len(store))) == steps
    for number in range(len(store)):
        trajectory = store.trajectory(number)
        marks = trajectory.frames.reshape(len(trajectory) + 1, -1).astype(int)
        assert len({tuple(mark) for mark in marks[:, 1:3]}) == 1  # one seed, one episode
        times = marks[:, 0].tolist()
        if trajectory.truncated and times[-1] == times[-2]:  # the step that was never taken
            broken_off += 1
            times.pop()
        assert times == list(range(len(times)))
        assert trajectory.truncated or len(trajectory) == LENGTH
    assert broken_off == kills


def test_arguments_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least one level"):
        TolerantVecEnv([])
    with pytest.raises(ValueError, match="positive seconds"):
        Tolerance(seconds=0)


@pytest.mark.slow
def test_levels_must_have_the_same_spaces() -> None:
    def other() -> gym.Env:
        return gym.make("CartPole-v1")

    with pytest.raises(ValueError, match="same spaces"):
        TolerantVecEnv([FragileLevel, other])
