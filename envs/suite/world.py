"""World: a plan made visible by MiniWorld's engine, in scenery of our own."""

from __future__ import annotations

import numpy as np

from perma_agent.envs.miniworld.engine import TEXTURES, RepairedMiniWorld
from perma_agent.envs.miniworld.opengl import draw, load_textures, set_fog, set_light
from perma_agent.envs.miniworld.surfaces import Surface, merged
from perma_agent.envs.suite.looks import Look, View
from perma_agent.envs.suite.motion import slide
from perma_agent.envs.suite.objects import gate_surfaces, object_surfaces
from perma_agent.envs.suite.plan import FORWARD_STEP, TURN_STEP, Plan
from perma_agent.envs.suite.scenery import FOG_END, FOG_START, static_surfaces

# isort: split
# MiniWorld comes last: our opengl has told pyglet that there is no display
from miniworld import miniworld as base
from pyglet import gl


class World(RepairedMiniWorld):
    """A plan made visible: MiniWorld's agent and camera in our scenery."""

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
        shift = self.agent.dir_vec[[0, 2]] * steps * FORWARD_STEP
        x, z = slide(self.agent.pos[[0, 2]], shift, segments=self.wall_segs[:, :, [0, 2]], radius=self.agent.radius)
        self.agent.pos = np.array([x, 0.0, z])

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
        set_light(
            (np.cos(self._camera.sun), height, np.sin(self._camera.sun)),
            ambient=np.full(3, light * (0.55 if outdoor else 0.65)),
            diffuse=np.array([1.0, 0.97, 0.9]) * light * (0.6 if outdoor else 0.45),
        )
        if outdoor:
            set_fog(self.sky_color, start=FOG_START, end=FOG_END)
        draw(self._surfaces, textures=TEXTURES, light=light, fog=outdoor)

    def _render_static(self) -> None:
        load_textures(self._surfaces, textures=TEXTURES)
        super()._render_static()
        self._compile_movable()

    def _compile_movable(self) -> None:
        if self._look is None or self._lists is None:
            return
        look, gates = self._look, [b for b in self._plan.blocks if b.kind == "gate" and self._gates_closed]
        items = [item for item, there in zip(self._plan.items, self._present, strict=True) if there]
        parts = [part for item in items for part in object_surfaces(item)]
        parts += [part for gate in gates for part in gate_surfaces(gate, look)]
        load_textures(parts, textures=TEXTURES)
        gl.glNewList(self._lists[1], gl.GL_COMPILE)
        draw(merged(parts), textures=TEXTURES, light=self._camera.light, fog=look.setting == "outdoor")
        gl.glEndList()

    def _draw_movable(self) -> None:
        assert self._lists is not None
        gl.glCallList(self._lists[1])
