"""Features extractor: the masked latents of a VASE as what a Stable-Baselines3 policy sees.

What SB3 would do to a pretrained encoder, and what stops it here:

* PPO and A2C re-initialise every layer of an extractor (`ortho_init`): `apply` does not descend into it;
* `policy.train()` wakes it: `train` keeps it in evaluation mode;
* optimisers, gradient clipping and polyak averaging work on parameters: its weights are buffers;
* a policy is built again when it is loaded: the weights then come from the zip, and the run folder is not needed;
* the same frames are encoded in every epoch: features are remembered until the encoder changes (`sb3.feature_memory`);
* `policy_kwargs` dictionaries are written to: `policy_kwargs()` gives a new one each time, of plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from perma_agent.continual.checkpoint import load_model
from perma_agent.continual.config_json import from_json, to_json
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.models import VASE, VASEConfig
from perma_agent.models.encoder import Encoder, Encoding
from perma_agent.sb3.feature_memory import FeatureMemory

Mode = Literal["continual", "frozen"]
"""Whether `ContinualVASECallback` may publish newer encoders into the extractor."""


class VASEFeaturesExtractor(BaseFeaturesExtractor):
    """Frames to masked posterior means: float32 of shape `[B, D]`, deterministic, without gradient.

    SB3 makes it by itself, several times for some algorithms; give the policy `policy_kwargs()`.

    Example:
        >>> from stable_baselines3 import PPO
        >>> kwargs = VASEFeaturesExtractor.policy_kwargs("runs/vase")  # doctest: +SKIP
        >>> agent = PPO("CnnPolicy", venv, policy_kwargs=kwargs)  # doctest: +SKIP

    Args:
        observation_space: frames `[C, H, W]` of the model's size; uint8, or floats in [0, 1].
        model: its `VASEConfig` as JSON values.
        run: the run folder that the weights come from, unless they are loaded from an agent's zip.
        mode: `continual` or `frozen`.
        normalize_images: the policy's own flag of that name.

    Raises:
        FrameError: the observations are not frames of the model's size.
    """

    mask: Tensor
    step: Tensor

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        *,
        model: Mapping[str, Any],
        run: str,
        mode: Mode = "continual",
        normalize_images: bool = True,
    ) -> None:
        config = from_json(VASEConfig, model, where="features_extractor_kwargs['model']")
        super().__init__(observation_space, config.latents)
        self.config = config
        self.run = run
        self.mode = mode
        self._whitest = _whitest_pixel(observation_space, config=config, normalize_images=normalize_images)
        self.encoder = _parameterless_encoder(config)
        self.register_buffer("mask", torch.ones(config.latents, dtype=torch.bool))
        self.register_buffer("step", torch.tensor(-1))
        self._memory = FeatureMemory(latents=config.latents)
        self._missing: RunFolderError | None = None
        try:
            saved = load_model(run)
            if saved.model.config != config:
                raise RunFolderError(f"expected a model of {config} in {run}, got {saved.model.config}")
        except RunFolderError as error:
            self._missing = error  # no harm if the weights come from an agent's zip; `forward` tells otherwise
        else:
            self.publish(saved.model, mask=saved.mask, step=saved.step)

    @classmethod
    def policy_kwargs(
        cls, run: str | Path, *, mode: Mode = "continual", normalize_images: bool = True
    ) -> dict[str, Any]:
        """What a policy needs to see through the VASE of a run folder; a new dictionary at each call.

        Args:
            run: a run folder; it is read again when the policy is made.
            mode: `continual` lets `ContinualVASECallback` renew the encoder; `frozen` does not.
            normalize_images: whether the policy divides pixels by 255 before the extractor sees them (SB3's default).
                Set it here and not in the dictionary: the extractor must know.

        Raises:
            RunFolderError: the folder is missing, damaged or of another version.
        """
        if mode not in get_args(Mode):
            raise ValueError(f"expected mode 'continual' or 'frozen', got {mode!r}")
        model = to_json(load_model(run).model.config)
        options = {"model": model, "run": str(run), "mode": mode, "normalize_images": normalize_images}
        return {
            "features_extractor_class": cls,
            "features_extractor_kwargs": options,
            "normalize_images": normalize_images,
        }

    @property
    def published_step(self) -> int:
        """Batches that the learner had seen when this encoder was published, -1 before there is any."""
        return int(self.step)

    def publish(self, model: VASE, *, mask: Tensor, step: int) -> None:
        """Take over the encoder of `model` as it is now; later changes of `model` do not reach it.

        Args:
            model: of the same configuration.
            mask: a^s, bool, shape `[D]`; masked latents read 0.
            step: of the learner, see `published_step`.
        """
        if model.config != self.config:
            raise ValueError(f"expected a model of {self.config}, got {model.config}")
        self.encoder.load_state_dict(model.encoder.state_dict())
        self.mask.copy_(mask)
        self.step.fill_(step)
        self._memory.clear()
        self._missing = None

    def forward(self, observations: Tensor) -> Tensor:
        """Features of preprocessed observations, floats of shape `[B, C, H, W]`: shape `[B, D]`.

        Raises:
            FrameError: pixels have another shape or range than announced.
            RunFolderError: the run folder could not be read, and no weights were loaded since.
        """
        if self._missing is not None:
            raise RunFolderError(f"expected the encoder of {self.run}, got: {self._missing}") from self._missing
        self._check(observations)
        if observations.device.type == "cpu":
            return self._memory.recall(observations, self._encode)
        return self._encode(observations)

    def apply(self, fn: Any) -> Self:
        """Not descended into: SB3 passes its orthogonal initialisation here."""
        return self

    def train(self, mode: bool = True) -> Self:
        """Always in evaluation mode."""
        return super().train(False)

    def _encode(self, observations: Tensor) -> Tensor:
        # In float32 whatever the policy's precision: PPO compares probabilities from batches of different sizes.
        with torch.no_grad(), torch.autocast(observations.device.type, enabled=False):
            frames = (observations / self._whitest).contiguous(memory_format=torch.channels_last)
            encoding: Encoding = self.encoder(frames)
        return encoding.posterior.masked(self.mask).mean

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *arguments)
        self._memory.clear()
        if self.published_step >= 0:
            self._missing = None

    def _check(self, observations: Tensor) -> None:
        expected = (self.config.channels, self.config.image_size, self.config.image_size)
        if tuple(observations.shape[1:]) != expected:
            raise FrameError(f"expected frames of shape {['B', *expected]}, got {list(observations.shape)}")
        darkest, whitest = (float(bound) for bound in observations.aminmax())
        fits = darkest >= 0 and whitest <= self._whitest  # false for NaN too
        if fits and self._whitest > 1 and 0 < whitest <= 1:
            fits = bool((observations == observations.round()).all())  # fractions: they were divided already
        if not fits:
            raise FrameError(
                f"expected pixels in [0, {self._whitest:g}], got [{darkest:g}, {whitest:g}]; set normalize_images by "
                "VASEFeaturesExtractor.policy_kwargs(run, normalize_images=...), not beside it"
            )


def extractors_of(policy: nn.Module) -> list[VASEFeaturesExtractor]:
    """All extractors of ours in a policy, its targets included, each once."""
    return [module for module in policy.modules() if isinstance(module, VASEFeaturesExtractor)]


def _parameterless_encoder(config: VASEConfig) -> Encoder:
    """An encoder whose weights are buffers, not yet filled; no random numbers are drawn."""
    with torch.device("meta"):
        encoder = VASE(config).encoder
    for part in encoder.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, parameter.detach())
    encoder.to_empty(device="cpu")
    return encoder.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's stub lacks it


def _whitest_pixel(space: gymnasium.Space[Any], *, config: VASEConfig, normalize_images: bool) -> float:
    """The largest value that reaches `forward`: 1 where pixels are divided before, else 255."""
    expected = [config.channels, config.image_size, config.image_size]
    if not isinstance(space, spaces.Box):
        raise FrameError(f"expected an image space {expected}, got {type(space).__name__}; observe the frame alone")
    found = list(space.shape)
    if found != expected:
        raise FrameError(f"expected frames of shape {expected}, got {found}; {_hint(found, expected=expected)}")
    if is_image_space(space):
        return 1.0 if normalize_images else 255.0
    low, high = float(np.min(space.low)), float(np.max(space.high))
    if low < 0 or high > (255 if space.dtype == np.uint8 else 1):
        raise FrameError(
            f"expected pixels in [0, 255] or [0, 1], got {space.dtype} in [{low:g}, {high:g}]; "
            "do not normalise observations (VecNormalize needs norm_obs=False)"
        )
    return 255.0 if space.dtype == np.uint8 else 1.0


def _hint(found: list[int], *, expected: list[int]) -> str:
    if found == [*expected[1:], expected[0]]:
        return "move the channels before height and width (VecTransposeImage)"
    if len(found) == 3 and found[1:] == expected[1:] and found[0] > 3:
        return "pass one frame of a stack"
    return "wrap the level in perma_agent.wrappers.ObserveFrames or pretrain a VASE for these frames"
