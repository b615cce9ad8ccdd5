"""rl-zoo3 finds agents that see through a VASE by dotted paths, trains them and plays them back."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from stable_baselines3 import PPO

from perma_agent.continual.checkpoint import load_learner, save_run
from perma_agent.sb3 import ContinualVASECallback, EncodedObservation, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.sb3.zoo import NAMES, hyperparameter_file, read_hyperparameters
from perma_agent.wrappers import ObserveFrames

pytest.importorskip("yaml", reason="PyYAML comes with the extra zoo")
OF_THE_ZOO = {"env_wrapper", "vec_env_wrapper", "callback", "n_envs", "n_timesteps"}
ROOM = ("--env-kwargs", "rows:1", "columns:1", "max_episode_steps:20")
SHORT = ("-params", "n_envs:2", "n_steps:32", "batch_size:32", "n_epochs:1")


def named(path: str) -> Any:
    """What a dotted path names, found as rl-zoo3 does."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def entries(settings: Mapping[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    """Dotted paths and keyword arguments below one key."""
    found = settings.get(key) or []
    return [(one, {}) if isinstance(one, str) else next(iter(one.items())) for one in found]


@pytest.mark.parametrize("name", NAMES)
def test_dotted_paths_lead_to_classes_that_take_the_arguments(name: str) -> None:
    settings = read_hyperparameters(name)["default"]
    expected = {"env_wrapper": ObserveFrames, "vec_env_wrapper": EncodedObservation, "callback": ContinualVASECallback}
    found = {}
    for key in expected:
        for path, kwargs in entries(settings, key):
            found[key] = named(path)
            first = () if key == "callback" else (None,)
            inspect.signature(found[key]).bind(*first, **kwargs)
    assert found == {key: expected[key] for key in found}
    assert ("callback" in found) != ("vec_env_wrapper" in found)


@pytest.mark.parametrize("name", NAMES)
def test_the_rest_are_arguments_of_the_algorithm(name: str) -> None:
    settings = read_hyperparameters(name)["default"]
    inspect.signature(PPO).bind(env=None, **{key: value for key, value in settings.items() if key not in OF_THE_ZOO})


def test_the_text_of_policy_kwargs_makes_an_agent_with_the_callback(
    run: str, level: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_hyperparameters("ppo")["default"]
    text = settings["policy_kwargs"].replace("runs/vase", run)
    kwargs = eval(text, {"get_class_by_name": named})
    assert kwargs["features_extractor_class"] is VASEFeaturesExtractor
    agent = PPO(settings["policy"], level(), n_steps=16, batch_size=16, policy_kwargs=kwargs, device="cpu")
    ((path, arguments),) = entries(settings, "callback")
    callback = named(path)(**{**arguments, "save_to": None})
    assert callback.config.every == arguments["config"]["every"] == 512
    agent.learn(32, callback=callback)


@pytest.mark.parametrize("name", NAMES)
def test_every_read_is_a_new_dictionary(name: str) -> None:
    module = import_module(f"perma_agent.sb3.zoo.{name}")  # what --conf-file takes
    module.hyperparams["default"]["n_envs"] = -1
    assert module.hyperparams["default"]["n_envs"] == 8
    with pytest.raises(AttributeError, match="no attribute 'hyperparameters'"):
        module.hyperparameters  # noqa: B018


def test_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one of ppo, ppo_encoded, got 'dqn'"):
        hyperparameter_file("dqn")
    assert {path.stem for path in hyperparameter_file("ppo").parent.glob("*.yml")} == set(NAMES)


def zoo(module: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of rl-zoo3's commands in a process of its own."""
    command = [sys.executable, "-m", f"rl_zoo3.{module}", "--algo", "ppo", "--env", "perma/IndoorMaze-v0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    packages = ["--gym-packages", "perma_agent.envs", "-f", "logs", "--device", "cpu"]
    ran = subprocess.run(
        [*command, *packages, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert ran.returncode == 0, ran.stdout[-2_000:] + ran.stderr[-4_000:]
    return ran


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_rl_zoo3_trains_and_plays_back(name: str, learner: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("rl_zoo3")
    save_run(learner(), tmp_path / "runs" / "vase")
    short = [*SHORT, *(["--eval-freq", "512", "--eval-episodes", "1"]), "-n", "1024", "-P", "--seed", "0", *ROOM]
    zoo(
        "train",
        "--conf-file",
        f"perma_agent.sb3.zoo.{name}",
        *short,
        "-tb",
        "events",
        "--save-freq",
        "512",
        folder=tmp_path,
    )
    saved = tmp_path / "logs" / "ppo" / "perma-IndoorMaze-v0_1"
    agents = [saved / "perma-IndoorMaze-v0.zip", saved / "best_model.zip", saved / "rl_model_512_steps.zip"]
    assert all(zipfile.is_zipfile(path) for path in agents)
    assert list((tmp_path / "events").rglob("events*"))
    zoo("enjoy", "-n", "20", "--no-render", *ROOM, folder=tmp_path)
    extractors = extractors_of(PPO.load(agents[0], device="cpu").policy)
    if name == "ppo":
        after = load_learner(tmp_path / "runs" / "vase_after_zoo")
        assert after.step == 32 > extractors[0].published_step == 16  # the last round waits for a rollout
    else:
        assert extractors == []
