"""Examination against a host whose code is known: its latents are pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from perma_agent.studies.permanence.examination import examine, moved_by_factor, quick_look
from perma_agent.studies.permanence.test_frames import TestFrames
from perma_agent.temporal import ContrastiveConfig, Host, NetworkConfig, Summands, make_host
from perma_agent.types import FramePairs, Posterior


class Pixels(Host[FramePairs]):
    """Its code is the first three pixels of a frame in [0, 1]; it learns nothing."""

    def __init__(self) -> None:
        super().__init__(NetworkConfig(image_size=32, filters=(4, 4), hidden=8, latents=3))
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def summands(self, batch: FramePairs, *, step: int, generator: torch.Generator) -> Summands:
        raise NotImplementedError

    def posterior(self, frames: Tensor) -> Posterior:
        mean = self.normalise(frames)[:, 0, 0, :3]
        return Posterior(mean, torch.zeros_like(mean))


def frames_of(pixels: np.ndarray) -> np.ndarray:
    """Frames whose first three pixels are these."""
    frames = np.zeros((len(pixels), 1, 32, 32), dtype=np.uint8)
    frames[:, 0, 0, :3] = pixels
    return frames


def pairs(before: list[int], after: list[int], count: int = 4) -> FramePairs:
    later, earlier = (frames_of(np.tile(values, (count, 1))) for values in (after, before))
    return FramePairs(later, earlier, np.ones(count, np.int64))


@pytest.fixture
def test() -> TestFrames:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 8, (400, 2)) * 32
    code = np.column_stack([pixels, np.zeros(400, int)])  # the third latent is constant
    return TestFrames(
        frames=frames_of(code),
        factors=pixels / 32,
        names=("first", "second"),
        continuous=(False, False),
        pairs=FramePairs(frames_of(code[1:]), frames_of(code[:-1]), np.ones(399, np.int64)),
        moved={"first": pairs([0, 0, 0], [51, 0, 51]), "second": pairs([0, 0, 0], [0, 102, 0])},
    )


def test_moves_are_in_standard_deviations_of_each_latent_and_a_frozen_one_moves_nothing(test):
    moved = moved_by_factor(Pixels(), test, np.array([0.1, 0.4, 0.0]))
    assert moved == [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]  # 51/255 = 0.2 = 2 · 0.1, 102/255 = 0.4


def test_no_moves_where_the_world_does_not_let_us_choose(test):
    test.moved.clear()
    assert moved_by_factor(Pixels(), test, np.ones(3)) == []


def test_a_code_that_is_the_factors_scores_one(test):
    found = quick_look(Pixels(), test)
    assert found["mcc"] == pytest.approx(1.0) and found["dci_forest"] > 0.95


def test_the_examination_has_all_that_the_page_draws(test):
    measured = examine(Pixels(), test, seed=0)
    assert measured.figures["mcc_spearman"] == pytest.approx(1.0) and measured.figures["active_units"] == 2
    series = measured.series
    assert series["factors"] == ["first", "second"]
    assert np.array(series["correlation"]).shape == np.array(series["importance"]).shape == (3, 2)
    assert np.array(series["moved"]).shape == (2, 3) and len(series["information"]) == 3
    assert "sheet" not in series  # it has no decoder
    assert examine(Pixels(), test, seed=0).series == series


def test_only_hosts_with_a_decoder_have_a_sheet(small, test):
    assert "sheet" not in examine(make_host(ContrastiveConfig(network=small), seed=0), test, seed=0).series
