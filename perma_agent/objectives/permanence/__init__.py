"""Permanence: what a change of the code from one frame to another costs, by one of a family of functions.

The article asks five properties of such a function P of a change Δ: 1, differentiable almost everywhere; 2, even in
each component; 3, symmetric under permutations; 4, never smaller when a component grows; 5, smaller when a component is
set to zero and the length restored. What each member has, checked row by row in the tests ("5, smallest": property 5
where the component set to zero is the smallest; "shrinks": a step along the gradient makes the change smaller):

    member         |  1  |  2  |  3  |  4  |  5  | 5, smallest | shrinks | range     | longest gradient
    p_b, b = 0     | yes | yes | yes | no  | no  | yes         | no      | [1, √D]   | √D / ||Δ||₂
    p_b, b > 0     | yes | yes | yes | no  | no  | yes         | yes     | [1, √D]   | 2 √D / b
    direction      | yes | yes | yes | no  | no  | yes         | no      | [1, √D]   | √D
    l1             | yes | yes | yes | yes | no  | yes         | yes     | [0, ∞)    | √D
    l2             | yes | yes | yes | yes | no  | no          | yes     | [0, ∞)    | 2 ||Δ||₂
    hoyer-square   | yes | yes | yes | no  | no  | yes         | no      | [1, D]    | D / ||Δ||₂
    laplace        | yes | yes | yes | yes | no  | yes         | yes     | [0, ∞)    | λ √D
    none           | yes | yes | yes | yes | no  | no          | no      | 0         | 0

("direction" has the value of P_0, and by design not its gradient; "laplace" is taken at one fixed σ of all latents, its
gradient that in Δ; and its range is that of the principled reduction.)

Counter-examples. To 4: P_0(1, 1) = 1.414 but P_0(2, 1) = 1.342; with b = 0.1 1.387 but 1.327. To 5: P_0(10, 1, 1) =
1.188 falls to P_0(10, 1, 0) = 1.095 without its smallest component, but rises to P_0(0, 1, 1) = 1.414 without its
largest, and so does every member at equal length, but for "l2" and "none", which do not change at all. No better choice
would help: with three latents or more no continuous symmetric function has property 5. By it P(0, 1, 1) > P(0, √2, 0) =
P(√2, 0, 0); but also P(δ, ε, ε) > P(0, 1, 1) for each ε > 0, with δ² = 2 - 2 ε², and as ε goes to 0 this becomes
P(√2, 0, 0) >= P(0, 1, 1).

What shrinks the change rewards a collapsed code: keep the capacity term (or another that pins the code's scale), or
take b relative to the code's spread.
"""

from perma_agent.objectives.permanence.config import Member, MemberConfig, PermanenceConfig
from perma_agent.objectives.permanence.handover import change_terms, handed_over
from perma_agent.objectives.permanence.laplace import Reduction, laplace_cross_entropy, laplace_transition
from perma_agent.objectives.permanence.norms import hoyer_square, l1_change, l2_change, permanence_direction
from perma_agent.objectives.permanence.prior import SMALLEST_CHANGE, normalised_permanence, permanence
from perma_agent.objectives.permanence.schedule import scheduled_b, weigh_offsets
from perma_agent.objectives.permanence.term import change_term, permanence_of_pairs

__all__ = [
    "SMALLEST_CHANGE",
    "Member",
    "MemberConfig",
    "PermanenceConfig",
    "Reduction",
    "change_term",
    "change_terms",
    "handed_over",
    "hoyer_square",
    "l1_change",
    "l2_change",
    "laplace_cross_entropy",
    "laplace_transition",
    "normalised_permanence",
    "permanence",
    "permanence_direction",
    "permanence_of_pairs",
    "scheduled_b",
    "weigh_offsets",
]
