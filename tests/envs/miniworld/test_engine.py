"""The engine: no display, no chatter, nothing left behind, and a clear word where it is missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from perma_agent.envs import make_level
from perma_agent.envs.engine_status import engine_status


def run(code: str, *, environment: Sequence[tuple[str, str]] = ()) -> subprocess.CompletedProcess[str]:
    """A fresh process with no display."""
    bare = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **dict(environment)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=bare)


def test_importing_loads_no_engine() -> None:
    done = run(
        "import sys, gymnasium, perma_agent.envs as envs; envs.catalogue()\n"
        "assert 'perma/IndoorMaze-v0' in gymnasium.registry\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'pyglet', 'miniworld', 'cv2', 'torch'}])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_levels_write_nothing_and_need_no_display() -> None:
    done = run(
        "import gymnasium, perma_agent.envs\n"
        "level = gymnasium.make('perma/OutdoorForage-v0', render_mode='rgb_array')\n"
        "level.reset(seed=0); level.step(0); level.render(); level.close()\n"
        "level = perma_agent.envs.make_level('MiniWorld-Hallway-v0', render_mode='rgb_array')\n"
        "level.reset(seed=0); level.step(0); level.render(); level.close()\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("library", ["libGL.", "libEGL.", "libGLU."])
def test_missing_library_is_told_with_what_to_install(library: str) -> None:
    done = run(
        "import ctypes, ctypes.util\n"
        f"missing = {library!r}\n"
        "find, real = ctypes.util.find_library, ctypes.CDLL\n"
        "def load(name, *rest, **more):\n"
        "    if missing in str(name): raise OSError(f'{name}: cannot open')\n"
        "    return real(name, *rest, **more)\n"
        "ctypes.util.find_library = lambda name: None if f'lib{name}.' == missing else find(name)\n"
        "ctypes.CDLL = ctypes.cdll.LoadLibrary = load\n"
        "import perma_agent.envs as envs\n"
        "from perma_agent.envs.engine_status import engine_status\n"
        "from perma_agent.errors import LevelError\n"
        "try: envs.make_level('perma/IndoorMaze-v0')\n"
        "except LevelError as error: print(error)\n"
        "print(engine_status()[0].ok, engine_status()[0].advice)\n"
    )
    assert done.returncode == 0, done.stderr
    said, status = done.stdout.strip().splitlines()
    assert "expected a working OpenGL" in said
    assert all(package in said for package in ("libgl1", "libegl1", "libglu1-mesa", "libfreetype6"))
    assert status.startswith("False on Debian")


def test_engine_status_names_the_renderer() -> None:
    (status,) = engine_status()
    assert status.ok and status.name == "miniworld" and "OpenGL" in status.found and status.advice == ""


def test_closing_frees_what_a_level_held() -> None:
    done = run(
        "import psutil, perma_agent.envs as envs\n"
        "def cycle(count):\n"
        "    for seed in range(count):\n"
        "        for name in ('perma/OutdoorMaze-v0', 'MiniWorld-OneRoom-v0'):\n"
        "            level = envs.make_level(name, render_mode='rgb_array', size=128)\n"
        "            level.reset(seed=seed); level.render(); level.close(); level.close()\n"
        "    return psutil.Process().memory_info().rss / 2**20\n"
        "before = cycle(3); print(cycle(6) - before)\n"
    )
    assert float(done.stdout) < 15, done.stderr  # MiniWorld itself keeps 35 MB of each level: 400 here


def test_display_lists_and_textures_are_gone_after_closing() -> None:
    from perma_agent.envs.miniworld.opengl import gl

    keeper, level = make_level("perma/IndoorForage-v0"), make_level("perma/OutdoorForage-v0")
    keeper.reset(seed=0)
    level.reset(seed=0)
    lists = level.unwrapped._world._lists
    assert all(gl.glIsList(number) for number in lists)
    level.close()
    keeper.unwrapped._world.shadow_window.switch_to()  # display lists are shared: another context can tell
    assert not any(gl.glIsList(number) for number in lists)
    keeper.close()


def test_repaired_levels_draw_what_miniworld_draws() -> None:
    """Bare MiniWorld in its own process, one level: the frames are the same to within rounding of colours."""
    code = (
        "import sys, numpy as np, pyglet; pyglet.options['headless'] = True\n"
        "import gymnasium, miniworld, io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    level = gymnasium.make('MiniWorld-ThreeRooms-v0', obs_width=64, obs_height=64)\n"
        "frames = [level.reset(seed=2)[0]]\n"
        "frames += [level.step(action)[0] for action in (0, 0, 2, 2, 2, 1, 2)]\n"
        "sys.stdout.buffer.write(np.stack(frames).tobytes())\n"
    )
    bare = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, timeout=120, check=True)
    theirs = np.frombuffer(bare.stdout, dtype=np.uint8).reshape(-1, 64, 64, 3)
    level = make_level("MiniWorld-ThreeRooms-v0")
    ours = [level.reset(seed=2)[0], *(level.step(action)[0] for action in (0, 0, 2, 2, 2, 1, 2))]
    level.close()
    difference = np.abs(np.stack(ours).astype(int) - theirs.astype(int))
    assert np.median(difference) <= 1 and (difference > 8).mean() < 0.01


@pytest.mark.parametrize("view", ["agent", "top"])
def test_pictures_for_people(view: str) -> None:
    level = make_level("perma/OutdoorDeferred-v0", render_mode="rgb_array", view=view)
    frame, _ = level.reset(seed=0)
    picture = level.render()
    assert picture.shape == (512, 512, 3) and picture.dtype == np.uint8 and picture.std() > 5
    small = picture.reshape(64, 8, 64, 8, 3).mean(axis=(1, 3))
    alike = np.corrcoef(small.ravel(), frame.astype(float).ravel())[0, 1]
    assert (alike > 0.9) == (view == "agent")
    level.close()
