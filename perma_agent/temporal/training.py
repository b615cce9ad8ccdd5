"""Training: one loop for all hosts, from a source of batches to a history of what each term cost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from perma_agent.continual.gradients import clip_gradients
from perma_agent.models import bfloat16_pays
from perma_agent.objectives import total
from perma_agent.temporal.guards import guards
from perma_agent.temporal.host import Batch, Host
from perma_agent.temporal.sequences import Source

OnBatch = Callable[[int, Mapping[str, float]], None]
"""Told of every step, counted from 1, with the mean of each term under `loss/<name>` and `loss/total`."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How long and how fast a host learns; the same for all arms of a comparison."""

    steps: int = 10_000
    """Learning steps, one batch each."""
    batch: int = 32
    """Pairs, or sequences, in a batch (SlowVAE: 32 pairs, which it counts as 64 frames)."""
    learning_rate: float = 6e-4
    """Of Adam, constant (SlowVAE: 1e-4 over 300,000 steps)."""
    gradient_limit: float = 2.0
    """Gradients are scaled down to at most this many times their usual norm, whatever the arm's scale is."""
    seed: int = 0
    """Of the batches drawn and of the noise in samples; a host's first weights have their own, see `make_host`."""
    log_every: int = 100
    """Steps in one line of the history."""
    autocast: bool | None = None
    """bfloat16 in the networks' forward passes; None takes it where the processor has bfloat16 matrix units."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.log_every) < 1:
            raise ValueError(f"expected steps, batch and log_every of at least 1, got {self}")
        if not self.learning_rate > 0 or not self.gradient_limit > 1:
            raise ValueError(f"expected learning_rate > 0 and gradient_limit > 1, got {self}")


@dataclass(frozen=True)
class History:
    """What training cost, a line for every `log_every` steps."""

    steps: np.ndarray
    """Last step of each line, int64, shape `[L]`."""
    metrics: Mapping[str, np.ndarray]
    """float64, shape `[L]`, by name: `loss/<term>` and `loss/total`, means over the line's steps and unweighted but for
    the total, NaN where a term did not act; `code/std`, `code/active` and `code/change` of the line's last batch
    (`guards`)."""


def train(
    host: Host[Batch], source: Source[Batch], config: TrainingConfig | None = None, *, on_batch: OnBatch | None = None
) -> History:
    """Train a host in place; the same host, source and config give the same parameters bit for bit.

    Args:
        host: any arm; in evaluation mode afterwards.
        source: of the batches this host learns from: pairs or sequences.
        config: steps, rates and seed.
        on_batch: told of every step; an exception in it ends the training.

    Raises:
        FrameError: the source's frames do not fit the host.
        ValueError: a term is NaN or infinite.
    """
    config = config or TrainingConfig()
    host.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    parameters = [parameter for parameter in host.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=config.learning_rate, fused=True)
    rng = np.random.default_rng(config.seed)
    generator = torch.Generator(host.device).manual_seed(config.seed)
    lines, usual = _Lines(), 0.0
    with _learning(host, autocast=bfloat16_pays() if config.autocast is None else config.autocast):
        for step in range(1, config.steps + 1):
            summands = host.summands(source.draw(config.batch, rng=rng), step=step, generator=generator)
            loss, metrics = total(summands.terms, summands.weights)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            usual = clip_gradients(parameters, usual=usual, limit=config.gradient_limit)
            optimizer.step()
            lines.add(metrics)
            if step % config.log_every == 0 or step == config.steps:
                lines.end(step, guards(summands.codes, summands.change))
            if on_batch is not None:
                on_batch(step, metrics)
    return lines.history()


@contextlib.contextmanager
def _learning(host: Host[Batch], *, autocast: bool) -> Iterator[None]:
    """Training mode and precision, put back however the block ends."""
    before = host.autocast
    host.train()
    host.autocast = autocast
    try:
        yield
    finally:
        host.autocast = before
        host.eval()


class _Lines:
    """Gathers metrics step by step and gives a line for every so many."""

    def __init__(self) -> None:
        self._pending: list[Mapping[str, float]] = []
        self._steps: list[int] = []
        self._lines: list[dict[str, float]] = []

    def add(self, metrics: Mapping[str, float]) -> None:
        self._pending.append(metrics)

    def end(self, step: int, last: Mapping[str, float]) -> None:
        names = {name: None for metrics in self._pending for name in metrics}
        means = {name: float(np.mean([m[name] for m in self._pending if name in m])) for name in names}
        self._steps.append(step)
        self._lines.append({**means, **last})
        self._pending.clear()

    def history(self) -> History:
        names = {name: None for line in self._lines for name in line}
        metrics = {name: np.array([line.get(name, np.nan) for line in self._lines]) for name in names}
        return History(np.array(self._steps, dtype=np.int64), metrics)
