"""Maps that can be walked, objects with room round them, and rules that pay what they say."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.envs.suite.deferred import GATE, KEY, LARGE, SMALL, Deferred
from perma_agent.envs.suite.forage import APART, Forage
from perma_agent.envs.suite.maze import Maze, carve
from perma_agent.envs.suite.plan import AGENT_RADIUS, TOUCH_MARGIN, Plan, clearance
from perma_agent.envs.suite.tasks import Progress, Task
from perma_agent.errors import LevelError


def draw(task: Task, seed: int, *, layout: int | None = None) -> Plan:
    return task.plan(
        layout=np.random.default_rng([seed if layout is None else layout, 0]),
        placement=np.random.default_rng([seed, 1]),
    )


def reachable(plan: Plan, *, gates: bool) -> set[int]:
    """Items a circle of the agent's size can come to, by flooding a grid of 0.2 m."""
    segments = plan.segments(gates=gates)
    first = tuple(np.rint(np.array(plan.start[:2]) / 0.2).astype(int).tolist())
    seen, queue = {first}, deque([first])
    found: set[int] = set()
    while queue:
        x, z = queue.popleft()
        for slot, item in enumerate(plan.items):
            if np.hypot(0.2 * x - item.position[0], 0.2 * z - item.position[1]) < item.radius + AGENT_RADIUS:
                found.add(slot)
        for near in ((x + 1, z), (x - 1, z), (x, z + 1), (x, z - 1)):
            if near not in seen and clearance(0.2 * np.array(near), segments) >= AGENT_RADIUS:
                seen.add(near)
                queue.append(near)
    return found


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 7), columns=st.integers(1, 7), seed=st.integers(0, 1000))
def test_one_way_leads_from_any_cell_to_any_other(rows: int, columns: int, seed: int) -> None:
    passages = carve(rows, columns, np.random.default_rng(seed))
    assert len(passages) == rows * columns - 1
    met, queue = {(0, 0)}, [(0, 0)]
    while queue:
        cell = queue.pop()
        for passage in passages:
            if cell in passage:
                (other,) = passage - {cell}
                assert abs(cell[0] - other[0]) + abs(cell[1] - other[1]) == 1
                if other not in met:
                    met.add(other)
                    queue.append(other)
    assert len(met) == rows * columns  # as many passages as a tree has, and all joined: no loops


@pytest.mark.parametrize("task", [Maze(), Maze(rows=2, columns=5, start="fixed"), Forage(), Deferred()])
def test_everything_can_be_reached_once_gates_are_open(task: Task) -> None:
    for seed in range(3):
        plan = draw(task, seed)
        assert reachable(plan, gates=False) == set(range(len(plan.items)))


def test_closed_gate_keeps_only_the_large_reward_away() -> None:
    for seed in range(3):
        assert reachable(draw(Deferred(), seed), gates=True) == {SMALL, KEY}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from([Maze(rows=1, columns=1), Maze(), Forage(), Deferred()]))
def test_nothing_overlaps_and_nothing_is_touched_at_the_start(seed: int, kind: Task) -> None:
    plan = draw(kind, seed)
    segments = plan.segments()
    start = np.array(plan.start[:2])
    assert clearance(start, segments) >= AGENT_RADIUS
    for item in plan.items:
        assert clearance(np.array(item.position), segments) >= item.radius
        assert np.hypot(*(start - item.position)) > item.radius + AGENT_RADIUS + TOUCH_MARGIN


def test_forage_objects_stand_apart_so_that_no_two_are_touched_at_once() -> None:
    places = np.array([item.position for item in draw(Forage(), 5).items])
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 99 * np.eye(len(places))
    assert gaps.min() >= APART > 2 * (0.45 + AGENT_RADIUS + TOUCH_MARGIN)


def test_map_follows_from_the_layout_alone_and_fixed_start_is_fixed() -> None:
    task = Maze(start="fixed")
    one, two = draw(task, 1, layout=9), draw(task, 2, layout=9)
    assert one.blocks == two.blocks and one.start == two.start == (-4.5, -4.5, 0.0)
    assert one.items != two.items
    assert draw(task, 1, layout=8).blocks != one.blocks


def test_forage_pays_one_for_yellow_and_costs_one_for_red() -> None:
    task = Forage(good=2, bad=1)
    plan = draw(task, 0)
    assert [item.colour for item in plan.items] == ["yellow", "yellow", "red"]
    progress = Progress(present=np.array([True, True, False]))
    payment = task.touch(plan, progress, 2)
    assert (payment.reward, payment.ended, progress.succeeded) == (-1.0, False, False)
    progress.present[0] = False
    assert task.touch(plan, progress, 0) == task.touch(plan, progress, 0)
    assert task.targets(plan, progress) == ([1], [])
    progress.present[1] = False
    payment = task.touch(plan, progress, 1)
    assert (payment.reward, payment.ended, progress.succeeded) == (1.0, True, True)


def test_deferred_key_pays_nothing_and_opens_the_gate() -> None:
    task = Deferred()
    plan = draw(task, 0)
    (gate,) = [block for block in plan.blocks if block.kind == "gate"]
    assert gate.high[0] - gate.low[0] == pytest.approx(GATE)
    progress = Progress(present=np.ones(3, dtype=bool))
    assert task.touch(plan, progress, SMALL).reward == 1.0
    assert progress.gates_closed
    assert task.touch(plan, progress, KEY).reward == 0.0
    assert not progress.gates_closed and not progress.succeeded
    payment = task.touch(plan, progress, LARGE)
    assert (payment.reward, payment.ended, progress.succeeded) == (10.0, True, True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Maze(rows=0), "rows to be a whole number from 1 to 16"),
        (lambda: Maze(columns=2.5), "columns to be a whole number"),
        (lambda: Maze(cell_size=2.0), "cell_size to be a number from 3.0 to 10.0"),
        (lambda: Maze(start="here"), "start to be one of random, fixed"),
        (lambda: Forage(good=5, bad=4), "bad to be a whole number from 0 to 3"),
        (lambda: Forage(side=7.0), "side of at least 9.9 m for 8 objects and 4 obstacles"),
        (lambda: Deferred(side=float("nan")), "side to be a number from 7.0 to 24.0"),
    ],
)
def test_arguments_that_make_no_map_are_refused(make, words: str) -> None:
    with pytest.raises(LevelError, match=words):
        make()


@pytest.mark.slow
@pytest.mark.parametrize("task", [Forage(), Forage(side=9.9), Forage(side=14.2, obstacles=12), Deferred(side=7.0)])
def test_room_is_found_for_a_thousand_seeds(task: Task) -> None:
    starts = {draw(task, seed).start for seed in range(1000)}  # a plan without room raises
    assert len(starts) > 900
