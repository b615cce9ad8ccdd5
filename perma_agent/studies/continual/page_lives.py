"""The page's figures of lives: what was inferred, what probes read off, what each latent was used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from perma_agent.continual import LatentMaskConfig
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.history import SURPRISED, LearningHistory, World
from perma_agent.evaluation.report import (
    InferredLives,
    ProbeSeries,
    atypicality_lines,
    atypicality_map,
    inference_grid,
    latent_use,
    probe_curves,
)
from perma_agent.studies.continual.lives import history_of
from perma_agent.studies.continual.page_parts import arm_name
from perma_agent.studies.continual.scores import WITHIN
from perma_agent.studies.page_parts import Drawn, of_arm, seeds_in_words

SEQUENCES: Mapping[str, str] = {"three": "three worlds", "five": "five worlds", "return": "a world that returns"}
SHORT: Mapping[str, str] = {"three_short": "three worlds, shorter lives", "five_short": "five worlds, shorter lives"}
PROBED: Mapping[str, tuple[str, ...]] = {"three": ("sda", "none", "sda-entangled"), "five": ("sda", "none")}
"""Arms whose probes are compared."""
NOISE = 0.01
"""Nats of atypicality that are no more than the noise of a batch of 64 (about 1/64)."""
PAPERS_PROBES: Mapping[str, str] = {"three": "The paper's figure 2, bottom.", "five": "The paper's figure 3B."}
PAPERS_USE: Mapping[str, str] = {
    "three": "The paper's figure 2, top, shows latent use in colour.",
    "five": "The paper's figure 3A, likewise.",
}


def draw_environments(cells: Sequence[Cell]) -> list[Drawn]:
    """The environments inferred in every life of the full model (`environments`)."""
    sequences = {**SEQUENCES, **SHORT}
    lives = {name: found for sequence, name in sequences.items() if (found := of_arm(cells, f"{sequence}-sda"))}
    if not lives:
        return []
    inferred = {name: _inferred(found) for name, found in lives.items()}
    return [
        Drawn(
            name="environments",
            figure=inference_grid(inferred),
            alt="Environment inferred at each batch, a row a seed, for each sequence of worlds",
            caption="The environment of each batch as SDA inferred it, a row a seed, told nothing of the switches "
            "(dashed). A tick: each world has its own environment "
            f"within {WITHIN} batches, a world that returns its old one, and no environment is made up. The paper "
            "(section 3.4) draws no such figure.",
            seeds=seeds_in_words([cell for found in lives.values() for cell in found]),
        )
    ]


def draw_probes(cells: Sequence[Cell], sequence: str) -> list[Drawn]:
    """Accuracies and position errors throughout the lives of a sequence (`probes_<sequence>`)."""
    lives = {arm: found for arm in PROBED[sequence] if (found := of_arm(cells, f"{sequence}-{arm}"))}
    if not lives:
        return []
    series = next(iter(lives.values()))[0].series
    figure = probe_curves(
        {arm_name(arm): [_probes(cell) for cell in found] for arm, found in lives.items()},
        worlds=_worlds(series),
        batches=series["batches"],
    )
    return [
        Drawn(
            name=f"probes_{sequence}",
            figure=figure,
            alt=f"Accuracy and position error of probes by batch, {SEQUENCES[sequence]}",
            caption="What probes, trained anew at each examination, read off samples of the code. Grey: the probe's "
            "own world. Behind it a curve should stay where it was: what falls (accuracy) or rises (position error) "
            f"was forgotten. Thin: seeds; thick: their mean. {PAPERS_PROBES[sequence]}",
            seeds=seeds_in_words([cell for found in lives.values() for cell in found]),
        )
    ]


def draw_latents(cells: Sequence[Cell], sequence: str) -> list[Drawn]:
    """Latent use and atypicality in the life of the smallest seed (`latent_use_…`, `atypicality_…`, `masks_…`)."""
    found = of_arm(cells, f"{sequence}-sda")
    if not found:
        return []
    cell, worlds = found[0], _worlds(found[0].series)
    steps = np.array(cell.series["examined"])
    information = {name: np.array(values) for name, values in cell.series["information"].items()}
    most = max(float(values[steps >= _first(worlds, name)].max()) for name, values in information.items())
    strange = any((values > most).any() for values in information.values())
    cut = " What frames of a world not met yet take beyond the darkest colour is cut off." if strange else ""
    use = Drawn(
        name=f"latent_use_{sequence}",
        figure=latent_use(
            {name: np.minimum(values, most) for name, values in information.items()}, steps=steps, worlds=worlds
        ),
        alt=f"Use of each latent by each world by batch, {SEQUENCES[sequence]}",
        caption="Nats that each latent tells of each world, at each examination of one life of SDA. Rows dark in "
        "several maps are shared, rows dark in one map are that world's own; dark rows of a world should stay dark "
        f"after it has gone.{cut} {PAPERS_USE[sequence]}",
        seeds=str(cell.seed),
    )
    return [use, *_atypicality(cell, sequence)]


def _atypicality(cell: Cell, sequence: str) -> list[Drawn]:
    history, worlds = history_of(dict(cell.series))
    if sequence != "three" or not len(history.steps):
        return []
    band = _thresholds(cell)
    calm = replace(history, alpha=np.maximum(history.alpha, NOISE))
    lines = Drawn(
        name=f"atypicality_{sequence}",
        figure=atypicality_lines(calm, worlds=worlds, thresholds=band),
        alt="Atypicality of each latent by batch",
        caption="How far each latent strays from what the environments that use it know of it (the prior, where none "
        "does) in the life of SDA above, at batches spread over it. At a "
        "switch the latents that the new world does not use rise beyond the band around λ; those that another "
        "environment uses are then masked. What is below the noise of a batch is drawn at the bottom. The paper's "
        "equation 4 (section 3.3); it draws no such figure.",
        seeds=str(cell.seed),
    )
    even = _evenly(history)
    masks = Drawn(
        name=f"masks_{sequence}",
        figure=atypicality_map(even, worlds=worlds, thresholds=band),
        alt="Atypicality and mask of each latent by batch",
        caption="The same as a map, and below it the latents that were masked. A mask should hold until the world "
        "changes, not flicker.",
        seeds=str(cell.seed),
    )
    return [lines, masks]


def _inferred(cells: Sequence[Cell]) -> InferredLives:
    return InferredLives(
        worlds=_worlds(cells[0].series),
        seeds=[cell.seed for cell in cells],
        environments=np.stack([_environments(cell) for cell in cells]),
        right=[bool(cell.figures.get("inference/right")) for cell in cells],
    )


def _environments(cell: Cell) -> np.ndarray:
    """Inferred at batches 1 to K, shape `[K]`."""
    changes = cell.series["environments"]
    values = np.array([SURPRISED if index is None else index for _, index in changes])
    ends = [*(step for step, _ in changes[1:]), cell.series["batches"] + 1]
    held: np.ndarray = np.repeat(values, np.diff([1, *ends]))
    return held


def _probes(cell: Cell) -> ProbeSeries:
    parts = {
        kind: {name: np.array(values) for name, values in cell.series[kind].items()}
        for kind in ("accuracy", "position_mse")
    }
    return ProbeSeries(steps=np.array(cell.series["examined"]), **parts)


def _worlds(series: Mapping[str, list[dict[str, object]]]) -> tuple[World, ...]:
    return tuple(World(**world) for world in series["worlds"])  # type: ignore[arg-type]  # as JSON has them


def _first(worlds: Sequence[World], name: str) -> int:
    """The first batch of a world."""
    return next(world.start for world in worlds if world.name == name)


def _thresholds(cell: Cell) -> LatentMaskConfig:
    """λ and its band as the life had them."""
    settings = cell.settings.get("learner", {}).get("mask", {})
    return LatentMaskConfig(**{name: settings[name] for name in ("threshold", "hysteresis") if name in settings})


def _evenly(history: LearningHistory) -> LearningHistory:
    """Batches at equal distances, as a map needs them: of those kept, the last at or before each."""
    wanted = np.linspace(history.steps[0], history.steps[-1], len(history.steps))
    rows = np.unique(np.searchsorted(history.steps, wanted, side="right") - 1)
    return replace(
        history,
        steps=history.steps[rows],
        environments=history.environments[rows],
        opened=history.opened[rows],
        alpha=history.alpha[rows],
        mask=history.mask[rows],
    )
