"""What every level promises, ours and the engine's: one test for all of them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium

from perma_agent.envs import ACTIONS, SUITE, LevelInfo, catalogue, factor_specs_of, level_info, make_level
from perma_agent.envs.factors import outside_range

LEVELS = [*(info.id for info in SUITE), "MiniWorld-FourRooms-v0", "MiniWorld-PutNext-v0", "MiniWorld-Sign-v0"]
ALL = [info.id for info in catalogue() if info.engine != "dmlab"]  # tests/envs/dmlab has those


def play(level_id: str, *, steps: int, seed: int) -> tuple[str, float]:
    """Digest of all frames, rewards and factors of a random walk, and the sum of its rewards."""
    level = make_level(level_id)
    digest, total = hashlib.sha256(), 0.0
    actions = np.random.default_rng(seed).integers(len(ACTIONS), size=steps)
    frame, info = level.reset(seed=seed)
    for action in actions:
        frame, reward, terminated, truncated, info = level.step(int(action))
        total += float(reward)
        digest.update(frame.tobytes() + np.float64(reward).tobytes())
        for values in info["factors"].values():
            digest.update(values.tobytes())
        if terminated or truncated:
            frame, info = level.reset()
            digest.update(frame.tobytes())
    level.close()
    return digest.hexdigest(), total


def play_all(level_ids: list[str]) -> list[str]:
    return [play(level_id, steps=200, seed=3)[0] for level_id in level_ids]


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, str]:
    """Digests of the same walks in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return dict(zip(LEVELS, pool.submit(play_all, LEVELS).result(), strict=True))


@pytest.mark.parametrize("level_id", LEVELS)
def test_same_seed_same_frames_here_and_in_another_process(level_id: str, elsewhere: dict[str, str]) -> None:
    here = play(level_id, steps=200, seed=3)[0]
    assert here == play(level_id, steps=200, seed=3)[0]
    assert here == elsewhere[level_id]
    assert play(level_id, steps=5, seed=3)[0] != play(level_id, steps=5, seed=4)[0]


@pytest.mark.parametrize("level_id", LEVELS)
@pytest.mark.filterwarnings("ignore:.*render_mode.*")
def test_checkers_of_gymnasium_and_sb3(level_id: str) -> None:
    from stable_baselines3.common.env_checker import check_env as check_sb3  # late: the fresh process needs no torch

    level = make_level(level_id, render_mode="rgb_array")
    check_gymnasium(level.unwrapped, skip_render_check=True)
    check_sb3(level, warn=True)
    level.close()


@pytest.mark.parametrize("level_id", ALL)
def test_frames_actions_factors_and_rewards_are_as_stated(level_id: str) -> None:
    level, info = make_level(level_id), level_info(level_id)
    assert level.observation_space == gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    assert level.action_space == gym.spaces.Discrete(len(ACTIONS))
    frame, extra = level.reset(seed=0)
    specs = factor_specs_of(level)
    rng = np.random.default_rng(0)
    for _ in range(40):
        assert list(extra["factors"]) == [spec.name for spec in specs]
        assert outside_range(extra["factors"], specs) == []
        assert isinstance(extra["is_success"], bool)
        assert frame.std() > 1
        frame, reward, terminated, truncated, extra = level.step(int(rng.integers(len(ACTIONS))))
        assert info.reward_range[0] <= reward <= info.reward_range[1]
        if terminated or truncated:
            frame, extra = level.reset()
    level.close()


def test_factors_have_the_same_names_shapes_and_units_in_every_level() -> None:
    seen = set()
    for level_id in LEVELS:
        level = make_level(level_id, size=16)
        level.reset(seed=0)
        seen.add(tuple((spec.name, spec.shape, spec.unit, spec.meaning) for spec in factor_specs_of(level)))
        level.close()
    assert len(seen) == 1


@pytest.mark.parametrize("level_id", [info.id for info in SUITE])
def test_time_limit_is_a_truncation_and_can_be_chosen(level_id: str) -> None:
    assert level_info(level_id).max_episode_steps == gym.spec(level_id).max_episode_steps
    level = gym.make(level_id, max_episode_steps=3)
    level.reset(seed=0)
    ends = [level.step(len(ACTIONS) - 1)[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    level.close()


def test_eight_levels_in_one_process_do_not_see_each_other() -> None:
    alone = [play(level_id, steps=20, seed=5)[0] for level_id in [*LEVELS[:6], *LEVELS[:2]]]
    levels = [make_level(level_id) for level_id in [*LEVELS[:6], *LEVELS[:2]]]
    rng = np.random.default_rng(5)
    actions = rng.integers(len(ACTIONS), size=20)
    digests = [hashlib.sha256() for _ in levels]

    def note(digest: Any, frame: np.ndarray, reward: float, info: dict[str, Any]) -> None:
        digest.update(frame.tobytes() + np.float64(reward).tobytes())
        for values in info["factors"].values():
            digest.update(values.tobytes())

    order = rng.permutation(8)
    for index in order:
        levels[index].reset(seed=5)
    for action in actions:
        for index in rng.permutation(8):  # any order
            frame, reward, *_, info = levels[index].step(int(action))
            note(digests[index], frame, float(reward), info)
    for index in order[:4]:
        levels[index].close()
    for index in order[4:]:  # those left still draw
        assert levels[index].step(0)[0].std() > 1
        levels[index].close()
    assert [digest.hexdigest() for digest in digests] == alone


@pytest.mark.parametrize("engine", ["miniworld", "vizdoom"])
def test_subproc_vec_env_with_spawn(engine: str) -> None:
    from stable_baselines3.common.vec_env import SubprocVecEnv

    if engine == "vizdoom":
        pytest.importorskip(engine, reason="the extra vizdoom is not installed")
    makers = {
        "miniworld": [
            partial(make_level, "perma/OutdoorMaze-v0", rows=2, columns=2),
            partial(make_level, "perma/IndoorForage-v0"),
        ],
        "vizdoom": [
            partial(make_level, "perma/VizdoomMyWayHome-v0"),
            partial(make_level, "perma/VizdoomOutdoor-v0"),
        ],
    }[engine]
    venv = SubprocVecEnv(makers, start_method="spawn")
    venv.seed(7)
    assert venv.reset().shape == (2, 64, 64, 3)
    frames, _, _, infos = venv.step(np.array([2, 2]))
    venv.close()
    here = makers[0]()
    here.reset(seed=7)
    frame, _, _, _, info = here.step(2)
    here.close()
    assert np.array_equal(frames[0], frame)
    assert all(np.array_equal(infos[0]["factors"][name], values) for name, values in info["factors"].items())


@pytest.mark.parametrize(
    ("engine", "level_id", "options"),
    [("miniworld", "perma/IndoorMaze-v0", {"size": 16}), ("vizdoom", "perma/VizdoomMyWayHome-v0", {})],
)
def test_gymnasiums_async_vector_env_which_forks(engine: str, level_id: str, options: dict[str, Any]) -> None:
    """Its parent makes one level first, so the children inherit an OpenGL, or an engine, already at work."""
    if engine == "vizdoom":
        pytest.importorskip(engine, reason="the extra vizdoom is not installed")
    venv = gym.make_vec(level_id, num_envs=2, vectorization_mode="async", **options)
    venv.reset(seed=7)
    frames, *_, infos = venv.step(np.array([2, 2]))
    venv.close()
    here = make_level(level_id, **options)
    here.reset(seed=7)
    assert np.array_equal(frames[0], here.step(2)[0])
    assert infos["factors"]["object_position"].shape == (2, 8, 2)
    here.close()


def test_infos_are_read_without_loading_an_engine() -> None:
    assert all(isinstance(info, LevelInfo) and info.description for info in catalogue())
    assert len({info.id for info in catalogue()}) == len(catalogue())
