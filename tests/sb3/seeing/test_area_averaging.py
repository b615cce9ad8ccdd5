"""Pictures shrink and grow as OpenCV's area averaging does, to within its rounding."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.sb3.seeing.area_averaging import area_weights, average_areas

LENGTHS = st.integers(1, 40)


def test_weights_by_hand():
    # 3 pixels into 2: each new one covers one and a half of the old.
    assert torch.allclose(area_weights(3, 2), torch.tensor([[2 / 3, 1 / 3, 0.0], [0.0, 1 / 3, 2 / 3]]))
    assert torch.equal(area_weights(2, 4), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    assert torch.equal(area_weights(5, 5), torch.eye(5))


@settings(max_examples=60, deadline=None)
@given(length=LENGTHS, size=LENGTHS)
def test_weights_are_shares(length: int, size: int):
    weights = area_weights(length, size)
    assert weights.shape == (size, length) and (weights >= 0).all()
    assert torch.allclose(weights.sum(dim=1), torch.ones(size), atol=1e-6)  # nothing is added or lost
    assert torch.allclose(weights.sum(dim=0), torch.full((length,), size / length), atol=1e-5)  # and all count alike


@settings(max_examples=60, deadline=None)
@given(height=st.integers(16, 90), width=st.integers(16, 90), seed=st.integers(0, 1000))
def test_as_opencv_shrinks(height: int, width: int, seed: int):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    expected = cv2.resize(picture, (16, 16), interpolation=cv2.INTER_AREA)
    rows, columns = area_weights(height, 16), area_weights(width, 16)
    found = average_areas(torch.from_numpy(picture).float(), rows=rows, columns=columns)
    assert np.abs(found.numpy() - expected).max() <= 0.51


def test_as_opencv_grows():
    picture = np.random.default_rng(0).integers(0, 256, (10, 12), dtype=np.uint8)
    expected = cv2.resize(picture, (24, 20), interpolation=cv2.INTER_AREA)
    found = average_areas(torch.from_numpy(picture).float(), rows=area_weights(10, 20), columns=area_weights(12, 24))
    assert np.abs(found.numpy() - expected).max() <= 0.51
