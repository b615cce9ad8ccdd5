"""Handover: weights cross linearly, and what does not act is not there."""

from __future__ import annotations

import pytest
import torch

from perma_agent.continual.config_json import from_json, to_json
from perma_agent.objectives import PermanenceConfig, change_term, change_terms
from perma_agent.objectives.permanence import MemberConfig, handed_over
from perma_agent.types import Posterior

SLOW = MemberConfig(member="l1", weight=3.0, warm_up=1)
BOTH = PermanenceConfig(member="direction", weight=8.0, warm_up=1, first=SLOW, handover=(100, 300))


def weights(config: PermanenceConfig, *, step: int) -> dict[str, float]:
    later, earlier = posteriors()
    terms = change_terms(later, earlier, torch.ones(3), torch.ones(4), config=config, step=step)
    return {name: weight for name, _, weight in terms}


def posteriors() -> tuple[Posterior, Posterior]:
    generator = torch.Generator().manual_seed(0)
    means = [torch.randn(4, 3, generator=generator) for _ in range(2)]
    return Posterior(means[0], torch.zeros(4, 3)), Posterior(means[1], torch.zeros(4, 3))


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (100, 0.0), (150, 0.25), (200, 0.5), (300, 1.0), (900, 1.0)])
def test_the_share_crosses_linearly(step: int, share: float) -> None:
    assert handed_over(BOTH, step=step) == share


def test_without_a_first_member_all_is_with_the_own_one() -> None:
    assert handed_over(PermanenceConfig(member="l1"), step=0) == 1.0
    assert weights(PermanenceConfig(member="l1", weight=2.0, warm_up=10), step=5) == {"permanence": 1.0}


def test_each_member_keeps_its_own_weight() -> None:
    assert weights(BOTH, step=50) == {"permanence_first": 3.0}
    assert weights(BOTH, step=150) == pytest.approx({"permanence_first": 0.75 * 3.0, "permanence": 0.25 * 8.0})
    assert weights(BOTH, step=301) == {"permanence": 8.0}


def test_an_instant_handover_leaves_no_gap() -> None:
    at_once = PermanenceConfig(member="direction", weight=8.0, warm_up=1, first=SLOW, handover=(100, 100))
    assert [weights(at_once, step=step) for step in (99, 100)] == [{"permanence_first": 3.0}, {"permanence": 8.0}]


def test_the_first_may_keep_a_share() -> None:
    both = PermanenceConfig(member="direction", weight=8.0, warm_up=1, first=SLOW, handover=(100, 300), handed=0.25)
    assert [handed_over(both, step=step) for step in (100, 200, 300, 900)] == [0.0, 0.125, 0.25, 0.25]
    assert weights(both, step=900) == {"permanence_first": 2.25, "permanence": 2.0}


def test_the_values_are_those_of_the_members() -> None:
    later, earlier = posteriors()
    found = {
        name: values
        for name, values, _ in change_terms(later, earlier, torch.ones(3), torch.ones(4), config=BOTH, step=200)
    }
    for name, config in (("permanence_first", SLOW), ("permanence", BOTH)):
        expected = change_term(later, earlier, torch.ones(3), torch.ones(4), config=config, step=200)
        torch.testing.assert_close(found[name], expected)


def test_a_member_that_costs_nothing_is_left_out() -> None:
    assert weights(PermanenceConfig(member="none"), step=5) == {}
    assert weights(PermanenceConfig(weight=0.0), step=5) == {}
    only_first = PermanenceConfig(member="none", first=SLOW, handover=(100, 300))
    assert only_first.acts
    assert weights(only_first, step=200) == {"permanence_first": 1.5}


def test_it_comes_back_from_json() -> None:
    assert from_json(PermanenceConfig, to_json(BOTH), where="it") == BOTH


@pytest.mark.parametrize("handover", [(-1, 5), (5, 4)])
def test_a_handover_that_runs_backwards_is_refused(handover: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="handover that ends after it begins"):
        PermanenceConfig(first=SLOW, handover=handover)


@pytest.mark.parametrize("handed", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(handed: float) -> None:
    with pytest.raises(ValueError, match=r"handed in \[0, 1\]"):
        PermanenceConfig(first=SLOW, handover=(0, 1), handed=handed)


def test_there_is_one_first_member() -> None:
    with pytest.raises(ValueError, match="pass its `alone`"):
        PermanenceConfig(first=BOTH)
    assert PermanenceConfig(first=BOTH.alone).first == MemberConfig(member="direction", weight=8.0, warm_up=1)
