"""Look: one batch as the present model sees it, and what the model would draw of it under each environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from perma_agent.continual.environment_inference import Evidence
from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.latent_mask import Marginal
from perma_agent.models import VASE
from perma_agent.objectives import block_means, coarse_error, contrast


class Look:
    """Encodes a batch once and decodes it once per environment, whoever asks.

    Args:
        model: the VASE.
        frames: floats in [0, 1], shape `[B, C, H, W]`.
        normal: draws N(0, 1) of the shape and on the device of its argument.
        precision: context in which the networks run.
        block: side in pixels of the blocks in which errors are compared.
    """

    def __init__(
        self,
        model: VASE,
        frames: Tensor,
        *,
        normal: Callable[[Tensor], Tensor],
        precision: Callable[[], AbstractContextManager[object]],
        block: int,
    ) -> None:
        self.frames = frames
        self._model, self._normal, self._precision, self._block = model, normal, precision, block
        with precision():
            self.encoding = model.encode(frames)
        posterior = self.encoding.posterior
        self.samples = posterior.mean + posterior.std * normal(posterior.mean)
        self.marginal = Marginal.of(self.samples.detach().cpu())
        self._outputs: dict[tuple[int, tuple[bool, ...]], Tensor] = {}
        self._blocks = block_means(frames, block=block)

    def output(self, environment: int, mask: Tensor) -> Tensor:
        """What the decoder draws as `environment` from the samples, masked latents replaced by noise (eq. 2).

        Args:
            environment: s.
            mask: a^s, bool, shape `[D]`.

        Returns:
            Raw decoder output with gradient, shape `[B, C, H, W]`.
        """
        key = (environment, tuple(mask.tolist()))
        if key not in self._outputs:
            keep = mask.to(self.samples.device)
            latents = torch.where(keep, self.samples, self._normal(self.samples))
            with self._precision():
                self._outputs[key] = self._model.decode(latents, environment)
        return self._outputs[key]

    @torch.no_grad()
    def coarse_errors(self, output: Tensor) -> Tensor:
        """Coarse errors of a decoder's output, in nats per frame, shape `[B]`."""
        drawn = block_means(self._model.mean_frame(output), block=self._block)
        return coarse_error(drawn, self._blocks, block=1)

    @torch.no_grad()
    def contrast(self) -> float:
        """Mean contrast of the frames, in nats."""
        return float(contrast(self._blocks, block=1).mean())

    @torch.no_grad()
    def evidence(
        self, records: Sequence[EnvironmentRecord], *, control: Callable[[], Evidence | None] = lambda: None
    ) -> Evidence:
        """What the batch says of the environments in `records`.

        Args:
            records: of all environments known.
            control: the same of the batch last learnt from, should anybody ask.
        """
        logits = self._model.environment_logits(self.encoding.features)[:, : len(records)]
        found: dict[int, float] = {}

        def error_under(environment: int) -> float:
            if environment not in found:
                output = self.output(environment, records[environment].mask)
                found[environment] = float(self.coarse_errors(output).mean())
            return found[environment]

        return Evidence(
            marginal=self.marginal,
            probabilities=logits.softmax(dim=1).mean(dim=0).cpu(),
            contrast=self.contrast(),
            error_under=error_under,
            control=control,
        )
