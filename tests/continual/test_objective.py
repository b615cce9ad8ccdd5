"""The terms of one update and the weights they have at that moment."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from perma_agent.continual.dreams import DreamConfig, Dreams
from perma_agent.continual.environment_record import EnvironmentRecord
from perma_agent.continual.objective import Objective
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.types import Posterior

# Two frames (0, 0), (3, 4) with unit variance: KL 0 and ½ 25, on average 6.25 nats
PAIR = Posterior(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.zeros(2, 2))


def record(*, steps: int, opening: float = 0.0) -> EnvironmentRecord:
    made = EnvironmentRecord.new(2)
    made.steps, made.opening_information = steps, opening
    return made


def test_permanence_is_between_the_halves_of_the_batch_and_warms_up() -> None:
    objective = Objective()
    config = PermanenceConfig(weight=8.0, b=0.0, relative=False, warm_up=100)
    objective.add_permanence(PAIR, torch.ones(2), np.ones(1, dtype=np.int64), config=config, step=25)
    assert objective.terms["permanence"].tolist() == pytest.approx([1.4])  # (3 + 4) / 5
    assert objective.weights == {"permanence": 2.0}


def test_capacity_rises_over_the_steps_in_the_environment() -> None:
    # A quarter of the way from 2 to 10 nats, and half the way to a weight of 6
    config = CapacityConfig(weight=6.0, warm_up=10, schedule=CapacitySchedule(nats=10.0, steps=20))
    objective = Objective()
    granted = objective.add_capacity(PAIR, config=config, record=record(steps=5, opening=2.0))
    assert granted == 4.0
    assert objective.terms["capacity"].tolist() == pytest.approx([(6.25 - 4.0) ** 2] * 2)
    assert objective.weights == {"capacity": 3.0}


def test_entangled_information_is_merely_charged_for() -> None:
    objective = Objective()
    granted = objective.add_capacity(PAIR, config=CapacityConfig(disentangled=False, beta=4.0), record=record(steps=0))
    assert math.isnan(granted)
    assert objective.terms["information"].tolist() == [0.0, 12.5] and objective.weights == {"information": 4.0}


def test_dreams_ask_for_both_proximities() -> None:
    frames = torch.zeros(2, 1, 4, 4)
    dreams = Dreams(frames, torch.zeros(2, 2), torch.zeros(2), frames, Posterior(torch.zeros(2, 2), torch.zeros(2, 2)))
    objective = Objective()
    config = DreamConfig(encoder_proximity=3.0, decoder_proximity=0.5)
    objective.add_dreams(dreams, seen=PAIR, divergence=torch.tensor([1.0, 7.0]), config=config)
    assert objective.terms["encoder_proximity"].tolist() == [0.0, 25.0]
    assert objective.terms["decoder_proximity"].tolist() == [1.0, 7.0]
    assert objective.weights == {"encoder_proximity": 3.0, "decoder_proximity": 0.5}


def test_total_is_of_what_was_added() -> None:
    objective = Objective()
    objective.add("a", torch.tensor([1.0, 3.0]), weight=2.0)
    objective.add("b", torch.tensor([5.0]), weight=0.1)
    loss, metrics = objective.total()
    assert float(loss) == pytest.approx(4.5) and set(metrics) == {"loss/a", "loss/b", "loss/total"}
