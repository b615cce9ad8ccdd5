"""Continual disentanglement: sprites whose factors open one after another, lived through by four arms."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np

from perma_agent.continual import InferenceConfig, LearnerConfig
from perma_agent.continual.config_json import to_json
from perma_agent.data.sprites import SpriteBatch, SpriteWorld
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.studies.cell_runs import Advance, Measured, PlannedCell
from perma_agent.studies.continual.config import LifeConfig, Sequence
from perma_agent.studies.continual.factor_split_examination import FactorExaminer
from perma_agent.studies.continual.factor_split_scores import measured
from perma_agent.studies.continual.life import Life, live

VASE_ARM, AT_ONCE = "factors-sda", "factors-at-once"
ARMS: Mapping[str, str] = MappingProxyType(
    {
        VASE_ARM: "sda",
        "factors-sda-entangled": "sda-entangled",
        "factors-none": "none",
        AT_ONCE: "none",
    }
)
"""Arms of the factor-split life, and the arm of `studies.continual.config` that learns in each. `factors-at-once` is
CCI-VAE in the last world alone, all factors open, for as many batches."""


@dataclass(frozen=True, kw_only=True)
class FactorSplit:
    """A life in which factors open one after another; factors that are not open yet stand still."""

    preset: str
    """Name of these settings."""
    opens: tuple[tuple[str, ...], ...] = (("x", "y"), ("scale", "rotation"), ("hue",))
    """Factors that open with each world; those of the worlds before stay open."""
    steps: tuple[int, ...] = (900, 1_200, 1_500)
    """Batches of each world."""
    model: VASEConfig = field(
        default_factory=lambda: VASEConfig(image_size=32, filters=(32, 32, 64), latents=16, likelihood="bernoulli")
    )
    """The network of all arms; `image_size` is the worlds' canvas."""
    learner: LearnerConfig = field(
        default_factory=lambda: LearnerConfig(
            learning_rate=1e-3,
            capacity=CapacityConfig(weight=20.0, warm_up=1, schedule=CapacitySchedule(nats=12.0, steps=2_000)),
            permanence=PermanenceConfig(weight=0.0),
            inference=InferenceConfig(burn_in=300),
        )
    )
    """The learner with every switch on. Capacity rises slowly and is kept to from the first batch on: with 5 nats
    granted by the end of the first world, x and y had one latent each (seed 100). Frames of a world are unpaired:
    nothing can be learnt of permanence."""
    batch: int = 64
    """Frames per batch."""
    every: int = 300
    """Batches from one examination to the next; there is one at the end of each world too."""
    test_frames: int = 4_000
    """Frames of each world on which it is examined, the same throughout a life."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One life each."""

    def __post_init__(self) -> None:
        opened = list(itertools.chain(*self.opens))
        if len(self.opens) != len(self.steps) or not opened or len(self.opens[0]) < 2 or not all(self.opens):
            raise ValueError(
                f"expected at least two factors in the first world, one in each other and steps for each, "
                f"got {self.opens} and {self.steps}"
            )
        if len(set(opened)) < len(opened):
            raise ValueError(f"expected each factor to open once, got {', '.join(opened)}")

    def worlds(self) -> tuple[SplitWorld, ...]:
        """The worlds in their order."""
        opened = itertools.accumulate(self.opens, lambda before, more: (*before, *more))
        return tuple(SplitWorld(factors, canvas=self.model.image_size) for factors in opened)

    def life(self, arm: str) -> LifeConfig:
        """What an arm lives through, and with which switches.

        Raises:
            ValueError: there is no such arm.
        """
        if arm not in ARMS:
            raise ValueError(f"expected an arm among {', '.join(ARMS)}, got {arm!r}")
        names, steps = tuple(world.name for world in self.worlds()), self.steps
        if arm == AT_ONCE:
            names, steps = names[-1:], (sum(steps),)
        sequence = Sequence(worlds=names, steps=steps, classified=(), located=())
        return LifeConfig(
            sequence=sequence,
            arm=ARMS[arm],
            model=self.model,
            learner=self.learner,
            batch=self.batch,
            every=self.every,
        )


class SplitWorld:
    """One coloured ellipse of which some factors vary and the others stand still: largest, lying, in the middle, red.

    Each factor can be held by one latent: none closes a circle (the ellipse turns by less than 90° of its 180°, hues go
    from red to yellow), and none moves the ellipse so far that frames have nothing in common, which a code of few steps
    needs several latents for. And factors can be told apart: a VAE finds the axes only of those that differ in effect,
    so y spans twice as much as x.

    Args:
        factors: those that vary.
        canvas: side of the frames in pixels.

    Reference:
        Rolinek et al., Variational autoencoders pursue PCA directions (by accident), CVPR 2019.
    """

    SHAPE = 1
    VALUES: Mapping[str, range] = MappingProxyType(
        {"scale": range(2, 6), "rotation": range(8), "x": range(5, 10), "y": range(3, 12), "hue": range(7)}
    )
    """Values that occur, of as many as `SIZES` has."""
    SIZES: Mapping[str, int] = MappingProxyType({"scale": 6, "rotation": 8, "x": 16, "y": 16, "hue": 36})

    def __init__(self, factors: tuple[str, ...], *, canvas: int) -> None:
        self.name = "-".join(factors)
        self._sprites = SpriteWorld(
            open_factors=factors, sizes=self.SIZES, fixed={"shape": self.SHAPE}, channels=3, canvas=canvas
        )
        self.factors = self._sprites.factor_names

    def draw(self, count: int, rng: np.random.Generator) -> SpriteBatch:
        """Frames with every open factor uniform and by itself; `factors` has the columns of `self.factors`."""
        occur = [self.VALUES[name] for name in self.factors]
        numbers = rng.integers([r.start for r in occur], [r.stop for r in occur], size=(count, len(occur)))
        return SpriteBatch(self._sprites.render(numbers), numbers)


def plan_factor_split(split: FactorSplit) -> list[PlannedCell]:
    """A cell for each arm and seed."""
    settings = to_json(split)
    del settings["seeds"]
    return [
        PlannedCell(
            arm=arm,
            seed=seed,
            settings=settings,
            work=float(sum(split.steps)),
            measure=partial(measure_factor_split, split, arm, seed),
        )
        for arm in ARMS
        for seed in split.seeds
    ]


def measure_factor_split(split: FactorSplit, arm: str, seed: int, advance: Advance) -> Measured:
    """Live one life of an arm and measure its code on the way.

    Args:
        split: worlds, network and learner.
        arm: one of `ARMS`.
        seed: of weights, noise, batches and test frames.
        advance: called with 1 after each batch.
    """
    examiner, life = live_factor_split(split, arm, seed=seed, advance=advance)
    return measured(life, opens=examiner.opens)


def live_factor_split(split: FactorSplit, arm: str, *, seed: int, advance: Advance) -> tuple[FactorExaminer, Life]:
    """One life of an arm, with whoever examined it; arguments as in `measure_factor_split`."""
    config = split.life(arm)
    worlds = {world.name: world for world in split.worlds()}
    opens = split.opens
    if arm == AT_ONCE:
        opens = (tuple(itertools.chain(*opens)),)
    examiner = FactorExaminer(
        [worlds[name] for name in config.sequence.worlds],
        opens=opens,
        steps=config.sequence.steps,
        frames=split.test_frames,
        seed=seed,
    )
    life = live(config, dict(worlds), seed=seed, examine=examiner, on_batch=lambda: advance(1.0))
    return examiner, life
