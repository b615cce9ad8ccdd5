"""The table: what is pushed goes where it is pushed, what moves by itself goes anywhere, and the factors tell where."""

from __future__ import annotations

import hashlib
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.envs import factor_specs_of, make_level
from perma_agent.envs.factors import outside_range
from perma_agent.envs.table.level import PUSHES, SpriteTable
from perma_agent.errors import LevelError

STAY, LEFT, RIGHT, UP, DOWN = range(5)
MARKS = np.stack([np.full((14, 14), value, np.uint8) for value in (50, 100, 200)])
"""Three pictures that any pixel tells apart."""


def table(**arguments: Any) -> SpriteTable:
    given = {"images": MARKS, "labels": np.array([4, 0, 7]), "size": 32, "channels": 1}
    return SpriteTable(**{**given, **arguments})


def place(info: dict[str, Any]) -> tuple[float, float]:
    return info["factors"]["x"].item(), info["factors"]["y"].item()


def top_left(frame: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(frame[..., 0])
    return int(columns.min()), int(rows.min())


def test_a_new_picture_lies_at_the_middle() -> None:
    frame, info = table().reset(seed=0)
    assert top_left(frame) == (9, 9)
    assert place(info) == (0.5, 0.5)
    assert frame.shape == (32, 32, 1) and np.count_nonzero(frame) == 14 * 14


@pytest.mark.parametrize(
    ("action", "way"), [(STAY, (0, 0)), (LEFT, (-1, 0)), (RIGHT, (1, 0)), (UP, (0, -1)), (DOWN, (0, 1))]
)
def test_a_push_moves_the_picture_by_so_many_pixels(action: int, way: tuple[int, int]) -> None:
    level = table(push=3)
    level.reset(seed=0)
    frame, reward, terminated, truncated, info = level.step(action)
    assert top_left(frame) == (9 + 3 * way[0], 9 + 3 * way[1])
    assert place(info) == pytest.approx(((9 + 3 * way[0]) / 18, (9 + 3 * way[1]) / 18))
    assert (reward, terminated, truncated) == (0.0, False, False)


@settings(deadline=None, max_examples=40)
@given(
    actions=st.lists(st.integers(0, 4), max_size=40),
    push=st.integers(1, 20),
    moves=st.sampled_from(["pushable", "by itself"]),
    sprite=st.integers(1, 32),
)
def test_the_picture_stays_whole_and_on_the_table_whatever_is_done(
    actions: list[int], push: int, moves: str, sprite: int
) -> None:
    level = table(push=push, moves=moves, sprite=sprite)
    frame, info = level.reset(seed=1)
    for action in actions:
        frame, *_, info = level.step(action)
    assert np.count_nonzero(frame) == sprite**2
    room = max(32 - sprite, 1)
    assert top_left(frame) == tuple(round(share * room) for share in place(info))
    assert outside_range(info["factors"], level.factor_specs) == []


def test_what_moves_by_itself_is_uniform_over_all_places_and_minds_no_push() -> None:
    level = table(moves="by itself", sprite=29)
    level.reset(seed=0)
    other = table(moves="by itself", sprite=29)
    other.reset(seed=0)
    pushed = [place(level.step(RIGHT)[4]) for _ in range(1_600)]
    assert pushed == [place(other.step(STAY)[4]) for _ in range(1_600)]
    counts = np.unique(np.rint(np.array(pushed) * 3).astype(int), axis=0, return_counts=True)[1]
    assert len(counts) == 16 and counts.min() > 60 and counts.max() < 140


def test_a_new_picture_is_laid_down_every_so_many_steps_at_its_start() -> None:
    level = table(every=4)
    level.reset(seed=3)
    seen, places = [], []
    for _ in range(400):
        _, *_, info = level.step(RIGHT)
        seen.append(info["factors"]["image"].item())
        places.append(place(info)[0])
    assert places[:8] == pytest.approx([x / 18 for x in (10, 11, 12, 9, 10, 11, 12, 9)])
    stretches = np.array(seen[3:399]).reshape(-1, 4)
    assert (stretches == stretches[:, :1]).all()  # the same picture for four steps
    assert set(stretches[:, 0]) == {0.0, 1.0, 2.0}


def test_factors_name_the_picture_that_is_shown() -> None:
    level = table()
    for seed in range(12):
        frame, info = level.reset(seed=seed)
        image = int(info["factors"]["image"].item())
        assert frame.max() == MARKS[image].max()
        assert info["factors"]["class"].item() == [4, 0, 7][image]
    specs = {spec.name: spec for spec in factor_specs_of(level)}
    assert list(specs) == ["x", "y", "class", "image"]
    assert (specs["class"].high, specs["image"].high) == (7, 2)


@pytest.mark.parametrize("start", ["centre", "random"])
def test_the_seed_sets_everything(start: str) -> None:
    def played(seed: int) -> str:
        level, digest = table(start=start, every=5), hashlib.sha256()
        frame, _ = level.reset(seed=seed)
        for action in [RIGHT, DOWN, LEFT] * 10:
            digest.update(frame.tobytes())
            frame, *_ = level.step(action)
        digest.update(level.reset()[0].tobytes())
        return digest.hexdigest()

    assert played(1) == played(1)
    assert played(1) != played(2)


def test_inverse_is_255_less_the_frame_and_three_channels_are_the_grey_repeated() -> None:
    plain, inverse, colour = (table(**options).reset(seed=0)[0] for options in ({}, {"inverse": True}, {"channels": 3}))
    assert np.array_equal(inverse, 255 - plain)
    assert np.array_equal(colour, plain.repeat(3, axis=2))


def test_the_target_pays_once_and_ends_the_episode() -> None:
    level = table(push=2, target=(1.0, 0.5))
    assert level.reset(seed=0)[1]["is_success"] is False
    steps = [level.step(RIGHT) for _ in range(4)]
    assert [step[1:3] for step in steps] == [(0.0, False), (0.0, False), (0.0, False), (1.0, True)]
    assert steps[-1][4]["is_success"] is True
    assert level.reset()[1]["is_success"] is False


def test_standing_on_the_target_from_the_first_pays_at_the_first_step() -> None:
    level = table(target=(0.5, 0.5))
    level.reset(seed=0)
    assert level.step(STAY)[1:3] == (1.0, True)


def test_sprites_of_the_right_size_are_not_copied_and_others_are_resized() -> None:
    assert table().sprites.pictures is MARKS
    assert table(sprite=7).sprites.pictures.shape == (3, 7, 7)
    assert table(size=64).config.step == 2 and table(size=64).config.side == 28


def test_it_is_registered_with_digits_that_need_no_files() -> None:
    level = make_level("perma/SpriteTable-v0")
    check_env(level.unwrapped, skip_render_check=True)
    frame, _ = level.reset(seed=0)
    assert frame.shape == (64, 64, 3) and frame.std() > 1
    specs = {spec.name: spec.high for spec in factor_specs_of(level)}
    assert (specs["class"], specs["image"]) == (9, 1_796)
    ends = [level.step(STAY)[2:4] for _ in range(50)]
    assert ends[-1] == (False, True) and ends[0] == (False, False)


def test_its_digits_lie_as_in_the_image_worlds() -> None:
    from perma_agent.data.image_sequences import image_world

    world = image_world("digits", canvas=32)
    level = gym.make("perma/SpriteTable-v0", images=world.images.images, labels=world.images.labels, size=32).unwrapped
    frame, info = level.reset(seed=0)
    number = int(info["factors"]["image"].item())
    expected = world._paste(np.array([number]), np.array([[9, 9]]))[0, 0]
    assert np.array_equal(frame[..., 0], expected)


def test_the_picture_for_people_is_larger_and_rgb() -> None:
    level = table(render_mode="rgb_array")
    level.reset(seed=0)
    assert level.render().shape == (256, 256, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"moves": "sideways"}, "expected moves to be one of pushable, by itself, got 'sideways'"),
        ({"start": "left"}, "expected start to be one of centre, random, got 'left'"),
        ({"sprite": 40}, "expected sprite to be a whole number from 1 to 32, got 40"),
        ({"push": 0}, "expected push to be a whole number from 1 to 32, got 0"),
        ({"every": 0}, "expected every to be a whole number from 1"),
        ({"channels": 2}, "expected channels to be one of 1, 3, got 2"),
        ({"target": (0.5,)}, r"expected target to be \(x, y\), two numbers from 0 to 1, got \(0.5,\)"),
        ({"target": (0.5, 2.0)}, "expected y of target to be a number from 0.0 to 1.0, got 2.0"),
        ({"images": MARKS.astype(float)}, r"expected images as uint8 \[N, H, W\], got float64"),
        ({"labels": np.array([1, 2])}, "expected labels as 3 whole numbers of at least 0"),
        ({"images": None}, "expected labels with images of their own"),
        ({"pusch": 2}, "expected arguments among .*push.*, got pusch"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(LevelError, match=words) as caught:
        table(**arguments)
    assert "\n" not in str(caught.value)


def test_a_foreign_action_is_refused() -> None:
    level = table()
    level.reset(seed=0)
    with pytest.raises(ValueError, match=f"expected an action from 0 to {len(PUSHES) - 1}, got 5"):
        level.step(5)
