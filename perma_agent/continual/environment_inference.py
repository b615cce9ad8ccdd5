"""Environment inference: is this batch from an environment met before, and which, or from a new one (eq. 6)?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from perma_agent.continual.environment_record import EnvironmentRecord, InferenceConfig
from perma_agent.continual.latent_mask import LatentMaskConfig, Marginal, atypicality, contradicts, update_mask


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a batch says, before any environment is assumed."""

    marginal: Marginal
    """Of the batch's latents, unmasked, shape `[D]`."""
    probabilities: Tensor
    """q(s|x) averaged over the batch, shape `[S]` of the known environments; empty if there are none."""
    contrast: float
    """c, mean of the frames' contrast, in nats."""
    error_under: Callable[[int], float]
    """Mean coarse reconstruction error in nats if the batch were of environment s."""
    control: Callable[[], Evidence | None] = lambda: None
    """The batch last learnt from, which was of the present environment, as the model sees it now; asked only when a
    batch surprises. None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was made of a batch."""

    environment: int | None
    """s, or None while the batch surprises and patience lasts (it is not learnt from)."""
    opened: bool = False
    """A new environment begins with this batch."""
    returned: bool = False
    """The environment changed to one met before."""
    left: int | None = None
    """The environment that ended with this batch."""
    error: float | None = None
    """Error under the first candidate, in nats."""
    limit: float | None = None
    """The error beyond which that candidate would have been refused, in nats."""
    contradicting: int = 0
    """Used latents of the first candidate whose atypicality contradicts its mask."""


@dataclass(kw_only=True)
class EnvironmentInference:
    """The memory of environments and the decision between them; no parameters are learnt here."""

    latents: int
    """D."""
    max_environments: int
    """S; once all are in use, surprising batches go to the environment that explains them best."""
    config: InferenceConfig = field(default_factory=InferenceConfig)
    """Thresholds on errors and patience."""
    mask_config: LatentMaskConfig = field(default_factory=LatentMaskConfig)
    """Thresholds on atypicality."""
    records: list[EnvironmentRecord] = field(default_factory=list)
    """One for each environment met, by index s."""
    current: int | None = None
    """The environment of the last decided batch."""
    pending: int | None = None
    """The change that has been seen but not yet believed: an index, or `len(records)` for a new environment."""
    pending_batches: int = 0
    """For how many consecutive batches."""

    @property
    def mask(self) -> Tensor:
        """a^s of the present environment, bool, shape `[D]`; all True before the first batch."""
        if self.current is None:
            return torch.ones(self.latents, dtype=torch.bool)
        return self.records[self.current].mask

    def decide(self, evidence: Evidence) -> Verdict:
        """Decide on one batch (eq. 6, with patience and burn-in)."""
        if self.current is None:
            return self._change_to(0, Verdict(environment=None))
        if not self.config.enabled:
            return Verdict(environment=self.current)
        proposal, verdict = self._propose(evidence)
        if proposal == self.current:
            self.pending, self.pending_batches = None, 0
            return _decided(verdict, environment=proposal)
        if proposal != self.pending:
            self.pending, self.pending_batches = proposal, 0
        self.pending_batches += 1
        if self.pending_batches < self.config.patience:
            return verdict
        return self._change_to(proposal, verdict)

    def atypicality(self, marginal: Marginal) -> Tensor:
        """α of a batch in nats, shape `[D]`: against the nearest settled environment that uses the latent.

        Where no settled environment uses it, and where environments are not told apart, against the prior (eq. 4).
        """
        alpha = atypicality(marginal, Marginal.prior(self.latents))
        if not self.config.enabled:
            return alpha
        nearest = torch.full_like(alpha, torch.inf)
        for record in self.records:
            if record.settled:
                against = atypicality(marginal, record.marginal)
                nearest = torch.where(record.used, torch.minimum(nearest, against), nearest)
        return torch.where(nearest.isinf(), alpha, nearest)

    def update_mask(self, environment: int, alpha: Tensor) -> Tensor:
        """The environment's mask after one more of its batches, bool, shape `[D]`.

        Only latents that another settled environment uses can be masked, and once the environment has settled its mask
        holds: a latent that slipped back under λ would be retrained and so forgotten by those who use it, and one that
        was masked on a return, though half a trained code lives on it, would be lost here.

        Where environments are not told apart (ablations without S) there is no other, and what is left is the paper's
        own rule (eq. 5) for the latents that all experience so far uses: masked as long as they stray from the prior.
        Were spare latents masked too, the capacity granted would press on ever fewer of them until all are masked and
        nothing is learnt any more.
        """
        record = self.records[environment]
        if not self.config.enabled:
            record.mask = update_mask(record.mask, alpha, maskable=record.used, config=self.mask_config)
            return record.mask
        if record.settled:
            return record.mask
        others = torch.zeros(self.latents, dtype=torch.bool)
        for index, other in enumerate(self.records):
            if index != environment and other.settled:
                others |= other.used
        record.mask = update_mask(record.mask, alpha, maskable=others & ~record.used, config=self.mask_config)
        return record.mask

    def _propose(self, evidence: Evidence) -> tuple[int, Verdict]:
        """The environment this batch alone speaks for (`len(records)` for a new one), and why."""
        assert self.current is not None
        order = [int(index) for index in torch.argsort(evidence.probabilities, descending=True)]
        first = order[0]
        if not self.records[self.current].settled:
            # Burn-in: nothing is known yet of this environment, so it can only be left for one that explains the batch.
            if first != self.current and self.records[first].settled:
                fits, verdict = self._fits(first, evidence)
                return (first if fits else self.current), verdict
            return self.current, Verdict(environment=None)
        candidates = [index for index in order if self.records[index].settled]
        fits, verdict = self._fits(candidates[0], evidence)
        if fits:
            return candidates[0], verdict
        # q(s|x) may name the wrong one on strange frames: try the others by what they would draw before giving up.
        for index in candidates[1:]:
            if self._fits(index, evidence)[0]:
                return index, verdict
        if len(self.records) < self.max_environments:
            return len(self.records), verdict
        return min(
            candidates,
            key=lambda index: (
                evidence.error_under(index) / self.records[index].limit(self.config, contrast=evidence.contrast)
            ),
        ), verdict

    def _fits(self, index: int, evidence: Evidence) -> tuple[bool, Verdict]:
        record = self.records[index]
        error, limit = evidence.error_under(index), record.limit(self.config, contrast=evidence.contrast)
        alpha = atypicality(evidence.marginal, record.marginal)
        against = self._contradicting(alpha, record)
        surprises = error > limit or bool(against.any())
        control = evidence.control() if surprises and index == self.current else None
        if control is not None:  # is it the world that changed, or the model? what it explained a moment ago is witness
            limit *= max(1.0, control.error_under(index) / record.error) if record.error > 0 else 1.0
            witness = atypicality(control.marginal, record.marginal)
            against &= ~self._contradicting(witness, record) & self._contradicting(alpha - witness, record)
        return error <= limit and not against.any(), Verdict(
            environment=None, error=error, limit=limit, contradicting=int(against.sum())
        )

    def _contradicting(self, alpha: Tensor, record: EnvironmentRecord) -> Tensor:
        return contradicts(alpha, used=record.compared, config=self.mask_config)

    def _change_to(self, proposal: int, why: Verdict) -> Verdict:
        left = self.current
        if left is not None and not self.records[left].settled and left == len(self.records) - 1:
            # It did not last its burn-in: forget it, and let its index be used again.
            self.records.pop()
            left = None
        opened = proposal >= len(self.records)
        if opened:
            self.records.append(EnvironmentRecord.new(self.latents))
            proposal = len(self.records) - 1
        self.current, self.pending, self.pending_batches = proposal, None, 0
        return _decided(why, environment=proposal, opened=opened, returned=not opened, left=left)


def _decided(
    why: Verdict, *, environment: int, opened: bool = False, returned: bool = False, left: int | None = None
) -> Verdict:
    return Verdict(
        environment=environment,
        opened=opened,
        returned=returned,
        left=left,
        error=why.error,
        limit=why.limit,
        contradicting=why.contradicting,
    )
