"""Arms: the intrinsic rewards that are compared, what each may see and the weights it is tried with; one is blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

WEIGHTS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Tried for every bonus alike; with three of them RND did best with the least, imagination with the greatest."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """An intrinsic reward under `make_bonus`'s name."""

    bonus: str
    """Name for `make_bonus`."""
    title: str
    """In words, for figures."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of its config that differ from the defaults."""
    weights: tuple[float, ...] = WEIGHTS
    """What its normalised reward is multiplied with; one is chosen on other seeds."""
    shows_goal: bool = False
    """Whether the policy sees what the bonus pursues, beside the latents; all others see the latents alone."""
    draws: bool = False
    """Whether it needs a VASE even where it is shown codes: it draws what it imagines."""
    reads: bool = False
    """Whether it needs a VASE where it is shown frames."""
    seeded: bool = True
    """Whether its config has a seed."""
    blind: bool = False
    """Whether nobody learns: the agent wanders about without looking."""


ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        "none": Arm(bonus="none", title="no bonus", weights=(0.0,), seeded=False),
        "rnd": Arm(bonus="rnd", title="RND"),
        "imagination": Arm(bonus="imagination", title="imagination", shows_goal=True, draws=True),
        "icm": Arm(bonus="icm", title="ICM"),
        "disagreement": Arm(bonus="disagreement", title="disagreement"),
        "apt": Arm(bonus="apt", title="APT"),
        "skew-fit": Arm(bonus="skew-fit", title="Skew-Fit", shows_goal=True, reads=True),
        "count": Arm(bonus="count", title="count (oracle)", seeded=False),
        "wanderer": Arm(bonus="none", title="blind wanderer", weights=(0.0,), seeded=False, blind=True),
    }
)
"""By the name in the arms of cells. `count` is told the agent's true place; the wanderer is the policy that VASEs are
pretrained on, which repeats its action three times of four and prefers to go forward."""
LEARNING = tuple(name for name, arm in ARMS.items() if not arm.blind)
"""Those with a policy that learns."""
OURS, RIVAL, PLAIN, ORACLE = "imagination", "rnd", "none", "count"
"""The arm that is judged, the two it is judged by, and the one whose bonus is told the true place."""
