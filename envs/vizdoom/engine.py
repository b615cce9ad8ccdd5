"""The one file that touches ViZDoom: starts its engine without a display or a word, acts, and reads the scene."""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from perma_agent.envs.vizdoom.levels import DoomLevel
from perma_agent.errors import LevelError

RESOLUTIONS = ((160, 120), (320, 240), (640, 480), (1024, 768))
"""Width and height the engine may draw in, all 4:3."""
CROP = 5 / 6
"""Width over height of what is cut from the middle of its picture: Doom draws 1.2 times as tall as wide, so that a
square frame of this piece shows the world undistorted."""
START_TIC = 10
"""Tics let pass before an episode: in the first ones the engine ignores the player's buttons."""
PICTURE = 480
"""Pixels along each side of the pictures for people."""
BUTTONS = ("TURN_LEFT_RIGHT_DELTA", "MOVE_FORWARD", "MOVE_BACKWARD", "MOVE_LEFT", "MOVE_RIGHT", "ATTACK", "USE")
"""Of the engine, in the order in which they are handed to it; the first takes degrees a tic, positive to the right."""
VARIABLES = (
    *("POSITION_X", "POSITION_Y", "POSITION_Z", "ANGLE", "VIEW_HEIGHT", "CAMERA_PITCH"),
    *("HEALTH", "ARMOR", "SELECTED_WEAPON_AMMO", "KILLCOUNT"),
)
"""Game variables of the engine that a scene holds."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One object of the map."""

    number: int
    """The engine's own, the same throughout an episode."""
    name: str
    """The engine's name of its class, e.g. `Medikit`."""
    category: str
    """The engine's, e.g. `Health`."""
    place: tuple[float, float]
    """x and y, map units."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the engine tells of one tic."""

    picture: np.ndarray
    """The engine's picture, cut, uint8, shape `[H, 5/6 H, 3]`."""
    labels: np.ndarray
    """Which label each of its pixels has, uint8, shape `[H, 5/6 H]`."""
    label_of: dict[int, int]
    """Label of each object that has one, by the object's number."""
    depth_ahead: int
    """Of the depth picture's middle, 0 to 255."""
    automap: np.ndarray | None
    """The map from above, uint8, shape `[H, W, 3]`; None when it was not asked for."""
    variables: dict[str, float]
    """By the names of `VARIABLES`."""
    things: tuple[Thing, ...]
    """All objects of the map, the player among them."""


def load() -> Any:
    """The package.

    Raises:
        LevelError: when it is not installed, or not for this Python.
    """
    try:
        import vizdoom
    except (ImportError, SystemError) as error:  # the package raises SystemError for another Python
        raise LevelError(
            f"expected ViZDoom, the engine of this level, got `{error}`; run `pip install perma-agent[vizdoom]`"
        ) from error
    return vizdoom


class Doom:
    """A running engine, one process of its own."""

    def __init__(
        self, level: DoomLevel, *, size: int, with_map: bool, skill: int | None, with_walls: bool = False
    ) -> None:
        """Set the engine up; it starts with the first episode.

        Args:
            level: scenario or map.
            size: pixels along each side of the frames: the engine draws at least as many.
            with_map: whether to draw the map from above too.
            skill: 1 to 5, None for the scenario's own.
            with_walls: whether `walls` shall be told, which takes time at every step.

        Raises:
            LevelError: when ViZDoom is not installed.
        """
        self._package = package = load()
        self._folder = tempfile.TemporaryDirectory(prefix="perma_agent_doom_")
        self._game = game = package.DoomGame()
        self._end = weakref.finalize(self, _end, game, self._folder)  # the engine writes into the folder as it ends
        if level.source.endswith(".cfg"):
            game.load_config(str(Path(package.scenarios_path) / level.source))
        else:
            file, _, name = level.source.partition(" ")
            game.set_doom_game_path(str(Path(package.root_path) / file))
            game.set_doom_map(name)
            game.add_game_args("-nomonsters")
            game.set_render_weapon(False)
        game.set_doom_config_path(str(Path(self._folder.name) / "engine.ini"))
        game.set_episode_timeout(0)  # the time limit is Gymnasium's
        game.set_episode_start_time(max(START_TIC, game.get_episode_start_time()))
        if skill is not None:
            game.set_doom_skill(skill)
        self._show(size, with_map=with_map)
        game.set_sectors_info_enabled(with_walls)
        game.set_mode(package.Mode.PLAYER)
        game.set_available_buttons([getattr(package.Button, name) for name in BUTTONS])
        game.set_available_game_variables([getattr(package.GameVariable, name) for name in VARIABLES])

    def begin(self, seed: int) -> Scene:
        """Begin an episode.

        Args:
            seed: 0 to 2**31 - 1.

        Raises:
            LevelError: when the engine does not run.
        """
        with self._named():
            self._game.set_seed(seed)
            if self._game.is_running():
                self._game.new_episode()
            else:
                with _no_folder_left_behind():
                    self._game.init()
            return self._scene(self._game.get_state())

    def act(self, buttons: tuple[float, ...], *, tics: int) -> tuple[float, Scene | None]:
        """Hold the buttons for some tics, fewer when the episode ends; the engine shows no scene after its end.

        Args:
            buttons: one value for each of `BUTTONS`.
            tics: how many, at least 1.

        Returns:
            The engine's reward summed over the tics, and the scene after them or None when the episode has ended.

        Raises:
            LevelError: when the engine has stopped.
        """
        with self._named():
            reward = float(self._game.make_action(list(buttons), tics))
            state = self._game.get_state()
            return reward, None if state is None else self._scene(state)

    def walls(self) -> np.ndarray:
        """Lines of the map that the engine lets nobody cross, x and y of both ends, map units, shape `[M, 2, 2]`.

        Of an engine made `with_walls`, within an episode.

        Raises:
            LevelError: when the engine has stopped.
        """
        with self._named():
            lines = [line for sector in self._game.get_state().sectors for line in sector.lines if line.is_blocking]
        ends = [((line.x1, line.y1), (line.x2, line.y2)) for line in lines]
        return np.array(ends, dtype=np.float64).reshape(-1, 2, 2)

    @property
    def player_is_dead(self) -> bool:
        """Whether the player has died in this episode."""
        with self._named():
            return bool(self._game.is_player_dead())

    def close(self) -> None:
        """End the engine's process and remove its files."""
        self._end()

    def _show(self, size: int, *, with_map: bool) -> None:
        """What the engine draws; nothing of it is a window, a sound or a line of text."""
        package, game = self._package, self._game
        width, height = next(pair for pair in RESOLUTIONS if pair[1] * CROP >= size)
        game.set_screen_resolution(getattr(package.ScreenResolution, f"RES_{width}X{height}"))
        game.set_screen_format(package.ScreenFormat.RGB24)
        game.set_window_visible(False)
        game.set_sound_enabled(False)
        game.set_console_enabled(False)
        game.set_render_hud(False)
        game.set_render_screen_flashes(False)
        game.set_depth_buffer_enabled(True)
        game.set_labels_buffer_enabled(True)
        game.set_objects_info_enabled(True)
        game.set_automap_buffer_enabled(with_map)
        game.set_automap_mode(package.AutomapMode.OBJECTS)

    def _scene(self, state: Any) -> Scene:
        height, width = state.depth_buffer.shape
        half = round(height * CROP / 2)
        middle = slice(width // 2 - half, width // 2 + half)
        return Scene(
            picture=state.screen_buffer[:, middle].copy(),
            labels=state.labels_buffer[:, middle].copy(),
            label_of={label.object_id: label.value for label in state.labels},
            depth_ahead=int(state.depth_buffer[height // 2 - 1, width // 2]),
            automap=None if state.automap_buffer is None else state.automap_buffer.copy(),
            variables=dict(zip(VARIABLES, map(float, state.game_variables), strict=True)),
            things=tuple(
                Thing(number=o.id, name=o.name, category=o.category, place=(o.position_x, o.position_y))
                for o in state.objects
            ),
        )

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say in one sentence that the engine failed, and how."""
        package = self._package
        failures = (
            *(package.ViZDoomUnexpectedExitException, package.ViZDoomErrorException),
            *(package.ViZDoomIsNotRunningException, package.FileDoesNotExistException),
        )
        try:
            yield
        except failures as error:
            reason = " ".join(str(error).split())
            raise LevelError(f"expected ViZDoom's engine to run, got `{reason}`; make the level anew") from error


def resize(picture: np.ndarray, *, size: int) -> np.ndarray:
    """A square picture of that many pixels along each side."""
    larger = size > picture.shape[0]
    how = cv2.INTER_NEAREST if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (size, size), interpolation=how), dtype=np.uint8)


def _end(game: Any, folder: tempfile.TemporaryDirectory[str]) -> None:
    game.close()
    folder.cleanup()


@contextlib.contextmanager
def _no_folder_left_behind() -> Iterator[None]:
    """The engine makes an empty folder `_vizdoom` wherever the program runs, and cannot be told another place."""
    folder = Path("_vizdoom").absolute()
    was_there = folder.exists()
    yield
    if not was_there:
        with contextlib.suppress(OSError):  # another level removed it, or somebody put something in: leave it
            folder.rmdir()
