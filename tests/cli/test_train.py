"""`perma-agent train` leaves an agent, its learning curve and its VASE, and overwrites nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO

from perma_agent.cli import train
from perma_agent.continual.checkpoint import load_learner
from perma_agent.sb3 import load_bundle, read_bundle

MAZE = ("--level", "perma/IndoorMaze-v0")


def test_an_agent_that_goes_on_learning(trained: Path, learnt: Path) -> None:
    content = read_bundle(trained)
    assert content.config.timesteps == 128
    assert content.extra["level"] == "perma/IndoorMaze-v0"
    assert content.extra["arguments"] == {"rows": 1, "columns": 1, "max_episode_steps": 20}
    assert (content.config.extractor.mode, content.extra["mode"]) == ("continual", "continual")
    assert load_learner(trained / "vase").step > load_learner(learnt).step == 6
    assert list((trained / "tensorboard").rglob("events.out.tfevents*"))
    curve = json.loads((trained / "episodes.json").read_text())
    episodes = curve["episodes"]
    assert len(episodes["ends"]) == len(episodes["returns"]) == len(episodes["successes"]) >= 4
    assert max(episodes["ends"]) <= 128
    assert all(0 <= moment["success"]["low"] <= moment["success"]["high"] <= 1 for moment in curve["curve"])
    assert sum(moment["success"]["n"] for moment in curve["curve"]) == len(episodes["ends"])


def test_the_zip_and_the_bundle_hold_the_same_agent(trained: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (5, 3, 64, 64), dtype=np.uint8)
    zipped, bundled = PPO.load(trained / "agent.zip", device="cpu"), load_bundle(trained)
    for name, value in zipped.policy.state_dict().items():
        assert np.array_equal(value, bundled.policy.state_dict()[name]), name
    assert np.array_equal(zipped.predict(frames, deterministic=True)[0], bundled.predict(frames, deterministic=True)[0])


def test_frozen_the_vase_stays_as_it_is(say, run: Path, tmp_path: Path, room: str, short, bytes_of) -> None:
    before = bytes_of(run)
    options = ("--agent", tmp_path / "new", "--arguments", room, "--timesteps", 64, *short, "--mode", "frozen")
    said = say("train", *MAZE, "--run", run, *options, "--json")
    assert said.code == 0
    assert "64/64" in said.err
    figures = json.loads(said.out)
    assert (figures["timesteps"], figures["level"]) == (64, "perma/IndoorMaze-v0")
    assert bytes_of(run) == before
    assert not (tmp_path / "new" / "vase").exists()
    agent, saved = load_bundle(tmp_path / "new"), load_learner(run)
    assert agent.policy.features_extractor.mode == "frozen"
    for name, value in saved.model.encoder.state_dict().items():
        assert np.array_equal(value, agent.policy.features_extractor.encoder.state_dict()[name])


def test_stopped_it_goes_on_with_the_same_command_as_if_it_had_not_been(
    say, run: Path, tmp_path: Path, room: str, short, stop_after, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--arguments", room, "--timesteps", 192, *short)

    def train_into(folder: Path) -> Any:
        return say("train", *MAZE, "--run", run, "--agent", folder, *options)

    assert train_into(tmp_path / "straight").code == 0
    with monkeypatch.context() as patch:
        patch.setattr(train, "progress_bar", stop_after(40))
        said = train_into(tmp_path / "new")
    assert said.code == 0
    left = "the same command does the 112 steps that are left"
    assert said.err == f"perma-agent: stopped as asked; saved to {tmp_path / 'new' / 'checkpoints'}; {left}\n"
    assert not (tmp_path / "new" / "manifest.json").exists()
    assert read_bundle(tmp_path / "new" / "checkpoints" / "64" / "agent").config.timesteps == 64
    assert "192/192" in train_into(tmp_path / "new").err
    assert read_bundle(tmp_path / "new").config.timesteps == 192
    for name in ("policy.safetensors", "episodes.json", "vase/model.safetensors", "vase/learner.safetensors"):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name


def test_another_command_does_not_go_on_with_it(
    say, run: Path, tmp_path: Path, room: str, short, stop_after, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--run", run, "--agent", tmp_path / "new", "--arguments", room, "--timesteps", 192, *short)
    with monkeypatch.context() as patch:
        patch.setattr(train, "progress_bar", stop_after(40))
        assert say("train", *MAZE, *options).code == 0
    for other, complaint in (
        (("--seed", 7), "got another seed"),
        (("--entropy", 0.5), "got another settings"),
        (("--continual.pairs", 5), "got another pairs"),
        (("--mode", "frozen"), "got another VASE"),
        (("--level", "perma/OutdoorMaze-v0"), "expected the level"),
    ):
        assert complaint in say("train", *MAZE, *options, *other).complaint()


def test_a_training_that_did_not_end_may_be_begun_again(say, run: Path, agent: Path, room: str, short) -> None:
    (agent / "manifest.json").unlink()
    (agent / "config.json").unlink()
    for name in ("policy.safetensors", "normalisers.json", "normalisers.safetensors"):
        (agent / name).unlink()
    shutil.rmtree(agent / "checkpoints")
    options = ("--arguments", room, "--timesteps", 64, *short)
    assert say("train", *MAZE, "--run", run, "--agent", agent, *options).code == 0
    assert read_bundle(agent).config.timesteps == 64


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--level", "perma/IndorMaze-v0"), "did you mean perma/IndoorMaze-v0"),
        ((*MAZE, "--arguments", '{"rowz": 1}'), "got rowz"),
        ((*MAZE, "--arguments", "{"), "expected --arguments as a JSON object"),
        ((*MAZE, "--timesteps", "0"), "expected timesteps of at least 1 and a seed of at least 0, got 0 and 0"),
        ((*MAZE, "--batch-size", "1"), "expected a batch_size and a rollout of at least 2 frames"),
        ((*MAZE, "--continual.every", "0"), "expected no negative numbers"),
        ((*MAZE, "--learning-rate", "0"), "expected a positive learning_rate"),
        ((*MAZE, "--continual.updates-per-rollout", "0"), "give --mode frozen instead"),
        ((*MAZE, "--mode", "asleep"), "invalid choice 'asleep'"),
        ((*MAZE, "--device", "abacus"), "expected --device auto or one of"),
    ],
)
def test_wrong_options(say, run: Path, tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    said = say("train", "--run", run, "--agent", tmp_path / "new", *options)
    assert complaint in said.complaint()
    assert not (tmp_path / "new" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda run: (run / "model.safetensors").write_bytes(b""), "got it truncated to 0 bytes"),
        (lambda run: (run / "manifest.json").unlink(), "without manifest.json"),
    ],
)
def test_a_damaged_vase(
    say, run: Path, tmp_path: Path, room: str, damage: Callable[[Path], None], complaint: str
) -> None:
    damage(run)
    said = say("train", *MAZE, "--run", run, "--agent", tmp_path / "new", "--arguments", room)
    assert complaint in said.complaint()
    assert (
        "got no folder" in say("train", *MAZE, "--run", tmp_path / "nowhere", "--agent", tmp_path / "new").complaint()
    )


def test_a_vase_of_smaller_frames_is_shown_smaller_ones(
    say, tmp_path: Path, learner_of_small_frames: Path, room: str, short
) -> None:
    options = ("--agent", tmp_path / "new", "--arguments", room, "--timesteps", 64, *short)
    assert say("train", *MAZE, "--run", learner_of_small_frames, *options).code == 0
    assert load_bundle(tmp_path / "new").policy.features_extractor.config.image_size == 16


def test_an_agent_is_not_overwritten(say, run: Path, agent: Path, bytes_of) -> None:
    before = bytes_of(agent)
    said = say("train", *MAZE, "--run", run, "--agent", agent)
    assert "with an agent in it; name another with --agent" in said.complaint()
    assert bytes_of(agent) == before


def test_folders_that_will_not_do(say, run: Path, tmp_path: Path, beneath_a_file: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("precious")
    for folder, complaint in (
        (tmp_path / "other", "with thesis.txt in it"),
        (tmp_path / "agent.zip", "SB3's zip is written into it"),
        (tmp_path / "file", "expected a folder for the agent"),
        (beneath_a_file, "expected to make the folder"),
    ):
        assert complaint in say("train", *MAZE, "--run", run, "--agent", folder).complaint()


@pytest.fixture
def learner_of_small_frames(tmp_path: Path) -> Path:
    """A run folder of a VASE for 16x16 frames."""
    from perma_agent.continual import Learner
    from perma_agent.continual.checkpoint import save_run
    from perma_agent.models import VASE, VASEConfig

    save_run(Learner(VASE(VASEConfig(image_size=16, filters=(4,), hidden=4, latents=3))), tmp_path / "small")
    return tmp_path / "small"
