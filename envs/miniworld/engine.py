"""MiniWorld's engine: any of its levels, put right, and what stands in it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.envs.factors import Surroundings
from perma_agent.envs.miniworld.opengl import check, close_window, free, read, set_light
from perma_agent.envs.miniworld.opengl import renderer as renderer  # for those who ask the engine what draws
from perma_agent.envs.sight import Bodies, Eye
from perma_agent.envs.vocabulary import COLOURS, KINDS
from perma_agent.errors import LevelError

# isort: split
# MiniWorld comes last: our opengl has told pyglet that there is no display
from miniworld import entity as kinds
from miniworld import envs as levels
from miniworld import miniworld as base
from miniworld import objmesh, opengl
from pyglet import gl

opengl.print = lambda *_: None  # it announces every fallback on standard output
opengl.GL_RGBA32F = gl.GL_RGBA8  # 16 bytes a sample become 4: the same picture to a grey level, a third faster
opengl.GL_DEPTH_COMPONENT16 = gl.GL_DEPTH_COMPONENT24  # far walls no longer flicker through nearer ones

VIEW_SIZE = 512
"""Pixels along each side of what people see: `render()` and the view from above."""
TEXTURES = Path(opengl.__file__).parent / "textures"
"""MiniWorld's pictures of brick, grass, wood and the like."""


class RepairedMiniWorld(base.MiniWorldEnv):  # type: ignore[misc]  # MiniWorld carries no types
    """MiniWorld's base class, put right; keeps no state before the first reset, so that any level can inherit it.

    MiniWorld compiles every level into display list 1, which all levels of a process share: the last one reset would be
    seen in all of them. It draws into whatever context is current, and `close` frees nothing.
    """

    _lists: tuple[int, int] | None = None
    _view_fb: Any = None
    _closed = False
    _with_depth = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As MiniWorld's, in this level's own context."""
        self.shadow_window.switch_to()
        observation, info = super().reset(seed=seed, options=options)
        return observation, info

    def _render_static(self) -> None:
        if self._lists is None:
            first = gl.glGenLists(2)
            self._lists = (first, first + 1)
        gl.glNewList(self._lists[0], gl.GL_COMPILE)
        self._draw_static()
        gl.glEndList()
        check()

    def _draw_static(self) -> None:
        # MiniWorld writes `light_pos + [1]` on an array: the light comes from afar, not from that point. Kept.
        set_light(self.light_pos + 1, ambient=self.light_ambient, diffuse=self.light_color)
        gl.glEnable(gl.GL_TEXTURE_2D)
        for room in self.rooms:
            room._render()
        for entity in self.entities:
            if entity.is_static:
                entity.render()

    def _render_world(self, frame_buffer: Any, render_agent: bool) -> np.ndarray:
        assert self._lists is not None
        gl.glCallList(self._lists[0])
        self._draw_movable()
        if render_agent:
            gl.glDisable(gl.GL_TEXTURE_2D)
            self.agent.render()
        return read(frame_buffer, depth=self._with_depth)

    def render_depth(self, frame_buffer: Any = None) -> np.ndarray:
        """As MiniWorld's: distances in metres, shape `[H, W, 1]`."""
        self._with_depth = True
        try:
            return np.asarray(super().render_depth(frame_buffer))
        finally:
            self._with_depth = False

    def _draw_movable(self) -> None:
        for entity in self.entities:
            if not entity.is_static and entity is not self.agent:
                entity.render()

    def picture(self, *, above: bool) -> np.ndarray:
        """A larger picture for people, uint8, shape `[VIEW_SIZE, VIEW_SIZE, 3]`.

        Args:
            above: the whole map from above instead of what the agent sees.
        """
        self.shadow_window.switch_to()
        if self._view_fb is None:
            self._view_fb = opengl.FrameBuffer(VIEW_SIZE, VIEW_SIZE, 4)
        picture: np.ndarray = (self.render_top_view if above else self.render_obs)(self._view_fb)
        return picture

    def close(self) -> None:
        """Free the display lists, frame buffers and context; the textures are shared and stay for other levels."""
        if self._closed:
            return
        self._closed = True
        self.shadow_window.switch_to()
        if self._lists is not None:
            gl.glDeleteLists(self._lists[0], 2)
        for frame_buffer in (self.obs_fb, self.vis_fb, self._view_fb):
            if frame_buffer is not None:
                free(frame_buffer)
        close_window(self.shadow_window)


def open_level(name: str, *, size: int, arguments: Mapping[str, Any]) -> Any:
    """One of MiniWorld's own levels, put right.

    Args:
        name: its class in `miniworld.envs`.
        size: pixels along each side of its frames.
        arguments: of that class.

    Raises:
        LevelError: when the class refuses an argument.
    """
    original = getattr(levels, name)
    repaired = type(name, (original, RepairedMiniWorld), {})
    try:
        return repaired(obs_width=size, obs_height=size, window_width=1, window_height=1, **arguments)
    except (TypeError, ValueError, AssertionError) as error:
        valid = sorted({*inspect.signature(original).parameters, "domain_rand", "params"} - {"kwargs"})
        raise LevelError(
            f"expected arguments that MiniWorld's {name} takes ({', '.join(valid)}), got {dict(arguments)}: {error}"
        ) from error


def eye_of(world: Any) -> Eye:
    """The camera of any level."""
    agent = world.agent
    return Eye(
        position=np.array([agent.pos[0], agent.pos[2]]),
        heading=float(agent.dir),
        height=float(agent.cam_height),
        pitch=float(agent.cam_pitch),
        field_of_view=float(agent.cam_fov_y),
    )


def objects_of(world: Any) -> list[Any]:
    """All entities of any level but the agent, in the order they were made."""
    return [entity for entity in world.entities if entity is not world.agent]


def surroundings_of(world: Any, slots: Mapping[Any, int]) -> Surroundings:
    """Walls and objects of any level as they are now; only the objects that have a slot."""
    shown = [entity for entity in objects_of(world) if entity in slots]
    on_wall = [isinstance(entity, kinds.ImageFrame | kinds.TextFrame) for entity in shown]
    lift = [entity.pos[1] - entity.height / 2 * hung for entity, hung in zip(shown, on_wall, strict=True)]
    named = [_name(entity) for entity in shown]
    return Surroundings(
        bodies=Bodies(
            positions=np.array([(entity.pos[0], entity.pos[2]) for entity in shown]).reshape(-1, 2),
            radii=np.array([0.3 if hung else entity.radius for entity, hung in zip(shown, on_wall, strict=True)]),
            bottoms=np.array(lift),
            tops=np.array([low + entity.height for low, entity in zip(lift, shown, strict=True)]),
        ),
        slots=tuple(slots[entity] for entity in shown),
        kinds=tuple(kind for kind, _ in named),
        colours=tuple(colour for _, colour in named),
        segments=np.asarray(world.wall_segs)[:, :, [0, 2]],
    )


def _name(entity: Any) -> tuple[str, str]:
    """Kind and colour of an entity, among `KINDS` and `COLOURS`."""
    if isinstance(entity, kinds.Box):
        return "box", entity.color
    if isinstance(entity, kinds.ImageFrame | kinds.TextFrame):
        return ("picture" if isinstance(entity, kinds.ImageFrame) else "text"), "none"
    if isinstance(entity, kinds.MeshEnt):
        files = (path for path, mesh in objmesh.ObjMesh.cache.items() if mesh is entity.mesh)
        kind, _, colour = Path(next(files, "other")).stem.partition("_")
        known = kind if kind in KINDS else "scenery" if entity.is_static else "other"
        return known, colour if colour in COLOURS else "none"
    return "other", "none"
