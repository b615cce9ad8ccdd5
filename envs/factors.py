"""The ground-truth factors every level reports: fixed names, shapes, units and ranges, the same in every setting."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from perma_agent.envs.sight import Bodies, Eye, egocentric, look
from perma_agent.envs.vocabulary import COLOURS, KINDS
from perma_agent.errors import LevelError

SLOTS = 8
"""Objects reported at each frame."""
FAR = 20.0
"""`distance_ahead` is cut off here, metres."""
Factors = dict[str, np.ndarray]


class ToldFactors(Factors):
    """What `info["factors"]` holds: computed when somebody looks, and never written to.

    Most steps of a policy ask for no ground truth, and computing it takes a quarter of a step. Whatever it is computed
    from must stay as it was at that frame. The arrays are read-only, and therefore shared by deep copies: SB3's
    `DummyVecEnv` copies all infos deeply at each step. Pickling computes them. Code in C that reads a dict past its
    methods, as some JSON writers do, sees an empty one before somebody looked: give it `dict(factors)`.

    Args:
        factors: as they are, or what computes them from the frame.
    """

    def __init__(self, factors: Factors | Callable[[], Factors]) -> None:
        super().__init__()
        self._compute: Callable[[], Factors] | None = factors if callable(factors) else lambda: factors

    def _look(self) -> None:
        if self._compute is not None:
            computed, self._compute = self._compute(), None
            for values in computed.values():
                values.setflags(write=False)
            super().update(computed)

    def __deepcopy__(self, memo: dict[int, Any]) -> ToldFactors:
        return self

    def __reduce__(self) -> tuple[type[ToldFactors], tuple[Factors]]:
        return ToldFactors, (dict(self),)


def _looking(name: str) -> Callable[..., Any]:
    """The method of `dict`, which looks first."""
    method = getattr(dict, name)

    @functools.wraps(method)
    def looked(self: ToldFactors, *args: Any, **kwargs: Any) -> Any:
        self._look()
        return method(self, *args, **kwargs)

    return looked


for _name in (
    *("__contains__", "__eq__", "__getitem__", "__iter__", "__len__", "__ne__", "__or__", "__repr__", "__reversed__"),
    *("__ror__", "copy", "get", "items", "keys", "values"),
    *("__delitem__", "__ior__", "__setitem__", "clear", "pop", "popitem", "setdefault", "update"),
):
    setattr(ToldFactors, _name, _looking(_name))
del _name


@dataclass(frozen=True, kw_only=True)
class FactorSpec:
    """One ground-truth factor: what its numbers mean."""

    name: str
    """Key in `info["factors"]`."""
    shape: tuple[int, ...]
    """Of its float32 array."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    unit: str
    """`m`, `rad`, `deg`, `share` (0 to 1), `index` or `flag`."""
    meaning: str
    """One sentence."""
    period: float | None = None
    """Values this far apart are the same, None where the factor does not wrap round."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What there is at one frame, wherever the agent stands."""

    bodies: Bodies
    """All objects, in the order of their slots."""
    slots: tuple[int, ...]
    """Slot of each body, 0 to `SLOTS` - 1."""
    kinds: tuple[str, ...]
    """Kind of each body, one of `KINDS`."""
    colours: tuple[str, ...]
    """Colour of each body, one of `COLOURS`."""
    segments: np.ndarray
    """All that stops the agent, shape `[M, 2, 2]`."""

    @functools.cached_property
    def labels(self) -> Factors:
        """The factors that do not depend on the agent's pose."""
        labels = {
            name: np.zeros(SLOTS, dtype=np.float32) for name in ("object_present", "object_kind", "object_colour")
        }
        slots = list(self.slots)
        labels["object_present"][slots] = 1.0
        labels["object_kind"][slots] = [KINDS.index(kind) for kind in self.kinds]
        labels["object_colour"][slots] = [COLOURS.index(colour) for colour in self.colours]
        return labels


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Everything the factors are computed from, at one frame."""

    eye: Eye
    """The camera, which stands over the agent's middle."""
    light: float
    """Brightness of the level's light, 0 to 1."""
    surroundings: Surroundings
    """Objects and walls."""


def factor_specs(*, low: tuple[float, float], high: tuple[float, float], beyond: float = 0.0) -> tuple[FactorSpec, ...]:
    """The factors of a level, in the order of `info["factors"]`.

    An empty slot (no such object, or it was touched) holds 0 in all five object factors; `object_present` tells it
    from an object that happens to stand at the agent's own place.

    Args:
        low: smallest x and z of the ground, metres.
        high: largest x and z.
        beyond: how far outside the ground an object may stand, metres.
    """
    span = float(np.hypot(high[0] - low[0], high[1] - low[1])) + beyond
    spec = FactorSpec
    each = (SLOTS,)
    return (
        spec(name="x", shape=(1,), low=low[0], high=high[0], unit="m", meaning="Agent's place along x."),
        spec(name="z", shape=(1,), low=low[1], high=high[1], unit="m", meaning="Agent's place along z."),
        spec(
            name="heading",
            shape=(1,),
            low=-np.pi,
            high=np.pi,
            unit="rad",
            meaning="Where the agent looks, anticlockwise seen from above, 0 along +x, -π/2 along +z.",
            period=2 * np.pi,
        ),
        spec(
            name="distance_ahead",
            shape=(1,),
            low=0.0,
            high=FAR,
            unit="m",
            meaning="From the agent's middle straight ahead to the first wall or object, cut off at the upper end.",
        ),
        spec(name="light", shape=(1,), low=0.0, high=1.0, unit="share", meaning="Brightness of the level's light."),
        spec(name="camera_height", shape=(1,), low=0.5, high=2.0, unit="m", meaning="Of the camera above ground."),
        spec(name="camera_pitch", shape=(1,), low=-45.0, high=45.0, unit="deg", meaning="Camera's tilt, up positive."),
        spec(name="camera_fov", shape=(1,), low=30.0, high=120.0, unit="deg", meaning="Vertical angle of view."),
        spec(name="object_present", shape=each, low=0, high=1, unit="flag", meaning="Whether the slot is filled."),
        spec(name="object_kind", shape=each, low=0, high=len(KINDS) - 1, unit="index", meaning="Place in KINDS."),
        spec(name="object_colour", shape=each, low=0, high=len(COLOURS) - 1, unit="index", meaning="Place in COLOURS."),
        spec(
            name="object_position",
            shape=(SLOTS, 2),
            low=-span,
            high=span,
            unit="m",
            meaning="Egocentric: metres ahead of the agent, metres to its right.",
        ),
        spec(
            name="object_visible",
            shape=each,
            low=0.0,
            high=1.0,
            unit="share",
            meaning="Of the object's width, what is in the picture and not hidden by a wall or a nearer object.",
        ),
    )


def compute_factors(sighting: Sighting) -> Factors:
    """The factors at one frame: a new dict of new float32 arrays with the names and shapes of `factor_specs`."""
    eye, around = sighting.eye, sighting.surroundings
    slots = list(around.slots)
    heading = (eye.heading + np.pi) % (2 * np.pi) - np.pi
    ahead, visible = look(eye, around.bodies, around.segments)
    factors = {
        "x": _scalar(eye.position[0]),
        "z": _scalar(eye.position[1]),
        "heading": _scalar(heading),
        "distance_ahead": _scalar(min(ahead, FAR)),
        "light": _scalar(sighting.light),
        "camera_height": _scalar(eye.height),
        "camera_pitch": _scalar(eye.pitch),
        "camera_fov": _scalar(eye.field_of_view),
        **{name: values.copy() for name, values in around.labels.items()},
        "object_position": np.zeros((SLOTS, 2), dtype=np.float32),
        "object_visible": np.zeros(SLOTS, dtype=np.float32),
    }
    if slots:
        place = egocentric(around.bodies.positions, origin=eye.position, heading=eye.heading)
        factors["object_position"][slots] = place
        factors["object_visible"][slots] = visible
    return factors


def factor_specs_of(level: Any) -> tuple[FactorSpec, ...]:
    """The factors of a level, bare or in Gymnasium's wrappers.

    Raises:
        LevelError: for a level that reports none.
    """
    specs = getattr(level.unwrapped, "factor_specs", None)
    if specs is None:
        raise LevelError(
            f"expected a level that reports factors, got {type(level.unwrapped).__name__}; "
            "make it with perma_agent.envs.make_level"
        )
    return tuple(specs)


def outside_range(factors: Mapping[str, np.ndarray], specs: tuple[FactorSpec, ...]) -> list[str]:
    """Names of the factors whose shape, type or values are not what their spec says; empty when all is well."""
    wrong = [name for name in factors if name not in {spec.name for spec in specs}]
    for spec in specs:
        values = factors.get(spec.name)
        if values is None or values.shape != spec.shape or values.dtype != np.float32:
            wrong.append(spec.name)
            continue
        if not ((values >= spec.low - 1e-4) & (values <= spec.high + 1e-4)).all():  # False for NaN too
            wrong.append(spec.name)
    return wrong


def _scalar(value: float) -> np.ndarray:
    return np.array([value], dtype=np.float32)
