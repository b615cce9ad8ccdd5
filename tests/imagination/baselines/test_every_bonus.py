"""Every bonus keeps the contract, whatever the levels show and however one acts in them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from perma_agent.continual.learner_state import NamedTensors
from perma_agent.errors import FrameError, LevelError, PermaAgentError
from perma_agent.imagination.bonus import Bonus, Transitions
from perma_agent.imagination.make_bonus import BONUSES, make_bonus
from perma_agent.sb3.state.plain_state import join_state, split_state

NAMES = BONUSES
LEARNING = ("rnd", "icm", "disagreement", "apt")
EVERY = list(itertools.product(NAMES, ("picture", "vector", "dict"), ("discrete", "box")))
Make = Callable[..., Bonus]
Steps = Callable[..., list[Transitions]]


def live(bonus: Bonus, steps: list[Transitions], *, learn_every: int = 6, begin: bool = True) -> np.ndarray:
    """All rewards, `[T, N]`."""
    if begin:
        bonus.begin(steps[0].observations)
    rewards = []
    for number, step in enumerate(steps):
        rewards.append(bonus.reward(step))
        if (number + 1) % learn_every == 0:
            assert all(np.isfinite(value) for value in bonus.learn().values())
    return np.stack(rewards)


def on_disk(state: Any) -> Any:
    """A state through JSON and safetensors, as a checkpoint writes it."""
    plain, tensors = split_state(state)
    again = NamedTensors(load(save(tensors)), source="test")
    return join_state(json.loads(json.dumps(plain)), again)


@pytest.mark.parametrize(("name", "observed", "acted"), EVERY)
def test_rewards_are_finite_and_the_seed_makes_them(
    bonus_of: Make, steps_of: Steps, name: str, observed: str, acted: str
) -> None:
    steps = steps_of(observed, acted, steps=14)
    first = live(bonus_of(name, observed, acted), steps)
    assert first.shape == (14, 3)
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    torch.manual_seed(17)  # another generator of torch's must not matter
    assert np.array_equal(first, live(bonus_of(name, observed, acted), steps))


@pytest.mark.parametrize(("name", "observed", "acted"), EVERY)
def test_another_process_goes_on_bit_for_bit(
    bonus_of: Make, steps_of: Steps, name: str, observed: str, acted: str
) -> None:
    steps = steps_of(observed, acted, steps=17)
    straight = bonus_of(name, observed, acted)
    live(straight, steps[:8])
    state = on_disk(straight.state_dict())
    resumed = bonus_of(name, observed, acted)
    resumed.begin(steps[3].observations)  # what a fresh process does before it takes the state up
    resumed.load_state_dict(state)
    if straight.goal_space is not None:
        assert np.array_equal(straight.goals, resumed.goals)
    assert np.array_equal(live(straight, steps[8:], begin=False), live(resumed, steps[8:], begin=False))
    assert straight.learn() == resumed.learn()


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_a_copy(bonus_of: Make, steps_of: Steps, name: str) -> None:
    steps = steps_of(steps=12)
    bonus = bonus_of(name)
    live(bonus, steps[:7])
    kept = split_state(bonus.state_dict())
    tensors = {key: value.clone() for key, value in kept[1].items()}
    live(bonus, steps[7:], begin=False)
    other = bonus_of(name)
    other.load_state_dict(join_state(kept[0], NamedTensors(dict(kept[1]), source="test")))
    assert all(torch.equal(value, kept[1][key]) for key, value in tensors.items())


@pytest.mark.parametrize(("name", "observed"), list(itertools.product(NAMES, ("picture", "vector", "dict"))))
def test_what_the_next_episode_begins_with_pays_nothing(
    bonus_of: Make, steps_of: Steps, name: str, observed: str
) -> None:
    steps = steps_of(observed, steps=10)
    assert steps[-1].ended.any()
    last = replace(steps[-1], following=steps_of(observed, steps=1, seed=9)[0].observations)
    assert np.array_equal(live(bonus_of(name, observed), steps), live(bonus_of(name, observed), [*steps[:-1], last]))


@pytest.mark.parametrize("name", NAMES)
def test_global_generators_stay_as_they_are(bonus_of: Make, steps_of: Steps, name: str) -> None:
    torch.manual_seed(3)
    before, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    live(bonus_of(name), steps_of(steps=13))
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(numbers, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("name", ["rnd", "icm", "disagreement", "apt", "skew-fit"])
def test_another_seed_is_another_bonus(bonus_of: Make, steps_of: Steps, name: str) -> None:
    steps = steps_of(steps=8)
    assert not np.array_equal(live(bonus_of(name), steps), live(bonus_of(name, seed=1), steps))


@pytest.mark.parametrize(("name", "observed"), list(itertools.product(LEARNING, ("picture", "vector"))))
def test_learning_makes_the_loss_smaller(bonus_of: Make, steps_of: Steps, name: str, observed: str) -> None:
    steps = steps_of(observed, steps=5)
    bonus = bonus_of(name, observed, whiten=False, proportion=1.0, learning_rate=5e-3, epochs=8)
    losses = []
    for _ in range(4):
        live(bonus, steps, learn_every=1000)
        losses.append(bonus.learn()["loss"])
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rnd", {"learning_rate": 3e-3, "whiten": False, "proportion": 1.0, "epochs": 30}),
        ("icm", {"learning_rate": 3e-3, "whiten": False, "beta": 1.0, "epochs": 4}),
        ("disagreement", {"learning_rate": 3e-3, "whiten": False, "epochs": 30}),
        ("apt", {"representation": "random", "memory": 500, "whiten": False}),
        ("count", {}),
    ],
)
def test_what_was_met_often_is_worth_less_than_what_is_new(
    bonus_of: Make, steps_of: Steps, name: str, options: dict[str, Any]
) -> None:
    often, new = steps_of(steps=3, ends=False), steps_of(steps=5, seed=5)
    bonus = bonus_of(name, **options)
    first = live(bonus, often)
    for _ in range(12):
        last = live(bonus, often, begin=False, learn_every=3)
    assert last.mean() < 0.5 * first.mean()
    assert last.mean() < 0.5 * live(bonus, new, begin=False, learn_every=1000).mean()


@pytest.mark.parametrize("name", ["rnd", "icm", "disagreement", "apt", "skew-fit", "count"])
def test_the_state_of_another_configuration_is_refused(bonus_of: Make, steps_of: Steps, name: str) -> None:
    other = {"count": {"bins": {"x": 2.0}}, "skew-fit": {"alpha": -0.5}}.get(name, {"seed": 4})
    bonus, changed = bonus_of(name), bonus_of(name, **other)
    for each in (bonus, changed):
        live(each, steps_of(steps=3))
    with pytest.raises(ValueError, match="expected the"):
        bonus.load_state_dict(on_disk(changed.state_dict()))


@pytest.mark.parametrize("name", LEARNING)
def test_the_state_of_other_levels_is_refused(bonus_of: Make, steps_of: Steps, name: str) -> None:
    bonus = bonus_of(name, "picture")
    with pytest.raises(ValueError, match=r"expected the networks of a \w+ on levels like these, got others"):
        bonus.load_state_dict(on_disk(bonus_of(name, "vector").state_dict()))


@pytest.mark.parametrize("name", ["rnd", "icm", "disagreement", "apt", "skew-fit"])
def test_numbers_that_are_not_finite_are_told(bonus_of: Make, steps_of: Steps, name: str) -> None:
    step = steps_of(steps=1)[0]
    broken = np.array(step.next_observations)
    broken[1, 2] = np.nan
    bonus = bonus_of(name)
    bonus.begin(step.observations)
    with pytest.raises(FrameError, match="expected finite numbers in observation"):
        bonus.reward(replace(step, next_observations=broken))


@pytest.mark.parametrize("name", LEARNING)
def test_a_step_of_learning_that_is_not_finite_is_left_out(
    bonus_of: Make, steps_of: Steps, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bonus: Any = bonus_of(name)
    live(bonus, steps_of(steps=5), learn_every=1000)
    before = {key: value.clone() for key, value in bonus.networks.state_dict().items()}
    real = bonus.losses
    monkeypatch.setattr(bonus, "losses", lambda batch: {"loss": real(batch)["loss"] * float("nan")})
    assert bonus.learn()["skipped"] > 0
    assert all(torch.equal(value, bonus.networks.state_dict()[key]) for key, value in before.items())


def test_unknown_names_and_options_are_told_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"expected a bonus among rnd, icm, .*imagination, got 'ngu'"):
        make_bonus("ngu")
    with pytest.raises(ValueError, match=r"expected options of rnd among .*predictor.*, got predicter"):
        make_bonus("rnd", predicter=(3,))
    with pytest.raises(ValueError, match="expected options of none among none, got seed"):
        make_bonus("none", seed=0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rnd", {"proportion": 0.0}),
        ("icm", {"beta": 1.5}),
        ("icm", {"eta": 0.0}),
        ("disagreement", {"members": 1}),
        ("apt", {"representation": "vase"}),
        ("apt", {"memory": 3, "neighbours": 4}),
        ("skew-fit", {"alpha": 0.5}),
        ("skew-fit", {"pays": "much"}),
        ("count", {"bins": {}}),
        ("count", {"bins": {"x": 0.0}}),
    ],
)
def test_options_out_of_range_are_told(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make_bonus(name, **options)


def test_levels_that_a_bonus_cannot_read_are_told() -> None:
    from gymnasium import spaces

    with pytest.raises(FrameError, match="expected numbers or a picture in text"):
        make_bonus("rnd").bind(spaces.Dict({"text": spaces.Text(3)}), spaces.Discrete(2), copies=1)
    with pytest.raises(LevelError, match="expected actions that are choices or numbers"):
        make_bonus("icm").bind(spaces.Box(0, 1, (2,)), spaces.Dict({"a": spaces.Discrete(2)}), copies=1)
    with pytest.raises(PermaAgentError, match="expected observations that are codes, got pictures"):
        make_bonus("skew-fit").bind(spaces.Box(0, 255, (40, 40, 3), np.uint8), spaces.Discrete(2), copies=1)
