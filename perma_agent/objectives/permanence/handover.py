"""Handover: one member of the family leads the way, another takes over from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from perma_agent.objectives.capacity import warm_up
from perma_agent.objectives.permanence.config import PermanenceConfig
from perma_agent.objectives.permanence.term import change_term
from perma_agent.types import Posterior

LEADING, FOLLOWING = "permanence_first", "permanence"
"""Names of the two terms."""


def handed_over(config: PermanenceConfig, *, step: int) -> float:
    """Share of the weight that is with `config`'s own member after `step` learning steps, in [0, 1].

        h(t) = handed · clip( (t - t_0) / (t_1 - t_0), 0, 1 ),   [t_0, t_1] = handover

    Where nothing leads the way it is 1.
    """
    if config.first is None:
        return 1.0
    begins, ends = config.handover
    if step >= ends:
        return config.handed
    return 0.0 if step <= begins else config.handed * (step - begins) / (ends - begins)


def change_terms(
    posterior: Posterior,
    earlier: Posterior,
    mask: Tensor,
    offsets: Tensor | np.ndarray,
    *,
    config: PermanenceConfig,
    step: int,
) -> Iterator[tuple[str, Tensor, float]]:
    """The terms of a batch of pairs that cost anything at this step, each with its name and weight.

        total = (1 - h(t)) w_first(t) · first + h(t) w(t) · member,   w(t) warmed up

    What shrinks a change (L1, the Laplace prior) lets information in little by little and so finds the axes early, and
    then keeps charging for it; what only asks for sparseness charges nothing for a clean code, and can be trapped
    early. Handing over from the one to the other has both: axes first, then the rest of the information along them.

    Args:
        posterior: of I_t, shape `[B, D]`.
        earlier: of I_{t-o}, shape `[B, D]`.
        mask: a^s, shape `[D]`.
        offsets: o, in steps, integers of shape `[B]`.
        config: members, weights and handover.
        step: learning steps so far.

    Yields:
        `permanence_first` and `permanence`, values as `change_term` gives them, shape `[B]`, and the weight.
    """
    share = handed_over(config, step=step)
    for name, member, part in ((LEADING, config.first, 1.0 - share), (FOLLOWING, config, share)):
        if member is not None and member.member != "none" and member.weight and part > 0:
            values = change_term(posterior, earlier, mask, offsets, config=member, step=step)
            yield name, values, part * warm_up(member.weight, step=step, steps=member.warm_up)
