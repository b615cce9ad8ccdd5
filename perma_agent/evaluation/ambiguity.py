"""Ambiguity: what a VASE makes of mixtures of two worlds, alone and in company, as in the paper's figure 5A."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch

from perma_agent.data.image_sequences import blend
from perma_agent.errors import FrameError
from perma_agent.evaluation.boundary import Boundary, boundary, usual_boundary
from perma_agent.evaluation.traversals import CHUNK, drawing
from perma_agent.models import VASE

COMPANY = ("first", "second")
"""The worlds that company is from, in the order of the first axis of what depends on it."""


@dataclass(frozen=True, kw_only=True)
class AmbiguityConfig:
    """Which mixtures are shown, and in what batches."""

    weights: tuple[float, ...] = tuple(step / 20 for step in range(21))
    """w of the first world in a mixture, rising from 0 to 1."""
    shares: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 0.9)
    """Of a batch that are real frames of one world (the company); the rest are mixtures, at least one."""
    batch: int = 64
    """Frames per batch, B."""
    batches: int = 64
    """Batches drawn for each share; the same for each weight and company."""

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in itertools.pairwise(self.weights))
        if len(self.weights) < 3 or not rising or self.weights[0] != 0 or self.weights[-1] != 1:
            raise ValueError(f"expected at least 3 weights rising from 0 to 1, got {self.weights}")
        if not self.shares or not all(0 <= share < 1 for share in self.shares):
            raise ValueError(f"expected shares of company from 0 to less than 1, got {self.shares}")
        if self.batch < 2 or self.batches < 1:
            raise ValueError(f"expected at least 1 batch of at least 2 frames, got {self.batches} of {self.batch}")


@dataclass(frozen=True, kw_only=True)
class Ambiguity:
    """What was inferred of mixtures; P shares of company, W weights, N mixtures of each weight."""

    weights: np.ndarray
    """w, shape `[W]`."""
    shares: np.ndarray
    """Of company, shape `[P]`."""
    single: np.ndarray
    """q(s = first | x) of each mixture by itself, shape `[N, W]`."""
    elsewhere: np.ndarray
    """Mean q(s | x) of environments other than the two, shape `[W]`."""
    averaged: np.ndarray
    """Mean over batches of the batch's q(s = first), in company of the first or the second world: `[2, P, W]`."""
    decided: np.ndarray
    """Share of batches whose largest batch average is that of the first world, `[2, P, W]`."""
    sigma_used: np.ndarray
    """Mean over mixtures and used latents of the posterior's σ, shape `[W]`; NaN where none is used."""
    sigma_all: np.ndarray
    """The same over all latents."""

    @property
    def mean_boundary(self) -> Boundary:
        """Of the mean over mixtures, which smears boundaries that lie at different weights."""
        return boundary(self.weights, self.single.mean(axis=0))

    @property
    def usual_boundary(self) -> Boundary:
        """Medians over mixtures of the boundary of each: its sharpness when nothing is smeared."""
        return usual_boundary(self.weights, self.single)

    @property
    def decision_boundaries(self) -> np.ndarray:
        """Weight from which batches are taken for the first, 1 - ∫ decided dw, `[2, P]`; 0 if always, 1 if never."""
        boundaries: np.ndarray = 1.0 - np.trapezoid(self.decided, self.weights, axis=2)
        return boundaries

    @property
    def shift(self) -> np.ndarray:
        """By how much less weight the first world needs in its own company than in the second's, shape `[P]`."""
        moved: np.ndarray = self.decision_boundaries[1] - self.decision_boundaries[0]
        return moved

    @property
    def sigma_ratio(self) -> float:
        """σ of used latents at the weight nearest ½ over the mean of both ends: above 1 where doubt shows."""
        return _middle_over_ends(self.weights, self.sigma_used)

    @property
    def sigma_ratio_all(self) -> float:
        """The same of all latents, most of which tell nothing and stay at 1."""
        return _middle_over_ends(self.weights, self.sigma_all)


def ambiguity(
    model: VASE,
    first: np.ndarray,
    second: np.ndarray,
    *,
    environments: tuple[int, int],
    known: int,
    used: np.ndarray,
    config: AmbiguityConfig,
    rng: np.random.Generator,
) -> Ambiguity:
    """Show mixtures w·x_first + (1 - w)·x_second, and batches in which they stand among real frames of one world.

        q(s | batch) = 1/B ( Σ_mixtures q(s | x) + Σ_company q(s | x) ),   s among the known environments

    Where context enters: nowhere but here. q(s|x) of a single frame knows nothing of its batch, for the encoder sees
    each frame by itself. The environment is inferred for a batch as a whole, by the largest batch average, and a
    mixture is then decoded as the batch's environment: company pulls it over only by being counted along, and where it
    is told for certain and makes up more than half of the batch, it decides alone, whatever the mixture. So we
    average single frames' q(s|x) over batches drawn, which gives what encoding each batch would. What else the
    learner asks of a batch (error, atypicality, patience) is left out.

    Args:
        model: the VASE.
        first: real frames of one world, uint8, shape `[N, C, H, W]`, N at least the batch.
        second: of the other; the n-th is mixed with the n-th of the first. A batch's mixtures and its company are made
            of different frames.
        environments: s of the two worlds, not the same.
        known: m, environments met; s is told among the first m.
        used: latents used in either world, bool, shape `[D]`.
        config: weights, shares and batches.
        rng: draws the batches.

    Raises:
        FrameError: the frames do not fit the model or each other, or are too few.
        ValueError: the environments are the same or not known.

    Reference:
        VASE, section 4 and figure 5A.
    """
    _check(model, first, second, environments=environments, known=known, used=used, config=config)
    batches = [rng.permutation(len(first))[: config.batch] for _ in range(config.batches)]
    mixtures = [_look(model, blend(second, first, weight), known=known) for weight in config.weights]
    told = np.stack([q for q, _ in mixtures], axis=1)  # [N, W, m]
    company = [_look(model, frames, known=known)[0] for frames in (first, second)]
    sigma = np.stack([std.mean(axis=0) for _, std in mixtures])  # [W, D]
    shape = (len(COMPANY), len(config.shares), len(config.weights))
    averaged, decided = np.empty(shape), np.empty(shape)
    for row, real in enumerate(company):
        for column, share in enumerate(config.shares):
            mixed = config.batch - min(round(share * config.batch), config.batch - 1)
            batch = np.stack(
                [told[chosen[:mixed]].sum(axis=0) + real[chosen[mixed:]].sum(axis=0) for chosen in batches]
            )
            averaged[row, column] = batch[..., environments[0]].mean(axis=0) / config.batch
            decided[row, column] = (batch.argmax(axis=-1) == environments[0]).mean(axis=0)
    others = np.delete(np.arange(known), environments)
    return Ambiguity(
        weights=np.array(config.weights),
        shares=np.array(config.shares),
        single=told[..., environments[0]],
        elsewhere=told[..., others].sum(axis=-1).mean(axis=0),
        averaged=averaged,
        decided=decided,
        sigma_used=sigma[:, used].mean(axis=1) if used.any() else np.full(len(sigma), np.nan),
        sigma_all=sigma.mean(axis=1),
    )


def _look(model: VASE, frames: np.ndarray, *, known: int) -> tuple[np.ndarray, np.ndarray]:
    """q(s|x) over the known environments, float64 `[N, m]`, and σ(x), `[N, D]`."""
    told, std = [], []
    with drawing(model):
        for part in torch.split(torch.from_numpy(np.ascontiguousarray(frames)), CHUNK):
            encoding = model.encode(model.normalise(part))
            told.append(model.environment_logits(encoding.features)[:, :known].double().softmax(dim=1).cpu())
            std.append(encoding.posterior.std.cpu())
    return torch.cat(told).numpy(), torch.cat(std).numpy()


def _check(
    model: VASE,
    first: np.ndarray,
    second: np.ndarray,
    *,
    environments: tuple[int, int],
    known: int,
    used: np.ndarray,
    config: AmbiguityConfig,
) -> None:
    if len(first) != len(second) or len(first) < config.batch:
        raise FrameError(
            f"expected as many frames of one world as of the other, at least a batch of {config.batch}, "
            f"got {len(first)} and {len(second)}; draw more"
        )
    if known > model.config.max_environments or not all(0 <= index < known for index in environments):
        raise ValueError(
            f"expected environments among the {known} known, at most {model.config.max_environments}, "
            f"got {environments}"
        )
    if environments[0] == environments[1]:
        raise ValueError(f"expected two different environments, got {environments}")
    if used.shape != (model.config.latents,) or used.dtype != np.bool_:
        raise ValueError(f"expected used as bool [{model.config.latents}], got {used.dtype} {used.shape}")


def _middle_over_ends(weights: np.ndarray, sigma: np.ndarray) -> float:
    middle = sigma[np.abs(weights - 0.5).argmin()]
    return float(middle / ((sigma[0] + sigma[-1]) / 2))
