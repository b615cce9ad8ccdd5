"""One environment as homology sees it: what each of its latents tells of each factor, and who reads what off them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

from perma_agent.evaluation.disentanglement.bins import discretise, varies
from perma_agent.evaluation.disentanglement.mutual_information import entropies, mutual_information
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Table, split_rows
from perma_agent.evaluation.factor_reading import FactorReader, Reader, fit_reader

NOT_CARRIED = -1
"""The latent of a factor that no latent carries."""


@dataclass(frozen=True, kw_only=True)
class HomologyConfig:
    """How homology is measured; the same for everything that is compared."""

    reader: Reader = "trees"
    """What reads factors off codes: boosted `trees`, or `linear`, which reads only what a line can."""
    shuffles: int = 5
    """Times that factors are shuffled against codes, for the mutual information that chance gives."""
    sign_above: float = 0.1
    """Rank correlation, in [0, 1), that latent and factor need in both environments for a sign to be told."""
    settings: Settings = field(default_factory=lambda: DISENTANGLEMENT_LIB)
    """Bins, share of rows held out, boosting stages. A factor is carried where a latent tells more of its entropy than
    `informative_above`: 0.05 of 20 even bins is 0.15 nats, what a correlation of 0.5 tells of a Gaussian."""

    def __post_init__(self) -> None:
        if self.shuffles < 1 or not 0 <= self.sign_above < 1:
            raise ValueError(
                f"expected shuffles >= 1 and sign_above in [0, 1), got {self.shuffles} and {self.sign_above}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """One environment: its rows, what its latents tell, and its readers."""

    table: Table
    """Codes and factors, all rows."""
    test: np.ndarray
    """Rows held out, bool, shape `[N]`."""
    importance: np.ndarray
    """Share of factor k's entropy that latent d tells beyond chance, in [0, 1], shape `[D, K]`."""
    latents: np.ndarray
    """The latent that tells most of each factor, ints, shape `[K]`; `NOT_CARRIED` where none does."""
    off_latent: tuple[FactorReader | None, ...]
    """What reads each factor off its latent; None where it has none."""
    off_code: tuple[FactorReader, ...]
    """What reads each factor off the whole code."""

    def latent_skill(self, k: int, source: Place) -> float:
        """Skill here of the reader of factor k that learnt in `source`, off the latent it has there; NaN without."""
        reader, latent = source.off_latent[k], int(source.latents[k])
        if reader is None:
            return float("nan")
        return reader.skill(self.table.codes[self.test][:, [latent]], self.table.factors[self.test, k])

    def code_skill(self, k: int, source: Place) -> float:
        """Skill here of the reader of factor k that learnt in `source`, off the whole code."""
        return source.off_code[k].skill(self.table.codes[self.test], self.table.factors[self.test, k])

    def trend(self, k: int, latent: int) -> float:
        """Spearman's rank correlation of a latent with factor k, in [-1, 1]; 0 for a constant latent."""
        code = self.table.codes[:, latent]
        if not varies(code[:, None])[0]:
            return 0.0
        return float(np.corrcoef(rankdata(code), rankdata(self.table.factors[:, k]))[0, 1])


def see_place(table: Table, rng: np.random.Generator, *, held_out: np.ndarray | None, config: HomologyConfig) -> Place:
    """Find out what an environment's latents tell.

    Args:
        table: its codes, masked, and its factors.
        rng: of the split, the shuffles and the readers.
        held_out: rows to test on, bool, shape `[N]`; None draws a third.
        config: how.

    Raises:
        ValueError: the split leaves a factor constant on one side.
    """
    settings = config.settings
    for_split, for_shuffles, for_readers = rng.spawn(3)
    train, test = split_rows(table, for_split, held_out=held_out, share=settings.test_share)
    for k, column in enumerate(table.factors[test].T):
        if np.ptp(column) == 0:
            raise ValueError(f"expected factor {k} to vary in the rows held out, got {column[0]:g} only; bring more")
    importance = importances(table, for_shuffles, shuffles=config.shuffles, bins=settings.bins)
    carried = importance.max(axis=0) > settings.informative_above
    latents = np.where(carried, importance.argmax(axis=0), NOT_CARRIED)
    seeds = for_readers.integers(2**31, size=len(latents)).tolist()

    def reader(k: int, codes: np.ndarray) -> FactorReader:
        return fit_reader(
            codes[train],
            table.factors[train, k],
            continuous=bool(table.continuous[k]),
            reader=config.reader,
            stages=settings.boosting_trees,
            seed=seeds[k],
        )

    return Place(
        table=table,
        test=test,
        importance=importance,
        latents=latents,
        off_latent=tuple(None if d < 0 else reader(k, table.codes[:, [d]]) for k, d in enumerate(latents.tolist())),
        off_code=tuple(reader(k, table.codes) for k in range(len(latents))),
    )


def importances(table: Table, rng: np.random.Generator, *, shuffles: int, bins: int) -> np.ndarray:
    """Share of each factor's entropy that each latent tells beyond chance.

        r_dk = max(0, I(z_d; v_k) - mean over shuffles π of I(z_d; v_k∘π)) / H(v_k)

    Without the second term every latent would seem to tell a little of everything, and so any two of them to agree.

    Args:
        table: codes and factors.
        rng: of the shuffles.
        shuffles: how many.
        bins: of each latent and of each continuous factor.

    Returns:
        In [0, 1], shape `[D, K]`.
    """
    binned, labels = discretise(table.codes, bins), table.labels(bins)
    chance = np.mean([mutual_information(binned, rng.permutation(labels)) for _ in range(shuffles)], axis=0)
    shares: np.ndarray = np.clip((mutual_information(binned, labels) - chance) / entropies(labels), 0, 1)
    return shares
