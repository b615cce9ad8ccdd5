"""Levels in processes of their own that may die or hang without taking the training with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from perma_agent.wrappers.level_worker import GRACE, LevelWorker, Tolerance


class TolerantVecEnv(SubprocVecEnv):
    """SB3's `SubprocVecEnv` on spawned processes that are started anew when they die or hang.

    - **A level that raises** ends the training with its name and its traceback: that is a mistake to be put right. A
      `PermaAgentError` comes back as a `LevelError`, anything else as a `RuntimeError`; the cause of both is the
      worker's traceback.
    - **A worker that dies** (killed, segmentation fault, `os._exit`) **or hangs** is started anew, with a
      `WorkerRestartedWarning`. The step that it did not answer, or the next one if it died at another command, gives
      reward 0, `done`, and an info with `TimeLimit.truncated`, `worker_restarted` and `restart_reason`; its
      `terminal_observation` is the last frame that was seen, its observation the first of the new episode. So no
      episode is joined to another, and `RecordTrajectories`, `VecMonitor` and `VecNormalize` see a truncation like any
      other. What the level said of the step (`factors`, `is_success`, a Monitor's `episode`) is lost with it.
    - **A reset** that a worker dies of is asked again, with the same seed and options.
    - **A level that keeps dying** is named in a `LevelError`, `Tolerance` says when.
    - `get_attr`, `env_method` and the like are asked again of the new worker, after it was reset. What `set_attr` set
      is set again; other changes that a method made to the level are lost.

    Seeds: `seed(s)` lets copy i begin with `s + i`, as everywhere in SB3. After its k-th restart it is reset with the
    first word of `SeedSequence([s + i, k])`, so no map comes twice, and the same deaths give the same episodes; that
    seed stands in `reset_infos[i]["seed"]`. Without `seed`, fresh entropy takes the place of `s + i`.

    Scripts must have an `if __name__ == "__main__":`, as processes are spawned: threads (the trajectory store has some)
    and OpenGL do not survive a fork.

    Args:
        env_fns: each makes one level; levels may differ but for their spaces.
        tolerance: how long to wait for an answer, and how many deaths to bear.

    Raises:
        LevelError: a level cannot be made, or its worker dies again and again while it is.
        RuntimeError: making a level raised.
        ValueError: the levels' spaces differ.
    """

    remotes: list[LevelWorker]
    """All that SubprocVecEnv asks of a pipe, a worker has."""

    def __init__(
        self, env_fns: Sequence[Callable[[], gym.Env[Any, Any]]], *, tolerance: Tolerance | None = None
    ) -> None:
        if not env_fns:
            raise ValueError("expected at least one level, got none")
        self.waiting, self.closed = False, False
        tolerance = Tolerance() if tolerance is None else tolerance
        self.remotes = [LevelWorker(number, make, tolerance=tolerance) for number, make in enumerate(env_fns)]
        try:
            self._meet()
        except BaseException:
            self.close()
            raise

    @property
    def processes(self) -> list[Any]:  # type: ignore[override]
        """The workers' processes at this moment."""
        return [worker.process for worker in self.remotes]

    @property
    def restarts(self) -> list[int]:
        """How often each copy was started anew."""
        return [worker.restarts for worker in self.remotes]

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Let the next reset of copy i use `seed + i`, and make the seeds after restarts from it; None draws one."""
        seeds = super().seed(seed)
        for worker, own in zip(self.remotes, seeds, strict=True):
            assert own is not None
            worker.entropy = own
        return seeds

    def resume_state(self) -> dict[str, Any]:
        """What the seeds after the next restarts depend on."""
        return {"entropy": [worker.entropy for worker in self.remotes], "restarts": self.restarts}

    def resume_from(self, state: Mapping[str, Any], observations: Sequence[Any]) -> None:
        """Go on where another process was, after each level played its episode again.

        Args:
            state: what `resume_state` gave there.
            observations: the last one of each level, None where no episode is under way.
        """
        for number, worker in enumerate(self.remotes):
            worker.take_up(observations[number], entropy=state["entropy"][number], restarts=state["restarts"][number])

    def close(self) -> None:
        """End all processes: by themselves within some seconds, by force then."""
        if self.closed:
            return
        self.closed = True
        for worker in self.remotes:
            worker.ask_to_close()
        at = time.monotonic() + GRACE
        for worker in self.remotes:
            worker.close(at=at)

    def _meet(self) -> None:
        """Wait until all levels are made, all at once; learn their names and spaces."""
        for worker in self.remotes:
            worker.send(("env_method", ("__str__", (), {})))
        for worker in self.remotes:
            worker.name = _level_name(worker.recv())
        for worker in self.remotes:
            worker.send(("get_spaces", None))
        spaces = [worker.recv() for worker in self.remotes]
        for number, others in enumerate(spaces):
            if others != spaces[0]:
                raise ValueError(
                    f"expected levels with the same spaces, got {others} from {self.remotes[number].name} and "
                    f"{spaces[0]} from {self.remotes[0].name}; wrap them alike"
                )
        VecEnv.__init__(self, len(self.remotes), *spaces[0])  # SubprocVecEnv's own would start SB3's workers

    def _get_target_remotes(self, indices: VecEnvIndices) -> list[Any]:
        return [self.remotes[index] for index in self._get_indices(indices)]


def _level_name(text: str) -> str:
    """`<Monitor<TimeLimit<MazeLevel<perma/IndoorMaze-v0>>>>` -> its innermost part."""
    return text.strip("<>").split("<")[-1].removesuffix(" instance")
