"""Resumable training: an agent that can be stopped or killed at any moment, and ends as if it had not been."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from stable_baselines3.common.callbacks import BaseCallback

from perma_agent.continual.stop_requests import stop_requests
from perma_agent.sb3.learning.continual_callback import ContinualVASECallback
from perma_agent.sb3.resuming.checkpoint import (
    Checkpoint,
    all_callbacks,
    read_checkpoint,
    restore,
    save_checkpoint,
    settle_checkpoint,
)
from perma_agent.sb3.resuming.checkpoints import Checkpoints
from perma_agent.sb3.state.agent_state import agent_state
from perma_agent.sb3.state.level_state import leave_levels


class ResumableTraining(BaseCallback):
    """Keeps checkpoints of an on-policy agent, and takes up the newest when the same script is started again.

    The script stays as it is: it makes the agent and calls `learn(total)`. Where the folder holds checkpoints, `learn`
    first goes back to the newest, and it ends at `total` timesteps altogether: bit for bit where it
    would have ended undisturbed (same machine, same versions), VASE, random numbers, normalisers, episodes under way
    and all. An interrupted rollout is collected again.

    - SIGTERM and Ctrl-C save at once and leave, by default with exit code 0; a second one works as it always does.
    - After `kill -9` or a power cut the last checkpoint counts. It is checked; if it is damaged, the one before counts,
      with a warning.
    - The levels must be wrapped in `ReplayableLevel`, outermost, and draw their random numbers from `np_random`.
    - `RecordTrajectories` round the levels goes on with the episodes under way, and stores nothing twice.
    - Of other callbacks SB3's own go on where they were; a callback of one's own does if it has `resume_state()`, which
      gives plain values and arrays, and `resume_from(state)`, which may be called twice. The levels of an EvalCallback
      begin anew.
    - SB3's log begins anew in a second folder; `learn(..., reset_num_timesteps=False)` goes on in the first.

    A checkpoint holds the callback's window of frames (100 MB where it is full), so do not save too often.

    Example:
        >>> from stable_baselines3 import PPO
        >>> from stable_baselines3.common.env_util import make_vec_env
        >>> from perma_agent.wrappers import ReplayableLevel
        >>> agent = PPO("MlpPolicy", make_vec_env("CartPole-v1", 4, seed=0, wrapper_class=ReplayableLevel), seed=0)
        >>> agent.learn(1_000_000, callback=ResumableTraining("runs/cart"))  # doctest: +SKIP

    Args:
        folder: of the checkpoints.
        every: timesteps between two checkpoints, at least; one is written at the end besides.
        keep: so many of the newest are kept, and the best by mean return.
        on_signal: `exit` leaves the process by SystemExit(0) once it is saved, `return` lets `learn` return, `ignore`
            leaves signals alone.
        stopped: asked at each step; when it says True, `learn` saves and returns.

    Raises:
        RunFolderError: the checkpoints are of another agent, or all damaged, or cannot be written.
        ValueError: the agent is off-policy, or its levels cannot be taken up again.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        every: int = 20_000,
        keep: int = 3,
        on_signal: Literal["exit", "return", "ignore"] = "exit",
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__()
        if every < 1 or on_signal not in ("exit", "return", "ignore"):
            raise ValueError(
                f"expected every of at least 1 and on_signal 'exit', 'return' or 'ignore', got {every}, {on_signal!r}"
            )
        self.checkpoints = Checkpoints(folder, keep=keep)
        self.every, self.on_signal = every, on_signal
        self._asked = stopped
        self._signalled: Callable[[], bool] = lambda: False
        self._handlers = ExitStack()
        self._beside: list[BaseCallback] = []
        self._resumed: Checkpoint | None = None
        self._state: Mapping[str, Any] | None = None
        self._last = 0
        self.stopped = False
        """Whether the training was left before its end, saved."""

    def save(self) -> Path:
        """Write a checkpoint of the beginning of this rollout, the last moment that can be gone back to.

        Raises:
            RunFolderError: it cannot be written; those that were there are intact.
        """
        state = agent_state(self.model, self._beside) if self._state is None else self._state
        steps = int(state["counts"]["num_timesteps"])

        def write(folder: Path) -> None:
            save_checkpoint(self.model, folder, callback=self._beside, state=state)

        self._last = steps
        return self.checkpoints.add(steps, write)

    def _on_training_start(self) -> None:
        every = all_callbacks(self.locals["callback"])
        if any(isinstance(each, ContinualVASECallback) for each in every[every.index(self) :]):
            raise ValueError("expected ResumableTraining after ContinualVASECallback, got it before; swap them")
        self._beside = [each for each in every if each is not self]
        self.stopped, self._state, self._last = False, None, self.model.num_timesteps
        if self.on_signal != "ignore":
            self._signalled = self._handlers.enter_context(stop_requests())
        try:
            self._take_up()
        except BaseException:
            self._handlers.close()
            raise

    def _take_up(self) -> None:
        """Go back to the newest checkpoint, if there is any."""
        self._resumed = self.checkpoints.newest(lambda path: read_checkpoint(path, device=self.model.device))
        if self._resumed is not None:
            restore(self.model, self._resumed, self._beside)
            self._last = self.num_timesteps = self.model.num_timesteps
        else:
            agent_state(self.model, self._beside)  # what cannot be kept shows now, not after hours

    def _on_rollout_start(self) -> None:
        if self._resumed is not None:
            settle_checkpoint(self.model, self._resumed, self._beside)
            self._resumed = None
        self._state = agent_state(self.model, self._beside)
        if self.model.num_timesteps - self._last >= self.every:
            self.save()

    def _on_step(self) -> bool:
        if not (self._signalled() or (self._asked is not None and self._asked())):
            return True
        self.save()
        self.stopped = True
        assert self.model.env is not None
        leave_levels(self.model.env)
        self._leave_if_signalled()
        return False

    def _on_rollout_end(self) -> None:
        self._state = None  # from here on weights change

    def _on_training_end(self) -> None:
        finished, self._resumed = self._resumed, None
        if finished is not None:  # it had been at its end already
            settle_checkpoint(self.model, finished, self._beside)
        elif self._state is None:  # else it was stopped, or another callback ended it, within a rollout
            self.save()
        self._leave_if_signalled()
        self._handlers.close()

    def _leave_if_signalled(self) -> None:
        if self._signalled() and self.on_signal == "exit":
            self._handlers.close()
            raise SystemExit(0)
