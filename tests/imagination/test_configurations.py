"""Configurations: what is replaced by what, and recipes that give the very code again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perma_agent.imagination.configurations import DRAWN, KEPT, KINDS, Configurations, Met, MixConfig, imagine
from perma_agent.imagination.novelty import Novelty, NoveltyConfig

HERE = Met(
    environment=0,
    codes=np.concatenate(
        [np.random.default_rng(1).normal(size=(400, 2)), np.zeros((400, 1))], axis=1
    ).astype(np.float32),
    numbers=np.arange(1_000, 1_400),
)  # fmt: skip
ELSEWHERE = Met(environment=1, codes=np.full((5, 3), 2.0, dtype=np.float32), numbers=np.arange(5))
USED, FREE = np.array([True, True, False]), np.array([False, False, True])


def make(**options: Any) -> Configurations:
    shares = {kind: options.pop(kind, 0.0) for kind in KINDS}
    met = options.pop("met", HERE)
    rng = np.random.default_rng(options.pop("seed", 0))
    found = Novelty(met.codes, spread=np.ones(3), latents=USED, config=NoveltyConfig(), rng=rng)
    return imagine(
        met, [(ELSEWHERE, FREE)], novelty=found, latents=USED, shares=np.array(list(shares.values())), count=200,
        config=MixConfig(**options), rng=rng,
    )  # fmt: skip


def test_what_moved_there_is_imagined_to_move_here() -> None:
    made = make(elsewhere=1.0)
    assert (made.codes[:, 2] == 2.0).all() and (made.sources == 1).all()
    assert (made.replaced == FREE).all()
    bases = HERE.codes[made.bases - 1_000]
    assert (made.codes[:, :2] == bases[:, :2]).all()


def test_a_rim_configuration_replaces_one_latent_in_use() -> None:
    made = make(rim=1.0)
    assert (made.replaced.sum(axis=1) == 1).all() and not made.replaced[:, 2].any()


def test_values_at_the_rim_are_as_likely_as_common_ones() -> None:
    codes = np.zeros((1_000, 3), dtype=np.float32)
    codes[:, 0] = np.random.default_rng(0).uniform(-0.1, 0.1, 1_000)
    codes[:20, 0] = 3.0  # one in fifty
    codes[:, 1] = np.random.default_rng(1).normal(size=1_000)
    made = make(rim=1.0, met=Met(environment=0, codes=codes, numbers=np.arange(1_000)))
    values = made.codes[made.replaced[:, 0], 0]
    assert 0.2 < (values == 3.0).mean() < 0.8


def test_a_whole_configuration_is_one_that_was_met() -> None:
    made = make(whole=1.0)
    assert (made.codes == HERE.codes[made.bases - 1_000]).all()
    assert (made.replaced == USED).all() and (made.donors[:, 0] == made.bases).all()


def test_a_recombined_configuration_has_each_latent_from_its_own_donor() -> None:
    made = make(recombined=1.0)
    assert (made.replaced.sum(axis=1) == 2).all()
    assert (made.donors[:, 0] != made.donors[:, 1]).mean() > 0.9


def test_the_recipe_gives_the_code_again() -> None:
    made = make(rim=1.0, whole=1.0, recombined=1.0)
    again = HERE.codes[made.bases - 1_000].copy()
    rows, latents = np.nonzero(made.replaced)
    again[rows, latents] = HERE.codes[made.donors[rows, latents] - 1_000, latents]
    assert (again == made.codes).all()
    assert set(np.unique(made.donors)) & {KEPT, DRAWN} == {KEPT}


def test_the_same_seed_imagines_the_same() -> None:
    one, other, third = make(rim=1.0, seed=3), make(rim=1.0, seed=3), make(rim=1.0, seed=4)
    assert (one.codes == other.codes).all() and not (one.codes == third.codes).all()


def test_kinds_for_which_there_is_nothing_are_left_out() -> None:
    rng = np.random.default_rng(0)
    found = Novelty(HERE.codes, spread=np.ones(3), latents=USED, config=NoveltyConfig(), rng=rng)
    for shares, count in ((np.array([1.0, 0, 0, 0]), 0), (np.array([1.0, 1, 0, 0]), 7)):
        made = imagine(
            HERE, [], novelty=found, latents=USED, shares=shares, count=7, config=MixConfig(), rng=rng
        )  # fmt: skip
        assert len(made) == count and (made.kinds == KINDS.index("rim")).all()


def test_a_mix_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="shares >= 0 and one above"):
        MixConfig(elsewhere=0, rim=0, whole=0, recombined=0)
