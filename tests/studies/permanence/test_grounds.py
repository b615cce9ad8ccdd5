"""Grounds: pairs to learn from, and frames to measure on between which one factor moves alone."""

from __future__ import annotations

import numpy as np

from perma_agent.data.sprites import SpriteWorld
from perma_agent.studies.permanence.grounds import Sprites


def test_sprites_are_learnt_from_in_the_pairs_of_their_world(tmp_path):
    ground = Sprites(rate=2.0)
    drawn = ground.source(0, tmp_path).draw(8, rng=np.random.default_rng(3))
    world = SpriteWorld(canvas=32).pairs(8, np.random.default_rng(3), transition="laplace", rate=2.0).pairs
    np.testing.assert_array_equal(drawn.frames, world.frames)
    np.testing.assert_array_equal(drawn.earlier, world.earlier)


def test_sprites_to_measure_on_show_their_factors(tmp_path):
    test, world = Sprites(rows=50).test(0, tmp_path), SpriteWorld(canvas=32)
    assert len(test.frames) == len(test.factors) == 50 and test.names == world.factor_names
    np.testing.assert_array_equal(test.frames, world.render(test.factors))
    assert set(test.moved) == set(test.names)


def test_pairs_in_which_a_factor_moves_alone_differ(tmp_path):
    for name, pairs in Sprites(rows=10).test(0, tmp_path).moved.items():
        same = (pairs.frames == pairs.earlier).reshape(len(pairs), -1).all(axis=1)
        assert same.mean() < 0.2, name  # a turn of a symmetric shape may show the same frame
