"""Imagined moves on a VASE that draws a square where two of its latents say, in one environment."""

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.evaluation.imagination_sheet import imagine_moves, position_latents
from perma_agent.models import VASE, VASEConfig
from perma_agent.types import Posterior

FRAMES = np.zeros((3, 1, 32, 32), np.uint8)
VALUES = (-2.0, -1.0, 0.0, 1.0, 2.0)


class Square(VASE):
    """μ = (0, 0, 1); as environment 0 a 5x5 square at 3 z₀ to the right and 4 z₂ downward of (16, 10), as 1 it stays.

    As 2 nothing is drawn, as 3 the square becomes a bar where z₀ > 0.
    """

    def __init__(self):
        super().__init__(VASEConfig(channels=1, image_size=32, filters=(2, 2), hidden=4, latents=3, max_environments=4))

    def encode(self, frames):
        mean = torch.tensor([0.0, 0.0, 1.0]).repeat(len(frames), 1)

        class Encoding:
            posterior = Posterior(mean, torch.zeros_like(mean))

        return Encoding()

    def decode(self, latents, environment):
        drawn = torch.zeros(len(latents), 1, 32, 32)
        for frame, z, s in zip(drawn, latents, torch.as_tensor(environment).expand(len(latents)), strict=True):
            x, y = (16 + round(3 * float(z[0])), 10 + round(4 * float(z[2]))) if s == 0 else (16, 14)
            high, wide = (1, 15) if s == 3 and z[0] > 0 else (2, 2)
            if s != 2:
                frame[:, max(y - high, 0) : y + high + 1, max(x - wide, 0) : x + wide + 1] = 1.0
        return drawn


def test_moves_by_hand():
    moves = imagine_moves(Square(), FRAMES, environment=0, latents=[2, 0, 1], values=VALUES)
    assert moves.latents == (2, 0, 1)
    # Latent 2 starts from its own 1; 0 from 0; the decoder ignores 1.
    np.testing.assert_allclose(moves.displacement[0], [[0, -12], [0, -8], [0, -4], [0, 0], [0, 4]], atol=0.6)
    np.testing.assert_allclose(moves.displacement[1], [[-6, 0], [-3, 0], [0, 0], [3, 0], [6, 0]], atol=1e-9)
    assert (moves.displacement[2] == 0).all()
    assert moves.reach[1:] == pytest.approx([12, 0])
    assert moves.monotonicity == pytest.approx([1, 1, 0])
    np.testing.assert_allclose(moves.likeness[1:], 1)
    assert (moves.lost == 0).all()
    assert np.isnan(moves.kept).all()
    assert np.isnan(moves.kept_unmoved)


def test_masked_latents_start_from_the_prior_but_are_moved():
    moves = imagine_moves(
        Square(), FRAMES, environment=0, latents=[2], mask=np.array([True, True, False]), values=VALUES
    )
    np.testing.assert_allclose(moves.displacement[0, 1:4, 1], [-4, 0, 4], atol=1e-9)


def test_all_else_is_masked_as_in_the_unmoved():
    mask = np.array([True, True, False])
    moves = imagine_moves(Square(), FRAMES, environment=0, latents=[0], mask=mask, values=VALUES)
    np.testing.assert_allclose(moves.displacement[0], [[-6, 0], [-3, 0], [0, 0], [3, 0], [6, 0]], atol=1e-9)


def test_where_the_decoder_ignores_them_nothing_moves():
    moves = imagine_moves(Square(), FRAMES, environment=1, latents=[0, 2], values=VALUES)
    assert (moves.reach == 0).all()
    assert (moves.monotonicity == 0).all()
    np.testing.assert_allclose(moves.likeness, 1)


def test_where_nothing_is_drawn_all_is_lost():
    judge = lambda frames: np.ones(len(frames), bool)  # noqa: E731
    moves = imagine_moves(Square(), FRAMES, environment=2, latents=[0], values=VALUES, judge=judge)
    assert (moves.lost == 1).all()
    assert np.isnan(moves.displacement).all()
    assert (moves.likeness == 0).all()
    assert (moves.kept == 0).all()
    assert np.isnan(moves.reach).all()
    assert (moves.monotonicity == 0).all()


def test_the_judge_sees_objects_moved_back():
    shown = []

    def judge(frames):
        shown.append(frames)
        return frames[:, 0, 14, 16] == 255

    moves = imagine_moves(Square(), FRAMES, environment=0, latents=[0], values=VALUES, judge=judge)
    assert (moves.kept == 1).all()
    assert moves.kept_unmoved == 1
    assert all((frames == shown[-1]).all() for frames in shown)


def test_an_object_that_turns_into_another_is_less_like_it():
    moves = imagine_moves(Square(), FRAMES, environment=3, latents=[0], values=(-1.0, 1.0))
    assert moves.likeness[0, 0] == pytest.approx(1)
    assert moves.likeness[0, 1] < 0.5
    assert moves.reach[0] < 1


def test_position_latents_are_found_bent_or_oblique():
    rng = np.random.default_rng(0)
    positions = rng.random((200, 2))
    bent = np.exp(5 * positions[:, 0])
    oblique = positions[:, 0] - positions[:, 1]
    u = np.abs(positions[:, 1] - 0.5)
    codes = np.stack([rng.standard_normal(200), bent, u, -positions[:, 1], oblique, np.zeros(200)], axis=1)
    told = position_latents(codes, positions, count=3)
    assert set(told.latents) == {1, 3, 4}
    assert told.scores.shape == (6, 2)
    np.testing.assert_allclose(told.scores[[1, 3], [0, 1]], 1)
    assert told.scores[[0, 2]].max() < 0.1
    assert (told.scores[5] == 0).all()
    np.testing.assert_allclose(told.scores[4], 0.5, atol=0.15)


def test_both_axes_together_count_for_more_than_most_of_one():
    positions = np.random.default_rng(0).random((400, 2))
    noisy = positions[:, 0] + 0.2 * np.random.default_rng(1).standard_normal(400)  # ρ² of about 0.7
    told = position_latents(np.stack([noisy, positions.sum(axis=1)], axis=1), positions, count=1)
    assert told.scores[0].max() > told.scores[1].max()
    assert told.latents == (1,)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError) as caught:
        position_latents(np.zeros((4, 3)), np.zeros((5, 2)))
    assert str(caught.value) == (
        "expected codes [N, D] and positions [N, K] of the same N frames, at least 3, got shapes (4, 3) and (5, 2)"
    )
    with pytest.raises(ValueError, match=r"^expected a count from 1 to 3 latents, got 4$"):
        position_latents(np.zeros((4, 3)), np.zeros((4, 2)), count=4)
    with pytest.raises(ValueError, match=r"^expected at least 2 rising values, got \(1.0, 0.0\)$"):
        imagine_moves(Square(), FRAMES, environment=0, latents=[0], values=(1.0, 0.0))
    with pytest.raises(FrameError, match=r"^expected at least one frame, got none$"):
        imagine_moves(Square(), FRAMES[:0], environment=0, latents=[0])
    with pytest.raises(ValueError, match="expected latents from 0 to 2, got "):
        imagine_moves(Square(), FRAMES, environment=0, latents=[3])
