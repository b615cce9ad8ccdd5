"""Codes whose disentanglement is known: the factors themselves, rotated, doubled, or nothing but noise."""

import numpy as np
import pytest

from perma_agent.evaluation.disentanglement import Settings


@pytest.fixture(scope="session")
def factors() -> np.ndarray:
    """1,200 rows of three independent discrete factors with 3, 4 and 5 values, each value equally often."""
    grid = np.stack(np.meshgrid(np.arange(3), np.arange(4), np.arange(5), indexing="ij"), axis=-1).reshape(-1, 3)
    return np.tile(grid, (20, 1)).astype(float)


@pytest.fixture(scope="session")
def identity(factors) -> np.ndarray:
    """A latent per factor, with a little noise so that no value lies on the edge of a bin."""
    return factors / factors.std(axis=0) + np.random.default_rng(1).normal(0, 0.02, factors.shape)


@pytest.fixture(scope="session")
def rotated(identity) -> np.ndarray:
    """The same latents rotated, so that each is a mixture of all and of two in equal parts."""
    return identity @ np.array([[2.0, -1, 2], [2, 2, -1], [-1, 2, 2]]) / 3


@pytest.fixture(scope="session")
def entangled(factors) -> np.ndarray:
    """Six latents: mixtures of factors with noise, and pure noise; no metric is at an end of its range here."""
    rng = np.random.default_rng(2)
    mixed = factors / factors.std(axis=0) @ np.array([[1.0, 0.0, 0.8, 0.5], [0.9, 1.0, 0.0, 0.0], [0.0, 0.8, 1.0, 0.3]])
    return np.concatenate([mixed + rng.normal(0, 0.4, mixed.shape), rng.normal(size=(len(factors), 2))], axis=1)


@pytest.fixture(scope="session")
def held_out(factors) -> np.ndarray:
    """A third of the rows."""
    return np.random.default_rng(3).permutation(len(factors)) % 3 == 0


@pytest.fixture(scope="session")
def quick() -> Settings:
    """Fewer trees and groups than the defaults."""
    return Settings(boosting_trees=20, train_groups=600, test_groups=400)
