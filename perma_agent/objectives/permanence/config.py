"""Configuration of the change term: which member of the family, its parameters, and how they go over time."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

from perma_agent.objectives.permanence.laplace import Reduction

Member = Literal["p_b", "direction", "l1", "l2", "hoyer-square", "laplace", "none"]
"""Names of the members of the family; `perma_agent.objectives.permanence` has a table of what holds for each."""


@dataclass(frozen=True, kw_only=True)
class MemberConfig:
    """One member of the family, with its weight and parameters."""

    member: Member = "p_b"
    """Which function of the change is made small; "none" is 0 everywhere."""
    weight: float = 1.0
    """Nats per unit of the term; 0 turns permanence off."""
    warm_up: int = 1_000
    """Learning steps over which the weight rises from 0: too early, it collapses the code."""
    offset_weights: tuple[tuple[int, float], ...] = ()
    """(offset, factor): what pairs of that offset weigh beside those of others, 1 for offsets not named. Only
    proportions count, see `weigh_offsets`: they shift the weight between offsets, `weight` says how much there is."""
    b: float = 0.1
    """b of P_b; of no other member."""
    relative: bool = True
    """Whether b is in units of the latents' spread, or of the latents themselves."""
    b_end: float | None = None
    """Where b goes to over `b_steps` learning steps, and stays; None keeps it at `b`."""
    b_steps: int = 10_000
    """Learning steps that b takes from `b` to `b_end`."""
    b_course: Literal["geometric", "linear"] = "geometric"
    """By equal factors, b (b_end / b)^(step / b_steps), or by equal differences; only the latter reaches 0."""
    rate: float = 6.0
    """λ of "laplace", per unit of the latents; SlowVAE's."""
    reduction: Reduction = "principled"
    """How "laplace" adds up both directions of a pair; "paper" as SlowVAE's code does."""

    def __post_init__(self) -> None:
        if self.member not in get_args(Member):
            raise ValueError(f"expected member to be one of {', '.join(get_args(Member))}, got {self.member!r}")
        if self.reduction not in get_args(Reduction):
            raise ValueError(f"expected reduction to be principled or paper, got {self.reduction!r}")
        if not 0 <= self.b < math.inf:
            raise ValueError(f"expected b >= 0, got {self.b}")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"expected rate > 0, got {self.rate}")
        self._check_course()
        self._check_offset_weights()

    def _check_course(self) -> None:
        if self.b_course not in ("geometric", "linear"):
            raise ValueError(f"expected b_course to be geometric or linear, got {self.b_course!r}")
        if self.b_end is None:
            return
        if not 0 <= self.b_end < math.inf or self.b_steps < 1:
            raise ValueError(f"expected b_end >= 0 and b_steps >= 1, got {self.b_end} and {self.b_steps}")
        if self.b_course == "geometric" and not min(self.b, self.b_end) > 0:
            raise ValueError(
                f"expected b and b_end above 0 for a geometric course, got {self.b} and {self.b_end}; "
                f'take b_course="linear" to reach 0'
            )

    def _check_offset_weights(self) -> None:
        offsets = [offset for offset, _ in self.offset_weights]
        if len(set(offsets)) < len(offsets) or any(offset < 1 for offset in offsets):
            raise ValueError(f"expected offset_weights of different offsets from 1 on, got {self.offset_weights}")
        if not all(0 <= factor < math.inf for _, factor in self.offset_weights):
            raise ValueError(f"expected factors of 0 or more in offset_weights, got {self.offset_weights}")

    @property
    def acts(self) -> bool:
        """Whether a change of the code ever costs anything."""
        return self.member != "none" and self.weight != 0


@dataclass(frozen=True, kw_only=True)
class PermanenceConfig(MemberConfig):
    """How strongly changes of the code are kept sparse, and in which sense; another member may lead the way."""

    first: MemberConfig | None = None
    """A member that leads the way and then hands over to this one, with its own weight and warm-up; None for none."""
    handover: tuple[int, int] = (0, 0)
    """Learning steps from which and by which `first` hands over: its weight falls as this one's rises from 0."""
    handed: float = 1.0
    """Share of its weight that `first` has handed over by the end, in [0, 1]; less than 1, and both go on together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "handover", tuple(self.handover))  # JSON gives a list back
        if not 0 <= self.handover[0] <= self.handover[1]:
            raise ValueError(f"expected a handover that ends after it begins, got {self.handover}")
        if not 0 <= self.handed <= 1:
            raise ValueError(f"expected handed in [0, 1], got {self.handed}")
        if isinstance(self.first, PermanenceConfig):
            raise ValueError("expected a MemberConfig as first member, got a PermanenceConfig; pass its `alone`")

    @property
    def acts(self) -> bool:
        """Whether a change of the code ever costs anything."""
        return super().acts or (self.first is not None and self.first.acts)

    @property
    def alone(self) -> MemberConfig:
        """This member without the one that leads the way."""
        return MemberConfig(**{each.name: getattr(self, each.name) for each in fields(MemberConfig)})
