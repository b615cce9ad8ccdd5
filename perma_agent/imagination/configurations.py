"""Configurations: codes z* that are imagined, each with the recipe it was composed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from perma_agent.imagination.novelty import Novelty

Kind = Literal["elsewhere", "rim", "whole", "recombined"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Names of the kinds; their places are their numbers."""
KEPT, DRAWN = -1, -2
"""Instead of a donor's number: the latent was kept; its value was drawn from what a record remembers."""


@dataclass(frozen=True, kw_only=True)
class MixConfig:
    """What is imagined how often; shares need not add up to 1."""

    elsewhere: float = 1.0
    """Factors set to values that they took in another environment, which uses them while this one does not, or hardly
    varies them: what moved there might move here (figure 5B)."""
    rim: float = 1.0
    """One factor set to a value that it seldom took here."""
    whole: float = 1.0
    """A configuration that was met as it stands."""
    recombined: float = 0.5
    """Several factors set to values that they seldom took here, from as many moments."""
    most_replaced: int = 3
    """Factors replaced at most in `elsewhere` and `recombined`."""
    hardly: float = 0.3
    """A latent hardly varies here if its spread is below this share of that in the other environment."""

    def __post_init__(self) -> None:
        shares = self.shares
        if shares.min() < 0 or shares.sum() <= 0 or self.most_replaced < 2 or not 0 <= self.hardly <= 1:
            raise ValueError(f"expected shares >= 0 and one above, most_replaced >= 2 and hardly in [0, 1], got {self}")

    @property
    def shares(self) -> np.ndarray:
        """Of the kinds, in the order of `KINDS`."""
        return np.array([getattr(self, kind) for kind in KINDS], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Met:
    """Codes met in one environment."""

    environment: int
    """s."""
    codes: np.ndarray
    """Float32 `[M, D]`."""
    numbers: np.ndarray
    """By which each is found again, int64 `[M]`; `DRAWN` for what was never met itself."""


@dataclass(frozen=True, kw_only=True)
class Configurations:
    """P imagined configurations and their recipes: base, donors, latents replaced, and kind."""

    codes: np.ndarray
    """z*, float32 `[P, D]`."""
    kinds: np.ndarray
    """Number of the kind, int64 `[P]`."""
    bases: np.ndarray
    """Number of the code met here that kept latents are from, int64 `[P]`."""
    donors: np.ndarray
    """Number of the code met in `sources` that each latent is from, int64 `[P, D]`; `KEPT` or `DRAWN` else."""
    sources: np.ndarray
    """s of the environment that replaced latents are from, int64 `[P]`."""
    novelty: np.ndarray
    """In [0, 1], float64 `[P]`."""
    plausibility: np.ndarray
    """In (0, 1], float64 `[P]`; 1 where nobody judged it."""

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def replaced(self) -> np.ndarray:
        """Latents that were replaced, bool `[P, D]`."""
        mask: np.ndarray = self.donors != KEPT
        return mask

    def __getitem__(self, which: np.ndarray) -> Configurations:
        """Some of them, by numbers or by a mask."""
        return Configurations(**{name: values[which] for name, values in self.state_dict().items()})

    def state_dict(self) -> dict[str, Any]:
        """Its arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Configurations:
        """From what `state_dict` gave."""
        return cls(**{field.name: np.array(state[field.name]) for field in fields(cls)})

    @classmethod
    def none(cls, latents: int) -> Configurations:
        """No configurations over D latents."""
        return cls(
            codes=np.zeros((0, latents), dtype=np.float32),
            kinds=np.zeros(0, dtype=np.int64),
            bases=np.zeros(0, dtype=np.int64),
            donors=np.zeros((0, latents), dtype=np.int64),
            sources=np.zeros(0, dtype=np.int64),
            novelty=np.zeros(0),
            plausibility=np.zeros(0),
        )


def imagine(
    met: Met,
    elsewhere: Sequence[tuple[Met, np.ndarray]] = (),
    *,
    novelty: Novelty,
    latents: np.ndarray,
    shares: np.ndarray,
    count: int,
    config: MixConfig,
    rng: np.random.Generator,
) -> Configurations:
    """Compose configurations from what was met.

    | kind       | base      | replaced                         | by the values of                                     |
    |------------|-----------|----------------------------------|------------------------------------------------------|
    | elsewhere  | any, here | 1 to `most_replaced` of the free | one code met in the other environment                |
    | rim        | any, here | one latent in use                | a code met here; each stretch of values is as likely |
    | whole      | the donor | all in use                       | any code met here                                    |
    | recombined | any, here | 2 to `most_replaced` in use      | as `rim`, each latent its own donor                  |

    Args:
        met: here, M of at least 2.
        elsewhere: codes met in other environments, each with the latents that are free to be set by them, bool
            `[D]`.
        novelty: of what was met here.
        latents: in use here, bool `[D]`, one at least.
        shares: of the kinds, as `MixConfig.shares`; those for which there is nothing count as 0.
        count: P; where none of the kinds that have a share is possible, none are made.
        config: how many factors are replaced.
        rng: draws all.
    """
    used, lending = np.flatnonzero(latents), [part for part in elsewhere if part[1].any()]
    possible = np.array([bool(lending), True, True, len(used) > 1])
    weights = shares * possible
    if weights.sum() <= 0 or not len(used):
        return Configurations.none(met.codes.shape[1])
    kinds = np.sort(rng.choice(len(KINDS), size=count, p=weights / weights.sum()))
    bases = rng.integers(len(met.codes), size=count)
    codes = met.codes[bases].copy()
    donors = np.full(codes.shape, KEPT, dtype=np.int64)
    sources = np.full(count, met.environment, dtype=np.int64)
    rare = _even(novelty.surprise(met.codes))
    for row, kind in enumerate(KINDS[number] for number in kinds):
        if kind == "elsewhere":
            lender, free = lending[rng.integers(len(lending))]
            chosen = _some(np.flatnonzero(free), config.most_replaced, rng)
            donor = int(rng.integers(len(lender.codes)))
            codes[row, chosen], donors[row, chosen] = lender.codes[donor, chosen], lender.numbers[donor]
            sources[row] = lender.environment
        elif kind == "whole":
            codes[row], donors[row, used] = met.codes[bases[row]], met.numbers[bases[row]]
        else:
            chosen = rng.choice(used, 1) if kind == "rim" else _some(used, config.most_replaced, rng, least=2)
            for latent in chosen:
                donor = int(np.searchsorted(rare[:, latent], rng.random(), side="right"))
                codes[row, latent], donors[row, latent] = met.codes[donor, latent], met.numbers[donor]
    return Configurations(
        codes=codes,
        kinds=kinds.astype(np.int64),
        bases=met.numbers[bases],
        donors=donors,
        sources=sources,
        novelty=novelty(codes),
        plausibility=np.ones(count),
    )


def _even(surprise: np.ndarray) -> np.ndarray:
    """Cumulative chances of the rows for each latent, inverse to the density of its value, `[M, D]`."""
    chances: np.ndarray = np.cumsum(np.exp(surprise - surprise.max(axis=0)), axis=0)
    chances /= chances[-1]
    chances[-1] = np.inf  # no draw falls beyond the last row
    return chances


def _some(latents: np.ndarray, most: int, rng: np.random.Generator, *, least: int = 1) -> np.ndarray:
    """At least `least` and at most `most` of the latents."""
    number = int(rng.integers(least, max(min(most, len(latents)), least) + 1))
    chosen: np.ndarray = rng.choice(latents, size=number, replace=False)
    return chosen
