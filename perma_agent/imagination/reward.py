"""Imagination bonus: pays an agent for bringing about configurations that it imagines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from gymnasium import spaces

from perma_agent.continual import Learner
from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions
from perma_agent.imagination.code_reading import CodeReading, Read
from perma_agent.imagination.configurations import KINDS
from perma_agent.imagination.goals import Goals
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.imaginer import Imaginer
from perma_agent.imagination.pursuit import Pursuits
from perma_agent.imagination.realisation import Realisation
from perma_agent.imagination.worldview import Worldview


class ImaginationBonus(Bonus):
    """Each level pursues an imagined configuration z*; what is paid is progress toward it.

        r = γ Φ(z') - Φ(z) + arrival · [d(z') ≤ radius],   Φ(z) = -d(z),   d in spreads of the latents (`Pursuits`)

    With γ = 1 the sum over any path is what was gained on the goal: standing still and closed circles are paid exactly
    nothing. A goal is left on arrival and after `horizon` steps; nothing is paid across an episode's end, and the next
    step begins where the next episode does. Which kinds of goals, and which factors, can be had in which environment is
    learnt on the way (`realisation`), and goals are chosen by it:

        chance of a kind ∝ share · θ_kind;   within it  ∝ novelty^sharpness · plausibility · min θ_n of those replaced

    A policy is shown what it lacks of the goal, weighed as it is paid:

        gap_n = √w_n (z*_n - z_n),   so that ‖gap‖ = d(z) = -Φ(z)

    It says in which direction the goal lies and nothing of what does not matter to it; shown z* itself, beside z, a
    policy would have to learn that first.

    Until enough was met, and where nothing plausible is left, a level has no goal: it is paid 0 and lacks nothing.

    When the VASE moves, `renew` is called with its learner: all codes met are encoded again from their frames, goals
    under pursuit are composed again by their recipes, or dropped where a code that they need is no longer remembered.
    `ContinualVASECallback` does so by itself. Levels that show codes made by another encoder cannot be renewed.

    Example:
        >>> bonus = ImaginationBonus(ImaginationConfig(run="runs/vase"))

    Args:
        config: settings.
        worldview: of the VASE, instead of that in `config.run`.

    Reference:
        VASE, section 4, "Imagination-driven exploration"; Ng, Harada and Russell, Policy invariance under reward
        transformations (1999), for the potential.
    """

    def __init__(self, config: ImaginationConfig | None = None, *, worldview: Worldview | None = None) -> None:
        self.config = config or ImaginationConfig()
        self._given = worldview

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Read the VASE and make room for goals; any actions will do."""
        config, worldview = self.config, self._given
        if worldview is None and config.run is not None:
            worldview = Worldview.of_run(config.run, device=config.device)
        self._reading = CodeReading(observation_space, worldview, start=config.start)
        size = self._reading.size
        self.imaginer = Imaginer(worldview, config=config, latents=size, sees_frames=self._reading.sees_frames)
        self.realisation = Realisation(KINDS, latents=size, config=config.realisation)
        self.pursuits = Pursuits(copies, size)
        self._here = Read(np.zeros((copies, size), dtype=np.float32), None)
        self._left = np.zeros((copies, size), dtype=np.float32)
        rng = np.random.default_rng([config.seed, 3])
        self._goals = Goals(self.pursuits, self.imaginer, realisation=self.realisation, config=config, rng=rng)
        self._publications = 0

    @property
    def goal_space(self) -> spaces.Box:
        """Gaps without bounds, D numbers."""
        return spaces.Box(-np.inf, np.inf, (self._reading.size,), dtype=np.float32)

    @property
    def goals(self) -> np.ndarray:
        """The gap of each level, float32 `[N, D]`; 0 without a goal."""
        return self.pursuits.gap(self._here.codes)

    @property
    def last_goals(self) -> np.ndarray:
        """The gap that was left at the end of the last step, float32 `[N, D]`."""
        return self._left

    def begin(self, observations: Observations) -> None:
        """Meet the first frames; levels get new goals."""
        self._here = self._read(observations)
        self.imaginer.memories.meet(self._here)
        self.pursuits.stop_all()
        self._goals.choose(self._here.codes)

    def reward(self, step: Transitions) -> np.ndarray:
        """Pay for progress and arrival, then give new goals where one was reached or time is up."""
        after, pursuits = self._read(step.next_observations), self.pursuits
        self.imaginer.memories.meet(after)
        self.imaginer.change(after.codes - self._here.codes)
        before_distance, distance = pursuits.distance(self._here.codes), pursuits.distance(after.codes)
        pursuits.follow(after.codes)
        self._left = pursuits.gap(after.codes)
        reached = pursuits.active & (distance <= pursuits.radius)
        paid: np.ndarray = before_distance - self.config.discount * distance + self.config.arrival * reached
        over = pursuits.active & (reached | (pursuits.steps >= self.config.horizon))
        broken_off = pursuits.active & step.ended & self.config.renew_at_end & ~over
        for level in np.flatnonzero(over | broken_off):
            self._goals.end(int(level), reached=bool(reached[level]))
        self._here = self._following(step, after)
        for level in np.flatnonzero(step.ended & pursuits.active):
            self._goals.go_on(int(level), self._here.codes[level])
        self._goals.choose(self._here.codes)
        return paid

    def learn(self) -> dict[str, float]:
        """Remember what was met since, and imagine anew; returns what came of the goals that ended."""
        before = self.imaginer.environment
        figures = self.imaginer.learn()
        if self.imaginer.environment != before:
            self.pursuits.stop_all()
        figures |= self._goals.take_figures()
        for row in self.realisation.table():
            if row["what"] == "kind" and row["environment"] == self.imaginer.environment:
                figures[f"chance/{row['name']}"] = row["chance"]
        return figures

    def renew(self, learner: Learner) -> bool:
        """The VASE was published; at every `renew_every`-th time take it over.

        Args:
            learner: of the VASE; copied.

        Returns:
            Whether it was taken over.

        Raises:
            ValueError: the levels show codes, made by an encoder that is not renewed with it.
        """
        if not self._reading.sees_frames:
            raise ValueError(
                "expected levels that show frames, got codes that an encoder made which is not renewed; leave out "
                "EncodedObservation where the VASE goes on learning"
            )
        self._publications += 1
        if self._publications % self.config.renew_every:
            return False
        worldview, before = Worldview.of_learner(learner), self.imaginer.environment
        self.imaginer.renew(worldview)
        if self._here.frames is not None:
            self._here = Read(worldview.encode(self._here.frames)[0], self._here.frames)
        if self.imaginer.environment != before:
            self.pursuits.stop_all()
        for level in np.flatnonzero(self.pursuits.active):
            self._goals.compose_again(int(level), self._here.codes[level])
        return True

    def state_dict(self) -> dict[str, Any]:
        """Memory, goals, counts and generators; the VASE too if it was renewed."""
        return {
            "config": _plain(self.config),
            "imaginer": self.imaginer.state_dict(),
            "realisation": self.realisation.state_dict(),
            "pursuits": self.pursuits.state_dict(),
            "here": {"codes": self._here.codes.copy(), "frames": self._here.frames},
            "goals": self._goals.state_dict(),
            "publications": self._publications,
        }

    def load_state_dict(self, state: State) -> None:
        """Go on where another one stood; goals of another number of levels are not taken over.

        Raises:
            ValueError: it was of another configuration or of other codes.
        """
        size = self._reading.size
        if dict(state["config"]) != _plain(self.config) or len(state["imaginer"]["spread"]) != size:
            raise ValueError(
                f"expected the state of an ImaginationBonus with {_plain(self.config)} over codes of {size} numbers, "
                f"got {dict(state['config'])} over {len(state['imaginer']['spread'])}; make it as before"
            )
        self.imaginer.load_state_dict(state["imaginer"])
        self.realisation.load_state_dict(state["realisation"])
        if len(state["pursuits"]["active"]) == len(self.pursuits.active):
            self.pursuits.load_state_dict(state["pursuits"])
            self._here = Read(np.array(state["here"]["codes"]), state["here"]["frames"])
        self._goals.load_state_dict(state["goals"])
        self._publications = int(state["publications"])

    def _read(self, observations: Observations) -> Read:
        return self._reading(observations, self.imaginer.worldview)

    def _following(self, step: Transitions, after: Read) -> Read:
        """What the next step starts from: only first frames of new episodes are looked at once more."""
        where = np.flatnonzero(step.ended)
        if not len(where):
            return after
        follows = step.following
        some = {name: part[where] for name, part in follows.items()} if isinstance(follows, dict) else follows[where]
        first = self._read(some)
        self.imaginer.memories.meet(first)
        return after.replaced(where, first)


def _plain(config: ImaginationConfig) -> dict[str, Any]:
    """Without what may change from machine to machine."""
    values: Mapping[str, Any] = asdict(replace(config, run=None))
    return {name: value for name, value in values.items() if name not in ("run", "device")}
