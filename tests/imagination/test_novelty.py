"""Novelty: rare is what lies far from what was met, jointly or by one factor; a code is not its own neighbour."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.imagination.novelty import Novelty, NoveltyConfig


def novelty(codes: np.ndarray, *, latents: tuple[int, ...] | None = None, **options: float) -> Novelty:
    used = np.isin(np.arange(codes.shape[1]), range(codes.shape[1]) if latents is None else latents)
    config = NoveltyConfig(**options)  # type: ignore[arg-type]
    return Novelty(codes, spread=np.ones(codes.shape[1]), latents=used, config=config, rng=np.random.default_rng(0))


def test_joint_rarity_is_the_mean_distance_to_the_nearest_others() -> None:
    codes = np.array([[0.0], [1.0], [3.0], [7.0]], dtype=np.float32)
    found = novelty(codes, neighbours=2)
    assert found.joint(codes).tolist() == [2.0, 1.5, 2.5, 5.0]  # without itself
    assert found.joint(np.array([[2.0]], dtype=np.float32)).tolist() == [1.0]


def test_surprise_is_the_histograms() -> None:
    codes = np.array([[0.0], [0.1], [0.2], [1.0]], dtype=np.float32)
    found = novelty(codes, bins=2)  # [0, .5) holds 3, [.5, 1] holds 1, beyond either end 0: of 4 + 4/2
    expected = -np.log(np.array([3.5, 1.5, 0.5, 0.5]) / 6.0)
    assert found.surprise(np.array([[0.3], [1.0], [1.01], [-9.0]], dtype=np.float32))[:, 0] == pytest.approx(expected)


def test_what_lies_far_beyond_the_rim_is_no_more_novel_than_what_lies_just_beyond(rng: np.random.Generator) -> None:
    codes = rng.normal(size=(600, 2)).astype(np.float32)
    found = novelty(codes)
    common, rim, beyond, far = found(np.array([[0, 0], [2.5, 0], [6, 6], [60, 60]], dtype=np.float32))
    assert 0 <= common < 0.3 < rim <= beyond == far == 1.0


def test_a_new_combination_of_common_factors_is_novel_jointly_only(rng: np.random.Generator) -> None:
    line = rng.uniform(-1, 1, size=(800, 1)).astype(np.float32)
    codes = np.concatenate([line, line], axis=1)
    candidate = np.array([[0.8, -0.8]], dtype=np.float32)
    assert novelty(codes, joint=1.0)(candidate)[0] == 1.0
    assert novelty(codes, joint=0.0)(candidate)[0] < 0.95


def test_latents_that_are_not_in_use_do_not_count(rng: np.random.Generator) -> None:
    codes = rng.normal(size=(300, 2)).astype(np.float32)
    strange = np.array([[0.0, 50.0]], dtype=np.float32)
    assert novelty(codes, latents=(0,))(strange)[0] < 0.5 < novelty(codes)(strange)[0]


def test_two_codes_at_least_are_needed() -> None:
    with pytest.raises(ValueError, match="at least 2 codes"):
        novelty(np.zeros((1, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="joint in"):
        NoveltyConfig(joint=1.5)
