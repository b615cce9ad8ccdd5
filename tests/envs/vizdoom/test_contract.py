"""What every ViZDoom level promises: frames, seeds, ranges, an engine that is silent and goes when it is told."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import psutil
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium

from perma_agent.envs import ACTIONS, factor_specs_of, level_info, make_level
from perma_agent.envs.factors import outside_range
from perma_agent.envs.vizdoom.levels import DOOM_LEVELS, VIZDOOM_LEVELS
from perma_agent.errors import LevelError

pytest.importorskip("vizdoom", reason="the extra vizdoom is not installed")
LEVELS = [info.id for info in VIZDOOM_LEVELS]
QUICK = [f"perma/Vizdoom{name}-v0" for name in ("Basic", "HealthGathering", "MyWayHome", "Indoor", "Outdoor")]


def walk(level: gym.Env[Any, Any], *, steps: int, seed: int) -> str:
    """Digest of all frames, rewards and factors of a random walk."""
    digest = hashlib.sha256()
    frame, info = level.reset(seed=seed)
    for action in np.random.default_rng(seed).integers(len(ACTIONS), size=steps):
        frame, reward, terminated, truncated, info = level.step(int(action))
        digest.update(frame.tobytes() + np.float64(reward).tobytes())
        for values in info["factors"].values():
            digest.update(values.tobytes())
        if terminated or truncated:
            frame, info = level.reset()
            digest.update(frame.tobytes())
    return digest.hexdigest()


def play(level_id: str, *, steps: int = 200, seed: int = 3) -> str:
    level = make_level(level_id)
    digest = walk(level, steps=steps, seed=seed)
    level.close()
    return digest


def play_all(level_ids: list[str]) -> list[str]:
    return [play(level_id) for level_id in level_ids]


def differs(level_ids: list[str]) -> list[str]:
    """Levels that look different in a fresh process and here after another episode."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = pool.submit(play_all, level_ids)
        found = []
        for level_id in level_ids:
            level = make_level(level_id)
            other, here = walk(level, steps=30, seed=4), walk(level, steps=200, seed=3)
            assert other != walk(level, steps=30, seed=3), level_id
            found.append(here)
            level.close()
        there = elsewhere.result()
    return [level_id for level_id, a, b in zip(level_ids, found, there, strict=True) if a != b]


def engines() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if child.name() == "vizdoom"]


def test_same_seed_same_frames_in_another_process_and_after_other_episodes() -> None:
    assert differs(QUICK) == []


@pytest.mark.slow
def test_same_seed_same_frames_in_the_other_levels() -> None:
    assert differs([level_id for level_id in LEVELS if level_id not in QUICK]) == []


@pytest.mark.parametrize("level_id", LEVELS)
def test_frames_actions_factors_and_rewards_are_as_stated(level_id: str) -> None:
    level, stated = make_level(level_id), level_info(level_id)
    assert level.observation_space == gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    assert level.action_space == gym.spaces.Discrete(len(ACTIONS))
    specs, rng = factor_specs_of(level), np.random.default_rng(0)
    frame, info = level.reset(seed=0)
    for _ in range(60):
        assert list(info["factors"]) == [spec.name for spec in specs]
        assert outside_range(info["factors"], specs) == []
        assert isinstance(info["is_success"], bool)
        assert level.observation_space.contains(frame) and frame.std() > 1
        frame, reward, terminated, truncated, info = level.step(int(rng.integers(len(ACTIONS))))
        assert stated.reward_range[0] <= reward <= stated.reward_range[1]
        if terminated or truncated:
            frame, info = level.reset()
    level.close()


@pytest.mark.parametrize("name", ["Basic", "MyWayHome", "Outdoor"])
@pytest.mark.filterwarnings("ignore:.*render_mode.*")
def test_checkers_of_gymnasium_and_sb3(name: str) -> None:
    from stable_baselines3.common.env_checker import check_env as check_sb3  # late: the fresh process needs no torch

    level = make_level(f"perma/Vizdoom{name}-v0", render_mode="rgb_array")
    check_gymnasium(level.unwrapped, skip_render_check=True)
    check_sb3(level, warn=True)
    level.close()


def test_time_limit_is_a_truncation_and_can_be_chosen() -> None:
    level = make_level("perma/VizdoomMyWayHome-v0", max_episode_steps=3)
    level.reset(seed=0)
    assert [level.step(4)[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]
    level.close()


def test_scenarios_own_time_limit_is_in_the_catalogue_alone() -> None:
    level = make_level("perma/VizdoomBasic-v0", max_episode_steps=200)
    level.reset(seed=0)
    assert not any(any(level.step(3)[2:4]) for _ in range(150))  # the scenario's own limit is 72 actions
    level.close()


def test_levels_in_one_process_do_not_see_each_other_and_closing_ends_their_engines() -> None:
    chosen = QUICK[1:] * 2
    alone = [play(level_id, steps=12, seed=5) for level_id in QUICK[1:]] * 2
    before = len(engines())
    levels = [make_level(level_id) for level_id in chosen]
    digests = [hashlib.sha256() for _ in levels]
    rng = np.random.default_rng(5)
    actions = rng.integers(len(ACTIONS), size=12)
    for level in levels:
        level.reset(seed=5)
    assert len(engines()) == before + 8
    for action in actions:
        for index in rng.permutation(8):
            frame, reward, *_, info = levels[index].step(int(action))
            digests[index].update(frame.tobytes() + np.float64(reward).tobytes())
            for values in info["factors"].values():
                digests[index].update(values.tobytes())
    for level in levels:
        level.close()
    assert [digest.hexdigest() for digest in digests] == alone
    assert len(engines()) == before


def test_engine_says_nothing_leaves_nothing_and_is_not_loaded_before_a_level_is_made(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "import perma_agent.envs as envs\n"
        "assert any(info.engine == 'vizdoom' for info in envs.catalogue())\n"
        "assert 'vizdoom' not in sys.modules\n"
        "level = envs.make_level('perma/VizdoomIndoor-v0')\n"
        "level.reset(seed=0); level.step(2); level.reset(); level.close()\n"
        "level = envs.make_level('perma/VizdoomBasic-v0'); level.reset(seed=0)\n"  # not closed
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_folder_of_the_engines_name_that_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "_vizdoom").mkdir()
    level = make_level("perma/VizdoomBasic-v0")
    level.reset(seed=0)
    level.close()
    assert [path.name for path in tmp_path.iterdir()] == ["_vizdoom"]


def test_engine_that_died_is_named_in_one_sentence() -> None:
    before = {process.pid for process in engines()}
    level = make_level("perma/VizdoomBasic-v0")
    level.reset(seed=0)
    (engine,) = (process for process in engines() if process.pid not in before)
    engine.kill()
    engine.wait(10)
    with pytest.raises(LevelError, match=r"expected ViZDoom's engine to run, got .*; make the level anew") as caught:
        for _ in range(3):
            level.step(0)
    assert "\n" not in str(caught.value)
    level.close()


def test_every_level_says_what_it_needs_and_is_indoors_or_outdoors() -> None:
    assert all("perma-agent[vizdoom]" in info.needs and "Success: " in info.description for info in VIZDOOM_LEVELS)
    assert {info.setting for info in VIZDOOM_LEVELS if info.task == "explore"} == {"indoor", "outdoor"}
    assert DOOM_LEVELS["Indoor"].controls == DOOM_LEVELS["Outdoor"].controls
