"""Learner: one update of VASE on a batch of frame pairs, for as long as the agent lives, told nothing of the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from perma_agent.continual.dreams import DreamConfig, Dreams, dream
from perma_agent.continual.environment_inference import EnvironmentInference, Evidence, Verdict
from perma_agent.continual.environment_record import InferenceConfig
from perma_agent.continual.gradients import clip_gradients
from perma_agent.continual.latent_mask import LatentMaskConfig
from perma_agent.continual.look import Look
from perma_agent.continual.noise_tolerance import SCALES, noise_tolerance
from perma_agent.continual.objective import Objective
from perma_agent.continual.snapshot import Snapshot
from perma_agent.continual.update import Update
from perma_agent.errors import FrameError
from perma_agent.models import VASE, Encoding, bfloat16_pays
from perma_agent.objectives import (
    CapacityConfig,
    PermanenceConfig,
    decoder_proximity,
    environment_loss,
    reconstruction_error,
    warm_up,
)
from perma_agent.types import FramePairs, Posterior

TOLERANCE_FRAMES = 8
"""Frames on which noise tolerance is measured."""


@dataclass(frozen=True, kw_only=True)
class LearnerConfig:
    """Everything an update depends on, beside the model and the batch."""

    learning_rate: float = 6e-4
    """Of Adam (paper's re-implementation: 6e-4)."""
    learning_rate_warm_up: int = 100
    """Learning steps, after each change of environment, over which the learning rate rises from 0: Adam's memory of
    the old environment's small gradients would make the first steps in the new one several times too large."""
    environment_learning_rate: float = 6e-3
    """Of Adam for the head of q(s|x): it must tell a new environment from the old ones within its burn-in, and its
    gradient disturbs nothing else."""
    gradient_limit: float = 2.0
    """Gradients are scaled down to at most this many times their usual norm."""
    seed: int = 0
    """Of the noise in samples and dreams."""
    capacity: CapacityConfig = field(default_factory=CapacityConfig)
    """Disentanglement."""
    permanence: PermanenceConfig = field(default_factory=PermanenceConfig)
    """Permanence."""
    dreaming: DreamConfig = field(default_factory=DreamConfig)
    """D of the ablations."""
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    """S of the ablations."""
    mask: LatentMaskConfig = field(default_factory=LatentMaskConfig)
    """A of the ablations."""
    environment_weight: float = 1.0
    """Weight of q(s|x)'s own loss; no gradient of it reaches the encoder."""
    autocast: bool | None = None
    """bfloat16 in the networks' forward passes; None takes it where the processor has bfloat16 matrix units."""

    def __post_init__(self) -> None:
        if not self.learning_rate > 0 or not self.gradient_limit > 1:
            raise ValueError(f"expected learning_rate > 0 and gradient_limit > 1, got {self}")


class Learner:
    """Trains a VASE on whatever it is shown; finds environments, masks latents, dreams of the past.

    Whoever wants to follow appends a function to `on_update`; it is called with every `Update`.

    Args:
        model: the VASE; trained in place.
        config: weights, thresholds and switches.

    Example:
        >>> import numpy as np
        >>> from perma_agent.models import VASEConfig
        >>> learner = Learner(VASE(VASEConfig(filters=(4, 4, 4, 4), hidden=8, latents=3)))
        >>> frames = np.zeros((4, 3, 64, 64), dtype=np.uint8)
        >>> update = learner.update(FramePairs(frames, frames, np.ones(4, dtype=np.int64)))
        >>> update.environment, update.opened
        (0, True)
    """

    def __init__(self, model: VASE, config: LearnerConfig | None = None) -> None:
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
        self.config = config or LearnerConfig()
        self.step = 0
        self.steps_since_change = 0
        self.usual_gradient = 0.0
        self.on_update: list[Callable[[Update], None]] = []
        self.snapshot: Snapshot | None = None
        self.generator = torch.Generator().manual_seed(self.config.seed)
        head = list(self.model.environment_head.parameters())
        rest = [parameter for name, parameter in self.model.named_parameters() if "environment_head" not in name]
        self.optimizer = torch.optim.Adam([{"params": rest}, {"params": head}], fused=True)
        self.inference = EnvironmentInference(
            latents=model.config.latents,
            max_environments=model.config.max_environments,
            config=self.config.inference,
            mask_config=self.config.mask,
        )
        self._last: tuple[Tensor, Tensor] | None = None
        self._autocast = bfloat16_pays() if self.config.autocast is None else self.config.autocast

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @property
    def environment(self) -> int | None:
        """The environment inferred last, None before the first batch."""
        return self.inference.current

    @property
    def mask(self) -> Tensor:
        """a^s of the present environment, bool, shape `[D]`; all True before the first batch."""
        return self.inference.mask

    def update(self, pairs: FramePairs) -> Update:
        """Infer the environment of a batch and learn from it, unless it surprises.

        Args:
            pairs: uint8 frames `[B, C, H, W]` and earlier ones of the same trajectories, B of at least 1.

        Raises:
            FrameError: the frames do not fit the model, or there are none; the learner is as it was.
        """
        if not len(pairs):
            raise FrameError("expected at least one pair of frames, got none; draw a larger batch")
        # NumPy joins them: torch takes no read-only or flipped arrays.
        frames = self.model.normalise(torch.from_numpy(np.concatenate([pairs.frames, pairs.earlier])))
        self.step += 1  # from here on the batch counts
        self.model.train()
        look = self._look(frames)
        alpha = self.inference.atypicality(look.marginal)
        verdict = self.inference.decide(look.evidence(self.inference.records, control=self._control))
        if verdict.opened or verdict.returned:
            self._end(verdict.left)
            self.steps_since_change = 0
        learnt = {} if verdict.environment is None else self._learn(verdict, look, offsets=pairs.offsets)
        update = Update.of(verdict, alpha=alpha, learnt=learnt, step=self.step, inference=self.inference)
        for listener in self.on_update:
            listener(update)
        return update

    def _look(self, frames: Tensor) -> Look:
        block = self.config.inference.block
        return Look(self.model, frames, normal=self._normal, precision=self._precision, block=block)

    @torch.no_grad()
    def _control(self) -> Evidence | None:
        """The batch last learnt from, as the model sees it now; None before the first."""
        if self._last is None:
            return None
        return self._look(self._last[0]).evidence(self.inference.records)

    def _learn(self, verdict: Verdict, look: Look, *, offsets: np.ndarray) -> dict[str, float]:
        assert verdict.environment is not None
        environment = verdict.environment
        record = self.inference.records[environment]
        mask = self.inference.update_mask(environment, self.inference.atypicality(look.marginal))
        posterior = look.encoding.posterior.masked(mask.to(self.device))
        if verdict.opened and len(self.inference.records) > 1:
            record.opening_information = float(posterior.kl().sum(dim=1).mean().detach())
        output = look.output(environment, mask)
        objective = Objective()
        objective.add("reconstruction", self._error(output, look.frames), weight=1.0)
        if len(offsets) and self.config.permanence.acts:
            objective.add_permanence(
                look.encoding.posterior, mask.to(self.device), offsets, config=self.config.permanence, step=self.step
            )
        granted = objective.add_capacity(posterior, config=self.config.capacity, record=record)
        self._dream(objective, environment=environment, encoding=look.encoding)
        loss, metrics = objective.total()
        self._descend(loss)
        record.steps += 1
        self._remember(environment, look, output.detach(), posterior)
        information_now = float(posterior.kl().sum(dim=1).mean().detach())
        return {**metrics, "capacity/granted": granted, "capacity/used": information_now}

    def _descend(self, loss: Tensor) -> None:
        self.steps_since_change += 1
        share = warm_up(1.0, step=self.steps_since_change, steps=self.config.learning_rate_warm_up)
        rates = (self.config.learning_rate, self.config.environment_learning_rate)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = share * rate
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        rest = self.optimizer.param_groups[0]["params"]  # without the head of q(s|x), which must disturb nothing else
        self.usual_gradient = clip_gradients(rest, usual=self.usual_gradient, limit=self.config.gradient_limit)
        self.optimizer.step()

    def _dream(self, objective: Objective, *, environment: int, encoding: Encoding) -> None:
        features = encoding.features
        labels = torch.full((len(features),), environment, device=features.device)
        dreams = self._dreams()
        if dreams is not None:
            with self._precision():
                seen = self.model.encode(dreams.frames)
                drawn = self.model.decode(dreams.latents, dreams.environments)
            divergence = self._divergence(drawn, dreams.output)
            objective.add_dreams(dreams, seen=seen.posterior, divergence=divergence, config=self.config.dreaming)
            features, labels = torch.cat([features, seen.features]), torch.cat([labels, dreams.environments])
        known = len(self.inference.records)
        if known > 1:
            logits = self.model.environment_logits(features)[:, :known]
            objective.add("environment", environment_loss(logits, labels), weight=self.config.environment_weight)

    def _dreams(self) -> Dreams | None:
        if self.snapshot is None or not self.config.dreaming.enabled:
            return None
        with self._precision():
            return dream(self.snapshot, self.config.dreaming, generator=self.generator)

    def _remember(self, environment: int, look: Look, output: Tensor, posterior: Posterior) -> None:
        """Record an environment's error, settle it after its burn-in, and renew the snapshot if it is time."""
        record, config = self.inference.records[environment], self.config.inference
        if record.steps > config.burn_in // 2:
            errors = look.coarse_errors(output).cpu()
            record.observe(errors, look.marginal, contrast=look.contrast(), memory=config.memory)
        if record.steps % config.burn_in == 0:
            record.settled = True
            self._record_used(environment, look.frames, posterior.mean)
        every = self.config.dreaming.renew_every
        if every is None and not config.enabled:
            every = 5_000
        if every is not None and self.step % every == 0:
            if record.settled:
                self._record_used(environment, look.frames, posterior.mean)
            self.snapshot = Snapshot.take(self.model, self.inference.records)
        self._last = (look.frames, posterior.mean.detach())

    def _end(self, left: int | None) -> None:
        """An environment ended: note which latents it used, and take the snapshot that will dream of it."""
        if left is None or not self.inference.records[left].settled:
            return
        assert self._last is not None
        frames, means = self._last
        self._record_used(left, frames, means)
        self.snapshot = Snapshot.take(self.model, self.inference.records)

    def _record_used(self, environment: int, frames: Tensor, means: Tensor) -> None:
        frames, means = frames[:TOLERANCE_FRAMES], means[:TOLERANCE_FRAMES].detach()
        tolerance = noise_tolerance(means, lambda latents: self._errors(latents, environment, frames))
        record = self.inference.records[environment]
        record.compared = (tolerance < SCALES[-1]) & record.mask
        record.used = (tolerance < self.config.inference.used_below) & record.mask

    @torch.no_grad()
    def _errors(self, latents: Tensor, environment: int, frames: Tensor) -> Tensor:
        with self._precision():
            output = self.model.decode(latents, environment)
        return self._error(output, frames)

    def _error(self, output: Tensor, frames: Tensor) -> Tensor:
        config = self.model.config
        return reconstruction_error(output, frames, likelihood=config.likelihood, pixel_std=config.pixel_std)

    def _divergence(self, output: Tensor, teacher: Tensor) -> Tensor:
        config = self.model.config
        return decoder_proximity(output, teacher, likelihood=config.likelihood, pixel_std=config.pixel_std)

    def _normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator).to(like.device)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast)
