"""Episodes are counted fairly, on a level whose every number is known, and as Stable-Baselines3 counts them."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from perma_agent.errors import LevelError
from perma_agent.evaluation.policies import RandomPolicy, evaluate_on_level


class CountingLevel:
    """Copy i plays episodes of a fixed length, and pays its own number at each step."""

    action_space = spaces.Discrete(3)

    def __init__(self, lengths, last_infos=None):
        self.lengths = lengths
        self.num_envs = len(lengths)
        self.last_infos = last_infos or [{} for _ in lengths]
        self.seeds = []

    def seed(self, seed=None):
        self.seeds.append(seed)

    def reset(self):
        self.steps = np.zeros(self.num_envs, dtype=int)
        return self.steps[:, None].copy()

    def step(self, actions):
        assert actions.shape == (self.num_envs,)
        self.steps += 1
        dones = self.steps == self.lengths
        infos = [dict(info) if done else {} for info, done in zip(self.last_infos, dones, strict=True)]
        self.steps[dones] = 0
        return self.steps[:, None].copy(), np.arange(self.num_envs, dtype=np.float32), dones, infos


def stand_still(observations):
    return np.zeros(len(observations), dtype=int)


def test_short_episodes_are_not_preferred():
    # Of 4 episodes each copy owes 2, though copy 1 could finish 20 while copy 2 finishes 2.
    statistics = evaluate_on_level(stand_still, CountingLevel([2, 20]), episodes=4, seed=0)
    np.testing.assert_array_equal(statistics.lengths, [2, 2, 20, 20])
    np.testing.assert_array_equal(statistics.returns, [0, 0, 20, 20])
    assert statistics.episodes == 4


def test_an_uneven_number_is_shared_out():
    statistics = evaluate_on_level(stand_still, CountingLevel([2, 3, 4]), episodes=4, seed=0)
    np.testing.assert_array_equal(statistics.lengths, [2, 3, 4, 4])


def test_fewer_episodes_than_copies():
    statistics = evaluate_on_level(stand_still, CountingLevel([2, 3, 4]), episodes=1, seed=7)
    np.testing.assert_array_equal(statistics.lengths, [4])


def test_the_seed_is_given_before_the_reset():
    level = CountingLevel([2])
    evaluate_on_level(stand_still, level, episodes=1, seed=7)
    assert level.seeds == [7]


def test_success_is_what_the_level_says():
    level = CountingLevel([2, 2], [{"is_success": True, "TimeLimit.truncated": True}, {"is_success": np.False_}])
    statistics = evaluate_on_level(stand_still, level, episodes=2, seed=0)
    np.testing.assert_array_equal(statistics.successes, [True, False])
    assert statistics.reported
    assert (statistics.success_rate.value, statistics.success_rate.n) == (0.5, 2)


def test_success_of_a_level_that_says_nothing_is_a_positive_return_at_an_end_of_its_own():
    infos = [{}, {}, {"TimeLimit.truncated": True}]  # returns 0, 2 and 4
    statistics = evaluate_on_level(stand_still, CountingLevel([2, 2, 2], infos), episodes=3, seed=0)
    np.testing.assert_array_equal(statistics.successes, [False, True, False])
    assert not statistics.reported


def test_a_monitors_return_goes_before_the_sum_of_changed_rewards():
    level = CountingLevel([2], [{"episode": {"r": 5.5, "l": 8}}])
    statistics = evaluate_on_level(stand_still, level, episodes=1, seed=0)
    np.testing.assert_array_equal(statistics.returns, [5.5])
    np.testing.assert_array_equal(statistics.lengths, [8])


def test_episodes_that_never_end_are_given_up():
    with pytest.raises(LevelError, match="expected 4 episodes to end within 30 steps, got 2; give the level"):
        evaluate_on_level(stand_still, CountingLevel([2, 100]), episodes=4, seed=0, step_limit=30)
    with pytest.raises(ValueError, match="at least one episode"):
        evaluate_on_level(stand_still, CountingLevel([2]), episodes=0, seed=0)


def test_each_counted_episode_is_told():
    told = []
    evaluate_on_level(stand_still, CountingLevel([2, 20]), episodes=4, seed=0, on_episode=lambda: told.append(1))
    assert len(told) == 4


def test_mean_return_has_an_interval_over_episodes():
    statistics = evaluate_on_level(stand_still, CountingLevel([2, 20]), episodes=4, seed=0)
    mean = statistics.mean_return(rng=np.random.default_rng(0))
    assert (mean.value, mean.low, mean.high, mean.n) == (10, 0, 20, 4)


def test_a_random_policy_repeats_with_its_generator_and_leaves_the_levels_space_alone():
    space = spaces.Discrete(5, seed=3)
    observations = np.zeros((4, 2))
    first, second = (RandomPolicy(space, rng=np.random.default_rng(1)) for _ in range(2))
    drawn = np.stack([first(observations) for _ in range(200)])
    np.testing.assert_array_equal(drawn, np.stack([second(observations) for _ in range(200)]))
    assert drawn.shape == (200, 4)
    assert np.bincount(drawn.ravel(), minlength=5).min() > 100  # 160 expected of each
    assert space.sample() == spaces.Discrete(5, seed=3).sample()


def test_a_random_policy_on_dict_observations_and_continuous_actions():
    policy = RandomPolicy(spaces.Box(-1, 1, (2,)), rng=np.random.default_rng(1))
    assert policy({"frame": np.zeros((3, 1)), "goal": np.zeros((3, 4))}).shape == (3, 2)


def test_it_agrees_with_stable_baselines3_and_repeats_with_its_seed():
    def lean(observations):
        return (observations[:, 2] > 0).astype(np.int64)

    class Leaning:
        def predict(self, observations, state=None, episode_start=None, deterministic=True):
            return lean(observations), None

    def make():
        return DummyVecEnv([lambda: Monitor(gym.make("CartPole-v1")) for _ in range(3)])

    ours = evaluate_on_level(lean, make(), episodes=10, seed=5)
    again = evaluate_on_level(lean, make(), episodes=10, seed=5)
    np.testing.assert_array_equal(ours.returns, again.returns)
    theirs_level = make()
    theirs_level.seed(5)
    returns, lengths = evaluate_policy(Leaning(), theirs_level, n_eval_episodes=10, return_episode_rewards=True)
    assert sorted(zip(ours.returns, ours.lengths, strict=True)) == sorted(zip(returns, lengths, strict=True))
    normalised = VecNormalize(make(), norm_obs=False, norm_reward=True, training=False)
    np.testing.assert_array_equal(evaluate_on_level(lean, normalised, episodes=10, seed=5).returns, ours.returns)
