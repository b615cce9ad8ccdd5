"""A level in a process of its own that is started anew when it dies or hangs, behind the face of a pipe."""

from __future__ import annotations

import contextlib
import signal
import time
import traceback
import warnings
from collections import deque
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env.base_vec_env import CloudpickleWrapper
from stable_baselines3.common.vec_env.subproc_vec_env import _worker as serve_level

from perma_agent.errors import LevelError, PermaAgentError

GRACE = 5.0
"""Seconds that a worker which was told to close may take before it is killed."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What is borne of a level that dies or hangs."""

    seconds: float = 60.0
    """A worker that leaves any command unanswered for so long hangs; seconds."""
    start_seconds: float = 180.0
    """The same for the first command of a new process, which also makes the level; seconds."""
    deaths: int = 3
    """So many deaths of one worker …"""
    within: int = 100
    """… within so many of its steps are one too many: the level is given up."""

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.start_seconds > 0 and self.deaths >= 1 and self.within >= 1):
            raise ValueError(f"expected positive seconds, and deaths and within of at least 1, got {self}")


class WorkerRestartedWarning(UserWarning):
    """A worker died or hung, its episode was broken off, and a new one took its place."""


class WorkerTraceback(Exception):
    """The traceback of an exception in a worker, as text: the cause of what is raised here, never raised itself."""


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """What a worker sends instead of an answer when its level raised."""

    sentence: str
    """Kind and message of the exception."""
    trace: str
    """Its traceback."""
    ours: bool
    """Whether it is a `PermaAgentError`, whose message says what to do."""


class _Death(Exception):
    """A worker died or hangs; the message completes `the worker …`."""


class LevelWorker:
    """One level in a spawned process; `send` and `recv` take the commands of SB3's `SubprocVecEnv` and answer them.

    A worker that is lost is started anew within `recv`. An episode that was lost with it ends in the next `step`.

    Args:
        number: which of the N copies this is.
        make: makes the level.
        tolerance: how long to wait and how often to start anew.
    """

    def __init__(self, number: int, make: Any, *, tolerance: Tolerance) -> None:
        self.name = "of unknown name"
        """Id of the level, as far as it is known."""
        self.entropy = int(np.random.SeedSequence().generate_state(1)[0])
        """What fresh seeds are made from, with the count of restarts."""
        self.restarts = 0
        """New processes so far, without the first."""
        self._number, self._make, self._tolerance = number, CloudpickleWrapper(make), tolerance
        self._request: tuple[str, Any] = ("", None)
        self._sent: float | None = None
        self._seen: Any = None
        self._lost: str | None = None
        self._beginning: tuple[Any, dict[str, Any]] | None = None
        self._attributes: dict[str, Any] = {}
        self._young = True
        self._steps, self._deaths = 0, deque[int](maxlen=tolerance.deaths)
        self._start()

    def send(self, request: tuple[str, Any]) -> None:
        """Pass a command on, at once if the worker is sound, else when `recv` has started another."""
        command, data = self._request = request
        self._sent = None
        if command == "step":
            self._steps += 1
        if command == "set_attr":
            self._attributes[data[0]] = data[1]
        if self._alive and self._lost is None:
            with contextlib.suppress(OSError):  # it is dead: `recv` finds that out and sees to it
                self._transmit(request)

    def recv(self) -> Any:
        """The answer to the last command.

        Raises:
            LevelError: the worker keeps dying, or the level raised a `PermaAgentError`.
            RuntimeError: the level raised anything else; caused by a `WorkerTraceback`.
        """
        while True:
            try:
                answer = self._answer()
            except _Death as death:
                self._bury(str(death))
                continue
            if self._request[0] in ("step", "reset"):
                self._seen = answer[0]
            return answer

    def take_up(self, seen: Any, *, entropy: int, restarts: int) -> None:
        """Count restarts on from another process, whose episode the level played again up to `seen`."""
        self._seen, self.entropy, self.restarts = seen, entropy, restarts

    def ask_to_close(self) -> None:
        """Have the worker close the level and end; `close` waits for that."""
        with contextlib.suppress(OSError):  # it is gone already
            self._pipe.send(("close", None))

    def close(self, *, at: float) -> None:
        """End the process: by itself until the clock (`time.monotonic`) says `at`, by force then."""
        self.process.join(max(0.0, at - time.monotonic()))
        self._end()

    def _answer(self) -> Any:
        command, data = self._request
        if not self._alive:
            self._start()
            for name, value in self._attributes.items():
                self._ask("set_attr", (name, value))
        if command == "reset":
            self._lost = self._beginning = None
        elif self._lost is not None and self._beginning is None:
            seed = np.random.SeedSequence([self.entropy, self.restarts]).generate_state(1)[0]
            observation, info = self._ask("reset", (int(seed), {}))
            self._beginning = observation, {**info, "seed": int(seed)}
        if command == "step" and self._beginning is not None:
            return self._broken_off()
        if self._sent is None:
            return self._ask(command, data)
        return self._receive()

    def _broken_off(self) -> tuple[Any, float, bool, dict[str, Any], dict[str, Any]]:
        """What a step answers that was never taken: the old episode's truncation and the new one's beginning."""
        assert self._beginning is not None
        observation, reset_info = self._beginning
        info = {
            "TimeLimit.truncated": True,
            "terminal_observation": self._seen,
            "worker_restarted": True,
            "restart_reason": self._lost,
        }
        self._lost = self._beginning = None
        return observation, 0.0, True, info, reset_info

    def _ask(self, command: str, data: Any) -> Any:
        try:
            self._transmit((command, data))
        except OSError as error:
            raise _Death(self._how_it_died()) from error
        return self._receive()

    def _transmit(self, request: tuple[str, Any]) -> None:
        self._pipe.send(request)
        self._sent = time.monotonic()

    def _receive(self) -> Any:
        """The next answer of the process."""
        assert self._sent is not None
        limit = self._tolerance.start_seconds if self._young else self._tolerance.seconds
        ready = wait([self._pipe, self.process.sentinel], max(0.0, self._sent + limit - time.monotonic()))
        if not ready:
            raise _Death(f"hung (no answer to {self._request[0]!r} within {limit:g} s)")
        try:
            answer = self._pipe.recv()  # also when it died: what it said before counts
        except (EOFError, OSError) as error:
            raise _Death(self._how_it_died()) from error
        self._young, self._sent = False, None
        if isinstance(answer, _Failure):
            self._raise(answer)
        return answer

    def _raise(self, failure: _Failure) -> None:
        kind = LevelError if failure.ours else RuntimeError
        cause = WorkerTraceback(f"\n{failure.trace}")
        raise kind(f"level {self.name} (copy {self._number}) raised {failure.sentence}") from cause

    def _bury(self, how: str) -> None:
        """See to a death: give the level up, or make ready for another process."""
        self._end()
        self._sent = self._beginning = None
        self._deaths.append(self._steps)
        tolerance = self._tolerance
        if len(self._deaths) == tolerance.deaths and self._steps - self._deaths[0] < tolerance.within:
            raise LevelError(
                f"expected level {self.name} (copy {self._number}) to keep running, but its worker {how}, and died "
                f"{tolerance.deaths} times within {tolerance.within} steps; run the level alone, or leave it out"
            )
        self.restarts += 1
        if self._seen is not None:
            self._lost = how
        told = f"level {self.name} (copy {self._number}): the worker {how} and is started anew"
        warnings.warn(told, WorkerRestartedWarning, stacklevel=2)

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self._pipe, self._make), daemon=True)
        self.process.start()
        theirs.close()  # else nobody would notice that the worker's end is gone
        self._alive = self._young = True

    def _end(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self._pipe.close()
        self._alive = False

    def _how_it_died(self) -> str:
        self.process.join(GRACE)
        code = self.process.exitcode
        if code is None:
            return "closed its pipe"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"


def _serve(remote: Connection, parent_remote: Connection, make: CloudpickleWrapper) -> None:
    """Life of a worker: SB3's own, and a word to the parent if the level raises."""
    try:
        serve_level(remote, parent_remote, make)
    except Exception as error:
        sentence = f"{type(error).__name__}: {error}"
        failure = _Failure(sentence=sentence, trace=traceback.format_exc(), ours=isinstance(error, PermaAgentError))
        with contextlib.suppress(OSError):  # nobody is there any more to hear it
            remote.send(failure)
