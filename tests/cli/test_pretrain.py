"""`perma-agent pretrain` learns, saves, goes on where it was stopped, and never harms a run folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from perma_agent.cli import pretrain
from perma_agent.cli.pretrain import Config, network
from perma_agent.continual.checkpoint import load_learner
from perma_agent.data import TrajectoryStore
from perma_agent.models import VASEConfig
from perma_agent.types import Trajectory

LEARN = ("--updates", "8", "--pairs", "4", "--offsets", "1", "4")


def grey(size: int = 64, steps: int = 20) -> Trajectory:
    """A trajectory of black grey frames."""
    frames = np.zeros((steps + 1, size, size, 1), np.uint8)
    actions, rewards = np.zeros(steps, np.int64), np.zeros(steps, np.float32)
    return Trajectory(frames=frames, actions=actions, rewards=rewards, terminated=False, truncated=True)


def test_a_new_run_has_everything(say, store: Path, tmp_path: Path, small, lines_of) -> None:
    run = tmp_path / "new" / "vase"
    said = say("pretrain", "--store", store, "--run", run, *LEARN, *small, "--log-every", 2, "--seed", 3, "--json")
    assert said.code == 0
    assert "8/8" in said.err
    assert "nats, environment 0, 1 known" in " ".join(said.err.split())
    summary = json.loads(said.out)
    assert (summary["step"], summary["environment"], summary["model"]["latents"]) == (8, 0, 6)
    assert summary["learner"]["seed"] == 3
    assert load_learner(run).step == 8
    lines = lines_of(run / "metrics.jsonl")
    assert [line["step"] for line in lines] == [1, 2, 4, 6, 8]  # the first opened an environment
    assert [line["opened"] for line in lines] == [True, False, False, False, False]
    assert all(line["loss/reconstruction"] > 0 for line in lines)
    events = EventAccumulator(str(run)).Reload()
    drawn = events.Scalars("vase/loss/reconstruction")
    assert [point.step for point in drawn] == [1, 2, 4, 6, 8]
    assert drawn[-1].value == pytest.approx(lines[-1]["loss/reconstruction"], rel=1e-6)


def test_an_existing_run_goes_on(say, store: Path, run: Path, lines_of) -> None:
    assert say("pretrain", "--store", store, "--run", run, *LEARN, "--log-every", 3).code == 0
    said = say("pretrain", "--store", store, "--run", run, *LEARN, "--log-every", 3, "--json")
    summary = json.loads(said.out)
    assert summary["step"] == 6 + 8 + 8
    assert [stretch["made"] for stretch in summary["extra"]["pretraining"]] == [6, 8, 8]
    assert [environment["steps"] for environment in summary["environments"]] == [22]
    steps = [line["step"] for line in lines_of(run / "metrics.jsonl")]
    assert steps == sorted(set(steps))
    assert steps[-1] == 21


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_started_again_ends_bit_for_bit_the_same(
    say, store: Path, tmp_path: Path, small, stop_after, monkeypatch: pytest.MonkeyPatch, by: signal.Signals
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("pretrain", "--store", "room", *LEARN, *small, "--save-every", 4)
    assert say(*command, "--run", "whole").code == 0
    with monkeypatch.context() as patched:
        patched.setattr(pretrain, "progress_bar", stop_after(3, by=by))
        said = say(*command, "--run", "halves")
    assert said.code == 0
    assert said.err == (
        "perma-agent: stopped as asked; saved to halves; the same command does the 5 batches that are left\n"
    )
    assert load_learner("halves").step == 3
    assert say(*command, "--run", "halves").code == 0
    for name in ("model.safetensors", "learner.safetensors", "state.json", "config.json"):
        assert Path("halves", name).read_bytes() == Path("whole", name).read_bytes(), name


def test_the_same_seed_makes_the_same_model_and_another_makes_another(
    say, store: Path, tmp_path: Path, small, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("pretrain", "--store", store, "--updates", 2, "--pairs", 4, *small)
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        assert say(*command, "--run", tmp_path / name, "--seed", seed).code == 0
    one, again, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "again", "two"))
    assert one == again != two


@pytest.mark.slow
def test_a_signal_from_outside_saves_and_ends_well(store: Path, tmp_path: Path, small) -> None:
    run = tmp_path / "vase"
    command = [sys.executable, "-m", "perma_agent.cli.main", "pretrain", "--store", str(store), "--run", str(run)]
    options = ["--updates", "100000", "--pairs", "4", *small]
    with subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as job:
        deadline = time.monotonic() + 120
        while not (run / "metrics.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        job.send_signal(signal.SIGTERM)
        _, said = job.communicate(timeout=60)
    assert job.returncode == 0
    assert "stopped as asked" in said
    assert "Traceback" not in said
    assert load_learner(run).step > 0


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Config(), None),
        (Config(model=VASEConfig(latents=10)), VASEConfig(latents=10)),
        (Config(preset="paper"), VASEConfig.paper(channels=3, likelihood="gaussian")),
        (
            Config(preset="paper", model=VASEConfig(latents=10)),
            VASEConfig(filters=(64, 64, 128, 128), latents=10),
        ),
    ],
)
def test_presets(config: Config, expected: VASEConfig | None) -> None:
    assert network(config) == expected


def _empty(path: Path) -> None:
    TrajectoryStore.create(path).close()


def _foreign(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("precious")


def _grey(path: Path) -> None:
    with TrajectoryStore.create(path) as store:
        store.add(grey())


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: None, "got nothing there"),
        (_empty, "got an empty store; record some first"),
        (_foreign, "got a folder without store.json"),
        (_grey, "expected frames of shape (64, 64, 3) [H, W, C], as the model has them, got (64, 64, 1)"),
    ],
)
def test_stores_that_will_not_do(say, tmp_path: Path, make: Callable[[Path], None], complaint: str) -> None:
    make(tmp_path / "store")
    said = say("pretrain", "--store", tmp_path / "store", "--run", tmp_path / "vase")
    assert complaint in said.complaint()
    assert not (tmp_path / "vase").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--model.image-size", "32"), "expected frames of shape (32, 32, 3)"),
        (("--model.filters", "8", "--model.image-size", "63"), "expected an image_size divisible by 2"),
        (("--offsets", "1", "999"), "expected trajectories of more than 999 steps"),
        (("--offsets", "0"), "expected offsets of at least 1 step"),
        (("--updates", "0"), "expected at least one update"),
        (("--save-every", "0"), "expected --save-every and --log-every of at least 1"),
        (("--learner.seed", "4"), "expected --seed, which holds for the learner too"),
        (("--preset", "huge"), "invalid choice 'huge'"),
        (("--device", "abacus"), "expected --device auto or one of"),
    ],
)
def test_wrong_options_leave_no_run(say, store: Path, tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    said = say("pretrain", "--store", store, "--run", tmp_path / "new", *options)
    assert complaint in said.complaint()
    assert not (tmp_path / "new").exists()


def _truncate(run: Path) -> None:
    path = run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def _alter(run: Path) -> None:
    path = run / "learner.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_truncate, "got it truncated to"),
        (_alter, "got it altered"),
        (lambda run: (run / "state.json").unlink(), "expected state.json in the run folder"),
        (lambda run: (run / "manifest.json").write_text("{"), "got it truncated or altered"),
        (lambda run: (run / "manifest.json").unlink(), "with metrics.jsonl; choose another folder"),
        (lambda run: (run / "metrics.jsonl").write_text("thesis\n"), "expected one JSON object a line"),
    ],
)
def test_a_damaged_run_is_left_as_it_is(
    say, store: Path, run: Path, bytes_of, damage: Callable[[Path], None], complaint: str
) -> None:
    damage(run)
    before = bytes_of(run)
    assert complaint in say("pretrain", "--store", store, "--run", run, *LEARN).complaint()
    assert bytes_of(run) == before


def test_an_existing_run_keeps_its_own_options(say, store: Path, run: Path, bytes_of, small) -> None:
    before = bytes_of(run)
    said = say("pretrain", "--store", store, "--run", run, *LEARN, "--model.latents", 7)
    assert "expected no model options" in said.complaint()
    said = say("pretrain", "--store", store, "--run", run, *LEARN, "--learner.learning-rate", 1e-5)
    assert "expected no learner options" in said.complaint()
    assert bytes_of(run) == before
    assert say("pretrain", "--store", store, "--run", run, *LEARN, *small).code == 0  # its own may be said again


def test_a_folder_that_cannot_be_written(say, store: Path, beneath_a_file: Path, small) -> None:
    said = say("pretrain", "--store", store, "--run", beneath_a_file, *small)
    assert "expected to write a checkpoint into" in said.complaint()


def test_metrics_of_another_program_are_left_alone(say, store: Path, tmp_path: Path, small) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "metrics.jsonl").write_text("precious")
    said = say("pretrain", "--store", store, "--run", tmp_path / "new", *small)
    assert "with metrics.jsonl; choose another folder" in said.complaint()
    assert (tmp_path / "new" / "metrics.jsonl").read_text() == "precious"
