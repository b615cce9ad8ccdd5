"""Imagination config: what is remembered, imagined and pursued, and what is paid for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from perma_agent.imagination.configurations import MixConfig
from perma_agent.imagination.novelty import NoveltyConfig
from perma_agent.imagination.realisation import RealisationConfig

Base = Literal["here", "met"]


@dataclass(frozen=True, kw_only=True)
class ImaginationConfig:
    """Settings of `ImaginationBonus`."""

    run: str | Path | None = None
    """Run folder of the VASE. None only where levels show codes: then nothing is drawn, every configuration passes for
    plausible, and no environment but the one here is known."""
    seed: int = 0
    """Of all that is drawn."""
    device: str = "cpu"
    """Where the VASE runs."""
    start: int = 0
    """Where in a vector that levels show the means begin (`sb3.sight` tells the order); 0 unless older frames stand
    before them."""
    environment: int | None = None
    """s that the levels are in, whatever is inferred. None: as the learner inferred it when it was published last; from
    q(s|x) over the newest frames where frames are seen and no learner publishes; else as in the run folder."""

    memory: int = 4_096
    """Codes remembered of each environment, a uniform sample of all that were met."""
    keep_frames: bool = True
    """Whether their frames are kept too, where levels show frames: 12 kB each at 64x64. Needed to encode them again
    when the VASE moves; without them it forgets what it met whenever that happens."""
    enough: int = 512
    """Codes met before anything is imagined, at least 2."""
    renew_every: int = 8
    """Publications of the VASE after which the bonus takes over the newest: encoding its memory again takes time."""

    mix: MixConfig = field(default_factory=MixConfig)
    """What is imagined how often."""
    novelty: NoveltyConfig = field(default_factory=NoveltyConfig)
    """How rarity is measured."""
    realisation: RealisationConfig = field(default_factory=RealisationConfig)
    """How it is learnt what can be brought about."""
    imagined: int = 512
    """Configurations composed each time that the bonus learns."""
    judged: int = 64
    """How many of them, the more novel the likelier, are drawn and looked at; the plausible ones become goals."""
    sharpness: float = 8.0
    """Configurations are drawn with chances in proportion to novelty to this power, at least 0."""
    tolerance: float = 3.0
    """How many times farther off than codes that were met a configuration may come back and still be plausible."""
    least_plausible: float = 0.05
    """Configurations of a lower score are dropped, in [0, 1)."""

    base: Base = "here"
    """Where kept latents are from: where the level stands when the goal is chosen, and anew when an episode begins; or
    the code met that the configuration was composed from."""
    kept_weight: float = 0.1
    """Weight of all latents in use that were kept together, beside 1 of those replaced, at least 0."""
    horizon: int = 75
    """Steps after which a goal is given up."""
    renew_at_end: bool = False
    """Whether an episode's end ends the pursuit too; else it goes on in the next, from where that begins."""
    near: float = 1.0
    """A goal is reached within this many times the typical change of a step, or the posterior's standard deviation if
    that is larger, but neither counts beyond half the latent's spread."""
    discount: float = 1.0
    """γ of the potential: with 1 standing still and closed circles are paid nothing; with less, being far away is paid.
    In (0, 1]."""
    arrival: float = 1.0
    """Paid on arrival, in the units of progress: spreads of the replaced latents."""

    def __post_init__(self) -> None:
        if self.base not in get_args(Base):
            raise ValueError(f"expected base to be one of {', '.join(get_args(Base))}, got {self.base!r}")
        fits = (
            min(self.imagined, self.judged, self.horizon, self.renew_every) >= 1
            and 2 <= self.enough <= self.memory
            and min(self.start, self.sharpness, self.kept_weight, self.arrival) >= 0
            and min(self.tolerance, self.near) > 0
            and 0 <= self.least_plausible < 1
            and 0 < self.discount <= 1
        )
        if not fits:
            raise ValueError(
                "expected imagined, judged, horizon and renew_every >= 1, 2 <= enough <= memory, start, sharpness, "
                "kept_weight and arrival >= 0, tolerance and near > 0, least_plausible in [0, 1) and discount in "
                f"(0, 1], got {self}"
            )
