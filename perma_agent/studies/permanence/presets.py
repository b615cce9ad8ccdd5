"""Presets of the study `permanence`: smoke for a look, bench for two cores, paper for who has a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from perma_agent.data.article_worlds import ARTICLE_WORLDS
from perma_agent.studies.continual.presets import PRESETS as LIVES
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.arms import BEST
from perma_agent.studies.permanence.article_grounds import Article, Hidden
from perma_agent.studies.permanence.config import Comparison
from perma_agent.studies.permanence.grounds import Rollouts, Sprites
from perma_agent.studies.permanence.vase import VASEStudy
from perma_agent.temporal import NetworkConfig, TrainingConfig


@dataclass(frozen=True, kw_only=True)
class PermanenceStudy:
    """How much is run."""

    preset: str
    """Name of these settings."""
    comparisons: Mapping[str, Comparison]
    """Arms side by side, by the name their cells begin with."""
    vase: VASEStudy | None = None
    """Lives of a VASE with and without permanence; None leaves them out."""
    timed: tuple[int, ...] = ()
    """Seeds with which the metrics' own cost is measured."""
    data: Path | None = None
    """Folder of the image sets; None looks where PERMA_DATA says, then downloads."""
    processes: int = 1
    """Cells measured side by side, a core each."""


def _smoke() -> PermanenceStudy:
    network = NetworkConfig(image_size=32, filters=(8, 8, 8), hidden=32, latents=6)
    sprites = Comparison(
        ground=Sprites(rows=1_000),
        network=network,
        training=TrainingConfig(steps=60, batch=16, learning_rate=1e-3, log_every=20),
        warm_up=20,
        seeds={"none": (0,), BEST: (0,)},
        looks=2,
    )
    return PermanenceStudy(preset="smoke", comparisons={"sprites": sprites})


FIVE, THREE = tuple(range(5)), tuple(range(3))
TO_CHOOSE_BY = (100, 101, 102)
"""Seeds to choose weights by, and the member of the family, where seeds differ much."""
ROOM = LevelChoice(
    id="perma/IndoorMaze-v0",
    arguments={"rows": 1, "columns": 1, "cell_size": 6.0, "randomise": False, "map_seed": 0},
)
"""One room that always looks the same: with the levels' default looks no pose can be read off a single frame."""
SHOWN = ("x", "z", "heading_cos", "heading_sin", "distance_ahead")
"""Factors of it that a frame shows."""
OUTDOORS = replace(ROOM, id="perma/OutdoorMaze-v0")
"""The same under the sky: what came out indoors is to hold there with no weight chosen anew."""

OFFSETS = (1, 4, 16)
"""Steps between the frames of the article's pairs: over 16 what changes goes through its whole range."""


def _bench() -> PermanenceStudy:
    network = NetworkConfig(image_size=32, filters=(16, 32, 64), hidden=256, latents=10)
    colour = replace(network, channels=3, likelihood="gaussian", pixel_std=0.1)
    training = TrainingConfig(steps=4_000, batch=32, learning_rate=1e-3, log_every=250)
    short = replace(training, steps=2_000)
    indoors = Rollouts(levels=(ROOM,), factors=SHOWN, rows=6_000)
    sprites = Comparison(
        ground=Sprites(rows=6_000),
        network=network,
        training=training,
        seeds={
            **dict.fromkeys(("together", "handover", "slowvae", "none", "l1", "l2", "p_b"), FIVE),
            **dict.fromkeys(("direction", "ada-gvae", "pcl"), THREE),
        },
    )
    sparse = replace(
        sprites,
        ground=Sprites(transition="uniform", changes=1, rows=6_000),
        weights_of="sprites",
        seeds=dict.fromkeys(("direction", "p_b", BEST, "slowvae", "none"), THREE),
    )
    miniworld = Comparison(
        ground=indoors,
        network=colour,
        training=short,
        warm_up=500,
        seeds={
            **dict.fromkeys(("together", "slowvae", "none", "l1", "l2", "p_b"), FIVE),
            **dict.fromkeys(("direction", "ada-gvae", "pcl"), THREE),
        },
        tuned_on=TO_CHOOSE_BY,
        weights={  # on earlier runs the greatest weight tried had been chosen for each of these
            "l1": (3.0, 10.0, 30.0, 100.0, 300.0),
            "l2": (1.0, 3.0, 10.0, 30.0),
            "slowvae": (2.0, 5.0, 10.0, 20.0, 40.0),
            "p_b": (5.0, 20.0, 60.0, 180.0),
            "direction": (5.0, 15.0, 45.0, 135.0),
            "together": (10.0, 20.0, 40.0, 80.0),
        },
    )
    outdoor = replace(
        miniworld,
        ground=replace(indoors, levels=(OUTDOORS,)),
        weights_of="miniworld",
        seeds=dict.fromkeys(("p_b", "together", "slowvae", "none"), FIVE),
    )
    cases = _cases(network, short)
    return PermanenceStudy(
        preset="bench",
        comparisons={"sprites": sprites, "sparse": sparse, "miniworld": miniworld, "outdoor": outdoor, **cases},
        vase=VASEStudy(life=LIVES["bench"].lives["three"]),
        timed=THREE,
    )


def _paper() -> PermanenceStudy:
    """SlowVAE's own sizes and budget, ten seeds, and three to choose weights by, for who has a GPU and days."""
    bench, ten = _bench(), tuple(range(10))
    network = NetworkConfig(image_size=64, filters=(32, 32, 64, 64), hidden=256, latents=10)
    colour = replace(network, channels=3, likelihood="gaussian", pixel_std=0.1)
    training = TrainingConfig(steps=300_000, batch=32, learning_rate=1e-4, log_every=5_000)
    arms = ("together", "handover", "direction", "p_b", "slowvae", "none", "l1", "l2", "ada-gvae", "pcl")
    sprites = replace(
        bench.comparisons["sprites"],
        ground=Sprites(canvas=64),
        network=network,
        training=training,
        warm_up=30_000,
        seeds=dict.fromkeys((*arms, "jepa", "jepa-direction"), ten),
        tuned_on=TO_CHOOSE_BY,
    )
    sparse = replace(
        sprites,
        ground=Sprites(canvas=64, transition="uniform", changes=1),
        weights_of="sprites",
        seeds=dict.fromkeys(arms, ten),
    )
    indoors = Rollouts(levels=(ROOM,), factors=SHOWN, frames=200_000, size=64)
    miniworld = replace(
        sprites,
        ground=indoors,
        network=colour,
        seeds=dict.fromkeys(arms, ten),
    )
    return PermanenceStudy(
        preset="paper",
        comparisons={
            "sprites": sprites,
            "sparse": sparse,
            "miniworld": miniworld,
            "outdoor": replace(miniworld, ground=replace(indoors, levels=(OUTDOORS,)), weights_of="miniworld"),
            **_cases(network, replace(training, steps=100_000)),
        },
        vase=VASEStudy(life=LIVES["paper"].lives["three"]),
        timed=THREE,
    )


def _cases(network: NetworkConfig, training: TrainingConfig) -> dict[str, Comparison]:
    """The article's five cases, with the best member of the family and with none."""
    colour, longer = replace(network, channels=3), replace(training, steps=training.steps * 5 // 2)
    pairs = {
        f"case-{world}": Comparison(
            ground=Article(world=world, canvas=network.image_size, offsets=OFFSETS),
            network=colour if ARTICLE_WORLDS[world]().channels == 3 else network,
            training=longer,
            warm_up=longer.steps // 4,
            weights_of="sprites",
            seeds=dict.fromkeys(("none", BEST), THREE),
        )
        for world in ("gaze", "tilt", "brightness", "moving-objects")
    }
    hidden = Comparison(
        ground=Hidden(canvas=network.image_size),
        network=colour,
        training=replace(training, batch=4),
        warm_up=training.steps // 4,
        seeds=dict.fromkeys(("memory", "memory-direction", "blind-direction"), THREE),
    )
    return {**pairs, "case-hidden-object": hidden}


PRESETS: Mapping[str, PermanenceStudy] = MappingProxyType(
    {made.preset: made for made in (_smoke(), _bench(), _paper())}
)
"""Presets by name."""
