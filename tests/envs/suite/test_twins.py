"""Indoors and outdoors the same things happen; only the pictures differ."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs import make_level
from perma_agent.envs.suite.oracle import Oracle


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("task", ["Forage", "Maze", "Deferred"])
def test_twins_have_the_same_factors_and_rewards_but_other_frames(task: str, split: str) -> None:
    indoor, outdoor = (make_level(f"perma/{setting}{task}-v0", split=split) for setting in ("Indoor", "Outdoor"))
    oracle = Oracle(indoor)  # reaches every part of the rules; chance would not
    rng = np.random.default_rng(1)
    touched = 0
    for seed in range(2):
        (frame_in, info_in), (frame_out, info_out) = indoor.reset(seed=seed), outdoor.reset(seed=seed)
        over = False
        for _ in range(150):
            assert info_in["is_success"] == info_out["is_success"]
            assert info_in["factors"].keys() == info_out["factors"].keys()
            for name, values in info_in["factors"].items():
                assert np.array_equal(values, info_out["factors"][name]), name
            assert np.abs(frame_in.astype(int) - frame_out.astype(int)).mean() > 5
            if over:
                break
            action = int(rng.integers(5)) if rng.uniform() < 0.2 else oracle.action()
            frame_in, reward_in, over, cut_in, info_in = indoor.step(action)
            frame_out, reward_out, over_out, cut_out, info_out = outdoor.step(action)
            assert (reward_in, over, cut_in) == (reward_out, over_out, cut_out)
            touched += reward_in != 0
    assert touched > 0
    indoor.close()
    outdoor.close()


def test_splits_show_different_maps_and_looks() -> None:
    levels = [make_level("perma/IndoorMaze-v0", split=split, start="fixed") for split in ("train", "test")]
    frames = [level.reset(seed=0)[0] for level in levels]
    walls = [level.unwrapped.episode.plan.blocks for level in levels]
    for level in levels:
        level.close()
    assert not np.array_equal(*frames)
    assert walls[0] != walls[1]
