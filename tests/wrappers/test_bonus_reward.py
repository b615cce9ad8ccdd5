"""BonusReward: what is paid, what is told, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize

from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions
from perma_agent.imagination.make_bonus import make_bonus
from perma_agent.wrappers import BonusReward, BonusRewardConfig


class Clock(gymnasium.Env[Any, Any]):
    """Shows [episode, step]; ends after `length` steps, by a time limit if `limited`; pays the step's number."""

    def __init__(self, *, length: int = 3, limited: bool = False, as_dict: bool = False) -> None:
        hands = spaces.Box(0, 100, (2,), np.float32)
        self.observation_space = spaces.Dict({"hands": hands}) if as_dict else hands
        self.action_space = spaces.Discrete(2)
        self.length, self.limited, self.as_dict = length, limited, as_dict
        self.episode, self.moment, self.calls = -1, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.episode, self.moment, self.calls = self.episode + 1, 0, self.calls + 1
        return self.seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.moment, self.calls = self.moment + 1, self.calls + 1
        over = self.moment == self.length
        return self.seen(), float(self.moment), over and not self.limited, over and self.limited, {}

    def seen(self) -> Any:
        hands = np.array([self.episode, self.moment], dtype=np.float32)
        return {"hands": hands} if self.as_dict else hands


class Script(Bonus):
    """Pays what is next in a list, and keeps all it was told; pursues [times asked, level]."""

    def __init__(self, *rewards: float, pursues: bool = False) -> None:
        self.rewards, self.pursues = list(rewards) or [1.0], pursues
        self.told: list[Transitions] = []
        self.begun: list[Observations] = []
        self.learnt: list[int] = []

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        self.bound = (observation_space, action_space, copies)

    def begin(self, observations: Observations) -> None:
        self.begun.append(observations)

    def reward(self, step: Transitions) -> np.ndarray:
        self.told.append(step)
        return np.full(len(step.ended), self.rewards[(len(self.told) - 1) % len(self.rewards)])

    def learn(self) -> dict[str, float]:
        self.learnt.append(len(self.told))
        return {"loss": 0.5}

    def state_dict(self) -> dict[str, Any]:
        return {"asked": len(self.told)}

    def load_state_dict(self, state: State) -> None:
        self.told = [None] * state["asked"]  # type: ignore[list-item]

    @property
    def goal_space(self) -> spaces.Box | None:
        return spaces.Box(-np.inf, np.inf, (2,), np.float32) if self.pursues else None

    @property
    def goals(self) -> np.ndarray:
        return np.array([[len(self.told), level] for level in range(self.bound[2])], dtype=np.float32)

    @property
    def last_goals(self) -> np.ndarray:
        return self.goals - 0.5


def clocks(**options: Any) -> VecEnv:
    """Two of them, of which the first terminates and the second runs out of time."""
    levels = [lambda limited=limited: Monitor(Clock(limited=limited, **options)) for limited in (False, True)]
    return DummyVecEnv(levels)


def act(venv: VecEnv, steps: int) -> list[Any]:
    """What `venv` answers to so many steps, reset before; copies."""
    venv.reset()
    return [go_on(venv) for _ in range(steps)]


def go_on(venv: VecEnv) -> Any:
    observations, rewards, dones, infos = venv.step(np.array([1, 0]))
    return observations, rewards.copy(), dones.copy(), [dict(info) for info in infos]


def test_the_reward_is_the_levels_own_and_the_bonus_weighed() -> None:
    venv = BonusReward(clocks(), Script(0.5, -2.0), weight=0.25, extrinsic=3.0, normalise="none")
    first, second = act(venv, 2)
    assert first[1].tolist() == [3.0 + 0.125] * 2
    assert second[1].tolist() == [6.0 - 0.5] * 2
    assert first[1].dtype == np.float32
    told = first[3][1]
    assert (told["level_reward"], told["bonus"], told["bonus_weighed"]) == (1.0, 0.5, 0.125)


def test_a_bonus_never_crosses_an_episodes_end() -> None:
    bonus = Script()
    act(BonusReward(clocks(), bonus), 4)
    third, fourth = bonus.told[2], bonus.told[3]
    assert third.ended.tolist() == [True, True]
    assert third.timed_out.tolist() == [False, True]
    assert third.observations.tolist() == [[0, 2], [0, 2]]
    assert third.next_observations.tolist() == [[0, 3], [0, 3]]
    assert third.following.tolist() == [[1, 0], [1, 0]]
    assert fourth.observations.tolist() == [[1, 0], [1, 0]]
    assert not bonus.told[1].timed_out.any()
    assert bonus.told[0].actions.tolist() == [1, 0]


def test_a_dicts_last_observation_is_found_too() -> None:
    bonus = Script()
    act(BonusReward(clocks(as_dict=True), bonus), 3)
    assert bonus.told[2].next_observations["hands"].tolist() == [[0, 3], [0, 3]]
    assert bonus.told[2].following["hands"].tolist() == [[1, 0], [1, 0]]


def test_the_episodes_sums_are_told_at_its_end_and_the_monitors_own_is_not_touched() -> None:
    answers = act(BonusReward(clocks(), Script(1.0, 2.0, 4.0), weight=0.5, normalise="none"), 6)
    for answer, sums in ((answers[2], 7.0), (answers[5], 7.0)):
        for info in answer[3]:
            assert info["bonus_episode"] == {"level": 6.0, "bonus": sums, "weighed": sums / 2, "length": 3}
            assert info["episode"]["r"] == 6.0
    assert "bonus_episode" not in answers[1][3][0]


def test_a_reset_in_the_middle_of_an_episode_drops_its_sums() -> None:
    venv = BonusReward(clocks(), Script(), normalise="none")
    act(venv, 2)
    assert act(venv, 3)[2][3][0]["bonus_episode"]["bonus"] == 3.0
    assert len(venv.bonus.begun) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({}, [2.0, 2.0, 2.0]),
        ({"schedule": "linear", "until": 8}, [2.0, 1.0, 0.0]),
        ({"schedule": "linear", "until": 8, "final": 0.5}, [2.0, 1.5, 1.0]),
        ({"schedule": "exponential", "until": 8, "final": 0.25}, [2.0, 1.0, 0.5]),
    ],
)
def test_the_weight_follows_its_schedule_over_the_timesteps_of_all_levels(
    options: dict[str, Any], weights: list[float]
) -> None:
    venv = BonusReward(clocks(), Script(), weight=2.0, normalise="none", **options)
    paid = [answer[3][0]["bonus_weighed"] for answer in act(venv, 7)]
    assert [paid[0], paid[2], paid[4]] == pytest.approx(weights)
    assert paid[6] == pytest.approx(weights[2])
    assert venv.timesteps == 14


@pytest.mark.parametrize("normalise", ["returns", "rewards"])
def test_the_bonus_is_divided_by_the_running_deviation_of_its_returns(normalise: Any) -> None:
    bonus = Script(1.0, 5.0, 2.0, 0.5)
    venv = BonusReward(clocks(), bonus, normalise=normalise, discount=0.5, warmup=2, clip=1e9)
    answers = act(venv, 12)
    discount = 0.5 if normalise == "returns" else 0.0
    returns: list[float] = []
    running = 0.0
    for number, answer in enumerate(answers):
        raw = bonus.rewards[number % 4]
        running = discount * running + raw
        returns += [running, running]
        running = 0.0 if answer[2][0] else running
        expected = 0.0 if number < 2 else raw / np.sqrt(np.var(returns) + 1e-8)
        assert answer[3][0]["bonus_weighed"] == pytest.approx(expected)
        assert answer[3][0]["bonus"] == raw


def test_a_normalised_bonus_is_cut_off() -> None:
    venv = BonusReward(clocks(), Script(*[0.0] * 9, 50.0), normalise="rewards", warmup=0, clip=1.5)
    assert act(venv, 10)[9][3][0]["bonus_weighed"] == 1.5


def test_a_bonus_that_never_changes_makes_no_nan() -> None:
    paid = [answer[1] for answer in act(BonusReward(clocks(), Script(0.0), warmup=0), 5)]
    assert np.isfinite(paid).all()


def test_it_learns_between_steps_every_so_many_of_each_level() -> None:
    bonus = Script()
    venv = BonusReward(clocks(), bonus, learn_every=3, normalise="none", weight=0.5)
    act(venv, 7)
    assert bonus.learnt == [3, 6]
    assert venv.take_figures() == {"raw": 1.0, "weighed": 0.5, "weight": 0.5, "deviation": 1.0, "loss": 0.5}


def test_levels_are_neither_stepped_nor_reset_nor_seeded_by_it() -> None:
    plain, wrapped = clocks(), BonusReward(clocks(), make_bonus("rnd", features=8, hidden=(8,)))
    assert wrapped.get_attr("calls") == [0, 0]
    for venv in (plain, wrapped):
        venv.seed(3)
    for one, other in zip(act(plain, 8), act(wrapped, 8), strict=True):
        assert np.array_equal(one[0], other[0])
        assert [info["level_reward"] for info in other[3]] == one[1].tolist()
    assert plain.get_attr("calls") == wrapped.get_attr("calls")
    states = [venv.get_attr("np_random")[0].bit_generator.state for venv in (plain, wrapped)]
    assert states[0] == states[1]


def test_the_goal_stands_beside_the_observation_and_the_last_one_has_what_was_pursued() -> None:
    venv = BonusReward(clocks(), Script(pursues=True), show_goal=True)
    assert list(venv.observation_space.spaces) == ["goal", "observation"]  # type: ignore[attr-defined]
    first = venv.reset()
    assert first["goal"].tolist() == [[0, 0], [0, 1]]  # type: ignore[call-overload]
    answers = [go_on(venv) for _ in range(3)]
    assert answers[0][0]["goal"].tolist() == [[1, 0], [1, 1]]
    assert answers[0][0]["observation"].tolist() == [[0, 1], [0, 1]]
    last = answers[2][3][1]["terminal_observation"]
    assert last["observation"].tolist() == [0, 3]
    assert last["goal"].tolist() == [2.5, 0.5]  # as the bonus says, asked after the step
    assert answers[2][0]["goal"].tolist() == [[3, 0], [3, 1]]
    assert venv.observation_space.contains({name: part[0] for name, part in answers[2][0].items()})


def test_the_goal_becomes_an_entry_of_a_dict() -> None:
    venv = BonusReward(clocks(as_dict=True), Script(pursues=True), show_goal=True)
    answers = act(venv, 3)
    assert set(answers[0][0]) == {"hands", "goal"}
    assert set(answers[2][3][0]["terminal_observation"]) == {"hands", "goal"}


def test_what_a_policy_was_shown_does_not_change_with_the_goals() -> None:
    venv = BonusReward(clocks(), make_bonus("skew-fit", horizon=1), show_goal=True)
    shown = venv.reset()
    kept = shown["goal"].copy()  # type: ignore[call-overload]
    for _ in range(5):
        go_on(venv)
    assert np.array_equal(shown["goal"], kept)  # type: ignore[call-overload]


def test_a_goal_that_does_not_exist_or_has_no_place_is_told() -> None:
    with pytest.raises(ValueError, match="expected a bonus that pursues goals for show_goal, got one without"):
        BonusReward(clocks(), Script(), show_goal=True)
    inner = BonusReward(clocks(), Script(pursues=True), show_goal=True)
    with pytest.raises(ValueError, match="expected observations without an entry 'goal'"):
        BonusReward(inner, Script(pursues=True), show_goal=True)


@pytest.mark.parametrize("broken", [[np.nan, 1.0], [1.0], [[1.0], [1.0]]])
def test_a_bonus_that_is_not_one_finite_number_a_level_is_told(broken: Any) -> None:
    bonus = Script()
    bonus.reward = lambda step: np.array(broken)  # type: ignore[method-assign]
    venv = BonusReward(clocks(), bonus)
    with pytest.raises(ValueError, match="expected 2 finite rewards from Script, got"):
        act(venv, 1)


def test_stepping_before_a_reset_is_told() -> None:
    inner = clocks()
    inner.reset()
    venv = BonusReward(inner, Script())
    with pytest.raises(ValueError, match="expected levels that were reset before"):
        go_on(venv)


@pytest.mark.parametrize(
    "options",
    [
        {"wieght": 1.0},
        {"weight": -1.0},
        {"schedule": "cosine"},
        {"normalise": "yes"},
        {"schedule": "exponential"},
        {"learn_every": 0},
        {"discount": 1.0},
        {"clip": 0.0},
    ],
)
def test_options_that_do_not_fit_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        BonusReward(clocks(), Script(), **options)


def test_options_change_what_a_config_says() -> None:
    config = BonusRewardConfig(weight=0.1, extrinsic=0.0)
    assert BonusReward(clocks(), Script(), config=config, weight=0.2).config == BonusRewardConfig(
        weight=0.2, extrinsic=0.0
    )


def test_a_bonus_may_be_named() -> None:
    assert type(BonusReward(clocks(), "none").bonus).__name__ == "NoBonus"


def test_the_rewards_given_away_are_not_kept() -> None:
    """PPO adds the value of the last state to them in place where a time limit ended the episode."""
    venv = BonusReward(clocks(), Script(), normalise="none")
    venv.reset()
    rewards = venv.step(np.array([0, 0]))[1]
    rewards += 1000.0
    assert [go_on(venv) for _ in range(2)][1][3][0]["bonus_episode"]["level"] == 6.0


def test_another_wrapper_goes_on_where_one_stood() -> None:
    options: dict[str, Any] = {"warmup": 2, "learn_every": 5, "schedule": "linear", "until": 40}
    venv = BonusReward(clocks(), make_bonus("rnd", features=8, hidden=(8,)), **options)
    act(venv, 4)
    other = BonusReward(clocks(), make_bonus("rnd", features=8, hidden=(8,)), **options)
    act(other, 4)  # the levels stand alike now
    go_on(other)
    other.venv.reset(), venv.venv.reset()
    other.load_state_dict(venv.state_dict())
    for _ in range(9):
        one, same = go_on(venv), go_on(other)
        assert np.array_equal(one[1], same[1])
        assert one[3][0].get("bonus_episode") == same[3][0].get("bonus_episode")


def test_what_was_learnt_goes_round_other_levels_too() -> None:
    venv = BonusReward(clocks(), make_bonus("rnd", features=8, hidden=(8,)), learn_every=2)
    act(venv, 5)
    alone = DummyVecEnv([lambda: Monitor(Clock())])
    other = BonusReward(alone, make_bonus("rnd", features=8, hidden=(8,)), learn_every=2)
    other.restore_learnt(venv.learnt_state())
    other.reset()
    assert other.timesteps == 10
    assert other.scale.moments.count == venv.scale.moments.count
    other.step(np.array([1]))


def test_the_state_of_another_bonus_is_refused() -> None:
    venv = BonusReward(clocks(), "none")
    act(venv, 1)
    with pytest.raises(ValueError, match="expected the state of a Script, got that of a NoBonus"):
        BonusReward(clocks(), Script()).load_state_dict(venv.state_dict())


Wrap = Callable[[VecEnv], VecEnv]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda venv: VecFrameStack(BonusReward(venv, "rnd", warmup=1), 2),
        lambda venv: BonusReward(VecFrameStack(venv, 2), "rnd", warmup=1),
        lambda venv: BonusReward(VecMonitor(venv), "icm", warmup=1),
        lambda venv: BonusReward(VecNormalize(venv, norm_obs=False), "apt", warmup=1),
        lambda venv: VecNormalize(BonusReward(venv, "disagreement", warmup=1), norm_obs=False),
        lambda venv: VecFrameStack(BonusReward(venv, make_bonus("skew-fit"), show_goal=True), 2),
    ],
    ids=["stack outside", "stack inside", "monitor inside", "normalised level", "normalised sum", "goals stacked"],
)
def test_it_works_among_other_wrappers(wrap: Wrap) -> None:
    venv = wrap(clocks())
    policy = "MultiInputPolicy" if isinstance(venv.observation_space, spaces.Dict) else "MlpPolicy"
    agent = PPO(policy, venv, n_steps=8, batch_size=8, n_epochs=1, policy_kwargs={"net_arch": [4]}, device="cpu")
    agent.learn(16)
    assert agent.ep_info_buffer is not None
    assert {info["r"] for info in agent.ep_info_buffer} == {6.0}
    assert all(torch.isfinite(value).all() for value in agent.policy.state_dict().values())


def test_it_works_round_and_within_encoded_observations(tmp_path: Path) -> None:
    from perma_agent.continual import Learner, LearnerConfig
    from perma_agent.continual.checkpoint import save_run
    from perma_agent.models import VASE, VASEConfig
    from perma_agent.sb3 import EncodedObservation

    class Picture(Clock):
        def __init__(self) -> None:
            super().__init__(limited=True)
            self.observation_space = spaces.Box(0, 255, (32, 32, 3), np.uint8)

        def seen(self) -> np.ndarray:
            return np.full((32, 32, 3), 20 * self.moment, dtype=np.uint8)

    config = VASEConfig(channels=3, image_size=32, filters=(4, 4, 4, 4), hidden=8, latents=4, likelihood="gaussian")
    save_run(Learner(VASE(config), LearnerConfig()), tmp_path / "vase")
    run = str(tmp_path / "vase")

    def levels() -> VecEnv:
        return DummyVecEnv([lambda: Monitor(Picture())] * 2)

    over_latents = BonusReward(EncodedObservation(levels(), run), make_bonus("skew-fit"), show_goal=True)
    over_frames = EncodedObservation(BonusReward(levels(), make_bonus("skew-fit", run=run), show_goal=True), run)
    one, other = act(over_latents, 4), act(over_frames, 4)
    assert over_latents.observation_space["goal"].shape == (4,)  # type: ignore[index]
    assert over_frames.observation_space.shape == (8,)
    ended = one[2][3][0]["terminal_observation"]
    assert other[2][3][0]["terminal_observation"].tolist()[:4] == pytest.approx(ended["observation"].tolist())
    assert [answer[3][0]["bonus"] for answer in one] == pytest.approx(
        [answer[3][0]["bonus"] for answer in other], rel=1e-5
    )
