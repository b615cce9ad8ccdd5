"""Count: how seldom a cell of the true factors was met, which no agent that only looks can know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces

from perma_agent.errors import LevelError
from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions


@dataclass(frozen=True, kw_only=True)
class CountConfig:
    """Settings of `Count`."""

    bins: Mapping[str, float] = field(default_factory=lambda: {"x": 0.5, "z": 0.5})
    """Which factors of `info["factors"]` are counted, and how wide a cell is in each, in the factor's own unit: by
    default the agent's place on the ground, half a metre wide and deep. A factor of several numbers is cut in each.
    E.g. `{"x": 0.5, "z": 0.5, "heading": 0.785}` for places and eight directions, `{"object_kind": 1}` for kinds."""

    def __post_init__(self) -> None:
        if not self.bins or any(width <= 0 for width in self.bins.values()):
            raise ValueError(f"expected bins with a width above 0 for one factor at least, got {dict(self.bins)}")


class Count(Bonus):
    """Hash count on the true factors: the oracle that other bonuses are held against.

        r_t = 1 / √ n( φ(s_{t+1}) ),   φ(s) = ⌊ factor / width ⌋ for each factor

    with n the times that this cell was met so far, this step's included, in all levels together. Steps of one moment
    are all counted before any is paid. The paper hashes states to 64 bits; here the cell itself is the key, so no two
    share one, and β of the paper is the weight of `BonusReward`.

    Args:
        config: which factors.

    Reference:
        Tang et al., #Exploration: a study of count-based exploration for deep reinforcement learning (2017), eq. 1.
    """

    def __init__(self, config: CountConfig | None = None) -> None:
        self.config = config or CountConfig()
        self.counts: dict[tuple[int, ...], int] = {}
        """Times that each cell was met."""

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Any levels that know their factors will do; whether they do shows at the first step."""

    def begin(self, observations: Observations) -> None:
        """A reset tells no factors: first frames are not counted."""

    def reward(self, step: Transitions) -> np.ndarray:
        """Count the cells, then pay for them.

        Raises:
            LevelError: a level does not say a factor that is counted.
        """
        cells = [self.cell(info) for info in step.infos]
        for cell in cells:
            self.counts[cell] = self.counts.get(cell, 0) + 1
        return np.array([self.counts[cell] ** -0.5 for cell in cells])

    def cell(self, info: Mapping[str, Any]) -> tuple[int, ...]:
        """Which cell a level's info tells of."""
        factors = info.get("factors", {})
        found: list[int] = []
        for name, width in self.config.bins.items():
            values = np.ravel(np.asarray(factors.get(name, np.nan), dtype=np.float64))
            if not np.isfinite(values).all():
                raise LevelError(
                    f"expected the factor {name} in the level's info to count by, got {', '.join(factors) or 'none'}; "
                    "choose bins for factors that it has"
                )
            found += [int(number) for number in np.floor(values / width)]
        return tuple(found)

    def learn(self) -> dict[str, float]:
        """Nothing to learn; says how many cells there are."""
        return {"cells": float(len(self.counts))}

    def state_dict(self) -> dict[str, Any]:
        """Cells and their counts, as two arrays."""
        cells = np.array(list(self.counts), dtype=np.int64)
        counts = np.array(list(self.counts.values()), dtype=np.int64)
        return {"config": asdict(self.config), "cells": cells, "counts": counts}

    def load_state_dict(self, state: State) -> None:
        """Go on where another one stood.

        Raises:
            ValueError: it counted by other bins.
        """
        if list(state["config"]["bins"].items()) != list(self.config.bins.items()):
            raise ValueError(
                f"expected the counts by {dict(self.config.bins)}, got those by {dict(state['config']['bins'])}; give "
                "the same bins"
            )
        cells = (tuple(cell) for cell in np.asarray(state["cells"]).tolist())
        self.counts = dict(zip(cells, np.asarray(state["counts"]).tolist(), strict=True))
