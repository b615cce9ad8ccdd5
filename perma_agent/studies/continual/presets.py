"""Presets of the study `continual`: smoke for a look, bench for two cores, paper for who has a GPU and a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from perma_agent.continual import DreamConfig, InferenceConfig, LearnerConfig
from perma_agent.data.image_folder import ImageFolder
from perma_agent.evaluation.probes import ProbeConfig
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.studies.continual.config import LifeConfig, Sequence
from perma_agent.studies.continual.factor_split import FactorSplit


@dataclass(frozen=True, kw_only=True)
class ContinualConfig:
    """How much is run."""

    preset: str
    """Name of these settings."""
    lives: Mapping[str, LifeConfig]
    """A life for each sequence, all of arm `sda`: `three` (figure 2, table 1), `five` (figures 3 and 4B), `return`; and
    shorter ones, without probes, of more seeds (`three_short`, `five_short`), for whether environments are found."""
    seeds: Mapping[str, tuple[int, ...]]
    """Seeds of each cell's arm, `<sequence>-<arm>`."""
    looked_at: tuple[int, ...] = (0, 1, 2)
    """Seeds of the lives that are looked at closely at their end (`looks.LOOKS`)."""
    factors: FactorSplit | None = None
    """The world whose factors open one after another; None leaves it out."""
    mixed: tuple[str, str] = ("mnist", "inverse-fashion")
    """Two worlds at rest whose mixtures are ambiguous; a folder of pictures stands in for either."""
    folders: tuple[ImageFolder, ...] = ()
    """Folders of pictures that make worlds, each of which adds cells of its own (`folder_lives`)."""
    data: Path | None = None
    """Folder of the image sets; None looks where PERMA_DATA says, then downloads."""
    processes: int = 1
    """Lives lived side by side, a core each."""


def _learner(*, learning_rate: float, nats: float, rise: int, warm_up: int, burn_in: int = 300) -> LearnerConfig:
    return LearnerConfig(
        learning_rate=learning_rate,
        capacity=CapacityConfig(weight=1.0, warm_up=warm_up, schedule=CapacitySchedule(nats=nats, steps=rise)),
        permanence=PermanenceConfig(weight=0.0),  # images of a set follow one another at random
        inference=InferenceConfig(burn_in=burn_in),
        dreaming=DreamConfig(encoder_proximity=4.0, decoder_proximity=4.0),
    )


def _grey(*, canvas: int, filters: tuple[int, ...]) -> VASEConfig:
    return VASEConfig(channels=1, image_size=canvas, filters=filters, hidden=256, latents=24, likelihood="bernoulli")


def _three(steps: tuple[int, int, int], *, fashion: str = "moving-fashion", mnist: str = "mnist") -> Sequence:
    moving = f"moving-{mnist}"
    return Sequence(worlds=(fashion, mnist, moving), steps=steps, classified=(fashion, mnist), located=(fashion,))


def _five(steps: tuple[int, int, int, int, int]) -> Sequence:
    worlds = ("moving-mnist", "fashion", "inverse-fashion", "mnist", "moving-fashion")
    return Sequence(worlds=worlds, steps=steps, classified=worlds, located=("moving-mnist", "moving-fashion"))


def _return(steps: tuple[int, int, int]) -> Sequence:
    worlds = ("moving-fashion", "mnist", "moving-fashion")
    return Sequence(worlds=worlds, steps=steps, classified=("moving-fashion", "mnist"), located=("moving-fashion",))


def _unprobed(sequence: Sequence) -> Sequence:
    """The same worlds for who asks only whether they are found."""
    return replace(sequence, classified=(), located=())


def _smoke() -> ContinualConfig:
    model = VASEConfig(channels=1, image_size=32, filters=(16, 16, 16), hidden=64, latents=12, likelihood="bernoulli")
    sequence = Sequence(
        worlds=("moving-digits", "digits", "inverse-digits"),
        steps=(120, 80, 80),
        classified=("moving-digits", "digits"),
        located=("moving-digits",),
    )
    life = LifeConfig(
        sequence=sequence,
        model=model,
        learner=_learner(learning_rate=2e-3, nats=20.0, rise=100, warm_up=20, burn_in=30),
        batch=32,
        every=40,
        learn_probes_on=400,
        test_probes_on=300,
        probe=ProbeConfig(epochs=10),
    )
    factors = FactorSplit(
        preset="smoke",
        steps=(40, 30, 30),
        model=replace(model, channels=3),
        batch=32,
        every=50,
        test_frames=400,
        seeds=(0,),
    )
    return ContinualConfig(
        preset="smoke",
        lives={"three": life},
        seeds={"three-sda": (0,), "three-none": (0,)},
        factors=factors,
        mixed=("digits", "inverse-digits"),
    )


def _bench() -> ContinualConfig:
    model = _grey(canvas=32, filters=(32, 32, 64))
    learner = _learner(learning_rate=1e-3, nats=22.0, rise=800, warm_up=300)
    few, many = (0, 1, 2), tuple(range(10))

    def life(sequence: Sequence, *, every: int, probes: int = 20_000) -> LifeConfig:
        return LifeConfig(
            sequence=sequence, model=model, learner=learner, every=every, learn_probes_on=probes, renew_every=1_000
        )

    return ContinualConfig(
        preset="bench",
        lives={
            "three": life(_three((1_500, 1_500, 1_500)), every=750),
            "five": life(_five((1_100, 700, 500, 700, 1_000)), every=10_000, probes=8_000),
            "return": life(_return((1_200, 700, 500)), every=10_000),
            "three_short": life(_unprobed(_three((900, 700, 500))), every=10_000),
            "five_short": life(_unprobed(_five((900, 500, 400, 500, 300))), every=10_000),
        },
        seeds={
            **dict.fromkeys(("three-sda", "three-none", "three-sd", "three-a", "five-sda"), few),
            **dict.fromkeys(("three-sda-entangled", "three-none-entangled"), few),
            **dict.fromkeys(("three-s", "three-d"), few),
            "return-sda": many,
            **dict.fromkeys(("three_short-sda", "five_short-sda"), many[len(few) :]),
            **dict.fromkeys(("five-none", "five-sda-entangled"), (0,)),
        },
        factors=FactorSplit(preset="bench", steps=(900, 1_000, 1_100), every=500),
    )


def _paper() -> ContinualConfig:
    learner = _learner(learning_rate=6e-4, nats=35.0, rise=15_000, warm_up=2_000, burn_in=1_500)
    few, many = (0, 1, 2), tuple(range(10))
    arms = ("sda", "sd", "sd-encoder", "da", "sa", "s", "d", "a", "none")
    return ContinualConfig(
        preset="paper",
        lives={
            "three": LifeConfig(
                sequence=_three((28_000, 19_000, 28_000)), model=VASEConfig.paper(), learner=learner, every=2_500
            ),
            "five": LifeConfig(
                sequence=_five((28_000, 19_000, 19_000, 19_000, 28_000)),
                model=VASEConfig.paper(),
                learner=learner,
                every=2_500,
            ),
            "return": LifeConfig(
                sequence=_return((28_000, 19_000, 14_000)), model=VASEConfig.paper(), learner=learner, every=2_500
            ),
        },
        seeds={
            **{f"three-{arm}{kind}": few for arm in arms for kind in ("", "-entangled")},
            **dict.fromkeys(("three-sda", "five-sda", "return-sda"), many),
            **dict.fromkeys(("five-none", "five-sda-entangled"), few),
        },
        factors=_paper_factors(),
    )


def _paper_factors() -> FactorSplit:
    bench = FactorSplit(preset="paper")
    slow = replace(bench.learner.capacity, schedule=CapacitySchedule(nats=12.0, steps=40_000))
    return replace(
        bench,
        steps=(20_000, 20_000, 20_000),
        model=replace(VASEConfig.paper(), channels=3),
        learner=replace(bench.learner, capacity=slow, inference=InferenceConfig(burn_in=1_500)),
        every=2_500,
        test_frames=10_000,
    )


PRESETS: Mapping[str, ContinualConfig] = MappingProxyType(
    {made.preset: made for made in (_smoke(), _bench(), _paper())}
)
"""smoke: scikit-learn's digits, under a minute. bench: 32x32, for two cores. paper: the paper's sizes, for a GPU."""
