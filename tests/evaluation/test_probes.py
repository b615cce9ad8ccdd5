"""Probes read what is there, cannot read what is not, and are the same each time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perma_agent.evaluation.probes import (
    ProbeConfig,
    accuracy,
    mean_squared_error,
    sample_codes,
    train_classifier,
    train_regressor,
)
from perma_agent.models import VASE, VASEConfig

QUICK = ProbeConfig(hidden=(32,), epochs=30)


def codes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 5)).astype(np.float32)


def test_a_label_in_the_signs_is_read_and_one_that_is_nowhere_is_not() -> None:
    learn, test = codes(1500), codes(500, seed=1)
    label = lambda z: (z[:, 0] > 0).astype(np.int64) + 2 * (z[:, 1] > 0)  # noqa: E731  # two signs, four classes
    read = train_classifier(learn, label(learn), config=QUICK)
    assert accuracy(read, test, label(test)) > 0.93
    noise = np.random.default_rng(2).integers(0, 4, size=2000)
    blind = train_classifier(learn, noise[:1500], config=QUICK)
    assert abs(accuracy(blind, test, noise[1500:]) - 0.25) < 0.08


def test_a_position_is_read_off_a_nonlinear_code() -> None:
    learn, test = codes(1500), codes(500, seed=1)
    position = lambda z: 1 / (1 + np.exp(-2 * z[:, :2]))  # noqa: E731
    read = train_regressor(learn, position(learn), config=QUICK)
    assert mean_squared_error(read, test, position(test)) < 1e-2  # of a variance of .1
    blind = train_regressor(np.zeros_like(learn), position(learn), config=QUICK)
    spread = float(position(test).var(axis=0).mean())
    assert mean_squared_error(blind, np.zeros_like(test), position(test)) == pytest.approx(spread, rel=0.1)


def test_figures_by_hand() -> None:
    read = train_classifier(codes(50), np.zeros(50, dtype=np.int64), config=QUICK)
    assert accuracy(read, codes(4), np.array([0, 0, 1, 0])) == 0.75

    class Fixed:
        def predict(self, codes: np.ndarray) -> np.ndarray:
            return np.zeros((len(codes), 2))

    assert mean_squared_error(Fixed(), codes(2), np.array([[1.0, 2.0], [0.0, 1.0]])) == 6 / 4  # type: ignore[arg-type]


def test_the_same_seed_reads_the_same() -> None:
    learn, labels = codes(200), np.arange(200) % 3
    first, second = (train_classifier(learn, labels, config=QUICK).predict_proba(learn) for _ in range(2))
    other = train_classifier(learn, labels, config=ProbeConfig(hidden=(32,), epochs=30, seed=1)).predict_proba(learn)
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_codes_are_samples_of_the_posterior_whatever_is_masked() -> None:
    torch.manual_seed(0)
    model = VASE(VASEConfig(channels=1, image_size=16, filters=(4, 4), hidden=8, latents=3, likelihood="bernoulli"))
    with torch.no_grad():
        for head, value in ((model.encoder.mean, 2.0), (model.encoder.log_variance, 2 * np.log(0.5))):
            head.weight.zero_()
            head.bias.fill_(value)
    frames = np.zeros((4000, 1, 16, 16), dtype=np.uint8)
    drawn = sample_codes(model, frames, rng=np.random.default_rng(0))
    assert drawn.shape == (4000, 3) and drawn.dtype == np.float32
    assert np.allclose(drawn.mean(axis=0), 2.0, atol=0.05) and np.allclose(drawn.std(axis=0), 0.5, atol=0.03)
    assert np.array_equal(drawn, sample_codes(model, frames, rng=np.random.default_rng(0)))
    assert model.training  # left as it was


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^expected finite codes \[N, D\] and N targets, got shapes \(3, 5\) and \(2,\)"
    ):
        train_classifier(codes(3), np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match=r"^expected positive sizes and learning rate, got "):
        ProbeConfig(epochs=0)
