"""Frame reading: where the frames stand in an agent's observation, and how they become what a VASE looks at.

| what may be observed                                     | what the model sees                                      |
|----------------------------------------------------------|----------------------------------------------------------|
| `[C, H, W]`, `[H, W, C]`, `[H, W]`                       | the smallest of three axes holds the channels, as in SB3 |
| uint8 in [0, 255]; floats in [0, 1] or [0, 255]          | floats in [0, 1]                                         |
| any H and W                                              | averaged over areas to the model's size, once            |
| grey where the model has colour                          | the grey three times                                     |
| colour where the model is grey                           | its luma, .299 R + .587 G + .114 B (ITU-R 601)           |
| k frames stacked along the channels, `[k, H, W, C]`, ... | k frames, oldest first                                   |
| a Dict with a picture                                    | that picture; the rest stays beside, flattened           |

One trap is left: SB3's `VecFrameStack` takes only uint8 pictures for pictures, and puts frames of floats side by side
along the last axis; with channels first, tell it `channels_order="first"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim, is_image_space
from torch import Tensor

from perma_agent.errors import FrameError
from perma_agent.models import VASEConfig
from perma_agent.sb3.seeing.area_averaging import area_weights, average_areas
from perma_agent.sb3.seeing.frame_finding import axes_of, picture_key, stack_of, whitest_of

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R 601), as OpenCV takes them."""
AT_ONCE = 256
"""Observations turned into pixels at a time: bounds the memory that a long rollout needs."""

Observations = Tensor | Mapping[str, Tensor]
"""What SB3 gives an extractor: a tensor, or one for each entry of a Dict; floats, B of them."""


@dataclass(frozen=True, kw_only=True)
class FrameReading:
    """How to read frames off observations of one space."""

    key: str | None
    """Entry of the Dict that holds the picture; None where the observation is the picture."""
    shape: tuple[int, ...]
    """Of the picture as observed."""
    axes: str
    """What its axes are: `CHW`, `HWC`, `HW`, `KCHW` or `KHWC`; C of the first two holds stacked frames too."""
    stack: int
    """k, frames in an observation."""
    channels: int
    """Of each frame as observed, 1 or 3."""
    whitest: float
    """The largest value of a pixel as observed, 1 or 255."""
    divided: bool
    """Whether SB3 divides pixels by 255 before the extractor sees them."""
    whole: bool
    """Whether pixels as observed are whole numbers."""
    model_channels: int
    """C of the model."""
    image_size: int
    """H = W of the model's frames."""
    others: tuple[str, ...]
    """The other entries of a Dict, in its order."""
    num_others: int
    """Numbers that they are, flattened as SB3 flattens them."""

    @classmethod
    def of(
        cls,
        space: gymnasium.Space[Any],
        *,
        model: VASEConfig,
        key: str | None = None,
        frame_channels: int | None = None,
        normalize_images: bool = True,
    ) -> FrameReading:
        """Find the frames in a space of observations.

        Args:
            space: a Box of pictures, or a Dict with one.
            model: what is to look at them.
            key: entry of a Dict that is the picture; may be None where only one looks like a picture.
            frame_channels: channels of one frame, 1 or 3. By default 1 or 3 channels are one frame, and more are a
                stack of frames like the model's.
            normalize_images: the policy's own flag of that name.

        Raises:
            FrameError: there is no such picture, or it cannot be what the model looks at.
        """
        others: tuple[str, ...] = ()
        num_others = 0
        if isinstance(space, spaces.Dict):
            key = picture_key(space, key)
            others = tuple(name for name in space if name != key)
            num_others = sum(get_flattened_obs_dim(space[name]) for name in others)
            space = space[key]
        elif key is not None:
            raise FrameError(f"expected Dict observations for frame_key {key!r}, got {space}; leave frame_key out")
        if not isinstance(space, spaces.Box) or not 2 <= len(space.shape) <= 4:
            raise FrameError(
                f"expected pictures of 2 to 4 axes in the observations, got {space}; observe the frame, alone or in a "
                "Dict"
            )
        axes = axes_of(space)
        stack, channels = stack_of(space.shape, axes, model=model, frame_channels=frame_channels)
        return cls(
            key=key,
            shape=space.shape,
            axes=axes,
            stack=stack,
            channels=channels,
            whitest=whitest_of(space),
            divided=normalize_images and is_image_space(space),
            whole=bool(np.issubdtype(space.dtype, np.integer)),
            model_channels=model.channels,
            image_size=model.image_size,
            others=others,
            num_others=num_others,
        )

    @property
    def whitest_seen(self) -> float:
        """The largest value of a pixel after SB3's preprocessing, 1 or 255."""
        return 1.0 if self.divided else self.whitest

    @cached_property
    def _resizing(self) -> tuple[Tensor, Tensor] | None:
        height, width = (self.shape[self.axes.index(axis)] for axis in "HW")
        if height == width == self.image_size:
            return None
        return area_weights(height, self.image_size), area_weights(width, self.image_size)

    def frames(self, observations: Observations) -> Tensor:
        """Frames as the model looks at them, floats in [0, 1] of shape `[B, k, C, S, S]`, the oldest of k first.

        Args:
            observations: preprocessed by SB3.

        Raises:
            FrameError: pixels have another shape or range than announced.
        """
        picture = observations if isinstance(observations, Tensor) else observations[self.key or ""]
        if tuple(picture.shape[1:]) != self.shape:
            raise FrameError(f"expected frames of shape {['B', *self.shape]}, got {list(picture.shape)}")
        self._check_range(picture)
        picture = picture.float()
        return self._prepared(picture if self.whitest_seen == 1 else picture / self.whitest_seen)

    def rest(self, observations: Observations) -> Tensor | None:
        """The other entries of a Dict, flattened and side by side, shape `[B, num_others]`; None if there are none.

        Args:
            observations: preprocessed by SB3: what is discrete stands there one-hot.
        """
        if isinstance(observations, Tensor) or not self.others:
            return None
        return torch.cat([observations[name].float().flatten(1) for name in self.others], dim=1)

    def newest_pixels(self, observations: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
        """The newest frame of each observation, as a learner is shown it: uint8, shape `[..., C, S, S]`.

        Args:
            observations: as a level shows them and a buffer keeps them, with any axes before their own.
        """
        picture = np.asarray(observations if isinstance(observations, np.ndarray) else observations[self.key or ""])
        as_they_are = self.axes == "CHW" and self._resizing is None and self.channels == self.model_channels
        if as_they_are and picture.dtype == np.uint8 and self.whitest == 255:
            return picture[..., -self.channels :, :, :]
        leading = picture.shape[: picture.ndim - len(self.shape)]
        flat = picture.reshape(-1, *self.shape)
        pixels = np.empty((len(flat), self.model_channels, self.image_size, self.image_size), dtype=np.uint8)
        for start in range(0, len(flat), AT_ONCE):
            part = np.ascontiguousarray(flat[start : start + AT_ONCE])
            newest = self._prepared(torch.from_numpy(part).float() / self.whitest)[:, -1]
            pixels[start : start + AT_ONCE] = (newest * 255.0).round().clamp(0.0, 255.0).numpy()
        return pixels.reshape(*leading, *pixels.shape[1:])

    def _prepared(self, picture: Tensor) -> Tensor:
        """Floats in [0, 1] of the picture's own shape to `[B, k, C, S, S]`."""
        frames = self._unstacked(picture)
        if self.model_channels == 1 and self.channels == 3:
            frames = (frames * frames.new_tensor(LUMA)[:, None, None]).sum(dim=2, keepdim=True)
        if self._resizing is not None:
            rows, columns = (weights.to(frames.device) for weights in self._resizing)
            frames = average_areas(frames, rows=rows, columns=columns)
        if self.model_channels == 3 and self.channels == 1:
            frames = frames.expand(-1, -1, 3, -1, -1)
        return frames

    def _unstacked(self, picture: Tensor) -> Tensor:
        if self.axes == "KCHW":
            return picture
        if self.axes == "KHWC":
            return picture.movedim(-1, 2)
        if self.axes == "HWC":
            picture = picture.movedim(-1, 1)
        elif self.axes == "HW":
            picture = picture[:, None]
        return picture.reshape(len(picture), self.stack, self.channels, *picture.shape[2:])

    def _check_range(self, picture: Tensor) -> None:
        whitest = self.whitest_seen
        darkest, lightest = (float(bound) for bound in picture.aminmax())
        fits = darkest >= 0 and lightest <= whitest  # false for NaN too
        if fits and self.whole and whitest > 1 and 0 < lightest <= 1:
            fits = bool((picture == picture.round()).all())  # fractions: they were divided already
        if not fits:
            raise FrameError(
                f"expected pixels in [0, {whitest:g}], got [{darkest:g}, {lightest:g}]; set normalize_images by "
                "VASEFeaturesExtractor.policy_kwargs(run, normalize_images=...), not beside it"
            )
