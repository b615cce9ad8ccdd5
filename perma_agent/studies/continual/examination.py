"""Examination: what can be read off a learner's latents in each world, at some moment of its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from perma_agent.continual import Learner
from perma_agent.data.image_sequences import ImageBatch, ImageWorld
from perma_agent.evaluation.probes import (
    accuracy,
    mean_squared_error,
    sample_codes,
    train_classifier,
    train_regressor,
)
from perma_agent.evaluation.traversals import information_per_latent
from perma_agent.studies.continual.config import LifeConfig

USE_FRAMES = 512
"""Test frames of each world over which the use of each latent is averaged."""


@dataclass(frozen=True, kw_only=True)
class Worlds:
    """The same worlds, to learn in and to be tested on."""

    train: Mapping[str, ImageWorld]
    """By name, of the training images."""
    test: Mapping[str, ImageWorld]
    """By name, of the test images."""


class Examiner:
    """Asks the same questions at each moment of a life, with the same frames.

    Args:
        config: which probes, on how many frames.
        worlds: to draw frames from.
        seed: of the frames and of the codes' noise.
    """

    def __init__(self, config: LifeConfig, worlds: Worlds, *, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])  # other frames than the life is made of
        self._config, self._seed = config, seed
        probed = dict.fromkeys((*config.sequence.classified, *config.sequence.located))
        self._learn = {name: worlds.train[name].draw(config.learn_probes_on, rng) for name in probed}
        self._test = {name: worlds.test[name].draw(config.test_probes_on, rng) for name in probed}
        names = dict.fromkeys(config.sequence.worlds)
        self._look = {name: worlds.test[name].draw(USE_FRAMES, rng).frames for name in names}

    def __call__(self, learner: Learner) -> dict[str, Any]:
        """Probe the learner, which is left as it is.

        Returns:
            `accuracy` (share of objects told right) and `position_mse` (squared units of the largest offset) by world,
            `information` (nats of each latent, unmasked) by world, and `used`, latents that any settled environment
            uses.
        """
        rng = np.random.default_rng([self._seed, 2])  # the same noise each time: changes are the model's
        model, sequence = learner.model, self._config.sequence
        found: dict[str, Any] = {"accuracy": {}, "position_mse": {}}
        for name in self._learn:
            learn, test = self._learn[name], self._test[name]
            learn_codes = sample_codes(model, learn.frames, rng=rng)
            test_codes = sample_codes(model, test.frames, rng=rng)
            if name in sequence.classified:
                found["accuracy"][name] = self._accuracy(learn, learn_codes, test, test_codes)
            if name in sequence.located:
                found["position_mse"][name] = self._position_mse(learn, learn_codes, test, test_codes)
        found["information"] = {
            name: information_per_latent(model, frames).round(3).tolist() for name, frames in self._look.items()
        }
        used = [record.used for record in learner.inference.records if record.settled]
        found["used"] = int(np.logical_or.reduce([part.numpy() for part in used]).sum()) if used else 0
        return found

    def _accuracy(self, learn: ImageBatch, learn_codes: np.ndarray, test: ImageBatch, test_codes: np.ndarray) -> float:
        return accuracy(train_classifier(learn_codes, learn.labels, config=self._config.probe), test_codes, test.labels)

    def _position_mse(
        self, learn: ImageBatch, learn_codes: np.ndarray, test: ImageBatch, test_codes: np.ndarray
    ) -> float:
        regressor = train_regressor(learn_codes, learn.positions, config=self._config.probe)
        return mean_squared_error(regressor, test_codes, test.positions)
