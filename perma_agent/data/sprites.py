"""Sprites with known factors, rendered here: shape, scale, rotation, place and hue, any of them open or fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

import numpy as np

from perma_agent.data import sprite_rendering as rendering
from perma_agent.data.transitions import laplace_transition, uniform_transition
from perma_agent.types import FramePairs

Factor = Literal["shape", "scale", "rotation", "x", "y", "hue"]
Transition = Literal["laplace", "uniform"]
FACTORS: tuple[str, ...] = get_args(Factor)
SIZES: Mapping[str, int] = MappingProxyType({"shape": 3, "scale": 6, "rotation": 10, "x": 32, "y": 32, "hue": 12})
"""Values of each factor where nothing else is asked for; dSprites has 40 rotations, over the full circle."""
CATEGORICAL = frozenset({"shape"})
"""Factors whose values have no order; a Laplace transition leaves them alone."""


@dataclass(frozen=True)
class SpriteBatch:
    """Frames of a sprite world with the factors they show."""

    frames: np.ndarray
    """uint8, shape `[B, C, S, S]`."""
    factors: np.ndarray
    """Value of each open factor, int64, shape `[B, K]`."""

    def __len__(self) -> int:
        return len(self.frames)


class SpritePairs(NamedTuple):
    """Pairs of frames of a sprite world with the factors of both."""

    pairs: FramePairs
    """B pairs, all with offset 1."""
    factors: np.ndarray
    """Of `pairs.frames`, int64, shape `[B, K]`."""
    earlier_factors: np.ndarray
    """Of `pairs.earlier`, int64, shape `[B, K]`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SpriteWorld:
    """One sprite on a black canvas, as in dSprites, with factors of which some are open and the others fixed.

    Values are numbered from 0. `shape`: square, ellipse, heart, of equal area 2r² where r is the circle around them.
    `scale`: r from 0.1 to 0.2 canvases. `rotation`: counter-clockwise over [0°, 90°), since a square that is turned
    by 90° is the same and every value shall be another frame; the step from the last value back to the first is
    small for a square only. `x`, `y`: from the left and the top, in steps of whole quarters of a pixel, over all places
    at which the largest sprite is in the frame. `hue`: around the colour circle from red.

    Raises:
        ValueError: a factor, a number of values, a fixed value, `channels` or `canvas` is not usable.
    """

    open_factors: tuple[str, ...] = ("shape", "scale", "rotation", "x", "y")
    """Factors that vary; kept in the order shape, scale, rotation, x, y, hue."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Values of a factor, at least 2 of an open one; those not named have `SIZES`."""
    fixed: Mapping[str, int] = field(default_factory=dict)
    """Value of a factor that is not open; those not named are square, largest, upright, in the middle and red."""
    channels: Literal[1, 3] = 1
    """1: white sprites; 3: RGB, of the hue's colour."""
    canvas: int = 64
    """S, side of the frames in pixels, at least 16: 64 in the paper, 32 in the bench preset."""
    _values: Mapping[str, np.ndarray] = field(init=False, repr=False)
    _masks: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check()
        values = {name: self._all_values(name) for name in FACTORS}
        middle = {name: len(values[name]) // 2 for name in ("x", "y")}
        fixed = {"shape": 0, "scale": len(values["scale"]) - 1, "rotation": 0, **middle, "hue": 0, **self.fixed}
        for name, value in fixed.items():
            if not 0 <= value < len(values[name]):
                raise ValueError(f"expected {name} fixed at 0 to {len(values[name]) - 1}, got {value}")
            if name not in self.open_factors:
                values[name] = values[name][value : value + 1]
        object.__setattr__(self, "open_factors", tuple(name for name in FACTORS if name in self.open_factors))
        object.__setattr__(self, "_values", values)
        masks = rendering.render_masks(
            shapes=values["shape"].tolist(),
            sizes=values["scale"],
            rotations=values["rotation"],
            phases_y=_phases(values["y"]),
            phases_x=_phases(values["x"]),
            canvas=self.canvas,
        )
        object.__setattr__(self, "_masks", masks)

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The K open factors, in the order of the columns of `factors`."""
        return self.open_factors

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """Values of each open factor."""
        return tuple(len(self._values[name]) for name in self.open_factors)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the frames."""
        return (self.channels, self.canvas, self.canvas)

    def draw(self, count: int, rng: np.random.Generator) -> SpriteBatch:
        """Draw frames, every open factor uniform and by itself.

        Args:
            count: B, at least 1.
            rng: all randomness comes from here; the same state gives the same frames.
        """
        factors = self._draw_factors(count, rng)
        return SpriteBatch(self.render(factors), factors)

    def render(self, factors: np.ndarray) -> np.ndarray:
        """Frames that show given factors, uint8, shape `[B, C, S, S]`.

        Args:
            factors: value of each open factor, whole numbers, shape `[B, K]`.

        Raises:
            ValueError: a value does not exist.
        """
        numbers = np.asarray(factors)
        sizes = self.factor_sizes
        if numbers.ndim != 2 or numbers.shape[1] != len(sizes) or numbers.dtype.kind not in "iu":
            raise ValueError(
                f"expected whole numbers [B, {len(sizes)}] for {self.open_factors}, "
                f"got {numbers.dtype} of shape {numbers.shape}"
            )
        if ((numbers < 0) | (numbers >= sizes)).any():
            raise ValueError(f"expected values of {self.open_factors} from 0 and below {sizes}, got others")
        return self._paste({name: numbers[:, k] for k, name in enumerate(self.open_factors)}, len(numbers))

    def pairs(
        self,
        count: int,
        rng: np.random.Generator,
        *,
        transition: Transition = "laplace",
        rate: float = 1.0,
        changes: int | None = None,
    ) -> SpritePairs:
        """Draw pairs of frames between which few factors change.

        Args:
            count: B, at least 1.
            rng: all randomness comes from here; the same state gives the same pairs.
            transition: `laplace`, ordinal factors by a little (see `laplace_transition`), or `uniform`, k of all
                factors by anything (see `uniform_transition`).
            rate: of the Laplace law; larger means smaller and fewer moves.
            changes: k of the uniform transition; None draws it for each pair from 1 … K − 1.

        Raises:
            ValueError: the transition is unknown, or not possible with the open factors.
        """
        earlier = self._draw_factors(count, rng)
        if transition == "laplace":
            frozen = [name in CATEGORICAL for name in self.open_factors]
            later = laplace_transition(earlier, self.factor_sizes, frozen=frozen, rate=rate, rng=rng)
        elif transition == "uniform":
            later = uniform_transition(earlier, self.factor_sizes, changes=changes, rng=rng)
        else:
            raise ValueError(f"expected a transition among {', '.join(get_args(Transition))}, got {transition!r}")
        pairs = FramePairs(self.render(later), self.render(earlier), np.ones(count, np.int64))
        return SpritePairs(pairs, later, earlier)

    def _draw_factors(self, count: int, rng: np.random.Generator) -> np.ndarray:
        if count < 1:
            raise ValueError(f"expected a batch of at least 1 frame, got {count}")
        return rng.integers(0, self.factor_sizes, size=(count, len(self.open_factors)))

    def _paste(self, numbers: Mapping[str, np.ndarray], batch: int) -> np.ndarray:
        shape, scale, rotation, x, y, hue = (numbers.get(name, np.zeros(batch, np.int64)) for name in FACTORS)
        column, phase_x = np.divmod(self._values["x"][x], rendering.PHASES)
        row, phase_y = np.divmod(self._values["y"][y], rendering.PHASES)
        place_x = np.searchsorted(_phases(self._values["x"]), phase_x)
        place_y = np.searchsorted(_phases(self._values["y"]), phase_y)
        masks = self._masks[shape, scale, rotation, place_y, place_x][:, None]
        if self.channels == 3:
            rgb = self._values["hue"][hue][:, :, None, None].astype(np.uint16)
            masks = ((masks * rgb + 127) // 255).astype(np.uint8)
        frames = np.zeros((batch, *self.frame_shape), np.uint8)
        side = masks.shape[-1]
        windows = np.lib.stride_tricks.sliding_window_view(frames, (side, side), axis=(2, 3), writeable=True)
        windows[np.arange(batch), :, row, column] = masks
        return frames

    def _all_values(self, name: str) -> np.ndarray:
        """What the numbers of a factor stand for."""
        count = self.sizes.get(name, SIZES[name])
        match name:
            case "shape":
                return np.arange(count)
            case "scale":
                return rendering.scales(count)
            case "rotation":
                return rendering.angles(count)
            case "hue":
                return rendering.colours(count)
            case _:
                return rendering.places(count, self.canvas)

    def _check(self) -> None:
        unknown = sorted({*self.open_factors, *self.sizes, *self.fixed} - set(FACTORS))
        if unknown or not self.open_factors:
            raise ValueError(f"expected open factors among {', '.join(FACTORS)}, got {unknown or 'none'}")
        if self.channels not in (1, 3) or ("hue" in self.open_factors and self.channels != 3):
            raise ValueError(f"expected 1 channel, or 3 (which hue needs), got {self.channels}")
        if self.canvas < 16:
            raise ValueError(f"expected a canvas of at least 16 pixels, got {self.canvas}")
        both = sorted(set(self.open_factors) & set(self.fixed))
        if both:
            raise ValueError(f"expected each factor open or fixed, got both for {', '.join(both)}")
        for name, count in self.sizes.items():
            fewest = 2 if name in self.open_factors else 1
            if count < fewest or (name == "shape" and count > len(rendering.SHAPES)):
                raise ValueError(f"expected at least {fewest} values of {name} (at most 3 shapes), got {count}")


def _phases(quarters: np.ndarray) -> np.ndarray:
    """Distances from the pixel before that occur among positions, sorted."""
    return np.unique(quarters % rendering.PHASES)
