"""The smallest comparison there is: every part of the study at work in seconds."""

from __future__ import annotations

import pytest

from perma_agent.studies.permanence.config import Comparison
from perma_agent.studies.permanence.grounds import Sprites
from perma_agent.temporal import NetworkConfig, TrainingConfig


@pytest.fixture(scope="session")
def small() -> NetworkConfig:
    """A network of a few hundred parameters."""
    return NetworkConfig(image_size=32, filters=(4, 4, 4), hidden=8, latents=4)


@pytest.fixture(scope="session")
def comparison(small: NetworkConfig) -> Comparison:
    """β-VAE and one member of the family, two steps on sprites."""
    return Comparison(
        ground=Sprites(rows=300),
        network=small,
        training=TrainingConfig(steps=2, batch=8, log_every=1, autocast=False),
        warm_up=1,
        seeds={"none": (0,), "pcl": (0,)},
        looks=2,
    )
