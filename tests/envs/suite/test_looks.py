"""Looks: what the held-out split shows is never shown in training."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs.miniworld.engine import TEXTURES as FOLDER
from perma_agent.envs.suite.looks import BINS, HUES, TEXTURES, draw_hue, draw_look, draw_view, hue_bin
from perma_agent.envs.vocabulary import SETTINGS, SPLITS, Setting


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_texture_is_in_both_splits(setting: Setting) -> None:
    pools = {split: {name for part in TEXTURES[setting].values() for name in part[split]} for split in SPLITS}
    assert pools["train"] and pools["test"]
    assert not pools["train"] & pools["test"]
    assert all((FOLDER / f"{name}.png").is_file() for pool in pools.values() for name in pool)


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_hue_is_in_both_splits(setting: Setting) -> None:
    for low, high in HUES[setting].values():
        rng = np.random.default_rng(0)
        bins = {s: {hue_bin(draw_hue(rng, low, high, split=s), low, high) for _ in range(200)} for s in SPLITS}
        assert bins == {"train": set(range(0, BINS, 2)), "test": set(range(1, BINS, 2))}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("split", SPLITS)
def test_looks_come_from_the_pools_and_vary(setting: Setting, split: str) -> None:
    looks = [draw_look(np.random.default_rng(seed), setting=setting, split=split) for seed in range(30)]
    for part in ("ground", "wall", "pillar", "gate"):
        assert {getattr(look, part).texture for look in looks} == set(TEXTURES[setting][part][split])
    assert len({look.wall.tint for look in looks}) == 30
    assert draw_look(np.random.default_rng(1), setting=setting, split=split) == looks[1]


def test_light_and_camera_stay_in_their_ranges() -> None:
    views = [draw_view(np.random.default_rng(seed)) for seed in range(200)]
    for name, low, high in (
        ("light", 0.55, 1.0),
        ("camera_height", 1.25, 1.45),
        ("camera_pitch", -9.0, -3.0),
        ("camera_fov", 65.0, 75.0),
    ):
        values = [getattr(view, name) for view in views]
        assert low <= min(values) < low + 0.1 * (high - low) and high - 0.1 * (high - low) < max(values) <= high
