"""Imagination in a life: latents that mean position elsewhere, moved in a world at rest (the premise of figure 5B)."""

from __future__ import annotations

from typing import Any

import numpy as np

from perma_agent.continual import Learner
from perma_agent.data.image_sequences import ImageBatch
from perma_agent.evaluation.cross_domain import pixels, train_pixel_classifier
from perma_agent.evaluation.imagination_sheet import (
    ImaginedMoves,
    Judge,
    PositionLatents,
    imagine_moves,
    position_latents,
)
from perma_agent.evaluation.traversals import TRAVERSED, latent_traversals, posterior_of
from perma_agent.studies.cell_runs import Measured
from perma_agent.studies.continual.analysis_basis import AnalysisConfig, Environments, apart, measured, nothing
from perma_agent.studies.continual.examination import Worlds

MOVES = ("reach", "monotonicity", "likeness", "lost")
FIGURES = (
    "position_rho2",
    "masked",
    *MOVES,
    *(f"{name}_moving" for name in MOVES),
    "kept",
    "kept_unmoved",
    "chance",
)


def measure_imagination(
    learner: Learner,
    worlds: Worlds,
    environments: Environments,
    *,
    moving: str = "moving-fashion",
    static: str = "mnist",
    rng: np.random.Generator,
    config: AnalysisConfig | None = None,
) -> Measured:
    """Find the latents that mean position in a moving world, and move them where nothing ever moved.

    Args:
        learner: at the moment asked about, before its static objects are seen to move; left as it is.
        worlds: to draw from; the classifier of objects learns from training frames of `static`.
        environments: what the worlds were inferred as.
        moving: where position was learnt.
        static: where nothing has ever moved.
        rng: draws frames.
        config: how much.

    Returns:
        Figures `imagination_…`: `position_rho2` (squared rank correlation of the two latents together with each axis),
        `masked` (share of them masked in the static world), `reach` (pixels from the first value to the last), its
        `monotonicity`, and at the two ends `likeness`, `lost` and `kept` (objects told right, beside `kept_unmoved` and
        `chance`); `…_moving` is the same in the moving world, the yardstick. None, and a note, where a world has no
        environment of its own. Series `imagination`: the curves by value, and a sheet with a row for each latent in the
        static world and then in the moving one.
    """
    config = config or AnalysisConfig()
    names = (static, moving)
    indices, note = apart(learner, environments, names)
    if indices is None:
        return nothing("imagination", FIGURES, note)
    still, seen = (worlds.test[name].draw(config.frames, rng) for name in names)
    learn = worlds.train[static].draw(config.learn_on, rng)
    classifier = train_pixel_classifier(learn.frames, learn.labels)
    labels = still.labels[: config.moved]
    told = _position_latents(learner, seen, indices[1])
    stage = _Stage(learner, told.latents, config.moved)
    here = stage.move(still, indices[0], judge=lambda frames: classifier.predict(pixels(frames)) == labels)
    there = stage.move(seen, indices[1])
    mask = learner.inference.records[indices[0]].mask.numpy()
    figures = {
        "position_rho2": float(told.scores[list(told.latents)].sum(axis=0).mean()),
        "masked": float(np.mean(~mask[list(told.latents)])),
        **_figures(here),
        **{f"{name}_moving": value for name, value in _figures(there).items()},
        "kept": _at_ends(here.kept),
        "kept_unmoved": here.kept_unmoved,
        "chance": float(np.unique_counts(labels).counts.max() / len(labels)),
    }
    series = {
        "worlds": names,
        "environments": indices,
        "latents": told.latents,
        "values": TRAVERSED,
        "static": _series(here),
        "moving": _series(there),
    }
    sheet = np.concatenate([stage.show(still.frames[0], indices[0]), stage.show(seen.frames[0], indices[1])])
    return measured("imagination", figures, series, sheet)


class _Stage:
    """Moves the same latents of as many frames in whichever world."""

    def __init__(self, learner: Learner, latents: tuple[int, ...], count: int) -> None:
        self._learner, self._latents, self._count = learner, latents, count

    def move(self, batch: ImageBatch, environment: int, *, judge: Judge | None = None) -> ImaginedMoves:
        return imagine_moves(
            self._learner.model,
            batch.frames[: self._count],
            environment=environment,
            latents=self._latents,
            mask=self._mask(environment),
            judge=judge,
        )

    def show(self, frame: np.ndarray, environment: int) -> np.ndarray:
        return latent_traversals(
            self._learner.model,
            frame,
            environment=environment,
            latents=self._latents,
            mask=self._mask(environment),
        )

    def _mask(self, environment: int) -> np.ndarray:
        mask: np.ndarray = self._learner.inference.records[environment].mask.numpy()
        return mask


def _position_latents(learner: Learner, seen: ImageBatch, environment: int) -> PositionLatents:
    codes = posterior_of(learner.model, seen.frames, mask=learner.inference.records[environment].mask).mean
    return position_latents(codes.cpu().numpy(), seen.positions, count=min(2, codes.shape[1]))


def _figures(moves: ImaginedMoves) -> dict[str, float]:
    values = (moves.reach.mean(), moves.monotonicity.mean(), _at_ends(moves.likeness), _at_ends(moves.lost))
    return {name: float(value) for name, value in zip(MOVES, values, strict=True)}


def _series(moves: ImaginedMoves) -> dict[str, Any]:
    return {
        "displacement": moves.displacement,
        "likeness": moves.likeness,
        "kept": moves.kept,
        "lost": moves.lost,
    }


def _at_ends(by_value: np.ndarray) -> float:
    """Mean over latents of what `[R, K]` says of the first value and of the last."""
    return float(by_value[:, [0, -1]].mean())
