"""Imagination bonus: what is paid adds up, never across an end; goals end, are learnt from, and survive a resume."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.errors import FrameError
from perma_agent.imagination.bonus import Transitions
from perma_agent.imagination.configurations import KEPT, KINDS, MixConfig
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.make_bonus import make_bonus
from perma_agent.imagination.realisation import RealisationConfig
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.imagination.worldview import Worldview

N, D = 3, 2
ACTIONS = spaces.Discrete(2)
CODES = spaces.Box(-np.inf, np.inf, (D,), np.float32)
FRAMES = spaces.Box(0, 255, (8, 8, 1), np.uint8)
SMALL: dict[str, Any] = {"enough": 32, "memory": 256, "imagined": 64, "judged": 16, "horizon": 20}


def step_of(before: Any, after: Any, *, ended: Any = None, following: Any = None) -> Transitions:
    ended = np.zeros(len(after), dtype=bool) if ended is None else np.asarray(ended, dtype=bool)
    return Transitions(
        observations=before, actions=np.zeros(len(after), dtype=np.int64), next_observations=after, ended=ended,
        timed_out=ended, following=after if following is None else following, infos=({},) * len(after),
    )  # fmt: skip


def make(view: Any = None, *, space: spaces.Space[Any] = CODES, **options: Any) -> ImaginationBonus:
    bonus = ImaginationBonus(ImaginationConfig(**{**SMALL, **options}), worldview=view)
    bonus.bind(space, ACTIONS, copies=N)
    return bonus


def walk(bonus: ImaginationBonus, steps: int, *, seed: int = 0, show: Callable[[np.ndarray], Any] = np.array) -> list:
    """Steps of a walk with jumps now and then, as the wrapper would tell of them; what was paid."""
    rng, paid = np.random.default_rng(seed), []
    here = rng.normal(size=(N, D)).astype(np.float32)
    bonus.begin(show(here))
    for number in range(steps):
        after = np.clip(here + rng.normal(size=(N, D)) * 0.3, -2.5, 2.5).astype(np.float32)
        ended = rng.random(N) < 0.05
        first = np.where(ended[:, None], rng.normal(size=(N, D)), after).astype(np.float32)
        paid.append(bonus.reward(step_of(show(here), show(after), ended=ended, following=show(first))))
        here = first
        if number % 16 == 15:
            bonus.learn()
    return paid


def pursuing(**options: Any) -> tuple[ImaginationBonus, np.ndarray]:
    """A bonus whose levels all stand at the origin and have goals far away, and where they stand."""
    bonus = make(**{"near": 1e-6, "horizon": 10_000, "realisation": RealisationConfig(memory=1e9), **options})
    walk(bonus, 64)
    here = np.zeros((N, D), dtype=np.float32)
    bonus.begin(here)
    assert bonus.pursuits.active.all()
    return bonus, here


def test_nothing_is_paid_before_enough_was_met() -> None:
    bonus = make(enough=200)
    assert not np.any(walk(bonus, 40))
    assert not bonus.pursuits.active.any()
    assert not bonus.goals.any() and bonus.goals.dtype == np.float32


@settings(max_examples=30, deadline=None)
@given(path=st.lists(st.tuples(st.floats(-2, 2, width=32), st.floats(-2, 2, width=32)), min_size=1, max_size=12))
def test_a_closed_circle_pays_nothing(path: list[tuple[float, float]]) -> None:
    bonus, here = copy.deepcopy(PURSUING)
    total, before = np.zeros(N), here
    for point in [*path, (0.0, 0.0)]:
        after = np.tile(np.array(point, dtype=np.float32), (N, 1))
        total += bonus.reward(step_of(before, after))
        before = after
    assert total == pytest.approx(np.zeros(N), abs=1e-9)
    assert (bonus.reward(step_of(here, here)) == 0).all()  # and standing still exactly nothing


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 20))
def test_what_is_paid_on_a_path_is_what_was_gained_on_the_goal(seed: int, steps: int) -> None:
    bonus, here = copy.deepcopy(PURSUING)
    start, rng, total = bonus.pursuits.distance(here), np.random.default_rng(seed), np.zeros(N)
    for _ in range(steps):
        after = rng.normal(size=(N, D)).astype(np.float32)
        total += bonus.reward(step_of(here, after))
        here = after
    assert total == pytest.approx(start - bonus.pursuits.distance(here), abs=1e-9)


PURSUING = pursuing()


def test_nothing_is_paid_across_an_episodes_end() -> None:
    bonus, here = pursuing(base="met")
    goals = bonus.pursuits.codes.copy()
    start = bonus.pursuits.distance(here)
    last = np.full((N, D), 0.5, dtype=np.float32)
    first = (goals + 0.3).astype(np.float32)  # the next episode happens to begin near the goal
    at_last, at_first = bonus.pursuits.distance(last), bonus.pursuits.distance(first)
    paid = bonus.reward(step_of(here, last, ended=[True] * N, following=first))
    assert paid == pytest.approx(start - at_last)
    assert (bonus.pursuits.codes == goals).all()
    moved = bonus.reward(step_of(first, last))
    assert moved == pytest.approx(at_first - at_last)


def test_kept_latents_are_kept_as_they_stand_where_the_next_episode_begins() -> None:
    bonus, here = pursuing(mix=MixConfig(rim=1, elsewhere=0, whole=0, recombined=0))
    replaced, before = bonus.pursuits.donors != -1, bonus.pursuits.codes.copy()
    first = np.full((N, D), -0.7, dtype=np.float32)
    bonus.reward(step_of(here, here, ended=[True] * N, following=first))
    codes = bonus.pursuits.codes
    assert (codes[replaced] == before[replaced]).all() and (codes[~replaced] == np.float32(-0.7)).all()


def test_an_end_may_end_the_pursuit_too_and_counts_as_part_of_a_miss() -> None:
    bonus, here = pursuing(renew_at_end=True, horizon=100)
    before, missed = bonus.pursuits.codes.copy(), misses(bonus)
    bonus.reward(step_of(here, here))
    bonus.reward(step_of(here, here, ended=[True, False, False]))
    codes = bonus.pursuits.codes
    assert not (codes[0] == before[0]).all() and (codes[1:] == before[1:]).all()
    assert misses(bonus) - missed == pytest.approx(0.02, rel=0.01)


def test_a_policy_is_shown_what_it_lacks_and_where_an_episode_ended_of_the_goal_it_had() -> None:
    bonus, here = pursuing(horizon=2)
    codes, weights = bonus.pursuits.codes.copy(), bonus.pursuits.weights.copy()
    assert bonus.goals == pytest.approx(np.sqrt(weights) * codes)  # all stand at the origin
    assert np.linalg.norm(bonus.goals, axis=1) == pytest.approx(bonus.pursuits.distance(here))
    after = np.full((N, D), 0.25, dtype=np.float32)
    bonus.reward(step_of(here, after))
    assert bonus.goals == pytest.approx(np.sqrt(weights) * (codes - after)) and (bonus.goals == bonus.last_goals).all()
    bonus.reward(step_of(after, here, ended=[True] * N, following=after))  # time is up too: goals are new
    assert bonus.last_goals == pytest.approx(np.sqrt(weights) * codes)
    assert bonus.goals == pytest.approx(np.sqrt(bonus.pursuits.weights) * (bonus.pursuits.codes - after))
    assert not (bonus.pursuits.codes == codes).all(axis=1).any()


def test_arrival_is_paid_once_and_brings_a_new_goal() -> None:
    bonus, here = pursuing(near=0.5, arrival=2.5)
    goals, start = bonus.pursuits.codes.copy(), bonus.pursuits.distance(here)
    paid = bonus.reward(step_of(here, goals))
    assert paid == pytest.approx(start + 2.5)
    assert not (bonus.pursuits.codes == goals).all(axis=1).any()
    assert (bonus.pursuits.distance(goals) > bonus.pursuits.radius).all()  # the next one is not where it stands
    reached = [row for row in bonus.realisation.table() if row["what"] == "kind"]
    assert sum(row["reached"] for row in reached) > 2.9 and sum(row["missed"] for row in reached) == 0


def test_a_goal_is_given_up_when_time_is_up() -> None:
    bonus, here = pursuing(horizon=4)
    goals = bonus.pursuits.codes.copy()
    for _ in range(3):
        bonus.reward(step_of(here, here))
        assert (bonus.pursuits.codes == goals).all()
    bonus.reward(step_of(here, here))
    assert not (bonus.pursuits.codes == goals).all(axis=1).any()
    assert misses(bonus) > 2.9


def misses(bonus: ImaginationBonus) -> float:
    return sum(row["missed"] for row in bonus.realisation.table() if row["what"] == "kind")


def test_with_a_discount_being_far_away_is_paid_as_written() -> None:
    bonus, here = pursuing(discount=0.9)
    start = bonus.pursuits.distance(here)
    assert bonus.reward(step_of(here, here)) == pytest.approx(0.1 * start)


def test_it_learns_which_factor_can_be_had_and_asks_for_it() -> None:
    """Both latents varied once; from now on the first obeys, and the second is stuck."""
    bonus = make(mix=MixConfig(elsewhere=0, rim=1, whole=0, recombined=0), seed=1)
    walk(bonus, 64)
    rng, here = np.random.default_rng(0), np.zeros((N, D), dtype=np.float32)
    bonus.begin(here)
    for number in range(600):
        after = here.copy()
        after[:, 0] += (
            np.clip(bonus.pursuits.codes[:, 0] - here[:, 0], -0.2, 0.2) * bonus.pursuits.active
            + rng.normal(size=N) * 0.02
        )
        bonus.reward(step_of(here, after))
        here = after
        if number % 100 == 99:
            bonus.learn()
    chance = {row["name"]: row["chance"] for row in bonus.realisation.table() if row["what"] == "latent"}
    assert chance["0"] > 0.7 > 0.3 > chance["1"]
    pool = bonus.imaginer.pool
    weighed = bonus._goals._chances(pool)
    share = weighed[pool.replaced[:, 1]].sum() / weighed.sum()
    plain = pool.replaced[:, 1] * pool.novelty**bonus.config.sharpness
    assert share < 0.5 * plain.sum() / (pool.novelty**bonus.config.sharpness).sum()


def test_the_same_seed_pays_the_same(painted: Any) -> None:
    first, second, third = (walk(make(painted(), seed=seed), 64) for seed in (5, 5, 6))
    assert (np.array(first) == np.array(second)).all() and not (np.array(first) == np.array(third)).all()


@pytest.mark.parametrize("sees_frames", [False, True])
def test_another_process_goes_on_bit_for_bit(painted: Any, painter: Any, sees_frames: bool) -> None:
    options: dict[str, Any] = {"space": FRAMES} if sees_frames else {}
    show = (lambda codes: painter(codes).transpose(0, 2, 3, 1)) if sees_frames else np.array
    one, other = make(painted(), **options), make(painted(), **options)
    walk(one, 72, show=show)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    rng, here = np.random.default_rng(9), None
    for number in range(64):
        after = (0.15 * rng.normal(size=(N, D))).astype(np.float32)
        step = step_of(show(after if here is None else here), show(after), ended=rng.random(N) < 0.1, following=None)
        assert (one.reward(step) == other.reward(step)).all()
        assert (one.goals == other.goals).all()
        if number % 16 == 15:
            assert one.learn() == other.learn()
        here = after
    assert (one.imaginer.noise == other.imaginer.noise).all() and (one.imaginer.spread == other.imaginer.spread).all()
    assert one.realisation.table() == other.realisation.table()


def test_the_state_of_another_configuration_is_refused() -> None:
    bonus = make()
    with pytest.raises(ValueError, match="make it as before"):
        bonus.load_state_dict(make(near=0.3).state_dict())


def test_learnt_things_go_to_another_number_of_levels() -> None:
    bonus, other = make(), ImaginationBonus(ImaginationConfig(**SMALL))
    walk(bonus, 64)
    other.bind(CODES, ACTIONS, copies=5)
    other.load_state_dict(bonus.state_dict())
    other.begin(np.zeros((5, D), dtype=np.float32))
    assert other.pursuits.active.all() and other.goals.shape == (5, D)


def test_masked_latents_are_seen_in_frames_but_not_in_codes(painted: Any, painter: Any, remembered: Any) -> None:
    """Here the second latent is masked and stands still; elsewhere it moved."""
    records = (remembered(D, used=(0, 1)), remembered(D, used=(0,), masked=(1,)))
    mix = MixConfig(elsewhere=1, rim=0, whole=0, recombined=0)
    for space, expected in ((FRAMES, True), (CODES, False)):
        bonus = make(painted(records=records, environment=1), space=space, mix=mix)
        rng = np.random.default_rng(0)
        bonus.begin(np.zeros((N, *space.shape), dtype=space.dtype))
        for _ in range(20):
            codes = np.stack([rng.normal(size=N), np.zeros(N)], axis=1).astype(np.float32)
            shown = painter(codes).transpose(0, 2, 3, 1) if space is FRAMES else codes
            bonus.reward(step_of(shown, shown))
        figures = bonus.learn()
        assert (figures["imagined"] > 0) is expected
        if expected:
            pool = bonus.imaginer.pool
            assert (pool.replaced == [False, True]).all() and (pool.sources == 0).all()
            assert (pool.kinds == KINDS.index("elsewhere")).all() and pool.codes[:, 1].std() > 0.5


def renewed(monkeypatch: pytest.MonkeyPatch, bonus: ImaginationBonus, view: Worldview) -> bool:
    monkeypatch.setattr(Worldview, "of_learner", lambda learner: view)
    return bonus.renew(None)  # type: ignore[arg-type]  # the learner is not looked at


@pytest.mark.parametrize("base", ["here", "met"])
def test_goals_and_memory_are_encoded_again_when_the_vase_moves(
    painted: Any, painter: Any, monkeypatch: pytest.MonkeyPatch, base: Any
) -> None:
    bonus = make(painted(), space=FRAMES, renew_every=2, base=base, horizon=10_000, near=1e-3)
    walk(bonus, 64, show=lambda codes: painter(codes).transpose(0, 2, 3, 1))
    here, goals = bonus._here.codes.copy(), bonus.pursuits.codes.copy()
    met = bonus.imaginer.memories.met(0).codes.copy()
    active = bonus.pursuits.active.copy()
    assert active.any()
    assert not renewed(monkeypatch, bonus, painted(sign=-1.0))  # every second publication only
    assert (bonus.pursuits.codes == goals).all()
    assert renewed(monkeypatch, bonus, painted(sign=-1.0))
    assert bonus._here.codes == pytest.approx(-here, abs=1e-6)
    assert bonus.imaginer.memories.met(0).codes == pytest.approx(-met, abs=1e-6)
    still = bonus.pursuits.active  # those whose donors are still remembered
    assert still.any() and not (still & ~active).any()
    replaced = still[:, None] & (bonus.pursuits.donors != KEPT)
    assert bonus.pursuits.codes[replaced] == pytest.approx(-goals[replaced], abs=1e-6)
    if base == "met":
        assert bonus.pursuits.codes[still] == pytest.approx(-goals[still], abs=1e-6)
    else:  # kept latents are kept as they stand now
        kept = still[:, None] & ~replaced
        assert bonus.pursuits.codes[kept] == pytest.approx(-here[kept], abs=1e-6)


def test_without_frames_what_was_met_is_forgotten_when_the_vase_moves(
    painted: Any, painter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bonus = make(painted(), space=FRAMES, renew_every=1, keep_frames=False)
    walk(bonus, 64, show=lambda codes: painter(codes).transpose(0, 2, 3, 1))
    assert renewed(monkeypatch, bonus, painted(sign=-1.0))
    assert bonus.imaginer.memories.met(0) is None and not len(bonus.imaginer.pool)
    assert not bonus.pursuits.active.any()


def test_levels_that_show_codes_cannot_be_renewed(painted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="leave out EncodedObservation"):
        renewed(monkeypatch, make(painted()), painted())


def test_a_run_of_codes_may_stand_among_other_numbers(painted: Any) -> None:
    space = spaces.Box(-np.inf, np.inf, (7,), np.float32)
    bonus = ImaginationBonus(ImaginationConfig(start=3, **SMALL), worldview=painted())
    bonus.bind(space, ACTIONS, copies=1)
    bonus.begin(np.arange(7, dtype=np.float32)[None])
    assert bonus._here.codes.tolist() == [[3.0, 4.0]] and bonus.goal_space.shape == (2,)


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (FRAMES, "expected a VASE to read the picture"),
        (spaces.Dict({"a": FRAMES, "b": FRAMES}), "expected a VASE"),
    ],
)
def test_frames_need_a_vase(space: spaces.Space[Any], sentence: str) -> None:
    with pytest.raises(FrameError, match=sentence):
        ImaginationBonus().bind(space, ACTIONS, copies=1)


def test_codes_must_be_those_of_the_vase(painted: Any) -> None:
    with pytest.raises(FrameError, match="expected codes of 2 numbers from number 0 on"):
        ImaginationBonus(worldview=painted()).bind(spaces.Box(-1, 1, (1,), np.float32), ACTIONS, copies=1)


def test_it_is_made_by_its_name() -> None:
    bonus = make_bonus("imagination", seed=3, horizon=9)
    assert isinstance(bonus, ImaginationBonus) and (bonus.config.seed, bonus.config.horizon) == (3, 9)


def test_settings_out_of_range_are_refused() -> None:
    for options in ({"base": "there"}, {"enough": 1}, {"discount": 1.1}, {"near": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            ImaginationConfig(**options)


def test_how_much_comes_back_of_what_was_met_is_told(painted: Any) -> None:
    whole, half = make(painted()), make(painted(ignored={0: (1,)}))
    for bonus in (whole, half):
        walk(bonus, 64)
    assert whole.learn()["comes_back"] > 0.99 and 0.2 < half.learn()["comes_back"] < 0.8
