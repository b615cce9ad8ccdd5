"""Replayable level: an episode under way as a few numbers, from which another process can play it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from perma_agent.errors import LevelError
from perma_agent.wrappers.record_trajectories import RecordEnv
from perma_agent.wrappers.replayed_episode import ReplayedEpisode


@dataclass(frozen=True, kw_only=True)
class EpisodeState:
    """An episode under way, without the level that shows it."""

    level: str
    """The level and its wrappers, as `str` calls them."""
    arguments: str
    """What the level was made with, as JSON."""
    generator: str
    """State of the level's generator before the episode's reset, as JSON."""
    seed: int | None
    """Given to that reset."""
    options: str
    """Likewise, as JSON."""
    actions: np.ndarray
    """Taken since, shape `[T, ...]`."""
    digest: str
    """SHA-1 over all frames, rewards and ends since the reset, in hexadecimal."""

    def plain(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """From what `plain` gave.

        Raises:
            TypeError: fields are missing or unknown.
        """
        return cls(**plain)


class ReplayableLevel(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Remembers how the episode under way came about, so that it can be taken up in another process.

    Gymnasium has no way to save a level, but a level that is deterministic given its generator can be played again:
    the generator's state before the last reset, and the actions since. What passes through is not touched; each frame
    costs a SHA-1 (20 µs at 64×64 RGB), by which a replay that comes out differently is noticed. Taking up takes as long
    as playing the episode took, without the policy.

    Put it outermost, round `Monitor` and the like: a replay goes through all that is inside, so that a running return
    or a count of steps comes out right. Statistics that a wrapper inside keeps over many episodes do not; normalise
    outside, by SB3's VecNormalize. `RecordTrajectories` inside would store what is played again a second time; put it
    round the VecEnv, where `perma_agent.sb3` sees to it.

    Example:
        >>> from stable_baselines3.common.env_util import make_vec_env
        >>> venv = make_vec_env("CartPole-v1", n_envs=2, wrapper_class=ReplayableLevel)

    Args:
        env: a level that draws all its random numbers from `np_random`.

    Raises:
        ValueError: `RecordTrajectories` is inside.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        inner: Any = env
        while isinstance(inner, gym.Wrapper):
            if isinstance(inner, RecordEnv):
                raise ValueError(
                    "expected no RecordTrajectories inside ReplayableLevel, got one, which would store what is played "
                    "again twice; put it round the VecEnv"
                )
            inner = inner.env
        self._begun = False
        self._generator, self._options = "", "null"
        self._seed: int | None = None
        self._actions: list[np.ndarray] = []
        self._digest = hashlib.sha1(usedforsecurity=False)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and note how.

        Raises:
            LevelError: `options` hold something that is no JSON value.
        """
        try:
            self._options = json.dumps(options)
        except TypeError as error:
            raise LevelError(f"expected options of JSON values, to begin the episode again, got {options}") from error
        self._generator = json.dumps(self.unwrapped.np_random.bit_generator.state, default=_plain_numbers)
        self._seed, self._actions, self._begun = seed, [], True
        self._digest = hashlib.sha1(usedforsecurity=False)
        observation, info = self.env.reset(seed=seed, options=options)
        self._note(observation)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act once, and note what came of it."""
        self._actions.append(np.array(action))
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._note(observation, float(reward), bool(terminated), bool(truncated))
        return observation, reward, terminated, truncated, info

    def episode_state(self) -> dict[str, Any] | None:
        """The fields of `EpisodeState`; None before the first reset."""
        if not self._begun:
            return None
        spec = self.unwrapped.spec
        return EpisodeState(
            level=str(self.env),
            arguments=json.dumps({} if spec is None else dict(spec.kwargs), default=repr, sort_keys=True),
            generator=self._generator,
            seed=self._seed,
            options=self._options,
            actions=np.stack(self._actions) if self._actions else np.empty(0),
            digest=self._digest.hexdigest(),
        ).plain()

    def replay(self, state: Mapping[str, Any], *, keep: bool = False) -> ReplayedEpisode:
        """Play an episode again to where it was.

        Args:
            state: what `episode_state` gave, in this or another process.
            keep: whether to give back all that was shown, not only the last observation.

        Raises:
            LevelError: this is another level, or it came out differently.
        """
        wanted = EpisodeState.of(state)
        self._set_generator(wanted)
        observation, info = self.reset(seed=wanted.seed, options=json.loads(wanted.options))
        steps = [(None, observation, 0.0, info)]
        for number, action in enumerate(wanted.actions):
            observation, reward, terminated, truncated, info = self.step(action)
            if keep:
                steps.append((action, observation, float(reward), info))
            if (terminated or truncated) and number + 1 < len(wanted.actions):
                break
        found = EpisodeState.of(self.episode_state() or {})
        if (found.level, found.arguments) != (wanted.level, wanted.arguments):
            raise LevelError(
                f"expected the level {wanted.level} made with {wanted.arguments}, got {found.level} made with "
                f"{found.arguments}; make it as before, or begin anew elsewhere"
            )
        if found.digest != wanted.digest:
            raise LevelError(
                f"expected {wanted.level} to show the same again over the {len(wanted.actions)} steps of its episode, "
                "got something else; only a level that draws from np_random alone, of the same version, can be taken up"
            )
        return ReplayedEpisode(seed=wanted.seed, observation=observation, steps=steps if keep else [])

    def _set_generator(self, wanted: EpisodeState) -> None:
        state = json.loads(wanted.generator)
        generator = self.unwrapped.np_random.bit_generator
        if state["bit_generator"] != type(generator).__name__:
            raise LevelError(
                f"expected a level whose np_random is a {state['bit_generator']}, got {type(generator).__name__}; "
                "make it as before"
            )
        generator.state = state

    def _note(self, observation: Any, *numbers: float) -> None:
        parts = observation.items() if isinstance(observation, dict) else [("", observation)]
        for name, part in sorted(parts):
            values = np.ascontiguousarray(part)
            self._digest.update(f"{name} {values.dtype} {values.shape}".encode())
            self._digest.update(values.tobytes())
        self._digest.update(np.array(numbers, dtype=np.float64).tobytes())


def _plain_numbers(value: Any) -> Any:
    """Arrays in a generator's state (MT19937 has one) as lists."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else repr(value)
