"""Feature memory: each frame is encoded once between two publications, however often the policy is trained on it.

PPO encodes a frame when it acts and again in each of `n_epochs` passes over the rollout. The encoder does not change in
between, so the features need not be computed again; and those of the minibatches equal those of the rollout bit for
bit, while a network applied to batches of another size may round otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

CAPACITY = 65_536
"""Frames remembered at most (8 MB of features at 32 latents, and as much for the keys)."""


class FeatureMemory:
    """Features by the SHA-1 of the frame they belong to; for frames in main memory.

    Args:
        latents: D.
        capacity: frames remembered at most; when it is full it starts anew.
    """

    def __init__(self, *, latents: int, capacity: int = CAPACITY) -> None:
        self._places: dict[bytes, int] = {}
        self._features = torch.empty(capacity, latents)

    def __len__(self) -> int:
        return len(self._places)

    def clear(self) -> None:
        """Forget all: the encoder or the mask changed."""
        self._places.clear()

    def resume_state(self) -> dict[str, np.ndarray]:
        """All that is remembered, as copies: keys, uint8 of shape `[n, 20]`, and features, `[n, D]`."""
        keys = np.frombuffer(b"".join(self._places), dtype=np.uint8).reshape(
            -1, hashlib.sha1(usedforsecurity=False).digest_size
        )
        return {"keys": keys.copy(), "features": self._features[: len(self._places)].numpy().copy()}

    def resume_from(self, state: Mapping[str, np.ndarray]) -> None:
        """Remember what `resume_state` gave, and nothing else.

        Features that were encoded in another batch may have rounded otherwise, so a resumed agent must remember them.
        """
        keys, features = state["keys"], torch.from_numpy(np.array(state["features"]))
        self._places = {key.tobytes(): place for place, key in enumerate(keys)}
        self._features[: len(features)] = features

    def recall(self, frames: Tensor, encode: Callable[[Tensor], Tensor]) -> Tensor:
        """Features of `frames`, encoding only those not met since `clear`.

        Args:
            frames: shape `[B, C, H, W]`.
            encode: their features, `[B, C, H, W]` -> float32 `[B, D]`, each depending on its own frame alone.

        Returns:
            Shape `[B, D]`, without gradient.
        """
        keys = [hashlib.sha1(row, usedforsecurity=False).digest() for row in np.ascontiguousarray(frames.numpy())]
        new = self._new(keys)
        if len(self._places) + len(new) > len(self._features):
            self.clear()
            new = self._new(keys)
        if len(new) > len(self._features):
            return encode(frames)
        if new:
            start = len(self._places)
            features = encode(frames if len(new) == len(frames) else frames[list(new.values())])
            self._features[start : start + len(new)] = features
            self._places.update(zip(new, range(start, start + len(new)), strict=True))
        return self._features[[self._places[key] for key in keys]]

    def _new(self, keys: list[bytes]) -> dict[bytes, int]:
        """Unknown keys with the first place in the batch where they stand, in that order."""
        new: dict[bytes, int] = {}
        for index, key in enumerate(keys):
            if key not in self._places:
                new.setdefault(key, index)
        return new
