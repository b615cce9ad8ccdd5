"""Switched levels: copies whose world changes once, in the midst of a training that is not told."""

from __future__ import annotations

from typing import Any

from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class SwitchedLevels(VecEnvWrapper):
    """One set of copies until a step, another from there on.

    Episodes under way at the switch are cut as by a time limit: their last frame is `terminal_observation`, and the
    first frame of the new world is what the step shows. No Monitor has seen their end, so their returns are told to
    nobody.

    Args:
        before: the copies to begin with.
        after: as many, with the same spaces.
        at: steps of each copy before the switch, at least 1.

    Raises:
        ValueError: the two differ in number or spaces, or `at` is too small.
    """

    def __init__(self, before: VecEnv, after: VecEnv, *, at: int) -> None:
        spaces = [(venv.num_envs, venv.observation_space, venv.action_space) for venv in (before, after)]
        if spaces[0] != spaces[1] or at < 1:
            raise ValueError(
                f"expected as many copies with the same spaces and at least one step before the switch, got {spaces} "
                f"and {at}"
            )
        super().__init__(before)
        self._after, self._at, self._taken = after, at, 0

    def reset(self) -> VecEnvObs:
        """First frames of the world that is there now."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Of the present world; the step that reaches the switch ends all episodes and shows the other world."""
        observations, rewards, dones, infos = self.venv.step_wait()
        self._taken += 1
        if self._taken != self._at:
            return observations, rewards, dones, infos
        assert not isinstance(observations, dict | tuple)  # our levels show one frame
        for copy, info in enumerate(infos):
            if not dones[copy]:
                info["terminal_observation"] = observations[copy]
                info["TimeLimit.truncated"] = True
        dones[:] = True
        self.venv, self._after = self._after, self.venv
        return self.venv.reset(), rewards, dones, infos

    def seed(self, seed: int | None = None) -> Any:
        """Of both worlds, so that the second one's episodes do not depend on when it is reached."""
        self._after.seed(seed)
        return self.venv.seed(seed)

    def close(self) -> None:
        """Both."""
        self._after.close()
        self.venv.close()
