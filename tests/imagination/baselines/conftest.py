"""Steps of levels that exist only as arrays, and small bonuses of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from perma_agent.imagination.bonus import Bonus, Observations, Transitions
from perma_agent.imagination.make_bonus import make_bonus

LEVELS = 3
PICTURE = spaces.Box(0, 255, (40, 40, 3), np.uint8)
VECTOR = spaces.Box(-np.inf, np.inf, (4,), np.float32)
OBSERVED: dict[str, spaces.Space[Any]] = {
    "picture": PICTURE,
    "vector": VECTOR,
    "dict": spaces.Dict({"picture": PICTURE, "vector": VECTOR, "choice": spaces.Discrete(3)}),
}
ACTED: dict[str, spaces.Space[Any]] = {
    "discrete": spaces.Discrete(3),
    "box": spaces.Box(-1.0, 1.0, (2,), np.float32),
}
SMALL = {"features": 16, "hidden": (16,), "batch_size": 16}
OPTIONS: dict[str, dict[str, Any]] = {
    "rnd": {**SMALL, "predictor": (16,), "learning_rate": 1e-3},
    "icm": SMALL,
    "disagreement": {**SMALL, "members": 3, "learning_rate": 1e-3},
    "apt": {**SMALL, "neighbours": 3, "memory": 20},
    "skew-fit": {"memory": 20, "horizon": 4},
    "count": {},
    "none": {},
    "imagination": {"enough": 8, "memory": 32, "imagined": 16, "judged": 4, "horizon": 4},
}


def draw(space: spaces.Space[Any], rng: np.random.Generator, count: int = LEVELS) -> Observations:
    """Random observations of a space, from a generator of our own."""
    if isinstance(space, spaces.Dict):
        return {name: draw(part, rng, count) for name, part in space.items()}  # type: ignore[misc]
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.n, size=count)
    if isinstance(space, spaces.MultiDiscrete):
        return rng.integers(space.nvec, size=(count, len(space.nvec)))
    if isinstance(space, spaces.MultiBinary):
        return rng.integers(2, size=(count, space.n)).astype(np.int8)
    if space.dtype == np.uint8:
        return rng.integers(256, size=(count, *space.shape), dtype=np.uint8)
    return rng.normal(size=(count, *space.shape)).astype(np.float32).clip(space.low, space.high)


def walk(
    observed: spaces.Space[Any], acted: spaces.Space[Any], *, steps: int, seed: int = 0, ends: bool = True
) -> list[Transitions]:
    """Steps that follow each other; now and then an episode ends in one of the levels."""
    rng = np.random.default_rng(seed)
    found = []
    before = draw(observed, rng)
    for number in range(steps):
        after, fresh = draw(observed, rng), draw(observed, rng)
        ended = np.array([ends and (number + level) % 5 == 4 for level in range(LEVELS)])
        places = rng.uniform(-2, 2, size=(LEVELS, 2)).astype(np.float32)
        infos = tuple({"factors": {"x": place[:1], "z": place[1:]}} for place in places)
        found.append(
            Transitions(
                observations=before,
                actions=np.asarray(draw(acted, rng)),
                next_observations=after,
                ended=ended,
                timed_out=ended & (number % 2 == 0),
                following=mixed(after, fresh, ended),
                infos=infos,
            )
        )
        before = found[-1].following
    return found


def mixed(after: Observations, fresh: Observations, ended: np.ndarray) -> Observations:
    """What the next step starts from."""
    if isinstance(after, dict):
        return {name: mixed(after[name], fresh[name], ended) for name in after}  # type: ignore[index, misc]
    assert not isinstance(fresh, dict)
    return np.where(ended.reshape(-1, *[1] * (after.ndim - 1)), fresh, after)


def make(name: str, observed: spaces.Space[Any], acted: spaces.Space[Any], *, run: str, **options: Any) -> Bonus:
    """A bonus bound to three levels."""
    options = {**OPTIONS[name], **options}
    pictures = observed is not VECTOR
    if name in ("skew-fit", "imagination") and pictures:
        options["run"] = run
    bonus = make_bonus(name, **options)
    bonus.bind(observed, acted, copies=LEVELS)
    return bonus


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run folder of the tiniest VASE, untrained."""
    import torch

    from perma_agent.continual import Learner, LearnerConfig
    from perma_agent.continual.checkpoint import save_run
    from perma_agent.models import VASE, VASEConfig

    torch.manual_seed(0)
    config = VASEConfig(channels=3, image_size=32, filters=(4, 4, 4, 4), hidden=8, latents=4, likelihood="gaussian")
    folder = tmp_path_factory.mktemp("vase") / "run"
    save_run(Learner(VASE(config), LearnerConfig()), folder)
    return str(folder)


@pytest.fixture(scope="session")
def bonus_of(run: str) -> Callable[..., Bonus]:
    """Makes a small bonus by name, for kinds of observations and actions."""

    def of(name: str, observed: str = "vector", acted: str = "discrete", **options: Any) -> Bonus:
        return make(name, OBSERVED[observed], ACTED[acted], run=run, **options)

    return of


@pytest.fixture(scope="session")
def steps_of() -> Callable[..., list[Transitions]]:
    """Makes steps of kinds of observations and actions."""

    def of(observed: str = "vector", acted: str = "discrete", **options: Any) -> list[Transitions]:
        return walk(OBSERVED[observed], ACTED[acted], **options)

    return of
