"""Every arm makes a host that learns, and differs from the others in what its weight is of."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from perma_agent.continual.config_json import to_json
from perma_agent.data.sprites import SpriteWorld
from perma_agent.studies.permanence.arms import ARMS, BEST, BETA, Budget
from perma_agent.studies.permanence.article_grounds import Hidden
from perma_agent.studies.permanence.grounds import Sprites
from perma_agent.studies.permanence.page_arms import OURS, RIVALS
from perma_agent.temporal import MemoryVAEConfig, NetworkConfig, TrainingConfig, make_host, train

BUDGET = Budget(steps=8, warm_up=1)


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_learns_two_steps(arm, small, tmp_path):
    remembers = isinstance(ARMS[arm].make(small, 1.0, BUDGET), MemoryVAEConfig)
    network = replace(small, channels=3) if remembers else small  # the world of the hidden object has colours
    config = ARMS[arm].make(network, ARMS[arm].weights[-1], BUDGET)
    ground = Hidden(length=10) if remembers else Sprites()
    host = make_host(config, seed=0)
    before = torch.cat([value.detach().flatten().clone() for value in host.parameters()])
    history = train(host, ground.source(0, tmp_path), TrainingConfig(steps=2, batch=4, log_every=1, autocast=False))
    after = torch.cat([value.detach().flatten() for value in host.parameters()])
    assert not torch.equal(before, after) and torch.isfinite(after).all()
    assert np.isfinite(history.metrics["loss/total"]).all()


@pytest.mark.parametrize("arm", list(ARMS))
def test_weights_ascend_and_configs_go_into_json(arm, small):
    made = ARMS[arm]
    assert made.weights and list(made.weights) == sorted(set(made.weights)) and made.title and made.means
    documents = [json.dumps(to_json(made.make(small, weight, BUDGET)), sort_keys=True) for weight in made.weights]
    assert len(set(documents)) == len(documents)  # so that cells of two weights are never taken for each other


def test_arms_are_different_hosts(small):
    weight = 1.0
    documents = {arm: json.dumps([str(made.make(small, weight, BUDGET))]) for arm, made in ARMS.items()}
    assert len(set(documents.values())) == len(documents)
    assert len({made.title for made in ARMS.values()}) == len(ARMS)


def test_the_member_that_leads_is_one_of_the_family():
    assert BEST in OURS and OURS.isdisjoint(RIVALS) and frozenset(ARMS) >= RIVALS


def test_the_beta_vae_and_a_change_of_weight_zero_cost_the_same(small: NetworkConfig):
    pairs = SpriteWorld(canvas=32).pairs(4, np.random.default_rng(0), transition="laplace", rate=1.0).pairs
    costs = []
    for arm, weight in (("none", BETA), ("direction", 0.0)):
        host = make_host(ARMS[arm].make(small, weight, BUDGET), seed=0)
        found = host.summands(pairs, step=5, generator=torch.Generator().manual_seed(0))
        costs.append(sum(float(found.weights[name] * term.detach().mean()) for name, term in found.terms.items()))
    assert costs[0] == pytest.approx(costs[1])
