"""`perma-agent levels` lists what the catalogue has, for people and programs."""

from __future__ import annotations

import json

import pytest

from perma_agent.cli.main import main
from perma_agent.envs import catalogue


def test_all_levels_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["levels"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.startswith("level\tsetting\tsteps")
    assert [line.split("\t")[0] for line in lines] == [level.id for level in catalogue()]


def test_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["levels", "--json", "OutdoorMaze"]) == 0
    said = capsys.readouterr()
    (level,) = json.loads(said.out)
    assert level["id"] == "perma/OutdoorMaze-v0"
    assert level["setting"] == "outdoor"
    assert level["max_episode_steps"] > 0
    assert said.err == ""


def test_search_does_not_mind_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["levels", "INDOOR"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    expected = [level.id for level in catalogue() if level.setting == "indoor"]
    assert [row[0] for row in rows if row[1] == "indoor"] == expected
    assert expected


def test_no_level_with_the_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["levels", "submarine"]) == 2
    assert "got 'submarine'" in capsys.readouterr().err
