"""`perma-agent transfer` plays a trained policy beside the random one, and reads no pickle to do so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from perma_agent.evaluation.statistics import wilson_interval

LEVELS = ("perma/IndoorMaze-v0", "perma/OutdoorMaze-v0")


def test_a_row_for_each_level_and_policy(say, agent: Path) -> None:
    command = ("transfer", "--agent", agent, "--levels", *LEVELS, "--episodes", 4, "--copies", 2, "--seed", 5, "--json")
    (agent / "agent.zip").unlink()  # not needed, and not read
    said = say(*command)
    assert said.code == 0
    assert "16/16" in said.err
    found = json.loads(said.out)
    assert found["trained_on"] == "perma/IndoorMaze-v0"
    assert found["arguments"] == {"rows": 1, "columns": 1, "max_episode_steps": 20}
    assert [(row["level"], row["policy"]) for row in found["rows"]] == [
        (level, policy) for level in LEVELS for policy in ("trained", "random")
    ]
    for row in found["rows"]:
        successes = round(row["success"]["value"] * 4)
        expected = wilson_interval(successes, 4)
        assert (row["success"]["low"], row["success"]["high"]) == (expected.low, expected.high)
        assert row["return"]["value"] == pytest.approx(successes / 4)  # the maze pays 1 for its goal and nothing else
    assert json.loads(say(*command).out) == found


def test_the_table_marks_home(say, agent: Path) -> None:
    said = say("transfer", "--agent", agent, "--levels", *LEVELS, "--episodes", 2, "--copies", 2, "--deterministic")
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert rows[0] == ["level", "policy", "success", "95% interval", "mean return", "95% interval"]
    assert [row[0] for row in rows[1:5]] == ["perma/IndoorMaze-v0 (trained on)"] * 2 + ["perma/OutdoorMaze-v0"] * 2
    assert rows[6][0] == "2"
    assert json.loads(rows[6][1])["rows"] == 1


def test_a_level_that_does_not_know_the_agents_arguments(say, agent: Path) -> None:
    said = say("transfer", "--agent", agent, "--levels", "perma/IndoorForage-v0")
    assert said.complaint().endswith("these the agent was trained with, give others by --arguments")
    options = ("--arguments", '{"max_episode_steps": 5}', "--episodes", 1, "--copies", 1)
    assert say("transfer", "--agent", agent, "--levels", "perma/IndoorForage-v0", *options).code == 0
    said = say("transfer", "--agent", agent, "--levels", "perma/IndoorForage-v0", "--arguments", '{"rows": 1}')
    assert said.complaint().endswith("got rows")


def _truncate(agent: Path) -> None:
    path = agent / "policy.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_truncate, "expected policy.safetensors of"),
        (lambda agent: (agent / "config.json").write_text("{}"), "got it truncated"),
        (lambda agent: (agent / "policy.safetensors").unlink(), "without policy.safetensors"),
    ],
)
def test_a_damaged_agent(say, agent: Path, damage: Callable[[Path], None], complaint: str) -> None:
    damage(agent)
    assert complaint in say("transfer", "--agent", agent, "--levels", *LEVELS).complaint()


def test_what_is_no_agent(say, agent: Path, run: Path, tmp_path: Path) -> None:
    for path, complaint in (
        (run, "expected the folder of an agent, got"),
        (tmp_path / "nowhere", "got no folder at"),
        (agent / "agent.zip", "got no folder at"),  # a pickle is in there
    ):
        assert complaint in say("transfer", "--agent", path, "--levels", *LEVELS).complaint()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--levels", "perma/OutdorMaze-v0"), "did you mean perma/OutdoorMaze-v0"),
        (("--levels",), "expected at least one level"),
        (("--episodes", "0"), "expected --episodes and --copies of at least 1"),
        (("--arguments", "rows"), "expected --arguments as a JSON object"),
        (("--device", "abacus"), "expected --device auto or one of"),
    ],
)
def test_wrong_options(say, agent: Path, options: tuple[str, ...], complaint: str) -> None:
    assert complaint in say("transfer", "--agent", agent, *options).complaint()
