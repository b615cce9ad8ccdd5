"""Score of environment inference against the truth: how late each switch was noticed, what was missed or made up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.history import SURPRISED, LearningHistory, World


@dataclass(frozen=True, kw_only=True)
class InferenceScore:
    """What a learner that was told nothing made of a sequence of worlds."""

    environments: tuple[int | None, ...]
    """For each visit, the environment that most batches of its second half were given; None if all surprised."""
    lags: tuple[int | None, ...]
    """For each switch, batches from the first of the new world to the first given to its environment; None where that
    environment is not the world's own (missed, or a return that was not recognised)."""
    missed: int
    """Worlds that never got an environment of their own."""
    unrecognised: int
    """Returns to an old world that were not given its environment."""
    spurious: int
    """Environments opened beyond one for each world that has its own, forgotten ones included."""

    def right(self, *, within: int) -> bool:
        """Whether every world was found within so many batches, every return recognised and nothing made up."""
        return self.missed == self.unrecognised == self.spurious == 0 and all(
            lag is not None and lag <= within for lag in self.lags
        )


def score_inference(history: LearningHistory, worlds: Sequence[World]) -> InferenceScore:
    """Hold inferred environments against the true worlds.

    Args:
        history: of all batches of the run.
        worlds: in the order in which they were shown, with the step each began at.

    Raises:
        ValueError: the worlds do not begin with the history, are out of order, or one of them has no batch.
    """
    starts = [world.start for world in worlds]
    if not starts or starts[0] > history.steps[0] or any(a >= b for a, b in itertools.pairwise(starts)):
        raise ValueError(f"expected worlds from step {history.steps[0]} on in increasing order, got starts {starts}")
    visits = np.searchsorted(starts, history.steps, side="right") - 1
    if set(visits) != set(range(len(worlds))):
        raise ValueError(f"expected batches of each world, got none after some of the starts {starts}")
    given = tuple(_usual(history.environments[visits == visit]) for visit in range(len(worlds)))
    own: dict[str, int] = {}
    met: set[str] = set()
    recognised = []
    for world, environment in zip(worlds, given, strict=True):
        if world.name not in met and environment is not None and environment not in own.values():
            own[world.name] = environment
        recognised.append(environment is not None and own.get(world.name) == environment)
        met.add(world.name)
    returns = [visit for visit, world in enumerate(worlds) if world.name in {before.name for before in worlds[:visit]}]
    lags = [_lag(history, visits == visit, given[visit]) if recognised[visit] else None for visit in range(len(worlds))]
    return InferenceScore(
        environments=given,
        lags=tuple(lags[1:]),
        missed=len(met) - len(own),
        unrecognised=sum(not recognised[visit] for visit in returns),
        spurious=int(history.opened.sum()) - len(own),
    )


def _usual(environments: np.ndarray) -> int | None:
    """The most frequent environment in the second half of a visit."""
    later = environments[len(environments) // 2 :]
    later = later[later != SURPRISED]
    return int(np.bincount(later).argmax()) if len(later) else None


def _lag(history: LearningHistory, during: np.ndarray, environment: int | None) -> int:
    return int(np.argmax(history.environments[during] == environment))
