"""OpenGL through pyglet, with no display: starts it, says what is missing, draws plain surfaces."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.envs.catalogue import WHAT_TO_INSTALL
from perma_agent.envs.miniworld.surfaces import Surface
from perma_agent.errors import LevelError

os.environ.setdefault("LP_NUM_THREADS", "0")  # Mesa's software renderer: threads cost more than 64×64 pixels earn
try:
    import cv2
    import pyglet

    pyglet.options["headless"] = True  # before pyglet.gl: no display, no screen server
    pyglet.options["debug_gl"] = False  # it would ask for errors after every call; `check` asks once per episode
    import pyglet.gl as gl
    import pyglet.window  # opens the one of which all others share textures
except Exception as error:  # pyglet raises ImportError, OSError and kinds of its own, by what is missing
    raise LevelError(
        f"expected a working OpenGL with EGL, got {type(error).__name__}: {error}; {WHAT_TO_INSTALL}"
    ) from error

TEXTURE_SIZE = 256
"""Pixels along each side of a texture, which covers `surfaces.TILE` metres."""


def renderer() -> str:
    """Name and version of the OpenGL in use."""
    info = gl.gl_info
    return f"{info.get_renderer()}, OpenGL {info.get_version()}"


def set_light(towards: Iterable[float], *, ambient: np.ndarray, diffuse: np.ndarray) -> None:
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


def set_fog(colour: Iterable[float], *, start: float, end: float) -> None:
    """Fade what `draw` draws with fog into a colour, from `start` to `end` metres away."""
    gl.glFogi(gl.GL_FOG_MODE, gl.GL_LINEAR)
    gl.glFogf(gl.GL_FOG_START, start)
    gl.glFogf(gl.GL_FOG_END, end)
    gl.glFogfv(gl.GL_FOG_COLOR, (gl.GLfloat * 4)(*colour, 1.0))


def check() -> None:
    """Raise LevelError if OpenGL has met an error since it was last asked."""
    if code := gl.glGetError():
        raise LevelError(f"expected OpenGL to draw the level, got its error 0x{code:04x} from {renderer()}")


def draw(surfaces: Iterable[Surface], *, textures: Path, light: float, fog: bool) -> None:
    """Send surfaces to OpenGL, from plain arrays; within a display list they are copied into it.

    Args:
        surfaces: in the order they are drawn.
        textures: folder of the textures, all loaded already (`load_textures`).
        light: brightness of what shines by itself.
        fog: whether the lit ones fade into fog.
    """
    gl.glBindBuffer(gl.GL_ARRAY_BUFFER, 0)
    gl.glPushClientAttrib(gl.GL_CLIENT_VERTEX_ARRAY_BIT)
    arrays = []  # kept until OpenGL has copied them
    for surface in surfaces:
        shown = surface if surface.lit else surface.dimmed(light)
        _switch(gl.GL_LIGHTING, on=shown.lit)
        _switch(gl.GL_FOG, on=shown.lit and fog)
        _switch(gl.GL_TEXTURE_2D, on=shown.texture is not None)
        _switch(gl.GL_BLEND, on=bool((shown.colours[:, 3] < 1).any()))
        gl.glBlendFunc(gl.GL_SRC_ALPHA, gl.GL_ONE_MINUS_SRC_ALPHA)
        if shown.texture is not None:
            gl.glBindTexture(gl.GL_TEXTURE_2D, _texture(textures / f"{shown.texture}.png"))
        for state, pointer, size, values in (
            (gl.GL_VERTEX_ARRAY, gl.glVertexPointer, 3, shown.vertices),
            (gl.GL_TEXTURE_COORD_ARRAY, gl.glTexCoordPointer, 2, shown.texcoords),
            (gl.GL_COLOR_ARRAY, gl.glColorPointer, 4, shown.colours),
            (gl.GL_NORMAL_ARRAY, gl.glNormalPointer, 0, shown.normals),
        ):
            gl.glEnableClientState(state)
            arrays.append(np.ascontiguousarray(values, dtype=np.float32))
            pointer(*((size,) if size else ()), gl.GL_FLOAT, 0, arrays[-1].ctypes.data)
        gl.glDrawArrays(gl.GL_QUADS, 0, len(shown.vertices))
    gl.glPopClientAttrib()
    _switch(gl.GL_BLEND, on=False)
    _switch(gl.GL_FOG, on=False)


def _switch(option: int, *, on: bool) -> None:
    (gl.glEnable if on else gl.glDisable)(option)


@functools.cache
def _texture(path: Path) -> int:
    """OpenGL's number of a texture, loaded once per process: all contexts share it.

    Loaded here because MiniWorld takes a quarter of a second for one picture, and keeps it far larger than needed.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise LevelError(f"expected a picture at {path}, got none that can be read; install miniworld anew")
    side = TEXTURE_SIZE
    image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    pixels = np.ascontiguousarray(image[::-1, :, ::-1])  # OpenGL begins at the bottom; OpenCV has blue first
    number = gl.GLuint()
    gl.glGenTextures(1, number)
    gl.glBindTexture(gl.GL_TEXTURE_2D, number)
    gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 1)
    gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGB, side, side, 0, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, pixels.ctypes.data)
    gl.glGenerateMipmap(gl.GL_TEXTURE_2D)
    gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MAG_FILTER, gl.GL_LINEAR)
    gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_LINEAR_MIPMAP_LINEAR)
    return int(number.value)


def load_textures(surfaces: Iterable[Surface], *, textures: Path) -> None:
    """Before a display list begins: within one, the loading itself would be recorded and replayed at every frame."""
    for surface in surfaces:
        if surface.texture is not None:
            _texture(textures / f"{surface.texture}.png")


def read(frame_buffer: Any, *, depth: bool) -> np.ndarray:
    """What was drawn into one of MiniWorld's frame buffers, uint8, shape `[H, W, 3]`; a new array.

    Args:
        frame_buffer: bound, with several samples a pixel.
        depth: also resolve the depths; MiniWorld always does, which costs a tenth of a frame.
    """
    width, height = frame_buffer.width, frame_buffer.height
    gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, frame_buffer.multi_fbo)
    gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, frame_buffer.final_fbo)
    corners = (0, 0, width, height, 0, 0, width, height)
    gl.glBlitFramebuffer(*corners, gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST)
    if depth:
        gl.glBlitFramebuffer(*corners, gl.GL_DEPTH_BUFFER_BIT, gl.GL_NEAREST)
    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, frame_buffer.final_fbo)
    gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    gl.glReadPixels(0, 0, width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, pixels.ctypes.data)
    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, 0)
    return np.ascontiguousarray(pixels[::-1])  # OpenGL begins at the bottom


def free(frame_buffer: Any) -> None:
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


def close_window(window: Any) -> None:
    """Destroy a window with its context and, which pyglet forgets, the surface behind it."""
    surface = getattr(window, "_egl_surface", None)
    display = getattr(window, "_egl_display_connection", None)
    window.close()
    if surface is not None:
        from pyglet.libs.egl import egl  # only where pyglet runs without a display

        egl.eglDestroySurface(display, surface)
