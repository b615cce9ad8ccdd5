"""Any environment of the dm_env interface as a Gymnasium environment with frames, factors and success."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import gymnasium as gym
import numpy as np

from perma_agent.envs.argument_checks import check_range
from perma_agent.envs.display import check_picture, read_arguments, show
from perma_agent.envs.dm_env.spaces import check_action, native_action, space_of
from perma_agent.envs.factors import Factors, FactorSpec, ToldFactors
from perma_agent.errors import LevelError

PICTURE = 512
"""Pixels along each side of a picture for people."""


@dataclass(frozen=True, kw_only=True)
class DMEnvConfig:
    """How a dm_env environment is seen and driven."""

    frame: str | Callable[[Any], np.ndarray] | None = None
    """Name of the observation that is the picture, or a function that draws it from the environment; None takes the
    only picture among the observations."""
    size: int = 64
    """Pixels along each side of the frames, 16 to 512; pictures of another size are scaled."""
    actions: Sequence[Any] | None = None
    """Table of the environment's own actions that makes the action space `Discrete`: five of them, in the order of
    `perma_agent.envs.ACTIONS`, give the space that all our levels share. None keeps the environment's space."""
    action_repeat: int = 1
    """Steps of the environment through which one action is held, 1 to 60."""
    factors: Callable[[Any], Mapping[str, Any]] | None = None
    """Reads the factors from the environment; None reports none."""
    factor_specs: tuple[FactorSpec, ...] = ()
    """What these factors mean."""
    success: Callable[[Any], bool] | None = None
    """Whether a `TimeStep` solves the task; None counts an end with discount 0 and a positive reward."""
    render_mode: Literal["human", "rgb_array"] | None = None
    """What `render()` does: open a window, or return a picture."""

    def __post_init__(self) -> None:
        check_picture(self.size, self.render_mode, "agent")
        check_range("action_repeat", self.action_repeat, low=1, high=60, whole=True)
        if self.actions is not None and len(self.actions) == 0:
            raise LevelError("expected actions to be a table of one action or more, got an empty one; pass None")


class DMEnvLevel(gym.Env[np.ndarray, Any]):
    """A dm_env environment.

    Observation: uint8, shape `[size, size, 3]`. An episode's last step terminates it where the discount is 0, and
    truncates it where it is not. `info` of every reset and step holds `factors`, `is_success` (from the step that
    solved the task to the end of the episode) and `discount`.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 20}  # noqa: RUF012  Gymnasium's own way

    def __init__(self, *, make: Callable[[int], Any], **arguments: Any) -> None:
        """Make the environment.

        Args:
            make: builds the environment from a seed of 31 bits. dm_env has no way to seed an environment that exists:
                it is built anew for each `reset(seed=…)`, and goes on by itself in resets without one.
            **arguments: fields of `DMEnvConfig`.

        Raises:
            LevelError: when an argument is unknown or has an invalid value, or there is no such picture or action.
        """
        self.config: DMEnvConfig = read_arguments(DMEnvConfig, arguments, others=("make",))
        self.render_mode = self.config.render_mode
        self._make = make
        self._environment = self._build()
        self._spec = self._environment.action_spec()
        if self.config.actions is None:
            self.action_space = space_of(self._spec)
        else:
            for action in self.config.actions:
                check_action(self._spec, action)
            self.action_space = gym.spaces.Discrete(len(self.config.actions))
        self._picture = self._choose_picture()
        self.observation_space = gym.spaces.Box(0, 255, (self.config.size, self.config.size, 3), dtype=np.uint8)
        self._frame: np.ndarray | None = None
        self._running = False
        self._succeeded = False

    @property
    def factor_specs(self) -> tuple[FactorSpec, ...]:
        """Of `info["factors"]`, as they were given."""
        return self.config.factor_specs

    @property
    def environment(self) -> Any:
        """The dm_env environment; another one after each seeded reset."""
        return self._environment

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; with a seed, in an environment made anew."""
        super().reset(seed=seed)
        if seed is not None:
            self._environment.close()
            self._environment = self._build()
        with self._numpy_of_its_own():
            step = self._environment.reset()
        self._running, self._succeeded = True, False
        frame = self._look(step)
        return frame, self._info(1.0)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Act; the reward is what all repeats pay together.

        Raises:
            LevelError: after the end of an episode: dm_env would begin the next one and lose the action.
        """
        if not self._running:
            raise LevelError("expected an episode that goes on, got one that has ended or never begun; call reset()")
        native, reward = self._native(action), 0.0
        for _ in range(self.config.action_repeat):
            with self._numpy_of_its_own():
                step = self._environment.step(native)
            reward += float(step.reward)
            self._succeeded = self._succeeded or self._solves(step)
            if step.last():
                break
        self._running = not step.last()
        discount = float(step.discount)
        terminated = bool(step.last()) and discount == 0.0
        return self._look(step), reward, terminated, bool(step.last()) and not terminated, self._info(discount)

    def render(self) -> np.ndarray | None:
        """The frame, larger, as `render_mode` asks."""
        if self.render_mode is None:
            gym.logger.warn("render() was called on a level made without render_mode; pass render_mode='rgb_array'")
            return None
        if self._frame is None:
            raise LevelError("expected a level that has been reset, got a new one; call reset() first")
        large = cv2.resize(self._frame, (PICTURE, PICTURE), interpolation=cv2.INTER_NEAREST)
        picture = np.asarray(large, dtype=np.uint8)
        if self.render_mode == "rgb_array":
            return picture
        show(picture, title="perma_agent")
        return None

    def close(self) -> None:
        """Free what the environment holds; the level cannot be used afterwards."""
        self._running = False
        self._environment.close()

    def factors(self) -> Factors:
        """What `config.factors` reads at the current frame."""
        if self.config.factors is None:
            return {}
        values = self.config.factors(self._environment)
        return {name: np.atleast_1d(np.array(value, dtype=np.float32)) for name, value in values.items()}

    def _build(self) -> Any:
        try:
            import dm_env
        except ImportError as error:
            raise LevelError("expected the package dm-env, got none; run `pip install dm-env`") from error
        seed = int(self.np_random.integers(2**31))
        self._global_state = np.random.RandomState(seed).get_state()  # what the environment may draw from
        with self._numpy_of_its_own():
            environment = self._make(seed)
        if not isinstance(environment, dm_env.Environment):
            raise LevelError(f"expected make(seed) to return a dm_env.Environment, got {environment!r}")
        return environment

    @contextmanager
    def _numpy_of_its_own(self) -> Iterator[None]:
        """Lend the environment numpy's global generator in a state of its own, and give it back as it was.

        dm_control's mazes draw their textures from there: without this they do not follow the seed, and two levels in
        one process change each other.
        """
        outside = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._global_state)  # noqa: NPY002
        try:
            yield
        finally:
            self._global_state = np.random.get_state()  # noqa: NPY002
            np.random.set_state(outside)  # noqa: NPY002

    def _choose_picture(self) -> str | None:
        """Name of the observation that is the frame; None where the whole observation is, or a function draws it."""
        if callable(self.config.frame):
            return None
        observed = self._environment.observation_spec()
        if not isinstance(observed, Mapping):
            return None
        pictures = [str(name) for name, spec in observed.items() if spec.dtype == np.uint8 and spec.shape[-1:] == (3,)]
        chosen = self.config.frame
        if chosen is None and len(pictures) == 1:
            return pictures[0]
        if chosen not in pictures:
            raise LevelError(
                f"expected frame to be one of the observations {', '.join(pictures) or '(none is a picture)'}, or a "
                f"function of the environment that draws one, got {chosen!r}"
            )
        return str(chosen)

    def _look(self, step: Any) -> np.ndarray:
        if callable(self.config.frame):
            picture = self.config.frame(self._environment)
        else:
            picture = step.observation if self._picture is None else step.observation[self._picture]
        frame = np.asarray(picture)
        while frame.ndim > 3 and len(frame) == 1:  # dm_control's buffer of one
            frame = frame[0]
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3:
            raise LevelError(
                f"expected frames of uint8 in [height, width, 3], got {frame.dtype} {frame.shape}; pass a function of "
                "the environment as `frame`"
            )
        size = self.config.size
        if frame.shape[:2] != (size, size):
            frame = np.asarray(cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        self._frame = frame
        return frame.copy()  # the environment may draw its next one into the same memory

    def _native(self, action: Any) -> Any:
        if self.config.actions is None:
            return native_action(self._spec, action)
        number = int(action)
        if not 0 <= number < len(self.config.actions):
            raise ValueError(f"expected an action from 0 to {len(self.config.actions) - 1}, got {number}")
        return native_action(self._spec, self.config.actions[number])

    def _solves(self, step: Any) -> bool:
        if self.config.success is not None:
            return bool(self.config.success(step))
        return bool(step.last() and float(step.discount) == 0.0 and float(step.reward) > 0.0)

    def _info(self, discount: float) -> dict[str, Any]:
        return {"factors": ToldFactors(self.factors()), "is_success": self._succeeded, "discount": discount}
