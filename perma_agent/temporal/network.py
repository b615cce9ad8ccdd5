"""Network: the sizes that all hosts of one comparison share."""

from __future__ import annotations

from dataclasses import dataclass

from perma_agent.models import Likelihood, VASEConfig


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Sizes of a host's networks: those of `VASEConfig` for one environment, with SlowVAE's ten latents."""

    channels: int = 1
    """C of the frames: 1 (grey) or 3 (RGB)."""
    image_size: int = 64
    """H = W of the frames, in pixels; divisible by 2 to the number of filters."""
    filters: tuple[int, ...] = (32, 32, 64, 64)
    """Output channels of the 4x4 stride-2 convolutions."""
    hidden: int = 256
    """Units of the fully connected layers, and of the memory where there is one."""
    latents: int = 10
    """D (SlowVAE and its baselines: 10)."""
    likelihood: Likelihood = "bernoulli"
    """`bernoulli` for grey frames, `gaussian` for RGB ones; hosts without a decoder have none."""
    pixel_std: float = 0.3
    """σ_x of the Gaussian likelihood, in units of the pixel range [0, 1]; unused by the Bernoulli one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", tuple(self.filters))  # JSON gives a list back
        self.vase()  # refuses what does not fit

    def vase(self) -> VASEConfig:
        """The VASE of these sizes that knows one environment."""
        return VASEConfig(
            channels=self.channels,
            image_size=self.image_size,
            filters=self.filters,
            hidden=self.hidden,
            latents=self.latents,
            max_environments=1,
            likelihood=self.likelihood,
            pixel_std=self.pixel_std,
        )
