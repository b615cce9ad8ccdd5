"""Homology: does a latent mean the same in two environments that share factors?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np

from perma_agent.evaluation.disentanglement.tables import Continuous, Table, checked_table
from perma_agent.evaluation.homology_places import NOT_CARRIED, HomologyConfig, Place, see_place

__all__ = ["NOT_CARRIED", "Homology", "HomologyConfig", "Transfer", "homology"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Transfer:
    """What was learnt of K factors in one environment, tried in another."""

    source: str
    """A, where it was learnt."""
    target: str
    """B, where it was tried."""
    same_latent: np.ndarray
    """Whether the factor's latent in A is its latent in B too, bool, shape `[K]`; false where either has none."""
    similarity: np.ndarray
    """Cosine of the factor's importances over latents in A and in B, in [0, 1], shape `[K]`; 0 where either has none.
    It does not see a latent that is turned round."""
    sign: np.ndarray
    """Of the latent in A: 1 where it grows with the factor in both or in neither, -1 where the two differ (turned
    round), 0 where it cannot be told: not carried, no order, or no trend. Shape `[K]`."""
    latent_reading: np.ndarray
    """How well the factor is read in B off A's latent alone, by a reader of A, relative to `latent_ceiling`; in [0, 1],
    shape `[K]`; 0 where A or B does not carry it."""
    code_reading: np.ndarray
    """The same off the whole code, relative to `code_ceiling`; in [0, 1], shape `[K]`; 0 where B's ceiling is not above
    `informative_above`."""
    latent_skill: np.ndarray
    """What `latent_reading` was before: R², or for names (accuracy - chance) / (1 - chance); at most 1, below 0 where
    the mean (the most frequent name) of B would be the better guess; NaN where A does not carry it; shape `[K]`."""
    code_skill: np.ndarray
    """The same of the whole code, shape `[K]`."""
    latent_ceiling: np.ndarray
    """Skill of B's own reader off B's own latent, shape `[K]`; NaN where B does not carry it."""
    code_ceiling: np.ndarray
    """Skill of B's own reader off the whole code, shape `[K]`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Homology:
    """How far latents mean the same in E environments."""

    score: float
    """Mean of `per_factor`, in [0, 1]; 1 where every factor has one latent that is read alike everywhere; no unit."""
    per_factor: np.ndarray
    """Mean of `latent_reading` over all ordered pairs of environments, shape `[K]`."""
    code_reading: float
    """Mean of `code_reading` over factors and pairs, in [0, 1]: what is shared if latents need not be told apart."""
    same_latent: float
    """Share of factors and pairs whose latent is the same and not turned round, in [0, 1]."""
    environments: tuple[str, ...]
    """Their names."""
    latents: np.ndarray
    """Latent that tells most of each factor in each environment, ints, `[E, K]`; `NOT_CARRIED` where none does."""
    importance: np.ndarray
    """Share of factor k's entropy that latent d tells in environment e, beyond chance; in [0, 1], shape `[E, D, K]`."""
    transfers: tuple[Transfer, ...]
    """Of all ordered pairs of environments."""


def homology(
    codes: Mapping[str, np.ndarray],
    factors: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    *,
    masks: Mapping[str, np.ndarray] | None = None,
    continuous: Continuous = False,
    held_out: Mapping[str, np.ndarray] | None = None,
    config: HomologyConfig | None = None,
) -> Homology:
    """Find each factor's latent in one environment, and see whether it tells the factor in another.

        r^e_dk = ( I(z_d; v_k) - I of shuffled rows ) / H(v_k) in environment e,   d^e_k = argmax_d r^e_dk
        homology_k = mean over A ≠ B of  clip( skill(f_A(z_{d^A_k}) in B) / skill(f_B(z_{d^B_k}) in B), 0, 1 )

    f_e reads factor k off one latent and is fitted in e; skill is R², or accuracy above the most frequent name, on rows
    held out. So another latent, one turned round, one on another scale and one that is masked all count as none, and a
    factor that either environment does not carry counts 0. Factors must have the same units everywhere. Rows that
    follow each other in time are alike: hold out whole trajectories with `held_out`, or ceilings come out too high.

    Args:
        codes: environment → posterior means, shape `[N_e, D]`; two environments or more.
        factors: environment → factors that all of them share, shape `[N_e, K]`, the same columns everywhere.
        rng: source of splits, shuffles and seeds; the same seed gives the same figures.
        masks: environment → latent mask a^s, shape `[D]`; masked latents are 0, as a policy sees them.
        continuous: which factors are, one bool or K; the values of the others are names.
        held_out: environment → rows to test on, bool, shape `[N_e]`; None draws a third of each.
        config: how to measure.

    Raises:
        ValueError: fewer than two environments, other names or numbers of columns, or what `checked_table` refuses.

    Reference:
        VASE (Achille et al. 2018), section 4, shows "cross-domain latent homologies" as pictures; the numbers are ours.
    """
    config = config or HomologyConfig()
    _check_names(codes, {"factors": factors, "masks": masks, "held_out": held_out})
    tables = {name: _table(name, codes, factors, continuous=continuous, masks=masks) for name in codes}
    _check_columns(tables)
    places = {
        name: _named(name, see_place)(table, own, held_out=None if held_out is None else held_out[name], config=config)
        for (name, table), own in zip(tables.items(), rng.spawn(len(tables)), strict=True)
    }
    transfers = tuple(_transfer(a, b, places, config) for a, b in itertools.permutations(places, 2))
    per_factor = np.mean([each.latent_reading for each in transfers], axis=0)
    return Homology(
        score=float(per_factor.mean()),
        per_factor=per_factor,
        code_reading=float(np.mean([each.code_reading for each in transfers])),
        same_latent=float(np.mean([each.same_latent & (each.sign >= 0) for each in transfers])),
        environments=tuple(places),
        latents=np.stack([place.latents for place in places.values()]),
        importance=np.stack([place.importance for place in places.values()]),
        transfers=transfers,
    )


def _transfer(source: str, target: str, places: Mapping[str, Place], config: HomologyConfig) -> Transfer:
    a, b = places[source], places[target]
    factors = range(len(a.latents))
    carried = (a.latents != NOT_CARRIED) & (b.latents != NOT_CARRIED)
    lengths = np.linalg.norm(a.importance, axis=0) * np.linalg.norm(b.importance, axis=0)
    products = (a.importance * b.importance).sum(axis=0)
    latent_skill = np.array([b.latent_skill(k, a) for k in factors])
    latent_ceiling = np.array([b.latent_skill(k, b) for k in factors])
    code_skill = np.array([b.code_skill(k, a) for k in factors])
    code_ceiling = np.array([b.code_skill(k, b) for k in factors])
    return Transfer(
        source=source,
        target=target,
        same_latent=carried & (a.latents == b.latents),
        similarity=np.where(carried, np.clip(products / np.where(lengths > 0, lengths, 1.0), 0, 1), 0.0),
        sign=np.array([_sign(k, a, b, above=config.sign_above) for k in factors]),
        latent_reading=_relative(latent_skill, latent_ceiling, least=config.settings.informative_above),
        code_reading=_relative(code_skill, code_ceiling, least=config.settings.informative_above),
        latent_skill=latent_skill,
        code_skill=code_skill,
        latent_ceiling=latent_ceiling,
        code_ceiling=code_ceiling,
    )


def _relative(skill: np.ndarray, ceiling: np.ndarray, *, least: float) -> np.ndarray:
    """Skill as a share of the ceiling, in [0, 1]; 0 where there is no skill, or a ceiling too low to divide by."""
    told = np.isfinite(skill) & (np.nan_to_num(ceiling, nan=0.0) > least)
    shares: np.ndarray = np.clip(np.where(told, skill, 0.0) / np.where(told, ceiling, 1.0), 0, 1)
    return shares


def _sign(k: int, a: Place, b: Place, *, above: float) -> int:
    """Whether A's latent of factor k grows with it in both environments alike: 1, -1 or, not to be told, 0."""
    latent = int(a.latents[k])
    if latent == NOT_CARRIED or not a.table.continuous[k]:
        return 0
    trends = a.trend(k, latent), b.trend(k, latent)
    return int(np.sign(trends[0] * trends[1])) if min(map(abs, trends)) > above else 0


def _table(
    name: str,
    codes: Mapping[str, np.ndarray],
    factors: Mapping[str, np.ndarray],
    *,
    continuous: Continuous,
    masks: Mapping[str, np.ndarray] | None,
) -> Table:
    """Codes, masked, beside factors, or the sentence that says what is wrong with them, and where."""
    table = _named(name, checked_table)(codes[name], factors[name], continuous)
    if masks is None:
        return table
    mask = np.asarray(masks[name])
    if mask.shape != table.codes.shape[1:] or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"in environment {name!r}: expected a mask of 0 and 1 of shape [{table.codes.shape[1]}], "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return Table(codes=table.codes * mask, factors=table.factors, continuous=table.continuous)


def _named(name: str, function: Callable[P, T]) -> Callable[P, T]:
    """The function, with the environment's name before what it complains of."""

    def call(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            return function(*arguments, **options)
        except ValueError as error:
            raise ValueError(f"in environment {name!r}: {error}") from error

    return call


def _check_names(codes: Mapping[str, np.ndarray], others: Mapping[str, Mapping[str, np.ndarray] | None]) -> None:
    if len(codes) < 2:
        raise ValueError(f"expected codes of at least two environments, got {len(codes)}")
    for what, mapping in others.items():
        if mapping is not None and set(mapping) != set(codes):
            raise ValueError(f"expected {what} of the environments {sorted(codes)}, got {sorted(mapping)}")


def _check_columns(tables: Mapping[str, Table]) -> None:
    shapes = {name: (table.codes.shape[1], table.factors.shape[1]) for name, table in tables.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"expected as many latents and factors everywhere, got {shapes}; bring the shared factors")
