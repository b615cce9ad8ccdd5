"""Sequences, and the pairs that are cut out of them."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.errors import FrameError
from perma_agent.temporal import FrameSequences, PairsOfSequences


class Counting:
    """Sequences whose frames show their sequence's number in one pixel and their own in the next."""

    length = 5

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FrameSequences:
        frames = np.zeros((batch_size, self.length, 1, 1, 2), np.uint8)
        frames[..., 0] = np.arange(batch_size)[:, None, None, None]
        frames[..., 1] = np.arange(self.length)[None, :, None, None]
        return FrameSequences(frames)


def test_pairs_lie_in_one_sequence_and_are_an_offset_apart(rng):
    pairs = PairsOfSequences(Counting(), offsets=(1, 3)).draw(200, rng=rng)
    sequence, place = pairs.frames[:, 0, 0].T
    earlier_sequence, earlier_place = pairs.earlier[:, 0, 0].T
    assert np.array_equal(sequence, earlier_sequence)
    assert np.array_equal(place.astype(int) - earlier_place, pairs.offsets)
    assert set(zip(pairs.offsets.tolist(), earlier_place.tolist(), strict=True)) == {
        (1, 0), (1, 1), (1, 2), (1, 3), (3, 0), (3, 1)
    }  # fmt: skip


def test_offsets_come_by_their_weights(rng):
    pairs = PairsOfSequences(Counting(), offsets=(1, 3), offset_weights=(1, 3)).draw(255, rng=rng)
    assert 0.65 < (pairs.offsets == 3).mean() < 0.85


def test_the_same_generator_gives_the_same_pairs():
    first, second = (PairsOfSequences(Counting()).draw(9, rng=np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first.frames, second.frames)


def test_sequences_too_short_for_an_offset_are_refused(rng):
    with pytest.raises(FrameError, match=r"expected sequences of more than 5 frames for the offsets \[1, 5\], got 5"):
        PairsOfSequences(Counting(), offsets=(1, 5)).draw(4, rng=rng)


@pytest.mark.parametrize(("offsets", "weights"), [((), None), ((0,), None), ((1, 2), (1,)), ((1,), (0,))])
def test_offsets_and_weights_are_checked(offsets, weights):
    with pytest.raises(ValueError, match="expected"):
        PairsOfSequences(Counting(), offsets=offsets, offset_weights=weights)


def test_a_sequence_has_at_least_two_frames():
    with pytest.raises(FrameError, match="expected sequences of at least two frames, got 1"):
        FrameSequences(np.zeros((2, 1, 1, 8, 8), np.uint8))


def test_sequences_are_uint8_with_five_axes():
    with pytest.raises(FrameError, match="got dtype float64"):
        FrameSequences(np.zeros((2, 3, 1, 8, 8)))
    with pytest.raises(FrameError, match="with 5 axes"):
        FrameSequences(np.zeros((2, 1, 8, 8), np.uint8))
