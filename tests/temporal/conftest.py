"""Tiny worlds that a host learns in seconds, and how well a code tells their two factors apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from perma_agent.data import SpriteWorld
from perma_agent.evaluation.disentanglement import mcc
from perma_agent.temporal import FrameSequences, Host, NetworkConfig, codes
from perma_agent.types import FramePairs

PLACES = 8


class PairsOfSquares:
    """A square at one of 8x8 places; x or y changes, or both by a little."""

    def __init__(self, transition: Literal["laplace", "uniform"] = "uniform") -> None:
        self.transition = transition
        self.world = SpriteWorld(canvas=16, open_factors=("x", "y"), sizes={"x": PLACES, "y": PLACES})

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        if self.transition == "uniform":
            return self.world.pairs(batch_size, rng, transition="uniform", changes=1).pairs
        return self.world.pairs(batch_size, rng, transition="laplace", rate=3.0).pairs


class HiddenBars:
    """A bar at one of 13 rows, seen for three frames and hidden for three."""

    rows = 13

    def show(self, rows: np.ndarray) -> np.ndarray:
        frames = np.zeros((len(rows), 6, 1, 16, 16), np.uint8)
        for line in range(4):
            frames[np.arange(len(rows)), :3, :, rows + line] = 255
        return frames

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FrameSequences:
        return FrameSequences(self.show(rng.integers(0, self.rows, batch_size)))


@pytest.fixture(scope="session")
def network() -> NetworkConfig:
    return NetworkConfig(image_size=16, filters=(16, 16), hidden=64, latents=2)


@pytest.fixture(scope="session")
def squares() -> PairsOfSquares:
    return PairsOfSquares()


@pytest.fixture(scope="session")
def slow_squares() -> PairsOfSquares:
    return PairsOfSquares("laplace")


@pytest.fixture(scope="session")
def hidden_bars() -> HiddenBars:
    return HiddenBars()


@pytest.fixture(scope="session")
def separation(squares: PairsOfSquares) -> Callable[[Host[Any]], float]:
    """MCC of a host's code with x and y over all 64 places: 1 where each latent is one of them."""
    places = np.stack(np.meshgrid(range(PLACES), range(PLACES)), axis=-1).reshape(-1, 2)
    frames = squares.world.render(places)
    return lambda host: mcc(codes(host, frames), places, method="pearson").score


@pytest.fixture
def pairs(squares: PairsOfSquares, rng: np.random.Generator) -> FramePairs:
    return squares.draw(8, rng=rng)
