"""Skew-Fit: go where one has been, the more seldom the rather."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from perma_agent.imagination.baselines.kernel_density import log_density
from perma_agent.imagination.baselines.latent_codes import LatentCodes
from perma_agent.imagination.baselines.reservoir import Reservoir
from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions


@dataclass(frozen=True, kw_only=True)
class SkewFitConfig:
    """Settings of `SkewFit`."""

    run: str | Path | None = None
    """Run folder of the VASE whose codes are goals; it stays as it is. None where the levels show codes themselves
    (`EncodedObservation`)."""
    alpha: float = -1.0
    """α: power of the density by which goals are drawn, in [-1, 0]; -1 aims at a uniform draw over all that can be
    met, 0 is RIG."""
    memory: int = 1024
    """Codes that goals are drawn from: a uniform sample of all that were met."""
    horizon: int = 100
    """Steps after which a level that has not ended its episode is given another goal; the paper's episodes have 50 to
    100."""
    pays: Literal["distance", "arrival"] = "distance"
    """`distance`: -‖z - z*‖ at each step; `arrival`: 0 within `near` of the goal, -1 elsewhere."""
    near: float = 0.5
    """What counts as arrived, in units of the code."""
    seed: int = 0
    """Of goals and memory."""
    device: str = "cpu"
    """Where to encode."""

    def __post_init__(self) -> None:
        if not (-1 <= self.alpha <= 0 and self.memory >= 1 and self.horizon >= 1 and self.near > 0):
            raise ValueError(f"expected alpha in [-1, 0], memory and horizon >= 1 and near > 0, got {self}")
        if self.pays not in ("distance", "arrival"):
            raise ValueError(f"expected pays to be distance or arrival, got {self.pays!r}")


class SkewFit(Bonus):
    """Goals from what was met, skewed towards the seldom, and the distance to them as reward.

        z* ~ p_skewed,   p_skewed(z_n) = p(z_n)^α / Σ_m p(z_m)^α,   r_t = -‖ z_{t+1} - z* ‖₂

    over a uniform sample of all codes met. A level pursues a goal for `horizon` steps or until its episode ends. The
    policy must be shown what it lacks of it (`show_goal`), z* - z: the reward means nothing without.

    The paper estimates p by its VAE's likelihood, with ten decoded samples a frame, which would cost more than the
    agent on a CPU; here p is a kernel density over the same codes (`log_density`), estimated anew whenever the
    bonus learns. The paper trains its VAE on the skewed sample too; here the VASE is a given.

    Args:
        config: settings.

    Reference:
        Pong, Dalal, Lin, Nair, Bahl and Levine, Skew-Fit: state-covering self-supervised reinforcement learning
        (2020), eq. 4 and algorithm 1; Nair et al., Visual reinforcement learning with imagined goals (2018), for r.
    """

    def __init__(self, config: SkewFitConfig | None = None) -> None:
        self.config = config or SkewFitConfig()

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Read the VASE, and make room for codes and goals; any actions will do."""
        self.codes = LatentCodes(observation_space, self.config.run, device=self.config.device)
        self.met = Reservoir(self.config.memory, seed=self.config.seed)
        self._rng = np.random.default_rng([self.config.seed, 1])
        self.pursued = np.zeros((copies, self.codes.size), dtype=np.float32)
        """z* of each level, float32 `[N, D]`."""
        self._here, self._lacked = np.zeros_like(self.pursued), np.zeros_like(self.pursued)
        self._left = np.zeros(copies, dtype=np.int64)
        self._candidates = np.empty((0, self.codes.size), dtype=np.float32)
        self._chances = np.empty(0)

    @property
    def goal_space(self) -> spaces.Box:
        """Codes without bounds."""
        return spaces.Box(-np.inf, np.inf, (self.codes.size,), dtype=np.float32)

    @property
    def goals(self) -> np.ndarray:
        """z* - z of each level, float32 `[N, D]`."""
        lacking: np.ndarray = self.pursued - self._here
        return lacking

    @property
    def last_goals(self) -> np.ndarray:
        """z* - z at the end of the last step, float32 `[N, D]`."""
        return self._lacked

    def begin(self, observations: Observations) -> None:
        """Meet the first frames, and choose each level's first goal."""
        self._here = self.codes(observations)
        self.met.add({"codes": self._here})
        if len(self._candidates) == 0:
            self._weigh()
        self._choose(np.ones(len(self.pursued), dtype=bool))

    def reward(self, step: Transitions) -> np.ndarray:
        """Pay for the goals that were pursued, then give new ones where it is time."""
        codes = self.codes(step.next_observations)
        self.met.add({"codes": codes})
        distances = np.linalg.norm(codes.astype(np.float64) - self.pursued, axis=1)
        self._lacked, self._here = self.pursued - codes, codes
        if step.ended.any():
            self._here = np.where(step.ended[:, None], self.codes(step.following), codes)
        self._left -= 1
        self._choose(step.ended | (self._left <= 0))
        if self.config.pays == "arrival":
            arrived: np.ndarray = distances <= self.config.near
            return arrived - 1.0
        paid: np.ndarray = -distances
        return paid

    def learn(self) -> dict[str, float]:
        """Estimate the density anew; how many goals are in play, as the exponential of their draw's entropy."""
        self._weigh()
        return {"goals": float(np.exp(-(self._chances * np.log(self._chances + 1e-300)).sum()))}

    def state_dict(self) -> dict[str, Any]:
        """Codes met, goals pursued, and the generators."""
        return {
            "config": _plain(self.config),
            "met": self.met.state_dict(),
            "generator": self._rng.bit_generator.state,
            "goals": self.pursued.copy(),
            "here": self._here.copy(),
            "left": self._left.copy(),
            "candidates": self._candidates.copy(),
            "chances": self._chances.copy(),
        }

    def load_state_dict(self, state: State) -> None:
        """Go on where another one stood; goals of another number of levels are not taken over.

        Raises:
            ValueError: it was of another configuration or of other codes.
        """
        if dict(state["config"]) != _plain(self.config) or state["goals"].shape[1] != self.codes.size:
            raise ValueError(
                f"expected the state of a SkewFit with {_plain(self.config)} over codes of {self.codes.size} numbers, "
                f"got {dict(state['config'])}; make it as before"
            )
        self.met.load_state_dict(state["met"])
        self._rng.bit_generator.state = state["generator"]
        self._candidates, self._chances = np.array(state["candidates"]), np.array(state["chances"])
        if len(state["goals"]) == len(self.pursued):
            self.pursued, self._left = np.array(state["goals"]), np.array(state["left"])
            self._here = np.array(state["here"])

    def _weigh(self) -> None:
        """Take what is in memory for candidates, and how likely each is to be a goal."""
        self._candidates = self.met.sample()["codes"].copy()
        self._chances = skewed(log_density(self._candidates), alpha=self.config.alpha)

    def _choose(self, levels: np.ndarray) -> None:
        """Give these levels, bool `[N]`, a new goal."""
        drawn = self._rng.choice(len(self._candidates), size=int(levels.sum()), p=self._chances)
        self.pursued = self.pursued.copy()  # what was shown stays what it was
        self.pursued[levels] = self._candidates[drawn]
        self._left[levels] = self.config.horizon


def skewed(log_densities: np.ndarray, *, alpha: float) -> np.ndarray:
    """Chances p^α / Σ p^α, shape `[M]`.

    Args:
        log_densities: log p, shape `[M]`, up to a constant.
        alpha: α.
    """
    powers = alpha * log_densities
    weights = np.exp(powers - powers.max())
    chances: np.ndarray = weights / weights.sum()
    return chances


def _plain(config: SkewFitConfig) -> dict[str, Any]:
    """Without what may change from machine to machine."""
    return {name: value for name, value in asdict(config).items() if name not in ("run", "device")}
