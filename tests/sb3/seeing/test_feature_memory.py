"""What is remembered equals what would be computed, and is computed once."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.sb3.seeing.feature_memory import FeatureMemory


class Counting:
    """Features that can be checked by eye; counts the frames it is shown."""

    def __init__(self) -> None:
        self.frames = 0

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        self.frames += len(frames)
        return torch.stack([frames.flatten(1).sum(1), frames[:, 0, 0, 0]], dim=1)


def frames_of(numbers: list[int]) -> torch.Tensor:
    return torch.stack([torch.full((1, 2, 2), float(number)) for number in numbers])


@settings(max_examples=100, deadline=None)
@given(
    capacity=st.integers(1, 6),
    batches=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=1, max_size=8),
)
def test_recalled_equals_encoded(capacity: int, batches: list[list[int]]):
    memory, encode = FeatureMemory(latents=2, capacity=capacity), Counting()
    for numbers in batches:
        expected = torch.tensor([[4.0 * number, float(number)] for number in numbers])
        assert torch.equal(memory.recall(frames_of(numbers), encode), expected)
        assert len(memory) <= capacity


def test_encoded_once():
    memory, encode = FeatureMemory(latents=2), Counting()
    memory.recall(frames_of([1, 2, 1]), encode)
    assert encode.frames == 2
    memory.recall(frames_of([2, 3, 1]), encode)
    assert encode.frames == 3 and len(memory) == 3
    memory.clear()
    memory.recall(frames_of([1]), encode)
    assert encode.frames == 4


def test_the_layout_in_memory_does_not_matter(generator):
    memory, encode = FeatureMemory(latents=2), Counting()
    frames = torch.rand(3, 2, 4, 4, generator=generator)
    first = memory.recall(frames, encode)
    again = memory.recall(frames.contiguous(memory_format=torch.channels_last), encode)
    assert torch.equal(first, again) and encode.frames == 3
    assert torch.equal(memory.recall(frames.flip(0), encode), first.flip(0))


@pytest.mark.parametrize("change", [1e-7, -1e-7])
def test_the_slightest_difference_is_another_frame(change: float):
    memory, encode = FeatureMemory(latents=2), Counting()
    frames = frames_of([1])
    memory.recall(frames, encode)
    frames[0, 0, 1, 1] += change
    memory.recall(frames, encode)
    assert encode.frames == 2


def test_what_is_given_out_is_a_copy():
    memory, encode = FeatureMemory(latents=2), Counting()
    memory.recall(frames_of([1]), encode).zero_()
    assert memory.recall(frames_of([1]), encode).tolist() == [[4.0, 1.0]]
