"""Network bonus: what intrinsic rewards have in common that are made of networks learning from the last steps."""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from perma_agent.imagination.baselines.action_reading import ActionReading
from perma_agent.imagination.baselines.observation_reading import (
    Entries,
    ObservationReading,
    Seen,
    joined,
    part_of,
)
from perma_agent.imagination.baselines.optimizer_state import optimizer_state, restore_optimizer
from perma_agent.imagination.baselines.whitening import Whitening
from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions


@dataclass(frozen=True, kw_only=True)
class NetworkBonusConfig:
    """What all of them can be told."""

    seed: int = 0
    """Of the networks' first weights and of all draws."""
    learning_rate: float = 1e-4
    """Of Adam."""
    epochs: int = 4
    """How often the steps since the last time are gone through when it learns."""
    batch_size: int = 256
    """Steps in a batch."""
    proportion: float = 1.0
    """Share of the steps, drawn anew in each epoch, that are learnt from; in (0, 1]."""
    features: int = 512
    """K: size of the vector of features."""
    hidden: tuple[int, ...] = (256, 256)
    """Units of the layers of perceptrons, and of those after the convolutions where the observation is no picture."""
    whiten: bool = True
    """Whether observations are brought to units of their running spread first, see `baselines.whitening`."""
    device: str = "cpu"
    """Where the networks are."""

    def __post_init__(self) -> None:
        if not (
            self.learning_rate > 0
            and self.epochs >= 1
            and self.batch_size >= 1
            and 0 < self.proportion <= 1
            and self.features >= 1
            and all(units >= 1 for units in self.hidden)
        ):
            raise ValueError(
                "expected learning_rate > 0, proportion in (0, 1] and epochs, batch_size, features and hidden units of "
                f"at least 1, got {self}"
            )


@dataclass(frozen=True)
class Batch:
    """Steps as networks see them."""

    before: Seen
    """Observations, empty where the bonus does not look at them."""
    actions: Tensor
    """What was done, shape `[B, A]`."""
    after: Seen
    """Next observations; at an episode's end its last ones."""

    def part(self, which: Tensor) -> Batch:
        """Some of the steps, by number."""
        return Batch(part_of(self.before, which), self.actions[which], part_of(self.after, which))


Config = TypeVar("Config", bound=NetworkBonusConfig)


class NetworkBonus(Bonus, Generic[Config]):
    """An intrinsic reward of networks: it keeps the steps it is asked about, and learns from them when it is told.

    A kind says what its networks are, what they reward, and what they lose. Batches whose loss or gradient is not
    finite are not learnt from, and counted as `skipped`.

    Args:
        config: of this kind.
    """

    looks_before = True
    """Whether it looks at the observation before the action too."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.device = torch.device(config.device)

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Make the networks, from the seed alone; torch's own generator stays as it is."""
        self.reading = ObservationReading.of(observation_space)
        self.actions = ActionReading.of(action_space)
        self.copies = copies
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            self.networks = nn.ModuleDict(self.build()).to(self.device)
        self.generator = torch.Generator().manual_seed(self.config.seed)
        self.whitening = Whitening(self.reading.shapes)
        learning = [each for each in self.networks.parameters() if each.requires_grad]
        self.optimizer = torch.optim.Adam(learning, lr=self.config.learning_rate) if learning else None
        self._steps: list[tuple[Entries, np.ndarray, Entries]] = []

    @abstractmethod
    def build(self) -> dict[str, nn.Module]:
        """Its networks, by name; those that do not learn have parameters without gradient."""

    @property
    def whitens(self) -> bool:
        """Whether observations are whitened."""
        return self.config.whiten

    @abstractmethod
    def value(self, batch: Batch) -> Tensor:
        """Reward of each step, shape `[B]`; called without gradients."""

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """What is made small, `loss`, and what else is to be logged: means over the batch."""

    def begin(self, observations: Observations) -> None:
        """Nothing is learnt from first frames."""

    def reward(self, step: Transitions) -> np.ndarray:
        """Reward of each level, and keep the step to learn from."""
        before = self.reading.entries(step.observations) if self.looks_before else {}
        after = self.reading.entries(step.next_observations)
        if self.whitens:
            self.whitening.update(self.reading.see(after, device=torch.device("cpu")))
        if self.optimizer is not None:
            self._steps.append((before, np.array(step.actions), after))
        with torch.no_grad():
            values: np.ndarray = self.value(self._batch(before, step.actions, after)).double().cpu().numpy()
        return values

    def learn(self) -> dict[str, float]:
        """Some epochs over the steps since the last time; means of the losses over the batches."""
        if not self._steps:
            return {}
        befores, actions, afters = zip(*self._steps, strict=True)
        self._steps = []
        before = joined(list(befores)) if self.looks_before else {}
        batch = self._batch(before, np.concatenate(actions), joined(list(afters)))
        sums: dict[str, list[float]] = {}
        skipped = 0
        for _ in range(self.config.epochs):
            for which in self._minibatches(len(batch.actions)):
                found = self._update(batch.part(which))
                skipped += found is None
                for name, value in (found or {}).items():
                    sums.setdefault(name, []).append(value)
        return {**{name: float(np.mean(values)) for name, values in sums.items()}, "skipped": float(skipped)}

    def see(self, entries: Entries) -> Seen:
        """Entries as the networks see them: floats, whitened where that is wanted."""
        seen = self.reading.see(entries, device=self.device)
        return self.whitening(seen) if self.whitens else seen

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser, generator, moments, and the steps that are not learnt from yet."""
        return {
            "config": _plain(self.config),
            "networks": dict(self.networks.state_dict()),
            "optimizer": [] if self.optimizer is None else optimizer_state(self.optimizer),
            "generator": self.generator.get_state(),
            "whitening": self.whitening.state_dict(),
            "steps": [list(step) for step in self._steps],
        }

    def load_state_dict(self, state: State) -> None:
        """Go on where another one stood.

        Raises:
            ValueError: it was of another configuration, or its levels look or act otherwise.
        """
        saved, own = _plain_mapping(state["config"]), _plain(self.config)
        if saved != own:
            changed = [name for name in own if own[name] != saved.get(name)]
            raise ValueError(
                f"expected the state of a {type(self).__name__} with the same {', '.join(changed)}, got another; make "
                "it as before"
            )
        try:
            self.networks.load_state_dict(dict(state["networks"]))
        except RuntimeError as error:
            raise ValueError(
                f"expected the networks of a {type(self).__name__} on levels like these, got others; make it as before"
            ) from error
        if self.optimizer is not None:
            restore_optimizer(self.optimizer, state["optimizer"])
        self.generator.set_state(state["generator"])
        self.whitening.load_state_dict(state["whitening"])
        self._steps = [(dict(before), actions, dict(after)) for before, actions, after in state["steps"]]

    def _batch(self, before: Entries, actions: np.ndarray, after: Entries) -> Batch:
        return Batch(self.see(before), self.actions.see(actions, device=self.device), self.see(after))

    def _minibatches(self, count: int) -> list[Tensor]:
        kept = math.ceil(self.config.proportion * count)
        order = torch.randperm(count, generator=self.generator)[:kept]
        return list(torch.split(order, self.config.batch_size))

    def _update(self, batch: Batch) -> dict[str, float] | None:
        """One step of Adam; None where it would not be finite."""
        assert self.optimizer is not None  # else no steps are kept
        losses = self.losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["loss"])
        grads = [
            each.grad for group in self.optimizer.param_groups for each in group["params"] if each.grad is not None
        ]
        if not torch.isfinite(torch.stack([losses["loss"].detach(), *(grad.sum() for grad in grads)])).all():
            return None
        self.optimizer.step()
        return {name: float(value.detach()) for name, value in losses.items()}


def _plain(config: NetworkBonusConfig) -> dict[str, Any]:
    """As JSON would give it back, without what may change from machine to machine."""
    plain = {name: value for name, value in asdict(config).items() if name != "device"}
    return _plain_mapping(plain)


def _plain_mapping(plain: Mapping[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(plain))
    return copied
