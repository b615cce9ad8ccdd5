"""ViZDoom's factors, actions, rewards and success against what is known of the scenarios, and against the pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from perma_agent.envs import ACTIONS, make_level
from perma_agent.envs.sight import wall_distances
from perma_agent.envs.vizdoom.factors import CATEGORIES, FAR, UNITS_PER_METRE, Slots
from perma_agent.envs.vocabulary import KINDS

pytest.importorskip("vizdoom", reason="the extra vizdoom is not installed")
LEFT, RIGHT, FORWARD, BACK, USE = range(len(ACTIONS))
MEDKIT, MONSTER = KINDS.index("medkit"), CATEGORIES.index("Monster")
Policy = Callable[[dict[str, np.ndarray]], int]


def run(level: gym.Env[Any, Any], policy: Policy, *, seed: int) -> tuple[float, dict[str, Any]]:
    """Sum of the rewards of one episode, and its last `info`."""
    _, info = level.reset(seed=seed)
    total, ended = 0.0, False
    while not ended:
        _, reward, terminated, truncated, info = level.step(policy(info["factors"]))
        total, ended = total + float(reward), terminated or truncated
    return total, info


def at_random(seed: int) -> Policy:
    rng = np.random.default_rng(seed)
    return lambda factors: int(rng.integers(len(ACTIONS)))


def scalar(info: dict[str, Any], name: str) -> float:
    return float(info["factors"][name][0])


def to_medkit(factors: dict[str, np.ndarray]) -> int:
    places = factors["object_position"][factors["object_kind"] == MEDKIT]
    if not len(places):
        return LEFT
    ahead, right = min(places, key=lambda place: float(np.hypot(*place)))
    bearing = np.degrees(np.arctan2(right, ahead))
    return FORWARD if abs(bearing) <= 12 else RIGHT if bearing > 0 else LEFT


def shoot_monster(factors: dict[str, np.ndarray]) -> int:
    (place,) = factors["object_position"][factors["object_category"] == MONSTER]
    return USE if abs(place[1]) < 0.5 else RIGHT if place[1] > 0 else LEFT


@pytest.mark.parametrize("name", ["HealthGathering", "MyWayHome", "Outdoor"])
def test_turns_are_exact_from_the_first_action_and_anticlockwise_is_positive(name: str) -> None:
    level = make_level(f"perma/Vizdoom{name}-v0")
    _, info = level.reset(seed=1)
    for action, sign in ((LEFT, 1), (RIGHT, -1)):
        before = scalar(info, "heading")
        *_, info = level.step(action)
        turned = (scalar(info, "heading") - before + np.pi) % (2 * np.pi) - np.pi
        assert np.degrees(turned) == pytest.approx(sign * 22.5, abs=0.02)
    level.close()


def test_forward_goes_where_the_agent_looks_and_back_waits_where_the_scenario_has_no_such_button() -> None:
    level = make_level("perma/VizdoomHealthGathering-v0")
    for seed in range(4):
        _, info = level.reset(seed=seed)
        for _ in range(seed):
            *_, info = level.step(LEFT)
        start, heading = (scalar(info, "x"), scalar(info, "z")), scalar(info, "heading")
        *_, info = level.step(BACK)
        assert (scalar(info, "x"), scalar(info, "z")) == start
        for _ in range(3):
            *_, info = level.step(FORWARD)
        moved = np.array([scalar(info, "x") - start[0], scalar(info, "z") - start[1]])
        assert np.hypot(*moved) > 0.5
        assert moved / np.hypot(*moved) == pytest.approx([np.cos(heading), -np.sin(heading)], abs=0.02)
    level.close()


def test_where_there_is_no_turning_the_turns_step_sideways() -> None:
    level = make_level("perma/VizdoomBasic-v0")
    _, info = level.reset(seed=0)
    heading, right = scalar(info, "heading"), float(info["factors"]["object_position"][0, 1])
    for _ in range(3):
        *_, info = level.step(LEFT)
    assert scalar(info, "heading") == heading
    assert info["factors"]["object_position"][0, 1] > right + 0.5  # the monster went to the right
    level.close()


def test_objects_are_where_the_picture_shows_them() -> None:
    level = make_level("perma/VizdoomHealthGathering-v0")
    rng, checked = np.random.default_rng(0), 0
    for seed in range(3):
        _, info = level.reset(seed=seed)
        for _ in range(25):
            *_, info = level.step(int(rng.choice([LEFT, FORWARD])))
            scene, factors = level.unwrapped.scene, info["factors"]
            height, width = scene.labels.shape
            for number, label in scene.label_of.items():
                thing = next(thing for thing in scene.things if thing.number == number)
                offset = np.array(thing.place) / UNITS_PER_METRE - [factors["x"][0], -factors["z"][0]]
                away = np.linalg.norm(factors["object_position"], axis=1) - np.linalg.norm(offset)
                slot = int(np.argmin(np.abs(away) + 9 * (factors["object_present"] == 0)))
                rows, columns = np.nonzero(scene.labels == label)
                ahead, right = factors["object_position"][slot]
                if abs(away[slot]) > 1e-3 or len(columns) < 8 or ahead < 3:
                    continue
                if columns.min() == 0 or columns.max() == width - 1:
                    continue  # cut by the rim
                focal = height / 2 / np.tan(np.radians(factors["camera_fov"][0]) / 2)  # pixels, vertical
                assert width / 2 + right / ahead * focal * width / height == pytest.approx(columns.mean() + 0.5, abs=4)
                foot = height / 2 + factors["camera_height"][0] / ahead * focal
                assert foot == pytest.approx(rows.max() + 1, abs=3)
                assert factors["object_pixels"][slot] == pytest.approx(len(columns) / scene.labels.size)
                checked += 1
    level.close()
    assert checked > 20


def test_distance_ahead_is_that_to_the_rooms_walls() -> None:
    level = make_level("perma/VizdoomHealthGathering-v0")
    side = 1216 / UNITS_PER_METRE  # of the scenario's square room, from its map
    corners = np.array([[0, 0], [side, 0], [side, -side], [0, -side]])
    walls = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    rng, errors, cut = np.random.default_rng(1), [], 0
    for seed in range(4):
        _, info = level.reset(seed=seed)
        for _ in range(90):
            *_, info = level.step(int(rng.choice([LEFT, FORWARD, FORWARD, FORWARD])))
            heading = scalar(info, "heading")
            ray = np.array([[np.cos(heading), -np.sin(heading)]])
            truth = wall_distances(np.array([scalar(info, "x"), scalar(info, "z")]), ray, walls)[0]
            if truth > FAR + 0.5:
                cut += scalar(info, "distance_ahead") == FAR
            else:
                errors.append(abs(scalar(info, "distance_ahead") - min(truth, FAR)))
    level.close()
    assert cut > 20 and len(errors) > 20
    assert np.median(errors) < 0.2 and np.quantile(errors, 0.9) < 0.5


def test_success_is_an_end_with_a_reward_and_the_factors_lead_to_it() -> None:
    level = make_level("perma/VizdoomBasic-v0")
    for seed in range(5):
        total, info = run(level, shoot_monster, seed=seed)
        assert info["is_success"] and total > 0
    _, info = run(level, lambda factors: FORWARD, seed=0)  # waits, does nothing
    assert not info["is_success"]
    level.close()


def test_survival_is_success_until_death_and_medkits_keep_alive() -> None:
    level = make_level("perma/VizdoomHealthGathering-v0")
    _, info = level.reset(seed=0)
    assert info["is_success"]
    waited, info = run(level, lambda factors: USE, seed=0)
    assert not info["is_success"] and -100 < waited < 500
    gathered, info = run(level, to_medkit, seed=0)
    assert info["is_success"] and gathered == 4 * 525
    level.close()


@pytest.mark.parametrize("name", ["Indoor", "Outdoor"])
def test_a_new_square_pays_once(name: str) -> None:
    level = make_level(f"perma/Vizdoom{name}-v0")
    policy, squares, total = at_random(3), set(), 0.0
    _, info = level.reset(seed=2)
    squares.add((scalar(info, "x") // 4, scalar(info, "z") // 4))
    for _ in range(200):
        _, reward, *_, info = level.step(policy({}))
        square = (scalar(info, "x") // 4, scalar(info, "z") // 4)
        assert reward == float(square not in squares)
        squares.add(square)
        total += float(reward)
        assert info["is_success"] == (total >= 10)
    level.close()
    assert total > 0


def walker(seed: int) -> Policy:
    """Goes on until something is near or it stands still; then tries a door or turns: enough to get about."""
    rng, state = np.random.default_rng(seed), {"turns": 0, "way": LEFT, "x": 0.0, "z": 0.0}

    def act(factors: dict[str, np.ndarray]) -> int:
        if state["turns"]:
            state["turns"] -= 1
            return int(state["way"])
        x, z = float(factors["x"][0]), float(factors["z"][0])
        stuck = factors["distance_ahead"][0] < 1.5 or np.hypot(x - state["x"], z - state["z"]) < 0.02
        state.update(x=x, z=z)
        if stuck:
            state.update(turns=int(rng.integers(1, 6)), way=int(rng.choice([LEFT, RIGHT])), x=np.inf)
            return USE if rng.random() < 0.5 else int(state["way"])
        return FORWARD

    return act


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Indoor", "Outdoor"])
def test_the_pair_can_be_solved_but_not_by_chance(name: str) -> None:
    level = make_level(f"perma/Vizdoom{name}-v0")
    walked = [run(level, walker(seed), seed=seed) for seed in range(3)]
    chance = [run(level, at_random(seed), seed=seed) for seed in range(3)]
    level.close()
    assert all(info["is_success"] for _, info in walked)
    assert not any(info["is_success"] for _, info in chance)
    assert min(total for total, _ in walked) > max(total for total, _ in chance)


def test_after_the_end_the_last_frame_and_factors_stay() -> None:
    level = make_level("perma/VizdoomBasic-v0")
    frame, info = level.reset(seed=3)
    ended = False
    while not ended:
        before, factors = frame, info["factors"]
        frame, _, ended, _, info = level.step(shoot_monster(info["factors"]))
    assert np.array_equal(before, frame)
    assert all(np.array_equal(factors[name], values) for name, values in info["factors"].items())
    level.close()


def test_pictures_are_larger_and_do_not_change_the_frames() -> None:
    plain, shown = make_level("perma/VizdoomOutdoor-v0"), make_level("perma/VizdoomOutdoor-v0", render_mode="rgb_array")
    large = make_level("perma/VizdoomOutdoor-v0", size=128)
    frames = [level.reset(seed=1)[0] for level in (plain, shown, large)]
    assert np.array_equal(frames[0], frames[1]) and frames[2].shape == (128, 128, 3)
    halved = frames[2].reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(halved - frames[0]).mean() < 12  # the same view
    picture, above = shown.render(), shown.unwrapped.top_view()
    assert picture.shape == above.shape == (480, 480, 3) and picture.dtype == np.uint8
    assert above.std() > 1 and not np.array_equal(picture, above)
    for level in (plain, shown, large):
        level.close()


def test_skill_and_turn_step_reach_the_engine() -> None:
    level = make_level("perma/VizdoomDefendCenter-v0", turn_step=30, action_repeat=2, skill=1)
    _, info = level.reset(seed=0)
    before = scalar(info, "heading")
    *_, info = level.step(LEFT)
    assert np.degrees(scalar(info, "heading") - before) == pytest.approx(30, abs=0.02)
    level.close()


def test_an_object_keeps_its_slot_while_it_is_among_the_first_eight() -> None:
    slots = Slots()
    assert slots.assign([7, 5, 9]) == {7: 0, 5: 1, 9: 2}
    assert slots.assign([9, 4, 7]) == {7: 0, 9: 2, 4: 1}  # 5 is gone, 4 takes its slot
    assert set(slots.assign(list(range(20, 40))).values()) == set(range(8))
