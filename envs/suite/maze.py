"""Maze: find the one yellow object; every corridor and dead end follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perma_agent.envs.argument_checks import check_choice, check_range
from perma_agent.envs.suite.plan import Block, Clearing, Item, Plan, draw_heading
from perma_agent.envs.suite.tasks import Payment, Progress
from perma_agent.envs.vocabulary import KINDS

WALL = 0.4
"""Thickness of a wall or hedge, metres."""
Cell = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Maze:
    """Reach the yellow object: +1 and the end of the episode; all other steps pay 0."""

    rows: int = 4
    """Cells along z, 1 to 16."""
    columns: int = 4
    """Cells along x, 1 to 16."""
    cell_size: float = 3.0
    """Distance between the middles of neighbouring cells, metres, 3 to 10."""
    start: Literal["random", "fixed"] = "random"
    """`fixed`: always the middle of the first cell, looking along +x, so that what is seen of the maze is the agent's
    own doing."""

    def __post_init__(self) -> None:
        check_range("rows", self.rows, low=1, high=16, whole=True)
        check_range("columns", self.columns, low=1, high=16, whole=True)
        check_range("cell_size", self.cell_size, low=3.0, high=10.0)
        check_choice("start", self.start, ("random", "fixed"))

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the map's size in x and z, metres."""
        return self.columns * self.cell_size / 2, self.rows * self.cell_size / 2

    def plan(self, *, layout: np.random.Generator, placement: np.random.Generator) -> Plan:
        """Carve a maze without loops; put the object into another cell than the agent's (or apart from it)."""
        passages = carve(self.rows, self.columns, layout)
        bare = Plan(half_extent=self.half_extent, blocks=self._walls(passages), items=(), start=(0.0, 0.0, 0.0))
        cells = [(row, column) for row in range(self.rows) for column in range(self.columns)]
        if self.start == "fixed":
            home, heading = (0, 0), 0.0
        else:
            home, heading = cells[placement.integers(len(cells))], draw_heading(placement)
        others = [cell for cell in cells if cell != home] or [home]
        goal = others[placement.integers(len(others))]
        middle = self._middle(home)
        position = middle if self.start == "fixed" else self._free_point(home, bare, (), placement)
        place = self._free_point(goal, bare, (position,), placement)
        kind = KINDS[1 + placement.integers(3)]
        item = Item(kind=kind, colour="yellow", position=place, turn=float(placement.uniform(-np.pi, np.pi)))
        return Plan(half_extent=self.half_extent, blocks=bare.blocks, items=(item,), start=(*position, heading))

    def touch(self, plan: Plan, progress: Progress, slot: int) -> Payment:
        """The goal was reached."""
        progress.succeeded = True
        return Payment(reward=1.0, ended=True)

    def targets(self, plan: Plan, progress: Progress) -> tuple[list[int], list[int]]:
        """The goal; nothing to avoid."""
        return [0], []

    def _middle(self, cell: Cell) -> tuple[float, float]:
        x, z = self.half_extent
        return (cell[1] + 0.5) * self.cell_size - x, (cell[0] + 0.5) * self.cell_size - z

    def _free_point(
        self, cell: Cell, plan: Plan, taken: tuple[tuple[float, float], ...], rng: np.random.Generator
    ) -> tuple[float, float]:
        (x, z), half = self._middle(cell), self.cell_size / 2
        clearing = Clearing(low=(x - half, z - half), high=(x + half, z + half), from_walls=0.6, apart=1.1)
        return clearing.scatter(rng, plan=plan, count=1, taken=taken)[0]

    def _walls(self, passages: set[frozenset[Cell]]) -> tuple[Block, ...]:
        blocks = []
        for row in range(self.rows - 1):  # walls between this row and the next, along x
            closed = [frozenset({(row, c), (row + 1, c)}) not in passages for c in range(self.columns)]
            blocks += [self._wall(run, row + 1, along_x=True) for run in _runs(closed)]
        for column in range(self.columns - 1):
            closed = [frozenset({(r, column), (r, column + 1)}) not in passages for r in range(self.rows)]
            blocks += [self._wall(run, column + 1, along_x=False) for run in _runs(closed)]
        return tuple(blocks)

    def _wall(self, run: tuple[int, int], line: int, *, along_x: bool) -> Block:
        half = self.half_extent if along_x else self.half_extent[::-1]
        first, last = (edge * self.cell_size - half[0] for edge in run)
        first, last = max(first - WALL / 2, -half[0]), min(last + WALL / 2, half[0])
        across = line * self.cell_size - half[1]
        low, high = (first, across - WALL / 2), (last, across + WALL / 2)
        return Block(low=low, high=high) if along_x else Block(low=low[::-1], high=high[::-1])


def carve(rows: int, columns: int, rng: np.random.Generator) -> set[frozenset[Cell]]:
    """Passages of a maze in which one way leads from any cell to any other (depth-first, random order).

    Returns:
        Pairs of neighbouring cells with no wall between them; always `rows * columns - 1` of them.
    """
    passages: set[frozenset[Cell]] = set()
    seen: set[Cell] = {(0, 0)}
    trail: list[Cell] = [(0, 0)]
    while trail:
        row, column = trail[-1]
        around = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
        unseen = [c for c in around if 0 <= c[0] < rows and 0 <= c[1] < columns and c not in seen]
        if not unseen:
            trail.pop()
            continue
        following = unseen[rng.integers(len(unseen))]
        passages.add(frozenset({trail[-1], following}))
        seen.add(following)
        trail.append(following)
    return passages


def _runs(closed: list[bool]) -> list[tuple[int, int]]:
    """First and one-past-last index of each unbroken run of True, so that walls in line become one block."""
    runs = []
    begin: int | None = None
    for index, shut in enumerate([*closed, False]):
        if shut and begin is None:
            begin = index
        elif not shut and begin is not None:
            runs.append((begin, index))
            begin = None
    return runs
