"""Figure 5A with a folder of pictures: lives in which it stands in for either of two worlds, and their mixtures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from perma_agent.continual.config_json import to_json
from perma_agent.data.image_folder import ImageFolder, Pictures
from perma_agent.errors import DataError
from perma_agent.studies.continual.ambiguity_analysis import measure_ambiguity
from perma_agent.studies.continual.config import LifeConfig, Sequence
from perma_agent.studies.continual.life import life_folder
from perma_agent.studies.continual.lives import measure_life
from perma_agent.studies.continual.looks import look_at
from perma_agent.studies.continual.presets import ContinualConfig
from perma_agent.studies.planned_cell import PlannedCell

PREFIX = "images-"
"""Arms of these cells begin with it, and no others do."""
LIFE, LOOK = "-sda", "-ambiguity"
"""How the arms of lives and of looks at them end."""


@dataclass(frozen=True, kw_only=True)
class _Variant:
    arm: str
    images: ImageFolder
    worlds: tuple[str, str]
    life: LifeConfig
    settings: dict[str, Any]


def plan_folders(config: ContinualConfig, folder: Path) -> tuple[list[PlannedCell], list[PlannedCell]]:
    """Plan the cells of each folder: for the name n, `images-n_inverse_fashion-…` (the paper's) and `images-mnist_n-…`.

    Each is a life (`-sda`) of two worlds, as long as the first two of `three`, and a look (`-ambiguity`) at what their
    mixtures are taken for. Which pictures there are is part of the settings, so that others are other settings.

    Args:
        config: how much; its `folders` are used and its `mixed` worlds.
        folder: of the results.

    Returns:
        The lives and the looks.

    Raises:
        DataError: a folder is missing or has too few pictures, or two have one name.
    """
    names = [images.name for images in config.folders]
    if len(set(names)) < len(names):
        raise DataError(
            f"expected a name of its own for each folder of pictures, got {', '.join(names)}; give NAME=DIR"
        )
    variants = [variant for images in config.folders for variant in _variants(config, images)]
    seeds = [seed for seed in config.looked_at if seed in config.seeds.get("three-sda", ())]
    both = [(variant, seed) for seed in seeds for variant in variants]
    return [_life(config, folder, *one) for one in both], [_look(config, folder, *one) for one in both]


def _variants(config: ContinualConfig, images: ImageFolder) -> Iterator[_Variant]:
    found, full = images.pictures(), config.lives["three"]
    for worlds in ((images.name, config.mixed[1]), (config.mixed[0], images.name)):
        unlabelled = {images.name} if len(found.classes) < 2 else set()
        sequence = Sequence(
            worlds=worlds,
            steps=full.sequence.steps[:2],
            classified=tuple(name for name in worlds if name not in unlabelled),
            located=(),
        )
        life = replace(full, sequence=sequence, arm="sda")
        yield _Variant(
            arm=PREFIX + "_".join(worlds).replace("-", "_"),
            images=images,
            worlds=worlds,
            life=life,
            settings={"preset": config.preset, **to_json(life), "images": {images.name: _described(found)}},
        )


def _described(found: Pictures) -> dict[str, Any]:
    return {"pictures": len(found.files), "classes": len(found.classes), "sha256": found.digest}


def _life(config: ContinualConfig, folder: Path, variant: _Variant, seed: int) -> PlannedCell:
    arm = variant.arm + LIFE
    keep = life_folder(folder, arm=arm, seed=seed)
    return PlannedCell(
        arm=arm,
        seed=seed,
        settings=variant.settings,
        work=float(sum(variant.life.sequence.steps)),
        measure=partial(measure_life, variant.life, seed, config.data, keep, folders=(variant.images,)),
    )


def _look(config: ContinualConfig, folder: Path, variant: _Variant, seed: int) -> PlannedCell:
    life = variant.arm + LIFE
    keep = life_folder(folder, arm=life, seed=seed)
    analyse = partial(measure_ambiguity, between=variant.worlds)
    return PlannedCell(
        arm=variant.arm + LOOK,
        seed=seed,
        settings={**variant.settings, "life": life},
        work=1.0,
        measure=partial(look_at, analyse, variant.life, seed, config.data, keep, folders=(variant.images,)),
    )
