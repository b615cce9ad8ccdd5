"""The two players that scores are measured between."""

from __future__ import annotations

from perma_agent.envs.suite.oracle import Oracle
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.transfer.sample_efficiency.config import LEVELS
from perma_agent.studies.transfer.sample_efficiency.references import Seeker, measure_references, player_of


def test_the_seeker_finds_the_box_and_chance_does_not_do_as_well():
    done: list[float] = []
    found = measure_references(LEVELS["oneroom"], 4, 0, done.append).figures
    assert found["knowing_success"] == 1.0 and found["knowing_return"] > 0.9
    assert found["chance_return"] < found["knowing_return"] - 0.2
    assert sum(done) == 8.0


def test_our_levels_have_an_oracle_of_their_own():
    for choice, kind in ((LEVELS["oneroom"], Seeker), (LevelChoice(id="perma/IndoorForage-v0"), Oracle)):
        venv = make_copies([choice], copies=1)
        try:
            assert type(player_of(venv.envs[0])) is kind
        finally:
            venv.close()
