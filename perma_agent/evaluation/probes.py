"""Probes: how well small networks read labels and positions off the latents, as in the paper's figures 2 and 3."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from perma_agent.evaluation.traversals import posterior_of
from perma_agent.models import VASE


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """The network that reads the latents; the same for everything that is compared.

    A position is hard to read off two dozen noisy latents: from 6,000 samples a network of 64 units told it to a
    squared error of 44e-4, from 20,000 one of 128-128 units to 9e-4 (one model), so a small probe measures itself.
    """

    hidden: tuple[int, ...] = (128, 128)
    """Units of its hidden layers (ReLU)."""
    epochs: int = 15
    """Passes over the codes it learns from; a fixed budget, so that no probe stops early by luck."""
    batch: int = 200
    """Codes per step."""
    learning_rate: float = 3e-3
    """Of Adam."""
    seed: int = 0
    """Of its initial weights and of the order of the codes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))  # JSON gives a list back
        if min(*self.hidden, self.epochs, self.batch) < 1 or not self.learning_rate > 0:
            raise ValueError(f"expected positive sizes and learning rate, got {self}")


def sample_codes(model: VASE, frames: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """One sample of the code of each frame, all latents unmasked, whatever environment the frame is from.

        z ~ q(z|x) = N(μ(x), σ²(x))

    Args:
        model: the VASE.
        frames: uint8, shape `[B, C, H, W]`.
        rng: of the noise.

    Returns:
        z, float32, shape `[B, D]`.

    Reference:
        VASE, section 4: probes are trained on z ~ q_φ(z|x).
    """
    posterior = posterior_of(model, frames)
    noise = torch.from_numpy(rng.standard_normal(posterior.mean.shape, dtype=np.float32))
    codes: np.ndarray = (posterior.mean.cpu() + posterior.std.cpu() * noise).numpy()
    return codes


def train_classifier(codes: np.ndarray, labels: np.ndarray, *, config: ProbeConfig | None = None) -> Pipeline:
    """A network that tells labels from codes, with `predict(codes)`; deterministic.

    Args:
        codes: shape `[N, D]`.
        labels: int64, shape `[N]`.
        config: its size and budget.
    """
    return _fit(MLPClassifier(**_settings(config or ProbeConfig())), codes, labels)


def train_regressor(codes: np.ndarray, targets: np.ndarray, *, config: ProbeConfig | None = None) -> Pipeline:
    """A network that tells continuous factors from codes, with `predict(codes)`; deterministic.

    Args:
        codes: shape `[N, D]`.
        targets: such as positions in [0, 1], shape `[N, K]`.
        config: its size and budget.
    """
    return _fit(MLPRegressor(**_settings(config or ProbeConfig())), codes, targets)


def accuracy(classifier: Pipeline, codes: np.ndarray, labels: np.ndarray) -> float:
    """Share of labels told right, in [0, 1]."""
    return float(np.mean(classifier.predict(codes) == labels))


def mean_squared_error(regressor: Pipeline, codes: np.ndarray, targets: np.ndarray) -> float:
    """Mean over frames and factors of the squared error, in squared units of the targets."""
    return float(np.mean(np.square(regressor.predict(codes) - targets)))


def _settings(config: ProbeConfig) -> dict[str, object]:
    return {
        "hidden_layer_sizes": config.hidden,
        "max_iter": config.epochs,
        "n_iter_no_change": config.epochs + 1,
        "batch_size": config.batch,
        "learning_rate_init": config.learning_rate,
        "random_state": config.seed,
    }


def _fit(network: MLPClassifier | MLPRegressor, codes: np.ndarray, targets: np.ndarray) -> Pipeline:
    if codes.ndim != 2 or len(codes) != len(targets) or not np.isfinite(codes).all():
        raise ValueError(
            f"expected finite codes [N, D] and N targets, got shapes {codes.shape} and {targets.shape}; "
            "pass one code per target"
        )
    network.set_params(batch_size=min(network.batch_size, len(codes)))
    probe = make_pipeline(StandardScaler(), network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the budget is fixed on purpose
        probe.fit(codes, targets)
    return probe
