"""Quads: they face the way they should, join without seams and keep their shape when moved."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs.miniworld.surfaces import TILE, Surface, cuboid, merged, quads, solid_of_revolution
from perma_agent.envs.suite.looks import draw_look
from perma_agent.envs.suite.maze import Maze
from perma_agent.envs.suite.objects import object_height, object_surfaces
from perma_agent.envs.suite.plan import Item
from perma_agent.envs.suite.scenery import static_surfaces
from perma_agent.envs.vocabulary import SETTINGS, Setting


def turning(surface: Surface) -> np.ndarray:
    """Normal of each quad by the order of its corners."""
    corners = surface.vertices.reshape(-1, 4, 3)
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    return across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)


def faces_out(surface: Surface) -> bool:
    corners = surface.vertices.reshape(-1, 4, 3)
    wide = np.linalg.norm(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]), axis=1) > 1e-6
    along = (turning(surface) * surface.normals.reshape(-1, 4, 3)[:, 0]).sum(axis=1)[wide]
    return bool((along > 0.5).all())


@pytest.mark.parametrize(
    "surface",
    [
        cuboid(low=(-1, 0, -2), high=(1, 3, 2), colour=(1, 1, 1)),
        cuboid(low=(-1, 0, -2), high=(1, 3, 2), colour=(1, 1, 1), taper=0.5, top=False),
        solid_of_revolution(np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 2.0]]), sides=9, colour=(1, 0, 0)),
    ],
)
def test_corners_turn_anticlockwise_seen_from_outside(surface: Surface) -> None:
    assert faces_out(surface)
    middle = surface.vertices.reshape(-1, 4, 3).mean(axis=1) - surface.vertices.mean(axis=0)
    outward = (middle * surface.normals.reshape(-1, 4, 3)[:, 0]).sum(axis=1)
    assert (outward > 0).all()


def test_given_normals_decide_the_order_of_corners() -> None:
    floor = np.array([[[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]]])
    for up in (1.0, -1.0):
        assert turning(quads(floor, colours=(1, 1, 1), normals=(0, up, 0)))[0, 1] == pytest.approx(up)


def test_textures_are_laid_by_place_so_that_neighbours_join() -> None:
    wall = np.array([[[0, 0, 0], [TILE, 0, 0], [TILE, TILE, 0], [0, TILE, 0]]])
    one = quads(wall, colours=(1, 1, 1), normals=(0, 0, 1))
    two = quads(wall + np.array([TILE, 0, 0]), colours=(1, 1, 1), normals=(0, 0, 1))
    assert one.texcoords.max(axis=0).tolist() == [1.0, 1.0]
    assert two.texcoords.min(axis=0).tolist() == [1.0, 0.0]


def test_moving_turns_scales_and_shifts() -> None:
    moved = cuboid(low=(0, 0, 0), high=(1, 1, 2), colour=(1, 1, 1)).moved(to=(5, 0, 0), turn=np.pi / 2, scale=2.0)
    # a quarter turn to the left takes +x to -z and +z to +x
    assert moved.vertices.min(axis=0) == pytest.approx([5, 0, -2], abs=1e-5)
    assert moved.vertices.max(axis=0) == pytest.approx([9, 2, 0], abs=1e-5)
    assert faces_out(moved)


def test_merging_keeps_every_quad_and_puts_clear_ones_last() -> None:
    item = Item(kind="ball", colour="red", position=(1.0, 2.0))
    parts = object_surfaces(item)
    together = merged(parts + parts)
    assert sum(map(len, together)) == 2 * sum(map(len, parts))
    assert [bool((s.colours[:, 3] < 1).any()) for s in together] == [False, True]


@pytest.mark.parametrize("kind", ["ball", "box", "cone"])
def test_objects_are_as_tall_and_wide_as_the_factors_say(kind: str) -> None:
    item = Item(kind=kind, colour="blue", position=(3.0, -1.0), size=0.8, turn=0.7)
    _, body = object_surfaces(item)
    assert body.vertices[:, 1].max() == pytest.approx(object_height(item), abs=1e-5)
    away = np.hypot(body.vertices[:, 0] - 3.0, body.vertices[:, 2] + 1.0).max()
    assert 0.9 * item.radius <= away <= 1.05 * item.radius


@pytest.mark.parametrize("setting", SETTINGS)
def test_scenery_is_finite_light_and_wholly_in_sight(setting: Setting) -> None:
    plan = Maze().plan(layout=np.random.default_rng(0), placement=np.random.default_rng(1))
    surfaces = static_surfaces(plan, draw_look(np.random.default_rng(0), setting=setting, split="train"))
    assert sum(map(len, surfaces)) < 600  # what keeps a frame under a millisecond
    for surface in surfaces:
        assert np.isfinite(surface.vertices).all() and np.abs(surface.vertices).max() < 100
        assert surface.colours.min() >= 0 and surface.colours.max() <= 1
        assert {array.dtype for array in (surface.vertices, surface.normals, surface.texcoords, surface.colours)} == {
            np.dtype(np.float32)
        }
