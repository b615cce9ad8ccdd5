"""Each bonus pays what its paper's formula says, on values worked out by hand or another way."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from perma_agent.errors import LevelError
from perma_agent.imagination.baselines.action_reading import ActionReading
from perma_agent.imagination.baselines.count import Count, CountConfig
from perma_agent.imagination.baselines.ensemble import Ensemble
from perma_agent.imagination.baselines.kernel_density import log_density
from perma_agent.imagination.baselines.nearest import nearest_distances
from perma_agent.imagination.baselines.skew_fit import SkewFit, SkewFitConfig, skewed
from perma_agent.imagination.bonus import Bonus, Transitions

Make = Callable[..., Bonus]
Steps = Callable[..., list[Transitions]]


def still(values: list[list[float]], *, ended: bool = False) -> Transitions:
    """One step of levels that show these vectors before and after it."""
    seen = np.array(values, dtype=np.float32)
    count = len(seen)
    return Transitions(
        observations=seen,
        actions=np.zeros(count, dtype=np.int64),
        next_observations=seen,
        ended=np.full(count, ended),
        timed_out=np.zeros(count, dtype=bool),
        following=seen,
        infos=({},) * count,
    )


def to_constant(module: torch.nn.Module, value: float) -> None:
    """Let a network say `value` whatever it sees."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        [*module.parameters()][-1].fill_(value)


def test_rnd_pays_the_mean_squared_error_at_the_next_observation(bonus_of: Make, steps_of: Steps) -> None:
    rnd: Any = bonus_of("rnd")
    to_constant(rnd.networks["target"], 2.0)
    to_constant(rnd.networks["predictor"], 0.5)
    assert rnd.reward(steps_of(steps=1)[0]) == pytest.approx([2.25] * 3)


def test_rnd_looks_at_whitened_observations_cut_off_at_five(bonus_of: Make) -> None:
    rnd: Any = bonus_of("rnd")
    for value in (-1.0, 1.0) * 50:
        rnd.reward(still([[value] * 4] * 3))
    seen = rnd.whitening({"observation": torch.tensor([[0.5, -0.25, 40.0, -40.0]])})["observation"]
    assert seen[0].tolist() == pytest.approx([0.5, -0.25, 5.0, -5.0], abs=1e-6)


def test_rnd_does_not_look_at_what_was_before(bonus_of: Make, steps_of: Steps) -> None:
    step, other = steps_of(steps=1)[0], steps_of(steps=1, seed=8)[0]
    mixed = replace(step, observations=other.observations, actions=other.actions)
    assert np.array_equal(bonus_of("rnd").reward(step), bonus_of("rnd").reward(mixed))


def test_rnds_target_never_learns_and_a_quarter_of_the_steps_is_learnt_from(bonus_of: Make, steps_of: Steps) -> None:
    rnd: Any = bonus_of("rnd", proportion=0.25, batch_size=4)
    target = {name: value.clone() for name, value in rnd.networks["target"].state_dict().items()}
    for step in steps_of(steps=8):
        rnd.reward(step)
    sizes = [len(which) for which in rnd._minibatches(24)]
    assert sizes == [4, 2]
    rnd.learn()
    assert all(torch.equal(value, rnd.networks["target"].state_dict()[name]) for name, value in target.items())


def test_icm_pays_half_the_squared_error_of_its_guess(bonus_of: Make, steps_of: Steps) -> None:
    icm: Any = bonus_of("icm", eta=0.5, features=3)
    to_constant(icm.networks["icm"].encoder, 1.0)
    to_constant(icm.networks["icm"].predict, 3.0)
    assert icm.reward(steps_of(steps=1)[0]) == pytest.approx([0.5 / 2 * (2.0**2 * 3)] * 3)


def test_icms_loss_weighs_forward_and_inverse_errors(bonus_of: Make, steps_of: Steps) -> None:
    icm: Any = bonus_of("icm", beta=0.25, features=3)
    to_constant(icm.networks["icm"].encoder, 1.0)
    to_constant(icm.networks["icm"].predict, 3.0)
    to_constant(icm.networks["icm"].invert, 0.0)
    icm.reward(steps_of(steps=1)[0])
    found = icm.learn()
    assert found["forward"] == pytest.approx(6.0)
    assert found["inverse"] == pytest.approx(math.log(3))
    assert found["loss"] == pytest.approx(0.75 * math.log(3) + 0.25 * 6.0)


def test_the_inverse_error_of_every_kind_of_action() -> None:
    device = torch.device("cpu")
    chosen = ActionReading.of(spaces.MultiDiscrete([2, 3]))
    seen = chosen.see(np.array([[1, 2]]), device=device)
    assert seen.tolist() == [[0, 1, 0, 0, 1]]
    assert chosen.error(torch.zeros(1, 5), seen).tolist() == pytest.approx([math.log(2) + math.log(3)])
    shifted = ActionReading.of(spaces.Discrete(3, start=2))
    assert shifted.see(np.array([2, 4]), device=device).tolist() == [[1, 0, 0], [0, 0, 1]]
    numbers = ActionReading.of(spaces.Box(-1, 1, (2,)))
    assert numbers.error(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])).tolist() == [2.5]
    switches = ActionReading.of(spaces.MultiBinary(2))
    guess = torch.tensor([[0.0, 100.0]])
    assert switches.error(guess, torch.tensor([[1.0, 1.0]])).tolist() == pytest.approx([math.log(2)])


def test_disagreement_is_the_variance_of_the_ensemble_summed_over_features(bonus_of: Make, steps_of: Steps) -> None:
    bonus: Any = bonus_of("disagreement", members=3, features=2)
    with torch.no_grad():
        for parameter in bonus.networks["ensemble"].parameters():
            parameter.zero_()
        bonus.networks["ensemble"].biases[-1].copy_(torch.tensor([[[1.0, 0.0]], [[2.0, 0.0]], [[6.0, 3.0]]]))
    # variances of 1, 2, 6 about 3 and of 0, 0, 3 about 1
    assert bonus.reward(steps_of(steps=1)[0]) == pytest.approx([(4 + 1 + 9) / 3 + (1 + 1 + 4) / 3] * 3)


def test_an_ensemble_is_perceptrons_side_by_side() -> None:
    torch.manual_seed(1)
    ensemble, inputs = Ensemble(3, sizes=(4, 5, 2)), torch.randn(6, 4)
    for member in range(3):
        weights, biases = ([part[member] for part in parts] for parts in (ensemble.weights, ensemble.biases))
        alone = torch.relu(inputs @ weights[0] + biases[0]) @ weights[1] + biases[1]
        assert torch.allclose(ensemble(inputs)[member], alone, atol=1e-6)


def test_noise_that_cannot_be_foretold_is_worth_little_to_disagreement_although_it_is_never_foretold(
    bonus_of: Make,
) -> None:
    """A level where the next observation is a coin: the point of that paper."""
    rng = np.random.default_rng(0)

    def toss() -> Transitions:
        coins = rng.integers(2, size=(3, 1)) * np.array([[0, 1, 1, 1]])
        return replace(still([[1.0, 0.0, 0.0, 0.0]] * 3), next_observations=coins.astype(np.float32))

    bonus: Any = bonus_of("disagreement", learning_rate=3e-3, whiten=False, epochs=2)
    first = np.mean([bonus.reward(toss()) for _ in range(20)])
    for _ in range(40):
        loss = bonus.learn()["loss"]
        last = np.mean([bonus.reward(toss()) for _ in range(20)])
    heads, tails = (
        bonus.networks["encoder"]({"observation": torch.tensor([coin])})[0]
        for coin in ([0.0] * 4, [0.0, 1.0, 1.0, 1.0])
    )
    variance = float((heads - tails).square().mean()) / 4  # of a fair coin's features about their mean
    assert last < 0.1 * first
    assert loss == pytest.approx(variance, rel=0.25)


def test_apt_pays_the_logarithm_of_the_mean_distance_to_the_nearest(bonus_of: Make) -> None:
    apt: Any = bonus_of("apt", representation="observation", neighbours=2, relative=False, memory=9)
    assert apt.reward(still([[0, 0, 0, 0], [3, 0, 0, 0], [0, 8, 0, 0]])).tolist() == [0, 0, 0]
    paid = apt.reward(still([[0, 4, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]))
    # (0, 4): 4 to the first, 4 to the third, 5 to the second; (3, 0): 0 and 3; (0, 0): 0 and 3
    assert paid == pytest.approx([math.log(1 + 4), math.log(1 + 1.5), math.log(1 + 1.5)])


def test_apt_relative_to_the_running_mean(bonus_of: Make) -> None:
    apt: Any = bonus_of("apt", representation="observation", neighbours=2, relative=True, memory=9)
    apt.reward(still([[0, 0, 0, 0], [3, 0, 0, 0], [0, 8, 0, 0]]))
    paid = apt.reward(still([[0, 4, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]))
    mean = (4 + 1.5 + 1.5) / 3
    assert paid == pytest.approx([math.log(1 + 4 / mean), math.log(1 + 1.5 / mean), math.log(1 + 1.5 / mean)])


@pytest.mark.parametrize("representation", ["icm", "random"])
def test_apts_particles_are_not_stale(bonus_of: Make, steps_of: Steps, representation: str) -> None:
    apt: Any = bonus_of("apt", "picture", representation=representation, memory=12)
    for step in steps_of("picture", steps=9):
        apt.reward(step)
    apt.learn()
    with torch.no_grad():
        again = apt._represent(apt.see(apt.particles.sample()))
    assert torch.allclose(apt._codes, again, atol=1e-5)


def test_nearest_distances_are_exact_even_where_points_almost_meet() -> None:
    others = torch.tensor([[1000.0, 0.0], [1000.0, 1e-3], [0.0, 0.0]])
    found = nearest_distances(torch.tensor([[1000.0, 0.0]]), others, count=5)
    assert found.tolist() == [pytest.approx([0.0, 1e-3, 1000.0])]


def test_skewed_chances_are_powers_of_the_density() -> None:
    log_p = np.log([0.5, 0.25, 0.125])
    assert skewed(log_p, alpha=-1.0) == pytest.approx([2 / 14, 4 / 14, 8 / 14])
    assert skewed(log_p + 900, alpha=-0.5) == pytest.approx(
        np.array([2, 4, 8]) ** 0.5 / (np.array([2, 4, 8]) ** 0.5).sum()
    )
    assert skewed(log_p, alpha=0.0) == pytest.approx([1 / 3] * 3)


def test_the_kernel_density_of_two_points_and_of_one() -> None:
    width = 2 ** (-1 / 5) * 1.0  # σ of -1 and 1 is 1
    kernel = [math.exp(-0.5 * (apart / width) ** 2) / (width * math.sqrt(2 * math.pi)) for apart in (0.0, 2.0)]
    assert log_density(np.array([[-1.0], [1.0]])) == pytest.approx([math.log(sum(kernel) / 2)] * 2)
    assert log_density(np.array([[3.0, 1.0]] * 4)).tolist() == [0.0] * 4


def test_skew_fit_pays_the_distance_and_asks_for_what_was_seldom_met() -> None:
    bonus = SkewFit(SkewFitConfig(horizon=1, memory=400))
    bonus.bind(spaces.Box(-10, 10, (2,), np.float32), spaces.Discrete(2), copies=1)
    bonus.begin(np.zeros((1, 2), dtype=np.float32))
    rng = np.random.default_rng(0)
    for number in range(300):  # nine of ten steps are spent near the origin
        place = rng.normal(scale=0.05, size=2) + (3.0 if number % 10 == 0 else 0.0)
        goal = bonus.pursued[0].copy()
        paid = bonus.reward(still([place.tolist()]))
        assert paid == pytest.approx([-np.linalg.norm(place.astype(np.float32) - goal)], rel=1e-5)
    bonus.learn()
    goals = []
    for _ in range(300):
        bonus.reward(still([[0.0, 0.0]]))
        goals.append(bonus.pursued[0].copy())
    far = np.mean([np.linalg.norm(goal) > 1.5 for goal in goals])
    assert 0.35 < far < 0.7  # half of the goals, for a tenth of the steps
    assert np.array_equal(np.unique(np.round(goals, 5), axis=0).shape, (len({tuple(goal) for goal in goals}), 2))


def test_skew_fit_pursues_a_goal_for_its_horizon_or_to_the_episodes_end() -> None:
    bonus = SkewFit(SkewFitConfig(horizon=3, pays="arrival", near=0.5))
    bonus.bind(spaces.Box(-100, 100, (1,), np.float32), spaces.Discrete(2), copies=2)
    bonus.begin(np.array([[10.0], [20.0]], dtype=np.float32))
    seen = [bonus.pursued.copy()]
    for ended in ([False, False], [False, True], [False, False], [False, False], [False, False]):
        step = replace(still([[10.2], [20.2]]), ended=np.array(ended))
        on_place = np.abs(np.array([10.2, 20.2]) - bonus.pursued[:, 0]) <= 0.5
        assert bonus.reward(step).tolist() == np.where(on_place, 0.0, -1.0).tolist()
        seen.append(bonus.pursued.copy())
        bonus._candidates = bonus._candidates + 100  # so that a new goal shows
    for level, new in ((0, [False, False, True, False, False]), (1, [False, True, False, False, True])):
        assert [one[level] != other[level] for one, other in itertools.pairwise(seen)] == new


def test_skew_fit_shows_what_is_lacking_from_where_the_level_stands() -> None:
    bonus = SkewFit(SkewFitConfig(horizon=1))
    bonus.bind(spaces.Box(-100, 100, (1,), np.float32), spaces.Discrete(2), copies=2)
    bonus.begin(np.array([[10.0], [20.0]], dtype=np.float32))
    assert (bonus.goals == bonus.pursued - [[10.0], [20.0]]).all()
    before = bonus.pursued.copy()
    bonus._candidates = bonus._candidates + 100
    first = np.array([[5.0], [6.0]], dtype=np.float32)
    bonus.reward(replace(still([[11.0], [21.0]]), ended=np.array([False, True]), following=first))
    assert (bonus.last_goals == before - [[11.0], [21.0]]).all()  # of the goal there was, at the step's own end
    assert (bonus.goals == bonus.pursued - [[11.0], [6.0]]).all()  # of the new one, from the next episode's beginning
    assert (bonus.pursued > before).all()


def test_counts_pay_one_over_the_root_of_the_visits() -> None:
    bonus = Count(CountConfig(bins={"x": 0.5, "heading": 1.0}))
    bonus.bind(spaces.Discrete(2), spaces.Discrete(2), copies=2)

    def at(*places: tuple[float, float]) -> np.ndarray:
        infos = tuple({"factors": {"x": np.array([x]), "heading": np.array([turn])}} for x, turn in places)
        return bonus.reward(replace(still([[0.0], [0.0]]), infos=infos))

    assert at((0.1, 0.2), (0.4, 0.9)) == pytest.approx([2**-0.5] * 2)  # one cell, both at once
    assert at((0.49, 0.0), (-0.01, 0.0)) == pytest.approx([3**-0.5, 1.0])
    assert at((0.0, 1.0), (0.0, -0.1)) == pytest.approx([1.0, 1.0])
    assert bonus.learn() == {"cells": 4.0}
    with pytest.raises(LevelError, match="expected the factor heading in the level's info to count by, got x"):
        bonus.reward(replace(still([[0.0]]), infos=({"factors": {"x": np.array([0.0])}},)))
