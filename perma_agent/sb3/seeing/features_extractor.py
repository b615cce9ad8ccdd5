"""Features extractor: the masked latents of a VASE as what a Stable-Baselines3 policy sees.

What SB3 would do to a pretrained encoder, and what stops it here:

* PPO and A2C re-initialise every layer of an extractor (`ortho_init`): `apply` does not descend into it;
* `policy.train()` wakes it: `train` keeps it in evaluation mode;
* optimisers, gradient clipping and polyak averaging work on parameters: its weights are buffers (but to finetune them);
* SAC makes three of it, TD3 four: `share_encoder` makes them one, and the callback does so;
* a policy is built again when it is loaded: the weights then come from the zip, and the run folder is not needed;
* the same frames are encoded in every epoch: features are remembered until the encoder changes (`sb3.feature_memory`);
* `policy_kwargs` dictionaries are written to: `policy_kwargs()` gives a new one each time, of plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, NatureCNN
from torch import Tensor, nn

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import load_learner, load_model
from perma_agent.continual.config_json import to_json
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.models import VASE, VASEConfig
from perma_agent.models.encoder import Encoder
from perma_agent.sb3.seeing.extractor_config import ExtractorConfig, Mode
from perma_agent.sb3.seeing.frame_reading import FrameReading, Observations
from perma_agent.sb3.seeing.published_encoder import PublishedEncoder, untrained_model
from perma_agent.sb3.seeing.sight import Sight, checked_sights

RENEWABLE: tuple[Mode, ...] = ("continual", "finetune")
"""Modes in which `ContinualVASECallback` publishes newer encoders."""
SMALLEST_FOR_NATURE = 36
"""Height and width in pixels below which NatureCNN's strides leave nothing."""


class VASEFeaturesExtractor(BaseFeaturesExtractor):
    """Observations to what `sees` names, by default masked posterior means: float32, deterministic.

    The features of k stacked frames stand side by side, oldest first; then what is shown once (`sb3.sight`); then the
    other entries of a Dict, flattened as SB3's `CombinedExtractor` does. `sb3.frame_reading` tells where the frame is
    looked for and what becomes of it. SB3 makes the extractor by itself, several times for some algorithms; give the
    policy `policy_kwargs()`.

    Example:
        >>> from stable_baselines3 import PPO
        >>> kwargs = VASEFeaturesExtractor.policy_kwargs("runs/vase")  # doctest: +SKIP
        >>> agent = PPO("CnnPolicy", venv, policy_kwargs=kwargs)  # doctest: +SKIP

    Args:
        observation_space: pictures, or a Dict with one.
        options: fields of `ExtractorConfig`, as JSON values.

    Raises:
        FrameError: the observations hold no frames that the model can look at.
        RunFolderError: an option is unknown, missing or of another type.
    """

    def __init__(self, observation_space: gymnasium.Space[Any], **options: Any) -> None:
        settings = ExtractorConfig.of(options)
        reading = FrameReading.of(
            observation_space,
            model=settings.model,
            key=settings.frame_key,
            frame_channels=settings.frame_channels,
            normalize_images=settings.normalize_images,
        )
        super().__init__(observation_space, features_dim=1)  # the right number follows, as in SB3's CombinedExtractor
        self.settings, self.reading = settings, reading
        self._missing: RunFolderError | None = None
        if self.mode == "nature":
            self.nature = _nature(reading)
            width = self.nature.features_dim
        else:
            self.published = PublishedEncoder(self.config, sees=settings.sees, trainable=self.mode == "finetune")
            width = reading.stack * self.published.frame_width + self.published.common_width
            self._fill()
        self._features_dim = width + reading.num_others

    @classmethod
    def policy_kwargs(
        cls,
        run: str | Path,
        *,
        mode: Mode = "continual",
        sees: Sequence[Sight] = ("mean",),
        frame_key: str | None = None,
        frame_channels: int | None = None,
        seed: int = 0,
        normalize_images: bool = True,
    ) -> dict[str, Any]:
        """What a policy needs to see through the VASE of a run folder; a new dictionary at each call.

        Args:
            run: a run folder; it is read again when the policy is made.
            mode: `continual` lets `ContinualVASECallback` renew the encoder; `frozen` leaves it as it is; `finetune`
                hands it to the policy's gradient, and to the callback if there is one. `random` (an untrained encoder
                of the same shape, frozen) and `nature` (SB3's NatureCNN on the same frames) are controls.
            sees: what the policy is shown: some of `mean`, `spread`, `environment`, `index`, `mask` (`sb3.sight`);
                nothing of it applies to `nature`.
            frame_key: which entry of Dict observations is the picture; may be left out where there is only one.
            frame_channels: 1 or 3, channels of one frame; only stacks need it that the model's own channels misread,
                e.g. three grey frames.
            seed: of the untrained encoder in mode `random`.
            normalize_images: whether the policy divides pixels by 255 before the extractor sees them (SB3's default).
                Set it here and not in the dictionary: the extractor must know.

        Raises:
            RunFolderError: the folder is missing, damaged or of another version.
            ValueError: mode or sees is none of the known ones.
        """
        settings = ExtractorConfig(
            model=load_model(run).model.config,
            run=str(run),
            mode=mode,
            sees=checked_sights(sees),
            frame_key=frame_key,
            frame_channels=frame_channels,
            seed=seed,
            normalize_images=normalize_images,
        )
        return {
            "features_extractor_class": cls,
            "features_extractor_kwargs": to_json(settings),
            "normalize_images": normalize_images,
        }

    @property
    def config(self) -> VASEConfig:
        """Of the VASE."""
        return self.settings.model

    @property
    def run(self) -> str:
        """The run folder that it was made from."""
        return self.settings.run

    @property
    def mode(self) -> Mode:
        """Who may change it."""
        return self.settings.mode

    @property
    def encoder(self) -> Encoder:
        """What the policy looks through; only NatureCNN has none."""
        return self.published.encoder

    @property
    def published_step(self) -> int:
        """Batches that the learner had seen when this encoder was published, -1 before there is any."""
        return -1 if self.mode == "nature" else int(self.published.step)

    def publish(
        self, model: VASE, *, mask: Tensor, step: int, environment: int | None = None, environments: int = 1
    ) -> None:
        """Take over the encoder of `model` as it is now, see `PublishedEncoder.publish`.

        Raises:
            ValueError: the model is of another configuration, or this extractor is a control.
        """
        if self.mode in ("random", "nature"):
            raise ValueError(f"expected an extractor that shows a VASE, got mode {self.mode!r}; leave it as it is")
        self.published.publish(model, mask=mask, step=step, environment=environment, environments=environments)

    def forward(self, observations: Observations) -> Tensor:
        """Features of B preprocessed observations, float32 of shape `[B, features_dim]`.

        Raises:
            FrameError: pixels have another shape or range than announced.
            RunFolderError: the run folder could not be read, and no weights were loaded since.
        """
        if self.mode == "nature":
            features = self.nature(self.reading.frames(observations).flatten(1, 2))
        elif self.published_step < 0:
            raise RunFolderError(f"expected the encoder of {self.run}, got: {self._missing}") from self._missing
        else:
            frames = self.reading.frames(observations)
            seen = self.published.of_frames(frames.flatten(0, 1)).reshape(len(frames), -1)
            features = torch.cat([seen, self.published.once().expand(len(seen), -1)], dim=1)
        rest = self.reading.rest(observations)
        return features if rest is None else torch.cat([features, rest], dim=1)

    def apply(self, fn: Any) -> Self:
        """Not descended into, but for NatureCNN: SB3 passes its orthogonal initialisation here."""
        return super().apply(fn) if self.mode == "nature" else self

    def train(self, mode: bool = True) -> Self:
        """Always in evaluation mode."""
        return super().train(False)  # NatureCNN has nothing that training mode would change

    def _fill(self) -> None:
        """The first publication: of the run folder, or of an untrained model."""
        if self.mode == "random":
            untrained = untrained_model(self.config, seed=self.settings.seed)
            self.published.publish(untrained, mask=torch.ones_like(self.published.mask), step=0)
            return
        try:
            source = load_learner(self.run)
            if source.model.config != self.config:
                raise RunFolderError(f"expected a model of {self.config} in {self.run}, got {source.model.config}")
        except RunFolderError as error:
            self._missing = error  # no harm if the weights come from an agent's zip; `forward` tells otherwise
        else:
            publish(source, [self])


def extractors_of(policy: nn.Module) -> list[VASEFeaturesExtractor]:
    """All extractors of ours in a policy, its targets included, each once."""
    return [module for module in policy.modules() if isinstance(module, VASEFeaturesExtractor)]


def publish(learner: Learner, extractors: Iterable[VASEFeaturesExtractor]) -> None:
    """Show the policy what a learner knows now, through all of its extractors."""
    for extractor in extractors:
        extractor.publish(
            learner.model,
            mask=learner.mask,
            step=learner.step,
            environment=learner.environment,
            environments=len(learner.inference.records),
        )


def share_encoder(extractors: Iterable[VASEFeaturesExtractor]) -> None:
    """Let extractors of one policy look through the first one's encoder, and remember its features together.

    An encoder that the policy's gradient changes is not shared: SB3 keeps one for each network there, and averages the
    targets'.

    Args:
        extractors: of one policy, made by the same `policy_kwargs`.
    """
    first, *others = extractors
    if first.mode in ("finetune", "nature"):
        return
    for other in others:
        other.published = first.published


def _nature(reading: FrameReading) -> NatureCNN:
    size, channels = reading.image_size, reading.stack * reading.model_channels
    if size < SMALLEST_FOR_NATURE:
        raise FrameError(
            f"expected frames of at least {SMALLEST_FOR_NATURE} pixels for mode 'nature', got a model of {size}; take "
            "another control, or pretrain a VASE for larger frames"
        )
    return NatureCNN(spaces.Box(0, 255, (channels, size, size), dtype=np.uint8))
