"""A VASE that can be worked out by hand: each latent is the brightness of one block of the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from perma_agent.continual import EnvironmentRecord
from perma_agent.imagination.worldview import Worldview
from perma_agent.models import VASE, VASEConfig

SIZE = 8
"""Height and width of frames and, as D blocks of columns, width of D latents together."""
SIGMA = 0.05
"""σ of every posterior."""


@dataclass(frozen=True, kw_only=True)
class Painted(Worldview):
    """Latent n is drawn as block n's grey, z = -3 black and 3 white, and read off it again."""

    ignored: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Latents that the decoder of an environment ignores: drawn as 0."""
    sign: float = 1.0
    """-1 for a VASE that has moved: it reads and draws everything with the other sign."""

    def encode(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width = SIZE // self.latents
        greys = frames[:, 0, 0, ::width][:, : self.latents].astype(np.float32)
        means = self.sign * (greys / 255.0 * 6.0 - 3.0)
        return means.astype(np.float32), np.full_like(means, SIGMA)

    def draw(self, codes: np.ndarray, environments: np.ndarray) -> np.ndarray:
        seen = codes * self.sign
        for environment, latents in self.ignored.items():
            seen = np.where((environments == environment)[:, None] & np.isin(np.arange(self.latents), latents), 0, seen)
        return paint(seen)

    def environment_of(self, frames: np.ndarray) -> int:
        return self.environment


def paint(codes: np.ndarray) -> np.ndarray:
    """Frames of codes, uint8 `[B, 1, SIZE, SIZE]`."""
    greys = np.clip(np.rint((codes + 3.0) / 6.0 * 255.0), 0, 255).astype(np.uint8)
    rows = np.repeat(greys, SIZE // codes.shape[1], axis=1)
    rows = np.pad(rows, ((0, 0), (0, SIZE - rows.shape[1])))
    return np.broadcast_to(rows[:, None, None, :], (len(codes), 1, SIZE, SIZE)).copy()


def record(latents: int, *, used: tuple[int, ...], masked: tuple[int, ...] = (), spread: float = 1.0) -> Any:
    """What a learner remembers of an environment that uses some latents."""
    known = EnvironmentRecord.new(latents)
    known.mask = torch.tensor([n not in masked for n in range(latents)])
    known.used = known.compared = torch.tensor([n in used for n in range(latents)])
    known.covariance = torch.diag(torch.tensor([spread**2 if n in used else 1e-4 for n in range(latents)]))
    known.settled, known.steps = True, 1_000
    return known


@pytest.fixture
def painted() -> Callable[..., Painted]:
    """Make such a VASE of D latents with records."""

    def make(latents: int = 2, *, records: tuple[Any, ...] = (), environment: int = 0, **options: Any) -> Painted:
        config = VASEConfig(
            channels=1, image_size=SIZE, filters=(2,), hidden=4, latents=latents, max_environments=3,
            likelihood="bernoulli",
        )  # fmt: skip
        return Painted(model=VASE(config), records=records, environment=environment, step=0, **options)

    return make


@pytest.fixture
def remembered() -> Callable[..., Any]:
    return record


@pytest.fixture
def painter() -> Callable[[np.ndarray], np.ndarray]:
    return paint
