"""Policy evaluation: two policies, the same levels, the same seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from perma_agent.errors import LevelError
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.policy_evaluation import evaluate_policy
from perma_agent.studies.policy_training import PolicyConfig, make_agent


@pytest.fixture
def agent(room: LevelChoice, learnt: Path, brief: PolicyConfig):
    venv = make_copies([room], copies=1)
    yield make_agent(venv, learnt, config=brief)
    venv.close()


def test_levels_and_policies(agent, room: LevelChoice) -> None:
    other = LevelChoice(id="perma/OutdoorMaze-v0", arguments=room.arguments)
    counted: list[None] = []
    before = torch.get_rng_state()
    options = {"episodes": 3, "copies": 2, "seed": 7}
    results = evaluate_policy(agent, [room, other], **options, on_episode=lambda: counted.append(None))
    assert torch.equal(torch.get_rng_state(), before)
    assert len(counted) == 12
    assert [result.level for result in results] == [room, other]
    assert all(played.episodes == 3 for result in results for played in (result.trained, result.random))
    again = evaluate_policy(agent, [room, other], **options)
    for one, two in zip(results, again, strict=True):
        np.testing.assert_array_equal(one.trained.lengths, two.trained.lengths)
        np.testing.assert_array_equal(one.random.lengths, two.random.lengths)


def test_deterministic_or_drawn(agent, room: LevelChoice, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def predict(frames: np.ndarray, *, deterministic: bool) -> tuple[np.ndarray, None]:
        asked.append(deterministic)
        return np.zeros(len(frames), dtype=np.int64), None

    monkeypatch.setattr(agent, "predict", predict)
    (still,) = evaluate_policy(agent, [room], episodes=1, copies=1, deterministic=True)
    assert set(asked) == {True}
    assert list(still.trained.lengths) == [15]  # who only turns left never gets anywhere
    assert not still.trained.successes.any()
    evaluate_policy(agent, [room], episodes=1, copies=1)
    assert asked[-1] is False


def test_an_unknown_level(agent) -> None:
    with pytest.raises(LevelError, match="did you mean"):
        evaluate_policy(agent, [LevelChoice(id="perma/IndoorMazes-v0")])
