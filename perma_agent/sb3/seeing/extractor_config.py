"""Settings of a features extractor, as plain values: they are kept in an agent's zip and in its bundle."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from perma_agent.continual.config_json import from_json
from perma_agent.models import VASEConfig
from perma_agent.sb3.seeing.sight import Sight, checked_sights

Mode = Literal["continual", "frozen", "finetune", "random", "nature"]
"""Who may change what the policy looks through: the VASE's own loss between rollouts (`continual`), nobody (`frozen`),
the policy's gradient too (`finetune`); or a control in its place: an untrained encoder of the same shape that nobody
changes (`random`), or SB3's NatureCNN that the policy's gradient trains from scratch (`nature`)."""


@dataclass(frozen=True, kw_only=True)
class ExtractorConfig:
    """Arguments of `VASEFeaturesExtractor`."""

    model: VASEConfig
    """Of its VASE."""
    run: str
    """Run folder that its weights came from."""
    mode: Mode = "continual"
    """Who may change it."""
    sees: tuple[Sight, ...] = ("mean",)
    """What the policy is shown of the code, see `sb3.sight`."""
    frame_key: str | None = None
    """Entry of Dict observations that is the picture; None where there is only one."""
    frame_channels: int | None = None
    """Channels of one frame, 1 or 3; None for what the model's own make of them."""
    seed: int = 0
    """Of the untrained encoder in mode `random`."""
    normalize_images: bool = True
    """Whether the policy divides pixels by 255."""

    def __post_init__(self) -> None:
        modes = get_args(Mode)
        if self.mode not in modes:
            known = ", ".join(map(repr, modes[:-1]))
            raise ValueError(f"expected mode {known} or {modes[-1]!r}, got {self.mode!r}")
        if self.frame_channels not in (None, 1, 3):
            raise ValueError(f"expected frame_channels 1 (grey) or 3 (RGB), got {self.frame_channels}")
        object.__setattr__(self, "sees", checked_sights(self.sees))

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ExtractorConfig:
        """Read `features_extractor_kwargs`; what is not said there is as above.

        Raises:
            RunFolderError: an option is unknown, missing or of another type.
        """
        unsaid = {
            field.name: field.default for field in dataclasses.fields(cls) if field.default is not dataclasses.MISSING
        }
        return from_json(cls, {**unsaid, **options}, where="features_extractor_kwargs")
