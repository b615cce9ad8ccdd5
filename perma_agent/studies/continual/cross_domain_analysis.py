"""Cross-domain reconstruction in a finished life: what is kept of a frame that is decoded as another world's."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from perma_agent.continual import Learner
from perma_agent.data.image_sequences import ImageWorld
from perma_agent.evaluation.cross_domain import class_kept, position_error_pixels, train_pixel_classifier
from perma_agent.evaluation.object_position import object_positions
from perma_agent.evaluation.traversals import CrossDomain, cross_domain, reconstruct
from perma_agent.studies.cell_runs import Measured
from perma_agent.studies.continual.analysis_basis import (
    AnalysisConfig,
    Environments,
    apart,
    measured,
    nothing,
    together,
)
from perma_agent.studies.continual.examination import Worlds

POSITION_FIGURES = ("mean", "median", "chance", "centred", "found", "at_home", "at_home_found", "method")
CLASS_FIGURES = ("abroad", "at_home", "real", "untranslated", "chance")


def measure_cross_domain(
    learner: Learner,
    worlds: Worlds,
    environments: Environments,
    *,
    moved: tuple[str, str] = ("moving-fashion", "moving-mnist"),
    clothed: tuple[str, str] = ("fashion", "inverse-fashion"),
    rng: np.random.Generator,
    config: AnalysisConfig | None = None,
) -> Measured:
    """Infer frames as one world, decode them as another: is the object's place kept, and its class (figure 4B)?

    Args:
        learner: as it is at the end of its life; left so.
        worlds: to draw from; only a classifier of pixels sees training frames.
        environments: what the worlds were inferred as.
        moved: a moving world whose frames are decoded as another moving world.
        clothed: a world whose frames are decoded as another with objects of the same classes.
        rng: draws frames.
        config: how much.

    Returns:
        What `measure_position_kept` and `measure_class_kept` give; each of the two can be without values alone.
    """
    config = config or AnalysisConfig()
    return together(
        measure_position_kept(learner, worlds, environments, carried=moved, rng=rng, config=config),
        measure_class_kept(learner, worlds, environments, carried=clothed, rng=rng, config=config),
    )


def measure_position_kept(
    learner: Learner,
    worlds: Worlds,
    environments: Environments,
    *,
    carried: tuple[str, str],
    rng: np.random.Generator,
    config: AnalysisConfig,
) -> Measured:
    """Compare where objects stand in the frames of one moving world, and decoded as another.

    Returns:
        Figures `position_…` in pixels: those of `PositionError`, the error `_at_home` (decoded as their own world) with
        the share `_at_home_found`, and that of the `_method` on the frames themselves, whose places are known; None,
        and a note, where a world has no environment of its own. Series `position`: canvas, sprite and a sheet of
        frames, at home, abroad and back.
    """
    indices, note = apart(learner, environments, carried)
    if indices is None:
        return nothing("position", POSITION_FIGURES, note)
    world = worlds.test[carried[0]]
    batch = world.draw(config.frames, rng)
    drawn = _carry(learner, batch.frames, indices)
    home = position_error_pixels(drawn.frames, drawn.at_home)
    figures = {
        **asdict(position_error_pixels(drawn.frames, drawn.abroad)),
        "at_home": home.mean,
        "at_home_found": home.found,
        "method": _error_of_method(world, batch.frames, batch.positions),
    }
    series = {"worlds": carried, "environments": indices, "canvas": world.canvas, "sprite": world.sprite}
    return measured("position", figures, series, _sheet(drawn, config.shown))


def measure_class_kept(
    learner: Learner,
    worlds: Worlds,
    environments: Environments,
    *,
    carried: tuple[str, str],
    rng: np.random.Generator,
    config: AnalysisConfig,
) -> Measured:
    """Ask a classifier of one world what it sees in frames of another, decoded as the first.

    Returns:
        Figures `class_…`: those of `ClassKept`; None, and a note, where a world has no environment of its own. Series
        `class`: a sheet of frames, at home, abroad and back.
    """
    indices, note = apart(learner, environments, carried)
    if indices is None:
        return nothing("class", CLASS_FIGURES, note)
    learn = worlds.train[carried[1]].draw(config.learn_on, rng)
    source, target = (worlds.test[name].draw(config.frames, rng) for name in carried)
    drawn = _carry(learner, source.frames, indices)
    found = class_kept(
        train_pixel_classifier(learn.frames, learn.labels),
        abroad=drawn.abroad,
        source=source.frames,
        source_labels=source.labels,
        at_home=reconstruct(
            learner.model, target.frames, environment=indices[1], mask=learner.inference.records[indices[1]].mask
        ),
        target=target.frames,
        target_labels=target.labels,
    )
    series = {"worlds": carried, "environments": indices}
    return measured("class", asdict(found), series, _sheet(drawn, config.shown))


def _carry(learner: Learner, frames: np.ndarray, indices: tuple[int, int]) -> CrossDomain:
    home, abroad = (learner.inference.records[index].mask for index in indices)
    return cross_domain(learner.model, frames, home=indices[0], abroad=indices[1], home_mask=home, abroad_mask=abroad)


def _error_of_method(world: ImageWorld, frames: np.ndarray, positions: np.ndarray) -> float:
    """Mean distance in pixels of `object_positions` from the middle of the sprite, where that is known."""
    known = positions * (world.canvas - world.sprite) + (world.sprite - 1) / 2
    return float(np.nanmean(np.linalg.norm(object_positions(frames) - known, axis=1)))


def _sheet(drawn: CrossDomain, shown: int) -> np.ndarray:
    return np.stack([part[:shown] for part in (drawn.frames, drawn.at_home, drawn.abroad, drawn.back)])
