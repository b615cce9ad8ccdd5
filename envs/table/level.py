"""Sprite table: a picture lies on a table, and the agent may push it; or it moves by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np

from perma_agent.envs.argument_checks import check_choice, check_range
from perma_agent.envs.display import check_picture, read_arguments, show
from perma_agent.envs.factors import Factors, FactorSpec, ToldFactors
from perma_agent.envs.table.images import Sprites, make_sprites
from perma_agent.errors import LevelError

Moves = Literal["pushable", "by itself"]
Start = Literal["centre", "random"]
PUSHES = ("stay", "left", "right", "up", "down")
"""Actions in the order of their numbers; as many as there are in the other levels."""
_WAYS = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]])
SHOWN = 256
"""Least side of a picture for people, in pixels."""


@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """Arguments of `SpriteTable`, beside `images` and `labels`."""

    moves: Moves = "pushable"
    """`pushable`: the picture lies still unless pushed. `by itself`: it jumps to a new place at every step, whatever
    the agent does, as in the paper's moving MNIST and moving Fashion."""
    start: Start = "centre"
    """Where a new picture lies: at the centre, as in the paper's MNIST at rest, or anywhere. By itself: anywhere."""
    size: int = 64
    """Pixels along each side of the table, which fills the frame, 16 to 512: 64 in the paper."""
    sprite: int | None = None
    """Pixels along each side of the picture, 1 to `size`; None for 28/64 of the table's, the size of MNIST on 64."""
    push: int | None = None
    """Pixels by which one push moves it, at least 1; None for 1/32 of the table."""
    every: int | None = None
    """Steps after which a new picture is laid down; None only when an episode begins. 1 with `by itself` gives frames
    that are independent of each other, as in the paper."""
    channels: int = 3
    """3 (the grey repeated), as all levels have, or 1."""
    inverse: bool = False
    """Whether frames are inverted, 255 - pixel."""
    target: tuple[float, float] | None = None
    """(x, y) of a place in [0, 1] that pays +1 and ends the episode once the picture has come within half a push of it
    along both axes by a step; None pays nothing."""
    render_mode: Literal["human", "rgb_array"] | None = None
    """What `render()` does: open a window, or return a picture."""

    def __post_init__(self) -> None:
        check_choice("moves", self.moves, get_args(Moves))
        check_choice("start", self.start, get_args(Start))
        check_picture(self.size, self.render_mode, "agent")
        for name, high in (("sprite", self.size), ("push", self.size), ("every", 2**31)):
            if (value := getattr(self, name)) is not None:
                check_range(name, value, low=1, high=high, whole=True)
        check_choice("channels", self.channels, (1, 3))
        check_choice("inverse", self.inverse, (True, False))
        if self.target is not None:
            _check_target(self.target)

    @property
    def side(self) -> int:
        """Of the picture, in pixels."""
        return max(1, self.size * 28 // 64) if self.sprite is None else self.sprite

    @property
    def step(self) -> int:
        """Of a push, in pixels."""
        return max(1, self.size // 32) if self.push is None else self.push


class SpriteTable(gym.Env[np.ndarray, np.int64]):
    """A picture on a table.

    Observation: uint8, shape `[size, size, channels]`, the picture before black. Actions: `PUSHES`, each by `push`
    pixels; the picture stops at the table's edge. `info` of every reset and step holds `is_success` and `factors`:

    | factor  | is                                                              | range          |
    |---------|-----------------------------------------------------------------|----------------|
    | `x`     | share of the way from the left edge to the right one            | 0 to 1         |
    | `y`     | share of the way from the upper edge to the lower one           | 0 to 1         |
    | `class` | number of the picture's class                                   | 0 to the last  |
    | `image` | number of the picture                                           | 0 to the last  |

    Pictures and places are set by the seed alone. The images are passed in, so that the level reads no files:

    Example:
        >>> import gymnasium, numpy
        >>> import perma_agent.envs
        >>> squares = numpy.full((1, 28, 28), 255, numpy.uint8)  # or load_image_set("mnist").images, with their labels
        >>> table = gymnasium.make("perma/SpriteTable-v0", images=squares, size=32, channels=1)
        >>> frame, info = table.reset(seed=0)
        >>> frame.shape, info["factors"]["x"].item()
        ((32, 32, 1), 0.5)

    Args:
        images: uint8, shape `[N, H, W]`, resized to sprites once; None for scikit-learn's handwritten digits.
        labels: class of each, shape `[N]`; None gives images of one's own class 0.
        **arguments: fields of `TableConfig`.

    Raises:
        LevelError: an argument is unknown or has an invalid value.

    Reference:
        VASE, section 4, "Imagination-driven exploration", and figure 5B.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012  Gymnasium's own way

    def __init__(self, *, images: Any = None, labels: Any = None, **arguments: Any) -> None:
        self.config: TableConfig = read_arguments(TableConfig, arguments, others=("images", "labels"))
        self.sprites: Sprites = make_sprites(images, labels, side=self.config.side)
        self._specs = _factor_specs(self.sprites)
        self.render_mode = self.config.render_mode
        self.action_space = gym.spaces.Discrete(len(PUSHES))
        shape = (self.config.size, self.config.size, self.config.channels)
        self.observation_space = gym.spaces.Box(0, 255, shape, dtype=np.uint8)
        self._room = self.config.size - self.config.side
        self._picture = 0
        self._place = np.zeros(2, dtype=np.int64)
        self._steps = 0
        self._succeeded = False

    @property
    def factor_specs(self) -> tuple[FactorSpec, ...]:
        """Names, shapes, units and ranges of `info["factors"]`."""
        return self._specs

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Lay down a picture; without a seed, the next one of the sequence that the last seed began."""
        super().reset(seed=seed)
        self._steps, self._succeeded = 0, False
        self._lay_down()
        return self._frame(), self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Push once; the time limit is the wrapper's that `gymnasium.make` puts round the level."""
        number = int(action)
        if not 0 <= number < len(PUSHES):
            raise ValueError(f"expected an action from 0 to {len(PUSHES) - 1}, got {number}")
        self._steps += 1
        if self.config.every is not None and self._steps % self.config.every == 0:
            self._lay_down()
        elif self.config.moves == "by itself":
            self._place = self._anywhere()
        else:
            self._place = np.clip(self._place + self.config.step * _WAYS[number], 0, self._room)
        ended = not self._succeeded and self._on_target()
        self._succeeded |= ended
        return self._frame(), float(ended), ended, False, self._info()

    def render(self) -> np.ndarray | None:
        """The frame enlarged for people, RGB."""
        if self.render_mode is None:
            gym.logger.warn("render() was called on a level made without render_mode; pass render_mode='rgb_array'")
            return None
        times = -(-SHOWN // self.config.size)
        frame = self._frame().repeat(times, axis=0).repeat(times, axis=1)
        picture = frame if self.config.channels == 3 else np.repeat(frame, 3, axis=2)
        if self.render_mode == "rgb_array":
            return picture
        show(picture, title="perma/SpriteTable-v0")
        return None

    def factors(self) -> Factors:
        """Ground truth of the current frame."""
        x, y = self._place / max(self._room, 1)
        values = (x, y, self.sprites.classes[self._picture], self._picture)
        return {spec.name: np.array([value], dtype=np.float32) for spec, value in zip(self._specs, values, strict=True)}

    def _lay_down(self) -> None:
        self._picture = int(self.np_random.integers(len(self.sprites)))
        anywhere = self.config.moves == "by itself" or self.config.start == "random"
        self._place = self._anywhere() if anywhere else np.full(2, self._room // 2)

    def _anywhere(self) -> np.ndarray:
        place: np.ndarray = self.np_random.integers(0, self._room + 1, size=2)
        return place

    def _on_target(self) -> bool:
        if self.config.target is None:
            return False
        away = np.abs(self._place - np.array(self.config.target) * self._room)
        return bool((away <= self.config.step / 2).all())

    def _frame(self) -> np.ndarray:
        size, side, (x, y) = self.config.size, self.config.side, self._place
        frame = np.zeros((size, size), dtype=np.uint8)
        frame[y : y + side, x : x + side] = self.sprites.pictures[self._picture]
        if self.config.inverse:
            frame = 255 - frame
        return np.repeat(frame[:, :, None], self.config.channels, axis=2)

    def _info(self) -> dict[str, Any]:
        return {"factors": ToldFactors(self.factors()), "is_success": self._succeeded}


def _factor_specs(sprites: Sprites) -> tuple[FactorSpec, ...]:
    ends = {"class": int(sprites.classes.max()), "image": len(sprites) - 1}
    ways = {"x": "from left to right", "y": "from top to bottom"}
    return (
        *(
            FactorSpec(name=name, shape=(1,), low=0.0, high=1.0, unit="share", meaning=f"Of the way {way}.")
            for name, way in ways.items()
        ),
        *(
            FactorSpec(name=name, shape=(1,), low=0, high=end, unit="index", meaning=f"Number of the {name} shown.")
            for name, end in ends.items()
        ),
    )


def _check_target(target: object) -> None:
    if not isinstance(target, tuple | list) or len(target) != 2:
        raise LevelError(f"expected target to be (x, y), two numbers from 0 to 1, got {target!r}")
    for axis, value in zip("xy", target, strict=True):
        check_range(f"{axis} of target", value, low=0.0, high=1.0)
