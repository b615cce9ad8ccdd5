"""The only file that touches MiniWorld, pyglet and OpenGL: no display needed, and put right what they get wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from perma_agent.envs.looks import Look, View
from perma_agent.envs.objects import gate_surfaces, object_surfaces
from perma_agent.envs.plan import FORWARD_STEP, TURN_STEP, Plan
from perma_agent.envs.scenery import FOG_END, FOG_START, static_surfaces
from perma_agent.envs.surfaces import Surface, merged
from perma_agent.errors import LevelError

os.environ.setdefault("LP_NUM_THREADS", "0")  # Mesa's software renderer: threads cost more than 64×64 pixels earn
try:
    import pyglet

    pyglet.options["headless"] = True  # before pyglet.gl: no display, no screen server
    from miniworld import miniworld as base
    from miniworld import opengl
    from pyglet import gl
except Exception as error:  # pyglet raises ImportError, OSError and own kinds, by what is missing
    raise LevelError(
        f"expected a working OpenGL and EGL for MiniWorld, got {type(error).__name__}: {error}; install the Debian "
        "packages libgl1 libegl1 libglu1-mesa libfreetype6 (`apt-get install`), then try `perma-agent doctor`"
    ) from error

opengl.print = lambda *_: None  # it announces every fallback on standard output
opengl.GL_RGBA32F = gl.GL_RGBA8  # 16 bytes a sample become 4: the same picture to a grey level, a third faster
opengl.GL_DEPTH_COMPONENT16 = gl.GL_DEPTH_COMPONENT24  # far walls no longer flicker through nearer ones

VIEW_SIZE = 512
"""Pixels along each side of what people see: `render()` and the view from above."""


def renderer() -> str:
    """Name and version of the OpenGL in use."""
    info = gl.gl_info
    return f"{info.get_renderer()}, OpenGL {info.get_version()}"


class RepairedMiniWorld(base.MiniWorldEnv):  # type: ignore[misc]  # MiniWorld carries no types
    """MiniWorld's base class, put right; keeps no state before the first reset, so that any level can inherit it.

    MiniWorld compiles every level into display list 1, which all levels of a process share: the last one reset would be
    seen in all of them. It draws into whatever context is current, and `close` frees nothing.
    """

    _lists: tuple[int, int] | None = None
    _view_fb: Any = None
    _closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As MiniWorld's, in this level's own context."""
        self.shadow_window.switch_to()
        observation, info = super().reset(seed=seed, options=options)
        return observation, info

    def _render_static(self) -> None:
        self.shadow_window.switch_to()
        if self._lists is None:
            first = gl.glGenLists(2)
            self._lists = (first, first + 1)
        gl.glNewList(self._lists[0], gl.GL_COMPILE)
        self._draw_static()
        gl.glEndList()

    def _draw_static(self) -> None:
        # MiniWorld writes `light_pos + [1]` on an array: the light comes from afar, not from that point. Kept.
        _set_light(self.light_pos + 1, ambient=self.light_ambient, diffuse=self.light_color)
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
        frame: np.ndarray = frame_buffer.resolve()
        return frame

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
        draw = self.render_top_view if above else self.render_obs
        picture: np.ndarray = draw(self._view_fb)
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
                _free(frame_buffer)
        surface = self.shadow_window._egl_surface if hasattr(self.shadow_window, "_egl_surface") else None
        display = getattr(self.shadow_window, "_egl_display_connection", None)
        self.shadow_window.close()
        if surface is not None:
            from pyglet.libs.egl import egl  # exists only where pyglet runs without a display

            egl.eglDestroySurface(display, surface)


class World(RepairedMiniWorld):
    """A plan made visible: MiniWorld's agent, camera and collisions in our scenery."""

    def __init__(self, *, size: int) -> None:
        """Open a context of its own with pictures of `size` × `size` pixels; empty until `build`."""
        self._plan = Plan(half_extent=(1.0, 1.0), blocks=(), items=(), start=(0.0, 0.0, 0.0))
        self._look: Look | None = None
        self._surfaces: list[Surface] = []
        self._camera = View()
        self._present = np.zeros(0, dtype=bool)
        self._gates_closed = True
        super().__init__(obs_width=size, obs_height=size, window_width=1, window_height=1, max_episode_steps=10**9)

    def build(self, plan: Plan, look: Look, view: View) -> np.ndarray:
        """Begin an episode in a new map and return its first frame, uint8, shape `[size, size, 3]`."""
        self._plan, self._look, self._camera = plan, look, view
        self._present, self._gates_closed = np.ones(len(plan.items), dtype=bool), True
        self._surfaces = static_surfaces(plan, look)
        self.params = base.DEFAULT_PARAMS.no_random()
        self.params.set("sky_color", [view.light * part for part in look.horizon])
        for name, value in (
            ("cam_height", view.camera_height),
            ("cam_pitch", view.camera_pitch),
            ("cam_fov_y", view.camera_fov),
            ("forward_step", FORWARD_STEP),
            ("turn_step", TURN_STEP),
        ):
            self.params.set(name, value)
        frame: np.ndarray = self.reset()[0]
        return frame

    def change(self, *, present: np.ndarray, gates_closed: bool) -> None:
        """Keep only these items and gates from now on."""
        self._present, self._gates_closed = present, gates_closed
        self._gen_static_data()
        self.shadow_window.switch_to()
        self._compile_movable()

    def turn(self, steps: int) -> None:
        """Turn left by so many steps of `TURN_STEP` degrees; right when negative."""
        self.turn_agent(steps * TURN_STEP)

    def move(self, steps: int) -> None:
        """Go ahead by so many steps of `FORWARD_STEP` metres (back when negative), sliding along what is in the way."""
        distance = steps * FORWARD_STEP
        if self.move_agent(distance, 0.0):
            return
        shift = self.agent.dir_vec * distance
        for axis in (0, 2):
            target = self.agent.pos.copy()
            target[axis] += shift[axis]
            if not self.intersect(self.agent, target, self.agent.radius):
                self.agent.pos = target

    def intersect(self, ent: Any, pos: np.ndarray, radius: float) -> Any:
        """Only walls stop the agent: objects are touched, not pushed."""
        return base.intersect_circle_segs(pos, radius, self.wall_segs)

    def _gen_world(self) -> None:
        (x, z), (start_x, start_z, heading) = self._plan.half_extent, self._plan.start
        self.add_rect_room(min_x=-x, max_x=x, min_z=-z, max_z=z)
        self.place_agent(pos=np.array([start_x, 0.0, start_z]), dir=heading)

    def _gen_static_data(self) -> None:
        self.wall_segs = np.insert(self._plan.segments(gates=self._gates_closed), 1, 0.0, axis=2)

    def _draw_static(self) -> None:
        if self._look is None:
            return
        outdoor, light = self._look.setting == "outdoor", self._camera.light
        height = 1.3 if outdoor else 2.2
        _set_light(
            (np.cos(self._camera.sun), height, np.sin(self._camera.sun)),
            ambient=np.full(3, light * (0.55 if outdoor else 0.65)),
            diffuse=np.array([1.0, 0.97, 0.9]) * light * (0.6 if outdoor else 0.45),
        )
        if outdoor:
            gl.glFogi(gl.GL_FOG_MODE, gl.GL_LINEAR)
            gl.glFogf(gl.GL_FOG_START, FOG_START)
            gl.glFogf(gl.GL_FOG_END, FOG_END)
            gl.glFogfv(gl.GL_FOG_COLOR, (gl.GLfloat * 4)(*self.sky_color, 1.0))
        _draw(self._surfaces, light=light, fog=outdoor)

    def _render_static(self) -> None:
        _load_textures(self._surfaces)
        super()._render_static()
        self._compile_movable()

    def _compile_movable(self) -> None:
        if self._look is None or self._lists is None:
            return
        look, gates = self._look, [b for b in self._plan.blocks if b.kind == "gate" and self._gates_closed]
        items = [item for item, there in zip(self._plan.items, self._present, strict=True) if there]
        parts = [part for item in items for part in object_surfaces(item)]
        parts += [part for gate in gates for part in gate_surfaces(gate, look)]
        _load_textures(parts)
        gl.glNewList(self._lists[1], gl.GL_COMPILE)
        _draw(merged(parts), light=self._camera.light, fog=look.setting == "outdoor")
        gl.glEndList()

    def _draw_movable(self) -> None:
        assert self._lists is not None
        gl.glCallList(self._lists[1])


def _set_light(towards: Iterable[float], *, ambient: np.ndarray, diffuse: np.ndarray) -> None:
    """One light from infinitely far; colours are multiplied with those of the surfaces."""
    for name, values in (
        (gl.GL_POSITION, [*towards, 0]),
        (gl.GL_AMBIENT, [*ambient, 0]),
        (gl.GL_DIFFUSE, [*diffuse, 0]),
    ):
        gl.glLightfv(gl.GL_LIGHT0, name, (gl.GLfloat * 4)(*values))
    gl.glEnable(gl.GL_LIGHTING)
    gl.glEnable(gl.GL_LIGHT0)
    gl.glShadeModel(gl.GL_SMOOTH)
    gl.glEnable(gl.GL_COLOR_MATERIAL)
    gl.glColorMaterial(gl.GL_FRONT_AND_BACK, gl.GL_AMBIENT_AND_DIFFUSE)


def _draw(surfaces: Iterable[Surface], *, light: float, fog: bool) -> None:
    """Send surfaces to OpenGL, from plain arrays; inside glNewList they are copied into the list."""
    gl.glBindBuffer(gl.GL_ARRAY_BUFFER, 0)
    gl.glPushClientAttrib(gl.GL_CLIENT_VERTEX_ARRAY_BIT)
    for surface in surfaces:
        shown = surface if surface.lit else surface.dimmed(light)
        _switch(gl.GL_LIGHTING, on=shown.lit)
        _switch(gl.GL_FOG, on=shown.lit and fog)
        _switch(gl.GL_TEXTURE_2D, on=shown.texture is not None)
        _switch(gl.GL_BLEND, on=bool((shown.colours[:, 3] < 1).any()))
        gl.glBlendFunc(gl.GL_SRC_ALPHA, gl.GL_ONE_MINUS_SRC_ALPHA)
        if shown.texture is not None:
            _texture(shown.texture).bind()
        for state, pointer, size, values in (
            (gl.GL_VERTEX_ARRAY, gl.glVertexPointer, 3, shown.vertices),
            (gl.GL_TEXTURE_COORD_ARRAY, gl.glTexCoordPointer, 2, shown.texcoords),
            (gl.GL_COLOR_ARRAY, gl.glColorPointer, 4, shown.colours),
            (gl.GL_NORMAL_ARRAY, gl.glNormalPointer, 0, shown.normals),
        ):
            gl.glEnableClientState(state)
            address = np.ascontiguousarray(values).ctypes.data
            pointer(*((size,) if size else ()), gl.GL_FLOAT, 0, address)
        gl.glDrawArrays(gl.GL_QUADS, 0, len(shown.vertices))
    gl.glPopClientAttrib()
    _switch(gl.GL_BLEND, on=False)
    _switch(gl.GL_FOG, on=False)


def _switch(option: int, *, on: bool) -> None:
    (gl.glEnable if on else gl.glDisable)(option)


def _texture(name: str) -> Any:
    """One of MiniWorld's textures by file name, loaded once per process (contexts share them)."""
    path = opengl.get_file_path("textures", name, "png")
    if path not in opengl.Texture.tex_cache:
        opengl.Texture.tex_cache[path] = opengl.Texture(opengl.Texture.load(path), name)
    return opengl.Texture.tex_cache[path]


def _load_textures(surfaces: Iterable[Surface]) -> None:
    """Before a display list begins: within one, the loading itself would be recorded and replayed at every frame."""
    for surface in surfaces:
        if surface.texture is not None:
            _texture(surface.texture)


def _free(frame_buffer: Any) -> None:
    """Delete a frame buffer with its attachments, which MiniWorld does not remember but OpenGL does."""
    for handle in (frame_buffer.multi_fbo, frame_buffer.final_fbo):
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, handle)
        for attachment, delete in (
            (gl.GL_COLOR_ATTACHMENT0, gl.glDeleteTextures),
            (gl.GL_DEPTH_ATTACHMENT, gl.glDeleteRenderbuffers),
        ):
            name = gl.GLint()
            gl.glGetFramebufferAttachmentParameteriv(
                gl.GL_FRAMEBUFFER, attachment, gl.GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME, name
            )
            delete(1, gl.GLuint(name.value))
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, 0)
        gl.glDeleteFramebuffers(1, handle)
