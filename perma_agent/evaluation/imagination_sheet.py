"""Imagination without acting: latents that mean position in one world, moved in a world where nothing ever moved."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from perma_agent.errors import FrameError
from perma_agent.evaluation.object_position import object_positions, shift_frames
from perma_agent.evaluation.traversals import TRAVERSED, latent_traversals, reconstruct
from perma_agent.models import VASE

Judge = Callable[[np.ndarray], np.ndarray]
"""Takes as many frames as were shown, uint8 `[N, C, H, W]`; says of each whether its object is still told right."""


@dataclass(frozen=True, kw_only=True)
class PositionLatents:
    """The latents that tell where the object is."""

    latents: tuple[int, ...]
    """The most telling first."""
    scores: np.ndarray
    """ρ² of each latent with each axis of the position, in [0, 1], shape `[D, K]`."""


@dataclass(frozen=True, kw_only=True)
class ImaginedMoves:
    """What is decoded when latents are set to other values; R latents, K values, means over N frames."""

    latents: tuple[int, ...]
    """Which were moved."""
    values: np.ndarray
    """What they were set to, in standard deviations of the prior, shape `[K]`."""
    displacement: np.ndarray
    """(x, y) in pixels from where the object stands in the unmoved reconstruction, shape `[R, K, 2]`; NaN where no
    object is left in any frame."""
    likeness: np.ndarray
    """Correlation of the pixels with the unmoved reconstruction after moving the object back, in [-1, 1], `[R, K]`: 1
    if the object moved as it is; low if it turned into something else. 0 where nothing is drawn."""
    kept: np.ndarray
    """Share of frames still told right after moving the object back, `[R, K]`; NaN without a judge."""
    lost: np.ndarray
    """Share of frames without an object, `[R, K]`."""
    kept_unmoved: float
    """Share of unmoved reconstructions told right."""

    @property
    def reach(self) -> np.ndarray:
        """How far the object stands at the last value from where it stands at the first, in pixels, shape `[R]`."""
        distance: np.ndarray = np.linalg.norm(self.displacement[:, -1] - self.displacement[:, 0], axis=1)
        return distance

    @property
    def monotonicity(self) -> np.ndarray:
        """Rank correlation of the value with the way made from first to last, `[R]`: 1 if each step leads on."""
        way = self.displacement[:, -1] - self.displacement[:, 0]
        made = (self.displacement * way[:, None]).sum(axis=2)
        return np.array([_rank_correlation(self.values, row) for row in made])


def position_latents(codes: np.ndarray, positions: np.ndarray, *, count: int = 2) -> PositionLatents:
    """The latents that most tell where the object is, by the sum over axes of their squared rank correlations.

        score_n = Σ_k ρ_S(z_n, p_k)²

    Ranks, so that a bent but rising code counts in full; the sum, so that latents along oblique axes count as well. A
    latent that takes one value at two places (a U) is missed, and could not be traversed as a position either.

    Args:
        codes: posterior means in the moving world, shape `[N, D]`.
        positions: (x, y) of the objects, shape `[N, K]`.
        count: how many latents to name, at most D.

    Raises:
        ValueError: codes and positions do not fit, or there are fewer latents.
    """
    if codes.ndim != 2 or positions.ndim != 2 or len(codes) != len(positions) or len(codes) < 3:
        raise ValueError(
            f"expected codes [N, D] and positions [N, K] of the same N frames, at least 3, got shapes {codes.shape} "
            f"and {positions.shape}"
        )
    if not 1 <= count <= codes.shape[1]:
        raise ValueError(f"expected a count from 1 to {codes.shape[1]} latents, got {count}")
    scores = np.array([[_rank_correlation(code, place) ** 2 for place in positions.T] for code in codes.T])
    order = np.argsort(-scores.sum(axis=1), kind="stable")[:count]
    return PositionLatents(latents=tuple(int(latent) for latent in order), scores=scores)


def imagine_moves(
    model: VASE,
    frames: np.ndarray,
    *,
    environment: int,
    latents: Sequence[int],
    mask: np.ndarray | None = None,
    values: Sequence[float] = TRAVERSED,
    judge: Judge | None = None,
) -> ImaginedMoves:
    """Move latents of frames, decode, and measure how far the object moves and what is left of it.

        x̂(v) = E[x | z = a ⊙ μ(x) with z_n = v, s]

    In a world at rest the position latents are masked (a = 0): its decoder has seen noise there and learnt to ignore
    it, unless what another environment's decoder learnt carries over. Little may move, then; this says how little.

    Args:
        model: the VASE.
        frames: of the world, uint8, shape `[N, C, H, W]`, each of one object before a plain background.
        environment: s of the world.
        latents: R of the D, those of `position_latents` of another world.
        mask: a^s, bool, shape `[D]`; None masks nothing.
        values: K of them, rising, at least 2.
        judge: tells whether an object is still what it was, e.g. a digit classifier with the frames' labels.

    Raises:
        FrameError: the frames do not fit the model, or there are none.
        ValueError: environment, mask, latents or values do not.

    Reference:
        VASE, section 4, "imagination-driven exploration", and figure 5B, without acting.
    """
    if not len(frames):
        raise FrameError("expected at least one frame, got none")
    if len(values) < 2 or any(high <= low for low, high in itertools.pairwise(values)):
        raise ValueError(f"expected at least 2 rising values, got {tuple(values)}")
    unmoved = reconstruct(model, frames, environment=environment, mask=mask)
    moved = np.stack(  # [N, R, K, C, H, W]
        [
            latent_traversals(model, frame, environment=environment, values=values, latents=latents, mask=mask)
            for frame in frames
        ]
    )
    found = [
        [_compare(unmoved, moved[:, row, column], judge) for column in range(len(values))]
        for row in range(len(latents))
    ]
    displacement, likeness, kept, lost = (np.array([[one[part] for one in row] for row in found]) for part in range(4))
    return ImaginedMoves(
        latents=tuple(latents),
        values=np.array(values, dtype=np.float64),
        displacement=displacement,
        likeness=likeness,
        kept=kept,
        lost=lost,
        kept_unmoved=float(np.mean(judge(unmoved))) if judge else float("nan"),
    )


def _compare(unmoved: np.ndarray, moved: np.ndarray, judge: Judge | None) -> tuple[np.ndarray, float, float, float]:
    """Mean displacement `[2]`, likeness, share kept and share lost of frames against the unmoved ones."""
    by = object_positions(moved) - object_positions(unmoved)
    there = np.isfinite(by).all(axis=1)
    back = shift_frames(moved, -np.where(there[:, None], by, 0.0))
    kept = float(np.mean(judge(back) & there)) if judge else float("nan")
    displacement = by[there].mean(axis=0) if there.any() else np.full(2, np.nan)
    likeness = np.mean([_correlation(one.ravel(), other.ravel()) for one, other in zip(back, unmoved, strict=True)])
    return displacement, float(likeness), kept, float(1 - there.mean())


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's ρ; 0 where either does not vary."""
    return _correlation(rankdata(first), rankdata(second))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's r; 0 where either does not vary."""
    one, other = first - first.mean(dtype=np.float64), second - second.mean(dtype=np.float64)
    scale = np.sqrt(np.dot(one, one) * np.dot(other, other))
    return float(np.dot(one, other) / scale) if scale > 0 else 0.0
