"""Place reading, in a level whose frames tell the place, the heading, or nothing of either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perma_agent.envs.actions import TURN_LEFT, TURN_RIGHT
from perma_agent.evaluation.reachable import Ground
from perma_agent.studies.exploration import place_reading
from perma_agent.studies.exploration.place_reading import EPISODES, place_rows, read_places


class Corridor:
    """5 m long; an episode begins anywhere in it and stays there. The left half of a frame is as bright as x, if it
    tells the place, the right half as the heading says, if it tells that."""

    def __init__(self, *, tells_place: bool, tells_heading: bool, only_turns_move: bool = False) -> None:
        self.tells_place, self.tells_heading, self.only_turns_move = tells_place, tells_heading, only_turns_move
        self.resets = 0

    def reset(self, *, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
        self.rng, self.resets = np.random.default_rng(seed), self.resets + 1
        self.x = self.rng.uniform(0.0, 5.0)
        return self.look()

    def look(self) -> tuple[np.ndarray, dict[str, Any]]:
        heading = self.rng.choice([np.pi / 4, 5 * np.pi / 4])
        frame = self.rng.integers(100, 110, (16, 16, 3)).astype(np.uint8)
        if self.tells_place:
            frame[:, :8] = round(40 * self.x)
        if self.only_turns_move:
            frame[:, 8:] = 100
        if self.tells_heading:
            frame[:, 8:] = 200 if heading < np.pi else 20
        return frame, {"factors": {"x": np.array([self.x]), "z": np.array([0.25]), "heading": np.array([heading])}}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if self.only_turns_move and action in (TURN_LEFT, TURN_RIGHT):
            self.x = self.rng.uniform(0.0, 5.0)
        frame, info = self.look()
        return frame, 0.0, False, False, info

    def close(self) -> None:
        pass


@pytest.fixture
def read(surveyed, monkeypatch):
    """Reads places in a corridor, off codes that are the brightness of both halves."""
    ground = Ground(corner=(0.0, 0.0), cell=0.5, walks=np.arange(10.0)[:, None] / 2, walls=np.zeros((0, 2, 2)))
    looked = SimpleNamespace(encode=lambda frames: (frames.reshape(*frames.shape[:3], 2, 8).mean(axis=(1, 2, 4)), None))
    monkeypatch.setattr(place_reading, "Worldview", SimpleNamespace(of_run=lambda run: looked))

    def in_level(**tells: bool) -> dict[str, float]:
        level = Corridor(**tells)
        monkeypatch.setattr(place_reading, "make_level", lambda id, **arguments: level)
        figures = read_places(replace(surveyed, ground=ground), Path("run"))
        assert level.resets == EPISODES
        return figures

    return in_level


def test_what_frames_tell_is_read_off_codes_and_pixels(read):
    figures = read(tells_place=True, tells_heading=False)
    assert figures["walk_codes"] > 0.98 and figures["walk_pixels"] > 0.98
    assert max(figures["heading_codes"], figures["heading_pixels"]) < 0.1


def test_what_frames_do_not_tell_is_not_read(read):
    figures = read(tells_place=False, tells_heading=True)
    assert max(figures["walk_codes"], figures["walk_pixels"]) < 0.1
    assert min(figures["heading_codes"], figures["heading_pixels"]) > 0.98


def test_how_far_a_step_moves_a_code_is_told_in_deviations(read):
    figures = read(tells_place=True, tells_heading=False, only_turns_move=True)
    assert figures["forward"] < 0.1 < 0.5 < figures["turn"]


def test_rows_say_how_well_the_walk_is_read_on_each_level(make_cell):
    figures = {"walk_codes": 0.25, "walk_pixels": 0.5, "turn": 1.0, "forward": 0.3}
    cell = replace(make_cell("place-four-rooms"), figures=figures)
    rows = {row.id: (row.mean, row.unit) for row in place_rows([cell])}
    assert rows == {
        "place_codes_four_rooms": (0.25, "R²"),
        "place_pixels_four_rooms": (0.5, "R²"),
        "code_turn_four_rooms": (1.0, ""),
        "code_forward_four_rooms": (0.3, ""),
    }
