"""FactorVAE's score: does holding a factor fixed still always the same latent?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.factor_groups import FactorGroups
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table

AT_ONCE = 1_000
"""Groups held in memory: 5 MB at 64 codes of 10 latents."""


@dataclass(frozen=True, kw_only=True)
class FactorVAEScore:
    """Accuracy of a vote on which factor was held fixed."""

    score: float
    """Share of held-out groups whose factor the vote names, in [0, 1]; chance is 1/K; 0 where no latent is active."""
    train_accuracy: float
    """The same on the groups the vote was learnt from."""
    votes: np.ndarray
    """Groups learnt from in which factor k was fixed and latent d varied least, ints, shape `[K, D]`."""
    active: np.ndarray
    """Latents that may vote, bool, shape `[D]`."""


def factor_vae_score(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    continuous: Continuous = False,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> FactorVAEScore:
    """Tell from the latent that varies least which factor a group of codes has in common.

        d* = argmin over active d of  var_group(z_d) / var(z_d);    named factor = the one that most often gave d*

    Args:
        codes: z, posterior means, shape `[N, D]`.
        factors: v, shape `[N, K]`, K of at least 2; groups are drawn from the rows, see `FactorGroups`.
        rng: source of the groups.
        continuous: which factors are, one bool or K; these are held fixed to within one of `settings.bins` bins.
        settings: codes in a group, groups to learn and to score, rows a value needs, smallest standard deviation.

    Raises:
        ValueError: what `checked_table` refuses, or too few rows of a factor's values.

    Reference:
        Kim and Mnih, Disentangling by factorising (2018), section 4; pruning and numbers from disentanglement_lib.
    """
    table = checked_table(codes, factors, continuous, least_factors=2)
    groups = FactorGroups(table.labels(settings.bins), rows_per_value=settings.rows_per_value)
    variances = table.codes.var(axis=0, ddof=1)
    active = (np.sqrt(variances) >= settings.smallest_std) & (variances > 0)
    votes = np.zeros((table.factors.shape[1], table.codes.shape[1]), dtype=np.int64)
    if not active.any():
        return FactorVAEScore(score=0.0, train_accuracy=0.0, votes=votes, active=active)
    scaled = table.codes[:, active] / np.sqrt(variances[active])
    learnt = _votes(scaled, groups, rng, count=settings.train_groups, size=settings.group, shape=votes[:, active].shape)
    scored = _votes(scaled, groups, rng, count=settings.test_groups, size=settings.group, shape=learnt.shape)
    named = learnt.argmax(axis=0), np.arange(learnt.shape[1])
    votes[:, active] = learnt
    return FactorVAEScore(
        score=float(scored[named].sum() / scored.sum()),
        train_accuracy=float(learnt[named].sum() / learnt.sum()),
        votes=votes,
        active=active,
    )


def _votes(
    codes: np.ndarray, groups: FactorGroups, rng: np.random.Generator, *, count: int, size: int, shape: tuple[int, ...]
) -> np.ndarray:
    """How often each latent varied least while each factor was fixed, ints, shape `[K, D]`."""
    votes = np.zeros(shape, dtype=np.int64)
    for begin in range(0, count, AT_ONCE):
        fixed = rng.integers(shape[0], size=min(AT_ONCE, count - begin))
        anchors = np.broadcast_to(groups.anchors(fixed, 1, rng), (len(fixed), size))
        least = codes[groups.companions(fixed, anchors, rng)].var(axis=1, ddof=1).argmin(axis=1)
        np.add.at(votes, (fixed, least), 1)
    return votes
