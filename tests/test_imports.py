"""Imports go downward only, heavy packages load late, and levels need no display."""

from __future__ import annotations

import ast
import graphlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

FLOORS: Mapping[str, int] = {
    "lazy": 0,
    "version": 0,
    "errors": 0,
    "types": 0,
    "envs": 1,
    "data": 1,
    "models": 1,
    "objectives": 1,
    "continual": 2,
    "imagination": 2,
    "evaluation": 2,
    "temporal": 3,
    "wrappers": 3,
    "sb3": 4,
    "studies": 5,
    "cli": 6,
}
"""Room → floor. A room imports rooms below it, and rooms of its own floor where FORBIDDEN and circles allow."""

FORBIDDEN: Mapping[str, set[str]] = {
    "objectives": {"models", "data", "envs"},
    "models": {"objectives", "data", "envs"},
    "data": {"models", "objectives", "envs"},
    "continual": {"envs", "imagination", "evaluation"},
    "imagination": {"envs"},
    "evaluation": {"envs"},
    "temporal": {"envs", "wrappers", "evaluation", "imagination"},
    "envs": {"data", "models", "objectives"},
}
"""What a room may not import although the floors would let it."""

SB3_ROOMS = {"sb3", "studies", "cli"}
SB3_FOR_WRAPPERS = "stable_baselines3.common.vec_env"
HEAVY = {"stable_baselines3", "miniworld", "pyglet", "matplotlib", "sklearn", "scipy", "lance", "torch"}


def test_imports_go_downward(module_name: str, modules: Mapping[str, Path]) -> None:
    assert violations(module_name, modules[module_name].read_text()) == []


def test_no_circle_of_rooms(modules: Mapping[str, Path]) -> None:
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        room = room_of(name)
        if room:
            graph.setdefault(room, set()).update(_rooms_imported(path.read_text()) - {room})
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError and names the circle
    assert set(FLOORS) - {"lazy", "version"} <= set(order)


@pytest.mark.parametrize("room", [room for room in FLOORS if room not in ("lazy", "version", "errors", "types")])
def test_no_circle_of_rooms_within_a_room(room: str, modules: Mapping[str, Path]) -> None:
    """Files that lie in the room itself may be used by its rooms, and may gather them."""
    prefix = f"perma_agent.{room}."
    inner = {name.removeprefix(prefix): path for name, path in modules.items() if name.startswith(prefix)}
    rooms = {name for name, path in inner.items() if path.name == "__init__.py" and "." not in name}
    graph: dict[str, set[str]] = {own: set() for own in rooms}
    for name, path in inner.items():
        own = name.partition(".")[0]
        if own in rooms:
            targets = [target for target in _imported(path.read_text()) if target.startswith(prefix)]
            graph[own] |= {target.removeprefix(prefix).partition(".")[0] for target in targets} & rooms - {own}
    assert set(graphlib.TopologicalSorter(graph).static_order()) == rooms  # raises CycleError and names the circle


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("perma_agent.objectives.total", "from perma_agent.models import VASE", "objectives may not import models"),
        ("perma_agent.models.vase", "import perma_agent.continual.learner", "models may not import continual"),
        ("perma_agent.data.store", "def f():\n    from perma_agent.cli import main", "data may not import cli"),
        ("perma_agent.envs.suite.maze", "from perma_agent.data import TrajectoryStore", "envs may not import data"),
        ("perma_agent.continual.learner", "import stable_baselines3", "continual may not import stable_baselines3"),
        (
            "perma_agent.wrappers.frames",
            "from stable_baselines3 import PPO",
            "wrappers may not import stable_baselines3",
        ),
        ("perma_agent.sb3.saving.bundle", "from .continual import x", "relative import"),
        (
            "perma_agent.sb3.saving.bundle",
            "from perma_agent import VASE",
            "the public face is for users: import the room",
        ),
        ("perma_agent.envs.suite.maze", "import wrappers.frames", "wrappers is perma_agent.wrappers"),
        ("perma_agent.attic.x", "import os", "no room attic"),
    ],
)
def test_the_check_can_fail(module: str, source: str, complaint: str) -> None:
    assert [complaint in found for found in violations(module, source)] == [True]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("perma_agent.continual.learner", "from perma_agent.models import VASE\nimport torch"),
        ("perma_agent.wrappers.frames", "from stable_baselines3.common.vec_env import VecEnvWrapper"),
        (
            "perma_agent.sb3.saving.bundle",
            "from stable_baselines3 import PPO\nfrom perma_agent.continual import Learner",
        ),
        ("perma_agent.cli.train", "from perma_agent import __version__\nimport perma_agent.envs"),
        ("perma_agent.envs.suite.maze", "from perma_agent.errors import LevelError\nfrom perma_agent.envs import plan"),
    ],
)
def test_the_check_lets_the_good_pass(module: str, source: str) -> None:
    assert violations(module, source) == []


def violations(module: str, source: str) -> list[str]:
    """What a module imports and may not, as sentences."""
    room, found = room_of(module), []
    if room and room not in FLOORS:
        return [f"{module}: there is no room {room}; give it a floor in tests/test_imports.py"]
    for target in _imported(source):
        top = target.partition(".")[0]
        if not top:
            found.append("relative import: write the whole name")
        elif top in ("envs", "wrappers"):
            found.append(f"{top} is perma_agent.{top}")
        elif top == "stable_baselines3" and room not in SB3_ROOMS:
            if room != "wrappers" or not target.startswith(SB3_FOR_WRAPPERS):
                found.append(f"{room} may not import {target}")
        elif top == "perma_agent" and room:
            found += _complaints(room, target)
    return [f"{module}: {complaint}" for complaint in found]


def room_of(module: str) -> str:
    """Room of a module of ours: the name after perma_agent; empty for perma_agent itself."""
    return (module + ".").split(".")[1]


def _complaints(room: str, target: str) -> list[str]:
    other = room_of(target)
    if other == "__version__" or other == room:
        return []
    if other not in FLOORS:
        return [f"{target}: the public face is for users: import the room"]
    if FLOORS[other] > FLOORS[room] or other in FORBIDDEN.get(room, set()):
        return [f"{room} may not import {other}"]
    return []


def _rooms_imported(source: str) -> set[str]:
    return {room_of(name) for name in _imported(source) if name.startswith("perma_agent.")} & set(FLOORS)


def _imported(source: str) -> list[str]:
    """Full names of what a source imports, wherever it does and if only for types; relative ones begin with a dot."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names] if module == "perma_agent" else [module]
    return names


def _loaded_by(statement: str) -> set[str]:
    """Heavy packages that a fresh Python has loaded after a statement, with no display to draw on."""
    code = f"{statement}\nimport sys; sys.stdout.write('|'.join(sys.modules))"
    display = {"DISPLAY", "WAYLAND_DISPLAY", "PYGLET_HEADLESS"}
    environment = {name: value for name, value in os.environ.items() if name not in display}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return HEAVY & set(ran.stdout.split("|"))


def test_importing_perma_agent_is_light() -> None:
    assert _loaded_by("import perma_agent, perma_agent.cli.main") == set()


def test_learning_needs_neither_policies_nor_levels() -> None:
    loaded = _loaded_by("from perma_agent import *")
    assert "torch" in loaded
    assert not loaded & {"stable_baselines3", "miniworld", "pyglet", "matplotlib"}


def test_the_check_for_lightness_can_fail() -> None:
    assert "matplotlib" in _loaded_by("import matplotlib")


def test_importing_the_levels_needs_no_display_and_no_engine() -> None:
    assert not _loaded_by("import perma_agent.envs") & {"pyglet", "miniworld", "stable_baselines3", "torch"}
