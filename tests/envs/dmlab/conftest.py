"""A double of the module `deepmind_lab`: the contract of its documents and of its C source, without the game.

It is as strict as the engine, and stricter where the engine says that behaviour is undefined. What it plays is a plain
over which the agent walks: pose, clock, reward and picture follow from the settings, seed, episode and actions alone.
"""

from __future__ import annotations

import hashlib
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = "contributed/dmlab30/"
LEVELS = {
    "natlab_varying_map_randomized": 120,
    "rooms_exploit_deferred_effects_train": 60,
    "rooms_exploit_deferred_effects_test": 60,
    "explore_goal_locations_small": 90,
    "lasertag_one_opponent_small": 240,
}
"""The level files that the double has, and their seconds."""
SPEC = [
    ("LOOK_LEFT_RIGHT_PIXELS_PER_FRAME", -512, 512),
    ("LOOK_DOWN_UP_PIXELS_PER_FRAME", -512, 512),
    ("STRAFE_LEFT_RIGHT", -1, 1),
    ("MOVE_BACK_FORWARD", -1, 1),
    ("FIRE", 0, 1),
    ("JUMP", 0, 1),
    ("CROUCH", 0, 1),
]


class Double(types.ModuleType):
    """The module."""

    def __init__(self) -> None:
        super().__init__("deepmind_lab")
        self.labs: list[Lab] = []
        self.spec = list(SPEC)
        module = self

        class Bound(Lab):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(module, *arguments, **options)
                module.labs.append(self)

        self.Lab = Bound

    @property
    def lab(self) -> Lab:
        """The one made last."""
        return self.labs[-1]


class Lab:
    """`deepmind_lab.Lab`; it has no `fps()`, as the C source has none though the documents name it."""

    def __init__(
        self,
        module: Double,
        level: str,
        observations: list[str],
        config: dict[str, str] | None = None,
        renderer: str = "software",
        level_cache: Any = None,
        temp_folder: str = "/tmp",
    ) -> None:
        if type(level) is not str or type(observations) is not list or type(temp_folder) is not str:
            raise TypeError("argument must be str, list or str")
        if renderer not in ("hardware", "software"):
            raise RuntimeError(f'Failed to set renderer must be "hardware" or "software" actual "{renderer}"!')
        if temp_folder == "":
            raise RuntimeError("Failed to connect RL API")
        name = level.removeprefix(FOLDER)
        if not level.startswith(FOLDER) or name not in LEVELS:
            raise RuntimeError(f"Invalid levelName flag '{level}' - \"no such file\"")
        self.settings = self._read(config)
        if name.endswith("_test") and self.settings.get("allowHoldOutLevels") != "true":
            raise RuntimeError('Failed to init environment - "This level must only be used during evaluation."')
        self.level, self.observed, self.renderer, self.level_cache = level, observations, renderer, level_cache
        self.temp_folder = temp_folder
        self.module = module
        known = {spec["name"] for spec in self._specs()}
        for observation in observations:
            if observation not in known:
                raise ValueError(f"Unknown observation '{observation}'.")
        self.episode, self.running, self.closed = 0, False, False
        self.seconds = float(self.settings.get("episodeLengthSeconds", LEVELS[name]))
        self.seeds: list[int | None] = []
        self.episodes: list[int] = []
        self.acted: list[dict[str, int]] = []
        self.repeats: list[int] = []

    @staticmethod
    def _read(config: dict[str, str] | None) -> dict[str, str]:
        if config is not None and type(config) is not dict:
            raise TypeError("config must be dict")
        settings = {"width": "320", "height": "240", "fps": "60", "mixerSeed": "0"}
        for key, value in (config or {}).items():
            if type(key) is not str or type(value) is not str:
                raise TypeError("bad argument type for built-in operation")
            settings[key] = value
        for key in ("width", "height", "fps", "mixerSeed"):
            if not settings[key].isdigit():
                raise RuntimeError(f"Failed to apply setting '{key} = {settings[key]}'")
        return settings

    def observation_spec(self) -> list[dict[str, Any]]:
        return self._specs()

    def action_spec(self) -> list[dict[str, Any]]:
        return [{"name": name, "min": low, "max": high} for name, low, high in self._parts()]

    def reset(self, episode: int = -1, seed: int | None = None) -> bool:
        if self.closed:
            raise RuntimeError("closed")
        if seed is not None and type(seed) is not int:
            raise ValueError(f"'seed' must be int or None, was '{type(seed).__name__}'.")
        if seed is not None and not 0 <= seed < 2**31:
            raise ValueError("seed is cut to 32 bits and taken for another one")  # the engine does so in silence
        if episode >= 0:
            self.episode = episode
        self.seeds.append(seed)
        self.episodes.append(self.episode)
        self._fetch_map(seed)
        key = f"{self.level} {self.settings['mixerSeed']} {seed} {self.episode}".encode()
        self.random = np.random.default_rng(list(hashlib.sha256(key).digest()))
        self.place = self.random.uniform(-500, 500, size=3)
        self.angles = np.array([0.0, self.random.uniform(-180, 180), 0.0])
        self.ground = self.random.integers(0, 256, size=3)
        self.frames = 0
        self.episode += 1
        self.running = True
        return True

    def is_running(self) -> bool:
        return self.running and not self.closed

    def num_steps(self) -> int:
        return self.frames

    def events(self) -> list[Any]:
        return []

    def step(self, action: np.ndarray, num_steps: int = 1) -> float:
        if not isinstance(action, np.ndarray):
            raise TypeError("argument 1 must be numpy.ndarray")
        if not self.is_running():
            raise RuntimeError("Environment in wrong status to advance.")
        if action.ndim != 1 or len(action) != len(self._parts()):
            raise ValueError(f"action must have shape ({len(self._parts())})")
        if action.dtype != np.intc:
            raise ValueError("action must have dtype np.intc")
        if not action.flags["C_CONTIGUOUS"]:
            raise ValueError("the engine reads consecutive memory")
        for (name, low, high), value in zip(self._parts(), action, strict=True):
            if not low <= value <= high:
                raise ValueError(f"{name} out of bounds: behaviour is undefined")
        done = {name: int(value) for (name, _, _), value in zip(self._parts(), action, strict=True)}
        self.acted.append(done)
        self.repeats.append(num_steps)
        reward = 0.0
        for _ in range(num_steps):
            if self.running:
                reward += self._advance(done)
        return reward

    def observations(self) -> dict[str, Any]:
        if not self.is_running():
            raise RuntimeError("Environment in wrong status for call to observations()")
        return {name: self._observe(name) for name in self.observed}

    def close(self) -> bool:
        was_open, self.closed = not self.closed, True
        return was_open

    def _parts(self) -> list[tuple[str, int, int]]:
        extra = [("SELECT_GADGET", 0, 10)] if self.settings.get("gadgetSelect") == "true" else []
        return self.module.spec + extra

    def _specs(self) -> list[dict[str, Any]]:
        size = (int(self.settings["height"]), int(self.settings["width"]))
        alt = tuple(
            max(side, int(self.settings.get(key, 0)))
            for side, key in zip(size, ("maxAltCameraHeight", "maxAltCameraWidth"), strict=True)
        )
        return [
            {"name": "RGB_INTERLEAVED", "shape": (*size, 3), "dtype": np.uint8},
            {"name": "RGB", "shape": (3, *size), "dtype": np.uint8},
            {"name": "FRAMES_REMAINING_AT_60", "shape": (1,), "dtype": np.float64},
            {"name": "INSTR", "shape": (), "dtype": str},
            {"name": "DEBUG.POS.TRANS", "shape": (3,), "dtype": np.float64},
            {"name": "DEBUG.POS.ROT", "shape": (3,), "dtype": np.float64},
            {"name": "DEBUG.CAMERA.TOP_DOWN", "shape": (3, *alt), "dtype": np.uint8},
        ]

    def _advance(self, action: dict[str, int]) -> float:
        """One frame: 57 pixels turn the agent round once in 60 frames, to the right; it walks 5 units a frame."""
        self.frames += 1
        self.angles[1] -= action["LOOK_LEFT_RIGHT_PIXELS_PER_FRAME"] * 6 / 57
        self.angles[0] -= action["LOOK_DOWN_UP_PIXELS_PER_FRAME"] * 6 / 57
        yaw = np.radians(self.angles[1])
        ahead, left = np.array([np.cos(yaw), np.sin(yaw)]), np.array([-np.sin(yaw), np.cos(yaw)])
        self.place[:2] += 5 * (action["MOVE_BACK_FORWARD"] * ahead - action["STRAFE_LEFT_RIGHT"] * left)
        ends_at = int(self.settings.get("endsAtFrame", 10**9))
        if self.frames >= ends_at or self._remaining() <= 0:
            self.running = False
        return float(self.frames % 10 == 0) * float(self.settings.get("pays", "1")) * action["MOVE_BACK_FORWARD"]

    def _remaining(self) -> float:
        return 60 * (self.seconds - self.frames / float(self.settings["fps"]))

    def _observe(self, name: str) -> Any:
        spec = next(spec for spec in self._specs() if spec["name"] == name)
        if spec["dtype"] is str:
            return "find the goal"
        if spec["dtype"] is np.uint8:
            frame = np.zeros((64, 64, 3), dtype=np.uint8)
            frame[32:] = self.ground
            frame[:, :, 2] = np.arange(64) * 3
            frame[int(abs(self.angles[1]) % 32), :, 0] = 200
            frame[:, int(abs(self.place[:2]).sum() % 64), 1] = 255
            planar = spec["shape"][0] == 3
            height, width = spec["shape"][1:] if planar else spec["shape"][:2]
            frame = frame[np.arange(height) * 64 // height][:, np.arange(width) * 64 // width]
            return np.ascontiguousarray(frame.transpose(2, 0, 1)) if planar else frame
        values = {"FRAMES_REMAINING_AT_60": [self._remaining()], "DEBUG.POS.TRANS": self.place}
        return np.array(values.get(name, self.angles), dtype=np.float64)

    def _fetch_map(self, seed: int | None) -> None:
        """Levels that make a new map for each episode compile it, or take it from the cache."""
        if self.level_cache is None or "explore" not in self.level:
            return
        key, path = f"map/{seed}", Path(self.temp_folder) / f"{id(self)}.pk3"
        try:
            if not self.level_cache.fetch(key, str(path)):
                path.write_bytes(f"map of {seed}".encode())
                self.level_cache.write(key, str(path))
            if path.read_bytes() != f"map of {seed}".encode():
                raise RuntimeError("Failed to start environment - a damaged map")
        finally:
            path.unlink(missing_ok=True)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Double:
    """The double in the engine's place."""
    double = Double()
    monkeypatch.setitem(sys.modules, "deepmind_lab", double)
    return double
